"""Search in reports: a table of the site is searched for the protocol's terms, and a person says which hits count."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QPlainTextEdit,
    QPushButton,
    QTableView,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from app.errors import ConsignError
from app.gui.checklist import counted, number
from app.gui.models.report_hits import ReportHitsModel
from app.gui.session import Session
from app.gui.text import tr
from app.gui.widgets.parts import GAP_PX, MARGIN_PX, Problems, button, plain_table, quiet, shortcut, text_label
from app.project.folder import Project
from app.reports.deciding import HitDecision
from app.reports.step import JudgedHit, Search, decide_hits, search_reports, take_studies
from app.text.messages import sentences_for


class ReportSearchDialog(QDialog):
    """Shows each hit in its sentence. Keys: A accepts, R rejects, Backspace takes a decision back."""

    taken = Signal()  # accepted studies are on the study list

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(tr("Search in reports"))
        self.resize(1100, 700)
        self._session = session
        self._path: Path | None = None
        self._search: Search | None = None
        self._build()
        self._show()

    def _build(self) -> None:
        self._state = text_label()
        self._problems = Problems()
        self.model = ReportHitsModel()
        self.table: QTableView = plain_table(self.model, tr("Hits in the reports"))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.selectionModel().selectionChanged.connect(lambda *_: self._show_sentence())
        header = self.table.horizontalHeader()
        em = self.fontMetrics().averageCharWidth()
        for column, width in enumerate((14, 20, 18)):
            header.resizeSection(column, width * em)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        self._sentence = QPlainTextEdit()
        self._sentence.setReadOnly(True)
        self._sentence.setFrameShape(QFrame.Shape.NoFrame)
        self._sentence.setTabChangesFocus(True)
        self._sentence.setAccessibleName(tr("Sentence"))
        self._sentence.setFixedHeight(4 * self.fontMetrics().height())
        self.buttons = {
            "file": button(tr("&Table of reports…"), tr("A CSV with accession number and text"), self._choose_file),
            "accept": button(
                tr("Is a case"),
                tr("The study counts for this term"),
                partial(self.decide, HitDecision.ACCEPT),
                keys="A",
            ),
            "reject": button(
                tr("Is no case"), tr("The study does not count"), partial(self.decide, HitDecision.REJECT), keys="R"
            ),
            "back": button(tr("Take back"), tr("Take the decision back"), partial(self.decide, None)),
            "take": button(tr("Put cases on the &study list"), tr("For the next selection"), self.take),
        }
        for made in self.buttons.values():
            made.setAutoDefault(False)
        self.buttons["take"].setObjectName("primary")
        top, bottom = QHBoxLayout(), QHBoxLayout()
        top.addWidget(self._state, 1)
        top.addWidget(self.buttons["file"])
        for name in ("accept", "reject", "back"):
            bottom.addWidget(self.buttons[name])
        bottom.addStretch(1)
        bottom.addWidget(self.buttons["take"])
        whole = QVBoxLayout(self)
        whole.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        whole.setSpacing(GAP_PX)
        whole.addLayout(top)
        whole.addWidget(
            quiet(text_label(tr("Reports are read where they lie: no sentence of them is kept, sent or logged.")))
        )
        whole.addWidget(self._problems)
        whole.addWidget(self.table, 1)
        whole.addWidget(self._sentence)
        whole.addLayout(bottom)
        for keys, decision in (("A", HitDecision.ACCEPT), ("R", HitDecision.REJECT), ("Backspace", None)):
            shortcut(keys, self.table, partial(self.decide, decision), inside=False)

    # searching ------------------------------------------------------------------

    def _choose_file(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, tr("Table of reports"), "", tr("Tables (*.csv *.tsv *.txt)"))
        if name:
            self.search(Path(name))

    def search(self, path: Path) -> None:
        """Search a table of reports."""
        self._path = path
        refused: list[ConsignError] = []

        def look(project: Project) -> Search | None:
            try:
                return search_reports(project, path)
            except ConsignError as error:
                refused.append(error)
                return None

        def then(found: Search | None) -> None:
            self._search = found
            self.model.show_rows(() if found is None else found.hits)
            if refused:
                self._problems.show_sentences(sentences_for(refused[0], tr))
            else:
                self._problems.clear()
                self.table.selectRow(0)
                self.table.setFocus()
            self._show()

        self._session.ask(look, then, key="reports")

    # deciding -------------------------------------------------------------------

    def decide(self, decision: HitDecision | None) -> None:
        """Decide on the chosen hits, and go to the next one."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        if not rows or self._search is None:
            return
        digests = [self.model.rows[row].digest for row in rows]
        self._session.change(lambda project: decide_hits(project, digests, decision))
        decided = frozenset(digests)
        hits = tuple(replace(one, decision=decision) if one.digest in decided else one for one in self._search.hits)
        self._search = replace(self._search, hits=hits)
        self.model.show_rows(hits)
        self.table.selectRow(min(rows[-1] + 1, len(hits) - 1))
        self._show()

    def take(self) -> None:
        """Put the studies of accepted hits on the project's study list, and close."""
        search = self._search
        if search is not None:
            self._session.change(lambda project: take_studies(project, search), self._end)

    def _end(self) -> None:
        self.taken.emit()
        self.accept()

    # showing --------------------------------------------------------------------

    def _show(self) -> None:
        search = self._search
        hits: tuple[JudgedHit, ...] = () if search is None else search.hits
        if search is None:
            text = tr("Choose the table of reports. The protocol's terms are looked for in it.")
        else:
            cases = len({one.hit.original_accession_number for one in hits if one.decision is HitDecision.ACCEPT})
            text = tr(
                "{hits} in {reports}; {left} to decide, {cases} so far.",
                hits=counted(len(hits), "{count} hit", "{count} hits"),
                reports=counted(search.reports, "{count} report", "{count} reports"),
                left=number(search.undecided),
                cases=counted(cases, "{count} case", "{count} cases"),
            )
        self._state.setText(text)
        for name in ("accept", "reject", "back", "take"):
            self.buttons[name].setEnabled(bool(hits))
        self._show_sentence()

    def _show_sentence(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if len(rows) != 1:
            self._sentence.setPlainText("")
            return
        hit = self.model.rows[rows[0].row()].hit
        self._sentence.setPlainText(hit.original_sentence)
        cursor = self._sentence.textCursor()
        cursor.setPosition(hit.start)
        cursor.setPosition(hit.end, QTextCursor.MoveMode.KeepAnchor)
        marked = QTextEdit.ExtraSelection()
        marked.cursor = cursor  # type: ignore[attr-defined]  # PySide6's stubs leave it out
        style = QTextCharFormat()
        style.setFontWeight(QFont.Weight.Bold)
        style.setFontUnderline(True)
        marked.format = style  # type: ignore[attr-defined]
        self._sentence.setExtraSelections([marked])
        self._sentence.moveCursor(QTextCursor.MoveOperation.Start)


class ReportSearchButton(QPushButton):
    """Opens the search; hidden where the protocol looks for nothing in reports."""

    def __init__(self, session: Session) -> None:
        super().__init__(tr("Search in &reports…"))
        self.setToolTip(tr("Find studies by what their reports say"))
        self._session = session
        self.clicked.connect(lambda _: self.open().show())
        session.opened.connect(self._show)
        session.closed.connect(self._show)
        self._show()

    def open(self) -> ReportSearchDialog:
        """A dialog over the window that the button is in."""
        dialog = ReportSearchDialog(self._session, self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setModal(True)
        return dialog

    def _show(self) -> None:
        project = self._session.project
        self.setVisible(project is not None and bool(project.protocol.reports.terms))
