"""The step ``scan``: walks the sources, has changed files read by workers, and writes what they found."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import assert_never

from app.catalog.duplicates import settle_duplicates
from app.catalog.rows import FileRows
from app.catalog.table import count_catalogue
from app.catalog.tasks import TaskQueue
from app.catalog.worker import (
    ArchiveRead,
    ArchiveTask,
    FileRecord,
    FilesRead,
    FilesTask,
    Task,
    read_tasks,
)
from app.errors import Reason, UsageError
from app.events import Event, Finished, Job, Note, Progress
from app.files.archives import ArchiveLimits
from app.files.locator import Locator
from app.jobs.executors import WorkExecutor
from app.jobs.pump import Done, Lost, Waiting, run_batches
from app.project.folder import Project
from app.project.sources import is_gone
from app.project.store import Store
from app.sources.archive import WHOLE
from app.sources.base import Candidate, Source
from app.sources.folder import open_sources

STEP = "scan"
FILES_PER_TASK = 200
STEPS_PER_TASK = 1000
SECONDS_PER_TASK = 60.0
# Small enough to be inflated within a task's seconds. A larger archive may be one compressed stream, which
# has to be read in one go: those come last, with time for the largest at a slow disk's speed.
LARGE_ARCHIVE_BYTES = 256 << 20
SLOW_BYTES_PER_SECOND = 4 << 20
COUNT_EVERY = 5000


def scan(
    project: Project,
    source_paths: Sequence[Path],
    executor: WorkExecutor,
    limits: ArchiveLimits | None = None,
) -> Job:
    """Catalogue the sources; a file that has not changed since it was read is not opened again.

    Rows of other sources stay as they are. Whatever is wrong with a file becomes its reason. An interrupted
    scan is finished by the same call; only then is ``table.is_complete`` true. Raises
    UsageError("source-not-found") before anything is written, "source-gone" where a drive went away meanwhile.
    """
    store = project.store
    sources = open_sources(source_paths, left_out=project.layout.root)
    run_id = _begin(store)
    total = 0
    places: list[tuple[int, Source]] = []  # numbers and sources with something in them
    for number, source in enumerate(sources, start=1):
        before = total
        for _ in source.walk():
            total += 1
            if total % COUNT_EVERY == 1:
                yield Progress(STEP, 0, None)
        if total > before:
            places.append((number, source))
    rows = FileRows(store, run_id)
    intake = _Intake(store, rows, limits or ArchiveLimits(), sources, total)
    yield from intake.read(executor)
    for number, source in places:
        if is_gone(source.original_root):  # what could not be read, and what seems to have vanished, is all still there
            raise UsageError("source-gone", number=number)
    for source in intake.walked:
        rows.forget_vanished(source.original_root)
    with closing(settle_duplicates(store, rows, intake.limits, executor)) as settled:
        for count in settled:
            yield Progress(STEP, count, None, "duplicates")
    rows.forget_orphans()
    if intake.missing_files:
        yield Note(STEP, "dicomdir-missing-files", {"files": intake.missing_files})
    counts = count_catalogue(store)
    _finish(store, run_id, counts)
    yield Finished(STEP, counts)


def _begin(store: Store) -> int:
    row = store.execute("INSERT INTO runs (step, started) VALUES (?, ?) RETURNING id", (STEP, _now())).fetchone()
    return int(row["id"])


def _finish(store: Store, run_id: int, counts: dict[str, int]) -> None:
    store.execute("UPDATE runs SET finished = ?, counts = ? WHERE id = ?", (_now(), json.dumps(counts), run_id))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


class _Intake:
    """Gives out what is to be read, and takes in what was read.

    Attributes
    ----------
    walked
        Sources that were walked to their end, with a root that could be listed.
    missing_files
        Named by a DICOMDIR that was read now, and not on its medium.
    """

    def __init__(
        self, store: Store, rows: FileRows, limits: ArchiveLimits, sources: Sequence[Source], total: int
    ) -> None:
        self._store, self._rows, self._sources = store, rows, sources
        self.limits = limits
        self.walked: list[Source] = []
        self.missing_files = 0
        self._done, self._total = 0, total
        self._large: list[ArchiveTask] = []
        self._tasks: TaskQueue[Task] = TaskQueue(self._new_tasks(), limits)

    def read(self, executor: WorkExecutor) -> Iterator[Event]:
        """Have everything read, the large archives last."""
        yield from self._run(executor, SECONDS_PER_TASK)
        if self._large:
            largest = max(task.file.size for task in self._large)
            self._tasks = TaskQueue(self._large, self.limits)
            yield from self._run(executor, SECONDS_PER_TASK + largest / SLOW_BYTES_PER_SECOND)

    def _run(self, executor: WorkExecutor, seconds: float) -> Iterator[Event]:
        outcomes = run_batches(read_tasks, self._tasks, executor, seconds_per_item=seconds)
        with closing(outcomes):
            for outcome in outcomes:
                match outcome:
                    case Waiting():
                        pass
                    case Done(batch, results):
                        (result,) = results
                        self._take(batch.items[0], result)
                    case Lost(batch, reason):
                        self._isolate(batch.items[0], reason)
                    case _:
                        assert_never(outcome)
                yield Progress(STEP, self._done, self._total)

    def _new_tasks(self) -> Iterator[Task]:
        for source in self._sources:
            with self._store.transaction():
                source_id = self._rows.add_source(source)
            root_is_there = True
            entries = source.walk()
            # A task without files comes back at once: the job then shows progress, and can be cancelled.
            while found := list(islice(entries, FILES_PER_TASK)):
                candidates = [entry for entry in found if isinstance(entry, Candidate)]
                aside = [entry for entry in found if not isinstance(entry, Candidate)]
                root_is_there &= all(entry.original_path != source.original_root for entry in aside)
                self._write(
                    source_id,
                    [
                        FileRecord(Locator(entry.original_path).to_text(), entry.size, entry.mtime_ns, entry.reason)
                        for entry in aside
                    ],
                )
                changed = self._rows.keep_unchanged(source_id, candidates)
                self._done += len(candidates) - len(changed)
                yield FilesTask(source_id, tuple(changed))
            if root_is_there:
                self.walked.append(source)

    def _write(self, source_id: int, records: Sequence[FileRecord]) -> None:
        if records:
            with self._store.transaction():
                self._rows.write(source_id, records)
            self._done += len(records)

    def _take(self, task: Task, result: FilesRead | ArchiveRead) -> None:
        self._write(task.source_id, result.records)
        if isinstance(task, FilesTask) and isinstance(result, FilesRead):
            self.missing_files += result.missing_files
            for archive in result.archives:
                self._begin_archive(ArchiveTask(task.source_id, archive, STEPS_PER_TASK))
            if result.left:
                self._tasks.put_back(FilesTask(task.source_id, result.left))
        elif isinstance(task, ArchiveTask) and isinstance(result, ArchiveRead):
            self._total += len(result.records)
            if result.next_start is None:
                self._end_archive(task, result.reason)
            else:
                self._tasks.put_back(
                    replace(task, start=result.next_start, steps=STEPS_PER_TASK, spent=result.spent, lost=())
                )

    def _begin_archive(self, task: ArchiveTask) -> None:
        self._rows.forget_archive(task.file.original_path)
        if task.file.size > LARGE_ARCHIVE_BYTES:
            self._large.append(task)
        else:
            self._tasks.put_back(task)

    def _end_archive(self, task: ArchiveTask, reason: Reason) -> None:
        """Write the archive's own row: it comes last, and says that the rows of the members are all there."""
        locator = Locator(task.file.original_path).to_text()
        self._write(task.source_id, [FileRecord(locator, task.file.size, task.file.mtime_ns, reason)])

    def _isolate(self, task: Task, reason: Reason) -> None:
        """Narrow down on what crashed or hung a worker: it alone is set aside."""
        match task:
            case FilesTask():
                if len(task.files) > 1:
                    for file in task.files:
                        self._tasks.put_back(FilesTask(task.source_id, (file,)))
                    return
                locators = [Locator(file.original_path).to_text() for file in task.files]
                self._write(
                    task.source_id,
                    [
                        FileRecord(locator, file.size, file.mtime_ns, reason)
                        for locator, file in zip(locators, task.files, strict=True)
                    ],
                )
            case ArchiveTask():
                self._isolate_in_archive(task, reason)
            case _:
                assert_never(task)

    def _isolate_in_archive(self, task: ArchiveTask, reason: Reason) -> None:
        first_file, whole_entry = (task.start, reason), ((*task.start, WHOLE), reason)
        if task.steps > 1:
            self._tasks.put_back(replace(task, steps=max(1, task.steps // 8)))
        elif not task.lost:
            self._tasks.put_back(replace(task, lost=(first_file,)))
        elif task.lost == (first_file,):
            self._tasks.put_back(replace(task, lost=(whole_entry,)))
        else:
            self._end_archive(task, reason)
