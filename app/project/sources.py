"""Whether the places that files came from can be reached: a drive that went away is no reason to go on without it."""

import os
from collections.abc import Iterable

from app.errors import Reason, UsageError
from app.files.locator import Locator
from app.files.regular import system_path
from app.project.store import Store

# What a file is told to be while the drive under it is away.
AWAY = frozenset((Reason.UNREADABLE_IO, Reason.VANISHED))


def is_gone(root: str) -> bool:
    """Whether a source can't be reached, or has become an empty folder, as the place of a drive does without it."""
    path = system_path(root)
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - paths of a source are text
            os.stat(path)  # noqa: PTH116
            return False
        with os.scandir(path) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def require_sources(store: Store, instance_ids: Iterable[int]) -> None:
    """Raise UsageError("source-gone", number=…) where the source of one of the instances can't be reached now."""
    known: set[int] = set()
    for instance_id in instance_ids:
        row = store.execute(
            "SELECT s.id, s.original_path FROM sources s JOIN files f ON f.source_id = s.id "
            "JOIN instances i ON i.file_id = f.id WHERE i.id = ?",
            (instance_id,),
        ).fetchone()
        if row is not None and row["id"] not in known:
            known.add(row["id"])
            if is_gone(Locator.from_text(row["original_path"]).original_path):
                raise UsageError("source-gone", number=row["id"])


def is_there_again(store: Store, instance_id: int) -> bool:
    """Whether the file of an instance is as it was when it was catalogued: what kept it from being read is over."""
    row = store.execute(
        "SELECT f.original_locator, f.size, f.mtime_ns FROM files f JOIN instances i ON i.file_id = f.id "
        "WHERE i.id = ?",
        (instance_id,),
    ).fetchone()
    locator = Locator.from_text(row["original_locator"])
    try:
        status = os.stat(system_path(locator.original_path))  # noqa: PTH116
    except OSError:
        return False
    return status.st_mtime_ns == row["mtime_ns"] and (bool(locator.original_members) or status.st_size == row["size"])
