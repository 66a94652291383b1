"""The groups that the protocol asks for, each with what was found of what is wanted, and the list with their labels."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from app.gui.checklist import counted, number
from app.gui.text import tr
from app.gui.widgets.parts import button, quiet, scaled, text_label, tinted
from app.gui.widgets.tints import Tint
from app.pipeline.finding import Cohorts
from app.project.cohorts import GroupCounts
from app.text.cohort_words import group_sentence, shortage_sentence

_FULL = 1000  # of a bar: per mille
_SHORTAGES_SHOWN = 3


class GroupsPanel(QFrame):
    """Hidden where the protocol asks for neither groups nor labels. ``problems_wanted``: show the rows of the list."""

    list_wanted = Signal()
    list_removed = Signal()
    problems_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setSizePolicy(_as_high_as_needed())
        self.setAccessibleName(tr("Groups"))
        self.rows: list[GroupRow] = []
        self._shown: Cohorts | None = None
        self._groups = QVBoxLayout()
        self._groups.setSpacing(10)
        self._both = text_label()
        tinted(self._both, Tint.WARN)
        self._list = quiet(text_label())
        self.import_button = button(
            tr("Import &labels \u2026"),
            tr("A CSV or XLSX of studies with the groups and labels of the protocol as columns"),
            self.list_wanted.emit,
        )
        self.problems_button = button(
            tr("&Rows that do not count"), tr("Why rows of the list are left out"), self.problems_wanted.emit
        )
        self.both_button = button(tr("Show these &patients"), tr("Who is in which groups"), self.problems_wanted.emit)
        self.remove_button = button(tr("&Forget the labels"), tr("Go on without this list"), self.list_removed.emit)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 12)
        column.setSpacing(8)
        column.addLayout(self._groups)
        for widget in (self._both, self.both_button, self._list, self.problems_button):
            column.addWidget(widget)
        controls = QHBoxLayout()
        controls.setSpacing(8)
        controls.addWidget(self.import_button)
        controls.addWidget(self.remove_button)
        controls.addStretch()
        column.addLayout(controls)
        self.hide()

    def show_cohorts(self, cohorts: Cohorts | None) -> None:
        """Show another state; None for no project."""
        if cohorts == self._shown:
            return
        self._shown = cohorts
        self.setVisible(cohorts is not None and cohorts.is_asked_for)
        if cohorts is None:
            return
        self._show_groups(cohorts.groups)
        self._both.setText(f"\u26a0 {in_two_groups(cohorts)}")
        self._both.setVisible(bool(cohorts.original_in_two))
        self.both_button.setVisible(bool(cohorts.original_in_two))
        problems = len({(problem.source, problem.line) for problem in cohorts.problems})
        rows = counted(cohorts.rows, "The list has {count} row.", "The list has {count} rows.")
        self._list.setText(rows if cohorts.rows else tr("No list with groups or labels was imported yet."))
        self.problems_button.setText(tr("&Rows that do not count: {count}", count=number(problems)))
        self.problems_button.setAccessibleName(self.problems_button.text().replace("&", ""))
        self.problems_button.setVisible(problems > 0)
        self.remove_button.setVisible(cohorts.rows > 0)

    def _show_groups(self, groups: Sequence[GroupCounts]) -> None:
        while len(self.rows) < len(groups):
            row = GroupRow()
            self.rows.append(row)
            self._groups.addWidget(row)
        for row, group in zip(self.rows, groups, strict=False):
            row.show_group(group)
        for place, row in enumerate(self.rows):
            row.setVisible(place < len(groups))


def in_two_groups(cohorts: Cohorts) -> str:
    """How many patients are in more than one group."""
    return counted(
        len(cohorts.original_in_two),
        "{count} patient is in more than one group.",
        "{count} patients are in more than one group.",
    )


def _as_high_as_needed() -> QSizePolicy:
    """No higher and no lower than wrapped sentences are at a width."""
    policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    policy.setHeightForWidth(True)
    return policy


class GroupRow(QWidget):
    """Name and figures of one group over a bar, and a sentence below."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(_as_high_as_needed())
        self._name = text_label(wrap=False)
        self._name.setFont(scaled(self.font(), 1.0, bold=True))
        self._figures = text_label(wrap=False)
        self._figures.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.bar = QProgressBar()
        self.bar.setRange(0, _FULL)
        self.bar.setTextVisible(False)
        self.sentence = text_label()
        head = QHBoxLayout()
        head.addWidget(self._name)
        head.addStretch()
        head.addWidget(self._figures)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.bar)
        column.addWidget(self.sentence)

    def show_group(self, group: GroupCounts) -> None:
        """Show how a group came out."""
        self._name.setText(group.name)
        wanted = group.drawn if group.wanted is None else group.wanted
        self._figures.setText(
            number(group.drawn) if group.wanted is None else f"{number(group.drawn)} / {number(wanted)}"
        )
        self.bar.setValue(min(_FULL * group.drawn // wanted, _FULL) if wanted else 0)
        self.bar.setAccessibleName(group.name)
        sentence = group_sentence(group, tr)
        self.bar.setAccessibleDescription(sentence)
        shortages = [shortage_sentence(one, tr) for one in group.original_shortages]
        shown = [f"\u26a0 {sentence}" if group.short else sentence, *shortages[:_SHORTAGES_SHOWN]]
        if len(shortages) > _SHORTAGES_SHOWN:
            shown.append(tr("\u2026 and {count} more", count=number(len(shortages) - _SHORTAGES_SHOWN)))
        self.sentence.setText("\n".join(shown))
        tinted(self.sentence, Tint.WARN if group.short else Tint.QUIET)
        self.setToolTip("\n".join(shortages))
