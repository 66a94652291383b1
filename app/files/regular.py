"""Regular files, and nothing else: links, junctions, pipes and devices of a source are never opened."""

import io
import os
import re
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from app.errors import Reason, UnreadableError

# Windows refuses longer paths unless they are written in the form that bypasses its parser (MAX_PATH is 260,
# and a folder must leave room for an 8.3 name).
WINDOWS_LONG_PATH = 248
# Names that its parser changes (a dot or space at the end goes) or takes for a device: other systems, and shares of
# theirs, have such files. ``IM1.`` would open ``IM1`` beside it.
_ODD_NAME = re.compile(
    r"[. ](?:\\|\Z)|\\(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[1-9\xb9\xb2\xb3]) *(?:[.:\\]|\Z)", re.IGNORECASE
)
_VERBATIM, _VERBATIM_SHARE = "\\\\?\\", "\\\\?\\UNC\\"
# What the names of our own files take below the folder of a project or a bundle, at most.
_ROOM = 120
# Between lstat and open, a pipe or a link could take the name: O_NOFOLLOW refuses the link, O_NONBLOCK keeps the pipe
# from blocking.
_FLAGS = os.O_RDONLY
for _name in ("O_BINARY", "O_CLOEXEC", "O_NOINHERIT", "O_NOFOLLOW", "O_NONBLOCK", "O_NOCTTY"):
    _FLAGS |= getattr(os, _name, 0)


def system_path(path: str, room: int = 0) -> str:
    """The form of an absolute path that the operating system takes as it is, at any length.

    With ``room``, it takes names of so many characters below it, too.
    """
    if sys.platform != "win32" or path.startswith(_VERBATIM):
        return path
    if len(path) + room < WINDOWS_LONG_PATH and not _ODD_NAME.search(path):
        return path
    if path.startswith("\\\\"):
        return _VERBATIM_SHARE + path[2:]
    return _VERBATIM + path


def plain_path(path: str) -> str:
    """The inverse of ``system_path``: what people know a file by."""
    if path.startswith(_VERBATIM_SHARE):
        return "\\\\" + path.removeprefix(_VERBATIM_SHARE)
    return path.removeprefix(_VERBATIM)


def system_folder(folder: Path) -> Path:
    """A folder in the form in which the operating system takes files of ours below it."""
    if sys.platform != "win32":
        return folder
    return Path(system_path(os.path.abspath(folder), _ROOM))  # noqa: PTH100 - resolve() fails for what is too long


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
        LINK, NOT_A_REGULAR_FILE, VANISHED (also where another one took its place), or UNREADABLE_IO.
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
    if stat.S_ISREG(after.st_mode) and _is_same(before, after):
        return file
    file.close()
    raise UnreadableError(Reason.VANISHED if stat.S_ISREG(after.st_mode) else Reason.NOT_A_REGULAR_FILE)


def _is_same(before: os.stat_result, after: os.stat_result) -> bool:
    if os.path.samestat(before, after):
        return True
    # On Windows a file's number holds for as long as it is open; of WebDAV and of some shares it is another one each
    # time (python/cpython#74665, gorakhargosh/watchdog#683).
    return sys.platform == "win32" and (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
