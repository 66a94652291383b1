"""Starts the program: ``python -m app`` and the installed ``consign``."""

import multiprocessing
import os
import sys
from pathlib import Path
from typing import NoReturn

WINDOW = "--window"


def main() -> NoReturn:
    """Open the window, or run the command line where there are arguments.

    ``--window FILE...`` opens the window with files, as if they had been dropped there: what a desktop calls when
    somebody opens a protocol file. A frozen worker process ends in the first line.
    """
    multiprocessing.freeze_support()
    if len(sys.argv) > 1 and sys.argv[1] != WINDOW:
        _run_command()
    if not _has_screen():
        _refuse("no-screen")
    from app.gui.main import run as show  # noqa: PLC0415 - the command line has no use for Qt

    sys.exit(show(files=[Path(name).absolute() for name in sys.argv[2:]]))


def command_line() -> NoReturn:
    """Run the command line, also without arguments: the console program of an installation."""
    multiprocessing.freeze_support()
    _run_command()


def _has_screen() -> bool:
    """Whether there is anything to show a window on: on X11 and Wayland Qt ends the process where there is not."""
    named = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return sys.platform in ("win32", "darwin") or any(os.environ.get(name) for name in named)


def _refuse(code: str) -> NoReturn:
    from app.cli.console import Console  # noqa: PLC0415 - the window has no use for the command line
    from app.errors import UsageError  # noqa: PLC0415

    Console(json_output=False).error(UsageError(code))
    sys.exit(2)


def _run_command() -> NoReturn:
    try:
        from app.cli.main import main as run  # noqa: PLC0415 - a spawned worker must not pay for the command line

        run()
    except KeyboardInterrupt:  # in the half second before the command line can answer it
        sys.exit(1)


if __name__ == "__main__":
    main()
