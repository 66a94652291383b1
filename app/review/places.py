"""Which of the regions on an image are worth a name of their own.

Several detectors find the same words, one of them letter by letter: all of it counts, but a person reads it once.
"""

from collections.abc import Sequence

from app.pixels.boxes import Box
from app.project.images import Region

# As much of a region lies in another one where both found the same words.
_SAME_PLACE = 0.6


def named_places(regions: Sequence[Region]) -> list[int]:
    """The indexes of the regions that no other one tells better of, those with text first.

    One with text tells better than one without, a certain one better than an unsure one.
    """
    order = sorted(range(len(regions)), key=lambda index: _weight(regions[index]), reverse=True)
    kept: list[int] = []
    for index in order:
        box = regions[index].box
        if not any(
            regions[other].box.frame in (None, box.frame) and _shared(box, regions[other].box) >= _SAME_PLACE
            for other in kept
        ):
            kept.append(index)
    return sorted(kept, key=lambda index: (not regions[index].original_text, index))


def _weight(region: Region) -> tuple[bool, bool, int]:
    return bool(region.original_text), region.is_strong, _area(region.box)


def _shared(box: Box, other: Box) -> float:
    """Which part of ``box`` lies in the other."""
    height = min(box.bottom, other.bottom) - max(box.top, other.top)
    width = min(box.right, other.right) - max(box.left, other.left)
    return max(0, height) * max(0, width) / _area(box)


def _area(box: Box) -> int:
    return (box.bottom - box.top) * (box.right - box.left)
