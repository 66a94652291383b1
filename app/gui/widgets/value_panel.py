"""The card below the value table: what is known of the chosen rows, and what can be done with them."""

from collections.abc import Collection, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QPushButton, QVBoxLayout

from app.errors import ConsignError
from app.gui.checklist import counted
from app.gui.text import named, tr
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.parts import button, relabel, scaled, shortcut, text_label
from app.project.values import RowKind, ValueRow
from app.review.deciding import Choice, choices_for
from app.text.messages import sentences_for
from app.text.reasons import SUSPICIONS
from app.text.value_words import kind_sentence

_LONGEST_SHOWN = 200


class ValuePanel(QFrame):
    """Says what the page does with the signals; it decides nothing by itself."""

    chosen = Signal(object)  # Choice, by its button; REPLACE asks for the words first
    replaced = Signal(str)  # the words that leave instead
    closed = Signal()  # the line for other words was left
    undo_wanted = Signal()
    group_wanted = Signal()
    where_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.what = text_label()
        self.what.setFont(scaled(self.font(), 1.1, bold=True))
        self.why = text_label()
        self.why.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.why.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.why.setMinimumHeight(self.fontMetrics().lineSpacing() * 3)
        self.buttons: dict[Choice, QPushButton] = {
            choice: button(name, hint, partial(self.chosen.emit, choice), keys=keys)
            for choice, name, hint, keys in (
                (Choice.KEEP, tr("Keep"), tr("It may leave as it is"), "K"),
                (Choice.DROP, tr("Drop value"), tr("This value does not leave"), "D"),
                (Choice.REPLACE, tr("Replace…"), tr("Other words leave instead"), "R"),
                (Choice.DROP_TAG, tr("Drop attribute"), tr("No value of this attribute leaves"), "T"),
                (Choice.OPEN, tr("Undecide"), tr("Take the decision back"), "Backspace"),
            )
        }
        self.undo = button(tr("Undo"), tr("Take the last step back"), self.undo_wanted.emit, keys="Ctrl+Z")
        self._group = button(tr("Group"), tr("All rows with the same reason"), self.group_wanted.emit, keys="G")
        self._where = button(tr("Show where"), tr("Open an image that has it"), self.where_wanted.emit, keys="W")
        self.replacement = QLineEdit()
        self.replacement.setPlaceholderText(tr("Words that leave instead; Enter takes them, Escape does not"))
        self.replacement.setAccessibleName(tr("Replacement"))
        self.replacement.returnPressed.connect(lambda: self.replaced.emit(self.replacement.text()))
        self.replacement.hide()
        self._complaint = text_label()
        self._complaint.hide()
        actions = FlowLayout()
        for made in (*self.buttons.values(), self.undo, self._group, self._where):
            actions.addWidget(made)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(6)
        for widget in (self.what, self.why, self.replacement, self._complaint):
            column.addWidget(widget)
        column.addLayout(actions)
        shortcut("Escape", self.replacement, self._leave_replacing, inside=False)

    def show_nothing(self) -> None:
        """No row is chosen."""
        self.what.setText(tr("Choose a row, or several, and decide with one key."))
        self.why.setText("")
        for made in (*self.buttons.values(), self._group, self._where):
            made.setEnabled(False)

    def show_row(self, row: ValueRow, name: str) -> None:
        """One row is chosen; ``name`` is that of its attribute, empty for a word."""
        self._offer((row,))
        name = name or tr("Word taken out of texts")
        self.what.setText(named(name, row.value[:_LONGEST_SHOWN]) if row.value else name)
        reasons = [tr(SUSPICIONS[reason]) for reason in row.suspicion]
        self.why.setText("\n".join([*(f"\u2022 {reason}" for reason in reasons), kind_sentence(row, tr)]))

    def show_rows(self, rows: Sequence[ValueRow], count: int) -> None:
        """``count`` rows are chosen; ``rows`` are enough of them to tell what can be done."""
        self._offer(rows)
        self.what.setText(counted(count, "{count} row chosen", "{count} rows chosen"))
        self.why.setText(tr("The decision is taken on each of them, as far as it suits."))

    def _offer(self, rows: Collection[ValueRow]) -> None:
        first = next(iter(rows))
        self._group.setEnabled(first.is_suspicious)
        self._where.setEnabled(first.example_instance_id is not None)
        possible = {choice for row in rows for choice in choices_for(row)}
        for choice, made in self.buttons.items():
            made.setEnabled(choice in possible)
        only_words = all(row.kind is RowKind.WORD for row in rows)
        keep, drop = (tr("Call it safe"), tr("Leave it out")) if only_words else (tr("Keep"), tr("Drop value"))
        relabel(self.buttons[Choice.KEEP], keep, "K")
        relabel(self.buttons[Choice.DROP], drop, "D")

    # other words ----------------------------------------------------------------

    def begin_replacing(self, text: str) -> None:
        """Ask for other words; ``text`` are those of before."""
        self.replacement.setText(text)
        self.replacement.show()
        self.replacement.setFocus()
        self.replacement.selectAll()

    def complain(self, error: ConsignError) -> None:
        """Say why these words can't leave."""
        self._complaint.setText("\u26a0 " + " ".join(sentences_for(error, tr)))
        self._complaint.show()

    def end_replacing(self) -> None:
        """Ask for no words any more."""
        self.replacement.hide()
        self._complaint.hide()

    def _leave_replacing(self) -> None:
        self.end_replacing()
        self.closed.emit()
