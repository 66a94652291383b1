"""What identifies a patient in a header: found by attribute and VR, to be looked for in everything that is kept."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from app.dicom.reading import Header, character_sets_of, decode_text
from app.dicom.tokens import Element
from app.errors import UnreadableError


class IdentityKind(StrEnum):
    """What sort of identifier; decides how it is searched for."""

    NAME = "name"
    ID = "id"
    DATE = "date"
    PLACE = "place"  # institutions, addresses: searched as a whole phrase
    UID = "uid"


_IDS = frozenset(
    (
        0x00080050,  # Accession Number
        0x00100020,  # Patient ID
        0x00101000,  # Other Patient IDs
        0x00101001,  # Other Patient Names
        0x00101050,  # Insurance Plan Identification
        0x00101090,  # Medical Record Locator
        0x00102154,  # Patient's Telephone Numbers
        0x00200010,  # Study ID
        0x00380010,  # Admission ID
        0x00380060,  # Service Episode ID
        0x00401001,  # Requested Procedure ID
        0x00402016,  # Placer Order Number / Imaging Service Request
        0x00402017,  # Filler Order Number / Imaging Service Request
        0x00400009,  # Scheduled Procedure Step ID
        0x00400253,  # Performed Procedure Step ID
        0x00120040,  # Clinical Trial Subject ID
    )
)
_NAMES = frozenset((0x00101001, 0x00101060, 0x00102297))  # other names also where a writer chose LO
_DATES = frozenset((0x00100030, 0x00080020, 0x00380020))  # birth, study, admitting
_PLACES = frozenset((0x00080080, 0x00080081, 0x00101040, 0x00081040, 0x00380300, 0x00081010))
_TEXT_VRS = frozenset("AE CS DA DS DT IS LO LT PN SH ST TM UC UI UT".split())


def collect_identities(header: Header) -> set[tuple[IdentityKind, str]]:
    """Kinds and values as written, at every depth; empty ones left out."""
    found: set[tuple[IdentityKind, str]] = set()
    _collect(header.elements, header.character_sets, found)
    return found


def may_identify(element: Element) -> bool:
    """Whether ``collect_identities`` looks at a top-level element."""
    return isinstance(element.value, tuple) or _kind(element.tag, element.vr) is not None


def _collect(
    elements: Iterable[Element], character_sets: tuple[str, ...], found: set[tuple[IdentityKind, str]]
) -> None:
    for tag, vr, value in elements:
        if isinstance(value, tuple):
            for item in value:
                _collect(item, character_sets_of(item, character_sets), found)
            continue
        kind = _kind(tag, vr)
        if kind is None or not value:
            continue
        for text in _readings(value, character_sets):
            found.update((kind, part.strip()) for part in text.split("\\") if part.strip())


def _readings(value: bytes, character_sets: tuple[str, ...]) -> list[str]:
    """The text as declared; where it is not that, as what writers forget to declare."""
    try:
        return [decode_text(value, character_sets)]
    except UnreadableError:
        return [value.decode(encoding, "ignore").rstrip(" \0") for encoding in ("utf-8", "latin-1")]


@lru_cache(maxsize=1 << 14)
def _kind(tag: int, vr: str) -> IdentityKind | None:
    if vr == "PN" or tag in _NAMES:
        return IdentityKind.NAME
    if vr not in _TEXT_VRS:
        return None
    if tag in _IDS:
        return IdentityKind.ID
    if tag in _DATES:
        return IdentityKind.DATE
    if tag in _PLACES:
        return IdentityKind.PLACE
    return None
