"""Sign off and export: what is missing, the four answers, the signatures, the bundle and its verification."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QKeySequence, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFileDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.bundle.estimate import Estimate
from app.bundle.step import REPORT
from app.errors import ConsignError
from app.gui.checklist import (
    PAGES,
    SIGNS,
    STANDINGS,
    TITLES,
    approval_sentences,
    check_sentence,
    counted,
    leaving_sentences,
    number,
    removed_sentences,
    size_text,
    time_text,
    undecided_sentences,
)
from app.gui.models.parts import PartsModel
from app.gui.session import Ending, Outcome, Session
from app.gui.text import tr
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.parts import (
    GAP_PX,
    MARGIN_PX,
    Card,
    Problems,
    TitleRow,
    button,
    plain_table,
    shortcut,
    text_label,
    tinted,
)
from app.gui.widgets.tints import Tint
from app.pipeline.hand_over import estimate, hand_over, verify_again
from app.pipeline.overview import Check, CheckItem, Overview, Standing, load_overview
from app.project.folder import Project
from app.review.dump import build_dump
from app.signoff.step import approve
from app.text.i18n import mark
from app.text.messages import sentence_for, sentences_for

_TINTS = {
    Standing.DONE: Tint.GOOD,
    Standing.TO_DO: Tint.WARN,
    Standing.OPTIONAL: Tint.CHANGED,
    Standing.STALE: Tint.GONE,
}
_MOST_FINDINGS = 50
_WIDE_EM = 110


@dataclass(frozen=True, slots=True)
class _Loaded:
    overview: Overview
    roles: tuple[str, ...]
    estimate: Estimate


class SignoffPage(QWidget):
    """The gate before anything leaves."""

    go_to = Signal(str)

    def __init__(self, session: Session, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__()
        self._session = session
        self._clock = clock or partial(datetime.now, UTC)
        self._overview: Overview | None = None
        self._folder: Path | None = None
        self._build()
        session.opened.connect(self._forget)
        session.closed.connect(self._forget)
        session.changed.connect(self._refresh_if_visible)
        session.job_started.connect(lambda _: self._enable())
        session.job_ended.connect(self._end_job)
        self._forget()

    # the widgets --------------------------------------------------------------

    def _build(self) -> None:
        self._title = TitleRow(tr("Sign off and export"))
        self._problems = Problems()
        self._checks: dict[CheckItem, _CheckLine] = {}
        self._answers: dict[str, QLabel] = {}
        left, right = QVBoxLayout(), QVBoxLayout()
        for column in (left, right):
            column.setSpacing(GAP_PX)
        left.addWidget(self._make_checklist())
        left.addWidget(self._make_signing())
        left.addStretch(1)
        right.addWidget(self._make_answers())
        right.addStretch(1)
        columns = self._columns = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        columns.setSpacing(GAP_PX)
        columns.addLayout(left, 1)
        columns.addLayout(right, 1)
        inside = QWidget()
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(0, 0, 4, 0)
        whole.setSpacing(GAP_PX)
        whole.addLayout(columns)
        whole.addWidget(self._make_export())
        whole.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inside)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # what is inside scrolls into sight as it gets the focus
        page = QVBoxLayout(self)
        page.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        page.setSpacing(GAP_PX)
        page.addWidget(self._title)
        page.addWidget(self._problems)
        page.addWidget(area, 1)

    def _make_checklist(self) -> QWidget:
        card = Card(tr("What it takes"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(2, 1)
        for line, item in enumerate(CheckItem):
            self._checks[item] = _CheckLine(grid, line, item, self.go_to.emit)
        card.body.addLayout(grid)
        return card

    def _make_answers(self) -> QWidget:
        card = Card(tr("Four questions, answered now"))
        card.body.setSpacing(4)
        questions = (
            ("leaves", tr("What would leave?")),
            ("removed", tr("What was removed?")),
            ("undecided", tr("What is undecided?")),
            ("approved", tr("Who approved what?")),
        )
        for key, question in questions:
            card.body.addSpacing(4)
            head = text_label(question)
            font = head.font()
            font.setBold(True)
            head.setFont(font)
            answer = text_label()
            answer.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            answer.setAccessibleName(question)
            self._answers[key] = answer
            card.body.addWidget(head)
            card.body.addWidget(answer)
        return card

    def _make_signing(self) -> QWidget:
        card = Card(tr("Sign"))
        self._sign_state = text_label()
        self._name = QLineEdit()
        self._name.setPlaceholderText(tr("Your full name"))
        self._name.setAccessibleName(tr("Your full name"))
        self._name.setMaxLength(64)
        self.first_focus: QWidget = self._name
        self._name.textChanged.connect(lambda _: self._enable())
        self._name.returnPressed.connect(self._sign)
        self._role = QComboBox()
        self._role.setAccessibleName(tr("Role"))
        self._role.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._sign_button = button(tr("&Sign"), tr("Sign what there is now, as it is shown here"), self._sign)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._name, 1)
        row.addWidget(self._role)
        row.addWidget(self._sign_button)
        card.body.addWidget(self._sign_state)
        card.body.addLayout(row)
        return card

    def _make_export(self) -> QWidget:
        card = Card(tr("Export"))
        self._place = QLineEdit()
        self._place.setReadOnly(True)
        self._place.setAccessibleName(tr("Folder for the bundle"))
        choose = button(tr("&Folder…"), tr("Choose where the bundle is written"), self._choose_folder)
        self._export_button = button(tr("&Export"), tr("Write the bundle, then verify it"), self._export)
        self._export_button.setObjectName("primary")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._place, 1)
        row.addWidget(choose)
        row.addWidget(self._export_button)
        self._room = text_label()
        self._verdict = text_label()
        self._verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._parts = PartsModel()
        self._table = plain_table(self._parts, tr("Parts of the bundle"))
        header = self._table.horizontalHeader()
        em = self.fontMetrics().averageCharWidth()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        header.resizeSection(1, 14 * em)
        header.resizeSection(2, 14 * em)
        header.setStretchLastSection(True)
        self._after = (
            button(tr("Open &report"), tr("Open the report in the browser"), self._open_report),
            button(tr("Show in fo&lder"), tr("Open the folder of the bundle"), self._open_folder),
            button(tr("&Copy checksums"), tr("Copy SHA-256 and name of each part"), self._copy_checksums),
            button(tr("&Verify again"), tr("Read the whole bundle and check it once more"), self._verify),
        )
        actions = FlowLayout()
        for made in self._after:
            actions.addWidget(made)
        for widget in (self._room, self._verdict, self._table):
            card.body.addWidget(widget)
        card.body.insertLayout(1, row)
        card.body.addLayout(actions)
        shortcut(QKeySequence.StandardKey.Refresh, self, self.refresh)
        return card

    # what is shown --------------------------------------------------------------

    def refresh(self) -> None:
        """Show where the project stands now."""
        if self._session.project is None:
            self._forget()
            return
        if self._folder is None:
            self._folder = self._session.project.layout.export
        folder, dump, plans = self._folder, self._session.dump, self._session.plans

        def load(project: Project) -> _Loaded:
            rows = dump.rows(project)
            overview = load_overview(project, rows, plans.series(project))
            return _Loaded(overview, project.protocol.review.signatures, estimate(project, folder, rows))

        self._session.ask(load, self._take, key="signoff")

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _forget(self) -> None:
        self._overview = None
        self._folder = None
        self._problems.clear()
        self._name.clear()
        self._role.clear()
        self._parts.show_parts(())
        for line in self._checks.values():
            line.clear()
        for answer in self._answers.values():
            answer.setText("")
        for label in (self._sign_state, self._room, self._verdict):
            label.setText("")
        self._place.clear()
        self._table.hide()
        self._verdict.hide()
        for made in self._after:
            made.hide()
        self._title.say("" if self._session.project is not None else tr("No project is open."))
        self._enable()

    def _take(self, loaded: _Loaded) -> None:
        overview = self._overview = loaded.overview
        for check in overview.checks:
            self._checks[check.item].show_check(check)
        self._answer("leaves", leaving_sentences(overview.leaving))
        self._answer("removed", removed_sentences(overview.removed) if overview.leaving.instances else ())
        self._answer("undecided", undecided_sentences(overview.undecided))
        self._answer("approved", approval_sentences(overview.approvals))
        self._show_signing(overview, loaded.roles)
        self._show_room(overview, loaded.estimate)
        self._show_bundle(overview)
        self._title.say(_next_step(overview))
        self._enable()

    def _answer(self, key: str, sentences: Iterable[str]) -> None:
        self._answers[key].setText("\n".join(f"\u2022 {sentence}" for sentence in sentences) or tr("Nothing yet."))

    def _show_signing(self, overview: Overview, roles: tuple[str, ...]) -> None:
        missing = overview.check(CheckItem.SIGNATURES).roles
        chosen = self._role.currentText()
        self._role.clear()
        self._role.addItems(list(missing or roles))
        self._role.setCurrentIndex(max(0, self._role.findText(chosen)))
        if not missing:
            text = tr("All signatures are there. Any change makes them void.")
        elif not overview.may_sign:
            text = tr("Signing is possible once everything above it is done.")
        elif len(roles) > 1:
            text = tr("You sign for what is shown here. Each role is signed by another person.")
        else:
            text = tr("You sign for what is shown here. Any later change makes the signature void.")
        self._sign_state.setText(text)

    def _show_room(self, overview: Overview, found: Estimate) -> None:
        assert self._folder is not None
        self._show_place()
        if not overview.leaving.instances:
            self._room.setText("")
            return
        text = tr(
            "{images} in {parts}, at most {size}.",
            images=counted(found.instances, mark("1 image"), mark("{count} images")),
            parts=counted(found.parts, mark("1 part"), mark("{count} parts")),
            size=size_text(found.size),
        )
        if found.free is not None:
            text += " " + tr("{free} are free there.", free=size_text(found.free))
        if not found.fits:
            text = "\u26a0 " + text + " " + tr("Make room, or choose another folder.")
        self._room.setText(text)

    def _show_place(self) -> None:
        text = str(self._folder or "")
        width = max(self._place.width() - 16, 100)
        self._place.setText(self._place.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, width))
        self._place.setToolTip(text)

    def _show_bundle(self, overview: Overview) -> None:
        exported = overview.exported
        parts = overview.parts if exported is not None else ()
        self._parts.show_parts(parts)
        self._table.setVisible(bool(parts))
        self._table.setFixedHeight(
            self._table.horizontalHeader().height()
            + self._table.verticalHeader().defaultSectionSize() * min(len(parts), 6)
            + 4
        )
        self._verdict.setVisible(exported is not None)
        for made in self._after:
            made.setVisible(exported is not None)
        if exported is None:
            return
        check = overview.check(CheckItem.VERIFICATION)
        self._verdict.setText("\n".join(_verdict(overview)))
        shade = Tint.GOOD if check.standing is Standing.DONE else Tint.GONE
        tinted(self._verdict, shade)

    def _enable(self) -> None:
        overview = self._overview
        is_idle = overview is not None and not self._session.is_busy
        can_sign = is_idle and overview is not None and overview.may_sign
        for widget in (self._name, self._role):
            widget.setEnabled(can_sign)
        self._sign_button.setEnabled(can_sign and bool(self._name.text().strip()))
        self._export_button.setEnabled(is_idle and overview is not None and overview.may_export)
        self._after[-1].setEnabled(is_idle)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """The path is cut to the new width; where text is large, what is side by side goes one below the other."""
        super().resizeEvent(event)
        is_wide = self.width() > _WIDE_EM * self.fontMetrics().averageCharWidth()
        directions = QBoxLayout.Direction
        self._columns.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)
        self._show_place()

    # what is done ---------------------------------------------------------------

    def _sign(self) -> None:
        name, role, now = self._name.text(), self._role.currentText(), self._clock()
        if not self._sign_button.isEnabled():
            return
        refused: list[ConsignError] = []

        def sign(project: Project) -> None:
            try:
                approve(project, build_dump(project), name, role, now)
            except ConsignError as error:
                refused.append(error)

        def then() -> None:
            if refused:
                self._problems.show_sentences(sentences_for(refused[0], tr))
            else:
                self._problems.clear()
                self._name.clear()

        self._session.change(sign, then)

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, tr("Folder for the bundle"), str(self._folder or ""))
        if name:
            self.use_folder(Path(name))

    def use_folder(self, folder: Path) -> None:
        """Export into another folder."""
        self._folder = folder
        self._show_place()
        self.refresh()

    def _export(self) -> None:
        folder = self._folder
        if folder is not None:
            self._problems.clear()
            self._session.start(
                tr("Exporting"), lambda project, executor: hand_over(project, folder, executor, self._clock)
            )

    def _verify(self) -> None:
        self._problems.clear()
        self._session.start(tr("Verifying"), lambda project, _: verify_again(project, self._clock))

    def _end_job(self, outcome: Outcome) -> None:
        self._enable()
        if outcome.ending is Ending.FAILED and outcome.error is not None and self.isVisible():
            self._problems.show_sentences(sentences_for(outcome.error, tr))

    def _exported_to(self) -> Path | None:
        exported = self._overview.exported if self._overview is not None else None
        return exported.folder if exported is not None else None

    def _open_report(self) -> None:
        folder = self._exported_to()
        if folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder / REPORT)))

    def _open_folder(self) -> None:
        folder = self._exported_to()
        if folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder)))

    def _copy_checksums(self) -> None:
        text = "".join(f"{part.sha256}  {part.name}\n" for part in self._parts.parts)
        QGuiApplication.clipboard().setText(text)
        self._title.say(tr("The checksums are on the clipboard."))


class _CheckLine(QObject):
    """One line of the checklist: sign and word of its standing, title, sentence, and the way to its page."""

    def __init__(self, grid: QGridLayout, line: int, item: CheckItem, go_to: Callable[[str], object]) -> None:
        super().__init__(grid)
        self._item = item
        self._standing = text_label(wrap=False)
        self._title = text_label(tr(TITLES[item]), wrap=False)
        self._sentence = text_label()
        self._sentence.setForegroundRole(QPalette.ColorRole.Text)
        grid.addWidget(self._standing, line, 0)
        grid.addWidget(self._title, line, 1)
        grid.addWidget(self._sentence, line, 2)
        self._standing.setMinimumWidth(
            self._standing.fontMetrics().horizontalAdvance("\u21bb " + tr("out of date") + " ")
        )
        page = PAGES[item]
        self.go = QToolButton()
        if page:
            name = tr("Go to: {title}", title=tr(TITLES[item]))
            go = self.go
            go.setText("\u2192")
            go.setToolTip(name)
            go.setAccessibleName(name)
            go.setAutoRaise(True)
            go.clicked.connect(lambda _: go_to(page))
            grid.addWidget(go, line, 3)

    def show_check(self, check: Check) -> None:
        """Show how it stands."""
        self._standing.setText(f"{SIGNS[check.standing]} {tr(STANDINGS[check.standing])}")
        tinted(self._standing, _TINTS[check.standing])
        self._sentence.setText(check_sentence(check))

    def clear(self) -> None:
        """Show nothing."""
        self._standing.setText("")
        self._sentence.setText("")


def _verdict(overview: Overview) -> Iterator[str]:
    """What the verification says of the bundle that lies there."""
    verified = overview.verified
    if overview.check(CheckItem.EXPORT).standing is Standing.STALE:
        yield "\u26a0 " + tr("This bundle is out of date: it is not what would leave now. Export again.")
    if verified is None:
        yield tr("Not verified yet.")
        return
    when = time_text(verified.when)
    if verified.findings:
        yield "\u26a0 " + tr("Do not send it. The verification of {when} found:", when=when)
        for code, part, entry, path in verified.findings[:_MOST_FINDINGS]:
            place = " ".join(piece for piece in (part, entry, path) if piece)
            yield f"\u2022 {sentence_for(code, {}, tr)} {place}"
        if len(verified.findings) > _MOST_FINDINGS:
            yield tr("… and {count} more.", count=number(len(verified.findings) - _MOST_FINDINGS))
    elif overview.check(CheckItem.VERIFICATION).standing is Standing.DONE:
        sentence = tr(
            "Verified on {when}: {images} in {parts}, read again from the disk.",
            when=when,
            images=counted(verified.instances, mark("1 image"), mark("{count} images")),
            parts=counted(len(verified.parts), mark("1 part"), mark("{count} parts")),
        )
        rest = tr("Every checksum fits, every value is an approved one, and no original identifier was found.")
        yield f"\u2713 {sentence} {rest}"


def _next_step(overview: Overview) -> str:
    """The one thing that comes next, in a sentence."""
    order = [*overview.checks]
    first = next((one for one in order if one.standing in (Standing.TO_DO, Standing.STALE)), None)
    if first is None:
        return tr("Everything is done: the bundle is exported and verified.")
    sentence = tr("Next: {title}.", title=tr(TITLES[first.item]).lower())
    match first.item:
        case CheckItem.SIGNATURES:
            return tr("Next: the signature of {roles}.", roles=", ".join(first.roles))
        case CheckItem.EXPORT:
            return tr("Everything is signed. Next: the export.")
        case CheckItem.VALUES if overview.undecided.blocking:
            return counted(
                overview.undecided.blocking, mark("Next: decide on one value."), mark("Next: decide on {count} values.")
            )
        case _:
            return sentence
