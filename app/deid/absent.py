"""An element without its value: gone, empty or with a dummy, as its type and the profile allow (PS3.15 Table E.1-1)."""

from typing import NamedTuple

from app.deid.hits import Applied, Hit, Record, text_record
from app.deid.rules import Requirement, Rule
from app.deid.values import Drop, Fold, Number
from app.dicom.tagpath import parse_tag
from app.dicom.tokens import dictionary_vr
from app.dicom.writing import encode_element, encode_sequence
from app.errors import HeldBackError, Reason

# Without these an image is none; the instance is held back rather than sent without.
_ESSENTIAL = frozenset(
    parse_tag(keyword)
    for keyword in (
        "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality SamplesPerPixel "
        "PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation"
    ).split()
)
_CONTENT_LABEL = 0x00700080
_DUMMIES = {
    **dict.fromkeys(("SH", "LO", "ST", "LT", "UT", "UC", "PN", "AE"), b"REMOVED"),
    **dict.fromkeys(("DS", "IS"), b"0"),
    "DA": b"19000101",
    "DT": b"19000101",
    "TM": b"000000",
}
_DUMMY_FOLDS = {"DA": Fold.DATE, "DT": Fold.DATE, "TM": Fold.TIME, "DS": Fold.NUMBER, "IS": Fold.NUMBER}


class Place(NamedTuple):
    """Where an element stands, and what the object's modules ask of it there."""

    path: tuple[int, ...]
    text: str
    requirement: Requirement
    character_sets: tuple[str, ...]


def empty_element(tag: int, vr: str) -> bytes:
    """The element with nothing in it, encoded."""
    return encode_sequence(tag, ()) if vr == "SQ" else encode_element(tag, vr, b"")


def without_value(place: Place, vr: str, rule: Rule | None, reason: Drop) -> Hit:
    """The element without its value, as absent as its type and the profile allow.

    Raises HeldBackError(REQUIRED_VALUE_LOST) where an image is none without it.
    """
    tag = place.path[-1]
    if len(place.path) == 1 and tag in _ESSENTIAL:
        raise HeldBackError(Reason.REQUIRED_VALUE_LOST)
    vr = rule.vrs[0] if rule is not None else dictionary_vr(tag).split(" or ")[0]
    removal = rule.removal if rule is not None else "X"
    # Of the CS that must have a value, this one alone is a label and not one of enumerated values.
    dummy = b"REMOVED" if tag == _CONTENT_LABEL else _DUMMIES.get(vr)
    if dummy is not None and (place.requirement is Requirement.VALUE or removal == "D"):
        return Hit(
            encode_element(tag, vr, dummy),
            records=(_dummy_record(place.text, vr, dummy.decode()),),
            applied=(Applied(place.text, "dummy", reason.value),),
        )
    if place.requirement is Requirement.PRESENT or (removal in ("Z", "ZD") and vr != "UN"):
        return Hit(empty_element(tag, vr), applied=(Applied(place.text, "empty", reason.value),))
    return Hit(b"", applied=(Applied(place.text, "remove", reason.value),))


def _dummy_record(path: str, vr: str, dummy: str) -> Record:
    fold = _DUMMY_FOLDS.get(vr)
    if fold is None:
        return text_record(path, vr, dummy)
    bound: Number | str = 0 if fold is Fold.NUMBER else dummy
    return Record(path, vr, fold, "", bound, bound, False)


def dummy_of(vr: str) -> tuple[str, str, str, str]:
    """How the dummy of a VR is shown in the dump: value, fold, low, high."""
    dummy = _DUMMIES.get(vr, b"").decode()
    how = _DUMMY_FOLDS.get(vr, Fold.NONE)
    return ("", how.value, dummy, dummy) if how else (dummy, "", "", "")
