"""Files that are whole or not there: temporary name, fsync, rename, fsync of the folder."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# What Windows says of a file that another program has open: access denied, sharing violation, lock violation. Virus
# scanners and indexers open whatever was just written, most for milliseconds; a large part takes them seconds.
_HELD = frozenset((5, 32, 33))
_PAUSES_SECONDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 1.0, 2.0)


def write_atomically(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write ``content`` under a temporary name beside ``path``, then rename; nothing is left where that fails.

    For its owner alone, unless ``mode`` says otherwise: nearly all that is written names patients.
    """
    part = path.with_name(path.name + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(part, path)
    except BaseException:
        # Windows never replaces a table that somebody has open: what names patients must not stay beside it.
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def put_in_place(part: Path, path: Path) -> None:
    """Rename a finished, fsynced temporary file to its final name, durably."""
    _have_done(lambda: part.replace(path))
    fsync_folder(path.parent)


def remove(path: Path) -> None:
    """Remove a file, if it is there."""
    _have_done(lambda: path.unlink(missing_ok=True))


def _have_done(act: Callable[[], object]) -> None:
    """Try again while Windows says that another program holds the file, for five seconds in all."""
    for pause in _PAUSES_SECONDS:
        try:
            act()
        except PermissionError as error:
            if getattr(error, "winerror", None) not in _HELD:
                raise
            time.sleep(pause)
        else:
            return
    act()


def is_there(path: Path) -> bool:
    """Whether a file of ours was ever written. Raises FileNotFoundError where its folder is gone, too.

    While a drive or a share is away, nothing is there; to go on as if nothing had been decided would be wrong, and to
    write that down would undo it all.
    """
    if path.exists():
        return True
    path.parent.stat()
    return path.exists()  # it may have come back just now


def fsync_folder(folder: Path) -> None:
    """Make a rename inside ``folder`` durable; Windows has no such call and does it by itself."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
