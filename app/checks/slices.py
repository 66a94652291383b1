"""Where the slices of a series lie along their normal: what is missing, there twice, or unevenly spaced.

Positions decide; instance numbers only help where positions alone leave the spacing open, or repeat.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.checks.series import Image
from app.dicom.query import SLICE_AXES

# Positions come from decimal text and a projection: closer than this is the same place.
SAME_PLACE_MM = 0.01
# Scanners round positions, some to a tenth of a millimetre, which a distance has twice half of: it is even within this.
EVEN_SHARE = 0.1
EVEN_MM = 0.101
# A distance is a whole number of slices within this share of a slice, but never more than a fifth.
WHOLE_SHARE = 0.2
# Two stacks differ by more than this in some cosine (0.1 degrees); one stack's writer rounds by less.
SAME_AXES = 0.002
# A hole in the numbers of a series means a missing image only where the numbers are otherwise without one.
MOST_HOLES_SHARE = 0.2
# Of the places, this share must have as many images as most have, for one with fewer to lack some.
COMPLETE_SHARE = 0.8

# What tells images at one place apart beside volume_key: they are of one exposure, echo or weighting each.
_VOLUME_KEYWORDS = (
    "AcquisitionNumber",
    "DiffusionBValue",
    "EchoTime",
    "ImageType",
    "InversionTime",
    "ConvolutionKernel",
    "SliceThickness",
    "KVP",
    "AcquisitionDate",
)

Positions = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stack:
    """Images in one direction: ``places_mm`` rising and distinct, and how many images each has."""

    images: tuple[Image, ...]
    places_mm: Positions
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gaps:
    """What the distances of a stack say. ``first_gap_mm`` is the lower end of the first gap, None without gaps."""

    spacing_mm: float | None
    missing: int
    first_gap_mm: float | None
    least_mm: float
    most_mm: float
    is_even: bool


def stacks_of(images: Sequence[Image]) -> list[Stack]:
    """The images with a position, by the direction of their slices; the largest stack first."""
    by_axes: dict[tuple[float, ...], list[Image]] = {}
    for image in images:
        axes = image.original_attributes.get(SLICE_AXES)
        if image.position_mm is not None and isinstance(axes, list):
            by_axes.setdefault(_known(tuple(axes), by_axes), []).append(image)
    stacks = [_stack(of_axes, [image.position_mm or 0.0 for image in of_axes]) for of_axes in by_axes.values()]
    return sorted(stacks, key=lambda stack: -len(stack.images))


def _known(axes: tuple[float, ...], by_axes: dict[tuple[float, ...], list[Image]]) -> tuple[float, ...]:
    """The direction among those that there are which is the same, or the direction itself."""
    if axes in by_axes:
        return axes
    return next((one for one in by_axes if max(abs(a - b) for a, b in zip(one, axes, strict=True)) <= SAME_AXES), axes)


def frame_stack(image: Image) -> Stack | None:
    """The frames of a multi-frame object as a stack; None where they say no positions."""
    return _stack([image], image.frame_positions_mm) if image.frame_positions_mm else None


def _stack(images: Sequence[Image], positions_mm: Sequence[float]) -> Stack:
    ordered = np.sort(np.asarray(positions_mm, dtype=np.float64))
    starts = np.concatenate(([True], np.diff(ordered) > SAME_PLACE_MM))
    places = ordered[starts]
    counts = np.diff(np.append(np.flatnonzero(starts), len(ordered)))
    return Stack(tuple(images), places, counts)


def gaps_of(stack: Stack) -> Gaps | None:
    """What the distances say; None for fewer than two places."""
    if len(stack.places_mm) < 2:
        return None
    distances = np.diff(stack.places_mm)
    spacing = _spacing_mm(stack, distances)
    least, most = float(distances.min()), float(distances.max())
    if spacing is None:
        # Two places, or distances of which no two agree: uneven only if there are enough to say so.
        return Gaps(None, 0, None, least, most, is_even=len(distances) < 2 or most - least <= _tolerance(most))
    steps = distances / spacing
    whole = np.maximum(np.rint(steps), 1)
    off = np.abs(distances - whole * spacing)
    # Rounded positions add up over a wide gap no more than over a narrow one, a wrong spacing does.
    is_whole = off <= np.where(whole > 1, WHOLE_SHARE * spacing, _tolerance(spacing))
    missing = int((whole - 1)[is_whole].sum())
    holes = np.flatnonzero(is_whole & (whole > 1))
    first = float(stack.places_mm[holes[0]]) if len(holes) else None
    return Gaps(spacing, missing, first, least, most, is_even=bool(is_whole.all()))


def _tolerance(spacing_mm: float) -> float:
    return max(EVEN_SHARE * spacing_mm, EVEN_MM)


def _spacing_mm(stack: Stack, distances: Positions) -> float | None:
    """The distance that most neighbours have; else what numbers, or Spacing Between Slices, say of all of them."""
    median = float(np.median(distances))
    if len(distances) >= 3 and np.mean(np.abs(distances - median) <= _tolerance(median)) >= 0.5:
        return median
    by_numbers = _spacing_by_numbers_mm(stack)
    if by_numbers is not None:
        return by_numbers
    declared = abs(stack.images[0].number_of("SpacingBetweenSlices") or 0.0)
    if declared > SAME_PLACE_MM:
        steps = distances / declared
        if np.all(np.abs(steps - np.rint(steps)) <= WHOLE_SHARE) and np.all(np.rint(steps) >= 1):
            return declared
    if len(distances) == 2 and abs(distances[0] - distances[1]) <= _tolerance(median):
        return median
    return None


def _spacing_by_numbers_mm(stack: Stack) -> float | None:
    """Millimetres for one instance number, where position and number rise together, evenly."""
    pairs = sorted({(image.position_mm or 0.0, image.number) for image in stack.images if image.number is not None})
    positions = np.array([position for position, _ in pairs])
    numbers = np.array([number for _, number in pairs], dtype=np.float64)
    if len(pairs) != len(stack.places_mm) or len(pairs) < 2:
        return None
    steps = np.abs(np.diff(numbers))
    if not np.all(steps) or len(set(np.sign(np.diff(numbers)))) != 1:
        return None
    rates = np.diff(positions) / steps
    rate = float(np.median(rates))
    # Two images say nothing of evenness: their numbers must at least be neighbours.
    is_sure = len(pairs) > 2 or steps[0] == 1
    return rate if is_sure and np.all(np.abs(rates - rate) <= _tolerance(rate)) else None


def count_copies(stack: Stack) -> int:
    """How many images lie where another of the same volume lies already."""
    if len(stack.places_mm) == len(stack.images):
        return 0
    seen: dict[tuple[int, tuple[object, ...]], Counter[tuple[object, ...]]] = defaultdict(Counter)
    volumes: dict[int, tuple[object, ...]] = {}
    for image in stack.images:
        place = int(np.searchsorted(stack.places_mm, (image.position_mm or 0.0) + SAME_PLACE_MM / 2, side="right"))
        shared = volumes.get(id(image.original_attributes))
        if shared is None:
            shared = volumes[id(image.original_attributes)] = _volume_of(image)
        seen[place, (*shared, image.volume_key)][image.number, image.acquired_s] += 1
    copies = sum(count - 1 for of_place in seen.values() for count in of_place.values())
    # Without a mark, as many images at every place are the phases of something dynamic, else copies with new numbers.
    distinct: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for (_, volume), of_place in seen.items():
        distinct[volume].append(len(of_place))
    for per_place in distinct.values():
        usual = Counter(per_place).most_common(1)[0][0]
        if usual == 1:
            copies += sum(count - 1 for count in per_place)
    return copies


def _volume_of(image: Image) -> tuple[object, ...]:
    return tuple(image.text(keyword) for keyword in _VOLUME_KEYWORDS)


def count_incomplete(stack: Stack) -> int:
    """How many images a stack of several volumes lacks at places where most places have one more."""
    usual, times = Counter(stack.counts.tolist()).most_common(1)[0]
    if usual < 2 or times < COMPLETE_SHARE * len(stack.counts) or len(stack.counts) < 3:
        return 0
    return int(np.maximum(usual - stack.counts, 0).sum())


def missing_numbers(images: Sequence[Image]) -> tuple[int, ...]:
    """Instance numbers that are left out between the first and the last, where they are few."""
    numbers = [image.number for image in images if image.number is not None]
    if len(numbers) < len(images) or len(set(numbers)) < len(numbers) or len(numbers) < 3:
        return ()
    first, last = min(numbers), max(numbers)
    holes = last - first + 1 - len(numbers)
    if not 0 < holes <= max(1, MOST_HOLES_SHARE * len(numbers)):
        return ()
    return tuple(sorted(set(range(first, last + 1)) - set(numbers)))
