"""What several detectors together say about one picture: what is text for sure, and what a person should look at.

No single engine is enough (``benchmarks/burned_in`` has the figures), so whatever one of them finds counts. Findings of
different engines are not merged: which engine said what is kept for the reviewer.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from app.engines.base import DetectedText, DetectorFailedError, Image, TextDetector

# Confidence from which a finding is covered without a person, and from which a person is shown it. Tuning half of
# benchmarks/burned_in, 240 pictures: PP-OCR is right on 96 % of the strings at 0.65 and on no clean picture wrong, at
# 0.5 it is on 5 %; glyphs at 0.5 on 1 %, at 0.6 on none. Shown from 0.4 and 0.3, 7 % of the clean pictures have
# something to look at; from 0.3 for both it is 23 % for 0.4 % more strings.
STRONG_FROM: Mapping[str, float] = MappingProxyType({"ppocr": 0.65, "glyphs": 0.6, "tesseract": 0.8})
WEAK_FROM: Mapping[str, float] = MappingProxyType({"ppocr": 0.4, "glyphs": 0.3, "tesseract": 0.5})
# What stands in one line with strong text is a part of it, even a single letter; what two engines see at one place is
# there.
# Tesseract reads words into noise, so its doubts do not count.
BESIDE_FROM: Mapping[str, float] = MappingProxyType({"ppocr": 0.1, "glyphs": 0.1, "tesseract": 0.5})
AGREED_FROM: Mapping[str, float] = MappingProxyType({"ppocr": 0.3, "glyphs": 0.3, "tesseract": 0.5})
# Detectors lose the first or last letters of a line. Reaching so many of its heights further along it covers 97.5 %
# instead of 96.4 % of the strings, and 2.4 % more of the picture (420 pictures of the test half).
ENDS_HEIGHTS = 1.5
# A box that is so many times as high as it is wide holds text that runs up or down.
_TURNED_FROM = 1.5


@dataclass(frozen=True, slots=True)
class Finding:
    """Text that one engine found: half-open box in pixels of the picture, confidence 0 to 1.

    ``is_strong``: certain enough to be covered without a person; the others are for a person's eyes.
    """

    top: int
    left: int
    bottom: int
    right: int
    confidence: float
    engine: str
    is_strong: bool
    original_text: str = field(default="", repr=False)


def find_text(image: Image, detectors: Sequence[TextDetector]) -> tuple[Finding, ...]:
    """What every detector found in one picture, strong and weak, sorted by place.

    Raises DetectorFailedError where one of them failed or said what makes no sense: an image is checked by all of them
    or not at all.
    """
    if not detectors:
        raise DetectorFailedError
    return combine([one for detector in detectors for one in findings_of(image, detector)], image)


def findings_of(image: Image, detector: TextDetector) -> list[Finding]:
    """All that one detector found, however unsure. Raises DetectorFailedError as ``find_text``."""
    return [_finding(text, detector.label, image) for text in detector.detect(image)]


def combine(found: list[Finding], image: Image) -> tuple[Finding, ...]:
    """What to show and what to cover, of the findings of all detectors in one picture."""
    found = _with_beside(_with_agreed(found))
    shown = (one for one in found if one.is_strong or one.confidence >= WEAK_FROM.get(one.engine, 0.0))
    reaching = (_with_ends(one, image) for one in shown)
    return tuple(sorted(reaching, key=lambda one: (one.top, one.left, one.bottom, one.right, one.engine)))


def union_version() -> str:
    """Changes with the thresholds."""
    tables = [sorted(table.items()) for table in (STRONG_FROM, WEAK_FROM, BESIDE_FROM, AGREED_FROM)]
    content = [*tables, ENDS_HEIGHTS]
    return hashlib.sha256(repr(content).encode()).hexdigest()[:8]


def _finding(text: DetectedText, engine: str, image: Image) -> Finding:
    rows, columns = image.shape[:2]
    if not (
        0 <= text.top < text.bottom <= rows and 0 <= text.left < text.right <= columns and 0 <= text.confidence <= 1
    ):
        raise DetectorFailedError
    return Finding(
        text.top,
        text.left,
        text.bottom,
        text.right,
        text.confidence,
        engine,
        text.confidence >= STRONG_FROM.get(engine, 0.0),
        text.original_text,
    )


def _with_agreed(found: list[Finding]) -> list[Finding]:
    """Weak findings that two engines have at one place, made strong."""
    unsure = [one for one in found if not one.is_strong and one.confidence >= AGREED_FROM.get(one.engine, 0.0)]
    agreed = {
        id(one) for one in unsure for other in unsure if one.engine != other.engine and _common(one, other) >= 0.5
    }
    return [replace(one, is_strong=True) if id(one) in agreed else one for one in found]


def _with_beside(found: list[Finding]) -> list[Finding]:
    """Weak findings that continue a line of strong text, made strong."""
    strong = [one for one in found if one.is_strong]
    weak = [one for one in found if not one.is_strong]
    reached = [(one, one.bottom - one.top > _TURNED_FROM * (one.right - one.left)) for one in strong]
    while reached:
        line, is_turned = reached.pop()
        beside = [one for one in weak if _may_continue(one) and _continues(line, one, is_turned=is_turned)]
        weak = [one for one in weak if one not in beside]
        promoted = [replace(one, is_strong=True) for one in beside]
        strong += promoted
        reached += [(one, is_turned) for one in promoted]
    return strong + weak


def _with_ends(one: Finding, image: Image) -> Finding:
    """The box, reaching further along the line at both ends."""
    rows, columns = image.shape[:2]
    high, wide = one.bottom - one.top, one.right - one.left
    if high > _TURNED_FROM * wide:
        more = int(ENDS_HEIGHTS * wide)
        return replace(one, top=max(0, one.top - more), bottom=min(rows, one.bottom + more))
    more = int(ENDS_HEIGHTS * high)
    return replace(one, left=max(0, one.left - more), right=min(columns, one.right + more))


def _may_continue(one: Finding) -> bool:
    return one.confidence >= BESIDE_FROM.get(one.engine, 0.0)


def _common(one: Finding, other: Finding) -> float:
    """The common area, as a part of the smaller one."""
    rows = min(one.bottom, other.bottom) - max(one.top, other.top)
    columns = min(one.right, other.right) - max(one.left, other.left)
    areas = ((box.bottom - box.top) * (box.right - box.left) for box in (one, other))
    return max(0, rows) * max(0, columns) / min(areas)


def _continues(line: Finding, one: Finding, *, is_turned: bool) -> bool:
    """Whether a box follows or precedes a line of text: as high, in its row, not further away than it is high."""
    if is_turned:
        high, other_high = line.right - line.left, one.right - one.left
        common = min(line.right, one.right) - max(line.left, one.left)
        gap = max(line.top, one.top) - min(line.bottom, one.bottom)
    else:
        high, other_high = line.bottom - line.top, one.bottom - one.top
        common = min(line.bottom, one.bottom) - max(line.top, one.top)
        gap = max(line.left, one.left) - min(line.right, one.right)
    return common >= 0.6 * min(high, other_high) and max(high, other_high) <= 2 * min(high, other_high) and gap <= high
