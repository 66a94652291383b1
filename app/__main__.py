"""Starts the program: ``python -m app`` and the installed ``consign``."""

import multiprocessing
import sys


def main() -> None:
    """Run the command line. A frozen worker process of Windows ends in the first line."""
    multiprocessing.freeze_support()
    try:
        from app.cli.main import main as run  # noqa: PLC0415 - a spawned worker must not pay for the command line

        run()
    except KeyboardInterrupt:  # in the half second before the command line can answer it
        sys.exit(1)


if __name__ == "__main__":
    main()
