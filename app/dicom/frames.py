"""The pixel element's value: is it whole, and what of it leaves.

Native pixels are passed on byte for byte, but for bits that no value uses (``unused_bits``). Encapsulated ones are cut
into fragments and frames; each frame is cleaned (``codestreams``), and where that changes nothing its fragments stay as
they are.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from app.dicom.codestreams import FrameSize, clean_frame, starts_frame
from app.dicom.reading import Header, PixelElement, integer_of
from app.dicom.tokens import ITEM, SEQUENCE_END, Element, swap_words
from app.dicom.writing import SEQUENCE_END as SEQUENCE_END_BYTES
from app.dicom.writing import encode_fragment
from app.errors import Reason, UnreadableError

CHUNK_BYTES = 1 << 20
# Up to here a multi-frame image is held in memory, so that its offset table can be written before it.
OFFSET_TABLE_BYTES = 64 << 20
MAX_FRAGMENTS = 1_000_000

ROWS, COLUMNS, SAMPLES, BITS, FRAMES = 0x00280010, 0x00280011, 0x00280002, 0x00280100, 0x00280008
PHOTOMETRIC = 0x00280004
_LENGTH_TAGS = (BITS, SAMPLES, ROWS, COLUMNS, PHOTOMETRIC, FRAMES)


@dataclass(frozen=True, slots=True)
class Fragment:
    """Where a fragment's bytes lie in the file."""

    offset: int
    length: int


def number_of_frames(header: Header) -> int:
    """(0028,0008), or 1."""
    return _frames(header.by_tag.get(FRAMES))


def native_length(header: Header, pixel: PixelElement) -> int:
    """Bytes of native pixel data, without padding, by rows, columns, samples, frames and bits (PS3.5 section 8.1.1).

    Raises UnreadableError(PIXEL_LENGTH) where one of them is missing or the element is shorter.
    """
    length = header.follow(_LENGTHS.get(pixel.tag, _length), _LENGTH_TAGS)
    if pixel.length is None or pixel.length < length:
        raise UnreadableError(Reason.PIXEL_LENGTH)
    return length


def _length(elements: tuple[Element | None, ...], fixed_bits: int | None = None) -> int:
    declared, samples, rows, columns = map(integer_of, elements[:4])
    photometric, frames = elements[4:]
    bits = fixed_bits or declared
    # PS3.3 C.7.6.24 and C.7.6.25 fix the bits of floats: with others, a recipient's reader takes other pixels.
    if not bits or declared not in (None, bits) or not rows or not columns:
        raise UnreadableError(Reason.PIXEL_LENGTH)
    text = photometric.value if photometric is not None else b""
    is_halved = isinstance(text, bytes) and text.rstrip(b" \0") == b"YBR_FULL_422"
    return (rows * columns * (2 if is_halved else samples or 1) * bits * _frames(frames) + 7) // 8


_LENGTHS = {0x7FE00008: partial(_length, fixed_bits=32), 0x7FE00009: partial(_length, fixed_bits=64)}


def _frames(element: Element | None) -> int:
    if element is None or not isinstance(element.value, bytes) or not element.value:
        return 1
    count = integer_of(element)
    if not count:
        raise UnreadableError(Reason.PIXEL_LENGTH)
    return count


def frame_size(header: Header) -> FrameSize:
    """What one decoded frame of encapsulated pixel data has. Raises UnreadableError(PIXEL_LENGTH)."""
    bits, samples, rows, columns = map(header.integer, (BITS, SAMPLES, ROWS, COLUMNS))
    if not bits or not rows or not columns:
        raise UnreadableError(Reason.PIXEL_LENGTH)
    return FrameSize(rows * columns, (rows * columns * (samples or 1) * bits + 7) // 8)


def read_pixels(file: BinaryIO, header: Header, pixel: PixelElement) -> Iterator[bytes]:
    """The pixel element's value as it leaves where nothing is masked. Raises UnreadableError."""
    return read_native(file, header, pixel) if pixel.length is not None else read_encapsulated(file, header, pixel)


def read_native(file: BinaryIO, header: Header, pixel: PixelElement) -> Iterator[bytes]:
    """The value in little endian chunks, padded to even length by a zero; bytes beyond the image are left behind, and
    what stands in bits that are not used.
    """
    chunks = _native_chunks(file, header, pixel)
    from app.dicom.unused_bits import unused_bits  # noqa: PLC0415 - numpy is slow to load, and a scan needs none of it

    unused = unused_bits(header, pixel.tag)
    return chunks if unused is None else unused.cleared(chunks)


def _native_chunks(file: BinaryIO, header: Header, pixel: PixelElement) -> Iterator[bytes]:
    length = native_length(header, pixel)
    stream: BinaryIO = file if header.inflated is None else io.BytesIO(header.inflated)
    stream.seek(pixel.offset)
    remaining = length
    swap = not header.encoding.little_endian and pixel.vr in ("OW", "OF", "OD")
    odd = length & 1
    if swap and odd:
        remaining += 1  # eight-bit pixels in words: the last word is whole
        odd = 0
    while remaining:
        chunk = stream.read(min(CHUNK_BYTES, remaining))
        if not chunk:
            raise UnreadableError(Reason.TRUNCATED_PIXELS)
        # A short read of a network drive may end inside a word.
        while len(chunk) % 8 and len(chunk) < remaining:
            more = stream.read(8 - len(chunk) % 8)
            if not more:
                raise UnreadableError(Reason.TRUNCATED_PIXELS)
            chunk += more
        remaining -= len(chunk)
        yield swap_words(chunk, pixel.vr) if swap else chunk
    if odd:
        yield b"\0"


def find_fragments(file: BinaryIO, pixel: PixelElement, size: int) -> tuple[Fragment, list[Fragment]]:
    """The offset table's item and all fragments. Raises UnreadableError where they do not end with a delimiter."""
    fragments: list[Fragment] = []
    position = pixel.offset
    while True:
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise UnreadableError(Reason.TRUNCATED_PIXELS)
        group, number, length = struct.unpack("<HHL", head)
        tag = group << 16 | number
        position += 8
        if tag == SEQUENCE_END:
            break
        if tag != ITEM or len(fragments) > MAX_FRAGMENTS:
            raise UnreadableError(Reason.BAD_FRAGMENTS)
        if position + length > size:
            raise UnreadableError(Reason.TRUNCATED_PIXELS)
        fragments.append(Fragment(position, length))
        position += length
    if len(fragments) < 2:
        raise UnreadableError(Reason.BAD_FRAGMENTS)
    return fragments[0], fragments[1:]


def group_frames(
    file: BinaryIO, table: Fragment, fragments: list[Fragment], frames: int, transfer_syntax_uid: str
) -> list[list[Fragment]]:
    """Which fragments make which frame (PS3.5 Annex A.4). Raises UnreadableError(BAD_FRAGMENTS) where it is unclear."""
    if len(fragments) == frames:
        return [[fragment] for fragment in fragments]
    if frames == 1:
        return [fragments]
    file.seek(table.offset)
    raw = file.read(table.length)
    starts = set(struct.unpack(f"<{len(raw) // 4}L", raw[: len(raw) // 4 * 4]))
    if not starts:
        first = fragments[0].offset - 8
        for fragment in fragments:
            file.seek(fragment.offset)
            if starts_frame(file.read(8), transfer_syntax_uid):
                starts.add(fragment.offset - 8 - first)
    groups: list[list[Fragment]] = []
    first = fragments[0].offset - 8
    for fragment in fragments:
        if fragment.offset - 8 - first in starts:
            groups.append([])
        if not groups:
            raise UnreadableError(Reason.BAD_FRAGMENTS)
        groups[-1].append(fragment)
    if len(groups) != frames:
        raise UnreadableError(Reason.BAD_FRAGMENTS)
    return groups


def read_encapsulated(file: BinaryIO, header: Header, pixel: PixelElement) -> Iterator[bytes]:
    """The value: an offset table of our own, then the cleaned fragments, then the delimiter.

    Raises
    ------
    UnreadableError
        BAD_FRAGMENTS, BAD_CODESTREAM, TRUNCATED_PIXELS; possibly after some chunks.
    """
    size = file.seek(0, io.SEEK_END)
    table, fragments = find_fragments(file, pixel, size)
    groups = group_frames(file, table, fragments, number_of_frames(header), header.transfer_syntax_uid)
    frame = frame_size(header)
    frames = (_clean_fragments(file, group, header.transfer_syntax_uid, frame) for group in groups)
    if sum(fragment.length for fragment in fragments) <= OFFSET_TABLE_BYTES and table.length:
        kept = list(frames)
        offsets = [0]
        for items in kept[:-1]:
            offsets.append(offsets[-1] + sum(map(len, items)))
        yield encode_fragment(struct.pack(f"<{len(offsets)}L", *offsets))
        frames = (items for items in kept)
    else:
        yield encode_fragment(b"")  # always allowed (PS3.5 Annex A.4), and all that a stream can say
    for items in frames:
        yield from items
    yield SEQUENCE_END_BYTES


def _clean_fragments(
    file: BinaryIO, fragments: list[Fragment], transfer_syntax_uid: str, size: FrameSize
) -> list[bytes]:
    """A frame as encoded items: the fragments that came, or one where something was taken out."""
    parts = []
    for fragment in fragments:
        file.seek(fragment.offset)
        part = file.read(fragment.length)
        if len(part) != fragment.length:
            raise UnreadableError(Reason.TRUNCATED_PIXELS)
        parts.append(part)
    whole = parts[0] if len(parts) == 1 else b"".join(parts)
    cleaned = clean_frame(whole, transfer_syntax_uid, size)
    return [encode_fragment(part) for part in parts] if cleaned is whole else [encode_fragment(cleaned)]
