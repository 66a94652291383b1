"""A step in the list at the left: what it is, and where it stands as a sign and a word."""

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QPalette
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout

from app.gui.text import named, tr
from app.gui.theme import icon
from app.gui.widgets.parts import key_text, scaled, text_label, tinted
from app.gui.widgets.tints import Tint, tint
from app.pipeline.progress import Step, StepState
from app.text.i18n import mark

NAMES: Mapping[Step, str] = {
    Step.PROTOCOL: mark("Protocol"),
    Step.FIND: mark("Find"),
    Step.DEIDENTIFY: mark("De-identify"),
    Step.VALUES: mark("Review values"),
    Step.IMAGES: mark("Review images"),
    Step.SIGN_OFF: mark("Sign off and export"),
}
STATE_WORDS: Mapping[StepState, str] = {
    StepState.TO_DO: mark("To do"),
    StepState.WORKING: mark("Working"),
    StepState.NEEDS_YOU: mark("Needs you"),
    StepState.DONE: mark("Done"),
    StepState.STALE: mark("Out of date"),
}
_STATE_TINTS: Mapping[StepState, Tint] = {
    StepState.TO_DO: Tint.QUIET,
    StepState.WORKING: Tint.CHANGED,
    StepState.NEEDS_YOU: Tint.WARN,
    StepState.DONE: Tint.GOOD,
    StepState.STALE: Tint.GONE,
}


class StepButton(QPushButton):
    """A step in the list: what it is, and where it stands as a sign and a word."""

    def __init__(self, step: Step, number: int) -> None:
        super().__init__()
        self.step = step
        self.setObjectName("step")
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setShortcut(QKeySequence(f"Ctrl+{number}"))
        self._sign, self._state_sign = text_label(wrap=False), text_label(wrap=False)
        self._name = text_label(tr(NAMES[step]), wrap=False)
        self._name.setFont(scaled(self.font(), 1.05, bold=True))
        self._state = text_label(wrap=False)
        state_row = QHBoxLayout()
        state_row.setSpacing(6)
        state_row.addWidget(self._state_sign)
        state_row.addWidget(self._state, 1)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._name)
        texts.addLayout(state_row)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.setSpacing(12)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(texts, 1)
        for label in (self._sign, self._state_sign, self._name, self._state):
            label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.show_state(StepState.TO_DO)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """That of what is in it."""
        layout = self.layout()
        return super().sizeHint() if layout is None else layout.sizeHint()

    def show_state(self, state: StepState) -> None:
        """Show where the step stands."""
        self.state = state
        # The application's: with a transparent style sheet a button takes its own ground for black.
        palette = QGuiApplication.palette()
        colour = tint(palette, _STATE_TINTS[state])
        size = self.fontMetrics().height()
        self._sign.setPixmap(icon(self.step.value, palette.color(QPalette.ColorRole.Text)).pixmap(size + 6))
        self._state_sign.setPixmap(icon(state.value, colour).pixmap(size - 1))
        self._state.setText(tr(STATE_WORDS[state]))
        tinted(self._state, _STATE_TINTS[state])
        self.setAccessibleName(named(tr(NAMES[self.step]), tr(STATE_WORDS[state])))
        self.setToolTip(f"{tr(NAMES[self.step])} ({key_text(self.shortcut().toString())})")
