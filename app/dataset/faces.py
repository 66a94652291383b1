"""Volumes from which a face can be rebuilt: said by the headers alone, with the reasons.

That faces drawn from head scans are recognized was shown for MR (Schwarz et al., N Engl J Med 2019: 83 % of 84 people),
CT (Chen et al. 2014) and PET (Schwarz et al. 2022). The limits are wider than what those studies used: a volume just
within them costs a person one decision.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.project.folder import Project

MODALITIES = frozenset(("CT", "MR", "PT"))
THICKEST_STEP_MM = 6.0
COARSEST_PIXEL_MM = 5.0
SHORTEST_EXTENT_MM = 60.0  # about from the brows to the chin
SMALLEST_FIELD_MM, LARGEST_HEAD_MM = 120.0, 360.0
WHOLE_BODY_MM = 1000.0
FEWEST_SLICES = 12

# Words that name the head, or what holds it, in the languages of the house; a star stands for any ending.
_HEAD = """
    head* brain* skull* cranium crani* cerebr* neuro* encephal* face facial maxillofacial mandib* jaw dental orbit*
    sinus* paranasal nasal ear iac temporal pituitary sella stroke mprage flair vertex headneck
    kopf* schädel* schaedel* hirn* gehirn* gesicht* nnh kiefer* tête tete cerveau crâne crane visage cabeza cráneo
    craneo cerebro cara testa cervello cranio cabeça cérebro whole-body wholebody
"""
_WHOLE = re.compile(
    r"whole\s*body|total\s*body|ganzk\w+|corps\s*entier|cuerpo\s*entero|skull\s*base|head\s*(and|&|to)\s", re.I
)
_OTHER = """
    chest thora* lung* heart cardia* coronar* breast* abdom* liver pelvi* prostat* kidney* renal spine* lumbar
    l-spine t-spine knee* hip* ankle* foot feet leg* femur tibia shoulder* elbow* wrist* hand* arm* extremit* rectum
    colon* bauch* becken* becken brust* lunge* herz* knie* leber wirbel* lws bws
"""
_TEXTS = (
    "BodyPartExamined",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "RequestedProcedureDescription",
)


def _pattern(words: str) -> re.Pattern[str]:
    spelled = "|".join(
        re.escape(word.removesuffix("*")) + (r"\w*" if word.endswith("*") else "") for word in words.split()
    )
    return re.compile(rf"(?<![^\W_])(?:{spelled})(?![^\W_])", re.IGNORECASE)


_HEAD_WORDS, _OTHER_WORDS = _pattern(_HEAD), _pattern(_OTHER)


@dataclass(frozen=True, slots=True)
class FaceRisk:
    """A series that shows a face; lengths in millimetres.

    ``reason`` is "head" (an attribute says so), "head-size" (nothing says what is shown, and it has the size of a
    head) or "whole-body" (long enough to reach it); ``said_by`` the keywords of the attributes that say so.
    """

    original_series_uid: str = field(repr=False)
    modality: str
    reason: str
    said_by: tuple[str, ...]
    slices: int
    step_mm: float
    pixel_mm: float
    extent_mm: float


def find_faces(project: Project) -> Iterator[FaceRisk]:
    """The series with images that would leave, and from which a face could be rebuilt."""
    for row in project.store.execute(_SERIES):
        attributes = json.loads(row["original_attributes"])
        risk = judge(
            row["original_series_uid"],
            attributes,
            instances=row["instances"],
            positions=row["positions"],
            extent_mm=row["extent"],
            body_part=row["body_part"] or "",
        )
        if risk is not None:
            yield risk


# The attributes of most of a series' images: SQLite takes the set from the row of the highest count. They are joined
# last, because what is grouped lies in memory.
_SERIES = """
SELECT s.original_series_uid, a.original_attributes, g.instances, g.extent, g.positions, c.body_part
FROM (
  SELECT series_id, attribute_set_id, sum(n) AS instances, max(high) - min(low) AS extent,
    sum(positions) AS positions, max(n) AS most
  FROM (
    SELECT series_id, attribute_set_id, count(*) AS n, min(slice_position_mm) AS low, max(slice_position_mm) AS high,
      count(DISTINCT round(slice_position_mm, 2)) AS positions
    FROM instances
    WHERE selected = 1 AND reason IS NULL AND (state = 'prepared' OR state_reason = 'visual-features')
    GROUP BY series_id, attribute_set_id
  ) GROUP BY series_id
) g JOIN series s ON s.id = g.series_id JOIN attribute_sets a ON a.id = g.attribute_set_id
  LEFT JOIN series_checks c ON c.series_id = g.series_id
ORDER BY g.series_id
"""


def judge(
    original_series_uid: str,
    attributes: Mapping[str, Any],
    *,
    instances: int,
    positions: int,
    extent_mm: float | None,
    body_part: str,
) -> FaceRisk | None:
    """Whether one series shows a face.

    ``attributes`` as the catalogue keeps them; ``positions`` are the different places of slices, ``extent_mm`` is from
    the first to the last; ``body_part`` is what the checks of the series made of all evidence.
    """
    modality = str(attributes.get("Modality", ""))
    frames = _number(attributes.get("NumberOfFrames"))
    slices = positions if positions > 1 else int(frames or instances)
    if modality not in MODALITIES or slices < FEWEST_SLICES:
        return None
    pixels = _numbers(attributes.get("PixelSpacing"))
    rows, columns = _number(attributes.get("Rows")), _number(attributes.get("Columns"))
    if extent_mm and positions > 1:
        step = extent_mm / (positions - 1)
    else:
        step = _number(attributes.get("SpacingBetweenSlices")) or _number(attributes.get("SliceThickness")) or 1.0
    # What the header does not say counts as fine enough: doubt costs a decision, not a face.
    pixel = max(pixels) if pixels else 1.0
    extent = step * (slices - 1)
    fields = [count * size for count, size in zip((rows, columns), pixels * 2, strict=False) if count] or [250.0]
    too_coarse = step > THICKEST_STEP_MM or pixel > COARSEST_PIXEL_MM
    if too_coarse or extent < SHORTEST_EXTENT_MM or max(fields) < SMALLEST_FIELD_MM:
        return None
    texts = {keyword: _text(attributes.get(keyword)) for keyword in _TEXTS}
    if body_part:
        texts["BodyPart"] = body_part
    head = tuple(keyword for keyword, text in texts.items() if _HEAD_WORDS.search(text) or _WHOLE.search(text))
    other = any(_OTHER_WORDS.search(text) for text in texts.values())
    if head:
        reason = "head"
    elif extent >= WHOLE_BODY_MM and modality != "MR":
        reason = "whole-body"
    elif not other and max(fields) <= LARGEST_HEAD_MM and extent <= LARGEST_HEAD_MM:
        reason = "head-size"
    else:
        return None
    return FaceRisk(
        original_series_uid, modality, reason, head, slices, round(step, 2), round(pixel, 2), round(extent, 1)
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value > 0 else None


def _numbers(value: object) -> list[float]:
    values: Sequence[object] = value if isinstance(value, list) else [value]
    return [number for number in map(_number, values) if number is not None]


def _text(value: object) -> str:
    parts = value if isinstance(value, list) else [value]
    return " ".join(str(part) for part in parts if part is not None)
