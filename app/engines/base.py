"""What a text detector is."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""Rendered for eyes: rows x columns grey, or rows x columns x 3 RGB; 8 bit."""


@dataclass(frozen=True, slots=True)
class DetectedText:
    """One line or word of text: half-open box in pixels of the image given, confidence 0 to 1.

    ``original_text`` is what the detector read, empty where it only locates; it may be a patient's name.
    """

    top: int
    left: int
    bottom: int
    right: int
    confidence: float
    original_text: str = field(default="", repr=False)


class DetectorFailedError(Exception):
    """The detector could not look at the image. Carries no text of its own: an engine's message may quote the image."""


class TextDetector(Protocol):
    """Finds text in an image. Every implementation passes ``tests/contracts/test_text_detectors.py``."""

    @property
    def label(self) -> str:
        """Short name: lower case, part of the protocol file's vocabulary."""

    @property
    def version(self) -> str:
        """Changes whenever the same image could give another result: engine, models and settings."""

    def is_available(self) -> bool:
        """Whether it can run on this machine now."""

    def detect(self, image: Image) -> list[DetectedText]:
        """All text, weak findings included. Raises DetectorFailedError, never returns less in silence."""
