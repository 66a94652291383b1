"""Review values: every unique value that would leave, suspicious first; one key decides, one takes it back."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QItemSelection, QItemSelectionModel, QLocale, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QProgressBar,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.errors import ConsignError
from app.gui.checklist import counted
from app.gui.models.value_table import COLUMNS, ValueTableModel
from app.gui.session import Session
from app.gui.text import tr
from app.gui.widgets.parts import (
    GAP_PX,
    MARGIN_PX,
    EmptyState,
    Problems,
    TitleRow,
    button,
    plain_table,
    shortcut,
)
from app.gui.widgets.value_filters import ValueFilters
from app.gui.widgets.value_panel import ValuePanel
from app.pipeline.overview import Standing, check_preparation
from app.pipeline.run import check_and_prepare
from app.project.decisions import Decisions, load_decisions, save_decisions
from app.project.folder import Project
from app.review.deciding import Choice, Memory, check_new_text, choices_for, decide_rows, remember, restore
from app.review.dump import dump_stamp
from app.review.step import take_values, write_values
from app.review.table import ChoiceCodes, Column, Counts, RowNumbers, ValueTable
from app.text.messages import sentences_for

_UNDO_STEPS = 200
# Beyond this a decision is worked out in another thread: 50 ms are not enough for it.
_MOST_ROWS_AT_ONCE = 2000
_MOST_RUNS = 200


@dataclass(frozen=True, slots=True)
class _Loaded:
    stamp: str
    table: ValueTable | None  # None: the one that is shown is still right
    decisions: Decisions
    codes: ChoiceCodes | None  # None: so are the decisions
    counts: Counts | None
    issued: int
    needs_preparing: bool


class ValuesPage(QWidget):
    """The unique values with their decisions."""

    go_to = Signal(str)
    show_instance = Signal(int)  # a row of ``instances``, to be shown on the page De-identify

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._stamp = ""
        self._column, self._descending = Column.SUSPICION, False
        self._history: list[Memory] = []
        self._group_wanted: int | None = None
        self._issued = self._settled = 0  # decisions that were asked for, and those that the file holds by now
        self._asks_to_prepare = False
        self._build()
        session.opened.connect(self._forget)
        session.closed.connect(self._forget)
        session.changed.connect(self._refresh_if_visible)
        self._forget()

    # the widgets --------------------------------------------------------------

    def _build(self) -> None:
        self._title = TitleRow(tr("Review values"))
        self._import = button(tr("Take decisions from CSV…"), tr("Read a CSV that came back"), self._choose_import)
        self._export = button(tr("Save as CSV…"), tr("Write all values for a spreadsheet"), self._choose_export)
        self._title.add(self._import)
        self._title.add(self._export)
        self._progress = QProgressBar()
        self._progress.setTextVisible(False)
        self._progress.setFixedHeight(6)
        self._progress.setAccessibleName(tr("Decided"))
        self._problems = Problems()
        self._problems.pressed.connect(self._prepare)

        self._model = ValueTableModel()
        self._view = plain_table(self._model, tr("Values"))
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._view.doubleClicked.connect(lambda _: self._show_where())
        self._view.selectionModel().selectionChanged.connect(self._show_details)
        self.first_focus: QWidget = self._view
        self._arrange_columns()

        main = QWidget()
        column = QVBoxLayout(main)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        self._filters, self._panel = ValueFilters(), ValuePanel()
        self._filters.changed.connect(self._filter)
        self._panel.chosen.connect(self._take_choice)
        self._panel.replaced.connect(self._replace)
        self._panel.closed.connect(self._view.setFocus)
        self._panel.undo_wanted.connect(self._undo)
        self._panel.group_wanted.connect(self._select_group)
        self._panel.where_wanted.connect(self._show_where)
        column.addWidget(self._filters)
        column.addWidget(self._view, 1)
        column.addWidget(self._panel)

        self._empty = EmptyState()
        self._empty.pressed.connect(lambda: self.go_to.emit("deidentify"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(main)
        page = QVBoxLayout(self)
        page.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        page.setSpacing(GAP_PX)
        page.addWidget(self._title)
        page.addWidget(self._progress)
        page.addWidget(self._problems)
        page.addWidget(self._stack, 1)
        self._make_keys()

    def _arrange_columns(self) -> None:
        header = self._view.horizontalHeader()
        header.setSortIndicatorShown(True)
        header.setSortIndicator(0, Qt.SortOrder.AscendingOrder)
        self._view.setSortingEnabled(True)
        em = self.fontMetrics().averageCharWidth()
        for section, width in enumerate((27, 30, 0, 13, 13, 22)):
            if width:
                header.resizeSection(section, max(width * em, header.sectionSizeHint(section)))
        header.setSectionResizeMode(COLUMNS.index(Column.VALUE), QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(6 * em)
        self._model.sort_wanted.connect(self._sort)

    def _make_keys(self) -> None:
        # The letters count while the table has the focus: in the search line they are letters.
        keys: tuple[tuple[str, Callable[[], object]], ...] = (
            ("K", partial(self._decide, Choice.KEEP)),
            ("D", partial(self._decide, Choice.DROP)),
            ("R", self._begin_replacing),
            ("T", partial(self._decide, Choice.DROP_TAG)),
            ("Backspace", partial(self._decide, Choice.OPEN)),
            ("G", self._select_group),
            ("W", self._show_where),
            ("Return", self._show_where),
        )
        for key, action in keys:
            shortcut(key, self._view, action, inside=False)
        shortcut(QKeySequence.StandardKey.Undo, self, self._undo)
        shortcut(QKeySequence.StandardKey.Find, self, self._filters.search.setFocus)
        shortcut("Escape", self._filters.search, self._view.setFocus, inside=False)

    # what is shown --------------------------------------------------------------

    def refresh(self) -> None:
        """Show what the project has now."""
        if self._session.project is None:
            self._forget()
            return
        stamp, issued, shown = self._stamp, self._issued, self._model.table
        memory = self._session.dump

        def load(project: Project) -> _Loaded:
            decisions = load_decisions(project.layout)
            new_stamp = dump_stamp(project, decisions)
            check, _ = check_preparation(project, decisions)
            is_prepared = check.done > 0
            table = None
            if new_stamp != stamp:
                table = ValueTable(memory.rows(project) if is_prepared else [], decisions)
            codes = None
            if table is None and shown is not None and shown.decisions != decisions:
                codes = shown.choice_codes(decisions)
            counts = table.counts() if table is not None else None
            is_stale = is_prepared and check.standing is Standing.STALE
            return _Loaded(new_stamp, table, decisions, codes, counts, issued, is_stale)

        self._session.ask(load, self._take, key="values")

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _take(self, loaded: _Loaded) -> None:
        if loaded.issued != self._issued or self._settled != self._issued:
            return  # an own decision is on its way to the file; ``changed`` follows it
        if loaded.table is not None:
            self._stamp = loaded.stamp
            self._model.show_rows(loaded.table, None)
            if loaded.counts is not None:
                self._filters.show_counts(loaded.counts)
            self._filter()
        elif self._model.table is not None and loaded.codes is not None:
            self._model.table.show(loaded.decisions, loaded.codes)
            self._model.show_decided()
        self._show_state(loaded)
        self._show_progress()
        self._show_details()

    def _forget(self) -> None:
        self._stamp = ""
        self._history.clear()
        self._model.show_rows(None, None)
        self._problems.clear()
        self._show_empty()
        self._show_progress()

    def _show_empty(self) -> None:
        self._empty.show_text(
            tr("No values yet"),
            tr("The values appear here once images are selected and de-identified."),
            tr("Go to De-identify"),
        )
        self._stack.setCurrentIndex(0)
        self._export.setEnabled(False)
        self._import.setEnabled(False)

    def _show_state(self, loaded: _Loaded) -> None:
        has_rows = self._model.table is not None and len(self._model.table) > 0
        if not has_rows:
            self._show_empty()
            return
        self._stack.setCurrentIndex(1)
        self._export.setEnabled(True)
        self._import.setEnabled(True)
        if loaded.needs_preparing:
            self._asks_to_prepare = True
            self._problems.show_sentences(
                [tr("Words were called safe, or images were decided on. De-identify again to see what changes.")],
                tr("De-identify again"),
            )
        elif self._asks_to_prepare:
            self._asks_to_prepare = False
            self._problems.clear()

    def _show_progress(self) -> None:
        table = self._model.table
        decided, total = table.progress if table is not None else (0, 0)
        self._progress.setVisible(total > 0)
        self._progress.setRange(0, max(total, 1))
        self._progress.setValue(decided)
        if table is None or not len(table):
            self._title.say("")
            return
        waiting, number = len(table.blocking), QLocale().toString
        sentence = counted(
            total,
            "{done} of {count} suspicious value decided.",
            "{done} of {count} suspicious values decided.",
            done=number(decided),
        )
        if not total:
            sentence = tr("Nothing here is suspicious.")
        if waiting:
            sentence += " " + counted(
                waiting, "The release waits for one of them.", "The release waits for {count} of them."
            )
        elif decided < total:
            sentence += " " + tr("The release waits for none of the others.")
        else:
            sentence += " " + tr("Nothing waits here.")
        self._title.say(sentence)

    # searching and sorting ------------------------------------------------------

    def _sort(self, column: Column, descending: bool) -> None:
        self._column, self._descending = column, descending
        self._filter()

    def _filter(self) -> None:
        table = self._model.table
        if table is None:
            return
        query, column, descending = self._filters.query, self._column, self._descending

        def find(_: Project) -> RowNumbers:
            return table.find(query, column, descending=descending)

        def show(numbers: RowNumbers) -> None:
            if self._model.table is table:
                self._show_found(table, numbers)

        self._session.ask(find, show, key="values-found")

    def _show_found(self, table: ValueTable, numbers: RowNumbers) -> None:
        chosen = self._chosen()
        self._model.show_rows(table, numbers)
        self._filters.show_found(len(numbers))
        if len(numbers):
            wanted, self._group_wanted = self._group_wanted, None
            first = wanted if wanted is not None else chosen[0] if chosen else -1
            lines = np.nonzero(numbers == first)[0].tolist()
            self.choose_line(lines[0] if lines else 0)
            if wanted is not None:
                self._select_group()
        self._show_details()

    def _chosen(self) -> list[int]:
        """The table's numbers of the chosen rows."""
        selection, numbers = self._view.selectionModel().selection(), self._model.numbers
        ranges = [selection.at(number) for number in range(selection.count())]
        parts = [numbers[one.top() : one.bottom() + 1] for one in ranges]
        chosen: list[int] = np.concatenate(parts).tolist() if parts else []
        return chosen

    def _show_details(self, *_: object) -> None:
        table, chosen = self._model.table, self._chosen()
        self._panel.undo.setEnabled(bool(self._history))
        self._panel.end_replacing()
        if table is None or not chosen:
            self._panel.show_nothing()
        elif len(chosen) == 1:
            self._panel.show_row(table.rows[chosen[0]], table.name(chosen[0]))
        else:
            self._panel.show_rows([table.rows[number] for number in chosen[:_MOST_ROWS_AT_ONCE]], len(chosen))

    # deciding ---------------------------------------------------------------------

    def _take_choice(self, choice: Choice) -> None:
        if choice is Choice.REPLACE:
            self._begin_replacing()
        else:
            self._decide(choice)

    def _decide(self, choice: Choice, replacement: str = "") -> None:
        table, chosen = self._model.table, self._chosen()
        if table is None or not chosen:
            return

        def decide(decisions: Decisions) -> tuple[Decisions, Memory]:
            rows = [table.rows[number] for number in chosen if choice in choices_for(table.rows[number])]
            return decide_rows(decisions, rows, choice, replacement), remember(decisions, rows)

        if not any(choice in choices_for(table.rows[number]) for number in chosen):
            return
        self._apply(decide, chosen)
        if len(chosen) == 1 and choice is not Choice.OPEN:
            self._step_down()

    def _apply(self, decide: Callable[[Decisions], tuple[Decisions, Memory | None]], changed: list[int]) -> None:
        """Have a decision written in its turn; a small one is shown at once, a large one when it is written."""
        table = self._model.table
        assert table is not None
        self._issued += 1
        is_small = len(changed) <= _MOST_ROWS_AT_ONCE
        memories: list[Memory | None] = []

        def remember_it(memory: Memory | None) -> None:
            if memory is not None:
                self._history.append(memory)
                del self._history[:-_UNDO_STEPS]

        def settle() -> None:
            self._settled += 1
            if not is_small and memories:
                remember_it(memories[0])

        def write(project: Project) -> None:
            decisions, memory = decide(load_decisions(project.layout))
            memories.append(memory)
            save_decisions(project.layout, decisions)

        if is_small:
            decisions, memory = decide(table.decisions)
            remember_it(memory)
            table.decide(decisions, changed)
            self._model.show_decided()
            self._show_progress()
            self._show_details()
        self._session.change(write, settle)

    def choose_line(self, line: int) -> None:
        """Choose one line of the table alone, whatever keys are down (``QTableView.selectRow`` asks for them)."""
        flags = QItemSelectionModel.SelectionFlag
        self._view.selectionModel().setCurrentIndex(self._model.index(line, 0), flags.ClearAndSelect | flags.Rows)

    def _step_down(self) -> None:
        index = self._view.currentIndex()
        if index.isValid() and index.row() + 1 < self._model.rowCount():
            self.choose_line(index.row() + 1)

    def _undo(self) -> None:
        table = self._model.table
        if not self._history or table is None:
            return
        memory = self._history.pop()
        changed = table.numbers_of([*memory.values, *(("", word) for word in memory.words)])
        self._apply(lambda decisions: (restore(decisions, memory), None), changed)

    def _begin_replacing(self) -> None:
        table, chosen = self._model.table, self._chosen()
        if table is None or not any(Choice.REPLACE in choices_for(table.rows[number]) for number in chosen):
            return
        self._panel.begin_replacing(table.choice(chosen[0])[1])

    def _replace(self, text: str) -> None:
        table = self._model.table
        if table is None:
            return
        try:
            for path in {table.rows[number].path for number in self._chosen() if table.rows[number].path}:
                check_new_text(path, text)
        except ConsignError as error:
            self._panel.complain(error)
            return
        self._decide(Choice.REPLACE, text)
        self._panel.end_replacing()
        self._view.setFocus()

    def _select_group(self) -> None:
        table, chosen = self._model.table, self._chosen()
        if table is None or not chosen or not table.rows[chosen[0]].is_suspicious:
            return
        lines = np.nonzero(np.isin(self._model.numbers, table.same_reason(chosen[0])))[0]
        runs = np.split(lines, np.nonzero(np.diff(lines) > 1)[0] + 1)
        if len(runs) > _MOST_RUNS:  # Qt compares each with each; in the dump's order there is one
            self._group_wanted = chosen[0]
            self._view.sortByColumn(COLUMNS.index(Column.SUSPICION), Qt.SortOrder.AscendingOrder)
            return
        last = len(COLUMNS) - 1
        selection = QItemSelection()
        for run in runs:
            selection.select(self._model.index(int(run[0]), 0), self._model.index(int(run[-1]), last))
        self._view.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _show_where(self) -> None:
        table, chosen = self._model.table, self._chosen()
        if table is None or not chosen:
            return
        example = table.rows[chosen[0]].example_instance_id
        if example is not None:
            self.show_instance.emit(example)

    # files and jobs ---------------------------------------------------------------

    def _prepare(self) -> None:
        self._session.start(tr("De-identifying"), check_and_prepare)

    def _choose_export(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, tr("Save the values"), "values.csv", tr("CSV files (*.csv)"))
        if name:
            self.save_csv(Path(name))

    def _choose_import(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, tr("Take decisions from"), "", tr("CSV files (*.csv)"))
        if name:
            self.take_csv(Path(name))

    def save_csv(self, path: Path) -> None:
        """Write the dump with its decisions; what goes wrong is told on the page."""

        def write(project: Project) -> ConsignError | None:
            try:
                write_values(project, path)
            except ConsignError as error:
                return error
            return None

        self._session.ask(write, lambda error: self._tell(error, tr("The values were saved.")))

    def take_csv(self, path: Path) -> None:
        """Take decisions from a CSV; a file with one bad row changes nothing, and every bad row is told."""
        refused: list[ConsignError] = []

        def take(project: Project) -> None:
            try:
                take_values(project, path)
            except ConsignError as error:
                refused.append(error)

        def then() -> None:
            self._history.clear()
            self._tell(refused[0] if refused else None, tr("The decisions were taken."))

        self._session.change(take, then)

    def _tell(self, error: ConsignError | None, success: str) -> None:
        if error is not None:
            self._asks_to_prepare = False
            self._problems.show_sentences(sentences_for(error, tr))
        else:
            self._title.say(success)
            QTimer.singleShot(4000, self, self._show_progress)
