"""Starts the window."""

import gc
import sys
import threading

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.gui.defects import keep_texts_in
from app.gui.theme import apply_theme, is_dark
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


def run(window_type: type[Window] = Window) -> int:
    """Show the window until it is closed; returns the exit code. ``window_type`` is for whoever measures the start."""
    quieten_libraries()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Consign")
    application.setOrganizationName("Consign")
    apply_theme(application, dark=is_dark(application))
    window = window_type()
    keep_texts_in(window.session.failed.emit)
    window.show()
    QTimer.singleShot(0, window.reopen_last)
    QTimer.singleShot(0, threading.Thread(target=warm_up).start)
    return application.exec()
