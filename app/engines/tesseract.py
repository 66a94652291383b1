"""Tesseract 5 through pytesseract: the user's choice, where the program and its English data are installed.

pytesseract hands pictures over in temporary files, and takes the words back in one: they lie in a folder of the
project and are gone afterwards, whatever happened.
"""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.engines.base import DetectedText, DetectorFailedError, Image
from app.engines.filters import checked, high_pass, resized

_PROGRAM = "tesseract"


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides over a result (tuning half of ``benchmarks/burned_in``)."""

    language: str = "eng"
    page_segmentation: int = 11  # sparse text, in no order
    timeout_s: int = 60
    scale: float = 2.0
    longest_px: int = 4000
    turns: tuple[int, ...] = (0, 1, 3)
    high_pass_sigma_px: float = 4.0
    high_pass_gain: float = 3.0


class Tesseract:
    """Runs the Tesseract program on an image and on a high-pass filtered copy, upright and turned.

    Parameters
    ----------
    tmp
        Folder for the temporary files; None where nothing will be detected.
    """

    label = "tesseract"

    def __init__(self, tmp: Path | None, settings: Settings | None = None) -> None:
        self._tmp = tmp
        self._settings = settings if settings is not None else Settings()

    @property
    def version(self) -> str:
        """Program and settings."""
        import pytesseract  # noqa: PLC0415 - brings PIL

        digest = hashlib.sha256(repr(self._settings).encode()).hexdigest()[:8]
        return f"tesseract {pytesseract.get_tesseract_version()}, settings {digest}"

    def is_available(self) -> bool:
        """Whether the program is on the path and has the language's data."""
        if shutil.which(_PROGRAM) is None:
            return False
        import pytesseract  # noqa: PLC0415 - brings PIL

        try:
            return self._settings.language in pytesseract.get_languages()
        except (pytesseract.TesseractNotFoundError, OSError):
            return False

    def detect(self, image: Image) -> list[DetectedText]:
        """All words, weak ones included. Raises DetectorFailedError, after a minute at the latest."""
        try:
            return self._detect(checked(image))
        except Exception:  # noqa: BLE001 - whatever the engine raises, its text may quote the image: fail closed
            raise DetectorFailedError from None

    def _detect(self, image: Image) -> list[DetectedText]:
        if self._tmp is None:
            raise FileNotFoundError
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        filtered = high_pass(grey, self._settings.high_pass_sigma_px, self._settings.high_pass_gain)
        scale = min(self._settings.scale, self._settings.longest_px / max(grey.shape))
        found = []
        with _temporary_files_in(self._tmp):
            for picture in (grey, filtered):
                for turn in self._settings.turns:
                    for text in self._words(np.rot90(picture, turn), scale):
                        found.append(_turned_back(text, grey.shape, turn))
        return found

    def _words(self, picture: Image, scale: float) -> Iterator[DetectedText]:
        import pytesseract  # noqa: PLC0415 - brings PIL

        rows, columns = picture.shape
        scaled = resized(np.ascontiguousarray(picture), max(1, round(rows * scale)), max(1, round(columns * scale)))
        words: dict[str, list[Any]] = pytesseract.image_to_data(
            scaled,
            lang=self._settings.language,
            config=f"--psm {self._settings.page_segmentation}",
            output_type=pytesseract.Output.DICT,
            timeout=self._settings.timeout_s,
        )
        for text, sureness, left, top, width, height in zip(
            *(words[name] for name in ("text", "conf", "left", "top", "width", "height")), strict=True
        ):
            letters = sum(character.isalnum() for character in text)
            if float(sureness) < 0 or not letters:
                continue
            grow = 0.15 * height + 1
            box = (
                max(0, int((top - grow) / scale)),
                max(0, int((left - grow) / scale)),
                min(rows, int((top + height + grow) / scale) + 1),
                min(columns, int((left + width + grow) / scale) + 1),
            )
            if box[0] < box[2] and box[1] < box[3]:
                yield DetectedText(*box, min(1.0, float(sureness) / 100) * min(1.0, letters / 3), text.strip())


def _turned_back(text: DetectedText, size: tuple[int, ...], turn: int) -> DetectedText:
    """A box in the picture that was turned counterclockwise, as one in the picture before."""
    rows, columns = size
    match turn % 4:
        case 0:
            box = (text.top, text.left, text.bottom, text.right)
        case 1:
            box = (text.left, columns - text.bottom, text.right, columns - text.top)
        case 2:
            box = (rows - text.bottom, columns - text.right, rows - text.top, columns - text.left)
        case _:
            box = (rows - text.right, text.top, rows - text.left, text.bottom)
    return DetectedText(*box, text.confidence, text.original_text)


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Where pytesseract puts its files while this lasts, and one thread for the program; no other way to tell it."""
    before, threads = tempfile.tempdir, os.environ.get("OMP_THREAD_LIMIT")
    with tempfile.TemporaryDirectory(dir=folder) as own:
        tempfile.tempdir = own
        os.environ["OMP_THREAD_LIMIT"] = "1"
        try:
            yield
        finally:
            tempfile.tempdir = before
            if threads is None:
                del os.environ["OMP_THREAD_LIMIT"]
            else:
                os.environ["OMP_THREAD_LIMIT"] = threads
