"""A header before and after, as a table; and the list of series to browse."""

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt
from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QApplication

from app.deid.comparison import ComparedRow, Fate, SeriesInstances
from app.dicom.tagpath import format_tag
from app.gui.checklist import counted
from app.gui.models.rows import Index, RowsModel
from app.gui.text import tr
from app.gui.widgets.tints import Tint, tint
from app.text.fates import FATES, why
from app.text.i18n import mark
from app.text.value_words import readable

NAME, BEFORE, AFTER, FATE = range(4)
PIECES_ROLE = Qt.ItemDataRole.UserRole
_HEADS = (mark("Attribute"), mark("Before"), mark("After"), mark("What happened"))
_SIGNS = {
    Fate.KEPT: "\u2713",
    Fate.CLEANED: "\u270e",
    Fate.CHANGED: "\u0394",
    Fate.REPLACED: "\u21c4",
    Fate.REMOVED: "\u2715",
    Fate.ADDED: "+",
}
_TINTS = {
    Fate.KEPT: Tint.QUIET,
    Fate.CLEANED: Tint.WARN,
    Fate.CHANGED: Tint.CHANGED,
    Fate.REPLACED: Tint.CHANGED,
    Fate.REMOVED: Tint.GONE,
    Fate.ADDED: Tint.GOOD,
}
_INDENT = "      "


def fate_text(fate: Fate) -> str:
    """A fate as sign and word."""
    return f"{_SIGNS[fate]} {tr(FATES[fate])}"


class ComparisonModel(RowsModel[ComparedRow]):
    """The attributes of one instance, before and after."""

    def __init__(self) -> None:
        super().__init__(_HEADS)

    def cell(self, row: ComparedRow, column: int, role: int) -> Any:
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return _text(row, column)
            case Qt.ItemDataRole.ToolTipRole:
                return _tip(row)
            case Qt.ItemDataRole.FontRole:
                return _font(row, column)
            case Qt.ItemDataRole.ForegroundRole:
                return _colour(row, column)
            case Qt.ItemDataRole.UserRole if column == BEFORE:
                return row.pieces
        return None


def _text(row: ComparedRow, column: int) -> str:
    if row.is_item:
        if column == NAME:
            return _INDENT * row.depth + tr("Item {number}", number=row.name)
        hidden = ""
        if row.hidden_items:
            hidden = counted(row.hidden_items, "{count} more item is not shown", "{count} more items are not shown")
        return hidden if column == BEFORE else ""
    match column:
        case 0:
            return _INDENT * row.depth + (row.name or tr("Private attribute"))
        case 1:
            return _shown(row.original_text, row.vr)
        case 2:
            return _shown(row.released_text, row.vr)
        case _:
            return fate_text(row.fate)


def _shown(text: str, vr: str) -> str:
    """On one line, dates and times as people write them."""
    return readable({"DA": "date", "TM": "time"}.get(vr, ""), text).replace("\r", "").replace("\n", " \u23ce ")


def _tip(row: ComparedRow) -> str:
    details = tr("{name}\n{tag}, value representation {vr}", name=row.name, tag=format_tag(row.tag), vr=row.vr or "-")
    reason = why(row, tr)
    return f"{details}\n\n{reason}" if reason else details


def _font(row: ComparedRow, column: int) -> QFont | None:
    font = QFont(QApplication.font())
    if row.is_item:
        font.setItalic(True)
    elif row.vr == "SQ" and column == NAME:
        font.setWeight(QFont.Weight.DemiBold)
    elif row.fate is Fate.REMOVED and column == BEFORE:
        font.setStrikeOut(True)
    else:
        return None
    return font


def _colour(row: ComparedRow, column: int) -> Any:
    palette: QPalette = QApplication.palette()
    if row.is_item:
        return tint(palette, Tint.QUIET)
    if column == FATE:
        return tint(palette, _TINTS[row.fate])
    if column == BEFORE and row.fate is Fate.REMOVED:
        return tint(palette, Tint.GONE)
    if column == AFTER and row.fate in (Fate.CHANGED, Fate.REPLACED, Fate.ADDED):
        return tint(palette, Tint.CHANGED)
    return None


class SeriesModel(QAbstractListModel):
    """The series to browse, one line of two each."""

    def __init__(self) -> None:
        super().__init__()
        self.series: list[SeriesInstances] = []

    def show_series(self, series: list[SeriesInstances]) -> None:
        """Show other series."""
        self.beginResetModel()
        self.series = series
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(self.series)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        one = self.series[index.row()]
        head = " \u00b7 ".join(part for part in (one.modality, one.original_description) if part) or tr("Series")
        below = [one.patient_code] if one.patient_code else []
        below.append(counted(len(one.instance_ids), "{count} image", "{count} images"))
        if one.held_back:
            below.append(counted(one.held_back, "{count} stays here", "{count} stay here"))
        return head + "\n" + " \u00b7 ".join(below)
