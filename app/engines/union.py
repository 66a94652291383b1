"""What several detectors together say about one picture: what is text for sure, and what a person should look at.

No single engine is enough (``benchmarks/burned_in`` has the figures), so whatever one of them finds counts. Findings of
different engines are not merged: which engine said what is kept for the reviewer.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from app.engines.base import DetectedText, DetectorFailedError, Image, TextDetector

# Confidence from which a finding is covered without a person, and from which a person is shown it.
# Of the tuning half of benchmarks/burned_in.
STRONG_FROM: Mapping[str, float] = MappingProxyType({"ppocr": 0.65, "glyphs": 0.5, "tesseract": 0.8})
WEAK_FROM: Mapping[str, float] = MappingProxyType({"ppocr": 0.3, "glyphs": 0.3, "tesseract": 0.5})


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
    found = [_finding(text, detector.label, image) for detector in detectors for text in detector.detect(image)]
    shown = (one for one in found if one.confidence >= WEAK_FROM.get(one.engine, 0.0))
    return tuple(sorted(shown, key=lambda one: (one.top, one.left, one.bottom, one.right, one.engine)))


def union_version() -> str:
    """Changes with the thresholds."""
    return hashlib.sha256(repr((sorted(STRONG_FROM.items()), sorted(WEAK_FROM.items()))).encode()).hexdigest()[:8]


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
