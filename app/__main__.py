"""Starts the program: ``python -m app`` and the installed ``consign``."""

import multiprocessing


def main() -> None:
    """Run the command line. A frozen worker process of Windows ends in the first line."""
    multiprocessing.freeze_support()
    from app.cli.main import main as run  # noqa: PLC0415 - a spawned worker must not pay for the command line

    run()


if __name__ == "__main__":
    main()
