"""Starts the window."""

import gc
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from app.gui.appearance import apply_appearance, apply_language
from app.gui.defects import keep_texts_in
from app.gui.preferences import Preferences
from app.gui.window import Window, import_pages
from app.logs import quieten_libraries

# A full garbage collection stops every thread: 190 ms with 100,000 instances in memory, and many of them while a job
# runs. What is there after the start never becomes garbage, and the rest is looked through in full only seldom.
_COLLECT_AFTER = (10_000, 20, 100)


def warm_up() -> None:
    """What is done beside the window once it is there, in another thread, so that nobody waits for it later."""
    import_pages()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


class Program:
    """The application and its window: there is one at a time, and for another language it is made anew."""

    def __init__(
        self, application: QApplication, preferences: Preferences | None = None, window_type: type[Window] = Window
    ) -> None:
        self._application, self._window_type = application, window_type
        self._preferences = preferences or Preferences()
        apply_appearance(application, self._preferences)
        self.window = self._show()

    def _show(self) -> Window:
        window = self._window_type(self._preferences)
        window.language_changed.connect(self._change_language, Qt.ConnectionType.QueuedConnection)
        keep_texts_in(window.session.failed.emit)
        window.show()
        return window

    def _change_language(self) -> None:
        old = self.window
        self._application.setQuitOnLastWindowClosed(False)
        if old.close():  # it asks where a job runs; if it stays, the language counts from the next start
            apply_language(self._application, self._preferences)
            self.window = self._show()
            self.window.reopen_last()
            old.deleteLater()
        self._application.setQuitOnLastWindowClosed(True)


def run(window_type: type[Window] = Window, files: Sequence[Path] = ()) -> int:
    """Show the window until it is closed; returns the exit code.

    ``files`` are taken as if dropped on it; without any, the last project is opened. ``window_type`` is for whoever
    measures the start.
    """
    quieten_libraries()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Consign")
    application.setOrganizationName("Consign")
    program = Program(application, window_type=window_type)  # a name of its own: the connections don't keep it alive
    window = program.window
    QTimer.singleShot(0, partial(window.take_dropped, files) if files else window.reopen_last)
    QTimer.singleShot(0, threading.Thread(target=warm_up).start)
    return application.exec()
