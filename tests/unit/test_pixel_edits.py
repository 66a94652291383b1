import numpy as np
import pytest

from app.pixels.edits import make_edit


@pytest.mark.parametrize("kind", ["<u1", "<i2", "<u2"])
def test_an_edit_changes_the_pixels_it_is_for_and_no_other(kind: str) -> None:
    before = np.arange(63).reshape(7, 9).astype(kind)
    after = before.copy()
    after[2, 3], after[6, 8] = 5, 7
    edit = make_edit(before, after)
    assert np.array_equal(edit.apply(before), after)
    assert not edit.is_empty
    assert before[2, 3] == 21


def test_an_edit_without_changes_is_empty() -> None:
    frame = np.ones((4, 4), "<i2")
    assert make_edit(frame, frame).is_empty


def test_an_edit_for_another_frame_is_refused() -> None:
    frame = np.zeros((8, 8), "<u2")
    edit = make_edit(frame, frame + np.uint16(1))
    with pytest.raises(ValueError):
        edit.apply(np.zeros((8, 7), "<u2"))
    with pytest.raises(ValueError):
        edit.apply(np.zeros((8, 8), "<u1"))
