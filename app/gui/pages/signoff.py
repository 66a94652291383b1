"""Sign off and export: what is missing, the four answers, the signatures, the bundle and its verification."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QComboBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.bundle.estimate import Estimate
from app.dataset.step import check_dataset
from app.errors import ConsignError
from app.gui.checklist import (
    TITLES,
    approval_sentences,
    counted,
    leaving_sentences,
    removed_sentences,
    undecided_sentences,
)
from app.gui.session import Ending, Outcome, Session
from app.gui.text import tr
from app.gui.widgets.check_line import CheckLine
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.dataset_card import DatasetCard
from app.gui.widgets.export_card import ExportCard
from app.gui.widgets.parts import (
    GAP_PX,
    MARGIN_PX,
    Card,
    Problems,
    TitleRow,
    button,
    shortcut,
    text_label,
)
from app.pipeline.dataset import DatasetView, load_dataset_view, remove_faces
from app.pipeline.hand_over import estimate, hand_over, verify_again
from app.pipeline.overview import CheckItem, Overview, Standing, load_overview
from app.project.dataset import Finding
from app.project.folder import Project
from app.review.dump import build_dump
from app.signoff.step import approve
from app.text.messages import sentences_for
from app.text.protocol_words import own_words

_WIDE_EM = 110
_NAME_EM = 30


@dataclass(frozen=True, slots=True)
class _Loaded:
    overview: Overview
    roles: tuple[str, ...]
    estimate: Estimate
    dataset: DatasetView


class SignoffPage(QWidget):
    """The gate before anything leaves."""

    go_to = Signal(str)

    def __init__(self, session: Session, clock: Callable[[], datetime] | None = None) -> None:
        super().__init__()
        self._session = session
        self._clock = clock or partial(datetime.now, UTC)
        self._overview: Overview | None = None
        self._folder: Path | None = None
        self._checked = ""  # the facts that a check was started for
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
        self.bundle = ExportCard()
        self.bundle.folder_chosen.connect(self.use_folder)
        self.bundle.export_wanted.connect(self._export)
        self.bundle.verify_wanted.connect(self._verify)
        self.bundle.copied.connect(lambda: self._title.say(tr("The checksums are on the clipboard.")))
        self.dataset = DatasetCard()
        self.dataset.change.connect(self._session.change)
        self.dataset.check_wanted.connect(self._check_dataset)
        self.dataset.faces_wanted.connect(self._remove_faces)
        self._checks: dict[CheckItem, CheckLine] = {}
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
        whole.addWidget(self.dataset)
        whole.addWidget(self.bundle)
        whole.addStretch(1)
        area = self._area = QScrollArea()
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
        shortcut(QKeySequence.StandardKey.Refresh, self, self.refresh)

    def _make_checklist(self) -> QWidget:
        card = Card(tr("What it takes"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(5)
        grid.setColumnStretch(2, 1)
        for line, item in enumerate(CheckItem):
            self._checks[item] = CheckLine(grid, line, item, self.go_to.emit)
        # At the top, and always enabled: from the field for the name, which often is not, the focus would go on down.
        self.first_focus: QWidget = self._checks[CheckItem.SCAN].go
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
        self._name.setMinimumWidth(_NAME_EM * self.fontMetrics().averageCharWidth())
        self._name.textChanged.connect(lambda _: self._enable())
        self._name.returnPressed.connect(self._sign)
        self._role = QComboBox()
        self._role.setAccessibleName(tr("Role"))
        self._role.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._sign_button = button(tr("&Sign"), tr("Sign what there is now, as it is shown here"), self._sign)
        row = FlowLayout()  # beside a long role, what is left of a line would show four letters of the name
        row.addWidget(self._name)
        row.addWidget(self._role)
        row.addWidget(self._sign_button)
        card.body.addWidget(self._sign_state)
        card.body.addLayout(row)
        return card

    # what is shown --------------------------------------------------------------

    def refresh(self) -> None:
        """Show where the project stands now."""
        if self._session.project is None:
            self._forget()
            return
        if self._folder is None:
            self._folder = self._session.project.layout.export
            self.bundle.show_folder(self._folder)
        folder, dump, plans = self._folder, self._session.dump, self._session.plans

        def load(project: Project) -> _Loaded:
            rows = dump.rows(project)
            overview = load_overview(project, rows, plans.series(project))
            roles = project.protocol.review.signatures
            return _Loaded(overview, roles, estimate(project, folder, rows), load_dataset_view(project))

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
        self.bundle.forget()
        self.dataset.forget()
        self._checked = ""
        for line in self._checks.values():
            line.clear()
        for answer in self._answers.values():
            answer.setText("")
        self._sign_state.setText("")
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
        self.bundle.show_bundle(overview, loaded.estimate)
        self.dataset.show_view(loaded.dataset)
        self._title.say(_next_step(overview))
        self._enable()
        if self._name.isEnabled() and self.first_focus.hasFocus():
            self._name.setFocus()  # what is left to do here
        self._keep_checked(overview, loaded.dataset)

    def _keep_checked(self, overview: Overview, dataset: DatasetView) -> None:
        """Check the data set whenever something changed, once for each change: nobody has to ask for it."""
        is_prepared = overview.check(CheckItem.PREPARATION).standing is Standing.DONE
        if is_prepared and not dataset.is_current and dataset.facts != self._checked and self._check_dataset():
            self._checked = dataset.facts

    def _remove_faces(self, findings: list[Finding], note: str) -> None:
        self._session.start(tr("Removing faces"), lambda project, _: remove_faces(project, findings, note))

    def _check_dataset(self) -> bool:
        return self._session.start(
            tr("Checking the data set"), lambda project, _: check_dataset(project), is_unasked=True
        )

    def _answer(self, key: str, sentences: Iterable[str]) -> None:
        self._answers[key].setText("\n".join(f"\u2022 {sentence}" for sentence in sentences) or tr("Nothing yet."))

    def _show_signing(self, overview: Overview, roles: tuple[str, ...]) -> None:
        missing = overview.check(CheckItem.SIGNATURES).roles
        chosen = self._role.currentData()
        self._role.clear()
        for role in missing or roles:
            self._role.addItem(own_words(role, tr), role)
        self._role.setCurrentIndex(max(0, self._role.findData(chosen)))
        if not missing:
            text = tr("All signatures are there. Any change makes them void.")
        elif not overview.may_sign:
            text = tr("Signing is possible once everything above it is done.")
        elif len(roles) > 1:
            text = tr("You sign for what is shown here. Each role is signed by another person.")
        else:
            text = tr("You sign for what is shown here. Any later change makes the signature void.")
        self._sign_state.setText(text)

    def _enable(self) -> None:
        overview = self._overview
        is_idle = overview is not None and not self._session.is_busy
        can_sign = is_idle and overview is not None and overview.may_sign
        for widget in (self._name, self._role):
            widget.setEnabled(can_sign)
        self._sign_button.setEnabled(can_sign and bool(self._name.text().strip()))
        can_export = is_idle and overview is not None and overview.may_export
        self.bundle.enable(can_export=can_export, is_idle=is_idle)
        self.dataset.set_idle(is_idle)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's
        """Begin at the top: what is missing stands there."""
        super().showEvent(event)
        self._area.verticalScrollBar().setValue(0)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Where text is large, what is side by side goes one below the other."""
        super().resizeEvent(event)
        is_wide = self.width() > _WIDE_EM * self.fontMetrics().averageCharWidth()
        directions = QBoxLayout.Direction
        self._columns.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)

    # what is done ---------------------------------------------------------------

    def _sign(self) -> None:
        name, role, now = self._name.text(), self._role.currentData(), self._clock()
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

    def use_folder(self, folder: Path) -> None:
        """Export into another folder."""
        self._folder = folder
        self.bundle.show_folder(folder)
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


def _next_step(overview: Overview) -> str:
    """The one thing that comes next, in a sentence."""
    order = [*overview.checks]
    first = next((one for one in order if one.standing in (Standing.TO_DO, Standing.STALE)), None)
    if first is None:
        return tr("Everything is done: the bundle is exported and verified.")
    sentence = tr("Next: {title}.", title=tr(TITLES[first.item]))
    match first.item:
        case CheckItem.SIGNATURES:
            return tr("Next: the signature of {roles}.", roles=", ".join(own_words(role, tr) for role in first.roles))
        case CheckItem.EXPORT:
            return tr("Everything is signed. Next: the export.")
        case CheckItem.VALUES if overview.undecided.blocking:
            return counted(overview.undecided.blocking, "Next: decide on one value.", "Next: decide on {count} values.")
        case _:
            return sentence
