"""What the catalogue keeps of a header: attributes that queries use, and where the instance belongs."""

import json
import math
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

from pydicom.datadict import dictionary_VR, tag_for_keyword

from app.dicom.query import QUERY_KEYWORDS, QueryType
from app.dicom.reading import Header, decode_text
from app.dicom.tokens import Element
from app.errors import UnreadableError

Scalar = str | int | float
Attributes = dict[str, Scalar | list[Scalar]]

IMAGE_POSITION_PATIENT = 0x00200032
IMAGE_ORIENTATION_PATIENT = 0x00200037
PLANE_ORIENTATION_SEQUENCE = 0x00209116
SHARED_FUNCTIONAL_GROUPS = 0x52009229
PER_FRAME_FUNCTIONAL_GROUPS = 0x52009230
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

# A plane counts as axial, sagittal or coronal when its normal is nearest to that axis and the cosine is at
# least this: David Clunie's threshold in PixelMed, wide enough for a tilted gantry (37 degrees).
AXIS_COSINE = 0.8
# Row and column must be unit vectors at right angles (PS3.3 C.7.6.2.1.1); writers round to a few digits.
UNIT_TOLERANCE = 1e-2
_PLANES = ("sagittal", "coronal", "axial")

Vector = tuple[float, float, float]


@cache
def _keywords_by_tag() -> Mapping[int, tuple[str, QueryType]]:
    tags = {tag_for_keyword(keyword): (keyword, kind) for keyword, kind in QUERY_KEYWORDS.items()}
    return {tag: entry for tag, entry in tags.items() if tag is not None}


def queryable_attributes(header: Header) -> Attributes:
    """Values by keyword, as ``dicom.query`` says; undecodable and empty ones are absent.

    An enhanced multi-frame object says much in its functional groups: an attribute that all its frames share
    counts as if it stood at the top.
    """
    found: Attributes = {}
    keywords = _keywords_by_tag()
    for element in (*header.elements, *_shared_elements(header)):
        entry = keywords.get(element.tag)
        if entry is None or entry[0] in found:
            continue
        values = _values(element, header.character_sets, entry[1])
        if values:
            found[entry[0]] = values if len(values) > 1 else values[0]
    found[TRANSFER_SYNTAX] = header.transfer_syntax_uid
    orientation = _orientation(header)
    if orientation is not None:
        found[ORIENTATION] = orientation
    return found


def to_json(attributes: Attributes) -> str:
    """The form that the catalogue stores: the same text for the same attributes."""
    return json.dumps(attributes, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _shared_elements(header: Header) -> Iterator[Element]:
    for group in _items(header.elements, SHARED_FUNCTIONAL_GROUPS)[:1]:
        for macro in group:
            if isinstance(macro.value, tuple) and len(macro.value) == 1:
                yield from macro.value[0]


def _items(elements: Sequence[Element], tag: int) -> tuple[tuple[Element, ...], ...]:
    for element in elements:
        if element.tag == tag:
            return element.value if isinstance(element.value, tuple) else ()
    return ()


def _values(element: Element, character_sets: tuple[str, ...], kind: QueryType) -> list[Scalar]:
    value = element.value
    if not isinstance(value, bytes) or not value:
        return []
    vr = element.vr if element.vr != "UN" else dictionary_VR(element.tag)
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


def slice_position_mm(header: Header) -> float | None:
    """Where the slice lies along its own normal: Image Position (Patient) projected on it."""
    axes = _axes(header.value(IMAGE_ORIENTATION_PATIENT))
    position = _decimals(header.value(IMAGE_POSITION_PATIENT), 3)
    if axes is None or position is None:
        return None
    projection = math.fsum(a * b for a, b in zip(_normal(*axes), position, strict=True))
    return projection if math.isfinite(projection) else None


def _orientation(header: Header) -> str | None:
    """``axial``, ``coronal``, ``sagittal`` or ``oblique``; None where it is not known, or not the same for
    all frames.
    """
    own = header.value(IMAGE_ORIENTATION_PATIENT)
    if own is not None:
        return _plane(own)
    groups = (
        *_items(header.elements, SHARED_FUNCTIONAL_GROUPS),
        *_items(header.elements, PER_FRAME_FUNCTIONAL_GROUPS),
    )
    planes = {
        _plane(element.value)
        for group in groups
        for item in _items(group, PLANE_ORIENTATION_SEQUENCE)
        for element in item
        if element.tag == IMAGE_ORIENTATION_PATIENT
    }
    return planes.pop() if len(planes) == 1 else None


def _plane(value: object) -> str | None:
    axes = _axes(value)
    if axes is None:
        return None
    cosines = [abs(component) for component in _normal(*axes)]
    largest = max(cosines)
    return _PLANES[cosines.index(largest)] if largest >= AXIS_COSINE else "oblique"


def _axes(value: object) -> tuple[Vector, Vector] | None:
    """Directions of rows and columns; None where they are no orthogonal unit vectors."""
    cosines = _decimals(value, 6)
    if cosines is None:
        return None
    row: Vector = (cosines[0], cosines[1], cosines[2])
    column: Vector = (cosines[3], cosines[4], cosines[5])
    products = (_dot(row, row) - 1, _dot(column, column) - 1, _dot(row, column))
    return (row, column) if all(abs(product) <= UNIT_TOLERANCE for product in products) else None


def _dot(a: Vector, b: Vector) -> float:
    return math.fsum(x * y for x, y in zip(a, b, strict=True))


def _normal(row: Vector, column: Vector) -> Vector:
    return (
        row[1] * column[2] - row[2] * column[1],
        row[2] * column[0] - row[0] * column[2],
        row[0] * column[1] - row[1] * column[0],
    )


def _decimals(value: object, count: int) -> list[float] | None:
    """The ``count`` numbers of a DS value; None for anything else."""
    if not isinstance(value, bytes) or not value.isascii():
        return None
    numbers = [_number(part.strip(" \0")) for part in value.decode("ascii").split("\\")]
    if len(numbers) != count or any(isinstance(number, str) for number in numbers):
        return None
    return [float(number) for number in numbers]


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
