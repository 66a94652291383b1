"""The plans of all images, kept between questions: a decision has only the series planned anew that it concerns."""

import threading
from collections.abc import Iterable, Mapping

from app.project.decisions import Decisions, load_decisions
from app.project.folder import Project
from app.project.images import CheckedSeries, ImagePlanner

_NONE = -1  # no version of SQLite's


class PlanMemory:
    """What ``ImagePlanner`` says of every series, for pages that all want it; whoever signs or exports plans anew.

    Safe to ask from several threads: the second one waits for what the first one plans. Keeps a connection of its own,
    by which the database tells whether anybody wrote since; ``forget`` closes it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._view: Project | None = None
        self._version = _NONE
        self._decisions = Decisions()
        self._series: dict[int, CheckedSeries] = {}
        self._concerned: dict[str, set[int]] = {}  # an instance, a series or a device -> rows of series

    def series(self, project: Project) -> tuple[CheckedSeries, ...]:
        """Every series with selected images, as facts and decisions stand now."""
        with self._lock:
            view = self._view
            if view is None or view.layout.root != project.layout.root:
                self._forget()
                view = self._view = project.reader()
            with view.store.snapshot():  # a job may write meanwhile
                self._plan(view)
            return tuple(self._series.values())

    def _plan(self, view: Project) -> None:
        version, decisions = int(view.store.one("PRAGMA data_version")), load_decisions(view.layout)
        planner = ImagePlanner(view, decisions=decisions)
        if version != self._version or decisions.dataset != self._decisions.dataset:
            self._series = {one.series_id: one for one in planner.all_series()}
            self._concerned = _series_by_key(self._series)
        else:
            for series_id in self._stale(decisions):
                planned = planner.series(series_id)
                assert planned is not None  # the same facts as when it was planned before
                self._series[series_id] = planned
        self._version, self._decisions = version, decisions

    def forget(self) -> None:
        """Let go of a project that is closed."""
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        if self._view is not None:
            self._view.store.close()
        self._view, self._version, self._decisions = None, _NONE, Decisions()
        self._series, self._concerned = {}, {}

    def _stale(self, decisions: Decisions) -> set[int]:
        """The series that decisions concern which were taken, changed or taken back."""
        before, after = self._decisions.images, decisions.images
        keys = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        keys.update(mask.original_key for mask in self._decisions.masks ^ decisions.masks)
        return {series_id for key in keys for series_id in self._concerned.get(key, ())}


def _series_by_key(planned: Mapping[int, CheckedSeries]) -> dict[str, set[int]]:
    concerned: dict[str, set[int]] = {}
    for one in planned.values():
        for key in _keys(one):
            concerned.setdefault(key, set()).add(one.series_id)
    return concerned


def _keys(series: CheckedSeries) -> Iterable[str]:
    yield series.original_series_uid
    for image in series.images:
        yield image.original_sop_instance_uid
        yield image.original_device
