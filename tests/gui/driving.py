"""The window as a person uses it: controls found by the names that screen readers tell, worked by mouse and keys."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from app.gui.preferences import Preferences
from app.gui.theme import apply_theme
from app.gui.window import Window
from app.pipeline.progress import Step, StepState

W = TypeVar("W", bound=QWidget)
LEFT, COPY, NO_KEY = Qt.MouseButton.LeftButton, Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
LONGEST_MS = 30_000


def application() -> QApplication:
    """The one that pytest-qt or a script made."""
    found = QApplication.instance()
    assert isinstance(found, QApplication)
    return found


def wait_until(holds: Callable[[], bool], what: str = "", timeout_ms: int = LONGEST_MS) -> None:
    """Let the window work until something holds; AssertionError says what did not."""
    end = time.monotonic() + timeout_ms / 1000
    while not holds():
        assert time.monotonic() < end, f"not within {timeout_ms} ms: {what or holds}"
        QTest.qWait(10)


@contextmanager
def opened(project: Path, folder: Path) -> Iterator[Window]:
    """The window with a project, at the size of the smallest screen; ``folder`` takes its preferences."""
    window = Window(Preferences(folder / "preferences.ini"), workers="serial")
    window.resize(1280, 800)
    window.show()
    try:
        window.open_project(project)
        wait_until(lambda: window.steps[Step.PROTOCOL].state is StepState.DONE, "the project")
        yield window
    finally:
        window.session.close()
        window.close()
        window.deleteLater()


def show(window: Window, name: str) -> QWidget:
    """A page with what the project has for it."""
    window.show_page(name)
    wait_until(lambda: not window.session._tasks, "the answers")
    QTest.qWait(20)
    page = window.stack.currentWidget()
    assert page is not None
    return page


class Person:
    """Somebody in front of a window."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.endings: list[str] = []
        window.session.job_ended.connect(lambda outcome: self.endings.append(outcome.ending.value))

    @property
    def page(self) -> Any:
        """The page that is shown."""
        return self.window.stack.currentWidget()

    @property
    def problems(self) -> str:
        """The problems that the page tells."""
        shown = getattr(self.page, "problems", None) or self.page._problems
        return str(shown.text)

    def find(self, kind: type[W], name: str) -> W:
        """The control that is called so."""
        everything: list[W] = self.page.findChildren(kind)
        shown = [each for each in everything if name in (each.accessibleName(), _plain(each)) and each.isVisible()]
        assert shown, f"no {kind.__name__} called {name!r} is shown on the page {self.window.page_name}"
        return shown[0]

    def press(self, *names: str) -> None:
        """Press a button with the mouse, as soon as it can be pressed; of several names the one that it has by then."""
        wait_until(lambda: any(map(self._has, names)), f"the button {names} on the page {self.window.page_name}")
        QTest.mouseClick(self.find(QAbstractButton, next(filter(self._has, names))), LEFT)

    def _has(self, name: str) -> bool:
        return any(
            name in (each.accessibleName(), _plain(each)) and each.isVisible() and each.isEnabled()
            for each in self.page.findChildren(QAbstractButton)
        )

    def type(self, kind: type[QWidget], name: str, text: str) -> None:
        """Type a text instead of the one that is there."""
        field = self.find(kind, name)
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        QTest.keyClicks(field, text)

    def keys(self, widget: QWidget, *keys: Qt.Key) -> None:
        """Press keys in a widget."""
        widget.setFocus()
        for key in keys:
            QTest.keyClick(widget, key)

    def go(self, step: int) -> None:
        """Go to a step with its key."""
        QTest.keyClick(self.window, Qt.Key(Qt.Key.Key_0.value + step), Qt.KeyboardModifier.ControlModifier)
        name = [*Step][step - 1].value
        wait_until(lambda: self.window.page_name == name, f"the page {name}")  # the key presses a button for a moment

    def drag(self, widget: QWidget, start: QPoint, end: QPoint) -> None:
        """Drag with the left button."""
        QTest.mousePress(widget, LEFT, NO_KEY, start)
        QTest.mouseMove(widget, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2))
        QTest.mouseMove(widget, end)
        QTest.mouseRelease(widget, LEFT, NO_KEY, end)

    def drop(self, *paths: Path) -> None:
        """Drag files onto the window and let them go."""
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        application().sendEvent(self.window, QDragEnterEvent(QPoint(300, 300), COPY, data, LEFT, NO_KEY))
        application().sendEvent(self.window, QDropEvent(QPointF(300, 300), COPY, data, LEFT, NO_KEY))

    def wait_for_job(self, count: int, ending: str = "finished") -> None:
        """Wait until so many jobs have ended in all, the last one as told, and the page shows it."""
        wait_until(lambda: len(self.endings) >= count, f"job {count}; ended: {self.endings}")
        assert self.endings[count - 1] == ending, (self.endings, self.problems)
        self.settle()

    def settle(self) -> None:
        """Wait until every question is answered and every decision written."""
        for _ in range(3):
            QTest.qWait(60)
            wait_until(lambda: not self.window.session._tasks, "answers")


def _plain(widget: QWidget) -> str:
    return widget.text().replace("&", "") if isinstance(widget, QAbstractButton) else ""


def use_scheme(*, dark: bool) -> None:
    """The light or the dark scheme, as the system would ask for it."""
    apply_theme(application(), dark=dark)
