"""What the last ``select`` took and left, for people to read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from app.project.folder import Project
from app.project.store import Store
from app.selection.wanted import text_of

# Instances of one series mostly share an attribute set; the first one speaks for the series.
_SERIES = """
SELECT counted.series_id, counted.taken, counted.total, a.original_attributes
FROM (SELECT series_id, sum(selected) AS taken, count(*) AS total, min(attribute_set_id) AS attribute_set_id
      FROM instances WHERE reason IS NULL AND selected IS NOT NULL GROUP BY series_id) AS counted
JOIN attribute_sets AS a ON a.id = counted.attribute_set_id ORDER BY counted.series_id"""
_REASONS = """
SELECT original_explanation FROM exclusions WHERE series_id = ?
ORDER BY instances DESC, original_explanation"""


@dataclass(frozen=True, slots=True)
class SelectedSeries:
    """A series of which at least one instance is selected."""

    series_id: int
    original_modality: str
    original_description: str
    instances: int  # that are selected


@dataclass(frozen=True, slots=True)
class ExcludedSeries:
    """A series of which at least one instance is not selected; ``selected_instances`` others may be."""

    series_id: int
    original_modality: str
    original_description: str
    instances: int  # that are not selected
    selected_instances: int
    original_reasons: tuple[str, ...]  # the one that concerns most instances first


@dataclass(frozen=True, slots=True)
class _Series:
    id: int
    taken: int
    total: int
    original_modality: str
    original_description: str


def selected_series(project: Project) -> list[SelectedSeries]:
    """The series that are selected, whole or in part; none before ``select`` has run."""
    return [
        SelectedSeries(series.id, series.original_modality, series.original_description, series.taken)
        for series in _series(project.store)
        if series.taken
    ]


def excluded_series(project: Project) -> list[ExcludedSeries]:
    """The series that are not selected, whole or in part, and why; none before ``select`` has run."""
    return [
        ExcludedSeries(
            series.id,
            series.original_modality,
            series.original_description,
            series.total - series.taken,
            series.taken,
            tuple(row["original_explanation"] for row in project.store.execute(_REASONS, (series.id,))),
        )
        for series in _series(project.store)
        if series.taken < series.total
    ]


def count_exclusions(project: Project) -> list[tuple[str, int]]:
    """Every reason for which instances are not selected, and for how many it holds; most first."""
    rows = project.store.execute(
        "SELECT original_explanation, sum(instances) AS instances FROM exclusions GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [(row["original_explanation"], row["instances"]) for row in rows]


def _series(store: Store) -> Iterator[_Series]:
    for row in store.execute(_SERIES):
        attributes = json.loads(row["original_attributes"])
        yield _Series(
            row["series_id"],
            row["taken"],
            row["total"],
            text_of(attributes.get("Modality")),
            text_of(attributes.get("SeriesDescription")),
        )
