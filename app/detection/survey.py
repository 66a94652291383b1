"""Text in a long stack (the frames of a cine, the slices of a series) without a full look at each of its frames.

Text that stands on many frames is seen on the first of them and on the mean of all. Text that appears on some frame is
a sudden change on a few tiles of it (``app.detection.changes``): the pieces with the largest changes are put together
on pictures of their own (``app.detection.patches``), so that the detectors look at dozens of frames at once. A frame
that as a whole is unlike the one before is looked at by itself: a stack that is none costs more and misses nothing.

Where it is not certain on which frames a text stands, it stands on all. The figures that the settings come from are
those of ``benchmarks/burned_in_series.py``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from app.detection.changes import TILE_PX, ChangeMeter, to_grey
from app.detection.patches import (
    WIDE_MARGIN_PX,
    Patch,
    Piece,
    area_of,
    arrange,
    by_place,
    frame_of,
    grown,
    merged,
    mosaic,
    patches_of,
    share_of,
)
from app.engines.base import Image, TextDetector
from app.engines.union import Finding, find_text
from app.pixels.boxes import Box
from app.project.images import Region

Renditions = tuple[Image, ...]
"""The pictures of one frame in which text can be seen, all of one size."""

Fine = NDArray[np.float32]
"""What of a picture is as fine as strokes: rows x columns."""

# When the same stack could give another result, count up SURVEY_VERSION in ``signature``.

# Up to so many frames, looking at each costs no more than what spares it.
_SHORT = 8
# For so many frames one projection more is looked at (two at least, the first frame among them), and one mosaic more.
_FRAMES_A_PROJECTION, _FRAMES_A_MOSAIC = 75, 75
# How much of a mosaic patches fill; what a patch takes of a frame, from which the whole frame is looked at.
_FILLED, _WHOLE_FROM = 0.55, 0.4
# On so many frames a place that changes is looked at, before places that change less often are.
_CHANGES_A_PLACE = 12
# A score of app.detection.changes from which a piece is looked at, whatever it costs.
_SURE_FROM = 22.0
# Correlation with the frame before, below which a frame is another picture.
_LIKE_FROM = 0.8
# Correlation of the strokes at a place on two frames, from which they are the same text.
_SAME_TEXT_FROM = 0.5


class Frames(Protocol):
    """A stack. A frame is read when it is asked for: once or twice, and some a third time."""

    def __len__(self) -> int:
        """How many frames there are; at least one."""

    def __getitem__(self, index: int, /) -> Renditions:
        """The pictures of a frame, counted from 0; all frames have one number of rows and columns."""


@dataclass(frozen=True, slots=True)
class _Hit:
    """A finding, with the first and the last frame on which it stands as far as is known.

    ``spread``: on what part of the frames it stands, going by how much of it is left on the mean of all.
    """

    finding: Finding
    first: int
    last: int
    spread: float = 0.0

    @property
    def place(self) -> Box:
        return Box(self.finding.top, self.finding.left, self.finding.bottom, self.finding.right)


@dataclass(slots=True)
class _Place:
    """Findings that stand at one place: what stands on two frames is taken to stand on all between them."""

    hits: list[_Hit]

    @property
    def first(self) -> int:
        return min(hit.first for hit in self.hits)

    @property
    def last(self) -> int:
        return max(hit.last for hit in self.hits)

    def takes(self, hit: _Hit) -> bool:
        return share_of(self.hits[0].place, hit.place) >= 0.5

    def explains(self, shadow: "_Shadow", count: int) -> bool:
        """Whether what is seen on a projection is what stands on these frames, and no more."""
        if not self.takes(shadow.hit) or (
            shadow.hit.finding.is_strong and not any(hit.finding.is_strong for hit in self.hits)
        ):
            return False
        known = (self.last - self.first + 1) / count
        return not shadow.is_on_mean or min(hit.spread for hit in self.hits) <= 1.3 * known + 0.1


@dataclass(frozen=True, slots=True)
class _Shadow:
    """A finding on a projection: of the mean it is known that faint text stands on few frames."""

    hit: _Hit
    is_on_mean: bool


@dataclass(frozen=True, slots=True)
class _Strand:
    """The frames of a stack that have one number of pictures and one kind of each; a meter for each of the pictures."""

    frames: list[int] = field(default_factory=list)
    meters: list[ChangeMeter] = field(default_factory=list)


def survey(frames: Frames, detectors: Sequence[TextDetector]) -> list[Region]:
    """All text that was found on a stack, weak findings included, sorted by place.

    ``box.frame`` of a region is an index into the stack, or None where the text stands on every frame.

    Raises DetectorFailedError where a detector failed, and whatever ``frames`` raises: nothing is found in part.
    """
    count = len(frames)
    if count <= _SHORT:
        hits = [_Hit(finding, frame, frame) for frame in range(count) for finding in _look(frames[frame], detectors)]
        return _regions(hits, [], count)
    hits, shadows = list[_Hit](), list[_Shadow]()
    for strand in _measure(frames):
        if len(strand.frames) <= _SHORT:
            hits += [
                _Hit(finding, frame, frame) for frame in strand.frames for finding in _look(frames[frame], detectors)
            ]
        else:
            found = _Survey(frames, detectors, strand)
            hits += found.hits()
            shadows += found.shadows()
    return _regions(hits, shadows, count)


def _measure(frames: Frames) -> Iterable[_Strand]:
    """The first reading of all frames."""
    strands: dict[tuple[tuple[int, ...], ...], _Strand] = {}
    for frame in range(len(frames)):
        renditions = frames[frame]
        strand = strands.setdefault(tuple(picture.shape for picture in renditions), _Strand())
        if not strand.frames:
            strand.meters.extend(ChangeMeter(len(frames)) for _ in renditions)
        strand.frames.append(frame)
        for meter, picture in zip(strand.meters, renditions, strict=True):
            meter.add(picture)
    return strands.values()


def _look(pictures: Iterable[Image], detectors: Sequence[TextDetector]) -> Iterator[Finding]:
    for picture in pictures:
        yield from find_text(picture, detectors)


class _Survey:
    """One strand, looked through. Numbers of frames are those of the strand, until they become hits."""

    def __init__(self, frames: Frames, detectors: Sequence[TextDetector], strand: _Strand) -> None:
        self._stack, self._detectors = frames, detectors
        self._frames, self._count = strand.frames, len(strand.frames)
        self._likeness = np.min([meter.likeness() for meter in strand.meters], axis=0)
        self._strokes = [meter.strokes() for meter in strand.meters]
        self._projections = [meter.projections() for meter in strand.meters]
        self._size = self._projections[0].mean.shape[:2]
        self._changes = [self._patches(meter) for meter in strand.meters]
        self._third_readings = 8 + self._count // 8

    def hits(self) -> Iterator[_Hit]:
        """Text of which a frame is known where it stands."""
        whole, chosen = self._choose()
        pieces: list[dict[Patch, Image]] = [{} for _ in chosen]
        for number in sorted(whole | {frame_of(patch) for patches in chosen for patch in patches}):
            for rendition, picture in enumerate(self._read(number)):
                if number in whole:
                    for finding in find_text(picture, self._detectors):
                        yield self._hit(rendition, number, finding, picture)
                else:
                    mine = (patch for patch in chosen[rendition] if frame_of(patch) == number)
                    pieces[rendition].update((patch, _cut(picture, patch.box)) for patch in mine)
        for rendition in range(len(chosen)):
            yield from self._look_at_patches(rendition, pieces[rendition])

    def shadows(self) -> Iterator[_Shadow]:
        """Text on projections, which do not tell on how many frames it stands."""
        more = max(0, self._count // _FRAMES_A_PROJECTION - 3)  # first frame, mean and last frame come before
        for made in self._projections:
            for number, picture in enumerate((made.mean, made.deviation, made.highest, made.lowest)[: 1 + more]):
                for finding in find_text(picture, self._detectors):
                    yield _Shadow(_Hit(finding, 0, len(self._stack) - 1), is_on_mean=number == 0)

    def _read(self, number: int) -> Renditions:
        return self._stack[self._frames[number]]

    def _choose(self) -> tuple[set[int], list[list[Patch]]]:
        """The frames to look at as a whole, and the patches of each rendition."""
        whole = {0, *np.flatnonzero(self._likeness < _LIKE_FROM).tolist()}
        if self._count >= 3 * _FRAMES_A_PROJECTION:
            whole.add(self._count - 1)
        chosen = []
        for patches in self._changes:
            large, small = self._select([patch for patch in patches if frame_of(patch) not in whole])
            whole |= large
            chosen.append(small)
        if 2 * len(whole) >= self._count:
            whole = set(range(self._count))
        return whole, [[patch for patch in patches if frame_of(patch) not in whole] for patches in chosen]

    def _patches(self, meter: ChangeMeter) -> list[Patch]:
        """Where something appears on a frame, best first."""
        scores, strokes = meter.scores(), meter.strokes()
        return merged(
            [patch for number in range(1, self._count) for patch in patches_of(number, scores, strokes, self._size)]
        )

    def _select(self, patches: Sequence[Patch]) -> tuple[set[int], list[Patch]]:
        """Frames of which patches take the most, and the patches to look at: the best, and all that are sure.

        Where a place changes on many frames, the first, the last and the best of them tell what stands there.
        """
        usual, often = by_place(patches, _CHANGES_A_PLACE)
        large: set[int] = set()
        small: list[Patch] = []
        room = self._room
        for is_usual, patch in [*((True, one) for one in usual), *((False, one) for one in often)]:
            if frame_of(patch) in large or (room <= 0 and not (is_usual and patch.score >= _SURE_FROM)):
                continue
            taken = area_of([patch])
            if taken > _WHOLE_FROM * self._area:
                large.add(frame_of(patch))
                taken = self._area
            else:
                small.append(patch)
            room -= taken
        return large, small

    @property
    def _area(self) -> int:
        return int(self._size[0] * self._size[1])

    @property
    def _room(self) -> float:
        """How much of patches may be looked at in any case."""
        return _FILLED * self._area * max(1, self._count // _FRAMES_A_MOSAIC)

    def _look_at_patches(self, rendition: int, pieces: Mapping[Patch, Image]) -> Iterator[_Hit]:
        """Once, and once more with more around it where text goes on beyond a patch, or where no detector is sure."""
        found = list(self._look_at_mosaics(pieces))
        sure = {piece.patch for piece, finding in found if finding.is_strong and not piece.is_cut}
        again = {piece.patch for piece, _ in found} - sure
        wide = merged([Patch(grown(patch.box, WIDE_MARGIN_PX, self._size), patch.score) for patch in again])
        while len(wide) > 1 and area_of(wide) > _FILLED * self._area:
            del wide[-1]
        if len(wide) == 1:  # a look at the whole frame costs the same
            (patch,) = wide
            whole = Box(0, 0, self._size[0], self._size[1], frame_of(patch))
            wide = [Patch(whole, patch.score)]
        more = {patch: _cut(self._read(frame_of(patch))[rendition], patch.box) for patch in wide}
        for piece, finding in (*found, *self._look_at_mosaics(more)):
            around = piece.patch.box
            picture = pieces[piece.patch] if piece.patch in pieces else more[piece.patch]
            yield self._hit(rendition, frame_of(piece.patch), finding, picture, (around.top, around.left))

    def _look_at_mosaics(self, pieces: Mapping[Patch, Image]) -> Iterator[tuple[Piece, Finding]]:
        for places in arrange(list(pieces), self._size):
            made = mosaic(places, pieces, self._size)
            for finding in find_text(made.picture, self._detectors):
                piece = made.piece(finding)
                if piece is not None:
                    box = piece.box
                    yield (
                        piece,
                        replace(finding, top=box.top, left=box.left, bottom=box.bottom, right=box.right),
                    )

    def _hit(
        self, rendition: int, number: int, finding: Finding, picture: Image, corner: tuple[int, int] = (0, 0)
    ) -> _Hit:
        """On which frames text stands that was found on one: until it is seen to vanish.

        ``corner``: top and left of ``picture`` in the frame.
        """
        place = Box(finding.top, finding.left, finding.bottom, finding.right, number)
        tiles = np.s_[
            :,
            place.top // TILE_PX : -(-place.bottom // TILE_PX),
            place.left // TILE_PX : -(-place.right // TILE_PX),
        ]
        strokes = self._strokes[rendition][tiles].mean(axis=(1, 2), dtype=np.float64)
        text = _fine(
            picture[place.top - corner[0] : place.bottom - corner[0], place.left - corner[1] : place.right - corner[1]]
        )
        first = self._end(rendition, place, strokes, text, range(number - 1, -1, -1))
        last = self._end(rendition, place, strokes, text, range(number + 1, self._count))
        left = _fine(_cut(self._projections[rendition].mean, place))
        common = float((left * text).sum())
        return _Hit(
            finding,
            0 if first == 0 else self._frames[first],
            len(self._stack) - 1 if last == self._count - 1 else self._frames[last],
            float((left * left).sum()) / common if common > 0 else 1.0,
        )

    def _end(self, rendition: int, place: Box, strokes: NDArray[np.float64], text: Fine, onwards: range) -> int:
        """The last frame, in one direction, before the strokes at a place become much fewer from one to the next.

        Where a few strokes are left, the frame is read: text is fainter where a window is wider, and it is still there.
        """
        assert place.frame is not None
        here = strokes[place.frame]
        usual = 1.48 * float(np.median(np.abs(np.diff(strokes)))) + 0.2
        around = strokes[max(0, place.frame - 1) : place.frame + 2]
        rise = float(here - around.min())
        vanishing = 0.5 * rise if rise > max(6 * usual, 0.25 * here) else 0.5 * float(here)
        before = place.frame
        for number in onwards:
            drop = min(strokes[before], here) - strokes[number]
            if drop >= vanishing and (
                strokes[number] <= 0.1 * here or not self._is_still_there(rendition, place, text, number)
            ):
                return before
            before = number
        return before

    def _is_still_there(self, rendition: int, place: Box, text: Fine, number: int) -> bool:
        """Whether another frame shows the same strokes at a place; yes where too many were asked for."""
        if self._third_readings <= 0:
            return True
        self._third_readings -= 1
        other = _fine(_cut(self._read(number)[rendition], place))
        power = float(np.sqrt((text * text).sum() * (other * other).sum()))
        return power > 0 and float((text * other).sum()) / power >= _SAME_TEXT_FROM


def _regions(hits: Iterable[_Hit], shadows: Iterable[_Shadow], count: int) -> list[Region]:
    """Hits at one place as one region a detector, on each frame between the first and the last of them."""
    places: list[_Place] = []
    for hit in sorted(hits, key=lambda one: (-one.finding.is_strong, -one.finding.confidence)):
        place = next((one for one in places if one.takes(hit)), None)
        if place is None:
            places.append(_Place([hit]))
        else:
            place.hits.append(hit)
    known = list(places)
    for shadow in shadows:
        if not any(one.explains(shadow, count) for one in known):
            places.append(_Place([shadow.hit]))
    regions = []
    for place in places:
        is_on_all = place.first == 0 and place.last == count - 1
        for engine in sorted({hit.finding.engine for hit in place.hits}):
            mine = [hit for hit in place.hits if hit.finding.engine == engine]
            for frame in (None,) if is_on_all else range(place.first, place.last + 1):
                regions.append(_region(mine, frame))
    return sorted(regions, key=lambda one: (one.box.top, one.box.left, one.box.frame or 0, one.engine))


def _region(hits: Sequence[_Hit], frame: int | None) -> Region:
    findings = [hit.finding for hit in hits]
    texts = dict.fromkeys(one.original_text for one in findings if one.original_text)
    return Region(
        Box(
            min(one.top for one in findings),
            min(one.left for one in findings),
            max(one.bottom for one in findings),
            max(one.right for one in findings),
            frame,
        ),
        findings[0].engine,
        max(one.confidence for one in findings),
        any(one.is_strong for one in findings),
        "\n".join(texts),
    )


def _cut(picture: Image, box: Box) -> Image:
    return picture[box.top : box.bottom, box.left : box.right].copy()


def _fine(piece: Image) -> Fine:
    """What stands out from its surroundings, without its mean."""
    grey = to_grey(piece).astype(np.float32)
    fine = grey - cv2.blur(grey, (9, 9))
    return np.asarray(fine - fine.mean(), np.float32)
