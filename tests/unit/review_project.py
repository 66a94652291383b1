"""A project with hand-made facts, for the tests of review and sign-off."""

from collections.abc import Mapping
from pathlib import Path

from app.errors import Reason
from app.files.locator import Locator
from app.project.folder import Project, create_project
from app.project.images import DETECTION_SIGNATURE, Region, check_digest, regions_digest
from app.project.risks import Risk

US_IMAGE = "1.2.840.10008.5.1.4.1.1.6.1"

PROTOCOL = """\
id = "trial"
title = "A trial"
contact = "trial@example.org"
[selection]
where = 'Modality == "CT"'
[words]
safe = ["Consignium"]
[review]
signatures = ["site champion", "privacy officer"]
"""


def open_project(folder: Path) -> Project:
    """A new, empty project."""
    folder.mkdir(parents=True, exist_ok=True)
    protocol = folder / "protocol.toml"
    protocol.write_text(PROTOCOL, encoding="utf-8")
    create_project(folder / "project", "SITE", protocol)
    return Project(folder / "project")


def add_value(
    project: Project,
    path: str,
    value: str,
    *,
    patient: int = 1,
    vr: str = "LO",
    fold: str = "",
    low: str | None = None,
    high: str | None = None,
    count: int = 1,
    identity_hit: int = 0,
    batch: str = "",
) -> None:
    """One row of released_values."""
    project.store.execute(
        "INSERT INTO released_values VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (batch or f"{patient}:0", patient, path, vr, fold, value, low, high, count, patient, identity_hit),
    )


def add_patient(project: Project, patient: int, identities: Mapping[str, str] | None = None) -> None:
    """A patient with identities, kind -> value."""
    project.store.execute("INSERT OR IGNORE INTO patients VALUES (?, ?)", (patient, f"key {patient}"))
    for kind, value in (identities or {}).items():
        project.store.execute("INSERT INTO identities VALUES (?, ?, ?)", (patient, kind, value))


def add_dropped_word(project: Project, word: str, patient: int, count: int = 1) -> None:
    """One row of dropped_words."""
    project.store.execute("INSERT INTO dropped_words VALUES (?, ?, ?, ?)", (f"{patient}:0", patient, word, count))


def add_instance(
    project: Project,
    number: int,
    *,
    series: int = 1,
    state: str | None = "prepared",
    state_reason: str | None = None,
    modality: str = "US",
    sop_class_uid: str = US_IMAGE,
) -> int:
    """One selected instance with UID ``1.2.<series>.<number>`` in series ``1.2.<series>``; returns its row."""
    store = project.store
    store.execute("INSERT OR IGNORE INTO runs VALUES (1, 'scan', '', NULL, NULL)")
    store.execute("INSERT OR IGNORE INTO sources VALUES (1, 'folder', '/in')")
    add_patient(project, series)
    store.execute(
        "INSERT OR IGNORE INTO attribute_sets VALUES (?, ?, ?)",
        (series, f"{series} {modality}", f'{{"Modality": "{modality}"}}'),
    )
    store.execute(
        "INSERT OR IGNORE INTO series VALUES (?, ?, ?, ?, NULL)",
        (series, series, f"1.{series}", f"1.2.{series}"),
    )
    file_id = series * 1000 + number
    locator = Locator("/in/export.zip", (f"{series}/{number}.dcm",)).to_text()
    store.execute("INSERT INTO files VALUES (?, 1, ?, 1, 1, 'instance', NULL, 1)", (file_id, locator))
    uid = f"1.2.{series}.{number}"
    store.execute(
        "INSERT INTO instances (id, file_id, series_id, attribute_set_id, original_sop_instance_uid, "
        "sop_class_uid, transfer_syntax_uid, instance_number, selected, state, state_reason, prepared_with) "
        "VALUES (?, ?, ?, ?, ?, ?, '1.2.840.10008.1.2.1', ?, 1, ?, ?, 'recipe')",
        (file_id, file_id, series, series, uid, sop_class_uid, number, state, state_reason),
    )
    return file_id


def add_check(
    project: Project,
    instance_id: int,
    *regions: Region,
    risk: str = Risk.NONE,
    failure: Reason | None = None,
    device: str = "device",
    frames: int = 1,
    is_stale: bool = False,
) -> None:
    """What the detectors left about an image of 100 x 200 pixels."""
    store = project.store
    store.set_meta(DETECTION_SIGNATURE, "detectors")
    uid = store.one("SELECT original_sop_instance_uid FROM instances WHERE id = ?", (instance_id,))
    checked_with = check_digest(uid, 2 if is_stale else 1, 1, "detectors")
    store.execute("DELETE FROM image_checks WHERE instance_id = ?", (instance_id,))
    store.execute(
        "INSERT INTO image_checks VALUES (?, ?, ?, ?, ?, 100, 200, ?, ?)",
        (instance_id, checked_with, failure, risk, device, frames, regions_digest(regions)),
    )
    for number, region in enumerate(regions):
        box = region.box
        store.execute(
            "INSERT INTO text_regions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                instance_id, number, box.top, box.left, box.bottom, box.right, box.frame, region.engine,
                region.confidence, region.is_strong, region.original_text,
            ),
        )  # fmt: skip
