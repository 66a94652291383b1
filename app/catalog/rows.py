"""The rows of a scan: what is written for a file, and what goes when a file changed or vanished.

A reader of the catalogue may depend on locators and UIDs, never on ids: those differ after an interruption.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from app.catalog.worker import INSTANCE, FileRecord, InstanceRecord
from app.errors import Reason
from app.files.locator import Locator
from app.project.store import Store
from app.sources.base import Candidate, Source

# A file with one of these may well be read the next time, so it is tried again although it has not changed.
TRANSIENT = frozenset(
    (Reason.UNREADABLE_IO, Reason.VANISHED, Reason.WORKER_CRASHED, Reason.WORKER_HUNG, Reason.WORKER_OUT_OF_MEMORY)
)
FORGET_AT_ONCE = 500
# Greater than every locator with the same beginning: locators are ASCII.
_AFTER_ALL = "\U0010ffff"


@dataclass(slots=True)
class _Known:
    """Rows that one call of ``write`` has found or made."""

    series: dict[tuple[str, str, str, frozenset[tuple[str, str]]], int] = field(default_factory=dict)
    attribute_sets: dict[str, int] = field(default_factory=dict)


class FileRows:
    """Writes the files, instances and what hangs on them, for one run."""

    def __init__(self, store: Store, run_id: int) -> None:
        self._store = store
        self._run_id = run_id

    def add_source(self, source: Source) -> int:
        """The id of the source's row. The path is kept in a locator's form, which holds any file name."""
        row = self._store.execute(
            "INSERT INTO sources (kind, original_path) VALUES (?, ?) "
            "ON CONFLICT (original_path) DO UPDATE SET kind = excluded.kind RETURNING id",
            (source.kind.value, Locator(source.original_root).to_text()),
        ).fetchone()
        return int(row["id"])

    def keep_unchanged(self, source_id: int, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Mark the files that are as they were when they were read as seen; the others are returned."""
        locators = {Locator(candidate.original_path).to_text(): candidate for candidate in candidates}
        rows = self._store.execute(
            "SELECT original_locator, size, mtime_ns, verdict, reason FROM files "
            "WHERE original_locator IN (SELECT value FROM json_each(?))",
            (json.dumps(list(locators)),),
        ).fetchall()
        unchanged = [row for row in rows if _is_unchanged(row, locators[row["original_locator"]])]
        with self._store.transaction():
            for row in unchanged:
                locator = row["original_locator"]
                self._mark_seen(source_id, locator, locator)
                if row["verdict"] != INSTANCE:  # perhaps an archive: its members are as unchanged as itself
                    self._mark_seen(source_id, *_member_range(locator))
        for row in unchanged:
            del locators[row["original_locator"]]
        return list(locators.values())

    def _mark_seen(self, source_id: int, first: str, last: str) -> None:
        self._store.execute(
            "UPDATE files SET seen_run = ?, source_id = ? WHERE original_locator BETWEEN ? AND ?",
            (self._run_id, source_id, first, last),
        )

    def write(self, source_id: int, records: Iterable[FileRecord]) -> None:
        """Write the rows of some files, in place of those that there were; inside a transaction."""
        records = tuple(records)
        there = self._locators_there([record.original_locator for record in records])
        known = _Known()
        for record in records:
            if record.original_locator in there:
                self._forget("original_locator = ?", (record.original_locator,))
            there.add(record.original_locator)
            file_id = self._store.execute(
                "INSERT INTO files (source_id, original_locator, size, mtime_ns, verdict, reason, seen_run) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    source_id,
                    record.original_locator,
                    record.size,
                    record.mtime_ns,
                    record.verdict,
                    record.reason,
                    self._run_id,
                ),
            ).fetchone()["id"]
            if record.instance is not None:
                self._write_instance(file_id, record.instance, known)
            elif record.original_series is not None:
                self._write_damaged(file_id, *record.original_series)

    def _locators_there(self, locators: list[str]) -> set[str]:
        rows = self._store.execute(
            "SELECT original_locator FROM files WHERE original_locator IN (SELECT value FROM json_each(?))",
            (json.dumps(locators),),
        )
        return {row["original_locator"] for row in rows}

    def _write_instance(self, file_id: int, instance: InstanceRecord, known: "_Known") -> None:
        series_id, attribute_set_id = self._place_of(instance, known)
        self._store.execute(
            "INSERT INTO instances (file_id, series_id, attribute_set_id, original_sop_instance_uid, "
            "sop_class_uid, transfer_syntax_uid, instance_number, slice_position_mm, volume_key, acquired_s, "
            "frame_positions_mm, pixel_fault) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                file_id,
                series_id,
                attribute_set_id,
                instance.original_sop_instance_uid,
                instance.sop_class_uid,
                instance.transfer_syntax_uid,
                instance.instance_number,
                instance.slice_position_mm,
                instance.volume_key,
                instance.acquired_s,
                instance.frame_positions_mm,
                instance.pixel_fault,
            ),
        )

    def _place_of(self, instance: InstanceRecord, known: "_Known") -> tuple[int, int]:
        """The rows of its series and of its attribute set, which are asked for once in a call of ``write``."""
        key = (
            instance.original_patient_key,
            instance.original_study_uid,
            instance.original_series_uid,
            instance.original_identities,
        )
        series_id = known.series.get(key)
        if series_id is None:
            series_id = known.series[key] = self._series_of(instance)
            self._forget_derived("id = ?", (series_id,))
        attributes = instance.original_attributes
        attribute_set_id = known.attribute_sets.get(attributes)
        if attribute_set_id is None:
            digest = hashlib.sha256(attributes.encode()).hexdigest()
            attribute_set_id = self._id_of("attribute_sets", {"digest": digest}, {"original_attributes": attributes})
            known.attribute_sets[attributes] = attribute_set_id
        return series_id, attribute_set_id

    def _series_of(self, instance: InstanceRecord) -> int:
        patient_id = self._id_of("patients", {"original_key": instance.original_patient_key})
        self._store.executemany(
            "INSERT OR IGNORE INTO identities (patient_id, kind, original_value) VALUES (?, ?, ?)",
            ((patient_id, kind, value) for kind, value in instance.original_identities),
        )
        return self._id_of(
            "series",
            {
                "patient_id": patient_id,
                "original_study_uid": instance.original_study_uid,
                "original_series_uid": instance.original_series_uid,
            },
        )

    def _write_damaged(self, file_id: int, original_study_uid: str, original_series_uid: str) -> None:
        self._store.execute(
            "INSERT INTO damaged_instances (file_id, original_study_uid, original_series_uid) VALUES (?, ?, ?)",
            (file_id, original_study_uid, original_series_uid),
        )
        self._forget_derived("original_series_uid = ?", (original_series_uid,))

    def _forget_derived(self, condition: str, parameters: tuple[int | str, ...]) -> None:
        """What was derived from a series as a whole holds no longer; the condition is of this module."""
        for statement in (
            "UPDATE series SET facts = NULL WHERE facts IS NOT NULL AND id IN (SELECT id FROM series WHERE {})",
            "DELETE FROM series_checks WHERE series_id IN (SELECT id FROM series WHERE {})",
        ):
            self._store.execute(statement.format(condition), parameters)

    def _id_of(self, table: str, key: dict[str, str | int], others: dict[str, str] | None = None) -> int:
        """The id of the row with this key, which is made where there is none; names come from this module
        only.
        """
        condition = " AND ".join(f"{column} = ?" for column in key)
        row_id = self._store.one(f"SELECT id FROM {table} WHERE {condition}", tuple(key.values()))  # noqa: S608
        if row_id is None:
            values = key | (others or {})
            columns, marks = ", ".join(values), ", ".join("?" * len(values))
            row_id = self._store.execute(
                f"INSERT INTO {table} ({columns}) VALUES ({marks}) RETURNING id",  # noqa: S608
                tuple(values.values()),
            ).fetchone()["id"]
        return int(row_id)

    def forget_archive(self, original_path: str) -> None:
        """Remove an archive's row and those of its members: it is about to be read anew."""
        locator = Locator(original_path).to_text()
        for first, last in ((locator, locator), _member_range(locator)):
            self._forget_range(first, last, unseen_only=False)

    def forget_vanished(self, original_root: str) -> None:
        """Remove what lies in a source and was not seen in this run; call only after the whole source was
        walked.
        """
        locator = Locator(original_root).to_text()
        for first, last in ((locator, locator), _member_range(locator), _folder_range(original_root)):
            self._forget_range(first, last, unseen_only=True)

    def forget_source(self, original_root: str) -> Iterator[int]:
        """Remove a source with all that was found in it; gives how many batches are gone."""
        locator = Locator(original_root).to_text()
        source_id = self._store.one("SELECT id FROM sources WHERE original_path = ?", (locator,))
        if source_id is None:
            return
        for batch in count(1):
            with self._store.transaction():
                if not self._forget("source_id = ?", (int(source_id),)):
                    break
            yield batch
        self._store.execute("DELETE FROM sources WHERE id = ?", (source_id,))

    def _forget_range(self, first: str, last: str, *, unseen_only: bool) -> None:
        condition = "original_locator BETWEEN ? AND ?" + (" AND seen_run <> ?" if unseen_only else "")
        parameters = (first, last, self._run_id) if unseen_only else (first, last)
        while True:
            with self._store.transaction():
                if not self._forget(condition, parameters):
                    return

    def _forget(self, condition: str, parameters: tuple[str | int, ...]) -> bool:
        """Remove at most ``FORGET_AT_ONCE`` files; the condition is of this module. Returns whether there
        were any.
        """
        rows = self._store.execute(
            f"SELECT id FROM files WHERE {condition} LIMIT {FORGET_AT_ONCE}",  # noqa: S608
            parameters,
        ).fetchall()
        for row in rows:
            self.forget_instance(row["id"])
            self._store.execute("DELETE FROM files WHERE id = ?", (row["id"],))
        return bool(rows)

    def forget_instance(self, file_id: int) -> None:
        """Remove a file's instance, if it has one. Its copies and its series have to be judged anew."""
        row = self._store.execute(
            "SELECT series_id, original_sop_instance_uid FROM instances WHERE file_id = ?", (file_id,)
        ).fetchone()
        if row is None:
            return
        self._store.execute("DELETE FROM instances WHERE file_id = ?", (file_id,))
        self._forget_derived("id = ?", (row["series_id"],))
        self._store.execute(
            "UPDATE instances SET reason = NULL WHERE original_sop_instance_uid = ? AND reason IS NOT NULL",
            (row["original_sop_instance_uid"],),
        )

    def set_unreadable(self, file_id: int, reason: Reason) -> None:
        """A file that was an instance turned out to be damaged when it was read to its end."""
        self.forget_instance(file_id)
        self._store.execute("UPDATE files SET verdict = 'unreadable', reason = ? WHERE id = ?", (reason, file_id))

    def forget_orphans(self) -> None:
        """Remove series, patients and attribute sets that no instance has any more."""
        with self._store.transaction():
            for statement in (
                "DELETE FROM series WHERE id NOT IN (SELECT series_id FROM instances)",
                "DELETE FROM identities WHERE patient_id NOT IN (SELECT patient_id FROM series)",
                "DELETE FROM patients WHERE id NOT IN (SELECT patient_id FROM series)",
                "DELETE FROM attribute_sets WHERE id NOT IN (SELECT attribute_set_id FROM instances)",
            ):
                self._store.execute(statement)


def _is_unchanged(row: Any, candidate: Candidate) -> bool:
    as_before = (row["size"], row["mtime_ns"]) == (candidate.size, candidate.mtime_ns)
    return as_before and row["reason"] not in TRANSIENT


def _member_range(locator: str) -> tuple[str, str]:
    """The first and last possible locator of the members of a file: ``["path", ``…"""
    start = locator.removesuffix("]") + ", "
    return start, start + _AFTER_ALL


def _folder_range(folder: str) -> tuple[str, str]:
    """The first and last possible locator of what lies in a folder: ``["folder/``…"""
    start = Locator(folder.removesuffix(os.sep) + os.sep).to_text().removesuffix('"]')
    return start, start + _AFTER_ALL
