"""What the memory of plans says is what the planner says, and it plans anew only what changed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app.pixels.boxes import Box
from app.project.decisions import Decisions, ImageAction, load_decisions, save_decisions
from app.project.folder import Project
from app.project.images import CheckedSeries, ImagePlanner, ImageState
from app.project.masks import Mask, MaskScope
from app.project.plan_memory import PlanMemory
from app.review.image_deciding import decide_series
from tests.unit.image_project import NAME
from tests.unit.review_project import add_check, add_instance, open_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        for series in (1, 2, 3):
            add_check(opened, add_instance(opened, 1, series=series), NAME)
        yield opened


@pytest.fixture
def memory() -> Iterator[PlanMemory]:
    made = PlanMemory()
    yield made
    made.forget()


def planned(project: Project) -> tuple[CheckedSeries, ...]:
    return tuple(ImagePlanner(project).all_series())


def decide(project: Project, series: CheckedSeries) -> Decisions:
    decisions = decide_series(load_decisions(project.layout), series, ImageAction.MASK)
    save_decisions(project.layout, decisions)
    return decisions


def test_a_decision_has_only_its_own_series_planned_anew(project: Project, memory: PlanMemory) -> None:
    before = memory.series(project)
    decide(project, before[1])
    after = memory.series(project)
    assert after == planned(project) != before
    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_a_decision_that_is_taken_back_is_planned_anew(project: Project, memory: PlanMemory) -> None:
    first = memory.series(project)
    decide(project, first[1])
    memory.series(project)
    save_decisions(project.layout, Decisions())
    assert memory.series(project) == first


def test_a_mask_for_a_device_concerns_all_its_series(project: Project, memory: PlanMemory) -> None:
    before = memory.series(project)
    device = before[0].images[0].original_device
    mask = Mask(MaskScope.DEVICE, device, Box(0, 0, 512, 512))
    save_decisions(project.layout, replace(load_decisions(project.layout), masks=frozenset({mask})))
    after = memory.series(project)
    assert after == planned(project)
    assert {image.plan.state for series in after for image in series.images} == {ImageState.MASKED}


def test_what_is_written_meanwhile_is_seen(project: Project, memory: PlanMemory) -> None:
    assert len(memory.series(project)) == 3
    add_check(project, add_instance(project, 1, series=4))
    assert memory.series(project) == planned(project)
    assert len(memory.series(project)) == 4


def test_what_is_read_in_a_snapshot_is_of_one_moment(project: Project) -> None:
    count = "SELECT count(*) FROM instances"
    with project.reader() as view:
        with view.store.snapshot():
            version, before = view.store.one("PRAGMA data_version"), view.store.one(count)
            add_check(project, add_instance(project, 1, series=4))
            assert (view.store.one("PRAGMA data_version"), view.store.one(count)) == (version, before)
        assert view.store.one("PRAGMA data_version") != version
        assert view.store.one(count) == before + 1


def test_a_decision_on_a_series_that_is_gone_meanwhile_is_planned(project: Project, memory: PlanMemory) -> None:
    before = memory.series(project)
    decide(project, before[1])
    project.store.execute("UPDATE instances SET selected = 0 WHERE series_id = ?", (before[1].series_id,))
    assert memory.series(project) == planned(project)


def test_another_project_is_another_memory(project: Project, memory: PlanMemory, tmp_path: Path) -> None:
    memory.series(project)
    (tmp_path / "other").mkdir()
    with open_project(tmp_path / "other") as other:
        assert memory.series(other) == ()
