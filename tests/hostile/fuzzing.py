"""Files changed at random: byte by byte, and element by element by somebody who knows how a file is built.

A change is a value, so that hypothesis can draw and shrink it, and a seed can stand for a list of them.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from io import BytesIO
from random import Random
from typing import assert_never

from pydicom import uid as uids
from pydicom.dataset import Dataset

from app.dicom.reading import read_header
from app.dicom.tokens import Element
from tests.canaries.mint import Mint
from tests.factory import compress, encode_jpeg2000, enhanced_mr, rt_structure_set, segmentation, to_bytes, us_cine
from tests.hostile.pieces import (
    ITEM_END,
    SEQUENCE_END,
    UNDEFINED,
    dataset_start,
    deflated,
    element,
    encapsulated,
    item,
    jpeg,
    place_of,
    sound,
    tag_bytes,
    with_meta,
    with_transfer_syntax,
)

TOKEN = b"ZZCANARYFUZZED"
_PIXEL_TAGS = (0x7FE00008, 0x7FE00009, 0x7FE00010)
# Attributes that a rule keeps, and some that none knows: what is moved lands on one of them now and then.
_TAGS = (
    0x00000002, 0x00020010, 0x00080005, 0x00080008, 0x00080016, 0x00080018, 0x00080060, 0x0008103E, 0x00082218,
    0x00100010, 0x00100020, 0x00101010, 0x00180015, 0x00180050, 0x00180060, 0x00181210, 0x0020000D, 0x00200032,
    0x00280002, 0x00280004, 0x00280010, 0x00280030, 0x00280100, 0x00280101, 0x00281050, 0x00290010, 0x00291010,
    0x00400275, 0x00420011, 0x50003000, 0x60003000, 0x7FE00008, 0x7FE00010, 0xFFFAFFFA, 0xFFFCFFFC, 0xFFFEE000,
    0xFFFEE0DD, 0xFFFFFFFF,
)  # fmt: skip
_VRS = tuple(
    b"AE AS AT CS DA DS DT FL FD IS LO LT OB OD OF OL OW PN SH SL SQ SS ST TM UC UI UL UN UR US UT ZZ \0\0".split(b" ")
)
_SYNTAXES = (
    uids.ImplicitVRLittleEndian, uids.ExplicitVRLittleEndian, uids.ExplicitVRBigEndian,
    uids.DeflatedExplicitVRLittleEndian, uids.JPEGBaseline8Bit, uids.JPEG2000Lossless, uids.JPEGLSLossless,
    uids.RLELossless, uids.MPEG2MPML, "1.2.3.4",
)  # fmt: skip


class Kind(StrEnum):
    """What is done to a file."""

    # to its bytes
    OVERWRITE = "overwrite"
    INSERT = "insert"
    REMOVE = "remove"
    CUT = "cut"
    # to its elements
    DROP = "drop"
    REPEAT = "repeat"
    SWAP = "swap"
    RETAG = "retag"
    REVR = "revr"
    REVALUE = "revalue"
    LIE = "lie"
    NEST = "nest"
    OPEN = "open"
    STRAY = "stray"
    SYNTAX = "syntax"


BYTE_KINDS = (Kind.OVERWRITE, Kind.INSERT, Kind.REMOVE, Kind.CUT)
GENTLE_KINDS = (Kind.OVERWRITE, Kind.DROP, Kind.REVR, Kind.REVALUE, Kind.REVALUE, Kind.NEST)
ELEMENT_KINDS = tuple(kind for kind in Kind if kind not in BYTE_KINDS)


@dataclass(frozen=True, slots=True)
class Change:
    """One change; ``at`` and ``much`` are taken modulo what there is."""

    kind: Kind
    at: int
    much: int
    value: bytes


KINDS_OF_FILES = 11


def _makers() -> tuple[Callable[[Mint, str], bytes], ...]:
    """Makers of sound files of many kinds, all small."""
    return (
        lambda mint, place: to_bytes(sound(mint, place)),
        lambda mint, place: to_bytes(sound(mint, place), uids.ImplicitVRLittleEndian),
        lambda mint, place: to_bytes(sound(mint, place), uids.ExplicitVRBigEndian),
        lambda mint, place: to_bytes(sound(mint, place), uids.DeflatedExplicitVRLittleEndian),
        lambda mint, place: encapsulated(mint, place, uids.JPEGBaseline8Bit, jpeg(), 32, 32),
        _jpeg_2000,
        _rle,
        lambda mint, place: to_bytes(enhanced_mr(mint.study(place), frames=2, rows=16, columns=16)),
        lambda mint, place: to_bytes(us_cine(mint.study(place), frames=2, rows=16, columns=16)),
        lambda mint, place: to_bytes(segmentation(mint.study(place), [sound(mint, place)])),
        lambda mint, place: to_bytes(rt_structure_set(mint.study(place), [sound(mint, place)])),
    )


def _jpeg_2000(mint: Mint, place: str) -> bytes:
    dataset = sound(mint, place)
    compress(dataset, encode_jpeg2000, uids.JPEG2000Lossless)
    return to_bytes(dataset)


def _rle(mint: Mint, place: str) -> bytes:
    dataset: Dataset = sound(mint, place)
    dataset.compress(uids.RLELossless, generate_instance_uid=False)
    return to_bytes(dataset)


@cache
def base_files() -> tuple[bytes, ...]:
    """The sound files, each of a patient of its own."""
    mint = Mint()
    return tuple(make(mint, f"fuzzed {number}") for number, make in enumerate(_makers()))


def base_tokens() -> frozenset[str]:
    """All that must not leave of them."""
    mint = Mint()
    for number, make in enumerate(_makers()):
        make(mint, f"fuzzed {number}")
    return frozenset(mint.tokens)


def random_changes(random: Random) -> list[Change]:
    """One to four changes: of bytes, of elements, or such that the file may still be read."""
    kinds = random.choice((BYTE_KINDS, ELEMENT_KINDS, GENTLE_KINDS, GENTLE_KINDS))
    return [_random_change(random, random.choice(kinds)) for _ in range(random.randint(1, 4))]


def _random_change(random: Random, kind: Kind) -> Change:
    values = (random.randbytes(random.randint(1, 8)), TOKEN, TOKEN * 9, b"", b"\0" * 4, b"\xff" * 4, b"-1e999", b"1\\2")
    return Change(kind, random.getrandbits(30), random.getrandbits(30), random.choice(values))


def fuzzed(seed: int) -> bytes:
    """The file of a seed: a sound one with an instance and a patient of its own, changed."""
    random = Random(seed)
    content = _with_own_uid(random.choice(base_files()), random)
    return changed(content, random_changes(random))


def _with_own_uid(content: bytes, random: Random) -> bytes:
    """Another SOP Instance UID of the same length, where the header can be seen."""
    try:
        at = place_of(content, 0x00080018) + 8
        end = place_of(content, 0x00080020)
    except ValueError:  # big endian or deflated: an instance twice is a conflict, which is a way out too
        return content
    own = "".join(random.choices("3456789", k=20)).encode()
    head = content[at:end].rstrip(b"\0 ")
    return content[: at + len(head) - 20] + own + content[at + len(head) :]


def changed(content: bytes, changes: Sequence[Change]) -> bytes:
    """Apply the changes, one after the other; those of elements to a file that can no longer be read do nothing."""
    for change in changes:
        content = _change_bytes(content, change) if change.kind in BYTE_KINDS else _change_elements(content, change)
    return content


def _change_bytes(content: bytes, change: Change) -> bytes:
    if len(content) < 140:
        return content
    # Most of what can go wrong stands in the header; and a token among native pixels is a picture.
    header_end = max(140, len(content) - len(_tail(content, 0)))
    reach = header_end if TOKEN in change.value or change.much % 4 else len(content)
    at = 128 + change.at % (reach - 128)
    match change.kind:
        case Kind.OVERWRITE:
            return content[:at] + change.value + content[at + len(change.value) :]
        case Kind.INSERT:
            return content[:at] + change.value + content[at:]
        case Kind.REMOVE:
            return content[:at] + content[at + 1 + change.much % 40 :]
        case _:
            return content[:at]


def _change_elements(content: bytes, change: Change) -> bytes:
    if change.kind is Kind.SYNTAX:
        try:
            return with_transfer_syntax(content, _SYNTAXES[change.at % len(_SYNTAXES)])
        except (ValueError, struct.error):
            return content
    try:
        header = read_header(BytesIO(content))
        start = dataset_start(content)
    except Exception:  # noqa: BLE001 - what earlier changes left can't be read, as is their purpose
        return content
    if header.transfer_syntax_uid == uids.ExplicitVRBigEndian or not header.encoding.explicit:
        return _change_bytes(content, Change(Kind.INSERT, change.at, change.much, change.value))
    pieces = [_encode(one) for one in header.elements]
    at = change.at % len(pieces)
    pieces[at : at + 1] = _replacement(header.elements[at], header.elements[change.much % len(pieces)], change)
    dataset = b"".join(pieces)
    if header.inflated is not None:
        return deflated(content, dataset + _tail(header.inflated, 0))
    return with_meta(content, dataset + _tail(content, start))


def _tail(content: bytes, start: int) -> bytes:
    """Pixel Data and what follows."""
    places = [content.find(tag_bytes(tag), start) for tag in _PIXEL_TAGS]
    return content[min((place for place in places if place >= 0), default=len(content)) :]


def _encode(one: Element) -> bytes:
    vr = one.vr.encode()[:2]
    if isinstance(one.value, bytes):
        return element(one.tag, vr, one.value)
    items = b"".join(item(b"".join(map(_encode, inner))) for inner in one.value)
    return element(one.tag, b"SQ", items)


def _replacement(one: Element, other: Element, change: Change) -> list[bytes]:
    """What stands where an element stood."""
    plain = _encode(one)
    vr = one.vr.encode()[:2]
    value = one.value if isinstance(one.value, bytes) else plain[12:]
    match change.kind:
        case Kind.DROP:
            return []
        case Kind.REPEAT:
            return [plain] * (2 + change.much % 3)
        case Kind.SWAP:
            return [_encode(other), plain]
        case Kind.RETAG:
            return [element(_TAGS[change.much % len(_TAGS)], vr, value)]
        case Kind.REVR:
            return [element(one.tag, _VRS[change.much % len(_VRS)], value)]
        case Kind.REVALUE:
            return [element(one.tag, vr, change.value if change.much % 2 else value + change.value)]
        case Kind.LIE:
            lies = (0, 1, len(value) - 1, len(value) + 2, 0x7FFF, 0xFFFF, 0xFFFFFFFF)
            return [element(one.tag, vr, value, max(0, lies[change.much % len(lies)]) & _limit(vr))]
        case Kind.NEST:
            for _ in range(change.much % 40):
                plain = element(0x00082218, b"SQ", item(plain))
            return [plain]
        case Kind.OPEN:
            end = item(tag=SEQUENCE_END) if change.much % 3 else b""
            inner = item(plain + (item(tag=ITEM_END) if change.much % 2 else b""), UNDEFINED)
            return [element(one.tag, b"SQ", inner + end, UNDEFINED)]
        case Kind.STRAY:
            return [plain, item(change.value, tag=(0xFFFEE000, ITEM_END, SEQUENCE_END)[change.much % 3])]
        case Kind.OVERWRITE | Kind.INSERT | Kind.REMOVE | Kind.CUT | Kind.SYNTAX:
            raise AssertionError(change.kind)
        case _:
            assert_never(change.kind)


def _limit(vr: bytes) -> int:
    """The largest length that a header of this VR has room for."""
    return 0xFFFFFFFF if len(element(0, vr, b"")) == 12 else 0xFFFF
