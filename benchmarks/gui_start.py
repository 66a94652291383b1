"""How long from the start of the program to a window that can be used: painted, and answering to a key.

``python -m benchmarks.gui_start [FOLDER]`` starts ``python -m app`` five times without a project; with FOLDER also with
the project in it (see ``gui_case``), which reopens by itself: then until its page shows what is there. It prints the
median and the worst, in seconds on the clock and of the processor. The bar is 2 s. The preferences of whoever runs this
are left alone on Linux, where a folder of its own can be given to them.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

RUNS = 5
_CHECK_MS = 5


def _start_and_tell(begun: float, root: Path | None) -> None:
    """In the started process: do what ``python -m app`` does, and print when the window can be used."""
    # ruff: noqa: PLC0415 - what measures must not have imported what is measured
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication

    from app.gui.main import run
    from app.gui.preferences import Preferences
    from app.gui.window import Window

    preferences = Preferences()
    preferences.forget_last()
    if root is not None:
        preferences.remember(root)

    class Timed(Window):
        """Tells when it is painted and has answered a key."""

        is_painted = False

        def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
            super().paintEvent(event)
            if not self.is_painted:
                self.is_painted = True
                QTimer.singleShot(0, self._answer)

        def _answer(self) -> None:
            if self.page_name == "start":
                QTest.keyClick(self.start_page.site, Qt.Key.Key_A)
                assert self.start_page.site.text()
            self._tell("window")
            self._wait()

        def _wait(self) -> None:
            is_there = root is None or (self.page_name != "start" and not self.session._tasks)
            if is_there and not self._refresh_timer.isActive():
                self._tell("project")
                self.close()
                QApplication.quit()
            else:
                QTimer.singleShot(_CHECK_MS, self._wait)

        def _tell(self, what: str) -> None:
            print(what, time.time() - begun, time.process_time(), flush=True)

    sys.exit(run(Timed))


def measure(root: Path | None) -> None:
    """Print a line for the window, and one for the project."""
    seen: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "XDG_CONFIG_HOME": folder}
        for _ in range(RUNS):
            arguments = ["--started", str(time.time()), *([] if root is None else [str(root)])]
            command = [sys.executable, "-m", "benchmarks.gui_start", *arguments]
            told = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
            for line in told.splitlines():
                what, clock, processor = line.split()
                seen.setdefault(what, []).append((float(clock), float(processor)))
    for what, times in seen.items():
        if root is None and what == "project":
            continue
        clocks, processors = zip(*times, strict=True)
        told = f"{what} of {root}" if root is not None else "window, no project"
        print(
            f"{statistics.median(clocks):6.2f} s median {max(clocks):6.2f} s worst, "
            f"{statistics.median(processors):5.2f} s of the processor  {told}"
        )


def main() -> None:
    """The command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--started"]:
        _start_and_tell(float(arguments[1]), Path(arguments[2]) if len(arguments) > 2 else None)
    measure(None)
    if arguments:
        measure(Path(arguments[0]) / "project")


if __name__ == "__main__":
    main()
