"""What the system refused, as an error that people can act on: no room, no right, no drive, a damaged database.

Such errors come from any line that touches the project's folder; they are told apart where a job ends, not where they
come from. Their own texts name paths, and stay here.
"""

import errno
import sqlite3
from collections.abc import Mapping

from app.errors import ProjectError

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_NO_RIGHT = frozenset((errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY))
_NO_DRIVE = frozenset(
    (
        *(errno.ENOENT, errno.ENOTDIR, errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNABORTED),
    )
)
# System error codes of Windows (WinError.h). Python gives most of them no errno but EINVAL.
_WINDOWS: Mapping[int, str] = {
    # The disk, and a file that a program holds open, are full; the quota is used up.
    **dict.fromkeys((39, 112, 1295), "no-room"),
    # Access denied, write-protected; sharing and lock violation; on its way to be deleted, mapped by a program; a share
    # that refuses, in its words: network access denied, wrong password, logon failed.
    **dict.fromkeys((5, 19, 32, 33, 65, 86, 303, 1224, 1326), "no-right"),
    # Invalid drive, not ready; of networks: computer unreachable, path not found, resource gone, unexpected error, name
    # deleted, name not found, time is up, connection aborted, network and host unreachable; of drives: no such device,
    # medium changed, no medium, input/output error, not connected.
    **dict.fromkeys((15, 21, 51, 53, 55, 59, 64, 67, 121, 1231, 1232, 1236), "no-drive"),
    **dict.fromkeys((433, 1110, 1112, 1117, 1167), "no-drive"),
}
_SQLITE: Mapping[int, str] = {
    sqlite3.SQLITE_FULL: "no-room",
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH), "no-right"),
    **dict.fromkeys((sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN), "no-drive"),
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), "project-in-use"),
    **dict.fromkeys((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB), "database-damaged"),
}


def fault_of(error: BaseException) -> ProjectError | None:
    """The fault of the system that an exception tells of; None where it is something else, such as a defect of ours.

    ``no-room``, ``no-right``, ``no-drive``, ``database-damaged``, ``project-in-use``.
    """
    code: str | None = None
    if isinstance(error, sqlite3.Error):
        # The extended codes have what is special about them above the lowest byte.
        code = _SQLITE.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)
        if code is None and type(error) is sqlite3.DatabaseError:
            code = "database-damaged"
    elif isinstance(error, OSError):
        code = _WINDOWS.get(getattr(error, "winerror", None) or 0)
        for numbers, name in ((_NO_ROOM, "no-room"), (_NO_RIGHT, "no-right"), (_NO_DRIVE, "no-drive")):
            if code is None and error.errno in numbers:
                code = name
    return None if code is None else ProjectError(code)
