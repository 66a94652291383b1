"""The survey of long stacks: found where it stands, on the frames where it stands, with few looks and few readings."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.detection.survey import Renditions, survey
from app.engines.base import DetectedText, DetectorFailedError, Image
from app.pixels.boxes import Box

ROWS, COLUMNS = 192, 256
MARK = (12, 60)


class MarkDetector:
    """Finds the marks that ``draw_mark`` draws: rows of bars of one brightness, wherever and on whatever they stand."""

    label = "glyphs"
    version = "1"

    def __init__(self, fails_at: int | None = None) -> None:
        self.looks = 0
        self._fails_at = fails_at

    def is_available(self) -> bool:
        return True

    def detect(self, image: Image) -> list[DetectedText]:
        self.looks += 1
        if self.looks == self._fails_at:
            raise DetectorFailedError
        grey = image if image.ndim == 2 else image.max(axis=2)
        match = cv2.matchTemplate(grey, _mark(), cv2.TM_CCOEFF_NORMED)
        found = []
        while match.max() > 0.75:
            top, left = (int(value) for value in np.unravel_index(int(match.argmax()), match.shape))
            found.append(DetectedText(top, left, top + MARK[0], left + MARK[1], 1.0, "ZZCANARY"))
            match[max(0, top - MARK[0]) : top + MARK[0], max(0, left - MARK[1]) : left + MARK[1]] = 0
        return found


class Scans(Sequence[Renditions]):
    """Frames of moving, noisy anatomy; counts how often each is read."""

    def __init__(self, count: int, *, is_colour: bool = False, renditions: int = 1) -> None:
        self.marks: dict[int, list[tuple[int, int, int]]] = {}
        self.reads = np.zeros(count, int)
        self._is_colour, self._renditions = is_colour, renditions

    def mark(self, frames: Sequence[int], top: int, left: int, brightness: int = 255) -> Box:
        """Write at this place on these frames."""
        for frame in frames:
            self.marks.setdefault(frame, []).append((top, left, brightness))
        return Box(top, left, top + MARK[0], left + MARK[1])

    def __len__(self) -> int:
        return len(self.reads)

    def __getitem__(self, frame: int) -> Renditions:  # type: ignore[override]  # no slices of what is drawn one by one
        self.reads[frame] += 1
        rng = np.random.default_rng(frame)
        picture = np.zeros((ROWS, COLUMNS), np.uint8)
        cv2.ellipse(picture, (128, 96), (100 + frame % 5, 70), 0, 0, 360, 90, -1)
        cv2.circle(picture, (90 + frame // 8, 90), 20 + frame % 11, 140, -1)
        noisy = np.clip(picture + 6 * rng.standard_normal(picture.shape), 0, 255).astype(np.uint8)
        for top, left, brightness in self.marks.get(frame, ()):
            noisy[top : top + MARK[0], left : left + MARK[1]][_mark() > 0] = brightness
        image = np.repeat(noisy[:, :, np.newaxis], 3, axis=2) if self._is_colour else noisy
        return tuple(image for _ in range(self._renditions))


def _mark() -> NDArray[np.uint8]:
    mark = np.zeros(MARK, np.uint8)
    for number, column in enumerate(range(1, MARK[1] - 2, 6)):
        mark[1 + number % 3 : MARK[0] - 1 - number % 2, column : column + 3] = 255
    return mark


def _frames_of(stack: Scans, found: Sequence[object], place: Box) -> list[int]:
    """On which frames the regions cover a place."""
    boxes = [region.box for region in found]  # type: ignore[attr-defined]
    grown = [Box(max(0, box.top - 2), max(0, box.left - 2), box.bottom + 2, box.right + 2, box.frame) for box in boxes]
    return [
        frame
        for frame in range(len(stack))
        if any(box.covers(Box(place.top, place.left, place.bottom, place.right, frame)) for box in grown)
    ]


@pytest.mark.parametrize("is_colour", [False, True])
def test_text_on_one_frame_of_300_is_found_on_that_frame(is_colour: bool) -> None:
    stack = Scans(300, is_colour=is_colour)
    corner, body = stack.mark([137], 4, 4), stack.mark([211], 90, 110)

    found = survey(stack, [MarkDetector()])

    assert _frames_of(stack, found, corner) == [137]
    assert _frames_of(stack, found, body) == [211]
    assert {region.original_text for region in found} == {"ZZCANARY"}


def test_text_on_every_frame_is_said_to_stand_on_all() -> None:
    stack = Scans(120)
    stack.mark(range(120), 170, 180)

    found = survey(stack, [MarkDetector()])

    assert [region.box.frame for region in found] == [None]
    assert found[0].is_strong


@pytest.mark.parametrize("last", [0, 1, 58, 59])
def test_text_at_an_end_of_the_stack_is_found(last: int) -> None:
    stack = Scans(60)
    place = stack.mark([last], 4, 4)

    assert _frames_of(stack, survey(stack, [MarkDetector()]), place) == [last]


def test_text_on_some_frames_is_found_on_each_of_them() -> None:
    stack = Scans(200)
    dark, light = stack.mark(range(50, 57), 90, 110, 255), stack.mark(range(120, 200), 170, 20, 200)

    found = survey(stack, [MarkDetector()])

    assert set(_frames_of(stack, found, dark)) >= set(range(50, 57))
    assert set(_frames_of(stack, found, light)) >= set(range(120, 200))
    assert len(_frames_of(stack, found, light)) < 90


def test_text_that_goes_on_between_two_frames_where_it_was_found_is_found_between_them() -> None:
    stack = Scans(100)
    frames = [*range(30, 40), *range(41, 50), *range(52, 60)]
    place = stack.mark(frames, 4, 150)

    assert set(_frames_of(stack, survey(stack, [MarkDetector()]), place)) >= set(range(30, 60))


def test_text_that_a_wider_window_makes_fainter_still_stands_there() -> None:
    class Windowed(Scans):
        def __getitem__(self, frame: int) -> Renditions:  # type: ignore[override]  # no slices, as above
            (picture,) = super().__getitem__(frame)
            return (picture if frame < 20 else np.asarray(picture // 4, np.uint8),)

    stack = Windowed(60)
    place = stack.mark(range(50), 90, 110)

    assert set(_frames_of(stack, survey(stack, [MarkDetector()]), place)) >= set(range(50))


def test_every_frame_is_looked_at_where_frames_have_nothing_to_do_with_each_other() -> None:
    class Pages(Scans):
        def __getitem__(self, frame: int) -> Renditions:  # type: ignore[override]  # as above
            (picture,) = super().__getitem__(frame)
            return (np.asarray(np.roll(picture if frame % 2 else 255 - picture, 40 * frame, axis=1), np.uint8),)

    stack, detector = Pages(30), MarkDetector()

    survey(stack, [detector])

    assert detector.looks >= 30


def test_a_frame_with_one_more_picture_is_looked_at_by_itself() -> None:
    class Overlaid(Scans):
        def __getitem__(self, frame: int) -> Renditions:  # type: ignore[override]  # as above
            (picture,) = super().__getitem__(frame)
            if frame != 33:
                return (picture,)
            hidden = np.zeros_like(picture)
            hidden[100 : 100 + MARK[0], 100 : 100 + MARK[1]] = _mark()
            return picture, hidden

    stack = Overlaid(80)

    assert _frames_of(stack, survey(stack, [MarkDetector()]), Box(100, 100, 112, 160)) == [33]


@pytest.mark.parametrize("fails_at", [1, 2, 3])
def test_a_detector_that_fails_at_any_look_fails_the_survey(fails_at: int) -> None:
    stack = Scans(60)
    stack.mark([30], 4, 4)

    with pytest.raises(DetectorFailedError):
        survey(stack, [MarkDetector(fails_at)])


def test_a_frame_that_cannot_be_read_fails_the_survey() -> None:
    class Torn(Scans):
        def __getitem__(self, frame: int) -> Renditions:  # type: ignore[override]  # as above
            if frame == 41:
                raise OSError
            return super().__getitem__(frame)

    with pytest.raises(OSError):
        survey(Torn(60), [MarkDetector()])


def test_no_detector_fails_the_survey() -> None:
    with pytest.raises(DetectorFailedError):
        survey(Scans(60), [])


def test_frames_are_read_twice_at_most_but_for_a_few_and_looks_are_few() -> None:
    stack, detector = Scans(300), MarkDetector()
    for frame in (20, 90, 91, 200):
        stack.mark([frame], 4 + frame % 3, 4)

    survey(stack, [detector])

    assert stack.reads.min() >= 1
    assert (stack.reads > 2).sum() <= 12
    assert stack.reads.max() <= 6
    assert detector.looks <= 15


def test_short_stacks_are_looked_at_frame_by_frame() -> None:
    stack, detector = Scans(4, renditions=2), MarkDetector()
    place = stack.mark([2], 4, 4)

    found = survey(stack, [detector])

    assert detector.looks == 8
    assert _frames_of(stack, found, place) == [2]


def test_a_single_frame_needs_no_number() -> None:
    stack = Scans(1)
    stack.mark([0], 4, 4)

    assert [region.box.frame for region in survey(stack, [MarkDetector()])] == [None]
