"""The table of values: shows a view of ``review.table.ValueTable``, row by row as they come into sight."""

from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QLocale, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QApplication

from app.gui.text import tr
from app.gui.widgets.tints import Tint, tint
from app.project.values import ValueRow
from app.review.deciding import Choice
from app.review.table import Column, RowNumbers, ValueTable
from app.text.i18n import mark
from app.text.reasons import SUSPICIONS
from app.text.value_words import SUSPICION_NAMES, WORD_ATTRIBUTE, choice_text, value_text

Index = QModelIndex | QPersistentModelIndex

COLUMNS = (Column.SUSPICION, Column.NAME, Column.VALUE, Column.INSTANCES, Column.PATIENTS, Column.DECISION)
_HEADS = {
    Column.SUSPICION: mark("Reason"),
    Column.NAME: mark("Attribute"),
    Column.VALUE: mark("Value"),
    Column.INSTANCES: mark("Images"),
    Column.PATIENTS: mark("Patients"),
    Column.DECISION: mark("Decision"),
}
_SIGNS = {
    Choice.OPEN: "\u25cb",
    Choice.KEEP: "\u2713",
    Choice.DROP: "\u2715",
    Choice.REPLACE: "\u21c4",
    Choice.DROP_TAG: "\u2298",
}
_NUMBERS = (Column.INSTANCES, Column.PATIENTS)
_NO_ROWS: RowNumbers = np.zeros(0, np.int32)


class ValueTableModel(QAbstractTableModel):
    """``numbers`` are the rows of ``table`` that are shown, in order."""

    sort_wanted = Signal(object, bool)  # Column, descending

    def __init__(self) -> None:
        super().__init__()
        self.table: ValueTable | None = None
        self.numbers = _NO_ROWS
        self._locale = QLocale()

    def show_rows(self, table: ValueTable | None, numbers: RowNumbers | None) -> None:
        """Show other rows."""
        self.beginResetModel()
        self.table = table
        self.numbers = _NO_ROWS if numbers is None else numbers
        self.endResetModel()

    def show_decided(self) -> None:
        """Show what is decided by now on the same rows."""
        if len(self.numbers):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self.numbers) - 1, len(COLUMNS) - 1))

    def number(self, line: int) -> int:
        """The table's row that stands in a line."""
        return int(self.numbers[line])

    def row(self, line: int) -> ValueRow:
        """The row of the dump in a line."""
        assert self.table is not None
        return self.table.rows[self.number(line)]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(self.numbers)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return tr(_HEADS[COLUMNS[section]])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(COLUMNS[section])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.table is None or not index.isValid():
            return None
        column, row = COLUMNS[index.column()], self.row(index.row())
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._text(column, row, self.number(index.row()))
            case Qt.ItemDataRole.ToolTipRole:
                return self._tip(column, row)
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(column)
            case Qt.ItemDataRole.FontRole if column is Column.SUSPICION and row.blocks:
                font = QFont(QApplication.font())
                font.setWeight(QFont.Weight.DemiBold)
                return font
            case Qt.ItemDataRole.ForegroundRole:
                return self._colour(column, row, self.number(index.row()))
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Ask for another order; the page has it worked out."""
        self.sort_wanted.emit(COLUMNS[column], order is Qt.SortOrder.DescendingOrder)

    def _text(self, column: Column, row: ValueRow, number: int) -> str:
        assert self.table is not None
        match column:
            case Column.SUSPICION:
                names = ", ".join(tr(SUSPICION_NAMES[reason]) for reason in row.suspicion)
                return f"\u26a0 {names}" if row.blocks else names
            case Column.NAME:
                return self.table.name(number) or tr(WORD_ATTRIBUTE)
            case Column.VALUE:
                return value_text(row, tr).replace("\n", " \u23ce ")
            case Column.INSTANCES:
                return self._locale.toString(row.instances)
            case Column.PATIENTS:
                return self._locale.toString(row.patients)
            case Column.DECISION:
                choice, replacement = self.table.choice(number)
                if choice is Choice.OPEN and not row.is_suspicious:
                    return ""
                return f"{_SIGNS[choice]} {choice_text(row, choice, replacement, tr)}"

    def _tip(self, column: Column, row: ValueRow) -> str | None:
        if column is Column.SUSPICION and row.suspicion:
            return "\n".join(tr(SUSPICIONS[reason]) for reason in row.suspicion)
        if column is Column.NAME and row.path:
            return tr("{path}\nValue representation: {vr}", path=row.path, vr=row.vr)
        return None

    def _colour(self, column: Column, row: ValueRow, number: int) -> Any:
        palette: QPalette = QApplication.palette()
        if column is Column.SUSPICION and row.blocks:
            return tint(palette, Tint.GONE)
        if column is not Column.DECISION or self.table is None:
            return None
        match self.table.choice(number)[0]:
            case Choice.OPEN:
                return tint(palette, Tint.WARN if row.blocks else Tint.QUIET)
            case Choice.KEEP:
                return tint(palette, Tint.GOOD)
            case Choice.REPLACE:
                return tint(palette, Tint.CHANGED)
            case Choice.DROP | Choice.DROP_TAG:
                return tint(palette, Tint.GONE)


def _alignment(column: Column) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
