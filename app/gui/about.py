"""What this program is, and whose work is in it: behind the version in the corner of the window."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QCursor, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from app import __version__
from app.gui.text import tr
from app.gui.widgets.parts import GAP_PX, MARGIN_PX, TitleRow, quiet, text_label
from app.text.licences import Licence, load_licences

_SIZE = QSize(820, 560)
_LIST_WIDTH_PX = 260


class AboutButton(QPushButton):
    """The version; a click tells the rest."""

    def __init__(self) -> None:
        super().__init__(f"Consign {__version__}")
        self.setObjectName("step")
        self.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.setCursor(QCursor(Qt.CursorShape.PointingHandCursor))
        self.setAccessibleName(tr("About Consign"))
        self.setToolTip(tr("About Consign"))
        self.clicked.connect(self.show_about)

    def show_about(self) -> "AboutWindow":
        """Open the window about the program."""
        about = AboutWindow(self.window(), load_licences())
        about.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        about.show()
        return about


class AboutWindow(QWidget):
    """The components at the left, the licence of the chosen one at the right."""

    def __init__(self, parent: QWidget, licences: Sequence[Licence]) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(tr("About Consign"))
        self.resize(_SIZE)
        self._licences = licences
        title = TitleRow(
            f"Consign {__version__}",
            tr("De-identifies imaging examinations on this computer. It sends nothing anywhere."),
        )
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Parts by others"))
        self.list.setFixedWidth(_LIST_WIDTH_PX)
        self.list.addItems([f"{one.name} {one.version}" for one in licences])
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName(tr("Licence"))
        self.list.currentRowChanged.connect(self._show)
        both = QHBoxLayout()
        both.setSpacing(GAP_PX)
        both.addWidget(self.list)
        both.addWidget(self.text, 1)
        close = QPushButton(tr("Close"))
        close.setAccessibleName(tr("Close"))
        close.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(GAP_PX)
        column.addWidget(title)
        column.addWidget(text_label(tr("Consign is under the Apache License 2.0. The work of others in it:")))
        column.addLayout(both, 1)
        if not licences:
            self.list.hide()
            self.text.hide()
            column.addWidget(quiet(text_label(tr("This copy runs from its source: each package has its licence."))))
            column.addStretch()
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        QShortcut(QKeySequence("Escape"), self, self.close)
        self.list.setCurrentRow(0)

    def _show(self, row: int) -> None:
        one = self._licences[row]
        self.text.setPlainText(f"{one.name} {one.version}: {one.terms}\n\n{one.read()}")
