"""The tree of patients, studies and series, and what a person decides on them by hand."""

from collections.abc import Mapping, Sequence
from functools import partial

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QSizePolicy,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.gui.checklist import counted, size_text
from app.gui.models.series_tree import (
    BODY_PART,
    CHECKS,
    IMAGES,
    MODALITY,
    NAME,
    SIZE,
    STATE,
    THICKNESS,
    SeriesTreeModel,
    branch_name,
)
from app.gui.text import named, tr
from app.gui.widgets.check_panel import CheckPanel
from app.gui.widgets.parts import button, quiet, scaled, shortcut, text_label
from app.selection.by_hand import MAX_REASON_LENGTH
from app.selection.tree import Branch, BranchKey, Level, SeriesRow, branch_key
from app.text.exclusion_words import exclusion_words

# A tree of at most so many branches is shown open.
_FEW = 60
# So many branches are opened again when the tree is made anew; thousands would take a tenth of a second.
_MOST_OPENED = 300
_REASONS_SHOWN = 3
_USUAL = {
    IMAGES: "00 of 00",
    SIZE: "000.0 kB",
    MODALITY: "CT",
    BODY_PART: "CHEST",
    THICKNESS: "1.25 mm",
    CHECKS: "\u26a0 Missing slices",
}


# What goes first where the window is narrow; the panel below says it, too. The others keep room for so many letters.
_LESS_NEEDED = (SIZE, BODY_PART, THICKNESS)
_LETTERS = {NAME: 27, STATE: 20}
_BESIDE_TEXT_PX = 18


class SeriesTree(QWidget):
    """``decided`` gives series ids, True to take, False to leave out or None for the rule, and the reason."""

    decided = Signal(list, object, str)

    def __init__(self) -> None:
        super().__init__()
        self.model = SeriesTreeModel()
        self._widths: dict[int, int] = {}  # of the columns, as they are at first
        self._opened: dict[BranchKey, None] = {}  # the one that was opened last comes last
        self.view = self._make_view()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.view, 1)
        column.addWidget(self._make_details())
        self.view.selectionModel().selectionChanged.connect(lambda *_: self._show_details())
        self._show_details()

    def _make_view(self) -> QTreeView:
        view = QTreeView()
        view.setModel(self.model)
        view.setAccessibleName(tr("Patients, studies and series"))
        view.setUniformRowHeights(True)
        view.setAlternatingRowColors(True)
        view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setTextElideMode(Qt.TextElideMode.ElideRight)
        view.header().setTextElideMode(Qt.TextElideMode.ElideRight)
        view.setStyleSheet("QTreeView::item { padding: 3px 4px; }")
        header = view.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        # As wide as the heads and the usual texts; the last column takes what is left.
        metrics = QFontMetrics(scaled(self.font(), 1.0, bold=True))
        heads = [str(self.model.headerData(column, Qt.Orientation.Horizontal)) for column in range(header.count())]
        for column, head in enumerate(heads):
            needed = metrics.horizontalAdvance(_USUAL[column]) if column in _USUAL else 0
            needed = max(needed, _LETTERS.get(column, 0) * metrics.averageCharWidth())
            self._widths[column] = max(needed, metrics.horizontalAdvance(head)) + _BESIDE_TEXT_PX
            if column != STATE:
                header.resizeSection(column, self._widths[column])
        view.expanded.connect(partial(self._note_opened, is_open=True))
        view.collapsed.connect(partial(self._note_opened, is_open=False))
        shortcut("R", view, self._focus_reason, inside=False)
        return view

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Leave out the less needed columns where "taken or why not" would not be read."""
        super().resizeEvent(event)
        self._arrange()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Give every head the room that it needs in this style, which is known only now."""
        super().showEvent(event)
        header = self.view.header()
        for column, width in self._widths.items():
            self.view.setColumnHidden(column, False)  # a hidden one needs nothing
            needed = header.sectionSizeHint(column)
            if needed > width:
                self._widths[column] = needed
                header.resizeSection(column, needed)
        self._arrange()

    def _arrange(self) -> None:
        header = self.view.header()
        needed = sum(self._widths.values()) - self._widths[NAME] + header.sectionSize(NAME)
        for column in _LESS_NEEDED:
            is_hidden = needed > self.view.viewport().width()
            self.view.setColumnHidden(column, is_hidden)
            needed -= self._widths[column] if is_hidden else 0

    def _focus_reason(self) -> None:
        self.reason.setFocus()

    def _make_details(self) -> QWidget:
        panel = QFrame()
        panel.setObjectName("card")
        panel.setFrameShape(QFrame.Shape.StyledPanel)
        panel.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._what = text_label()
        self._what.setFont(scaled(self.font(), 1.05, bold=True))
        self._why = text_label()
        self._why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reason = QLineEdit()
        self.reason.setMaxLength(MAX_REASON_LENGTH)
        self.reason.setPlaceholderText(tr("Reason to decide by hand"))
        self.reason.setAccessibleName(tr("Reason to decide by hand"))
        self.reason.setToolTip(tr("It stays in your project (R)"))
        self.reason.textChanged.connect(lambda _: self._enable())
        self.take_button = button(tr("&Take"), tr("Take it whatever the query says"), lambda: self._decide(True))
        self.leave_button = button(tr("&Leave out"), tr("Leave it out"), lambda: self._decide(False))
        self.rule_button = button(
            tr("By the &query"), tr("Forget what was decided by hand"), lambda: self._decide(None)
        )
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.reason, 1)
        for each in (self.take_button, self.leave_button, self.rule_button):
            row.addWidget(each)
        column = QVBoxLayout(panel)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(6)
        column.addWidget(self._what)
        column.addWidget(quiet(self._why))
        self.checks = CheckPanel()
        column.addWidget(self.checks)
        column.addLayout(row)
        return panel

    # what is shown --------------------------------------------------------------

    def show_branches(self, branches: Sequence[Branch], places: Mapping[BranchKey, int]) -> None:
        """Show another tree; what was open and chosen stays so, as far as it is there."""
        current = self.model.branch(self.view.currentIndex())
        is_first = not self.model.branches
        self.model.show_branches(branches)
        if is_first and branches:
            few = [place for place, branch in enumerate(branches) if branch.children and place]
            self._opened = {branch_key(branches[place]): None for place in (few if len(branches) <= _FEW else few[:1])}
        for key in [*self._opened][-_MOST_OPENED:]:
            if key in places:
                self.view.expand(self.model.index_of(places[key]))
        place = None if current is None else places.get(branch_key(current))
        if place is None and len(branches) > 1:
            place = 1
        if place is not None:
            flags = QItemSelectionModel.SelectionFlag
            index = self.model.index_of(place)
            self.view.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)
        self._show_details()

    def _note_opened(self, index: QModelIndex, *, is_open: bool) -> None:
        """Remember what is open: asking the view for all of it takes long where there are thousands."""
        branch = self.model.branch(index)
        if branch is not None:
            self._opened.pop(branch_key(branch), None)
            if is_open:
                self._opened[branch_key(branch)] = None

    def chosen(self) -> list[SeriesRow]:
        """The series that are chosen, those below chosen patients and studies among them; each once."""
        rows: dict[int, SeriesRow] = {}
        for index in self.view.selectionModel().selectedRows():
            rows.update((row.series_id, row) for row in self.model.series_under(index))
        return list(rows.values())

    def _show_details(self) -> None:
        rows = self.chosen()
        if not rows:
            self._what.setText(tr("Choose patients, studies or series to see why, or to decide by hand."))
            self._why.setText("")
            self._why.hide()
        else:
            self._what.setText(self._name(rows))
            self._why.setText(_why(rows))
            self._why.show()
        self.checks.show_series(rows)
        self._enable()

    def _name(self, rows: Sequence[SeriesRow]) -> str:
        indexes: list[QModelIndex] = self.view.selectionModel().selectedRows()
        images = counted(sum(row.instances for row in rows), "{count} image", "{count} images")
        branch = self.model.branch(indexes[0]) if len(indexes) == 1 else None
        if branch is None or branch.row is None:
            return counted(len(rows), "{count} series, {images}", "{count} series, {images}", images=images)
        told = [images, size_text(branch.size)]
        if branch.level is Level.SERIES:
            thickness = f"{branch.row.thickness_mm:g} mm" if branch.row.thickness_mm else ""
            told += [text for text in (branch.row.original_body_part, thickness) if text]
        return named(branch_name(branch, branch.row), ", ".join(told))

    def _enable(self) -> None:
        rows = self.chosen()
        may_decide = bool(rows) and bool(self.reason.text().strip())
        self.take_button.setEnabled(may_decide)
        self.leave_button.setEnabled(may_decide)
        self.rule_button.setVisible(any(row.is_taken_by_hand is not None for row in rows))

    def _decide(self, is_taken: bool | None) -> None:
        ids = [row.series_id for row in self.chosen()]
        self.decided.emit(ids, is_taken, self.reason.text())
        self.reason.clear()
        self.view.setFocus()


def _why(rows: Sequence[SeriesRow]) -> str:
    taken = sum(bool(row.taken) for row in rows)
    reasons = dict.fromkeys(exclusion_words(reason, tr) for row in rows for reason in row.original_reasons)
    if any(row.is_open for row in rows):
        return tr("Not judged yet; that is done when all sources are read.")
    if len(rows) == 1:
        (row,) = rows
        if row.is_taken_by_hand and not reasons:
            return tr("Taken by hand.")
        return "\n".join([*reasons][:_REASONS_SHOWN]) or tr("It fits what is asked for.")
    text = counted(taken, "{count} series of them is taken.", "{count} series of them are taken.")
    shown = "\n".join(list(reasons)[:_REASONS_SHOWN])
    return f"{text}\n{shown}" if shown else text
