"""Starts the window."""

import sys
import threading

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.gui.theme import apply_theme, is_dark
from app.gui.window import Window, import_pages
from app.logs import quieten_libraries


def run(window_type: type[Window] = Window) -> int:
    """Show the window until it is closed; returns the exit code. ``window_type`` is for whoever measures the start."""
    quieten_libraries()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Consign")
    application.setOrganizationName("Consign")
    apply_theme(application, dark=is_dark(application))
    window = window_type()
    window.show()
    QTimer.singleShot(0, window.reopen_last)
    QTimer.singleShot(0, threading.Thread(target=import_pages).start)
    return application.exec()
