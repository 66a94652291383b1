"""Reads the header of one file, whatever its encoding, and trusts nothing that it says about itself.

A header is everything before the pixel element. Damage raises UnreadableError with a Reason and nothing else.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO, TypeVar

from app.dicom.dictionary import transfer_syntaxes
from app.dicom.runs import Elements, HeaderMemory, Run, Segment, resolve_vrs
from app.dicom.tokens import (
    DEFAULT_LIMITS,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    KNOWN_VRS,
    Element,
    Encoding,
    IncompleteError,
    Limits,
    PixelStart,
    Tokenizer,
    dictionary_vr,
)
from app.errors import Reason, UnreadableError

FIRST_READ_BYTES = 32 << 10
SPECIFIC_CHARACTER_SET = 0x00080005
SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018
PIXEL_REPRESENTATION = 0x00280103
TRANSFER_SYNTAX_UID = 0x00020010
META_GROUP = 0x0002
_IMPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2"
_DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1.99"
_EXPLICIT_VR_BIG_ENDIAN = "1.2.840.10008.1.2.2"
# Defined terms of Specific Character Set that mean one encoding of Python (PS3.3 section C.12.1.1.2).
_ENCODINGS = {
    "ISO_IR 100": "iso8859-1",
    "ISO_IR 101": "iso8859-2",
    "ISO_IR 109": "iso8859-3",
    "ISO_IR 110": "iso8859-4",
    "ISO_IR 144": "iso8859-5",
    "ISO_IR 192": "utf-8",
}
MEDIA_STORAGE_DIRECTORY = "1.2.840.10008.1.3.10"


T = TypeVar("T")
Follows = Callable[[tuple[Element | None, ...]], T]
_REMEMBERED_BYTES = 64


@lru_cache(maxsize=1024)
def _remembered(function: Follows[T], elements: tuple[Element | None, ...]) -> T:
    return function(elements)


@dataclass(frozen=True, slots=True)
class PixelElement:
    """Where the pixels are: ``offset`` and ``length`` of the value in bytes; ``length`` None means encapsulated."""

    tag: int
    vr: str
    offset: int
    length: int | None


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the pixels.

    Attributes
    ----------
    elements
        Top-level elements, rising tags, without File Meta and the pixel element; values little endian.
    transfer_syntax_uid
        From File Meta, or found out where there is none.
    encoding
        How the dataset was written; big endian pixel values still are.
    pixel
        The pixel element, or None. Its offset counts in the file, or in ``inflated``.
    inflated
        The whole dataset of a deflated file, else None.
    has_meta
        Whether the file has a preamble and File Meta.
    by_tag
        The same elements, for looking one up.
    """

    elements: Sequence[Element]
    transfer_syntax_uid: str
    encoding: Encoding
    pixel: PixelElement | None
    character_sets: tuple[str, ...]
    inflated: bytes | None
    has_meta: bool
    by_tag: Mapping[int, Element]

    def value(self, tag: int) -> bytes | None:
        """A top-level element's bytes; None where it is absent or a sequence."""
        element = self.by_tag.get(tag)
        return element.value if element is not None and isinstance(element.value, bytes) else None

    def text(self, tag: int) -> str:
        """A top-level element's text without padding; empty where it is absent or can't be decoded."""
        value = self.value(tag)
        if not value:
            return ""
        try:
            return decode_text(value, self.character_sets)
        except UnreadableError:
            return ""

    def integer(self, tag: int) -> int | None:
        """A top-level US element's first value, or an IS element's; None for anything else."""
        return integer_of(self.by_tag.get(tag))

    def follow(self, function: "Follows[T]", tags: Iterable[int]) -> T:
        """What follows from the top-level elements of these tags; ``function`` is asked once for the same ones."""
        elements = tuple(map(self.by_tag.get, tags))
        # Large ones and sequences are of no ordinary image, and would stay in memory.
        for one in elements:
            if one is not None and not (isinstance(one.value, bytes) and len(one.value) <= _REMEMBERED_BYTES):
                return function(elements)
        found: T = _remembered(function, elements)
        return found


def integer_of(element: Element | None) -> int | None:
    """A US element's first value, or an IS element's; None for anything else."""
    if element is None or not isinstance(element.value, bytes) or not element.value:
        return None
    if element.vr != dictionary_vr(element.tag):  # what the rules drop must not count, or nobody reads the pixels alike
        return None
    value = element.value
    if element.vr == "US":  # also where the bytes happen to be digits: 12337 rows are b"10"
        return int(struct.unpack_from("<H", value)[0]) if len(value) >= 2 else None
    text = value.strip(b" \0").split(b"\\")[0].strip()
    return int(text) if text.isdigit() and len(text) < 10 else None


def read_header(
    file: BinaryIO, limits: Limits = DEFAULT_LIMITS, memory: HeaderMemory | None = None, *, whole_pixels: bool = True
) -> Header:
    """Read the header of an open, seekable file; its position afterwards is anywhere.

    ``memory`` makes the headers of a series cheap and changes nothing else.
    Without ``whole_pixels``, pixel data that are cut short are no damage: for telling where such a file belongs.

    Raises
    ------
    UnreadableError
        NOT_DICOM, EMPTY_FILE and DICOMDIR tell other files apart; every other reason is damage or an exceeded limit.
    """
    size = file.seek(0, io.SEEK_END)
    if size == 0:
        raise UnreadableError(Reason.EMPTY_FILE)
    file.seek(0)
    head = file.read(min(size, FIRST_READ_BYTES))
    # "DICM" can stand at that place by chance in a file without a preamble; File Meta does not follow it then.
    has_preamble = head[128:132] == b"DICM" and (head[132:134] == b"\x02\0" or not _looks_like_dataset(head))
    start = 132 if has_preamble else 0
    if not has_preamble and not _looks_like_dataset(head):
        raise UnreadableError(Reason.NOT_DICOM)
    try:
        return _read(file, head, size, start, limits, memory, has_preamble=has_preamble, whole_pixels=whole_pixels)
    except UnreadableError as error:
        if has_preamble or error.reason is Reason.DICOMDIR or b"1.2.840.10008." in head:
            raise
        raise UnreadableError(Reason.NOT_DICOM) from None


def _read(
    file: BinaryIO,
    head: bytes,
    size: int,
    start: int,
    limits: Limits,
    memory: HeaderMemory | None,
    *,
    has_preamble: bool,
    whole_pixels: bool,
) -> Header:
    if size <= start:
        raise UnreadableError(Reason.NO_DATASET)
    transfer_syntax = ""
    if has_preamble or head[start : start + 2] == b"\x02\0":
        transfer_syntax, start, head = _read_meta(file, head, size, start, limits, memory)
    if size <= start:
        raise UnreadableError(Reason.NO_DATASET)
    inflated = None
    if transfer_syntax == _DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN:
        inflated = _inflate(file, start, limits)
        size, start, head = len(inflated), 0, inflated
    encoding = _encoding(transfer_syntax, head[start : start + 8])
    segments, pixel, is_ambiguous = _read_dataset(file, head, size, start, encoding, limits, memory)
    if not segments:
        raise UnreadableError(Reason.NO_DATASET)
    elements = Elements(segments)
    if is_ambiguous:
        signed = next((element for element in elements if element.tag == PIXEL_REPRESENTATION), None)
        elements = Elements(_resolve_vrs(segments, signed is not None and signed.value == b"\x01\0"))
    by_tag = {element.tag: element for element in elements} if memory is None else memory.by_tag(elements)
    if not transfer_syntax:
        # PS3.10 needs File Meta; without it, the encoding is what the bytes show, and pixels can only be native.
        transfer_syntax = _default_transfer_syntax(encoding)
        if pixel is not None and pixel.length is None:
            raise UnreadableError(Reason.BAD_META)
    if whole_pixels and pixel is not None and pixel.length is not None and pixel.value_offset + pixel.length > size:
        raise UnreadableError(Reason.TRUNCATED_PIXELS)
    return Header(
        elements=elements,
        transfer_syntax_uid=transfer_syntax,
        encoding=encoding,
        pixel=None if pixel is None else _pixel_element(pixel),
        character_sets=_character_sets(by_tag.get(SPECIFIC_CHARACTER_SET), ()),
        inflated=inflated,
        has_meta=has_preamble,
        by_tag=by_tag,
    )


def _pixel_element(pixel: PixelStart) -> PixelElement:
    vr = (
        pixel.vr
        if pixel.vr in KNOWN_VRS and pixel.vr != "UN"
        else {0x7FE00008: "OF", 0x7FE00009: "OD"}.get(pixel.tag, "OW")
    )
    return PixelElement(pixel.tag, vr, pixel.value_offset, pixel.length)


def _looks_like_dataset(head: bytes) -> bool:
    # A dataset without preamble starts with group 0002 or 0008, little or big endian (PS3.5 section 7.1).
    if len(head) < 16:
        return False
    group, number = struct.unpack("<HH", head[:4])
    if group in (0x0200, 0x0800):
        group, number = struct.unpack(">HH", head[:4])
    return group in (0x0002, 0x0008) and number < 0x0100


def _read_meta(
    file: BinaryIO, head: bytes, size: int, start: int, limits: Limits, memory: HeaderMemory | None
) -> tuple[str, int, bytes]:
    """The transfer syntax (empty where File Meta does not name one), where the dataset starts, and the bytes read."""
    if head[start : start + 2] != b"\x02\0":
        return "", start, head  # a preamble, and no File Meta behind it
    known = memory.find_meta(head, start) if memory is not None else None
    if known is not None and known.elements <= limits.elements:
        return known.transfer_syntax_uid, start + known.length, head
    while True:
        tokenizer = Tokenizer(head, EXPLICIT_LITTLE, limits, complete=len(head) == size)
        try:
            elements, _, dataset_start = tokenizer.read_dataset(start, only_group=META_GROUP)
            break
        except IncompleteError as more:
            head = _read_more(file, head, size, more.needed, limits)
        except UnreadableError as error:
            reason = error.reason if error.reason is Reason.TRUNCATED_HEADER else Reason.BAD_META
            raise UnreadableError(reason) from None
    meta = {element.tag: element.value for element in elements}
    value = meta.get(TRANSFER_SYNTAX_UID, b"")
    if not isinstance(value, bytes):
        raise UnreadableError(Reason.BAD_META)
    if _ascii(meta.get(0x00020002, b"")) == MEDIA_STORAGE_DIRECTORY:
        raise UnreadableError(Reason.DICOMDIR)
    uid = _ascii(value)
    if uid and uid not in transfer_syntaxes():
        raise UnreadableError(Reason.UNKNOWN_TRANSFER_SYNTAX)
    if memory is not None:
        memory.keep_meta(head, start, dataset_start, elements, uid)
    return uid, dataset_start, head


def _ascii(value: object) -> str:
    return value.strip(b" \0").decode("ascii", "replace") if isinstance(value, bytes) else ""


def _default_transfer_syntax(encoding: Encoding) -> str:
    if not encoding.explicit:
        return _IMPLICIT_VR_LITTLE_ENDIAN
    return "1.2.840.10008.1.2.1" if encoding.little_endian else _EXPLICIT_VR_BIG_ENDIAN


def _encoding(transfer_syntax: str, first: bytes) -> Encoding:
    """What File Meta says, unless the first element shows that it is wrong; only for uncompressed syntaxes."""
    if len(first) < 8:
        raise UnreadableError(Reason.TRUNCATED_HEADER)
    explicit = first[4:6].decode("latin-1") in KNOWN_VRS
    if not transfer_syntax:
        big = first[0] == 0 and first[1] != 0
        if big and not explicit:
            raise UnreadableError(Reason.BAD_META)
        return EXPLICIT_BIG if big else (EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE)
    if transfer_syntax == _EXPLICIT_VR_BIG_ENDIAN:
        return EXPLICIT_BIG
    if transfer_syntax == _IMPLICIT_VR_LITTLE_ENDIAN and not explicit:
        return IMPLICIT_LITTLE
    # A file that says implicit and is explicit, or the other way round, is common and harmless: the bytes decide.
    return EXPLICIT_LITTLE if explicit else IMPLICIT_LITTLE


def _inflate(file: BinaryIO, start: int, limits: Limits) -> bytes:
    file.seek(start)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    chunks: list[bytes] = []
    total = 0
    try:
        while not inflater.eof:
            compressed = inflater.unconsumed_tail or file.read(1 << 20)
            if not compressed:
                raise UnreadableError(Reason.TRUNCATED_HEADER)
            chunk = inflater.decompress(compressed, 1 << 20)
            total += len(chunk)
            if total > limits.inflated_bytes:
                raise UnreadableError(Reason.INFLATES_TOO_FAR)
            chunks.append(chunk)
    except zlib.error:
        raise UnreadableError(Reason.BAD_ELEMENT) from None
    return b"".join(chunks)


def _read_dataset(
    file: BinaryIO,
    head: bytes,
    size: int,
    start: int,
    encoding: Encoding,
    limits: Limits,
    memory: HeaderMemory | None,
) -> tuple[list[Segment], PixelStart | None, bool]:
    """Elements and runs of them, pixel element, and whether some VR is still ambiguous."""
    while True:
        tokenizer = Tokenizer(head, encoding, limits, complete=len(head) == size)
        segments: list[Segment]
        try:
            if memory is None:
                elements, pixel, _ = tokenizer.read_dataset(start)
                segments = list(elements)
            else:
                segments, pixel = memory.read(tokenizer, start)
        except IncompleteError as more:
            head = _read_more(file, head, size, more.needed, limits)
            continue
        if pixel is None and len(head) < size:
            head = _read_more(file, head, size, len(head) + 1, limits)
            continue
        return segments, pixel, tokenizer.is_ambiguous


def _read_more(file: BinaryIO, head: bytes, size: int, needed: int, limits: Limits) -> bytes:
    """At least ``needed`` bytes from the file's start, and four times what there was, so that rereads stay few."""
    if needed > size:
        raise UnreadableError(Reason.TRUNCATED_HEADER)
    wanted = min(max(needed + (4 << 10), len(head) * 4), size)
    if needed > limits.header_bytes:
        raise UnreadableError(Reason.HEADER_TOO_LARGE)
    file.seek(len(head))
    more = file.read(min(wanted, limits.header_bytes + (8 << 10)) - len(head))
    if not more:
        raise UnreadableError(Reason.TRUNCATED_HEADER)
    return head + more


def _resolve_vrs(segments: Iterable[Segment], signed: bool) -> Iterator[Segment]:
    """Replace the dictionary's ambiguous VRs, which implicit encodings bring (PS3.5 Annex A.1, Note)."""
    integer_vr = "SS" if signed else "US"
    for segment in segments:
        if isinstance(segment, Run):
            yield segment.resolved(integer_vr)
        else:
            yield from resolve_vrs((segment,), integer_vr)


def character_sets_of(elements: Iterable[Element], inherited: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The Specific Character Set that holds in a dataset or an item (PS3.5 section 6.1.2.3)."""
    for element in elements:
        if element.tag >= SPECIFIC_CHARACTER_SET:
            return _character_sets(element, inherited) if element.tag == SPECIFIC_CHARACTER_SET else inherited
    return inherited


def _character_sets(element: Element | None, inherited: tuple[str, ...]) -> tuple[str, ...]:
    text = _ascii(element.value) if element is not None else ""
    return tuple([part.strip() for part in text.split("\\")]) if text else inherited


def decode_text(value: bytes, character_sets: tuple[str, ...]) -> str:
    """A text value without its padding.

    Raises UnreadableError(BAD_CHARACTER_SET) where the bytes are not text of the declared character sets: a guess
    could show a reviewer something else than what a recipient reads.
    """
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii").rstrip(" \0")
    if not any(character_set not in ("", "ISO_IR 6") for character_set in character_sets):
        raise UnreadableError(Reason.BAD_CHARACTER_SET)  # only ASCII may be there, and it is not
    try:
        text = _decode(value, character_sets)
    except (UserWarning, LookupError, UnicodeError, ValueError):
        raise UnreadableError(Reason.BAD_CHARACTER_SET) from None
    if "�" in text:
        raise UnreadableError(Reason.BAD_CHARACTER_SET)
    return text.rstrip(" \0")


def _decode(value: bytes, character_sets: tuple[str, ...]) -> str:
    encoding = _ENCODINGS.get(character_sets[0]) if len(character_sets) == 1 and b"\x1b" not in value else None
    if encoding is not None:
        return value.decode(encoding)
    # Escapes between character sets are pydicom's, which takes half a second to load.
    from pydicom.charset import convert_encodings, decode_bytes  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return decode_bytes(value, convert_encodings(list(character_sets)), set(b"\\^=\r\n\t\f"))
