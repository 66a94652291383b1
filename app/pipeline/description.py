"""What the data set is described by: the organisers' words, what the approved values say, and where it comes from.

It is that of what was approved, the same in every part. An image that an export holds back afterwards (its file
vanished) still counts: parts that are written already must not be written anew for it. What a part really has, its card
says.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from app import __version__
from app.bundle.described import VOCABULARIES, describe_values
from app.bundle.release import ValueRow
from app.deid.recipe import with_decisions
from app.deid.step import make_recipe
from app.pipeline.approved import approved_values
from app.project.cohorts import load_drawn_groups, load_study_labels
from app.project.decisions import load_decisions
from app.project.folder import Project
from app.review.dump import build_dump

# Only what was prepared has a size; what an export held back keeps it.
_COUNTS = """
SELECT count(DISTINCT s.original_study_uid), count(DISTINCT s.patient_id), count(DISTINCT s.id), count(*)
FROM instances i JOIN series s ON s.id = i.series_id
WHERE i.selected = 1 AND i.reason IS NULL AND i.released_size > 0
"""
_STUDIES = """
SELECT DISTINCT s.patient_id, s.original_study_uid FROM instances i JOIN series s ON s.id = i.series_id
WHERE i.selected = 1 AND i.reason IS NULL AND i.released_size > 0
"""
_TOLD = (
    "identifier", "version", "address", "citation", "owner", "responsible", "licence", "access", "allowed_use",
    "annotations", "ground_truth", "case_mix",
)  # fmt: skip


def describe_project(project: Project) -> dict[str, Any]:
    """The description of what would leave now; reads only."""
    decisions = load_decisions(project.layout)
    recipe = with_decisions(make_recipe(project), decisions)
    return describe_dataset(project, approved_values(build_dump(project), recipe), recipe.dates.value)


def describe_dataset(project: Project, values: Iterable[ValueRow], date_preset: str) -> dict[str, Any]:
    """The description that goes into every part's card; JSON values, nothing of a single patient."""
    protocol = project.protocol
    table = protocol.dataset
    studies, patients, series, images = project.store.execute(_COUNTS).fetchone()
    return {
        **{name: getattr(table, name) or "" for name in _TOLD},
        "responsible": table.responsible or protocol.contact,
        "keywords": list(table.keywords),
        "counts": {"patients": patients, "studies": studies, "series": series, "instances": images},
        **describe_values(values, date_preset),
        "groups": _groups(project),
        "labels": _labels(project),
        "provenance": {
            "site": project.site_id,
            "protocol": protocol.id,
            "protocol_sha256": project.protocol_sha256,
            "software": f"Consign {__version__}",
        },
        "vocabularies": list(VOCABULARIES),
    }


def _groups(project: Project) -> dict[str, int]:
    """Studies of each group that leave."""
    leaving = _leaving(project)
    return dict(
        sorted(Counter(group for key, group in load_drawn_groups(project.store).items() if key in leaving).items())
    )


def _labels(project: Project) -> dict[str, dict[str, int]]:
    """Studies by label and value; numbers only by how many have one."""
    leaving = _leaving(project)
    categories = {label.name for label in project.protocol.labels if label.values}
    counts: dict[str, Counter[str]] = {}
    for key, labels in load_study_labels(project.store).items():
        if key in leaving:
            for name, value in labels.items():
                counts.setdefault(name, Counter())[value if name in categories else "studies"] += 1
    return {name: dict(sorted(counter.items())) for name, counter in sorted(counts.items())}


def _leaving(project: Project) -> set[tuple[int, str]]:
    return {(row[0], row[1]) for row in project.store.execute(_STUDIES)}
