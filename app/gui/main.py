"""Starts the window."""

import sys

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.gui.theme import apply_theme, is_dark
from app.gui.window import Window
from app.logs import quieten_libraries


def run() -> int:
    """Show the window until it is closed; returns the exit code."""
    quieten_libraries()
    application = QApplication(sys.argv[:1])
    application.setApplicationName("Consign")
    application.setOrganizationName("Consign")
    apply_theme(application, dark=is_dark(application))
    window = Window()
    window.show()
    QTimer.singleShot(0, window.reopen_last)
    return application.exec()
