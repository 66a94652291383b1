"""Defacing, measured on synthetic heads whose brain is known voxel by voxel."""

from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.pixels.defacing import Defaced, DefacingError, Kind, deface, relief, skin_depth
from tests.unit.head_phantom import CT_VALUES, MR_VALUES, SHAPE, SPACING_MM, head_labels, paint

LABELS, BRAIN = head_labels()
KEY = b"a key of the site"


@lru_cache
def volume(name: str) -> tuple[NDArray[np.float64], Kind]:
    if name == "CT":
        return paint(LABELS, CT_VALUES, 12), Kind.CT
    return np.clip(paint(LABELS, MR_VALUES[name], 8), 0, None), Kind.MR


@lru_cache
def defaced_volume(name: str) -> Defaced:
    values, kind = volume(name)
    return deface(values, SPACING_MM, kind, KEY, front_is_first_row=True)


def moved_mm(one: NDArray[np.float64], other: NDArray[np.float64], kind: Kind, where: NDArray[np.bool_]) -> Any:
    """How far the skin of two volumes lies apart, where both have one."""
    first, second = skin_depth(one, SPACING_MM, kind)[where], skin_depth(other, SPACING_MM, kind)[where]
    both = np.isfinite(first) & np.isfinite(second)
    assert both.mean() > 0.9
    return np.abs(first[both] - second[both]) * SPACING_MM[1]


@pytest.mark.parametrize("name", ["CT", *MR_VALUES])
def test_the_face_changes_and_no_voxel_of_the_brain_does(name: str) -> None:
    values, kind = volume(name)
    defaced = defaced_volume(name)
    assert not (defaced.values != values)[BRAIN].any()
    assert (defaced.brain & BRAIN).sum() > 0.99 * BRAIN.sum()
    assert not ((defaced.values != values) & ~defaced.changed).any()
    # Not what the function says of itself: the skin is looked for anew in what came out.
    assert (moved_mm(values, defaced.values, kind, defaced.face) > 1).mean() > 0.9
    assert defaced.surface_changed > 0.9


def steepness(values: NDArray[np.float64], spacing: tuple[float, float, float], kind: Kind) -> float:
    """Of the skin from the chin to the brows, well inside of the face: nose, lips and eye sockets are steep."""
    depth = skin_depth(values, spacing, kind)[len(values) * 35 // 110 : len(values) * 70 // 110, 45:115] * spacing[1]
    down, across = np.gradient(depth, spacing[0], spacing[2])
    return float(np.percentile(np.hypot(down, across), 95))


@pytest.mark.parametrize("name", ["CT", *MR_VALUES])
@pytest.mark.parametrize("step", [1, 2])
def test_the_features_of_the_face_are_gone(name: str, step: int) -> None:
    """Also where a slice is thicker than the bone below the brain."""
    spacing = (SPACING_MM[0] * step, *SPACING_MM[1:])
    values, kind = volume(name)
    values = values[::step]
    defaced = defaced_volume(name) if step == 1 else deface(values, spacing, kind, KEY, front_is_first_row=True)
    assert steepness(defaced.values, spacing, kind) < 0.5 * steepness(values, spacing, kind)
    assert not (defaced.values != values)[BRAIN[::step]].any()


def test_another_key_makes_another_face_and_the_same_key_the_same() -> None:
    values, kind = volume("CT")
    one = defaced_volume("CT")
    again = deface(values, SPACING_MM, kind, KEY, front_is_first_row=True).values
    other = deface(values, SPACING_MM, kind, b"another key", front_is_first_row=True).values
    assert np.array_equal(one.values, again)
    assert (moved_mm(one.values, other, kind, one.face) > 1).mean() > 0.4


def test_a_key_whose_first_surfaces_come_too_near_to_the_brain_is_no_reason_to_refuse() -> None:
    values, kind = volume("CT")
    spacing = (2 * SPACING_MM[0], *SPACING_MM[1:])
    defaced = deface(values[::2], spacing, kind, b"site 85", front_is_first_row=True)
    assert defaced.surface_changed > 0.9


def test_a_person_who_lies_on_the_face_is_turned() -> None:
    values, kind = volume("CT")
    turned = deface(values[:, ::-1], SPACING_MM, kind, KEY, front_is_first_row=False)
    straight = defaced_volume("CT")
    assert np.array_equal(turned.values[:, ::-1], straight.values)
    assert np.array_equal(turned.brain[:, ::-1], straight.brain)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.full(SHAPE, -1000.0), "no-head"),
        (np.where(LABELS > 0, 40.0, -1000.0), "no-brain"),  # no bone: brain and scalp are one
        (np.pad(paint(LABELS[:, 60:100, 50:90], CT_VALUES, 0), 4, constant_values=-1000.0), "no-head"),
    ],
)
def test_what_is_no_head_with_a_brain_is_refused(values: NDArray[np.float64], code: str) -> None:
    with pytest.raises(DefacingError) as caught:
        deface(values, SPACING_MM, Kind.CT, KEY, front_is_first_row=True)
    assert caught.value.code == code


def test_the_relief_shows_the_face_with_the_head_up() -> None:
    values, kind = volume("CT")
    picture = relief(skin_depth(values, SPACING_MM, kind), SPACING_MM)
    assert picture.shape == (SHAPE[0], SHAPE[2])
    assert picture[:20].max() > 0
    assert picture[60:75, 75:85].std() > 20  # the nose throws a shade
