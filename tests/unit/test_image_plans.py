"""What becomes of an image: findings, decisions and the protocol together."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.errors import ProjectError, Reason
from app.pixels.boxes import Box
from app.project.decisions import Decisions, ImageAction, ImageDecision, load_decisions, save_decisions
from app.project.folder import Project
from app.project.images import CheckedImage, CheckedSeries, ImagePlanner, ImageState, Region
from app.project.masks import Mask, MaskScope
from app.review.image_deciding import decide_image, decide_series, mask_for, masks_on, with_masks
from tests.unit.review_project import add_check, add_instance, open_project

NAME = Region(Box(10, 20, 30, 90), "ppocr", 0.9, is_strong=True, original_text="DOE JANE")
UNSURE = Region(Box(60, 20, 70, 40), "glyphs", 0.3, is_strong=False)
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        yield opened


def look(project: Project, *, unattended: bool = False, decisions: Decisions | None = None) -> CheckedSeries:
    series = ImagePlanner(project, unattended=unattended, decisions=decisions).series(1)
    assert series is not None
    return series


def state(project: Project, *, unattended: bool = False, decisions: Decisions | None = None) -> ImageState:
    return look(project, unattended=unattended, decisions=decisions).images[0].plan.state


def decided(project: Project, action: ImageAction) -> Decisions:
    return decide_image(Decisions(), look(project).images[0], action)


def test_image_that_was_not_looked_through_stays(project: Project) -> None:
    instance = add_instance(project, 1)
    assert look(project).images[0].plan.reason is Reason.IMAGE_NOT_CHECKED
    add_check(project, instance, is_stale=True)
    assert look(project).images[0].plan.reason is Reason.IMAGE_NOT_CHECKED
    add_check(project, instance)
    assert state(project) is ImageState.CLEAR
    project.store.set_meta("detection_signature", "other detectors")
    assert state(project) is ImageState.UNCHECKED


def test_image_on_which_a_detector_failed_stays_whatever_a_person_says(project: Project) -> None:
    add_check(project, add_instance(project, 1), failure=Reason.DETECTOR_FAILED)
    assert look(project).images[0].plan.reason is Reason.DETECTOR_FAILED
    assert state(project, unattended=True) is ImageState.UNCHECKED
    assert state(project, decisions=decided(project, ImageAction.RELEASE)) is ImageState.UNCHECKED


def test_found_text_waits_for_a_person_and_is_masked_without_one(project: Project) -> None:
    add_check(project, add_instance(project, 1), NAME, UNSURE)
    assert state(project) is ImageState.TEXT_FOUND
    plan = look(project, unattended=True).images[0].plan
    assert (plan.state, plan.boxes, plan.seen_by_person) == (ImageState.MASKED, (NAME.box,), False)


def test_protocol_may_forbid_masks_that_no_person_saw(project: Project) -> None:
    add_check(project, add_instance(project, 1), NAME)
    images = project.protocol.images.model_copy(update={"unattended_masks": False})
    project.protocol = project.protocol.model_copy(update={"images": images})
    assert state(project, unattended=True) is ImageState.TEXT_FOUND


def test_person_may_mask_release_or_exclude(project: Project) -> None:
    add_check(project, add_instance(project, 1), NAME, UNSURE)
    masked = look(project, decisions=decided(project, ImageAction.MASK)).images[0].plan
    assert (masked.state, masked.boxes, masked.seen_by_person) == (ImageState.MASKED, (NAME.box,), True)
    released = look(project, decisions=decided(project, ImageAction.RELEASE)).images[0].plan
    assert (released.state, released.boxes, released.seen_by_person) == (ImageState.SEEN, (), True)
    assert state(project, decisions=decided(project, ImageAction.EXCLUDE)) is ImageState.EXCLUDED


def test_decision_is_void_when_other_text_is_found_later(project: Project) -> None:
    instance = add_instance(project, 1)
    add_check(project, instance, NAME)
    of_image = decided(project, ImageAction.RELEASE)
    of_series = decide_series(Decisions(), look(project), ImageAction.RELEASE)
    assert state(project, decisions=of_image) is state(project, decisions=of_series) is ImageState.SEEN
    add_check(project, instance, NAME, replace(NAME, box=Box(40, 20, 50, 90), original_text="1960-01-02"))
    assert state(project, decisions=of_image) is state(project, decisions=of_series) is ImageState.TEXT_FOUND


def test_decision_on_a_series_is_void_when_it_gets_another_image(project: Project) -> None:
    add_check(project, add_instance(project, 1), NAME)
    decisions = decide_series(Decisions(), look(project), ImageAction.RELEASE)
    add_check(project, add_instance(project, 2), NAME)
    assert [image.plan.state for image in look(project, decisions=decisions).images] == [ImageState.TEXT_FOUND] * 2


def test_exclusion_needs_no_sight(project: Project) -> None:
    add_instance(project, 1)
    decisions = Decisions(images={"1.2.1": ImageDecision(ImageAction.EXCLUDE)})
    assert state(project, decisions=decisions) is ImageState.EXCLUDED


def test_own_decision_goes_before_the_series(project: Project) -> None:
    for number in (1, 2):
        add_check(project, add_instance(project, number), NAME)
    decisions = decide_series(Decisions(), look(project), ImageAction.RELEASE)
    decisions = decide_image(decisions, look(project).images[1], ImageAction.EXCLUDE)
    states = [image.plan.state for image in look(project, decisions=decisions).images]
    assert states == [ImageState.SEEN, ImageState.EXCLUDED]
    again = decide_series(decisions, look(project), ImageAction.MASK)
    assert [image.plan.state for image in look(project, decisions=again).images] == [ImageState.MASKED] * 2


def test_image_of_a_kind_with_text_must_be_seen_where_none_was_found(project: Project) -> None:
    add_check(project, add_instance(project, 1), risk="ultrasound")
    for unattended in (False, True):
        assert state(project, unattended=unattended) is ImageState.MUST_BE_SEEN
    assert state(project, decisions=decided(project, ImageAction.RELEASE)) is ImageState.SEEN


def test_weak_finding_is_for_a_persons_eyes(project: Project) -> None:
    add_check(project, add_instance(project, 1), UNSURE)
    assert look(project).images[0].plan.reason is Reason.TEXT_POSSIBLE
    assert state(project, unattended=True) is ImageState.CLEAR


def test_drawn_masks_that_cover_all_text_settle_an_image_of_a_harmless_kind(project: Project) -> None:
    add_check(project, add_instance(project, 1), NAME)
    image, series = look(project).images[0], look(project)
    wide = mask_for(MaskScope.DEVICE, Box(0, 0, 40, 500), image, series, 0)
    plan = look(project, decisions=with_masks(Decisions(), add=[wide])).images[0].plan
    assert (plan.state, plan.boxes) == (ImageState.MASKED, (Box(0, 0, 40, 200),)), "clipped to the matrix"
    narrow = mask_for(MaskScope.SERIES, Box(0, 0, 29, 200), image, series, 0)
    assert state(project, decisions=with_masks(Decisions(), add=[narrow])) is ImageState.TEXT_FOUND


def test_mask_reaches_as_far_as_its_scope(project: Project) -> None:
    for number, device in ((1, "scanner A"), (2, "scanner A"), (3, "scanner B")):
        add_check(project, add_instance(project, number), device=device, frames=3)
    series = look(project)
    box = Box(1, 1, 5, 5)
    reach = {}
    for scope in MaskScope:
        mask = mask_for(scope, box, series.images[0], series, 2)
        decisions = with_masks(Decisions(), add=[mask])
        seen = look(project, decisions=decisions)
        reach[scope] = [len(image.plan.boxes) for image in seen.images]
        assert masks_on(decisions, seen.images[0], seen) == [mask]
    assert reach == {
        MaskScope.FRAME: [1, 0, 0],
        MaskScope.INSTANCE: [1, 0, 0],
        MaskScope.SERIES: [1, 1, 1],
        MaskScope.DEVICE: [1, 1, 0],
    }


def test_mask_for_a_device_without_a_name_is_refused(project: Project) -> None:
    add_check(project, add_instance(project, 1), device="")
    series = look(project)
    with pytest.raises(ValueError, match="key"):
        mask_for(MaskScope.DEVICE, Box(0, 0, 1, 1), series.images[0], series, 0)


def test_protocol_may_want_every_image_seen_and_no_masked_one(project: Project) -> None:
    images = project.protocol.images.model_copy(update={"release": ("seen",)})
    project.protocol = project.protocol.model_copy(update={"images": images})
    add_check(project, add_instance(project, 1))
    assert look(project).images[0].plan.reason is Reason.MUST_BE_SEEN
    add_check(project, add_instance(project, 2), NAME)
    decisions = decide_image(Decisions(), look(project).images[1], ImageAction.MASK)
    assert look(project, decisions=decisions).images[1].plan.reason is Reason.EXCLUDED_BY_PROTOCOL


def test_segmentations_have_no_plan(project: Project) -> None:
    add_instance(project, 1, sop_class_uid=SEGMENTATION)
    assert ImagePlanner(project).series(1) is None


def test_decisions_and_masks_come_back_as_they_were_saved(project: Project) -> None:
    decisions = Decisions(
        images={"1.2.1": ImageDecision(ImageAction.MASK, "looks fine", "s0123")},
        masks=frozenset(
            (
                Mask(MaskScope.FRAME, "1.2.1.1", Box(1, 2, 3, 4, 5)),
                Mask(MaskScope.DEVICE, '["Acme", "ü"]', Box(0, 0, 9, 9)),
            )
        ),
    )
    save_decisions(project.layout, decisions)
    assert load_decisions(project.layout) == decisions
    assert decisions.digest() != Decisions(images=decisions.images).digest()
    assert decisions.preparation_digest() != Decisions(images=decisions.images).preparation_digest()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '[{"scope": "series", "key": "1", "top": 0, "left": 0, "bottom": 0, "right": 1}]',
        '[{"scope": "series", "key": "1", "top": 0, "left": 0, "bottom": 1, "right": 1, "frame": 1}]',
        '[{"scope": "all", "key": "1", "top": 0, "left": 0, "bottom": 1, "right": 1}]',
        '[{"scope": "series", "key": "1", "top": 0, "left": 0, "bottom": 1, "right": 1, "more": 1}]',
        '[{"scope": "series", "key": "1", "top": true, "left": 0, "bottom": 1, "right": 1}]',
        '["series"]',
    ],
)
def test_damaged_masks_are_an_error_and_not_no_masks(project: Project, text: str) -> None:
    project.layout.masks_json.write_text(text, encoding="utf-8")
    with pytest.raises(ProjectError, match="decisions-damaged"):
        load_decisions(project.layout)


def test_state_says_whether_an_image_leaves() -> None:
    leaving = {state for state in ImageState if state.leaves}
    assert leaving == {ImageState.MASKED, ImageState.SEEN, ImageState.CLEAR}
    assert {state for state in ImageState if state.waits} == {ImageState.TEXT_FOUND, ImageState.MUST_BE_SEEN}


def test_image_of_a_plan_never_has_both_a_reason_and_boxes(project: Project) -> None:
    for number, regions in enumerate([(), (NAME,), (UNSURE,), (NAME, UNSURE)], start=1):
        add_check(project, add_instance(project, number), *regions)
    images: list[CheckedImage] = [*look(project).images, *look(project, unattended=True).images]
    assert all((image.plan.reason is None) == image.plan.state.leaves for image in images)
    assert not any(image.plan.reason and image.plan.boxes for image in images)
