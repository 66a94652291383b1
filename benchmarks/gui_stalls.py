"""Whether the window ever stops reacting: the real window over 100,000 instances, with a watch on its thread.

``python -m benchmarks.gui_stalls FOLDER [--instances 100000]`` makes the project of ``gui_case`` in FOLDER or takes the
one that is there, works through it as a person would, and prints the longest stall of each thing that was done. It
needs no screen; with ``QT_QPA_PLATFORM=xcb`` it shows what it does. ``StallWatch`` is of use to other benchmarks, too.
"""

import argparse
import faulthandler
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import TextIO

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QCoreApplication, QEventLoop, QObject, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLineEdit, QListView, QTableView, QTreeView, QWidget

from app.events import Event
from app.gui.main import warm_up
from app.gui.preferences import Preferences
from app.gui.session import Ending, Outcome
from app.gui.theme import apply_theme
from app.gui.window import Window
from app.pipeline.progress import Step
from app.pipeline.run import run_all
from benchmarks.gui_case import make_case

TICK_MS = 5
NOTICED_S = 0.1  # what a person feels, and the bar of the project
SAMPLE_AFTER_S = 0.05
SCROLL_STEPS, IMAGES, TYPED = 60, 60, "thorax"
_LONGEST_WAIT_S = 3600.0


@dataclass(slots=True)
class Phase:
    """What was done, and the longest time in which the window did not come back to its events.

    ``own`` is how long the window's thread itself computed in that time: the rest, it waited for the interpreter's lock
    or for a processor. ``place`` is where it was. ``collecting`` is the longest garbage collection of any thread, which
    holds that lock. ``took`` is all of it, with the pauses of a person. All times in seconds.
    """

    name: str
    worst: float = 0.0
    own: float = 0.0
    place: str = ""
    collecting: float = 0.0
    took: float = 0.0
    stalls: int = 0  # longer than NOTICED_S


def let_live(seconds: float) -> None:
    """Let the window work as the program does. ``QTest.qWait`` keeps the interpreter's lock while it waits."""
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()


class StallWatch(QObject):
    """A timer that notes how late it comes; make it in the window's thread and use it as a context manager.

    Whatever holds the interpreter's lock for long holds up the sampler, too: with ``trace``, an open file, the lines of
    all threads are written there whenever a stall lasts for NOTICED_S, by a thread that needs no lock.
    """

    def __init__(self, trace: TextIO | None = None) -> None:
        super().__init__()
        self._trace = trace
        self.phases: list[Phase] = []
        self._timer = QTimer(self, interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._watched = threading.get_ident()
        self._is_over = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._began = self._last = time.perf_counter()
        self._last_own = time.thread_time()
        self._place = ""
        self._collection_began = 0.0

    def __enter__(self) -> "StallWatch":
        self.begin("start")
        self._timer.start()
        self._sampler.start()
        gc.callbacks.append(self._collect)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.stop()
        gc.callbacks.remove(self._collect)
        faulthandler.cancel_dump_traceback_later()
        self._is_over.set()
        self._sampler.join()

    def begin(self, name: str) -> None:
        """What is done from now on."""
        QCoreApplication.processEvents()
        now = time.perf_counter()
        if self.phases:
            self.phases[-1].took = now - self._began
        self.phases.append(Phase(name))
        self._began = self._last = now
        self._last_own, self._place = time.thread_time(), ""

    def wait(self, seconds: float) -> None:
        """Let the window work."""
        let_live(seconds)

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Let the window work until something is so."""
        end = time.monotonic() + _LONGEST_WAIT_S
        while not is_so():
            if time.monotonic() > end:
                raise TimeoutError
            let_live(TICK_MS / 1000)

    def _tick(self) -> None:
        now, own = time.perf_counter(), time.thread_time()
        late, phase = now - self._last - TICK_MS / 1000, self.phases[-1]
        if late > NOTICED_S:
            phase.stalls += 1
        if late > phase.worst:
            phase.worst, phase.own, phase.place = late, own - self._last_own, self._place
        self._last, self._last_own, self._place = now, own, ""
        if self._trace is not None:
            faulthandler.dump_traceback_later(NOTICED_S, file=self._trace)

    def _collect(self, moment: str, _: object) -> None:
        if moment == "start":
            self._collection_began = time.perf_counter()
        else:
            taken = time.perf_counter() - self._collection_began
            self.phases[-1].collecting = max(self.phases[-1].collecting, taken)

    def _sample(self) -> None:
        while not self._is_over.wait(SAMPLE_AFTER_S / 5):
            if time.perf_counter() - self._last > SAMPLE_AFTER_S and not self._place:
                self._place = _place_of(sys._current_frames().get(self._watched))


def _place_of(frame: FrameType | None) -> str:
    """The innermost line of ours."""
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if "app" in path.parts and "site-packages" not in path.parts:
            return f"{path.name}:{frame.f_lineno} {frame.f_code.co_name}"
        frame = frame.f_back
    return ""


# what a person does -------------------------------------------------------------------------------------------


def is_settled(window: Window) -> bool:
    """Whether all that was asked for is answered."""
    return not window.session._tasks and not window._refresh_timer.isActive() and not window.session.is_busy


def run_the_job(window: Window, watch: StallWatch, export: Path) -> None:
    """Scan, select, look for text, prepare, each as a phase of its own."""
    outcomes: list[Outcome] = []

    def tell(event: Event) -> None:
        if watch.phases[-1].name != event.step:
            watch.begin(event.step)

    window.session.job_event.connect(tell)
    window.session.job_ended.connect(outcomes.append)
    watch.begin("scan")
    window.session.start("Reading", lambda project, executor: run_all(project, [export], None, executor))
    watch.wait_until(lambda: bool(outcomes))
    window.session.job_event.disconnect(tell)
    if outcomes[0].ending is not Ending.FINISHED:
        raise SystemExit(f"the job did not end: {outcomes[0]}")
    watch.begin("after the job")
    watch.wait_until(lambda: is_settled(window))


def visible(page: QWidget, kind: type[QWidget]) -> list[QWidget]:
    """The widgets of a kind that can be seen and used."""
    return [widget for widget in page.findChildren(kind) if widget.isVisible() and widget.isEnabled()]


def work_on_page(window: Window, watch: StallWatch, name: str) -> None:
    """Open a page; sort by every column, scroll from end to end, search, in whatever it has."""
    watch.begin(f"{name}: open")
    window.show_page(name)
    watch.wait_until(lambda: is_settled(window))
    watch.wait(0.5)
    page = window.stack.currentWidget()
    for view in visible(page, QAbstractItemView):
        assert isinstance(view, QAbstractItemView)
        if not view.accessibleName():  # the list of a combo box
            continue
        told = f"{name}: {view.accessibleName()}"
        if isinstance(view, QTreeView):
            watch.begin(f"{told}: expand")
            view.expandAll()
            watch.wait(0.2)
        if isinstance(view, QTableView | QTreeView) and view.isSortingEnabled():
            sort_all(window, watch, view, told)
        watch.begin(f"{told}: scroll")
        scroll(watch, view)
    for line in visible(page, QLineEdit):
        assert isinstance(line, QLineEdit)
        if line.isReadOnly() or "earch" not in line.accessibleName():
            continue
        watch.begin(f"{name}: {line.accessibleName()}")
        for letter in TYPED:
            QTest.keyClicks(line, letter)
            watch.wait(0.03)
        watch.wait_until(lambda: is_settled(window))
        line.clear()
        watch.wait_until(lambda: is_settled(window))
        watch.wait(0.3)


def sort_all(window: Window, watch: StallWatch, view: QTableView | QTreeView, told: str) -> None:
    """Press the head of every column, once up and once down."""
    header = view.horizontalHeader() if isinstance(view, QTableView) else view.header()
    watch.begin(f"{told}: sort")
    for section in range(header.count()):
        spot = QPoint(header.sectionViewportPosition(section) + 8, header.height() // 2)
        for _ in range(2):
            QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=spot)
            watch.wait_until(lambda: is_settled(window))
            watch.wait(0.05)


def scroll(watch: StallWatch, view: QAbstractItemView) -> None:
    """From the first row to the last in even steps, and back in one."""
    bar = view.verticalScrollBar()
    for step in range(SCROLL_STEPS + 1):
        bar.setValue(bar.maximum() * step // SCROLL_STEPS)
        watch.wait(0.01)
    bar.setValue(0)
    watch.wait(0.05)


def look_through_images(window: Window, watch: StallWatch) -> None:
    """Open the series that comes first, go through its images, and on to the next series that wants a look."""
    watch.begin("images: open a series")
    window.show_page("images")
    watch.wait_until(lambda: is_settled(window))
    page = window.pages["images"]
    for sheet in visible(page, QListView):
        QTest.keyClick(sheet, Qt.Key.Key_Home)
        QTest.keyClick(sheet, Qt.Key.Key_Return)
    watch.wait_until(lambda: is_settled(window))
    watch.wait(1)
    watch.begin("images: next image")
    for _ in range(IMAGES):
        QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_Down)
        watch.wait(0.05)
    watch.begin("images: next series")
    for _ in range(5):
        QTest.keyClick(QApplication.focusWidget() or page, Qt.Key.Key_N)
        watch.wait(0.3)


@contextmanager
def open_window(folder: Path, root: Path, workers: str) -> Iterator[Window]:
    """The real window with a project open, and preferences of its own."""
    window = Window(Preferences(folder / "preferences.ini"), workers=workers)
    window.show()
    window.activateWindow()
    opened: list[bool] = []
    window.session.opened.connect(lambda: opened.append(True))
    threading.Thread(target=warm_up).start()
    window.open_project(root)
    while not opened:
        let_live(TICK_MS / 1000)
    yield window
    window.session.close()


def main() -> None:
    """Print a line for each thing that was done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--pages", nargs="*", default=[step.value for step in Step])
    parser.add_argument("--no-job", action="store_true", help="the project was prepared by an earlier run")
    parser.add_argument("--trace", type=argparse.FileType("w"), help="where to write what ran during a stall")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    export, root = make_case(arguments.folder, arguments.instances)
    application = QApplication(sys.argv[:1])
    apply_theme(application, dark=False)
    with open_window(arguments.folder, root, arguments.workers) as window, StallWatch(arguments.trace) as watch:
        watch.wait_until(lambda: is_settled(window))
        watch.begin("nothing (what this machine itself is late)")
        watch.wait(5)
        if not arguments.no_job:
            run_the_job(window, watch, export)
        for name in arguments.pages:
            work_on_page(window, watch, name)
        if Step.IMAGES in arguments.pages:
            look_through_images(window, watch)
        watch.begin("end")
    print("worst   own    gc, ms  stalls  took, s  what, and where the thread was")
    for phase in watch.phases[:-1]:
        worst, own, collecting = (1000 * seconds for seconds in (phase.worst, phase.own, phase.collecting))
        numbers = f"{worst:5.0f} {own:5.0f} {collecting:5.0f}   {phase.stalls:7} {phase.took:8.1f}"
        print(f"{numbers}  {phase.name}  {phase.place}")
    worst_phase = max(watch.phases, key=lambda phase: phase.worst)
    print(f"the worst: {1000 * worst_phase.worst:.0f} ms, {worst_phase.name}")


if __name__ == "__main__":
    main()
