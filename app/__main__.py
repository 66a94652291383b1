"""Starts the program: ``python -m app`` and the installed ``consign``."""

import multiprocessing
import sys


def main() -> None:
    """Open the window, or run the command line where there are arguments.

    A frozen worker process of Windows ends in the first line.
    """
    multiprocessing.freeze_support()
    if len(sys.argv) == 1:
        from app.gui.main import run as show  # noqa: PLC0415 - the command line has no use for Qt

        sys.exit(show())
    try:
        from app.cli.main import main as run  # noqa: PLC0415 - a spawned worker must not pay for the command line

        run()
    except KeyboardInterrupt:  # in the half second before the command line can answer it
        sys.exit(1)


if __name__ == "__main__":
    main()
