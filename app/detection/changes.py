"""Where a frame of a stack shows something that the frames before it do not: the cheap test that every frame gets.

A picture is cut into tiles of 8 pixels. Two numbers are kept of each: how much there is as fine as a stroke of a letter, and
how much of that differs from the frame before. Tissue changes from frame to frame by about as much as it did around that
time; writing that appears does not. A score says how many times the usual change a tile has changed.
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
"""Frames x rows of tiles x columns of tiles."""


@dataclass(frozen=True, slots=True)
class Projections:
    """What a whole stack looks like at once."""

    mean: Image
    deviation: Image
    lowest: Image
    highest: Image


class ChangeMeter:
    """Takes the pictures of a stack in order, one at a time, and keeps some numbers of each tile."""

    def __init__(self) -> None:
        self._strokes: list[NDArray[np.float16]] = []
        self._changes: list[NDArray[np.float16]] = []
        self._previous: Image | None = None
        self._sum: NDArray[np.float32] | None = None

    def add(self, image: Image) -> None:
        """The next picture; all have one size and number of channels."""
        if self._previous is None or self._sum is None:
            self._sum = np.zeros(image.shape, np.float32)
            self._squares = np.zeros(image.shape, np.float32)
            self._lowest, self._highest = image.copy(), image.copy()
            change = np.zeros_like(image)
        else:
            change = np.asarray(cv2.absdiff(image, self._previous), np.uint8)
        cv2.accumulate(image, self._sum)
        cv2.accumulateSquare(image, self._squares)
        cv2.min(image, self._lowest, self._lowest)
        cv2.max(image, self._highest, self._highest)
        around = (_STROKES_PX, _STROKES_PX)
        self._strokes.append(_tiles(cv2.absdiff(image, cv2.blur(image, around))))
        self._changes.append(_tiles(cv2.subtract(change, cv2.blur(change, around))))
        self._previous = image

    def projections(self) -> Projections:
        """Mean, deviation, minimum and maximum of every pixel."""
        assert self._sum is not None
        mean = self._sum / len(self._strokes)
        variance = np.maximum(self._squares / len(self._strokes) - mean**2, 0)
        deviation = np.sqrt(variance)
        deviation *= 255 / max(1.0, float(np.percentile(deviation, 99.5)))
        return Projections(_to_8_bit(mean), _to_8_bit(deviation), self._lowest, self._highest)

    def strokes(self) -> NDArray[np.float16]:
        """Frames x rows x columns of tiles: how much there is as fine as a letter's strokes, in grey levels."""
        return np.stack(self._strokes)

    def scores(self) -> Scores:
        """How many times the usual change a tile has changed since the frame before; the first frame has 0."""
        strokes, changes = self.strokes(), np.stack(self._changes)
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
        for score in scores:
            cv2.blur(score, (3, 3), score, borderType=cv2.BORDER_CONSTANT)
            score *= 3
        return scores


def _tiles(values: Any) -> NDArray[np.float16]:
    if values.ndim == 3:
        values = values.max(axis=2)
    rows, columns = values.shape
    size = (-(-columns // TILE_PX), -(-rows // TILE_PX))
    return np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float16)


def _usual(change: Scores) -> Scores:
    """The deviation that the changes around a frame, or over the whole stack, would have if they were noise."""
    usual = np.maximum(_median_around(change), np.median(change, axis=0))
    return np.asarray(1.48 * usual + _LEAST_CHANGE, np.float32)


def _median_around(values: Scores) -> Scores:
    padded = np.pad(values, ((_AROUND, _AROUND), (0, 0), (0, 0)), mode="reflect")
    shifted = np.stack([padded[shift : shift + len(values)] for shift in range(2 * _AROUND + 1)])
    return np.asarray(np.partition(shifted, _AROUND, axis=0)[_AROUND], np.float32)


def _to_8_bit(values: NDArray[np.float32]) -> Image:
    return np.asarray(np.clip(np.rint(values), 0, 255), np.uint8)
