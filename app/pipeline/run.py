"""The whole way up to the export, and what it then still waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.catalog.step import scan
from app.deid.step import prepare
from app.detection.step import detect
from app.events import Job
from app.jobs.executors import WorkExecutor
from app.pipeline.finding import check_and_select
from app.project.folder import Project
from app.review.dump import build_dump
from app.review.images import list_series
from app.signoff.step import missing_approvals, undecided_blocking


@dataclass(frozen=True, slots=True)
class NextSteps:
    """What people still have to do: values to decide on, roles that have not signed, images nobody looked at."""

    undecided: int
    roles: tuple[str, ...]
    images: int


def run_all(
    project: Project, sources: Sequence[Path], where: str | None, executor: WorkExecutor, *, unattended: bool = False
) -> Job:
    """Scan, check the series, select, look for text in the images, prepare."""
    yield from scan(project, sources, executor)
    yield from check_and_select(project, where, None)
    yield from check_and_prepare(project, executor, unattended=unattended)


def check_and_prepare(project: Project, executor: WorkExecutor, *, unattended: bool = False) -> Job:
    """What a selection needs before people review it: look for text in the images, de-identify the headers."""
    yield from detect(project, executor)
    yield from prepare(project, executor, unattended=unattended)


def next_steps(project: Project) -> NextSteps | None:
    """What a release by people waits for; None where nothing."""
    rows = build_dump(project)
    undecided = len(undecided_blocking(project, rows))
    roles = tuple(missing_approvals(project, rows))
    if not undecided and not roles:
        return None
    return NextSteps(undecided, roles, sum(card.waiting for card in list_series(project)))
