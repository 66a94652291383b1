"""Graphics text: glyph-sized components of one constant intensity, in a row. Knows no letters; takes milliseconds.

Software writes with one value, or with a few around it where it smooths edges; tissue does not. So pixels of one
value that hang together, are as large as a letter, differ from all that is around them and stand in a line with their
like are text, whatever the alphabet.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engines.base import DetectedText, DetectorFailedError, Image
from app.engines.filters import checked

Glyphs = NDArray[np.int32]
"""One row a glyph: top, left, bottom, right; half-open."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides over a result (tuning half of ``benchmarks/burned_in``)."""

    # Letters of 8 to 40 pixels from top to foot, and what stands above and below.
    shortest_px: int = 5
    longest_px: int = 64
    # How many values are taken for writing. The most frequent ones showed 22 % of the strings, those that are more
    # frequent than their neighbours 52 %.
    greys: int = 8
    colours: int = 4
    # How far from the value a letter's smoothed edge may be, and what part of its pixels must be of the value itself.
    # The second pair is for faint writing: with it 65 % of the strings, and with 0.2 in it an alarm on every second
    # clean picture instead of 3 %.
    edges: tuple[tuple[int, float], ...] = ((40, 0.2), (12, 0.6))
    exact: int = 3
    contrast_from: float = 20.0
    ring_percentile: float = 30.0
    glyphs_from: int = 3
    glyphs_to: int = 800  # more are noise, and grouping them is slow
    repeated_from: float = 0.8


class GlyphFinder:
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
            return self._detect(checked(image))
        except Exception:  # noqa: BLE001 - whatever the engine raises: fail closed
            raise DetectorFailedError from None

    def _detect(self, image: Image) -> list[DetectedText]:
        upright: list[DetectedText] = []
        turned: list[DetectedText] = []
        for level in _constant_levels(image, self._settings):
            distance = _distance(image, level)
            for edge, exact_from in self._settings.edges:
                glyphs = _glyphs(distance, edge, exact_from, self._settings)
                for line in _lines(glyphs):
                    upright += _text(line, image.shape[:2], is_upright=True, settings=self._settings)
                for line in _lines(glyphs[:, (1, 0, 3, 2)]):
                    turned += _text(line, image.shape[:2], is_upright=False, settings=self._settings)
        return _without_repetitions(upright, turned, image.shape[:2], self._settings)


def _without_repetitions(
    upright: list[DetectedText], turned: list[DetectedText], size: tuple[int, ...], settings: Settings
) -> list[DetectedText]:
    """Each line once, the surest: several levels and edges show it, and lines below each other have columns."""
    kept: list[DetectedText] = []
    taken = np.zeros(size, bool)
    for line in (*sorted(upright, key=_least_sure_last), *sorted(turned, key=_least_sure_last)):
        window = taken[line.top : line.bottom, line.left : line.right]
        if window.mean() < settings.repeated_from:
            kept.append(line)
            window[:] = True
    return kept


def _least_sure_last(line: DetectedText) -> tuple[float, int, int, int, int]:
    return -line.confidence, line.top, line.left, line.bottom, line.right


def _distance(image: Image, level: int) -> Image:
    """How far each pixel is from a packed level: the difference of the channel that differs most."""
    if image.ndim == 2:
        return np.asarray(cv2.absdiff(image, np.full_like(image, level)), np.uint8)
    colour = np.array((level >> 16, level >> 8 & 255, level & 255), np.uint8)
    return np.asarray(cv2.absdiff(image, np.broadcast_to(colour, image.shape).copy()).max(axis=2), np.uint8)


def _constant_levels(image: Image, settings: Settings) -> list[int]:
    """The greys and colours, packed, that lie beside their like more often than those that are almost the same."""
    if min(image.shape[:2]) < 3:
        return []
    if image.ndim == 2:
        packed, is_grey = image.astype(np.int32), None
    else:
        wide = image.astype(np.int32)
        packed = wide[:, :, 0] << 16 | wide[:, :, 1] << 8 | wide[:, :, 2]
        is_grey = (image[:, :, 0] == image[:, :, 1]) & (image[:, :, 1] == image[:, :, 2])
    middle = packed[1:-1, 1:-1]
    equal = np.zeros(middle.shape, np.uint8)
    for neighbour in (packed[:-2, 1:-1], packed[2:, 1:-1], packed[1:-1, :-2], packed[1:-1, 2:]):
        equal += neighbour == middle
    is_stroke = (equal > 0) & (equal < 4)  # not the inside of large areas
    greys = middle[is_stroke] if is_grey is None else middle[is_stroke & is_grey[1:-1, 1:-1]] & 255
    counts = np.bincount(greys, minlength=256)
    padded = np.pad(counts, 3)
    near = np.max([padded[shift : shift + 256] for shift in (0, 1, 2, 4, 5, 6)], axis=0)
    excess = counts - near
    chosen = [int(grey) for grey in np.argsort(-excess, kind="stable")[: settings.greys] if excess[grey] > 0]
    if is_grey is None:
        return chosen
    colours, numbers = np.unique(middle[is_stroke & ~is_grey[1:-1, 1:-1]], return_counts=True)
    order = np.argsort(-numbers, kind="stable")[: settings.colours]
    return [grey * 0x010101 for grey in chosen] + [int(colour) for colour in colours[order]]


def _glyphs(distance: Image, edge: int, exact_from: float, settings: Settings) -> Glyphs:
    """What is as large as a letter, is of the level for a good part, and stands out from what is around it."""
    mask = (distance <= edge).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    width, height, area = (stats[:, column] for column in (cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT, cv2.CC_STAT_AREA))
    longer, shorter = np.maximum(width, height), np.minimum(width, height)
    exact = np.bincount(labels[distance <= settings.exact], minlength=count)
    is_glyph = (
        (longer >= settings.shortest_px)
        & (shorter <= settings.longest_px)
        & (longer <= 6 * settings.longest_px)
        & (area >= settings.shortest_px)
        & (area >= 0.1 * longer * shorter)
        & (exact >= exact_from * area)
    )
    is_glyph[0] = False
    chosen = np.flatnonzero(is_glyph)
    if not 1 <= len(chosen) <= settings.glyphs_to:
        return np.empty((0, 4), np.int32)
    kept = []
    rows, columns = distance.shape
    for number in chosen:
        left, top, wide, high, _ = (int(value) for value in stats[number])
        window = np.s_[max(0, top - 2) : min(rows, top + high + 2), max(0, left - 2) : min(columns, left + wide + 2)]
        own = (labels[window] == number).astype(np.uint8)
        ring = (cv2.dilate(own, np.ones((5, 5), np.uint8)) > 0) & ~(cv2.dilate(own, np.ones((3, 3), np.uint8)) > 0)
        around = distance[window][ring]
        if around.size and np.percentile(around, settings.ring_percentile) >= min(settings.contrast_from, edge + 4):
            kept.append((top, left, top + high, left + wide))
    return np.array(kept, np.int32).reshape(-1, 4)


def _lines(glyphs: Glyphs) -> Iterator[Glyphs]:
    """Glyphs that follow each other in a row: about as high, overlapping in height, not further apart than a space."""
    top, left, bottom, right = (glyphs[:, column].astype(np.int64) for column in range(4))
    height = bottom - top
    common = np.minimum(bottom[:, None], bottom) - np.maximum(top[:, None], top)
    lower, taller = np.minimum(height[:, None], height), np.maximum(height[:, None], height)
    gap = left[None, :] - right[:, None]
    follows = (common >= 0.6 * lower) & (taller <= 2.2 * lower) & (gap >= -0.3 * taller) & (gap <= 1.3 * taller)
    follows &= left[None, :] > left[:, None]
    parent = list(range(len(glyphs)))

    def root(number: int) -> int:
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    for one, other in zip(*np.nonzero(follows), strict=True):
        parent[root(int(one))] = root(int(other))
    roots = np.array([root(number) for number in range(len(glyphs))])
    for number in np.unique(roots):
        yield glyphs[roots == number]


def _text(line: Glyphs, size: tuple[int, ...], *, is_upright: bool, settings: Settings) -> list[DetectedText]:
    """A line as text, where it looks like one; nothing else."""
    if len(line) < settings.glyphs_from:
        return []
    height = line[:, 2] - line[:, 0]
    width = line[:, 3] - line[:, 1]
    typical = float(np.median(height))
    top, left, bottom, right = line[:, 0].min(), line[:, 1].min(), line[:, 2].max(), line[:, 3].max()
    if right - left < 1.5 * (bottom - top) or bottom - top > 2.5 * typical or typical < settings.shortest_px:
        return []
    is_even = (np.abs(height - typical) <= 0.25 * typical) | (height < 0.5 * typical)
    on_foot = np.abs(line[:, 2] - np.median(line[:, 2])) <= max(1.0, 0.15 * typical)
    letters = np.maximum(1, np.rint(width / (0.8 * typical)))  # small letters touch each other
    regular = float(is_even.mean() * on_foot.mean())
    enough = min(1.0, float(letters.sum()) / 8)
    grow = max(2, round(0.3 * typical))
    box = (top - grow, left - grow, bottom + grow, right + grow)
    if not is_upright:
        box = (box[1], box[0], box[3], box[2])
    rows, columns = size
    return [
        DetectedText(
            max(0, int(box[0])),
            max(0, int(box[1])),
            min(rows, int(box[2])),
            min(columns, int(box[3])),
            regular * enough,
        )
    ]
