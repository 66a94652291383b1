from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.pixels.boxes import Box
from app.project.decisions import Decisions, DecisionsRefusedError, ImageAction, ImageDecision, load_decisions
from app.project.folder import Project
from app.project.images import ImageState, Region
from app.project.masks import MaskScope
from app.review.audit import AuditSample, draw_audit_sample, images_to_look_at
from app.review.image_deciding import decide_image, mask_for, with_masks
from app.review.images import list_images, list_series, write_images
from app.review.step import take_images
from tests.unit.review_project import add_check, add_instance, open_project

NAME = Region(Box(10, 20, 30, 90), "ppocr", 0.9, is_strong=True, original_text="=DOE JANE")
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        yield opened


def test_series_come_riskiest_first(project: Project) -> None:
    for number, series in [(3, 1), (10, 1), (1, 1)]:
        add_check(project, add_instance(project, number, series=series, sop_class_uid=CT_IMAGE))
    add_check(project, add_instance(project, 1, series=2), risk="ultrasound")
    add_check(project, add_instance(project, 1, series=3), NAME, replace(NAME, is_strong=False))
    cards = list_series(project)
    assert [card.original_series_uid for card in cards] == ["1.2.3", "1.2.2", "1.2.1"]
    assert [(card.images, card.waiting, card.found, card.possible, card.risk) for card in cards] == [
        (1, 1, 1, 1, "none"),
        (1, 1, 0, 0, "ultrasound"),
        (3, 0, 0, 0, "none"),
    ]
    assert cards[2].states[ImageState.CLEAR] == 3
    first = list_images(project, 1)
    assert first is not None
    assert [image.instance_number for image in first.images] == [1, 3, 10]


def test_decisions_on_series_and_instances_go_out_and_come_back(project: Project, tmp_path: Path) -> None:
    for number, series in [(1, 1), (2, 1), (1, 2)]:
        add_check(project, add_instance(project, number, series=series), NAME)
    file = tmp_path / "images.csv"
    write_images(project, file)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["series", "'1.2.1"], ["instance", "'1.2.1.1"], ["instance", "'1.2.1.2"],
        ["series", "'1.2.2"], ["instance", "'1.2.2.1"],
    ]  # fmt: skip
    assert "'=DOE JANE" in lines[2], "what was read starts no formula"
    lines[1] = lines[1].removesuffix(",") + "release,nothing in it"
    lines[3] = lines[3].removesuffix(",") + "Exclude,"
    lines[5] = lines[5].removesuffix(",") + "mask,"
    file.write_text("\n".join(lines), encoding="utf-8")
    decisions = take_images(project, file)
    assert decisions == load_decisions(project.layout)
    assert {uid: (one.action, one.note) for uid, one in decisions.images.items()} == {
        "1.2.1": (ImageAction.RELEASE, "nothing in it"),
        "1.2.1.2": (ImageAction.EXCLUDE, ""),
        "1.2.2.1": (ImageAction.MASK, ""),
    }
    states = [image.plan.state for number in (1, 2) for image in (list_images(project, number) or pytest.fail()).images]
    assert states == [ImageState.SEEN, ImageState.EXCLUDED, ImageState.MASKED]

    write_images(project, file)
    assert take_images(project, file) == decisions
    file.write_text("uid;decision\n1.2.1;\n", encoding="utf-8")
    assert set(take_images(project, file).images) == {"1.2.1.2", "1.2.2.1"}


def test_decision_without_a_sight_of_its_own_counts_for_what_is_found_now(project: Project, tmp_path: Path) -> None:
    add_check(project, add_instance(project, 1), NAME)
    file = tmp_path / "images.csv"
    file.write_text("uid,decision\n1.2.1.1,mask\n", encoding="utf-8")
    take_images(project, file)
    series = list_images(project, 1)
    assert series is not None
    assert series.images[0].plan.state is ImageState.MASKED


def test_csv_from_before_other_text_was_found_is_refused(project: Project, tmp_path: Path) -> None:
    instance = add_instance(project, 1)
    add_check(project, instance)
    file = tmp_path / "images.csv"
    write_images(project, file)
    file.write_text(file.read_text(encoding="utf-8-sig").replace(",,\n", ",release,\n"), encoding="utf-8")
    add_check(project, instance, NAME)
    with pytest.raises(DecisionsRefusedError) as caught:
        take_images(project, file)
    assert {problem.code for problem in caught.value.problems} == {"image-found-differs"}
    assert not load_decisions(project.layout).images


def test_bad_rows_are_reported_and_nothing_is_taken(project: Project, tmp_path: Path) -> None:
    add_check(project, add_instance(project, 1), NAME)
    file = tmp_path / "images.csv"
    file.write_text(
        "uid,decision\n1.2.1,release\n9.9,release\n1.2.1.1,keep\n,release\n1.2.1,exclude\n", encoding="utf-8"
    )
    with pytest.raises(DecisionsRefusedError) as caught:
        take_images(project, file)
    assert [(problem.line, problem.code) for problem in caught.value.problems] == [
        (3, "image-not-in-project"),
        (4, "row-unknown-decision-image"),
        (5, "row-without-uid"),
        (6, "row-contradicts-another"),
    ]
    assert not load_decisions(project.layout).images


def test_audit_sample_is_drawn_from_what_nothing_flagged_and_stays_the_same(project: Project) -> None:
    clear = {instance for number in range(1, 101) if (instance := add_instance(project, number))}
    for instance in clear:
        add_check(project, instance)
    add_check(project, add_instance(project, 101), NAME)
    add_check(project, add_instance(project, 102), risk="ultrasound")
    add_instance(project, 103)
    sample = draw_audit_sample(project)
    assert (sample.population, len(sample.drawn), sample.seen, sample.found) == (100, 60, 0, 0)
    assert set(sample.drawn) < clear
    assert sample.upper_bound == 1.0
    assert draw_audit_sample(project).drawn == sample.drawn


def test_what_a_person_saw_of_the_sample_bounds_what_was_missed(project: Project) -> None:
    for number in range(1, 101):
        add_check(project, add_instance(project, number))
    series = list_images(project, 1)
    assert series is not None
    by_id = {image.instance_id: image for image in series.images}
    drawn = [by_id[instance] for instance in draw_audit_sample(project).drawn]
    decisions = Decisions()
    for image in drawn:
        decisions = decide_image(decisions, image, ImageAction.RELEASE)
    sample = draw_audit_sample(project, decisions=decisions)
    assert (sample.seen, sample.found) == (60, 0)
    assert sample.upper_bound == pytest.approx(1 - 0.05 ** (1 / 60)), "the rule of three, exactly"
    mask = mask_for(MaskScope.INSTANCE, Box(0, 0, 5, 5), drawn[0], series, 0)
    decisions = with_masks(decide_image(decisions, drawn[1], ImageAction.EXCLUDE), add=[mask])
    assert draw_audit_sample(project, decisions=decisions).found == 2


def test_decision_of_another_time_is_no_sight_of_the_sample(project: Project) -> None:
    add_check(project, add_instance(project, 1))
    decisions = Decisions(images={"1.2.1.1": ImageDecision(ImageAction.RELEASE, "", "s000")})
    assert draw_audit_sample(project, decisions=decisions).seen == 0


@pytest.mark.parametrize(("population", "share", "needed"), [(10_000, 0.05, 59), (10_000, 0.01, 299), (40, 0.05, 40)])
def test_as_many_images_are_drawn_as_the_share_takes(population: int, share: float, needed: int) -> None:
    assert images_to_look_at(population, share) == needed
    assert AuditSample(population, (), needed, 0, share).shows_share
    if needed < population:
        assert not AuditSample(population, (), needed - 1, 0, share).shows_share
    assert not AuditSample(population, (), needed, 1, share).shows_share or population == needed
