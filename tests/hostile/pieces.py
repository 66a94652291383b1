"""What bad files are made of: a sound file, and tools to put bytes in, take them out, and lie about them."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image
from pydicom import uid as uids
from pydicom.dataset import Dataset

from tests.canaries.instances import small_ct
from tests.canaries.mint import Mint
from tests.factory import compress, set_pixels, to_bytes

Maker = Callable[[Mint, str], bytes]
"""Makes the bytes of a file; its patient's tokens come from the mint, named by the place."""

SIDE = 32
PATIENT_NAME, PIXEL_DATA = 0x00100010, 0x7FE00010
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
_LONG_VRS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")


def sound(mint: Mint, place: str, **changes: object) -> Dataset:
    """A CT image that is released as it is, with other values where ``changes`` says so."""
    dataset = small_ct(mint, place, rows=SIDE)
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    return dataset


def sound_bytes(mint: Mint, place: str, transfer_syntax_uid: str | None = None) -> bytes:
    """Its file."""
    return to_bytes(sound(mint, place), transfer_syntax_uid)


def tag_bytes(tag: int) -> bytes:
    """A tag, little endian."""
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)


def element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    """An element in explicit VR little endian, whose length may be a lie."""
    length = len(value) if length is None else length
    if vr in _LONG_VRS:
        return tag_bytes(tag) + vr + b"\0\0" + struct.pack("<L", length) + value
    return tag_bytes(tag) + vr + struct.pack("<H", length) + value


def item(content: bytes = b"", length: int | None = None, tag: int = ITEM) -> bytes:
    """An item or a delimiter."""
    return tag_bytes(tag) + struct.pack("<L", len(content) if length is None else length) + content


def dataset_start(content: bytes) -> int:
    """Where the data set begins, by the group length of File Meta."""
    return 144 + int(struct.unpack_from("<L", content, 140)[0])


def place_of(content: bytes, tag: int) -> int:
    """Where an element of the top level begins; its bytes must not occur before by chance."""
    return content.index(tag_bytes(tag), dataset_start(content))


def value_of(content: bytes, tag: int) -> tuple[int, int]:
    """Start and end of a value with a short VR."""
    start = place_of(content, tag) + 8
    return start, start + int(struct.unpack_from("<H", content, start - 2)[0])


def insert_before(content: bytes, tag: int, piece: bytes) -> bytes:
    """Put bytes in front of an element."""
    at = place_of(content, tag)
    return content[:at] + piece + content[at:]


def replace_element(content: bytes, tag: int, piece: bytes) -> bytes:
    """Put bytes where an element with a short VR stands."""
    start, end = value_of(content, tag)
    return content[: start - 8] + piece + content[end:]


def without_pixels(content: bytes) -> bytes:
    """All that stands before Pixel Data."""
    return content[: place_of(content, PIXEL_DATA)]


def with_meta(content: bytes, dataset: bytes) -> bytes:
    """The preamble and File Meta of a file with another data set."""
    return content[: dataset_start(content)] + dataset


def with_transfer_syntax(content: bytes, transfer_syntax_uid: str) -> bytes:
    """The same file that says to be in another transfer syntax."""
    start = content.index(tag_bytes(0x00020010) + b"UI") + 8
    length = int(struct.unpack_from("<H", content, start - 2)[0])
    value = transfer_syntax_uid.encode()
    value += b"\0" * (len(value) % 2)
    changed = content[: start - 2] + struct.pack("<H", len(value)) + value + content[start + length :]
    group_length = struct.unpack_from("<L", content, 140)[0] + len(value) - length
    return changed[:140] + struct.pack("<L", group_length) + changed[144:]


def deflated(content: bytes, dataset: bytes) -> bytes:
    """A deflated file with the File Meta of another one."""
    head = with_transfer_syntax(content, uids.DeflatedExplicitVRLittleEndian)
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return head[: dataset_start(head)] + squeezer.compress(dataset) + squeezer.flush()


def encapsulated(mint: Mint, place: str, transfer_syntax_uid: str, frame: bytes, rows: int, columns: int) -> bytes:
    """An image of 8 bits with one frame whose bytes may be anything."""
    dataset = sound(mint, place)
    set_pixels(dataset, np.zeros((2, 2), np.uint8), bits_stored=8)
    compress(dataset, lambda _: frame + b"\0" * (len(frame) % 2), transfer_syntax_uid)
    dataset.Rows, dataset.Columns = rows, columns
    return to_bytes(dataset)


def picture() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Something to encode."""
    return np.add.outer(np.arange(SIDE), np.arange(SIDE)).astype(np.uint8)


def encoded(form: str, **options: object) -> bytes:
    """The picture as Pillow encodes it."""
    buffer = io.BytesIO()
    Image.fromarray(picture()).save(buffer, form, **options)
    return buffer.getvalue()


def jpeg() -> bytes:
    """A sound JPEG codestream."""
    return encoded("JPEG")


def jpeg_2000() -> bytes:
    """A sound JPEG 2000 codestream."""
    return encoded("JPEG2000", no_jp2=True, irreversible=False)


def squeezed_zeros(mebibytes: int) -> bytes:
    """A raw deflate stream of so many mebibytes of zeros, without its end: one piece of it, again and again."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return (squeezer.compress(bytes(1 << 20)) + squeezer.flush(zlib.Z_FULL_FLUSH)) * mebibytes


DEFLATE_END = b"\x03\0"
