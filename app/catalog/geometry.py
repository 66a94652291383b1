"""Where the slices of an image lie, and what tells the volumes of a series apart; from its header."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import BinaryIO

from app.dicom.frames import find_fragments, native_length
from app.dicom.reading import Header
from app.dicom.tokens import Element
from app.errors import Reason, UnreadableError

IMAGE_POSITION_PATIENT = 0x00200032
IMAGE_ORIENTATION_PATIENT = 0x00200037
PLANE_POSITION_SEQUENCE = 0x00209113
PLANE_ORIENTATION_SEQUENCE = 0x00209116
SHARED_FUNCTIONAL_GROUPS = 0x52009229
PER_FRAME_FUNCTIONAL_GROUPS = 0x52009230
ACQUISITION_TIME = 0x00080032
ACQUISITION_DATE_TIME = 0x0008002A
# Slices at one place that differ in one of these are no copies of each other: Echo Numbers, Trigger Time, Diffusion
# Gradient Orientation, Temporal Position Identifier and Index, Nominal Percentage of Cardiac Phase.
VOLUME_TAGS = (0x00180086, 0x00181060, 0x00189089, 0x00200100, 0x00209128, 0x00209241)

# A plane counts as axial, sagittal or coronal when its normal is nearest to that axis and the cosine is at
# least this: David Clunie's threshold in PixelMed, wide enough for a tilted gantry (37 degrees).
AXIS_COSINE = 0.8
# Row and column must be unit vectors at right angles (PS3.3 C.7.6.2.1.1); writers round to a few digits.
UNIT_TOLERANCE = 1e-2
# 0.06 degrees: the slices of one stack differ by less, two stacks by more.
AXES_DECIMALS = 3
POSITION_DECIMALS = 3
MAX_FRAMES = 20_000
_PLANES = ("sagittal", "coronal", "axial")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)(?:([0-5]\d|60)(\.\d{1,6})?)?", re.ASCII)
_DATE_TIME = re.compile(r"\d{8}(\d{4}(?:\d\d(?:\.\d{1,6})?)?)(?:[+-]\d{4})?", re.ASCII)
_SEQUENCE_END_BYTES = b"\xfe\xff\xdd\xe0\0\0\0\0"

Vector = tuple[float, float, float]
Axes = tuple[Vector, Vector]


def slice_position_mm(header: Header) -> float | None:
    """Where the slice lies along its own normal: Image Position (Patient) projected on it."""
    axes = _axes(header.value(IMAGE_ORIENTATION_PATIENT))
    position = _decimals(header.value(IMAGE_POSITION_PATIENT), 3)
    return None if axes is None or position is None else _projection(axes, position)


def frame_positions_mm(header: Header) -> str | None:
    """The positions of a multi-frame object's frames along their normal, as a JSON list in the frames' order.

    None where the frames say no position, not all lie in one plane's direction, or there are absurdly many.
    """
    if PER_FRAME_FUNCTIONAL_GROUPS not in header.by_tag:
        return None
    axes, frames = _frame_axes(header), items_of(header.elements, PER_FRAME_FUNCTIONAL_GROUPS)
    one = next(iter(axes), None)
    if one is None or len(axes) != 1 or not 1 < len(frames) <= MAX_FRAMES:
        return None
    positions = [
        _decimals(element.value, 3)
        for frame in frames
        for item in items_of(frame, PLANE_POSITION_SEQUENCE)[:1]
        for element in item
        if element.tag == IMAGE_POSITION_PATIENT
    ]
    projected = [None if position is None else _projection(one, position) for position in positions]
    found = [round(position, POSITION_DECIMALS) for position in projected if position is not None]
    return json.dumps(found, separators=(",", ":")) if len(found) == len(frames) else None


def slice_axes(header: Header) -> tuple[float, ...] | None:
    """Directions of rows and columns, six cosines, rounded; None where they are unknown, or not the frames' common."""
    own = header.value(IMAGE_ORIENTATION_PATIENT)
    found = {_axes(own)} if own is not None else _frame_axes(header)
    rounded = {None if axes is None else _rounded(axes) for axes in found}
    return rounded.pop() if len(rounded) == 1 else None


def plane_of(axes: Sequence[float]) -> str:
    """``axial``, ``coronal``, ``sagittal`` or ``oblique``."""
    normal = _normal((axes[0], axes[1], axes[2]), (axes[3], axes[4], axes[5]))
    cosines = [abs(component) for component in normal]
    largest = max(cosines)
    return _PLANES[cosines.index(largest)] if largest >= AXIS_COSINE else "oblique"


def volume_key(header: Header) -> str:
    """The values of VOLUME_TAGS as one text; empty where none is there."""
    values = [header.value(tag) or b"" for tag in VOLUME_TAGS]
    return "|".join(value.hex() for value in values) if any(values) else ""


def acquired_s(header: Header) -> float | None:
    """The time of day of the acquisition in seconds."""
    text = header.text(ACQUISITION_TIME).strip()
    if not text:
        stamp = _DATE_TIME.fullmatch(header.text(ACQUISITION_DATE_TIME).strip())
        text = stamp[1] if stamp else ""
    time = _TIME.fullmatch(text)
    if time is None:
        return None
    return int(time[1]) * 3600 + int(time[2]) * 60 + int(time[3] or 0) + float(time[4] or 0)


def pixel_fault(file: BinaryIO, header: Header) -> Reason | None:
    """What is wrong with the length of the pixel element, as far as that shows without reading it."""
    pixel = header.pixel
    if pixel is None:
        return None
    try:
        if pixel.length is not None:
            native_length(header, pixel)
        elif header.inflated is None:
            size = file.seek(0, 2)
            file.seek(max(size - 8, 0))
            # Mostly the delimiter ends the file; the way there is long only where something stands behind it.
            if file.read(8) != _SEQUENCE_END_BYTES:
                find_fragments(file, pixel, size)
    except UnreadableError as error:
        return error.reason
    return None


def shared_elements(header: Header) -> Iterator[Element]:
    """The elements of the macros that all frames share."""
    for group in items_of(header.elements, SHARED_FUNCTIONAL_GROUPS)[:1]:
        for macro in group:
            if isinstance(macro.value, tuple) and len(macro.value) == 1:
                yield from macro.value[0]


def items_of(elements: Sequence[Element], tag: int) -> tuple[tuple[Element, ...], ...]:
    """The items of a sequence among the elements; none where it is not there."""
    for element in elements:
        if element.tag == tag:
            return element.value if isinstance(element.value, tuple) else ()
    return ()


def _frame_axes(header: Header) -> set[Axes | None]:
    groups = (
        *items_of(header.elements, SHARED_FUNCTIONAL_GROUPS),
        *items_of(header.elements, PER_FRAME_FUNCTIONAL_GROUPS),
    )
    return {
        _axes(element.value)
        for group in groups
        for item in items_of(group, PLANE_ORIENTATION_SEQUENCE)
        for element in item
        if element.tag == IMAGE_ORIENTATION_PATIENT
    }


@lru_cache(maxsize=256)
def _axes(value: object) -> Axes | None:
    """Directions of rows and columns; None where they are no orthogonal unit vectors."""
    cosines = _decimals(value, 6)
    if cosines is None:
        return None
    row: Vector = (cosines[0], cosines[1], cosines[2])
    column: Vector = (cosines[3], cosines[4], cosines[5])
    products = (_dot(row, row) - 1, _dot(column, column) - 1, _dot(row, column))
    return (row, column) if all(abs(product) <= UNIT_TOLERANCE for product in products) else None


def _rounded(axes: Axes) -> tuple[float, ...]:
    return tuple(round(component, AXES_DECIMALS) + 0.0 for axis in axes for component in axis)


def _projection(axes: Axes, position: Sequence[float]) -> float | None:
    projection = math.fsum(a * b for a, b in zip(_normal(*axes), position, strict=True))
    return projection if math.isfinite(projection) else None


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
    parts = [part.strip(" \0") for part in value.decode("ascii").split("\\")]
    if len(parts) != count or not all(_NUMBER.fullmatch(part) for part in parts):
        return None
    numbers = [float(part) for part in parts]
    return numbers if all(math.isfinite(number) for number in numbers) else None
