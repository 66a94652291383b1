"""A file about a defect that a person may read and send: where it was in the program, and nothing of what it worked on.

Kept apart from any project. It names kinds of exceptions, places in code and versions; never an exception's text, a
value of a variable, or a path of the person's own files.
"""

import platform
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QStandardPaths, qVersion

import app
from app import __version__

_MOST_REPORTS = 20
_NAME = "defect-{when}.txt"
_PROGRAM = Path(app.__file__).parent.parent


def reports_folder() -> Path:
    """Where the reports lie."""
    place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppLocalDataLocation)
    return Path(place or tempfile.gettempdir()) / "defects"  # Qt knows of no place: never beside the program


def write_crash_report(error: BaseException, folder: Path) -> Path | None:
    """Write what is known of a defect; None where it can't be written. Old reports make room for new ones."""
    now = datetime.now(UTC)
    path = folder / _NAME.format(when=now.strftime("%Y%m%d-%H%M%S-%f"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in sorted(folder.glob(_NAME.format(when="*")))[: -(_MOST_REPORTS - 1)]:
            old.unlink(missing_ok=True)
        path.write_text("\n".join(_lines(error, now)) + "\n", encoding="utf-8")
    except OSError:
        return None
    return path


def _lines(error: BaseException, now: datetime) -> Iterator[str]:
    yield "Consign: a defect. This file names places in the program; it holds nothing of a patient."
    yield f"when: {now.isoformat(timespec='seconds')}"
    yield f"Consign {__version__}, Python {platform.python_version()}, Qt {qVersion()}"
    yield f"system: {platform.system()} {platform.release()} {platform.machine()}, frozen: {hasattr(sys, 'frozen')}"
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield ""
        yield f"{type(cause).__module__}.{type(cause).__qualname__}"
        for frame in traceback.extract_tb(cause.__traceback__):
            yield f"  {_module(frame.filename)}:{frame.lineno} {frame.name}"
        cause = cause.__cause__ or cause.__context__


def _module(filename: str) -> str:
    """A file of the program by its place below the package, any other one by its name: its path may name a person."""
    path = Path(filename)
    return path.relative_to(_PROGRAM).as_posix() if path.is_relative_to(_PROGRAM) else path.name
