"""Series whose face was taken out: what was made with which files, and the edits of their images."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.project.store import Store

VERSION = 1  # raised when the same volume gets another face


@dataclass(frozen=True, slots=True)
class Defacing:
    """What came of one series: ``failure`` is a code, None where it was done; the pictures are ``height`` high.

    ``original_before`` and ``after`` show the face as a relief, a byte a pixel.
    """

    series_id: int
    made_with: str
    failure: str | None
    surface_changed: float = 0.0
    height: int = 0
    width: int = 0
    original_before: bytes = field(default=b"", repr=False)
    after: bytes = field(default=b"", repr=False)


def series_digest(files: Iterable[tuple[str, int, int]]) -> str:
    """Of the images of a series: SOP Instance UID, size and time of each file."""
    return hashlib.sha256(json.dumps([VERSION, sorted(files)]).encode()).hexdigest()


def save_defacing(store: Store, defacing: Defacing, edits: Mapping[int, bytes]) -> None:
    """Write what came of a series, and the edit of each of its images; inside a transaction."""
    store.execute(
        "DELETE FROM pixel_edits WHERE instance_id IN (SELECT id FROM instances WHERE series_id = ?)",
        (defacing.series_id,),
    )
    store.execute("DELETE FROM defacings WHERE series_id = ?", (defacing.series_id,))
    store.execute(
        "INSERT INTO defacings (series_id, made_with, failure, surface_changed, height, width, original_before, after) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            defacing.series_id,
            defacing.made_with,
            defacing.failure,
            defacing.surface_changed,
            defacing.height,
            defacing.width,
            defacing.original_before,
            defacing.after,
        ),
    )
    store.executemany("INSERT INTO pixel_edits (instance_id, edit) VALUES (?, ?)", edits.items())


def load_defacing(store: Store, original_series_uid: str) -> Defacing | None:
    """What came of a series; None where it was not tried."""
    row = store.execute(
        "SELECT d.* FROM defacings d JOIN series s ON s.id = d.series_id WHERE s.original_series_uid = ?",
        (original_series_uid,),
    ).fetchone()
    return None if row is None else Defacing(*row)


def edited_images(store: Store, series_id: int, rows: Sequence[Any]) -> frozenset[int]:
    """The images of a series that have an edit made with the very files that are there now; else none.

    ``rows`` are all selected images: ``original_sop_instance_uid``, ``size``, ``mtime_ns``.
    """
    found = store.execute("SELECT made_with, failure FROM defacings WHERE series_id = ?", (series_id,)).fetchone()
    if found is None or found["failure"] is not None:
        return frozenset()
    files = [(row["original_sop_instance_uid"], row["size"], row["mtime_ns"]) for row in rows]
    if found["made_with"] != series_digest(files):
        return frozenset()
    edits = store.execute(
        "SELECT e.instance_id FROM pixel_edits e JOIN instances i ON i.id = e.instance_id WHERE i.series_id = ?",
        (series_id,),
    )
    return frozenset(row[0] for row in edits)


def load_edits(store: Store, series_id: int) -> dict[int, bytes]:
    """The edits of a series by row of ``instances``."""
    rows = store.execute(
        "SELECT e.instance_id, e.edit FROM pixel_edits e JOIN instances i ON i.id = e.instance_id "
        "WHERE i.series_id = ?",
        (series_id,),
    )
    return {row[0]: row[1] for row in rows}
