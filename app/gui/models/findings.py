"""The findings on the data set as a whole, as a table."""

from typing import Any

from PySide6.QtCore import Qt

from app.gui.models.rows import RowsModel
from app.gui.text import tr
from app.pipeline.dataset import FindingRow
from app.project.dataset import FindingAction
from app.text.dataset_words import ACTIONS, TITLES, WHY, finding_sentences
from app.text.i18n import mark

_HEADS = (mark("Finding"), mark("What was found"), mark("Decision"))
_DECIDED = {
    FindingAction.KEEP: mark("\u2713 kept"),
    FindingAction.EXCLUDE: mark("\u2713 left out"),
    FindingAction.DEFACE: mark("\u2713 face removed"),
}
_WAITS, _NEEDS_NONE = mark("\u25cb waits for you"), mark("needs none")


class FindingsModel(RowsModel[FindingRow]):
    """The findings, those that wait first."""

    def __init__(self) -> None:
        super().__init__(_HEADS)

    def cell(self, row: FindingRow, column: int, role: int) -> Any:
        finding = row.finding
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return (tr(TITLES[finding.kind]), " ".join(finding_sentences(finding, tr)), _decision(row))[column]
            case Qt.ItemDataRole.ToolTipRole:
                return "\n".join((*finding_sentences(finding, tr), tr(WHY[finding.kind])))
        return None


def _decision(row: FindingRow) -> str:
    if row.decided is not None:
        return tr(_DECIDED[row.decided])
    return tr(_WAITS) if row.finding.blocks else tr(_NEEDS_NONE)


def action_name(action: FindingAction) -> str:
    """What a button says."""
    return tr(ACTIONS[action])
