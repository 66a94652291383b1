"""Find: choose sources, and see what is there and what is taken of it."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.catalog.table import ReasonCount, problem_files
from app.errors import ConsignError
from app.events import Event, Finished
from app.gui.checklist import counted, number
from app.gui.session import Ending, Outcome, Session
from app.gui.text import named, tr
from app.gui.widgets.filter_bar import FilterBar
from app.gui.widgets.groups_panel import GroupsPanel, in_two_groups
from app.gui.widgets.inventory_panel import InventoryPanel, load_bar_chart
from app.gui.widgets.line_list import Head, LineList
from app.gui.widgets.parts import GAP_PX, MARGIN_PX, EmptyState, Problems, TitleRow, button, relabel, shortcut
from app.gui.widgets.report_search import ReportSearchButton
from app.gui.widgets.search_row import SearchRow
from app.gui.widgets.series_tree import SeriesTree
from app.gui.widgets.source_bar import SourceBar
from app.pipeline.finding import (
    Cohorts,
    Found,
    Part,
    Shown,
    check_and_select,
    load_found,
    narrow,
    narrow_to_list,
    remember_studies,
    remove_source,
    show,
)
from app.pipeline.run import run_all
from app.project.folder import Project
from app.selection.by_hand import choose_by_hand
from app.selection.joining import ListProblem
from app.selection.not_found import ListOutcome
from app.selection.study_file import StudyFile, read_study_file
from app.selection.wanted import Entry, WantedList, read_list
from app.text.cohort_words import row_name, trouble_name
from app.text.i18n import mark_plural
from app.text.messages import sentence_for, sentences_for
from app.text.query_words import as_sentence, name_of_keyword

_MOST_FILES = 2000
_PARTS = (Part.ALL, Part.TAKEN, Part.LEFT_OUT, Part.FLAGGED)
_NOT_USABLE, _NOT_FOUND = range(len(_PARTS), len(_PARTS) + 2)


# What stands in a line of the list: identifiers, a row that does not count, a patient with the groups.
_Line = Entry | ListProblem | tuple[str, tuple[str, ...]]


class FindPage(QWidget):
    """Sources, the selection in words, the tree of what was found, and the inventory."""

    go_to = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._found: Found | None = None
        self._shown: Shown | None = None
        self._needs_select = False  # something was decided while a job ran
        self._job_steps = ""  # the step of the last event, to look again when another begins
        self._build()
        session.opened.connect(self._refresh_if_visible)  # sources may wait since before
        session.closed.connect(self._forget)
        session.changed.connect(self._refresh_if_visible)
        session.job_started.connect(lambda _: self._show_state())
        session.job_event.connect(self._watch_job)
        session.job_ended.connect(self._end_job)
        self._forget()
        session.aside(load_bar_chart, self.inventory.take_chart_class)

    # the widgets --------------------------------------------------------------

    def _build(self) -> None:
        self._title = TitleRow(tr("Find"))
        self.search_button = button(tr("&Search"), tr("Read the sources and select (Ctrl+Return)"), self.search)
        self.search_button.setObjectName("primary")
        self._title.add(ReportSearchButton(self._session))
        self._title.add(self.search_button)
        self.problems = Problems()
        self.sources = SourceBar()
        self.sources.changed.connect(self._show_state)
        self.sources.removed.connect(self._remove_source)
        self.filters = FilterBar()
        self.filters.changed.connect(self._show_rows)
        self.filters.applied.connect(self._apply_filters)
        self.filters.list_wanted.connect(self._choose_list)
        self.filters.list_removed.connect(lambda: self._change(partial(narrow_to_list, wanted=None)))
        self.empty = EmptyState()
        self.empty.pressed.connect(self._press_empty)
        self.body = QStackedWidget()
        self.body.addWidget(self.empty)
        self.body.addWidget(self._make_results())
        page = QVBoxLayout(self)
        page.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        page.setSpacing(GAP_PX)
        for widget in (self._title, self.problems, self.sources, self.filters):
            page.addWidget(widget)
        page.addWidget(self.body, 1)
        shortcut("Ctrl+Return", self, self.search)
        shortcut(QKeySequence.StandardKey.Find, self, self.words.setFocus)

    def _make_results(self) -> QWidget:
        self.tree = SeriesTree()
        self.tree.decided.connect(self._decide)
        self.problem_list = LineList(tr("Files that can't be used"), tr("Every file could be read."))
        self.problem_list.asked.connect(self._load_files)
        self.missing_list = LineList(tr("Lines of the list"), tr("Everything on the list was found and is taken."))
        self.missing_list.asked.connect(self._show_entries)
        self.views = QStackedWidget()
        for widget in (self.tree, self.problem_list, self.missing_list):
            self.views.addWidget(widget)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, GAP_PX // 2, 0)
        column.setSpacing(8)
        column.addWidget(self._make_tabs())
        column.addWidget(self.views, 1)
        self.inventory = InventoryPanel()
        self.inventory.toggled.connect(self.filters.toggle)
        self.groups = GroupsPanel()
        self.groups.list_wanted.connect(self._choose_studies)
        self.groups.list_removed.connect(lambda: self._change(partial(remember_studies, rows=())))
        self.groups.problems_wanted.connect(lambda: self.tabs.button(_NOT_FOUND).setChecked(True))
        right = QWidget()
        beside = QVBoxLayout(right)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(GAP_PX)
        beside.addWidget(self.groups)
        beside.addWidget(self.inventory, 1)
        results = QSplitter(Qt.Orientation.Horizontal)
        results.setChildrenCollapsible(False)
        results.addWidget(left)
        results.addWidget(right)
        results.setStretchFactor(0, 1)
        results.setStretchFactor(1, 0)
        results.setSizes([750, 260])
        return results

    def _make_tabs(self) -> QWidget:
        self.tabs, self.parts = QButtonGroup(self), QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        names = (tr("&All"), tr("Ta&ken"), tr("Left &out"), tr("C&hecks"), tr("Not &usable"), tr("Not foun&d"))
        for place, name in enumerate(names):
            tab = QPushButton(name)
            tab.setCheckable(True)
            tab.setProperty("plainName", name)
            tab.setAccessibleName(name.replace("&", ""))
            self.tabs.addButton(tab, place)
            row.addWidget(tab)
        row.addStretch()
        self.tabs.button(0).setChecked(True)
        self.tabs.idToggled.connect(lambda _, is_on: self._show_tab() if is_on else None)
        self.words = QLineEdit()
        self.words.setPlaceholderText(tr("Search in IDs and descriptions"))
        self.words.setAccessibleName(tr("Search in the tree"))
        self.words.setClearButtonEnabled(True)
        self.words.textChanged.connect(lambda _: self._show_rows())
        return SearchRow(row, self.words)

    # what is there ----------------------------------------------------------------

    def refresh(self) -> None:
        """Show what was found and selected by now."""
        if self._session.project is None:
            self._forget()
            return
        self.filters.show_query(self._session.project.protocol.selection.predicate)
        known = self._found

        def load(project: Project) -> Found | None:
            found = load_found(project)
            return None if found == known else found  # compared where it takes nobody's time

        self._session.ask(load, self._take, key="find")

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _forget(self) -> None:
        self._found = self._shown = None
        self._needs_select = False
        self.problems.clear()
        self.sources.forget_waiting()
        self.filters.forget()
        self.groups.show_cohorts(None)
        self.tree.show_branches((), {})
        self._show_state()

    def _take(self, found: Found | None) -> None:
        if found is None:
            self._show_state()
            return
        self._found = found
        self.sources.show_read(found.original_sources)
        self.filters.show_saved(found.filters, found.original_list)
        self.problem_list.show_heads(
            [
                *(Head(_problem_sentence(line), line) for line in found.problems),
                *(Head(_aside_sentence(line), line) for line in found.aside),
            ]
        )
        self._show_list(found.original_list, found.cohorts)
        self.groups.show_cohorts(found.cohorts)
        self._show_state()
        self._show_rows()

    def _show_rows(self) -> None:
        found = self._found
        if found is None or not found.rows:
            return
        filters, text = self.filters.filters, self.words.text()
        part = _PARTS[self.tabs.checkedId()] if self.tabs.checkedId() < len(_PARTS) else Part.ALL
        self._session.ask(lambda project: show(project, found, filters, text, part), self._take_rows, key="find-rows")

    def _take_rows(self, shown: Shown) -> None:
        found = self._found
        if found is None:
            return
        self._shown = shown
        self.tree.show_branches(shown.branches, shown.places)
        self.inventory.show_charts(found.charts, shown.counts, self.filters.filters)
        root = shown.branches[0]
        self.filters.show_draft(root.series, root.instances)

    # states -------------------------------------------------------------------------

    def _show_state(self) -> None:
        found, is_busy = self._found, self._session.is_busy
        has_project = self._session.project is not None
        has_rows = found is not None and bool(found.rows)
        has_sources = bool(self.sources.paths)
        self.sources.setVisible(has_project)
        self.filters.setVisible(has_rows)
        self.search_button.setVisible(has_project)
        self.search_button.setEnabled(has_sources and not is_busy)
        is_again = has_rows and not self.sources.waiting
        relabel(self.search_button, tr("&Search again") if is_again else tr("&Search"))
        self.body.setCurrentIndex(1 if has_rows or (found is not None and found.problems) else 0)
        self._title.say(self._sentence())
        if found is not None:
            self._show_counts(found)
        if not has_project:
            self.empty.show_text(
                tr("No project is open"), tr("Open one, or make a new one; it takes a minute."), tr("Go to the start")
            )
        elif found is None and not is_busy and not has_sources:
            self.empty.show_text(tr("Looking into the project \u2026"), "")
        elif is_busy:
            self.empty.show_text(
                tr("The sources are read"),
                tr("Every file is read once. What is found appears here; you may go on with other things meanwhile."),
            )
        elif has_sources:
            is_read = found is not None and found.files
            self.empty.show_text(
                tr("No images were found") if is_read else tr("Ready to search"),
                tr("Nothing in these sources is an image. Add another folder, CD or archive.")
                if is_read
                else tr("Every file in the sources is read once. Nothing is copied, and nothing is changed."),
                "" if is_read else tr("Search"),
            )
        else:
            self.empty.show_text(
                tr("Where are the examinations?"),
                tr("Add a folder, a CD or an archive, or drop it here. Names of files and folders do not matter."),
                tr("Add a folder or CD \u2026"),
            )

    def _press_empty(self) -> None:
        if self._session.project is None:
            self.go_to.emit("start")
        elif self.sources.paths:
            self.search()
        else:
            self.sources.choose_folder()

    def _sentence(self) -> str:
        found = self._found
        if found is None or not found.rows:
            return ""
        totals = found.totals
        if totals.open:
            images = counted(totals.images, "{count} image was found.", "{count} images were found.")
            if self._session.is_busy:
                return f"{images} {tr('What is taken of it is seen in a moment.')}"
            return f"{images} {tr('Not all of it is judged yet: search again.')}"
        return tr(
            "Taken: {taken} of {total}, in {series} of {patients}.",
            taken=number(totals.images_taken),
            total=counted(totals.images, "{count} image", "{count} images"),
            series=counted(totals.series_taken, "{count} series", "{count} series"),
            patients=counted(totals.patients_taken, "{count} patient", "{count} patients"),
        )

    def _show_counts(self, found: Found) -> None:
        totals = found.totals
        listed = found.original_list
        missing = len(listed.original_missing) if listed else 0
        missing += len({(problem.source, problem.line) for problem in found.cohorts.problems})
        files = sum(line.files for line in found.problems)
        shown = (totals.series, totals.series_taken, totals.series_left_out, totals.series_flagged)
        counts = (*shown, files, missing)
        for place, count in enumerate(counts):
            tab = self.tabs.button(place)
            tab.setText(f"{tab.property('plainName')}  {number(count)}")
        self.tabs.button(_NOT_USABLE).setVisible(bool(found.problems or found.aside))
        self.tabs.button(_NOT_FOUND).setVisible(
            listed is not None or found.cohorts.rows > 0 or bool(found.cohorts.original_in_two)
        )
        if self.tabs.checkedButton().isHidden():
            self.tabs.button(0).setChecked(True)

    def _show_tab(self) -> None:
        tab = self.tabs.checkedId()
        self.views.setCurrentIndex(max(tab - len(_PARTS) + 1, 0))
        self.words.setEnabled(tab < len(_PARTS))
        if tab < len(_PARTS):
            self._show_rows()

    # jobs ---------------------------------------------------------------------------

    def add_sources(self, paths: Sequence[Path]) -> None:
        """Add folders, media and archives; the next search reads them."""
        self.sources.add(paths)

    def search(self) -> None:
        """Read the sources, select, look for text in the images and de-identify, as one job."""
        paths = self.sources.paths
        if not paths or self._session.project is None:
            return
        self.problems.clear()
        self._session.start(tr("Searching"), lambda project, executor: run_all(project, paths, None, executor))

    def _remove_source(self, original_root: str) -> None:
        self._session.start(tr("Removing a source"), lambda project, _: remove_source(project, original_root))

    def _select(self) -> None:
        """Select anew; after the running job where there is one."""
        self._needs_select = not self._session.start(
            tr("Selecting"), lambda project, _: check_and_select(project, None, None)
        )

    def _change(self, decide: Callable[[Project], None]) -> None:
        self.problems.clear()
        self._session.change(decide, self._select)

    def _watch_job(self, event: Event) -> None:
        if isinstance(event, Finished) and event.step in ("scan", "select"):
            self._refresh_if_visible()

    def _end_job(self, outcome: Outcome) -> None:
        if outcome.ending is Ending.FAILED and outcome.error is not None and self.isVisible():
            self.problems.show_sentences(sentences_for(outcome.error, tr))
        if self._needs_select and outcome.ending is not Ending.FAILED:
            self._select()
        self._show_state()

    # decisions ------------------------------------------------------------------------

    def _decide(self, series_ids: list[int], is_taken: bool | None, reason: str) -> None:
        self._change(partial(choose_by_hand, series_ids=series_ids, is_taken=is_taken, original_reason=reason))

    def _apply_filters(self) -> None:
        self._change(partial(narrow, filters=self.filters.filters))

    def _choose_list(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Import a list"), "", tr("Tables (*.csv *.txt *.xlsx)"))
        if chosen:
            self.import_list(Path(chosen))

    def import_list(self, path: Path) -> None:
        """Take only what a CSV of accession numbers, patient IDs or UIDs names."""

        def read() -> WantedList | ConsignError:
            try:
                return read_list(path)
            except ConsignError as error:
                return error

        self._session.aside(read, self._take_list)

    def _take_list(self, wanted: WantedList | ConsignError) -> None:
        if isinstance(wanted, ConsignError):
            self.problems.show_sentences(sentences_for(wanted, tr))
            return
        self._change(partial(narrow_to_list, wanted=wanted))

    # lists ------------------------------------------------------------------------------

    def _load_files(self, line: ReasonCount) -> None:
        def load(project: Project) -> list[str]:
            return problem_files(project, line.verdict, line.reason, _MOST_FILES)

        def take(files: list[str]) -> None:
            left = line.files - len(files)
            note = tr("\u2026 and {count} more", count=number(left)) if left > 0 else ""
            self.problem_list.show_lines(files, note)

        self._session.ask(load, take, key="find-files")

    def _choose_studies(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, tr("Import labels"), "", tr("Tables (*.csv *.txt *.xlsx)"))
        if chosen:
            self.import_studies(Path(chosen))

    def import_studies(self, path: Path) -> None:
        """Take groups and labels from a CSV or XLSX; rows that the protocol does not allow are told, and nothing is."""
        project = self._session.project
        if project is None:
            return
        protocol = project.protocol

        def read() -> StudyFile | ConsignError:
            try:
                return read_study_file(path, protocol)
            except ConsignError as error:
                return error

        self._session.aside(read, self._take_studies)

    def _take_studies(self, file: StudyFile | ConsignError) -> None:
        if isinstance(file, ConsignError):
            self.problems.show_sentences(sentences_for(file, tr))
            return
        self._change(partial(remember_studies, rows=file.rows))
        if file.original_ignored:
            columns = ", ".join(file.original_ignored)
            self.problems.show_sentences(
                [tr("These columns are no labels of the protocol: {columns}.", columns=columns)]
            )

    def _show_list(self, listed: ListOutcome | None, cohorts: Cohorts) -> None:
        heads = []
        for entries, forms in (
            (
                listed.original_missing if listed else (),
                mark_plural(
                    "{count} line of the list fits nothing in the sources.",
                    "{count} lines of the list fit nothing in the sources.",
                ),
            ),
            (
                listed.original_left_out if listed else (),
                mark_plural(
                    "{count} line is found, but the query takes nothing of it.",
                    "{count} lines are found, but the query takes nothing of them.",
                ),
            ),
        ):
            if entries:
                heads.append(Head(counted(len(entries), *forms), entries))
        by_sentence: dict[str, list[ListProblem]] = {}
        for problem in cohorts.problems:
            by_sentence.setdefault(trouble_name(problem, tr), []).append(problem)
        heads += [Head(f"{sentence} ({number(len(rows))})", tuple(rows)) for sentence, rows in by_sentence.items()]
        if cohorts.original_in_two:
            heads.append(Head(in_two_groups(cohorts), cohorts.original_in_two))
        self.missing_list.show_heads(heads)

    def _show_entries(self, entries: Sequence[_Line]) -> None:
        left = len(entries) - _MOST_FILES
        note = tr("\u2026 and {count} more", count=number(left)) if left > 0 else ""
        self.missing_list.show_lines([_line_text(entry) for entry in entries[:_MOST_FILES]], note)


def _problem_sentence(line: ReasonCount) -> str:
    files = counted(line.files, "{count} file can't be used", "{count} files can't be used")
    return named(files, sentence_for(line.reason or "", {}, tr))


def _aside_sentence(line: ReasonCount) -> str:
    files = counted(line.files, "{count} file is set aside", "{count} files are set aside")
    return named(files, sentence_for(line.reason or "", {}, tr))


def _line_text(entry: _Line) -> str:
    match entry:
        case ListProblem():
            return named(row_name(entry, tr), _entry_text(entry.original_identifiers))
        case (str() as patient, groups):
            return named(patient, ", ".join(map(str, groups)))
        case _:
            return _entry_text(entry)


def _entry_text(entry: Entry) -> str:
    return ", ".join(
        f"{as_sentence(name_of_keyword(keyword, tr)).removesuffix('.')} {identifier}" for keyword, identifier in entry
    )
