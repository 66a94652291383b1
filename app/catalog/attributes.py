"""What the catalogue keeps of a header: attributes that queries use, and where the instance belongs."""

import json
import math
import re
import struct
from collections.abc import Mapping
from functools import cache

from app.catalog.geometry import (
    IMAGE_ORIENTATION_PATIENT,
    PER_FRAME_FUNCTIONAL_GROUPS,
    SHARED_FUNCTIONAL_GROUPS,
    plane_of,
    shared_elements,
    slice_axes,
)
from app.dicom.dictionary import attribute_of, tag_of
from app.dicom.query import EVIDENCE_KEYWORDS, EVIDENCE_SEQUENCES, QUERY_KEYWORDS, SLICE_AXES, QueryType
from app.dicom.reading import Header, decode_text
from app.dicom.tokens import Element
from app.errors import UnreadableError

Scalar = str | int | float
Attributes = dict[str, Scalar | list[Scalar]]

TRANSFER_SYNTAX = "TransferSyntaxUID"
ORIENTATION = "Orientation"

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)  # exact in SQLite, in JSON and as a double
_BINARY = {
    vr: struct.Struct(f"<{code}")
    for vr, code in {
        "US": "H",
        "SS": "h",
        "UL": "I",
        "SL": "i",
        "UV": "Q",
        "SV": "q",
        "FL": "f",
        "FD": "d",
    }.items()
}
_TEXT_VRS = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "SH", "TM", "UC", "UI"))
_ONE_VALUE_VRS = frozenset(("LT", "ST", "UT", "UR"))  # a backslash is a character of the text
_NUMERIC_TYPES = frozenset((QueryType.NUMBER, QueryType.NUMBERS))
_CODE_MEANING = 0x00080104
_STEP_DESCRIPTION = 0x00400007
# Of a sequence that says more, the first few items are enough to go by.
_MOST_ITEMS = 8


@cache
def _keywords_by_tag() -> Mapping[int, tuple[str, QueryType]]:
    kinds = {**QUERY_KEYWORDS, **dict.fromkeys(EVIDENCE_KEYWORDS, QueryType.TEXT)}
    tags = {tag_of(keyword): (keyword, kind) for keyword, kind in kinds.items()}
    return {tag: entry for tag, entry in tags.items() if tag is not None}


@cache
def _sequences_by_tag() -> Mapping[int, str]:
    tags = {tag_of(keyword): keyword for keyword in EVIDENCE_SEQUENCES}
    return {tag: keyword for tag, keyword in tags.items() if tag is not None}


@cache
def _counting_tags() -> frozenset[int]:
    groups = (SHARED_FUNCTIONAL_GROUPS, PER_FRAME_FUNCTIONAL_GROUPS, IMAGE_ORIENTATION_PATIENT)
    return frozenset((*_keywords_by_tag(), *_sequences_by_tag(), *groups))


def is_queryable(element: Element) -> bool:
    """Whether ``queryable_attributes`` looks at a top-level element."""
    return element.tag in _counting_tags()


def queryable_attributes(header: Header) -> Attributes:
    """Values by keyword, as ``dicom.query`` says; undecodable and empty ones are absent.

    An enhanced multi-frame object says much in its functional groups: an attribute that all its frames share
    counts as if it stood at the top.
    """
    found: Attributes = {}
    keywords = _keywords_by_tag()
    sequences = _sequences_by_tag()
    for element in (*header.elements, *shared_elements(header)):
        if element.tag in sequences:
            texts = _item_texts(element, header.character_sets)
            if texts:
                found.setdefault(sequences[element.tag], texts)
            continue
        entry = keywords.get(element.tag)
        if entry is None or entry[0] in found:
            continue
        values = _values(element, header.character_sets, entry[1])
        if values:
            found[entry[0]] = values if len(values) > 1 else values[0]
    found[TRANSFER_SYNTAX] = header.transfer_syntax_uid
    axes = slice_axes(header)
    if axes is not None:
        found[ORIENTATION] = plane_of(axes)
        found[SLICE_AXES] = list(axes)
    return found


def to_json(attributes: Attributes) -> str:
    """The form that the catalogue stores: the same text for the same attributes."""
    return json.dumps(attributes, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _item_texts(element: Element, character_sets: tuple[str, ...]) -> list[Scalar]:
    """What the items of a sequence of codes or of scheduled steps say in words; nested items in front of their own."""
    found: list[Scalar] = []
    for item in element.value[:_MOST_ITEMS] if isinstance(element.value, tuple) else ():
        for inner in item:
            if inner.tag in (_CODE_MEANING, _STEP_DESCRIPTION):
                found.extend(_values(inner, character_sets, QueryType.TEXT))
    return found


def _values(element: Element, character_sets: tuple[str, ...], kind: QueryType) -> list[Scalar]:
    value = element.value
    if not isinstance(value, bytes) or not value:
        return []
    vr = element.vr if element.vr != "UN" else attribute_of(element.tag).vr
    if vr in _BINARY:
        return _binary_values(value, _BINARY[vr])
    if vr not in _TEXT_VRS and vr not in _ONE_VALUE_VRS:
        return []
    try:
        text = decode_text(value, character_sets)
    except UnreadableError:
        return []
    parts = [text] if vr in _ONE_VALUE_VRS else text.split("\\")
    parts = [part.strip(" \0") for part in parts]
    if not any(parts):
        return []
    return [_number(part) for part in parts] if kind in _NUMERIC_TYPES else list(parts)


def _binary_values(value: bytes, layout: struct.Struct) -> list[Scalar]:
    if len(value) % layout.size:
        return []
    numbers = [number for (number,) in layout.iter_unpack(value)]
    return numbers if all(math.isfinite(number) for number in numbers) else []


def _number(text: str) -> Scalar:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text):
        number = float(text)
        if math.isfinite(number):
            return number
    return text


def instance_number(header: Header) -> int | None:
    """Instance Number (0020,0013), where it is one."""
    text = header.text(0x00200013).strip()
    return int(text) if _INTEGER.fullmatch(text) else None


def patient_key(header: Header, study_instance_uid: str) -> str:
    """What makes two instances one patient's: Patient ID and its issuer.

    An ID alone stands for itself. With an issuer, or where it would read as one of these, it is a JSON list.
    A blank (or undecodable) ID is never merged: its list ends with the study.
    """
    patient_id = header.text(0x00100020).strip()
    issuer = header.text(0x00100021).strip()
    if not patient_id:
        return json.dumps(["", "", study_instance_uid])
    if issuer or patient_id.startswith("["):
        return json.dumps([patient_id, issuer])
    return patient_id
