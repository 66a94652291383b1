"""The parts of a bundle, as a table."""

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QFontDatabase

from app.gui.checklist import number, size_text
from app.gui.text import tr
from app.pipeline.overview import PartRow
from app.text.i18n import mark

Index = QModelIndex | QPersistentModelIndex
_HEADS = (mark("Part"), mark("Images"), mark("Size"), mark("SHA-256"))
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PartsModel(QAbstractTableModel):
    """``parts`` as they are shown."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: tuple[PartRow, ...] = ()

    def show_parts(self, parts: tuple[PartRow, ...]) -> None:
        """Show other parts."""
        self.beginResetModel()
        self.parts = parts
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(self.parts)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        return 0 if parent.isValid() else len(_HEADS)

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if section in (1, 2) else _LEFT
        return tr(_HEADS[section]) if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        part, column = self.parts[index.row()], index.column()
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (part.name, number(part.instances), size_text(part.size), part.sha256)[column]
            case Qt.ItemDataRole.TextAlignmentRole:
                return _RIGHT if column in (1, 2) else _LEFT
            case Qt.ItemDataRole.FontRole if column == 3:
                return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
            case Qt.ItemDataRole.ToolTipRole if column in (0, 3):
                return part.sha256 if column == 3 else part.name
        return None
