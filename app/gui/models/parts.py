"""The parts of a bundle, as a table."""

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase

from app.gui.checklist import number, size_text
from app.gui.models.rows import RowsModel
from app.pipeline.overview import PartRow
from app.text.i18n import mark

_HEADS = (mark("Part"), mark("Images"), mark("Size"), mark("SHA-256"))


class PartsModel(RowsModel[PartRow]):
    """The finished parts."""

    def __init__(self) -> None:
        super().__init__(_HEADS, numbers=(1, 2))

    def cell(self, row: PartRow, column: int, role: int) -> Any:
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (row.name, number(row.instances), size_text(row.size), row.sha256)[column]
            case Qt.ItemDataRole.FontRole if column == 3:
                return QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
            case Qt.ItemDataRole.ToolTipRole if column in (0, 3):
                return row.sha256 if column == 3 else row.name
        return None
