"""Whether the page Review values stalls over 300,000 rows: the real page, with a watchdog on the window's thread.

``QT_QPA_PLATFORM=offscreen python -m benchmarks.value_page FOLDER [ROWS]`` makes a project in FOLDER and prints, for
each thing that a person does, how long until it is shown and the longest time in which the window did not react.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.gui.models.value_table import COLUMNS, ValueTableModel
from app.gui.pages.values import ValuesPage
from app.gui.session import Session
from app.project.folder import Project, create_project
from app.review.table import Column, RowNumbers
from benchmarks.value_table import make_rows

TICK_MS = 5
_INSTANCES = """
INSERT OR IGNORE INTO runs VALUES (1, 'scan', '', '', NULL);
INSERT OR IGNORE INTO sources VALUES (1, 'folder', 'in');
INSERT OR IGNORE INTO patients VALUES (1, 'key');
INSERT OR IGNORE INTO attribute_sets VALUES (1, 'set', '{}');
INSERT OR IGNORE INTO series VALUES (1, 1, '1.2', '1.3', NULL);
INSERT OR IGNORE INTO files VALUES (1, 1, '["in/1"]', 1, 1, 'instance', NULL, 1);
INSERT OR IGNORE INTO instances VALUES
  (1, 1, 1, 1, '1.4', '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', 1, NULL, NULL, 1, 'prepared', NULL, 'x', 1);
"""


class Watchdog:
    """Notes the longest pause between two ticks of a timer in the window's thread."""

    def __init__(self) -> None:
        self.worst = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        now = time.perf_counter()
        self.worst = max(self.worst, now - self._last)
        self._last = now

    def wait(self, milliseconds: int) -> None:
        """Let everything come to rest. Not ``QTest.qWait``, which keeps the other threads from running."""
        end = time.perf_counter() + milliseconds / 1000
        while time.perf_counter() < end:
            QCoreApplication.processEvents()
            time.sleep(0.005)

    def measure(self, what: str, act: Callable[[], object], is_done: Callable[[], bool]) -> None:
        """Do something, wait until it shows, print both times."""
        QCoreApplication.processEvents()
        self.worst, self._last = 0.0, time.perf_counter()
        start = self._last
        act()
        while not is_done():
            QCoreApplication.processEvents()
            time.sleep(0.001)
        self._tick()
        total = time.perf_counter() - start
        print(f"{total * 1000:8.0f} ms, longest stall {self.worst * 1000:5.0f} ms  {what}", flush=True)


def make_project(folder: Path, count: int) -> Path:
    """A project whose dump has ``count`` rows."""
    root = folder / "project"
    create_project(root, "SITE", None)
    with Project(root) as project, project.store.transaction():
        for statement in _INSTANCES.split(";"):
            project.store.execute(statement)
        project.store.executemany(
            "INSERT OR IGNORE INTO released_values VALUES (?, ?, ?, ?, '', ?, NULL, NULL, ?, 1, ?)",
            (
                (f"1:{number % 97}", number % 400, row.path, row.vr, row.value, row.instances, int(number % 100 == 0))
                for number, row in enumerate(make_rows(count))
            ),
        )
    return root


def main() -> None:
    """Print the figures."""
    folder = Path(sys.argv[1])
    root = make_project(folder, int(sys.argv[2]) if len(sys.argv) > 2 else 300_000)
    application = QApplication([])
    session = Session(workers="serial")
    watchdog = Watchdog()
    watchdog.measure("open the project", lambda: session.open(root), lambda: session.project is not None)
    page = ValuesPage(session)
    page.resize(1050, 730)
    page.show()
    page.activateWindow()
    model, view = page._model, page._view
    watchdog.measure("load all rows", page.refresh, lambda: model.rowCount() > 0)
    rows = model.rowCount()
    print(f"{rows} rows")
    watchdog.measure("search", lambda: page._filters.search.setText("lung 1234"), lambda: model.rowCount() < rows)
    watchdog.measure("search nothing", page._filters.search.clear, lambda: model.rowCount() == rows)
    for column in (Column.VALUE, Column.INSTANCES, Column.NAME, Column.SUSPICION):
        section = COLUMNS.index(column)
        before = model.numbers

        def sort(section: int = section) -> None:
            view.sortByColumn(section, Qt.SortOrder.DescendingOrder)

        watchdog.measure(f"sort by {column}", sort, partial(_differs, model, before))
    bar = view.verticalScrollBar()
    watchdog.measure("scroll through", lambda: _scroll(bar.setValue, bar.maximum()), lambda: True)
    view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    watchdog.wait(1000)
    view.setFocus()
    page.choose_line(0)
    QTest.keyClick(view, Qt.Key.Key_G)
    chosen = len(page._chosen())
    settled = page._settled
    watchdog.measure(
        f"drop a group of {chosen} and write it",
        lambda: QTest.keyClick(view, Qt.Key.Key_D),
        lambda: page._settled > settled and model.table is not None and model.table.progress[0] >= chosen,
    )
    watchdog.measure("undo it", page._undo, lambda: model.table is not None and model.table.progress[0] == 0)
    page.choose_line(0)
    settled = page._settled
    watchdog.measure("decide on one", lambda: QTest.keyClick(view, Qt.Key.Key_D), lambda: page._settled > settled)
    watchdog.wait(2000)
    view.selectAll()
    settled = page._settled
    watchdog.measure(
        "keep all rows and write it",
        lambda: QTest.keyClick(view, Qt.Key.Key_K),
        lambda: page._settled > settled and model.table is not None and model.table.progress[0] > chosen,
    )
    session.close()
    application.quit()


def _differs(model: ValueTableModel, before: RowNumbers) -> bool:
    return model.numbers is not before


def _scroll(set_value: Callable[[int], object], last: int) -> None:
    for step in range(200):
        set_value(last * step // 200)
        QCoreApplication.processEvents()


if __name__ == "__main__":
    main()
