"""What the page Find shows: sources, what was found, what is taken of it, and what went wrong."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.catalog.forgetting import forget_source
from app.catalog.table import ReasonCount, file_table, list_sources
from app.checks.step import check
from app.errors import ProtocolError, Reason
from app.events import Job
from app.project.cohorts import GroupCounts, load_group_counts, load_patients_in_groups
from app.project.folder import Project
from app.project.study_list import RowSource, StudyRow, load_study_list, save_study_rows
from app.protocol.predicates import AllOf, Predicate
from app.selection.filters import Filters, filters_of, where_of
from app.selection.inventory import Chart, count_shown, inventory
from app.selection.joining import ListProblem, join_rows
from app.selection.not_found import ListOutcome, check_list
from app.selection.request import Request, remember, settle_request
from app.selection.step import select
from app.selection.study_file import StudyFile, read_study_file
from app.selection.tree import Branch, BranchKey, SeriesRow, arrange, branch_key, has_text, load_series, series_matching
from app.selection.wanted import WantedList

# What is set aside without anything being wrong with it.
_HARMLESS = frozenset((Reason.NOT_DICOM, Reason.DICOMDIR, Reason.ARCHIVE, Reason.DUPLICATE))


@dataclass(frozen=True, slots=True)
class Totals:
    """What there is and what is taken of it; ``open`` are the series that ``select`` has not judged."""

    images: int
    images_taken: int
    series: int
    series_taken: int
    series_left_out: int  # whole or in part
    patients_taken: int
    open: int
    series_flagged: int = 0  # of which a check found something


@dataclass(frozen=True, slots=True)
class Cohorts:
    """How the groups came out, and the study lists: their rows, and those that do not count in whole or in part.

    ``original_in_two``: the patients with drawn studies in more than one group, and these groups. ``is_asked_for``: the
    protocol has groups or labels.
    """

    is_asked_for: bool
    groups: tuple[GroupCounts, ...]
    original_in_two: tuple[tuple[str, tuple[str, ...]], ...]
    rows: int
    problems: tuple[ListProblem, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """All of it; ``problems`` are the files that can't be used though they should, ``aside`` the harmless ones."""

    original_sources: tuple[str, ...]
    files: int
    problems: tuple[ReasonCount, ...]
    aside: tuple[ReasonCount, ...]
    rows: tuple[SeriesRow, ...]
    charts: tuple[Chart, ...]
    filters: Filters
    original_list: ListOutcome | None
    totals: Totals
    cohorts: Cohorts


def load_found(project: Project) -> Found:
    """What was found and selected; raises ProjectError where a decision is damaged."""
    table = file_table(project)
    request = settle_request(project.layout.selection_json, None, None)
    rows = tuple(load_series(project))
    return Found(
        original_sources=tuple(list_sources(project)),
        files=sum(line.files for line in table),
        problems=tuple(
            sorted(
                (line for line in table if line.reason is not None and line.reason not in _HARMLESS),
                key=lambda line: -line.files,
            )
        ),
        aside=tuple(line for line in table if line.reason in _HARMLESS),
        rows=rows,
        charts=inventory(rows),
        filters=_filters(request),
        original_list=None if request.wanted is None else check_list(project, request.wanted),
        totals=_totals(rows),
        cohorts=_cohorts(project),
    )


def _cohorts(project: Project) -> Cohorts:
    listed = load_study_list(project.layout)
    return Cohorts(
        is_asked_for=bool(project.protocol.groups or project.protocol.labels),
        groups=load_group_counts(project.store),
        original_in_two=_in_two_groups(project),
        rows=len(listed),
        problems=join_rows(project.store, listed, project.protocol).problems,
    )


def _totals(rows: Sequence[SeriesRow]) -> Totals:
    return Totals(
        images=sum(row.instances for row in rows),
        images_taken=sum(row.taken for row in rows),
        series=len(rows),
        series_taken=sum(row.taken > 0 for row in rows),
        series_left_out=sum(row.taken < row.instances for row in rows),
        patients_taken=len({row.patient_id for row in rows if row.taken}),
        series_flagged=sum(row.is_flagged for row in rows),
        open=sum(row.is_open for row in rows),
    )


def _filters(request: Request) -> Filters:
    try:
        return filters_of(request.where)
    except ProtocolError:  # select says so; the page must open all the same
        return ()


def _in_two_groups(project: Project) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups = load_patients_in_groups(project.store)
    rows = project.store.execute(
        "SELECT id, original_key FROM patients WHERE id IN (SELECT value FROM json_each(?))", (json.dumps([*groups]),)
    )
    return tuple(sorted((original_key, groups[patient_id]) for patient_id, original_key in rows))


class Part(StrEnum):
    """Which series the tree shows."""

    ALL = "all"
    TAKEN = "taken"
    LEFT_OUT = "left-out"
    FLAGGED = "flagged"  # a check found something


@dataclass(frozen=True, slots=True)
class Shown:
    """The tree of what is shown, where each branch is in it, and how many of each bar of the inventory that is."""

    branches: list[Branch]
    places: Mapping[BranchKey, int]
    counts: tuple[tuple[int, ...], ...]


def show(project: Project, found: Found, filters: Filters, text: str, part: Part) -> Shown:
    """What is left of all that was found after filters, words to search for, and what is taken or left out."""
    rows: Sequence[SeriesRow] = found.rows
    if filters:
        matching = series_matching(project, AllOf(filters))
        rows = [row for row in rows if row.series_id in matching]
    counts = count_shown(found.charts, rows)
    words = text.split()
    if words:
        rows = [row for row in rows if has_text(row, words)]
    if part is Part.TAKEN:
        rows = [row for row in rows if row.taken]
    elif part is Part.LEFT_OUT:
        rows = [row for row in rows if row.taken < row.instances]
    elif part is Part.FLAGGED:
        rows = [row for row in rows if row.is_flagged]
    branches = arrange(rows)
    return Shown(branches, {branch_key(branch): place for place, branch in enumerate(branches)}, counts)


def narrow(project: Project, filters: Sequence[Predicate]) -> None:
    """Remember filters in place of those there were; a list stays. ``select`` then has to run."""
    request = _request(project)
    remember(project.layout.selection_json, Request(where_of(filters) or None, request.wanted))


def narrow_to_list(project: Project, wanted: WantedList | None) -> None:
    """Remember a list in place of the one there was, or none; filters stay. ``select`` then has to run."""
    request = _request(project)
    remember(project.layout.selection_json, Request(request.where, wanted))


def _request(project: Project) -> Request:
    return settle_request(project.layout.selection_json, None, None)


def check_and_select(project: Project, where: str | None, only: WantedList | None) -> Job:
    """Check every series, then select: what a check finds may leave a series out."""
    yield from check(project)
    yield from select(project, where, only)


def take_study_file(project: Project, path: Path) -> StudyFile:
    """Remember the groups and labels of a file in place of those of the last one; ``select`` then has to run.

    Raises as ``read_study_file`` does; nothing is remembered then.
    """
    file = read_study_file(path, project.protocol)
    remember_studies(project, file.rows)
    return file


def remember_studies(project: Project, rows: Sequence[StudyRow]) -> None:
    """Remember the groups and labels of an imported list in place of the last one's, or none; then ``select``."""
    save_study_rows(project.layout, RowSource.LIST, rows)


def list_troubles(project: Project) -> tuple[ListProblem, ...]:
    """The rows of study lists that do not count, in whole or in part."""
    return join_rows(project.store, load_study_list(project.layout), project.protocol).problems


def remove_source(project: Project, original_root: str) -> Job:
    """Forget a source; check and select anew what is left."""
    yield from forget_source(project, original_root)
    yield from check_and_select(project, None, None)
