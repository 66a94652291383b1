"""Heads above, the lines of the chosen one below: problems with their files, what of a list is missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractItemView, QListView, QListWidget, QSplitter, QVBoxLayout, QWidget

from app.gui.text import tr
from app.gui.widgets.parts import button, quiet, text_label


@dataclass(frozen=True, slots=True)
class Head:
    """A sentence over lines; ``key`` says to the page which lines."""

    sentence: str
    key: object


class LineList(QWidget):
    """``asked`` wants the lines of a head; give them with ``show_lines``."""

    asked = Signal(object)

    def __init__(self, name: str, nothing: str) -> None:
        super().__init__()
        self._heads: list[Head] = []
        self._nothing = text_label(nothing)
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.heads = QListWidget()
        self.heads.setAccessibleName(name)
        self.heads.setWordWrap(True)
        self.heads.setSpacing(2)
        self.heads.setStyleSheet("QListWidget::item { padding: 6px 8px; }")
        self.heads.currentRowChanged.connect(self._ask)
        self.lines = QListView()
        self._model = QStringListModel()
        self.lines.setModel(self._model)
        self.lines.setAccessibleName(tr("What it is about"))
        self.lines.setUniformItemSizes(True)
        self.lines.setStyleSheet("QListView::item { padding: 3px 8px; }")
        self.lines.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.lines.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.lines.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self._note = quiet(text_label())
        self.copy_button = button(tr("&Copy these lines"), tr("For a mail or a spreadsheet"), self._copy)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.lines, 1)
        column.addWidget(self._note)
        column.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignLeft)
        self._both = QSplitter(Qt.Orientation.Vertical)
        self._both.setChildrenCollapsible(False)
        self._both.addWidget(self.heads)
        self._both.addWidget(right)
        self._both.setSizes([160, 300])
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(self._both, 1)
        page.addWidget(self._nothing, 1)

    def show_heads(self, heads: Sequence[Head]) -> None:
        """Show other heads; the lines of the first one are asked for."""
        if list(heads) == self._heads and heads:
            self._ask(self.heads.currentRow())
            return
        self._heads = list(heads)
        self._model.setStringList([])
        self.heads.clear()
        self.heads.addItems([head.sentence for head in heads])
        self._both.setVisible(bool(heads))
        self._nothing.setVisible(not heads)
        if heads:
            self.heads.setCurrentRow(0)

    def show_lines(self, lines: Sequence[str], note: str = "") -> None:
        """Show the lines of the chosen head."""
        self._model.setStringList(list(lines))
        self._note.setText(note)
        self._note.setVisible(bool(note))

    @property
    def shown(self) -> list[str]:
        """The lines that are shown."""
        return self._model.stringList()

    def _ask(self, row: int) -> None:
        if 0 <= row < len(self._heads):
            self.asked.emit(self._heads[row].key)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(self.shown))
