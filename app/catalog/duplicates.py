"""Tells copies from conflicts: several files with one SOP Instance UID.

The same bytes are one instance, and the first file in the order of locators stands for it. Other bytes are a
conflict: nobody can say which one is meant, so none of them counts. What has to be judged shows in the rows
themselves (see ``_UNSETTLED``), so that an interrupted scan is made good by the next one, and nothing is
hashed twice.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby

from app.catalog.rows import FileRows
from app.catalog.tasks import TaskQueue
from app.catalog.worker import Digest, HashTask, hash_tasks
from app.errors import Reason
from app.files.archives import ArchiveLimits
from app.jobs.executors import WorkExecutor
from app.jobs.pump import Lost, Waiting, run_batches
from app.project.store import Store

GROUPS_AT_ONCE = 500
TASK_BYTES = 256 << 20
# For a task of that size, or one group of larger files: a slow share and a large multi-frame object.
SECONDS_PER_TASK = 900.0

# A UID is settled when its only file counts, when all its files are in conflict, or when one counts and the
# others are its duplicates. A file that comes has no reason yet, and one that goes takes the reasons of the
# others with it.
_UNSETTLED = f"""
SELECT i.file_id, i.original_sop_instance_uid, f.original_locator, f.size
FROM instances i JOIN files f ON f.id = i.file_id
WHERE i.original_sop_instance_uid IN (
  SELECT original_sop_instance_uid FROM instances WHERE original_sop_instance_uid > ?
  GROUP BY original_sop_instance_uid
  HAVING NOT (
    sum(reason IS '{Reason.CONFLICT}') = count(*) AND count(*) > 1
    OR count(*) - count(reason) = 1 AND sum(reason IS '{Reason.DUPLICATE}') = count(*) - 1
  )
  ORDER BY original_sop_instance_uid LIMIT {GROUPS_AT_ONCE}
)
ORDER BY i.original_sop_instance_uid, f.original_locator"""  # noqa: S608 - constants


@dataclass(frozen=True, slots=True)
class _File:
    file_id: int
    original_sop_instance_uid: str
    original_locator: str
    size: int


_Group = Sequence[_File]


def settle_duplicates(
    store: Store, rows: FileRows, limits: ArchiveLimits, executor: WorkExecutor
) -> Generator[int, None, None]:
    """Judge every UID that is not settled; yields how many were, from time to time."""
    settled = 0
    while True:
        before = settled
        for page in _pages(store):
            with closing(_settle(page, store, rows, limits, executor)) as counts:
                for count in counts:
                    settled += count
                    yield settled
        # A file that turned out to be damaged is gone from its group, which has to be judged once more.
        if settled == before:
            return


def _pages(store: Store) -> Iterator[list[_Group]]:
    last = ""
    while True:
        files = [_File(**dict(row)) for row in store.execute(_UNSETTLED, (last,)).fetchall()]
        if not files:
            return
        last = files[-1].original_sop_instance_uid
        yield [list(group) for _, group in groupby(files, lambda file: file.original_sop_instance_uid)]


def _settle(
    page: list[_Group], store: Store, rows: FileRows, limits: ArchiveLimits, executor: WorkExecutor
) -> Generator[int, None, None]:
    to_hash: list[_Group] = []
    with store.transaction():
        for group in page:
            # Files of other sizes have other bytes; one that is alone is compared with nothing.
            if len(group) == 1 or len({file.size for file in group}) > 1:
                _write(store, group, _judge([file.size for file in group]))
            else:
                to_hash.append(group)
    yield len(page) - len(to_hash)
    groups = {group[0].file_id: group for group in to_hash}
    group_of = {file.file_id: group[0].file_id for group in to_hash for file in group}
    tasks = TaskQueue(_tasks(to_hash), limits)
    outcomes = run_batches(hash_tasks, tasks, executor, seconds_per_item=SECONDS_PER_TASK)
    with closing(outcomes):
        for outcome in outcomes:
            if isinstance(outcome, Waiting):
                yield 0
                continue
            (task,) = outcome.batch.items
            wanted = [groups[key] for key in dict.fromkeys(group_of[file_id] for file_id, _ in task.files)]
            if isinstance(outcome, Lost):
                if len(wanted) > 1:
                    for group in wanted:
                        tasks.put_back(_task([group]))
                    continue
                digests = tuple(Digest(file.file_id, outcome.reason) for file in wanted[0])
            else:
                digests = outcome.result
            with store.transaction():
                _apply(store, rows, wanted, {digest.file_id: digest.sha256 for digest in digests})
            yield len(wanted)


def _tasks(groups: list[_Group]) -> Iterator[HashTask]:
    # By locator, so that the members of one archive are read together and forward.
    together: list[_Group] = []
    size = 0
    for group in sorted(groups, key=lambda group: group[0].original_locator):
        if together and size > TASK_BYTES:
            yield _task(together)
            together, size = [], 0
        together.append(group)
        size += sum(file.size for file in group)
    if together:
        yield _task(together)


def _task(groups: Sequence[_Group]) -> HashTask:
    files = sorted((file for group in groups for file in group), key=lambda file: file.original_locator)
    return HashTask(tuple((file.file_id, file.original_locator) for file in files))


def _apply(store: Store, rows: FileRows, groups: Sequence[_Group], digests: dict[int, bytes | Reason]) -> None:
    for group in groups:
        values = [digests[file.file_id] for file in group]
        damaged = [
            (file.file_id, value) for file, value in zip(group, values, strict=True) if isinstance(value, Reason)
        ]
        for file_id, reason in damaged:
            rows.set_unreadable(file_id, reason)
        if not damaged:
            _write(store, group, _judge(values))


def _judge(values: Sequence[object]) -> Reason:
    """What the files after the first are, by what tells their bytes apart."""
    return Reason.DUPLICATE if len(set(values)) == 1 else Reason.CONFLICT


def _write(store: Store, group: _Group, reason: Reason) -> None:
    first = reason if reason is Reason.CONFLICT else None
    for number, file in enumerate(group):
        store.execute("UPDATE instances SET reason = ? WHERE file_id = ?", (reason if number else first, file.file_id))
