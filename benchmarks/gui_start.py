"""How long the window takes from the start of the program until it can be used; the bar is 2 s.

``python -m benchmarks.gui_start [PROJECT]`` starts the program five times as ``python -m app`` does, with preferences
of its own. *Usable* is the moment when the window was painted and its thread is idle; with PROJECT (the one to be
reopened), *opened* is the moment when its page and the states of its steps are there, too.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BAR_S = 2.0

# Runs the program's own start with a window that tells when it is painted and idle. Times are since the epoch: the
# clock must be the same in both processes.
PROBE = """
import sys, time
from pathlib import Path
from PySide6.QtCore import QEvent, QTimer
from app.gui import main
from app.gui.preferences import Preferences
from app.gui.window import Window

class Probe(Window):
    def __init__(self):
        super().__init__(Preferences(Path(sys.argv[1])))
        self.waits = True
        if self.preferences.last is not None:
            self.session.failed.connect(lambda error: (print(error.code, file=sys.stderr), self.close()))

    def event(self, event):
        done = super().event(event)
        if event.type() is QEvent.Type.UpdateRequest and self.waits:
            self.waits = False
            QTimer.singleShot(0, self.tell_usable)
        return done

    def tell_usable(self):
        print("usable", time.time(), flush=True)
        if self.preferences.last is None:
            self.close()

    def _show_next_page(self, overview):
        super()._show_next_page(overview)
        QTimer.singleShot(0, lambda: (print("opened", time.time(), flush=True), self.close()))

main.Window = Probe
sys.exit(main.run())
"""


def start_once(project: Path | None) -> dict[str, float]:
    """Seconds from the start of the process until each moment."""
    with tempfile.TemporaryDirectory() as folder:
        preferences = Path(folder) / "preferences.ini"
        if project is not None:
            preferences.write_text(f"[General]\nlast={project.resolve().as_posix()}\n", encoding="utf-8")
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ}
        started = time.time()
        run = subprocess.run(
            [sys.executable, "-c", PROBE, str(preferences)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    lines = [line.split() for line in run.stdout.splitlines()]
    moments = {line[0]: float(line[1]) - started for line in lines if line and line[0] in {"usable", "opened"}}
    if not moments:
        raise RuntimeError(run.stderr)
    return moments


def main() -> None:
    """Print each run and the median; exit 1 above the bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path, nargs="?")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    before = os.times()
    runs = [start_once(options.project) for _ in range(options.runs)]
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    slowest = 0.0
    for moment in runs[0]:
        seconds = [run[moment] for run in runs]
        median = statistics.median(seconds)
        slowest = max(slowest, median)
        print(f"{moment}: {median:.2f} s  ({', '.join(f'{each:.2f}' for each in seconds)})")
    if spent:  # Windows does not tell
        print(f"processor time of a start: {spent / options.runs:.2f} s")
    print("PASS" if slowest < BAR_S else "FAIL", f"(bar {BAR_S:.0f} s)")
    sys.exit(slowest >= BAR_S)


if __name__ == "__main__":
    main()
