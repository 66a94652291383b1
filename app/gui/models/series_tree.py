"""Patients, studies and series as a Qt tree over core rows; nothing is made for what is not on the screen."""

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication

from app.gui.checklist import counted, number, size_text
from app.gui.text import tr
from app.gui.widgets.tints import Tint, tint
from app.protocol.checks import Severity
from app.selection.tree import Branch, Level, SeriesRow
from app.text.check_words import CHECK_NAMES, finding_sentence
from app.text.exclusion_words import exclusion_words
from app.text.i18n import mark
from app.text.value_words import readable

Index = QModelIndex | QPersistentModelIndex

NAME, IMAGES, SIZE, MODALITY, BODY_PART, THICKNESS, CHECKS, STATE = range(8)
_HEADS = (
    mark("Patient, study, series"),
    mark("Images"),
    mark("Size"),
    mark("Modality"),
    mark("Body part"),
    mark("Thickness"),
    mark("Checks"),
    mark("Taken or why not"),
)
_NUMBERS = frozenset((IMAGES, SIZE, THICKNESS))


class SeriesTreeModel(QAbstractItemModel):
    """``branches`` as ``selection.tree.arrange`` gives them; an index carries the place of its branch."""

    def __init__(self) -> None:
        super().__init__()
        self.branches: Sequence[Branch] = ()

    def show_branches(self, branches: Sequence[Branch]) -> None:
        """Show another tree."""
        self.beginResetModel()
        self.branches = branches
        self.endResetModel()

    def branch(self, index: Index) -> Branch | None:
        """The branch of an index; None for no index."""
        return self.branches[int(index.internalId())] if index.isValid() else None

    def series_under(self, index: Index) -> list[SeriesRow]:
        """All series of a patient or study; a series itself."""
        found: list[SeriesRow] = []
        waiting = [int(index.internalId())] if index.isValid() else []
        while waiting:
            branch = self.branches[waiting.pop()]
            if branch.level is Level.SERIES and branch.row is not None:
                found.append(branch.row)
            waiting.extend(reversed(branch.children))
        return found

    def index_of(self, place: int, column: int = NAME) -> QModelIndex:
        """The index of a branch by its place in the list."""
        return self.createIndex(self.branches[place].place, column, place)

    # Qt ------------------------------------------------------------------------

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008 - Qt's
        if not self.branches or not 0 <= column < len(_HEADS):
            return QModelIndex()
        children = self.branches[int(parent.internalId()) if parent.isValid() else 0].children
        return self.createIndex(row, column, children[row]) if 0 <= row < len(children) else QModelIndex()

    def parent(self, index: Index = QModelIndex()) -> QModelIndex:  # type: ignore[override]  # noqa: B008 - Qt's
        if not index.isValid():
            return QModelIndex()
        above = self.branches[int(index.internalId())].parent
        return QModelIndex() if above <= 0 else self.createIndex(self.branches[above].place, NAME, above)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's
        if not self.branches or parent.column() > 0:
            return 0
        return len(self.branches[int(parent.internalId()) if parent.isValid() else 0].children)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, ARG002 - Qt's
        return len(_HEADS)

    def headerData(  # noqa: N802 - Qt's
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return tr(_HEADS[section]) if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        branch = self.branch(index)
        if branch is None or branch.row is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return _text(branch, branch.row, index.column())
            case Qt.ItemDataRole.ToolTipRole if index.column() in (NAME, STATE):
                return _text(branch, branch.row, index.column())
            case Qt.ItemDataRole.ToolTipRole if index.column() == CHECKS and branch.level is Level.SERIES:
                return "\n".join(check_sentences(branch.row))
            case Qt.ItemDataRole.TextAlignmentRole:
                return _alignment(index.column())
            case Qt.ItemDataRole.ForegroundRole if index.column() == CHECKS and _is_excluded(branch):
                return tint(QApplication.palette(), Tint.GONE)
            case Qt.ItemDataRole.ForegroundRole if index.column() == STATE or not branch.taken:
                palette = QApplication.palette()
                if index.column() != STATE:
                    return palette.color(QPalette.ColorRole.PlaceholderText)
                return tint(palette, Tint.GOOD if branch.taken else Tint.QUIET)
            case _:
                return None


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if column in _NUMBERS else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def branch_name(branch: Branch, row: SeriesRow) -> str:
    """What a patient, a study or a series is called."""
    match branch.level:
        case Level.PATIENT:
            return row.original_patient or tr("Without patient ID")
        case Level.STUDY:
            date = readable("date", row.original_study_date)
            return "  ".join(text for text in (date, row.original_study_description) if text) or tr("Study")
        case _:
            name = row.original_description or row.original_modality
            return f"{row.original_number}  {name}" if row.original_number else name or tr("Series")


def _text(branch: Branch, row: SeriesRow, column: int) -> str:
    is_series = branch.level is Level.SERIES
    match column:
        case 0:  # NAME
            return branch_name(branch, row)
        case 1:  # IMAGES
            if 0 < branch.taken < branch.instances:
                return tr("{taken} of {total}", taken=number(branch.taken), total=number(branch.instances))
            return number(branch.instances)
        case 2:  # SIZE
            return size_text(branch.size)
        case 3:  # MODALITY
            return ", ".join(branch.original_modalities)
        case 4:  # BODY_PART
            return row.original_body_part if is_series else ""
        case 5:  # THICKNESS
            return f"{row.thickness_mm:g} mm" if is_series and row.thickness_mm else ""
        case 6:  # CHECKS
            return checks_text(row) if is_series else _flagged_text(branch)
        case _:
            return state_text(row) if is_series else _sum_text(branch)


def checks_text(row: SeriesRow) -> str:
    """What the checks found first, and how much more there is."""
    if row.checked is None or not row.checked.findings:
        return ""
    first, *others = row.checked.findings
    more = f" +{number(len(others))}" if others else ""
    return f"{severity_sign(first.severity)} {tr(CHECK_NAMES[first.check])}{more}"


def check_sentences(row: SeriesRow) -> list[str]:
    """All that the checks found, each with its sign."""
    findings = () if row.checked is None else row.checked.findings
    return [f"{severity_sign(finding.severity)} {finding_sentence(finding, tr)}" for finding in findings]


def severity_sign(severity: Severity) -> str:
    """A sign beside the colour: what is left out has another one than what only is to be looked at."""
    return "\u2298" if severity is Severity.EXCLUDE else "\u26a0"


def _flagged_text(branch: Branch) -> str:
    return f"\u26a0 {number(branch.series_flagged)}" if branch.series_flagged else ""


def _is_excluded(branch: Branch) -> bool:
    findings = () if branch.row is None or branch.row.checked is None else branch.row.checked.findings
    return branch.level is Level.SERIES and any(finding.severity is Severity.EXCLUDE for finding in findings)


def state_text(row: SeriesRow) -> str:
    """Whether a series is taken, or why not, as sign and words."""
    reason = exclusion_words(row.original_reasons[0], tr) if row.original_reasons else ""
    if row.is_open:
        return f"\u2026 {tr('not judged yet')}"
    if row.taken == row.instances:
        return f"\u2713 {tr('taken by hand') if row.is_taken_by_hand else tr('taken')}"
    if row.taken:
        return f"\u2713 {tr('in part; the others: {reason}', reason=reason)}"
    return f"\u2013 {reason or tr('left out')}"


def _sum_text(branch: Branch) -> str:
    if branch.series_open:
        return f"\u2026 {tr('not judged yet')}"
    if branch.series_taken == branch.series:
        return f"\u2713 {tr('all of it')}"
    if not branch.series_taken:
        return f"\u2013 {tr('nothing')}"
    return (
        "\u2713 "
        + counted(branch.series_taken, "{count} series", "{count} series")
        + " "
        + tr("of {count}", count=number(branch.series))
    )
