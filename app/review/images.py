"""The images that wait for a person: held back because text is likely to be burned in, grouped by series.

There are no detectors yet, so the class, modality or attributes of an image are all that speaks against it,
and a person who has looked at it can release it or exclude it, alone or with its series.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from app.errors import Reason
from app.files.locator import Locator
from app.project.cells import cell_of_text
from app.project.decisions import (
    Decisions,
    DecisionsRefusedError,
    ImageDecision,
    RefusedRowError,
    RowProblem,
    parse_image_entry,
)
from app.project.folder import Project
from app.review.tables import read_table, write_table

COLUMNS = (
    "kind", "uid", "series_uid", "instances", "instance_number", "modality", "sop_class_uid", "file",
    "decision", "note",
)  # fmt: skip
_REQUIRED = ("uid", "decision")


@dataclass(frozen=True, slots=True)
class HeldImage:
    """One instance; ``original_locator`` says where a person finds it to look at it."""

    original_sop_instance_uid: str
    sop_class_uid: str
    instance_number: int | None
    original_locator: Locator


@dataclass(frozen=True, slots=True)
class HeldSeries:
    """A series with at least one held-back instance; ``modality`` is empty where the file says none."""

    original_series_uid: str
    modality: str
    images: tuple[HeldImage, ...]


def list_held_images(project: Project) -> list[HeldSeries]:
    """What waits for a person, by series UID and instance number."""
    rows = project.store.execute(
        "SELECT s.original_series_uid AS series_uid, i.original_sop_instance_uid AS sop_uid, "
        "i.sop_class_uid, i.instance_number, f.original_locator, "
        "COALESCE(json_extract(a.original_attributes, '$.Modality'), '') AS modality "
        "FROM instances i JOIN series s ON s.id = i.series_id JOIN files f ON f.id = i.file_id "
        "JOIN attribute_sets a ON a.id = i.attribute_set_id "
        "WHERE i.selected = 1 AND i.reason IS NULL AND i.state = 'held-back' AND i.state_reason = ? "
        "ORDER BY series_uid, i.instance_number, sop_uid",
        (Reason.BURNED_IN_LIKELY.value,),
    )
    held: list[HeldSeries] = []
    for series_uid, group in groupby(rows, key=lambda row: str(row["series_uid"])):
        members = list(group)
        held.append(
            HeldSeries(
                series_uid,
                str(members[0]["modality"]),
                tuple(
                    HeldImage(
                        row["sop_uid"],
                        row["sop_class_uid"],
                        row["instance_number"],
                        Locator.from_text(row["original_locator"]),
                    )
                    for row in members
                ),
            )
        )
    return held


def write_images_csv(held: list[HeldSeries], decisions: Decisions, path: Path) -> None:
    """One row a series, followed by one row for each of its instances; raises UsageError("csv-not-written").

    The file holds paths of the source: it is for the site only.
    """
    write_table(path, COLUMNS, _rows(held, decisions))


def _rows(held: list[HeldSeries], decisions: Decisions) -> Iterator[tuple[str | int, ...]]:
    for series in held:
        uid, modality = cell_of_text(series.original_series_uid), cell_of_text(series.modality)
        yield (
            "series",
            uid,
            uid,
            len(series.images),
            "",
            modality,
            "",
            "",
            *_decided(series.original_series_uid, decisions),
        )
        for image in series.images:
            location = image.original_locator
            yield (
                "instance",
                cell_of_text(image.original_sop_instance_uid),
                uid,
                1,
                "" if image.instance_number is None else image.instance_number,
                modality,
                cell_of_text(image.sop_class_uid),
                cell_of_text(" > ".join((location.original_path, *location.original_members))),
                *_decided(image.original_sop_instance_uid, decisions),
            )


def _decided(uid: str, decisions: Decisions) -> tuple[str, str]:
    decision = decisions.images.get(uid)
    return (decision.action, cell_of_text(decision.note)) if decision else ("", "")


def read_image_decisions(project: Project, path: Path) -> dict[str, ImageDecision | None]:
    """Decisions by original SOP or Series Instance UID, None where the cell is blank.

    Raises UsageError where the file is no such table, DecisionsRefusedError with every row that is not
    understood or names no image of this project.
    """
    found: dict[str, ImageDecision | None] = {}
    problems: list[RowProblem] = []
    for row in read_table(path, _REQUIRED):
        try:
            uid, decision = parse_image_entry(row.cells)
            if not _is_known(project, uid):
                raise RefusedRowError("image-not-in-project")
            if found.get(uid, decision) != decision:
                raise RefusedRowError("row-contradicts-another")
            found[uid] = decision
        except RefusedRowError as error:
            problems.append(RowProblem(row.line, error.code))
    if problems:
        raise DecisionsRefusedError(problems)
    return found


def _is_known(project: Project, uid: str) -> bool:
    return bool(
        project.store.one(
            "SELECT EXISTS (SELECT 1 FROM instances WHERE original_sop_instance_uid = ?1) "
            "OR EXISTS (SELECT 1 FROM series WHERE original_series_uid = ?1)",
            (uid,),
        )
    )
