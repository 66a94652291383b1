from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import Reason
from app.project.decisions import DecisionsRefusedError, ImageAction, ImageDecision, load_decisions
from app.project.folder import Project
from app.review.images import list_held_images
from app.review.step import take_images, write_images
from tests.unit.review_project import add_instance, open_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        yield opened


def hold_back(project: Project, number: int, series: int) -> None:
    add_instance(project, number, series=series, state="held-back", state_reason=Reason.BURNED_IN_LIKELY)


def test_held_images_are_listed_by_series(project: Project) -> None:
    for number, series in [(3, 2), (2, 1), (10, 1), (1, 1)]:
        hold_back(project, number, series)
    add_instance(project, 5, series=1)
    add_instance(project, 6, series=1, state="held-back", state_reason=Reason.VIDEO)
    held = list_held_images(project)
    assert [(series.original_series_uid, series.modality) for series in held] == [
        ("1.2.1", "US"),
        ("1.2.2", "US"),
    ]
    assert [image.instance_number for image in held[0].images] == [1, 2, 10]
    assert held[1].images[0].original_locator.original_members == ("2/3.dcm",)


def test_decisions_on_series_and_instances_go_out_and_come_back(project: Project, tmp_path: Path) -> None:
    for number, series in [(1, 1), (2, 1), (1, 2)]:
        hold_back(project, number, series)
    file = tmp_path / "images.csv"
    write_images(project, file)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["series", "'1.2.1"], ["instance", "'1.2.1.1"], ["instance", "'1.2.1.2"],
        ["series", "'1.2.2"], ["instance", "'1.2.2.1"],
    ]  # fmt: skip
    lines[1] = lines[1].removesuffix(",") + "release,nothing in it"
    lines[3] = lines[3].removesuffix(",") + "Exclude,"
    file.write_text("\n".join(lines), encoding="utf-8")
    decisions = take_images(project, file)
    assert decisions == load_decisions(project.layout)
    assert decisions.images == {
        "1.2.1": ImageDecision(ImageAction.RELEASE, "nothing in it"),
        "1.2.1.2": ImageDecision(ImageAction.EXCLUDE),
    }
    assert decisions.image_action("1.2.1.1", "1.2.1") is ImageAction.RELEASE
    assert decisions.image_action("1.2.1.2", "1.2.1") is ImageAction.EXCLUDE
    assert decisions.image_action("1.2.2.1", "1.2.2") is None

    write_images(project, file)
    assert take_images(project, file) == decisions
    file.write_text("uid;decision\n1.2.1;\n", encoding="utf-8")
    assert set(take_images(project, file).images) == {"1.2.1.2"}


def test_bad_rows_are_reported_and_nothing_is_taken(project: Project, tmp_path: Path) -> None:
    hold_back(project, 1, 1)
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
