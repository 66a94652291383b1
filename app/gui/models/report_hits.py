"""The hits of a search in reports, as a table."""

from typing import Any

from PySide6.QtCore import Qt

from app.gui.models.rows import RowsModel
from app.gui.text import tr
from app.reports.step import JudgedHit
from app.text.i18n import mark
from app.text.report_words import CONTEXTS, DECISIONS

_HEADS = (mark("Decision"), mark("Term"), mark("It says"), mark("Sentence"))


class ReportHitsModel(RowsModel[JudgedHit]):
    """Hits with what a person said to them."""

    def __init__(self) -> None:
        super().__init__(_HEADS)

    def cell(self, row: JudgedHit, column: int, role: int) -> Any:
        hit = row.hit
        if role == Qt.ItemDataRole.DisplayRole:
            return (tr(DECISIONS[row.decision]), hit.term, tr(CONTEXTS[hit.context]), hit.original_sentence)[column]
        if role == Qt.ItemDataRole.ToolTipRole and column == 3:
            return hit.original_sentence
        return None
