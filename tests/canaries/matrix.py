"""Tokens in every attribute that PS3.6 knows, by declared VR, depth, encoding of the file and spelling of the text.

Each file carries a token in some five thousand attributes at once, as far as an image stands without their own values;
those that it does not stand without carry one in files of their own.

Text that is no known name or identifier of the patient can't be told from numbers in an attribute that holds any number
of them (look-up tables, indices of surfaces, frame numbers): the tokens of binary attributes are the patient's, and all
others nobody's.
"""

import io
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product

from pydicom import uid as uids
from pydicom._dicom_dict import DicomDictionary  # pydicom has no public list of its attributes
from pydicom.datadict import tag_for_keyword

from app.deid.recipe import Patient, describe_patient
from app.deid.release import Releaser
from app.deid.rules import Requirement, requirements_of
from app.dicom.identity import IdentityKind
from app.dicom.reading import read_header
from app.dicom.tagpath import format_path
from app.dicom.tokens import SWAP_SIZES, Element, dictionary_vr, swap_words
from app.errors import FileError
from tests.canaries.mint import Mint
from tests.canaries.planting import CHAINS, HELD_BACK_BY
from tests.canaries.search import find_tokens
from tests.factory import canary_token
from tests.hostile.pieces import dataset_start, deflated, sound_bytes, with_transfer_syntax
from tests.unit.deid_case import CLEAR, make_recipe

DATE = "19030417"
DIGITS = "734659384756398457639845"
CODE_MEANING = 0x00080104
BINARY_VRS = frozenset("OB OD OF OL OV OW US SS UL SL UV SV FL FD AT".split())
LONG_VRS = frozenset("OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
# As which VR an attribute is declared: its own, or another one whatever it is.
DECLARED = ("own", "LO", "UN", "OB", "PN", "CS", "UI", "ST")
DEPTHS = (0, 1, 4)
SPELLINGS: Mapping[str, Callable[[str], bytes]] = {
    "plain": lambda token: token.encode(),
    "lower": lambda token: token.lower().encode(),
    "name": lambda token: f"{token}^{token.title()}".encode(),
    "among safe words": lambda token: f"CT CHEST {token} CONTRAST".encode(),
    "UTF-16": lambda token: token.encode("utf-16-le"),
    "accents": lambda token: f"Mü {token} é".encode("latin-1"),
}
SYNTAXES = {
    "explicit little": uids.ExplicitVRLittleEndian,
    "implicit little": uids.ImplicitVRLittleEndian,
    "explicit big": uids.ExplicitVRBigEndian,
    "deflated": uids.DeflatedExplicitVRLittleEndian,
}
# An image that lacks them, or says something else in them, is held back or is another object.
NEEDED = frozenset(
    (0x00080005, 0x00080016, 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100)
) | frozenset((0x00280101, 0x00280102, 0x00280103, 0x00280301, 0x04000500))


@cache
def carriers() -> list[int]:
    """Every standard attribute of a data set, repeating groups apart."""
    tags = [tag for tag in DicomDictionary if tag >> 16 >= 8 and tag < 0x7FE00000]
    return [tag for tag in tags if DicomDictionary[tag][4] not in HELD_BACK_BY]


def value_of(vr: str, spelling: str, token: str) -> bytes:
    """A token as a value: dates and UIDs are tokens of their own, unless the spelling says that it is text."""
    if spelling == "plain" and vr == "DA":
        return DATE.encode()
    if spelling == "plain" and vr == "DT":
        return f"{DATE}093011.5".encode()
    if spelling == "plain" and vr == "UI":
        return f"1.2.826.0.1.3680043.8.498.{DIGITS}".encode()
    return SPELLINGS[spelling](token)


class Writer:
    """Writes elements in one encoding."""

    def __init__(self, syntax: str) -> None:
        self._order = ">" if syntax == "explicit big" else "<"
        self._is_explicit = syntax != "implicit little"

    def element(self, tag: int, vr: str, value: bytes) -> bytes:
        """One element; the value as it is to stand in the file."""
        value += (b"\0" if vr in ("OB", "UI", "UN") else b" ") * (len(value) % 2)
        head = struct.pack(f"{self._order}HH", tag >> 16, tag & 0xFFFF)
        if not self._is_explicit:
            return head + struct.pack(f"{self._order}L", len(value)) + value
        if vr in LONG_VRS:
            return head + vr.encode() + b"\0\0" + struct.pack(f"{self._order}L", len(value)) + value
        return head + vr.encode() + struct.pack(f"{self._order}H", len(value)) + value

    def item(self, content: bytes) -> bytes:
        """One item of a sequence."""
        return struct.pack(f"{self._order}HHL", 0xFFFE, 0xE000, len(content)) + content

    def original(self, one: Element) -> bytes:
        """An element of the sound file, little endian in memory."""
        if isinstance(one.value, bytes):
            value = swap_words(one.value, one.vr) if self._order == ">" and one.vr in SWAP_SIZES else one.value
            return self.element(one.tag, one.vr, value)
        items = b"".join(self.item(b"".join(map(self.original, inner))) for inner in one.value)
        return self.element(one.tag, "SQ", items)


def vrs_of(tag: int) -> list[str]:
    """What PS3.6 allows."""
    return dictionary_vr(tag).split(" or ")


def declared_vr(tag: int, declared: str) -> str:
    """The VR to write."""
    return dictionary_vr(tag).split(" or ")[0] if declared == "own" else declared


def build(base: bytes, syntax: str, depth: int, planted: Mapping[int, tuple[str, bytes]]) -> bytes:
    """The sound file with planted values at one depth, in one encoding."""
    writer = Writer(syntax)
    elements = {one.tag: writer.original(one) for one in read_header(io.BytesIO(base)).elements}
    values = {}
    for tag, (vr, value) in planted.items():
        is_sequence = vr == "SQ" or (syntax == "implicit little" and dictionary_vr(tag) == "SQ")
        held = writer.item(writer.element(CODE_MEANING, "LO", value)) if is_sequence else value
        values[tag] = writer.element(tag, vr, held)
    if depth == 0:
        elements |= values
    else:
        content = b"".join(values[tag] for tag in sorted(values))
        for keyword in reversed(CHAINS[0][:depth]):
            outer = tag_for_keyword(keyword) or 0
            content = writer.element(outer, "SQ", writer.item(content))
        elements[outer] = content
    pixels = bytes(2 * 32 * 32)
    dataset = b"".join(elements[tag] for tag in sorted(elements)) + writer.element(0x7FE00010, "OW", pixels)
    if syntax == "deflated":
        return deflated(base, dataset)
    head = with_transfer_syntax(base, SYNTAXES[syntax])
    return head[: dataset_start(head)] + dataset


def release(content: bytes, patient: Patient) -> bytes | None:
    """What leaves; None where nothing does."""
    try:
        released = Releaser(make_recipe(), patient).release(io.BytesIO(content), CLEAR)
        return released.head + b"".join(released.pixels)
    except FileError:
        return None


@dataclass(frozen=True, slots=True)
class Combination:
    """How a token is written, and where."""

    syntax: str
    depth: int
    declared: str
    spelling: str


def combinations() -> Iterator[Combination]:
    """All of them; an implicit file declares no VR."""
    for syntax, depth, declared, spelling in product(SYNTAXES, DEPTHS, DECLARED, SPELLINGS):
        if syntax != "implicit little" or declared == "own":
            yield Combination(syntax, depth, declared, spelling)


@cache
def tokens() -> Mapping[str, int]:
    """The token of each attribute."""
    return {canary_token(f"{tag:08X}"): tag for tag in carriers()}


@cache
def bearer() -> Patient:
    """Whose the tokens of binary attributes are."""
    binary = [token for token, tag in tokens().items() if not BINARY_VRS.isdisjoint(vrs_of(tag))]
    return describe_patient("SITE-ABC234", 100, [(IdentityKind.ID.value, token) for token in binary])


@cache
def base_file() -> bytes:
    """The sound file that carries them."""
    return sound_bytes(Mint(), "matrix")


@cache
def required() -> frozenset[int]:
    """What an image can't do without."""
    types = requirements_of(str(uids.CTImageStorage))
    return NEEDED | {path[0] for path, one in types.items() if len(path) == 1 and one is Requirement.VALUE}


@dataclass(frozen=True, slots=True)
class Tried:
    """How many attributes carried a token, how many of them in files that leave, and where one was found."""

    attributes: int
    leaving: int
    files: int
    found: tuple[str, ...]


def attempt(one: Combination) -> Tried:
    """Plant, release, search."""
    tags = carriers()
    if one.declared == "UN":  # a sequence that says to be unknown is read as one
        tags = [tag for tag in tags if dictionary_vr(tag) != "SQ"]
    groups = [[tag for tag in tags if one.depth or tag not in required()]]
    groups += [] if one.depth else [[tag] for tag in tags if tag in required()]
    by_tag = {tag: token for token, tag in tokens().items()}
    leaving, found = 0, []
    for group in groups:
        vrs = {tag: declared_vr(tag, one.declared) for tag in group}
        planted = {tag: (vr, value_of(vr, one.spelling, by_tag[tag])) for tag, vr in vrs.items()}
        leaves = release(build(base_file(), one.syntax, one.depth, planted), bearer())
        if leaves is not None:
            leaving += len(group)
            hits = find_tokens(leaves, [*tokens(), DATE, DIGITS])
            found += [format_path((tokens()[hit],)) if hit in tokens() else hit for hit in hits]
    return Tried(sum(map(len, groups)), leaving, len(groups), tuple(found))
