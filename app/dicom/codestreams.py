"""Takes everything out of a compressed frame that is not image: comments, application segments, trailing bytes.

No coefficient is touched. Only segments that a decoder needs are kept, by allow-list; what is not understood raises
UnreadableError(BAD_CODESTREAM), and the instance is held back.
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from app.dicom.dictionary import uid_of
from app.errors import Reason, UnreadableError

DEFLATED_IMAGE_FRAME = "1.2.840.10008.1.2.8.1"

_BLOCK_CELLS = 64  # ITU-T T.81 section A.1.3
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP8, _APP14, _COM = 0xE0, 0xE8, 0xEE, 0xFE
# ITU-T T.81 Table B.1: frames, tables and intervals; hierarchical (DHP, EXP) and reserved ones are not understood.
_JPEG_KEPT = frozenset((0xC0, 0xC1, 0xC2, 0xC3, 0xC4, 0xC9, 0xCA, 0xCB, 0xCC, 0xDB, 0xDC, 0xDD))
# ITU-T T.87: SOF55 and LSE, beside DRI.
_JPEG_LS_KEPT = frozenset((0xF7, 0xF8, 0xDD))
# A marker inside entropy-coded data: T.81 stuffs FF00 and restarts with FFD0-7; T.87 stuffs a bit, FF00-7F.
_JPEG_MARKER = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")
_JPEG_LS_MARKER = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


@dataclass(frozen=True, slots=True)
class FrameSize:
    """What a frame has once decoded: ``cells`` of rows by columns, ``length`` in bytes of all samples."""

    cells: int
    length: int


def clean_frame(frame: bytes, transfer_syntax_uid: str, size: FrameSize) -> bytes:
    """One compressed frame without anything but image; the same object where there was nothing to take out.

    Raises
    ------
    UnreadableError
        BAD_CODESTREAM where the frame is damaged or has a part that is not understood.
    """
    cleaner = _CLEANERS.get(transfer_syntax_uid)
    if cleaner is None:
        raise UnreadableError(Reason.UNSUPPORTED_TRANSFER_SYNTAX)
    try:
        return cleaner(frame, size)
    except (IndexError, struct.error):
        raise UnreadableError(Reason.BAD_CODESTREAM) from None


def is_supported(transfer_syntax_uid: str) -> bool:
    """Whether frames of this syntax can be cleaned."""
    return transfer_syntax_uid in _CLEANERS


def starts_frame(fragment: bytes, transfer_syntax_uid: str) -> bool:
    """Whether a fragment is the first of its frame, where the syntax has a mark for that."""
    if transfer_syntax_uid in _JPEG_2000:
        return fragment[:4] == b"\xff\x4f\xff\x51" or fragment[4:8] == b"jP  "
    return fragment[:3] == b"\xff\xd8\xff"


def _bad() -> UnreadableError:
    return UnreadableError(Reason.BAD_CODESTREAM)


def _clean_jpeg(frame: bytes, size: FrameSize) -> bytes:
    # Huffman codes have a bit at least, so that a block of 8 x 8 cells takes one. A decoder would fill the rest with
    # grey and say nothing.
    if len(frame) * 8 * _BLOCK_CELLS < size.cells:
        raise _bad()
    return _clean_jpeg_family(frame, _JPEG_KEPT, _JPEG_MARKER)


def _clean_jpeg_ls(frame: bytes, _: FrameSize) -> bytes:
    return _clean_jpeg_family(frame, _JPEG_LS_KEPT, _JPEG_LS_MARKER)


def _clean_jpeg_family(frame: bytes, kept_markers: frozenset[int], marker_in_scan: re.Pattern[bytes]) -> bytes:
    if frame[:2] != b"\xff\xd8":
        raise _bad()
    pieces = [b"\xff\xd8"]
    position = 2
    scans = 0
    while True:
        if frame[position] != 0xFF:
            raise _bad()
        while frame[position + 1] == 0xFF:  # fill bytes, T.81 section B.1.1.2
            position += 1
        marker = frame[position + 1]
        if marker == _EOI:
            if not scans:
                raise _bad()
            pieces.append(b"\xff\xd9")
            break
        (length,) = struct.unpack_from(">H", frame, position + 2)
        end = position + 2 + length
        if length < 2 or end > len(frame):
            raise _bad()
        segment = frame[position:end]
        if not _is_exact(marker, segment):
            raise _bad()
        if marker == _SOS:
            match = marker_in_scan.search(frame, end)
            if match is None:
                raise _bad()  # cut: a whole scan is followed by a marker
            pieces.append(frame[position : match.start()])
            position = match.start()
            scans += 1
            continue
        if marker in kept_markers:
            pieces.append(segment)
        else:
            pieces.append(_needed_application_segment(marker, segment))
        position = end
    cleaned = b"".join(pieces)
    # Nothing but one byte of padding behind EOI: the frame is as it should be, and stays the same object.
    return frame if cleaned == frame or cleaned + b"\0" == frame else cleaned


def _is_exact(marker: int, segment: bytes) -> bool:
    """Whether a segment that is kept is as long as what it must hold; more would be a place for anything.

    ITU-T T.81 sections B.2.2 to B.2.5; T.87 section C.2.4.
    """
    length = len(segment)
    if marker == _SOS:
        return length == 8 + 2 * segment[4]
    if marker == 0xDB:
        return _is_made_of(segment, lambda at: 1 + (128 if segment[at] >> 4 else 64))
    if marker == 0xC4:
        return _is_made_of(segment, lambda at: 17 + sum(segment[at + 1 : at + 17]))
    if marker == 0xCC:
        return length % 2 == 0
    if marker == 0xDC:
        return length == 6
    if marker == 0xDD:
        return length in (6, 7, 8)
    if marker == 0xF8:  # mapping tables are the other kind: a place for 64 KiB of anything
        return length == 15 and segment[4] == 1
    if marker in _JPEG_KEPT or marker in _JPEG_LS_KEPT:
        return length == 10 + 3 * segment[9]
    return True


def _is_made_of(segment: bytes, size_at: Callable[[int], int]) -> bool:
    position = 4
    while position < len(segment):
        position += size_at(position)
    return position == len(segment) > 4


def _needed_application_segment(marker: int, segment: bytes) -> bytes:
    """The application segments that change what a decoder shows, rebuilt from their few meaningful bits."""
    if marker == _APP14 and segment[4:9] == b"Adobe" and len(segment) == 16:
        transform = segment[15] if segment[15] in (0, 1, 2) else 0
        return b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    if marker == _APP0 and segment[4:9] == b"JFIF\0":
        return b"\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    if marker == _APP8 and segment[4:8] == b"mrfx" and len(segment) == 9 and segment[8] <= 3:
        return segment  # HP's colour transform of JPEG-LS
    if _APP0 <= marker <= 0xEF or marker == _COM:
        return b""
    raise _bad()


_J2K_SIZ, _J2K_COM, _J2K_SOT, _J2K_SOD, _J2K_EOC = 0xFF51, 0xFF64, 0xFF90, 0xFF93, b"\xff\xd9"
# ITU-T T.800 Table A.2, and CAP, PRF, CPF of T.801/T.814: what may stand in a main or tile-part header.
_J2K_KEPT = frozenset(
    (
        0xFF50,
        0xFF51,
        0xFF52,
        0xFF53,
        0xFF55,
        0xFF56,
        0xFF57,
        0xFF58,
        0xFF59,
        0xFF5C,
        0xFF5D,
        0xFF5E,
        0xFF5F,
        0xFF60,
        0xFF61,
        0xFF63,
    )
)


def _clean_jpeg_2000(frame: bytes, _: FrameSize) -> bytes:
    codestream = codestream_of(frame)
    if codestream[:4] != b"\xff\x4f\xff\x51":
        raise _bad()
    pieces = [b"\xff\x4f"]
    position = 2
    while struct.unpack_from(">H", codestream, position)[0] != _J2K_SOT:
        marker, length = struct.unpack_from(">HH", codestream, position)
        end = position + 2 + length
        if length < 2 or end > len(codestream):
            raise _bad()
        if marker != _J2K_COM:
            if marker not in _J2K_KEPT or (marker == _J2K_SIZ and length != 38 + 3 * codestream[position + 39]):
                raise _bad()
            pieces.append(codestream[position:end])
        position = end
    while codestream[position : position + 2] == b"\xff\x90":
        tile_part, position = _clean_tile_part(codestream, position)
        pieces.append(tile_part)
    if codestream[position : position + 2] != _J2K_EOC:
        raise _bad()
    pieces.append(_J2K_EOC)
    cleaned = b"".join(pieces)
    return frame if cleaned == frame or cleaned + b"\0" == frame else cleaned


def _clean_tile_part(codestream: bytes, start: int) -> tuple[bytes, int]:
    """A tile-part with the text of its comments blanked: lengths that other segments tell stay true."""
    (length,) = struct.unpack_from(">L", codestream, start + 6)
    if length == 0:  # up to the end of the codestream, T.800 section A.4.2
        end = codestream.rfind(_J2K_EOC)
    else:
        end = start + length
    if end <= start + 12 or end > len(codestream):
        raise _bad()
    tile_part = bytearray(codestream[start:end])
    position = 12
    while True:
        (marker,) = struct.unpack_from(">H", tile_part, position)
        if marker == _J2K_SOD:
            return bytes(tile_part), end
        (segment_length,) = struct.unpack_from(">H", tile_part, position + 2)
        segment_end = position + 2 + segment_length
        if segment_length < 2 or segment_end > len(tile_part):
            raise _bad()
        if marker == _J2K_COM and segment_length > 2:
            tile_part[position + 4 : segment_end] = bytes(segment_end - position - 4)
        elif marker not in _J2K_KEPT and marker != _J2K_COM:
            raise _bad()
        position = segment_end


def codestream_of(frame: bytes) -> bytes:
    """The codestream inside a JP2 file, which some writers embed whole (PS3.5 section 8.2.4 wants the codestream)."""
    if frame[4:8] != b"jP  ":
        return frame
    position = 0
    while position < len(frame):
        length, kind = struct.unpack_from(">L4s", frame, position)
        header = 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", frame, position + 8)
            header = 16
        end = len(frame) if length == 0 else position + length
        if kind == b"jp2c":
            return frame[position + header : end]
        if end <= position:
            break
        position = end
    raise _bad()


def rle_segments(frame: bytes, size: FrameSize) -> list[tuple[int, int]]:
    """Where the planes of an RLE frame begin and end (PS3.5 Annex G); the last one may have bytes behind its plane.

    Its header has 16 offsets; unused ones must be zero, used ones rise inside the frame, one for each byte of a cell.
    Raises UnreadableError(BAD_CODESTREAM) where that is not so.
    """
    try:
        header = struct.unpack_from("<16L", frame)
    except struct.error:
        raise _bad() from None
    count = header[0]
    if not 1 <= count <= 15 or any(header[count + 1 :]) or header[1] != 64 or count * size.cells != size.length:
        raise _bad()
    segments = list(pairwise((*header[1 : count + 1], len(frame))))
    if any(low >= high for low, high in segments):
        raise _bad()
    return segments


def _clean_rle(frame: bytes, size: FrameSize) -> bytes:
    """Each segment is cut behind the run that ends its plane: decoders do not look at what follows."""
    segments: list[bytes] = []
    for low, high in rle_segments(frame, size):
        end = _end_of_plane(frame, low, high, size.cells)
        padded = end + ((end - low) & 1)
        if padded <= high and not any(frame[end:padded]):
            segments.append(frame[low:padded])
        else:
            segments.append(frame[low:end] + bytes(padded - end))
    starts = [64]
    for segment in segments[:-1]:
        starts.append(starts[-1] + len(segment))
    count = len(segments)
    cleaned = struct.pack("<16L", count, *starts, *bytes(15 - count)) + b"".join(segments)
    return frame if cleaned == frame or cleaned == frame + b"\0" or cleaned + b"\0" == frame else cleaned


def _end_of_plane(frame: bytes, position: int, end: int, cells: int) -> int:
    """Where the runs of a segment have told all its bytes (PS3.5 section G.3.2)."""
    while cells > 0:
        run = frame[position]
        if run < 128:
            position += run + 2
            cells -= run + 1
        elif run > 128:
            position += 2
            cells -= 257 - run
        else:
            position += 1
        if position > end:
            raise _bad()
    if cells:
        raise _bad()
    return position


def _clean_deflated(frame: bytes, size: FrameSize) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflater.decompress(frame, size.length + 2)
    except zlib.error:
        raise _bad() from None
    # One byte of padding may be inside; whatever else there is more or less is no image.
    if not inflater.eof or inflated[size.length :] not in (b"", b"\0") or len(inflated) < size.length:
        raise _bad()
    used = len(frame) - len(inflater.unused_data)
    return frame if inflater.unused_data in (b"", b"\0") else frame[:used]


_JPEG = tuple(map(uid_of, "JPEGBaseline8Bit JPEGExtended12Bit JPEGLossless JPEGLosslessSV1".split()))
_JPEG_LS = tuple(map(uid_of, "JPEGLSLossless JPEGLSNearLossless".split()))
_JPEG_2000 = tuple(map(uid_of, "JPEG2000Lossless JPEG2000 HTJ2KLossless HTJ2KLosslessRPCL HTJ2K".split()))
_CLEANERS: dict[str, Callable[[bytes, FrameSize], bytes]] = {
    **dict.fromkeys(_JPEG, _clean_jpeg),
    **dict.fromkeys(_JPEG_LS, _clean_jpeg_ls),
    **dict.fromkeys(_JPEG_2000, _clean_jpeg_2000),
    uid_of("RLELossless"): _clean_rle,
    DEFLATED_IMAGE_FRAME: _clean_deflated,
}
