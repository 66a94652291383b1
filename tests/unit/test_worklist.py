"""What wants a person's look, in which order, what would leave, and how a step is taken back."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.pixels.boxes import Box
from app.project.decisions import Decisions, ImageAction, save_decisions
from app.project.folder import Project
from app.project.images import ImageState, Region
from app.project.masks import MaskScope
from app.review.image_deciding import decide_image, decide_series, mask_for, with_masks
from app.review.places import named_places
from app.review.worklist import (
    Leaving,
    SeriesToReview,
    Stop,
    change_between,
    list_work,
    review_series,
    take_back,
)
from tests.unit.image_project import NAME, UNSURE
from tests.unit.review_project import add_check, add_instance, open_project

DRAWN = Box(40, 40, 50, 60)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        yield opened


def look(project: Project, series_id: int = 1) -> SeriesToReview:
    review = review_series(project, series_id, list_work(project).audit)
    assert review is not None
    return review


def limit_audit(project: Project, size: int) -> None:
    review = project.protocol.review.model_copy(update={"audit_sample": size})
    project.protocol = project.protocol.model_copy(update={"review": review})


def test_series_that_want_a_look_come_first_then_the_random_sample(project: Project) -> None:
    limit_audit(project, 1)
    for series in (1, 2):
        add_check(project, add_instance(project, 1, series=series))
    add_check(project, add_instance(project, 1, series=3), risk="ultrasound")
    add_check(project, add_instance(project, 1, series=4), NAME)
    work = list_work(project)
    drawn = next(item.card.series_id for item in work.items if item.audit)
    assert [item.card.series_id for item in work.items] == [4, 3, drawn, 3 - drawn]
    assert [item.todo for item in work.items] == [1, 1, 1, 0]
    assert [item.state for item in work.items][:2] == [ImageState.TEXT_FOUND, ImageState.MUST_BE_SEEN]
    assert '"4/1.dcm"' in work.items[0].original_locator


def test_image_of_the_sample_wants_a_look_until_a_person_decides_on_it(project: Project) -> None:
    add_check(project, add_instance(project, 1))
    review = look(project)
    image = review.series.images[0]
    assert image.plan.state is ImageState.CLEAR
    assert review.wants_look(image)
    save_decisions(project.layout, decide_image(Decisions(), image, ImageAction.RELEASE))
    review = look(project)
    assert not review.wants_look(review.series.images[0])
    assert list_work(project).items[0].todo == 0


def test_next_image_goes_round_the_end_and_leaves_out_what_was_just_decided(project: Project) -> None:
    for number in range(1, 5):
        add_check(project, add_instance(project, number), *([NAME] if number in (2, 4) else []))
    limit_audit(project, 0)
    review = look(project)
    assert [review.next_to_look_at(after) for after in (-1, 0, 1, 3)] == [1, 1, 3, 1]
    assert review.next_to_look_at(3, done={1}) == 3
    assert review.next_to_look_at(3, done={1, 3}) is None


def test_stops_are_the_frames_of_all_images_and_begin_where_the_text_is(project: Project) -> None:
    late = replace(NAME, box=replace(NAME.box, frame=2))
    add_check(project, add_instance(project, 1))
    add_check(project, add_instance(project, 2), late, frames=3)
    review = look(project)
    assert review.stops == (Stop(0, 0), Stop(1, 0), Stop(1, 1), Stop(1, 2))
    assert review.stops_with_text == {3}
    assert [review.first_stop(index) for index in (0, 1)] == [0, 3]


def test_outlook_tells_what_leaves_what_would_if_masked_and_what_stays(project: Project) -> None:
    add_check(project, add_instance(project, 1), NAME, UNSURE)
    review = look(project)
    image = review.series.images[0]
    mask = mask_for(MaskScope.INSTANCE, DRAWN, image, review.series, 0)
    decisions = with_masks(Decisions(), add=[mask])
    save_decisions(project.layout, decisions)
    undecided = look(project).outlook(0)
    assert (undecided.leaving, undecided.boxes) == (Leaving.IF_MASKED, (NAME.box, DRAWN))
    for action, expected in (
        (ImageAction.RELEASE, (Leaving.LEAVES, (DRAWN,))),
        (ImageAction.MASK, (Leaving.LEAVES, (NAME.box, DRAWN))),
        (ImageAction.EXCLUDE, (Leaving.STAYS, ())),
    ):
        save_decisions(project.layout, decide_image(decisions, image, action))
        review = look(project)
        outlook = review.outlook(0)
        assert (outlook.leaving, outlook.boxes) == expected
        assert review.decision_on(review.series.images[0]) is action


def test_image_that_nobody_looked_through_stays_in_the_outlook(project: Project) -> None:
    add_instance(project, 1)
    review = look(project)
    assert review.outlook(0).leaving is Leaving.STAYS
    assert review.decision_on(review.series.images[0]) is None


def test_card_of_one_series_follows_its_decisions(project: Project) -> None:
    for number in (1, 2):
        add_check(project, add_instance(project, number), NAME)
    item = list_work(project).items[0]
    save_decisions(project.layout, decide_image(Decisions(), look(project).series.images[0], ImageAction.MASK))
    updated = item.updated(look(project))
    assert updated.card.states == list_work(project).items[0].card.states
    assert updated.original_locator == item.original_locator, "its thumbnail stays"
    assert (item.todo, updated.todo) == (2, 1)


def test_step_is_taken_back_and_nothing_else_with_it(project: Project) -> None:
    for number in (1, 2):
        add_check(project, add_instance(project, number), NAME)
    review = look(project)
    first, second = review.series.images
    mask = mask_for(MaskScope.SERIES, DRAWN, first, review.series, 0)
    before = with_masks(decide_image(Decisions(), first, ImageAction.EXCLUDE), add=[mask])
    after = with_masks(decide_series(before, review.series, ImageAction.MASK), remove=[mask])
    change = change_between(before, after)
    assert take_back(after, change) == before
    other = decide_image(after, second, ImageAction.RELEASE)
    assert take_back(other, change) == decide_image(before, second, ImageAction.RELEASE)
    assert change_between(after, after).is_empty


def test_place_that_several_detectors_found_is_named_once() -> None:
    letters = Region(Box(12, 22, 28, 60), "glyphs", 1.0, is_strong=True)
    elsewhere = Region(Box(70, 20, 80, 40), "glyphs", 1.0, is_strong=True)
    around = Region(Box(0, 0, 40, 200), "device", 1.0, is_strong=True)
    assert named_places([letters, NAME, elsewhere, around]) == [1, 2, 3]
    other_frame = replace(letters, box=replace(letters.box, frame=1))
    assert named_places([replace(NAME, box=replace(NAME.box, frame=0)), other_frame]) == [0, 1]
