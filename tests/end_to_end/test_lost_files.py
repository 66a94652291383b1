"""One file that kills whichever worker touches it costs itself, is named, and nothing else is lost: in every step."""

import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.bundle.part import PartContext
from app.bundle.verify import verify_bundle
from app.catalog.step import scan
from app.catalog.table import list_files
from app.deid.step import prepare
from app.detection.step import detect
from app.errors import Reason
from app.events import Finished, Job, Note
from app.jobs.executors import ProcessExecutor
from app.pipeline.export import export
from app.project.folder import Project
from app.selection.step import select
from tests.end_to_end import interrupted
from tests.end_to_end.interrupted import SLICES_CT, SLICES_MR, write_source

DEADLY = "IM0003"
INSTANCES = 2 * (SLICES_CT + SLICES_MR)


def die_over(function: Callable[..., Any], context: Any, items: Any) -> Any:
    """Do the work, or die where the deadly file is part of it; an export dies when it comes to it."""
    if isinstance(context, PartContext):
        context = replace(context, function=partial(release_or_die, context.function))
    elif DEADLY.encode() in pickle.dumps(items):
        os._exit(3)
    return function(context, items)


def release_or_die(function: Callable[..., Any], context: Any, task: Any) -> Any:
    """Release an instance, or die over the deadly file."""
    if DEADLY in task.original_locator and "P000" in task.original_locator:
        os._exit(3)
    return function(context, task)


class Deadly(ProcessExecutor):
    """Has work done as ``die_over`` does it."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return super().submit(die_over, function, *arguments)


@pytest.fixture
def job(tmp_path: Path) -> interrupted.Job:
    write_source(tmp_path / "source", patients=2, size_px=16)
    # In the second patient the file has another name, so that just one is deadly.
    (tmp_path / "source" / "P001" / DEADLY).rename(tmp_path / "source" / "P001" / "OTHER")
    return interrupted.Job.create(tmp_path / "source", tmp_path / "job")


@pytest.fixture
def project(job: interrupted.Job) -> Iterator[Project]:
    with Project(job.project) as project:
        yield project


@pytest.fixture
def sound() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(2) as executor:
        yield executor


@pytest.fixture
def deadly() -> Iterator[Deadly]:
    executor = Deadly(2)
    with executor:
        yield executor


def run(step: Job) -> tuple[Mapping[str, int], list[Note]]:
    events = list(step)
    finished = events[-1]
    assert isinstance(finished, Finished)
    return finished.counts, [event for event in events if isinstance(event, Note)]


def held_back(project: Project) -> list[tuple[str, str]]:
    rows = project.store.execute(
        "SELECT f.original_locator, i.state_reason FROM instances i JOIN files f ON f.id = i.file_id "
        "WHERE i.state = 'held-back'"
    )
    return [(Path(row["original_locator"]).name.strip('"]'), row["state_reason"]) for row in rows]


def released(job: interrupted.Job) -> int:
    report = verify_bundle([job.out])
    assert report.findings == ()
    return sum(part.instances for part in report.parts)


def test_scan_loses_the_deadly_file_alone(
    project: Project, job: interrupted.Job, deadly: Deadly, sound: ProcessExecutor
) -> None:
    counts, _ = run(scan(project, [job.source], deadly))
    assert (counts["files"], counts["instances"], counts["unreadable"]) == (INSTANCES, INSTANCES - 1, 1)
    named = [(row.original_locator, row.reason) for row in list_files(project) if row.verdict == "unreadable"]
    assert [(Path(locator).name.strip('"]'), reason) for locator, reason in named] == [(DEADLY, Reason.WORKER_CRASHED)]
    # The next scan tries again.
    counts, _ = run(scan(project, [job.source], sound))
    assert (counts["instances"], counts["unreadable"]) == (INSTANCES, 0)


def test_detect_loses_the_deadly_file_alone_and_tries_again(
    project: Project, job: interrupted.Job, deadly: Deadly, sound: ProcessExecutor
) -> None:
    run(scan(project, [job.source], sound))
    run(select(project, None, None))
    counts, notes = run(detect(project, deadly))
    assert (counts["checked"], counts["failed"]) == (INSTANCES, 1)
    assert [note.code for note in notes] == ["worker-lost-file", "images-not-checked"]
    run(prepare(project, sound, unattended=True))
    assert held_back(project) == [(DEADLY, Reason.WORKER_CRASHED)]
    counts, _ = run(detect(project, sound))
    assert (counts["failed"], counts["done_now"]) == (0, 1)


def test_prepare_loses_the_deadly_file_alone(
    project: Project, job: interrupted.Job, deadly: Deadly, sound: ProcessExecutor
) -> None:
    run(scan(project, [job.source], sound))
    run(select(project, None, None))
    run(detect(project, sound))
    counts, notes = run(prepare(project, deadly, unattended=True))
    assert (counts["prepared"], counts["held_back"]) == (INSTANCES - 1, 1)
    assert [note.code for note in notes] == ["worker-lost-file"]
    assert held_back(project) == [(DEADLY, Reason.WORKER_CRASHED)]
    run(export(project, job.out, sound, unattended=True))
    assert released(job) == INSTANCES - 1


def test_prepare_tries_what_it_lost_again(
    project: Project, job: interrupted.Job, deadly: Deadly, sound: ProcessExecutor
) -> None:
    run(scan(project, [job.source], sound))
    run(select(project, None, None))
    run(detect(project, sound))
    run(prepare(project, deadly, unattended=True))
    counts, _ = run(prepare(project, sound, unattended=True))
    assert (counts["prepared"], counts["held_back"]) == (INSTANCES, 0)
    # Nothing of the chunk that came back item by item is counted twice.
    most = project.store.one("SELECT max(n) FROM (SELECT sum(count) AS n FROM released_values GROUP BY path, value)")
    assert most == INSTANCES


def test_export_loses_the_deadly_file_alone(
    project: Project, job: interrupted.Job, deadly: Deadly, sound: ProcessExecutor
) -> None:
    run(scan(project, [job.source], sound))
    run(select(project, None, None))
    run(detect(project, sound))
    run(prepare(project, sound, unattended=True))
    counts, notes = run(export(project, job.out, deadly, unattended=True))
    assert (counts["instances"], counts["held_back"]) == (INSTANCES - 1, 1)
    assert [note.ids["reason"] for note in notes if note.code == "held-back-in-export"] == [Reason.WORKER_CRASHED]
    assert held_back(project) == [(DEADLY, Reason.WORKER_CRASHED)]
    assert released(job) == INSTANCES - 1
    assert job.leftovers() == []
    # It stays out: people signed what there was.
    run(prepare(project, sound, unattended=True))
    counts, _ = run(export(project, job.out, sound, unattended=True))
    assert (counts["instances"], counts["reused_parts"]) == (INSTANCES - 1, counts["parts"])
