"""Regular files, and nothing else: links, junctions, pipes and devices of a source are never opened."""

import io
import os
import stat
import sys
from typing import BinaryIO

from app.errors import Reason, UnreadableError

# Windows refuses longer paths unless they are written in the form that bypasses its parser (MAX_PATH is 260,
# and a folder must leave room for an 8.3 name).
WINDOWS_LONG_PATH = 248
# Between lstat and open, a pipe or a link could take the name: O_NOFOLLOW refuses the link, O_NONBLOCK keeps the pipe
# from blocking.
_FLAGS = os.O_RDONLY
for _name in ("O_BINARY", "O_CLOEXEC", "O_NOINHERIT", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"):
    _FLAGS |= getattr(os, _name, 0)


def system_path(path: str) -> str:
    """The form of an absolute path that the operating system takes at any length."""
    if sys.platform != "win32" or len(path) < WINDOWS_LONG_PATH or path.startswith("\\\\?\\"):
        return path
    if path.startswith("\\\\"):
        return "\\\\?\\UNC\\" + path[2:]
    return "\\\\?\\" + path


def is_link(status: os.stat_result) -> bool:
    """Whether an ``lstat`` result is of a symbolic link or a Windows junction.

    Other reparse points (files that OneDrive or deduplication keeps elsewhere) are files as any other.
    """
    if stat.S_ISLNK(status.st_mode):
        return True
    tag = getattr(status, "st_reparse_tag", 0)
    return bool(tag) and tag == getattr(stat, "IO_REPARSE_TAG_MOUNT_POINT", None)


def irregularity(status: os.stat_result) -> Reason | None:
    """Why an ``lstat`` result is not of a regular file; None where it is."""
    if is_link(status):
        return Reason.LINK
    if not stat.S_ISREG(status.st_mode):
        return Reason.NOT_A_REGULAR_FILE
    return None


def open_regular(path: str) -> BinaryIO:
    """Open a regular file for reading.

    Raises
    ------
    UnreadableError
        LINK, NOT_A_REGULAR_FILE, VANISHED, or UNREADABLE_IO.
    """
    path = system_path(path)
    try:
        before = os.lstat(path)
        reason = irregularity(before)
        if reason is not None:
            raise UnreadableError(reason)
        # Not fdopen, which asks each file whether it is a terminal.
        file = io.BufferedReader(io.FileIO(os.open(path, _FLAGS)))
    except FileNotFoundError:
        raise UnreadableError(Reason.VANISHED) from None
    except (OSError, ValueError):  # ValueError: a path with a NUL
        raise UnreadableError(Reason.UNREADABLE_IO) from None
    after = os.fstat(file.fileno())  # what was opened must be what was looked at
    if not stat.S_ISREG(after.st_mode) or not os.path.samestat(before, after):
        file.close()
        raise UnreadableError(Reason.NOT_A_REGULAR_FILE)
    return file
