"""Tesseract 5 through pytesseract: the user's choice, where it is installed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from app.engines.base import DetectedText, DetectorFailedError, Image


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides over a result (tuning half of ``benchmarks/burned_in``)."""

    timeout_s: int = 60


class Tesseract:
    """Runs the Tesseract program on an image."""

    label = "tesseract"

    def __init__(self, tmp: Path | None, settings: Settings | None = None) -> None:
        self._tmp = tmp
        self._settings = settings if settings is not None else Settings()

    @property
    def version(self) -> str:
        """Program and settings."""
        return f"tesseract, settings {hashlib.sha256(repr(self._settings).encode()).hexdigest()[:8]}"

    def is_available(self) -> bool:
        """Not before it is finished."""
        return False

    def detect(self, image: Image) -> list[DetectedText]:
        """Raises DetectorFailedError."""
        raise DetectorFailedError
