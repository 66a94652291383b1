"""What the positions of slices say: gaps, copies, volumes, and what must not be taken for one of them."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.checks.series import Image
from app.checks.slices import count_copies, count_incomplete, gaps_of, missing_numbers, stacks_of

AXIAL = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
SAGITTAL = [0.0, 1.0, 0.0, 0.0, 0.0, -1.0]


def image(
    position: float | None,
    number: int | None = None,
    *,
    axes: Sequence[float] | None = None,
    key: str = "",
    seconds: float | None = None,
    **attributes: object,
) -> Image:
    return Image(
        {"Modality": "MR", "SliceAxes": list(axes or AXIAL), **attributes},
        "1.2.840.10008.5.1.4.1.1.4",
        number,
        position,
        key,
        seconds,
        (),
        has_pixel_fault=False,
    )


def row(positions: Sequence[float], numbers: Sequence[int] | None = None) -> list[Image]:
    found = numbers or range(1, len(positions) + 1)
    return [image(position, number) for position, number in zip(positions, found, strict=True)]


def told(images: Sequence[Image]) -> tuple[int, bool]:
    """Missing slices, and whether the rest is even."""
    gaps = gaps_of(stacks_of(images)[0])
    assert gaps is not None
    return gaps.missing, gaps.is_even


@pytest.mark.parametrize(
    ("positions", "numbers", "expected"),
    [
        ([0, 1, 2, 3, 4], None, (0, True)),
        ([0, 1, 2, 4, 5], None, (1, True)),
        ([0, 1, 4, 5, 8, 9], None, (4, True)),  # the median is 1
        ([0, 5, 15, 20, 25], None, (1, True)),
        ([0, 1, 2, 3.4, 4.4], None, (0, False)),
        ([0, 2.5, 5, 7.5, 12.5, 17.5], None, (1 + 1, True)),  # twice as wide is the same as one that lacks
        ([0, 0.6, 1.3, 1.9, 2.5, 3.1, 3.8], None, (0, True)),  # 0.625 rounded to a tenth
        ([0, 2], [1, 2], (0, True)),
        ([0, 2], [1, 3], (0, True)),  # two images alone say nothing
        ([0, 21, 201, 210], [44, 51, 111, 114], (67, True)),  # their numbers tell the spacing
        ([0, 10, 30], None, (0, False)),
        ([0, 10, 20], None, (0, True)),
        ([25, 0, -25], None, (0, True)),
    ],
)
def test_gaps_are_told_from_positions(
    positions: list[float], numbers: list[int] | None, expected: tuple[int, bool]
) -> None:
    assert told(row(positions, numbers)) == expected


@given(
    count=st.integers(min_value=6, max_value=80),
    spacing=st.floats(min_value=0.5, max_value=10),
    start=st.floats(min_value=-500, max_value=500),
    data=st.data(),
)
def test_one_slice_that_is_taken_out_is_missed_whatever_the_order(
    count: int, spacing: float, start: float, data: st.DataObject
) -> None:
    positions = [round(start + spacing * place, 3) for place in range(count)]
    assert told(row(positions)) == (0, True)

    gone = data.draw(st.integers(min_value=1, max_value=count - 2))
    left = data.draw(st.permutations(positions[:gone] + positions[gone + 1 :]))
    assert told(row(left)) == (1, True)


def test_declared_spacing_settles_what_two_distances_leave_open() -> None:
    images = [image(position, SpacingBetweenSlices=10.0) for position in (0, 10, 30)]

    assert told(images) == (1, True)


def test_copies_share_place_and_number() -> None:
    images = [*row([0, 1, 2, 3]), image(2, 3)]

    assert count_copies(stacks_of(images)[0]) == 1


@pytest.mark.parametrize(
    "second",
    [
        {"key": "2"},
        {"EchoTime": 90},
        {"AcquisitionNumber": 2},
        {"ImageType": ["ORIGINAL", "PRIMARY", "P"]},
        {"DiffusionBValue": 800},
    ],
)
def test_volumes_that_something_tells_apart_are_no_copies(second: dict[str, object]) -> None:
    images = [*row([0, 1, 2, 3]), *(image(place, place + 1, **second) for place in range(4))]  # type: ignore[arg-type]

    (stack,) = stacks_of(images)
    assert count_copies(stack) == 0
    assert count_incomplete(stack) == 0


def test_volumes_that_only_numbers_tell_apart_are_no_copies() -> None:
    images = [image(place, volume * 5 + place + 1) for volume in range(3) for place in range(5)]

    assert count_copies(stacks_of(images)[0]) == 0


def test_volume_that_lacks_an_image_is_told() -> None:
    images = [image(place, key=str(volume)) for volume in range(3) for place in range(8)][1:]

    (stack,) = stacks_of(images)
    assert count_incomplete(stack) == 1
    assert count_copies(stack) == 0


def test_directions_are_told_apart_and_rounding_is_not() -> None:
    nearly = [1.0, 0.0, 0.001, 0.0, 1.0, 0.0]
    images = [*row([0, 1, 2]), image(3, axes=nearly), image(0, axes=SAGITTAL), image(None)]

    assert [len(stack.images) for stack in stacks_of(images)] == [4, 1]


@pytest.mark.parametrize(
    ("numbers", "missing"),
    [
        ([1, 2, 3, 4, 5, 7, 8], (6,)),
        ([1, 2, 3], ()),
        ([1, 3, 5, 7], ()),  # every other one: another way of numbering
        ([1, 1, 3], ()),
        ([5, 6, 8], (7,)),
    ],
)
def test_holes_in_numbers_count_where_they_are_few(numbers: list[int], missing: tuple[int, ...]) -> None:
    assert missing_numbers([image(0, number) for number in numbers]) == missing
