"""Pieces of many frames on one picture, so that one look of a detector is enough for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.detection.changes import TILE_PX, Scores, Strokes
from app.engines.base import Image
from app.engines.union import Finding
from app.pixels.boxes import Box

GAP_PX = 12
MARGIN_PX, WIDE_MARGIN_PX = 24, 64
_MOST = 0.6  # of a finding: the rest is the margin that detectors draw
LEVELS = (60.0, 30.0, 15.0, 7.5)


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of a frame (``box.frame`` says of which) in which something appears, with its score."""

    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Piece:
    """A finding on a mosaic, in the patch in which it lies: ``box`` is of the frame.

    ``is_cut``: it reaches an edge of the patch beyond which the frame goes on.
    """

    patch: Patch
    box: Box
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Mosaic:
    """A picture made of patches: where each stands in it, top and left."""

    picture: Image
    places: tuple[tuple[Patch, int, int], ...]

    def piece(self, finding: Finding) -> Piece | None:
        """Where a finding lies; None where it joins patches, which stand further apart than letters do."""
        area = (finding.bottom - finding.top) * (finding.right - finding.left)
        for patch, top, left in self.places:
            height, width = patch.box.bottom - patch.box.top, patch.box.right - patch.box.left
            first = max(finding.top - top, 0), max(finding.left - left, 0)
            last = min(finding.bottom - top, height), min(finding.right - left, width)
            if first[0] >= last[0] or first[1] >= last[1]:
                continue
            if (last[0] - first[0]) * (last[1] - first[1]) < _MOST * area:
                continue
            box = Box(
                patch.box.top + first[0],
                patch.box.left + first[1],
                patch.box.top + last[0],
                patch.box.left + last[1],
                patch.box.frame,
            )
            is_cut = (
                (first[0] == 0 and patch.box.top > 0)
                or (first[1] == 0 and patch.box.left > 0)
                or (last[0] == height and patch.box.bottom < self.picture.shape[0])
                or (last[1] == width and patch.box.right < self.picture.shape[1])
            )
            return Piece(patch, box, is_cut)
        return None


def patches_of(frame: int, scores: Scores, strokes: Strokes, size: tuple[int, int]) -> Iterator[Patch]:
    """Where a frame, or the one before it, shows what the other does not: of the two the one with more strokes.

    Parameters
    ----------
    scores, strokes
        Of all frames: frames x rows x columns of tiles.
    size
        Rows and columns of a frame, in pixels.
    """
    score = scores[frame].copy()
    for level in LEVELS:  # what stands out most first, so that a patch is no larger than that
        if score.max() < level:
            continue
        count, labels, stats, _ = cv2.connectedComponentsWithStats((score >= level).astype(np.uint8))
        for number in range(1, count):
            left, top, width, height, _ = (int(value) for value in stats[number])
            tiles = np.s_[top : top + height, left : left + width]
            peak = float(score[tiles][labels[tiles] == number].max(initial=0))
            if peak < level:
                continue  # in the box of another
            appears = strokes[frame][tiles].sum(dtype=np.float32) >= strokes[frame - 1][tiles].sum(dtype=np.float32)
            box = Box(
                TILE_PX * top,
                TILE_PX * left,
                TILE_PX * (top + height),
                TILE_PX * (left + width),
                frame if appears else frame - 1,
            )
            around = grown(box, MARGIN_PX, size)
            score[
                around.top // TILE_PX : -(-around.bottom // TILE_PX),
                around.left // TILE_PX : -(-around.right // TILE_PX),
            ] = 0
            yield Patch(around, peak)


def frame_of(patch: Patch) -> int:
    """The frame that a patch is cut from."""
    assert patch.box.frame is not None
    return patch.box.frame


def merged(patches: Sequence[Patch]) -> list[Patch]:
    """One patch for those that overlap on a frame; highest score first."""
    found: dict[int | None, list[Patch]] = {}
    for patch in sorted(patches, key=lambda one: -one.score):
        mine = found.setdefault(patch.box.frame, [])
        box, score = patch.box, patch.score
        while touching := [other for other in mine if _overlap(other.box, box)]:
            for other in touching:
                mine.remove(other)
                box, score = _around(box, other.box), max(score, other.score)
        mine.append(Patch(box, score))
    return sorted((patch for mine in found.values() for patch in mine), key=lambda one: -one.score)


def by_place(patches: Sequence[Patch], most: int) -> tuple[list[Patch], list[Patch]]:
    """Patches, best first, apart from those at a place that has so many already; the first and last frame go before."""
    places: list[list[Patch]] = []
    for patch in patches:
        for place in places:
            if share_of(place[0].box, patch.box) >= 0.5:
                place.append(patch)
                break
        else:
            places.append([patch])
    usual: set[Patch] = set()
    for place in places:
        in_time = sorted(place, key=frame_of)
        usual |= {in_time[0], in_time[-1], *place[:most]}
    return [patch for patch in patches if patch in usual], [patch for patch in patches if patch not in usual]


def grown(box: Box, margin: int, size: tuple[int, int]) -> Box:
    """A box with a margin, in a picture of this size."""
    return Box(
        max(0, box.top - margin),
        max(0, box.left - margin),
        min(size[0], box.bottom + margin),
        min(size[1], box.right + margin),
        box.frame,
    )


def arrange(patches: Sequence[Patch], size: tuple[int, int]) -> Iterator[list[tuple[Patch, int, int]]]:
    """Patches side by side in pictures of this size, in shelves: places of one picture after the other."""
    rest = sorted(patches, key=lambda one: one.box.top - one.box.bottom)
    while rest:
        places: list[tuple[Patch, int, int]] = []
        left_over: list[Patch] = []
        shelves: list[tuple[int, int, int]] = []  # top, height, first free column
        foot = 0
        for patch in rest:
            height, width = patch.box.bottom - patch.box.top, patch.box.right - patch.box.left
            for number, (top, high, free) in enumerate(shelves):
                if 0.5 * high <= height <= high and free + width <= size[1]:
                    places.append((patch, top, free))
                    shelves[number] = (top, high, free + width + GAP_PX)
                    break
            else:
                if foot + height <= size[0]:
                    places.append((patch, foot, 0))
                    shelves.append((foot, height, width + GAP_PX))
                    foot += height + GAP_PX
                else:
                    left_over.append(patch)
        yield places
        rest = left_over


def mosaic(places: Sequence[tuple[Patch, int, int]], pieces: Mapping[Patch, Image], size: tuple[int, int]) -> Mosaic:
    """Put the pieces where they belong, on the grey that is usual in them."""
    cut = [pieces[patch] for patch, _, _ in places]
    usual = np.median([np.median(piece, axis=(0, 1)) for piece in cut], axis=0)
    picture = np.empty((*size, *cut[0].shape[2:]), np.uint8)
    picture[:] = usual.astype(np.uint8)
    for (_, top, left), piece in zip(places, cut, strict=True):
        picture[top : top + piece.shape[0], left : left + piece.shape[1]] = piece
    return Mosaic(picture, tuple(places))


def area_of(patches: Iterable[Patch]) -> int:
    """How much room patches take, with the gaps between them."""
    return sum(
        (patch.box.bottom - patch.box.top + GAP_PX) * (patch.box.right - patch.box.left + GAP_PX) for patch in patches
    )


def share_of(one: Box, other: Box) -> float:
    """What two boxes have in common, as a part of the smaller one."""
    rows = min(one.bottom, other.bottom) - max(one.top, other.top)
    columns = min(one.right, other.right) - max(one.left, other.left)
    smaller = min((box.bottom - box.top) * (box.right - box.left) for box in (one, other))
    return max(0, rows) * max(0, columns) / smaller


def _overlap(one: Box, other: Box) -> bool:
    return one.top < other.bottom and other.top < one.bottom and one.left < other.right and other.left < one.right


def _around(one: Box, other: Box) -> Box:
    return Box(
        min(one.top, other.top),
        min(one.left, other.left),
        max(one.bottom, other.bottom),
        max(one.right, other.right),
        one.frame,
    )
