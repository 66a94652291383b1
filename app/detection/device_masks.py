"""Where devices write into their pictures: a table of known ones, and what an ultrasound image says about itself.

The table is ``resources/device_masks.csv``; ``device_masks.md`` beside it explains its columns and patterns. A box that
it names is an expectation: what a detector finds elsewhere counts as well.
"""

import csv
import io
import re
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from itertools import pairwise

from app.dicom.reading import Header
from app.dicom.tokens import Element
from app.files.resources import resource_path
from app.pixels.boxes import Box

TABLE = "device_masks.csv"
EMPTY = "(empty)"
"""The pattern of an attribute that is absent or has no value."""
NOT_IN_TEXT = frozenset("*|&")
NOT_IN_FRONT = frozenset("!<>(")

_ULTRASOUND_REGIONS = 0x00186011
_REGION_EDGES = (0x00186018, 0x0018601A, 0x0018601C, 0x0018601E)  # Min X0, Min Y0, Max X1, Max Y1


@dataclass(frozen=True, slots=True)
class DeviceFacts:
    """What a signature of the table can ask of an image; texts as in the file, values separated by backslashes."""

    manufacturer: str = ""
    model: str = ""
    modality: str = ""
    rows: int = 0
    columns: int = 0
    software_versions: str = ""
    image_type: str = ""
    sop_class_uid: str = ""
    burned_in_annotation: str = ""
    capture_model: str = ""
    window_width: str = ""
    original_overlay_description: str = field(default="", repr=False)
    original_series_description: str = field(default="", repr=False)
    original_protocol_name: str = field(default="", repr=False)
    original_dose_comments: str = field(default="", repr=False)


ATTRIBUTES: Mapping[str, int] = {
    "manufacturer": 0x00080070,
    "model": 0x00081090,
    "modality": 0x00080060,
    "rows": 0x00280010,
    "columns": 0x00280011,
    "software_versions": 0x00181020,
    "image_type": 0x00080008,
    "sop_class_uid": 0x00080016,
    "burned_in_annotation": 0x00280301,
    "capture_model": 0x00181018,  # Secondary Capture Device Manufacturer's Model Name
    "window_width": 0x00281051,
    "overlay_description": 0x60000022,
    "series_description": 0x0008103E,
    "protocol_name": 0x00181030,
    "dose_comments": 0x00400310,  # Comments on Radiation Dose
}
"""The pattern columns of the table, and the attribute that each looks at."""

_FIELDS = {item.name.removeprefix("original_"): item.name for item in fields(DeviceFacts)}


@dataclass(frozen=True, slots=True)
class DeviceMask:
    """One row of the table: an image that fits all patterns has text in the boxes.

    ``patterns`` are (column, cell) in the table's order; a column that is not named is not asked about.
    """

    patterns: tuple[tuple[str, str], ...]
    boxes: tuple[Box, ...]
    source: str

    def fits(self, facts: DeviceFacts) -> bool:
        """Whether an image is of this kind."""
        return all(_pattern(cell)(str(getattr(facts, _FIELDS[column]))) for column, cell in self.patterns)


@dataclass(frozen=True, slots=True)
class DeviceBox:
    """Where text is expected, and who says so."""

    box: Box
    source: str


def device_facts(header: Header) -> DeviceFacts:
    """What the table can ask of an image."""
    texts = {
        _FIELDS[column]: header.text(tag).strip()
        for column, tag in ATTRIBUTES.items()
        if column not in ("rows", "columns")
    }
    rows, columns = header.integer(ATTRIBUTES["rows"]) or 0, header.integer(ATTRIBUTES["columns"]) or 0
    return DeviceFacts(rows=rows, columns=columns, **texts)


@lru_cache(maxsize=1024)
def boxes_for(facts: DeviceFacts, more: tuple[DeviceMask, ...] = ()) -> tuple[DeviceBox, ...]:
    """Where a device writes, within the matrix; a box that lies in another one is left out.

    ``more`` are rows of a site's own, beside those that ship. Remembered, because a series asks the same again.
    """
    found: dict[Box, DeviceBox] = {}
    for mask in (*more, *device_masks()):
        if mask.fits(facts):
            for box in mask.boxes:
                clipped = box.clipped(facts.rows, facts.columns)
                if clipped is not None:
                    found.setdefault(clipped, DeviceBox(clipped, mask.source))
    kept: list[DeviceBox] = []
    for candidate in sorted(found.values(), key=lambda known: -_area(known.box)):
        if not any(known.box.covers(candidate.box) for known in kept):
            kept.append(candidate)
    return tuple(sorted(kept, key=lambda known: (known.box.top, known.box.left)))


def _area(box: Box) -> int:
    return (box.bottom - box.top) * (box.right - box.left)


# ----------------------------------------------------------------------------------------------------------- the table


@lru_cache(maxsize=1)
def device_masks() -> tuple[DeviceMask, ...]:
    """The rows that ship with the program."""
    return parse_table(resource_path(TABLE).read_text(encoding="utf-8"))


def parse_table(text: str) -> tuple[DeviceMask, ...]:
    """Rows of a table; raises ValueError with the number of a line that is not understood."""
    reader = csv.DictReader(io.StringIO(text), restkey="", restval="", strict=True)
    try:
        if set(reader.fieldnames or ()) != {*ATTRIBUTES, "boxes", "source"}:
            raise ValueError(1)
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error:
        raise ValueError(reader.line_num + 1) from None
    masks = []
    for line, row in rows:
        patterns = tuple((column, row[column]) for column in ATTRIBUTES if row[column])
        boxes = _parse_boxes(row["boxes"])
        is_sound = boxes and patterns and row["source"] and "" not in row
        if not is_sound or not all(_is_sound(cell) for _, cell in patterns):
            raise ValueError(line)
        masks.append(DeviceMask(patterns, boxes, row["source"]))
    return tuple(masks)


def format_table(masks: Iterable[DeviceMask]) -> str:
    """The table of these rows, as ``parse_table`` reads it."""
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow((*ATTRIBUTES, "boxes", "source"))
    for mask in masks:
        cells = dict(mask.patterns)
        boxes = "; ".join(f"{box.top} {box.left} {box.bottom} {box.right}" for box in mask.boxes)
        writer.writerow((*(cells.get(column, "") for column in ATTRIBUTES), boxes, mask.source))
    return target.getvalue()


def _parse_boxes(cell: str) -> tuple[Box, ...]:
    boxes = []
    for part in cell.split(";"):
        numbers = part.split()
        if len(numbers) != 4 or not all(number.isascii() and number.isdigit() for number in numbers):
            return ()
        top, left, bottom, right = map(int, numbers)
        if top >= bottom or left >= right:
            return ()
        boxes.append(Box(top, left, bottom, right))
    return tuple(boxes)


def _is_sound(cell: str) -> bool:
    parts = [part.removeprefix("!") for alternative in cell.split("|") for part in alternative.split("&")]
    return all(part and not (part[0] in "<>" and _limit(part) is None) for part in parts)


# ---------------------------------------------------------------------------------------------------------- patterns


@lru_cache(maxsize=4096)
def _pattern(cell: str) -> Callable[[str], bool]:
    """A test of a value: one of the alternatives between ``|``, in which each part between ``&`` fits."""
    alternatives = [[_part(part) for part in alternative.split("&")] for alternative in cell.split("|")]
    return lambda value: any(all(part(value) for part in parts) for parts in alternatives)


def _part(text: str) -> Callable[[str], bool]:
    if text.startswith("!"):
        positive = _part(text[1:])
        return lambda value: not positive(value)
    if text == EMPTY:
        return lambda value: not value
    limit = _limit(text)
    if limit is not None:
        is_less = text.startswith("<")
        return lambda value: (number := _number(value)) is not None and (number < limit if is_less else number > limit)
    pieces = text.casefold().split("*")
    # The whole value, or one of several.
    return lambda value: any(_has_pieces(one.strip().casefold(), pieces) for one in {value, *value.split("\\")})


def _has_pieces(value: str, pieces: Sequence[str]) -> bool:
    """Whether a value consists of the pieces in their order, with anything between them; linear, unlike ``.*``."""
    first, *between = pieces
    if not between:
        return value == first
    last = between.pop()
    position, end = len(first), len(value) - len(last)
    if position > end or not value.startswith(first) or not value.endswith(last):
        return False
    for piece in between:
        found = value.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _limit(text: str) -> float | None:
    return _number(text[1:]) if text[:1] in ("<", ">") else None


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text) else None


# --------------------------------------------------------------------------------------------------------- ultrasound


def ultrasound_boxes(header: Header) -> tuple[Box, ...]:
    """Everything outside the scan regions of an ultrasound image, as boxes that do not overlap.

    Devices name where the picture, the spectrum and the trace are (Sequence of Ultrasound Regions, PS3.3 C.8.5.5); what
    they write stands beside. Nothing where there are no regions, or where one of them makes no sense for this matrix:
    then nothing is known.
    """
    rows, columns = header.integer(ATTRIBUTES["rows"]) or 0, header.integer(ATTRIBUTES["columns"]) or 0
    sequence = header.by_tag.get(_ULTRASOUND_REGIONS)
    if sequence is None or not isinstance(sequence.value, tuple) or not sequence.value:
        return ()
    regions = [_region({element.tag: element for element in item}, rows, columns) for item in sequence.value]
    inside = [region for region in regions if region is not None]
    return _outside(inside, rows, columns) if len(inside) == len(regions) else ()


def _region(item: Mapping[int, Element], rows: int, columns: int) -> Box | None:
    edges = []
    for tag in _REGION_EDGES:
        element = item.get(tag)
        if element is None or not isinstance(element.value, bytes) or len(element.value) != 4:
            return None
        edges.append(int(struct.unpack("<L", element.value)[0]))
    left, top, last_column, last_row = edges
    # The last row and column belong to the region; devices that count them from 1, and so end at the edge, are usual.
    if not (left < last_column <= columns and top < last_row <= rows):
        return None
    return Box(top, left, min(last_row + 1, rows), min(last_column + 1, columns))


def _outside(inside: Sequence[Box], rows: int, columns: int) -> tuple[Box, ...]:
    """What is left of a matrix, in bands from top to bottom; bands with the same gaps are one."""
    heights = sorted({0, rows, *(box.top for box in inside), *(box.bottom for box in inside)})
    bands: list[tuple[int, int, list[tuple[int, int]]]] = []
    for top, bottom in pairwise(heights):
        covered = sorted((box.left, box.right) for box in inside if box.top <= top and box.bottom >= bottom)
        gaps = _gaps(covered, columns)
        if bands and bands[-1][2] == gaps:
            bands[-1] = (bands[-1][0], bottom, gaps)
        else:
            bands.append((top, bottom, gaps))
    return tuple(Box(top, left, bottom, right) for top, bottom, gaps in bands for left, right in gaps)


def _gaps(covered: Iterable[tuple[int, int]], columns: int) -> list[tuple[int, int]]:
    gaps, reached = [], 0
    for left, right in covered:
        if left > reached:
            gaps.append((reached, left))
        reached = max(reached, right)
    if reached < columns:
        gaps.append((reached, columns))
    return gaps
