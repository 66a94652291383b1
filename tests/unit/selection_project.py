"""A project whose catalogue is written by hand, and the step ``select`` on it."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from app.errors import Reason
from app.events import Event, Finished, Progress
from app.project.folder import Project, create_project
from app.selection.step import select
from app.selection.wanted import WantedList

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
SR = "1.2.840.10008.5.1.4.1.1.88.22"
SEG = "1.2.840.10008.5.1.4.1.1.66.4"


def make_project(root: Path, where: str | None = None, *, protocol: str | None = None) -> Project:
    """An open project with a source and a patient, without series; its protocol is given whole, or by its query."""
    if where is not None:
        protocol = f'id = "p"\ntitle = "T"\ncontact = "C"\n[selection]\nwhere = "{where}"\n'
    file = root.with_suffix(".toml")
    if protocol is not None:
        file.write_text(protocol, encoding="utf-8")
    create_project(root, "SITE", None if protocol is None else file)
    project = Project(root)
    project.store.execute("INSERT INTO runs VALUES (1, 'scan', '', NULL, NULL)")
    project.store.execute("INSERT INTO sources VALUES (1, 'folder', '[\"x\"]')")
    project.store.execute("INSERT INTO patients VALUES (1, 'p')")
    return project


def add_series(
    project: Project,
    series_id: int,
    attributes: Mapping[str, object],
    *,
    instances: int = 3,
    sop_class_uid: str = CT,
    spacing_mm: float | None = None,
    reason: Reason | None = None,
    first: int = 0,
) -> None:
    """A series of study ``1.<series_id>`` with instances ``1.<series_id>.<number>``."""
    store = project.store
    text = json.dumps(attributes)
    digest = hashlib.sha256(text.encode()).hexdigest()
    store.execute("INSERT OR IGNORE INTO attribute_sets (digest, original_attributes) VALUES (?, ?)", (digest, text))
    store.execute(
        "INSERT OR IGNORE INTO series VALUES (?, 1, ?, ?, NULL)",
        (series_id, f"1.{series_id}", f"1.{series_id}.0"),
    )
    for number in range(first, first + instances):
        name = f"{series_id}-{number}-{sop_class_uid}-{reason}"
        store.execute(
            "INSERT INTO files (source_id, original_locator, size, mtime_ns, verdict, seen_run)"
            " VALUES (1, ?, 1, 1, 'instance', 1)",
            (name,),
        )
        store.execute(
            "INSERT INTO instances (file_id, series_id, attribute_set_id, original_sop_instance_uid,"
            " sop_class_uid, transfer_syntax_uid, slice_position_mm, reason) VALUES ("
            " (SELECT id FROM files WHERE original_locator = ?), ?,"
            " (SELECT id FROM attribute_sets WHERE digest = ?), ?, ?, '1.2.840.10008.1.2.1', ?, ?)",
            (
                name,
                series_id,
                digest,
                f"1.{series_id}.{number}",
                sop_class_uid,
                None if spacing_mm is None else number * spacing_mm,
                reason,
            ),
        )


def run(project: Project, where: str | None = None, only: WantedList | None = None) -> Mapping[str, int]:
    events: list[Event] = list(select(project, where, only))
    assert isinstance(events[0], Progress)
    last = events[-1]
    assert isinstance(last, Finished)
    assert last.step == "select"
    return last.counts


def selected_uids(project: Project) -> set[str]:
    rows = project.store.execute("SELECT original_sop_instance_uid FROM instances WHERE selected = 1")
    return {row[0] for row in rows}


def wanted(*entries: Mapping[str, str]) -> WantedList:
    return WantedList(frozenset(tuple(entry.items()) for entry in entries))
