"""Starts the program: ``python -m app`` and the installed ``consign``."""

import multiprocessing
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
    from app.gui.main import run as show  # noqa: PLC0415 - the command line has no use for Qt

    sys.exit(show(files=[Path(name).absolute() for name in sys.argv[2:]]))


def command_line() -> NoReturn:
    """Run the command line, also without arguments: the console program of an installation."""
    multiprocessing.freeze_support()
    _run_command()


def _run_command() -> NoReturn:
    try:
        from app.cli.main import main as run  # noqa: PLC0415 - a spawned worker must not pay for the command line

        run()
    except KeyboardInterrupt:  # in the half second before the command line can answer it
        sys.exit(1)


if __name__ == "__main__":
    main()
