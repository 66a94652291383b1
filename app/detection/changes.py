"""Where a frame of a stack shows something that the frames before it do not: the cheap test that every frame gets.

A picture is cut into tiles of 8 pixels. Two numbers are kept of each: how much there is as fine as the strokes of
letters, and how much of that differs from the frame before. Tissue changes from frame to frame by about as much as it
did around that time; writing that appears does not. A score says how many times the usual change a tile has changed.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engines.base import Image

TILE_PX = 8
_STROKES_PX = 9  # the square around a pixel that a stroke stands out from
_AROUND = 4  # frames before and after, from which the usual change is taken
_LEAST_CHANGE = 0.4  # grey levels: below it a tile of black or of one colour would make anything a wonder
_HIGHEST_SCORE = 30.0

Scores = NDArray[np.float32]
"""Frames x rows of tiles x columns of tiles: how many times the usual change."""
Strokes = NDArray[np.float16]
"""Frames x rows of tiles x columns of tiles, in grey levels."""


# Two colours of one brightness are told apart: no channel weighs as much as another.
_WEIGHTS = np.array([[0.45, 0.35, 0.2]], np.float32)


@dataclass(frozen=True, slots=True)
class Projections:
    """What a whole stack looks like at once, in grey."""

    mean: Image
    deviation: Image
    lowest: Image
    highest: Image


class ChangeMeter:
    """Takes the pictures of a stack in order, at most ``most`` of them, and keeps some numbers of each tile."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._views: list[float] = []
        self._previous: Image | None = None

    def add(self, image: Image) -> None:
        """The next picture; all have one size."""
        grey = to_grey(image)
        around = (_STROKES_PX, _STROKES_PX)
        view = _tiles(grey)
        if self._previous is None:
            self._sum = np.zeros(grey.shape, np.float32)
            self._squares = np.zeros(grey.shape, np.float32)
            self._lowest, self._highest = grey.copy(), grey.copy()
            # Pages that are never written to cost nothing.
            self._strokes = np.empty((self._most, *view.shape), np.float16)
            self._changes = np.empty((self._most, *view.shape), np.float16)
            self._previous, self._view = grey, view
        change = cv2.absdiff(grey, self._previous)
        cv2.accumulate(grey, self._sum)
        cv2.accumulateSquare(grey, self._squares)
        cv2.min(grey, self._lowest, self._lowest)
        cv2.max(grey, self._highest, self._highest)
        self._strokes[len(self._views)] = _tiles(cv2.absdiff(grey, cv2.blur(grey, around)))
        self._changes[len(self._views)] = _tiles(cv2.subtract(change, cv2.blur(change, around)))
        self._views.append(_likeness(view, self._view))
        self._previous, self._view = grey, view

    def projections(self) -> Projections:
        """Mean, deviation, minimum and maximum of every pixel."""
        mean = self._sum / len(self._views)
        variance = np.maximum(self._squares / len(self._views) - mean**2, 0)
        deviation = np.sqrt(variance)
        deviation *= 255 / max(1.0, float(np.percentile(deviation, 99.5)))
        return Projections(_to_8_bit(mean), _to_8_bit(deviation), self._lowest, self._highest)

    def strokes(self) -> Strokes:
        """Frames x rows x columns of tiles: how much there is as fine as a letter's strokes, in grey levels."""
        return self._strokes[: len(self._views)]

    def likeness(self) -> NDArray[np.float64]:
        """How like the frame before each frame is as a whole, at most 1; the first is like itself."""
        return np.array(self._views)

    def scores(self) -> Scores:
        """How many times the usual change a tile has changed since the frame before; the first frame has 0."""
        strokes, changes = self.strokes(), self._changes[: len(self._views)]
        scores = np.zeros(strokes.shape, np.float32)
        band = max(1, 400_000 // (strokes.shape[0] * strokes.shape[2]))
        for top in range(0, strokes.shape[1], band):
            rows = np.s_[:, top : top + band]
            rise = np.diff(strokes[rows].astype(np.float32), axis=0)
            more = np.abs(rise) / _usual(np.abs(rise))
            change = changes[rows][1:].astype(np.float32)
            above = change - _median_around(change)
            scores[1:, top : top + band] = np.maximum(more, above / _usual(np.abs(above)))
        np.clip(scores, 0, _HIGHEST_SCORE, scores)
        for number in range(1, len(scores)):  # the sum of nine, over the deviation that a sum of nine has
            scores[number] = 3 * cv2.blur(scores[number], (3, 3), borderType=cv2.BORDER_CONSTANT)
        return scores


def to_grey(image: Image) -> Image:
    """One channel, in which what differs in colour differs."""
    return image if image.ndim == 2 else np.asarray(cv2.transform(image, _WEIGHTS), np.uint8)


def _tiles(values: Any) -> NDArray[np.float32]:
    rows, columns = values.shape
    size = (-(-columns // TILE_PX), -(-rows // TILE_PX))
    return np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def _likeness(view: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Correlation; pictures without contrast are alike where their brightness is."""
    one, two = view - view.mean(), other - other.mean()
    power = max(float((one * one).mean()), float((two * two).mean()))
    if power < 4:
        return 1.0 if abs(float(view.mean() - other.mean())) < 4 else 0.0
    return float((one * two).mean()) / power


def _usual(change: Scores) -> Scores:
    """The deviation that the changes around a frame, or over the whole stack, would have if they were noise."""
    usual = np.maximum(_median_around(change), np.median(change, axis=0))
    return np.asarray(1.48 * usual + _LEAST_CHANGE, np.float32)


def _median_around(values: Scores) -> Scores:
    padded = np.pad(values, ((_AROUND, _AROUND), (0, 0), (0, 0)), mode="reflect")
    shifted = np.stack([padded[shift : shift + len(values)] for shift in range(2 * _AROUND + 1)])
    return np.asarray(np.partition(shifted, _AROUND, axis=0)[_AROUND], np.float32)


def _to_8_bit(values: NDArray[np.floating[Any]]) -> Image:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
