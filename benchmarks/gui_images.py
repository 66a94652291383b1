"""How long the next image takes in the window, how long the window stands still, and how much memory it all takes.

    python -m benchmarks.gui_images [--slices 300] [--size 512]

A synthetic series of 16-bit slices is looked through in the real page, offscreen, with the real process beside it: by
key, by wheel steps of ten, with the window dragged, and from one series to the next.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.gui.pages.images import Filter, ImagesPage
from app.gui.session import Session
from app.project.folder import Project, create_project
from tests.factory import ct_series, make_study
from tests.unit.image_project import add_image

_WATCH_MS = 5
_MINUTE_S = 60.0


class Watchdog:
    """How long the window's thread did not come back to its events, at worst: by the clock, and in work of its own.

    On a busy machine the two differ: others had the processor.
    """

    def __init__(self) -> None:
        self.worst_ms = self.worst_work_ms = 0.0
        self._clock, self._work = time.perf_counter(), time.thread_time()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._look)
        self._timer.start(_WATCH_MS)

    def _look(self) -> None:
        clock, work = time.perf_counter(), time.thread_time()
        self.worst_ms = max(self.worst_ms, (clock - self._clock) * 1000 - _WATCH_MS)
        self.worst_work_ms = max(self.worst_work_ms, (work - self._work) * 1000)
        self._clock, self._work = clock, work

    def reset(self) -> None:
        """Begin anew."""
        self.worst_ms = self.worst_work_ms = 0.0
        self._clock, self._work = time.perf_counter(), time.thread_time()


def until(holds: Callable[[], bool]) -> None:
    """Let the window live until something holds."""
    end = time.perf_counter() + _MINUTE_S
    while not holds():
        QApplication.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 10)
        if time.perf_counter() > end:
            raise SystemExit("nothing happened for a minute")


def rest(seconds: float) -> None:
    """Let the window live for a while: a person looks."""
    end = time.perf_counter() + seconds
    until(lambda: time.perf_counter() >= end)


def peak_mib(process: str) -> float:
    """The most memory that a process took so far (Linux)."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def child_processes() -> list[str]:
    """The ids of the processes that this one started."""
    tasks = Path("/proc/self/task").iterdir()
    return [child for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]


def build(folder: Path, slices: int, size: int) -> None:
    """A project with two such series and two hundred small ones."""
    create_project(folder / "project", "SITE", None)
    files = folder / "files"
    files.mkdir()
    with Project(folder / "project") as project, project.store.transaction():
        for series in (1, 2):
            for number, dataset in enumerate(ct_series(make_study(series), slices=slices, rows=size, columns=size), 1):
                add_image(project, files, number, dataset, series=series, risk="ultrasound")
        small = ct_series(make_study(3), slices=1, rows=64, columns=64)[0]
        for series in range(3, 203):
            add_image(project, files, 1, small, series=series)


def measure(page: ImagesPage, act: Callable[[int], None], count: int, pause_s: float) -> list[float]:
    """How long each of ``count`` steps takes until its picture is painted, in ms."""
    viewer, times = page.viewer, []
    for number in range(count):
        begin, before = time.perf_counter(), viewer.view.picture
        act(number)
        until(lambda before=before: viewer.view.picture is not before)  # type: ignore[misc]  # a default binds it
        viewer.view.repaint()
        times.append((time.perf_counter() - begin) * 1000)
        rest(pause_s)
    return times


def tell(what: str, times: list[float], watchdog: Watchdog) -> None:
    """One line."""
    print(
        f"{what:34} median {statistics.median(times):6.1f} ms   worst {max(times):6.1f} ms   "
        f"window stood still for {watchdog.worst_ms:5.1f} ms, worked {watchdog.worst_work_ms:4.1f} ms at a time"
    )
    watchdog.reset()


def main() -> None:
    """Build, look through, tell."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--size", type=int, default=512)
    options = parser.parse_args()
    # A spawned process imports the main module again. The program's own imports nothing; this one would bring Qt along.
    this = sys.modules["__main__"]
    this.__spec__, this.__file__ = None, None
    application = QApplication([])
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder), options.slices, options.size)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # what building took does not count
        session = Session(workers="serial")
        page = ImagesPage(session)
        page.resize(1280, 800)
        page.show()
        session.open(Path(folder) / "project")
        until(lambda: session.project is not None)
        watchdog = Watchdog()
        begin = time.perf_counter()
        page.refresh()
        until(lambda: bool(page.model.items))
        tell("list of the series", [(time.perf_counter() - begin) * 1000], watchdog)
        page.filter_button(Filter.ALL).click()
        rest(3)  # thumbnails come, the process is there
        tell("sheet with thumbnails", [0.0], watchdog)
        view = page.viewer.view

        begin = time.perf_counter()
        page.open_series(1)
        until(lambda: page.viewer.review is not None and not page.viewer.is_waiting)
        tell("a series opened", [(time.perf_counter() - begin) * 1000], watchdog)
        rest(0.5)
        # Fifteen a second: a key that is held down.
        steps = measure(page, lambda _: QTest.keyClick(view, Qt.Key.Key_Down), options.slices - 1, 0.066)
        tell("next image, at fifteen a second", steps, watchdog)
        steps = measure(page, lambda _: QTest.keyClick(view, Qt.Key.Key_Up), options.slices - 1, 0.0)
        tell("image before, as fast as it goes", steps, watchdog)
        jump = max(1, options.slices * 37 // 100)
        steps = measure(page, lambda n: page.viewer.go_to_stop(((n + 1) * jump) % options.slices), 60, 0.1)
        tell("jumps", steps, watchdog)
        middle = view.rect().center()
        QTest.mousePress(view, Qt.MouseButton.RightButton, pos=middle)
        steps = measure(page, lambda n: QTest.mouseMove(view, middle + QPoint(n + 1, -n)), 100, 0.0)
        QTest.mouseRelease(view, Qt.MouseButton.RightButton, pos=middle)
        tell("window dragged", steps, watchdog)
        page.show_sheet()
        page.open_series(1)
        until(lambda: page.viewer.review is not None and not page.viewer.is_waiting)
        rest(1)
        watchdog.reset()
        steps = []
        for _ in range(10):
            shown = page.viewer.review
            begin = time.perf_counter()
            QTest.keyClick(view, Qt.Key.Key_A, Qt.KeyboardModifier.ShiftModifier)
            until(lambda shown=shown: page.viewer.review is not shown and not page.viewer.is_waiting)  # type: ignore[misc]
            view.repaint()
            steps.append((time.perf_counter() - begin) * 1000)
            rest(0.5)
        tell("series decided, next one shown", steps, watchdog)
        beside = sum(peak_mib(process) for process in child_processes())
        print(f"peak memory: window {peak_mib('self'):.0f} MiB, processes beside it {beside:.0f} MiB")
        session.close()
    application.quit()


if __name__ == "__main__":
    main()
