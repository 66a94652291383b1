"""The strip at the bottom: the running job, how far it is, how long it takes, and how to stop it."""

import time

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QWidget

from app.events import Event, Note, Progress
from app.gui.checklist import number
from app.gui.text import tr
from app.gui.widgets.parts import quiet, text_label
from app.text.job_words import JOB_TITLES, UNITS
from app.text.messages import sentence_for

_BAR_STEPS = 1000
_FIRST_ESTIMATE_S = 2.0


class JobStrip(QFrame):
    """Hidden while nothing runs."""

    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self._title = text_label("", wrap=False)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(240)
        self._bar.setAccessibleName(tr("Progress of the running job"))
        self._detail = quiet(text_label("", wrap=False))
        self.cancel_button = QPushButton(tr("Stop"))
        self.cancel_button.setAccessibleName(tr("Stop the running job"))
        self.cancel_button.setToolTip(tr("Stop after what is being worked on. Nothing is lost; it goes on from there."))
        self.cancel_button.clicked.connect(self._cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 8, 20, 8)
        row.setSpacing(14)
        row.addWidget(self._title)
        row.addWidget(self._bar)
        row.addWidget(self._detail, 1)
        row.addWidget(self.cancel_button)
        self._step, self._started, self._first = "", 0.0, 0
        self.hide()

    def begin(self, title: str) -> None:
        """A job starts."""
        self._step = ""
        self._title.setText(title)
        self._detail.setText("")
        self._bar.setRange(0, 0)
        self.cancel_button.setEnabled(True)
        self.cancel_button.setText(tr("Stop"))
        self.show()

    def tell(self, event: Event) -> None:
        """Show an event."""
        match event:
            case Progress():
                self._progress(event)
            case Note():
                self._detail.setText(sentence_for(event.code, event.ids, tr))
            case _:
                pass

    def end(self) -> None:
        """The job has ended."""
        self.hide()

    def _cancel(self) -> None:
        self.cancel_button.setEnabled(False)
        self.cancel_button.setText(tr("Stopping …"))
        self.cancelled.emit()

    def _progress(self, event: Progress) -> None:
        now = time.monotonic()
        if event.step != self._step or event.done < self._first:
            self._step, self._started, self._first = event.step, now, event.done
            self._title.setText(tr(JOB_TITLES.get(event.step, event.step)))
        unit = tr(UNITS.get(event.unit, event.unit))
        if event.total:
            self._bar.setRange(0, _BAR_STEPS)
            self._bar.setValue(_BAR_STEPS * min(event.done, event.total) // event.total)
            told = tr("{done} of {total} {unit}", done=number(event.done), total=number(event.total), unit=unit)
        else:
            self._bar.setRange(0, 0)
            told = tr("{done} {unit}", done=number(event.done), unit=unit)
        seconds, done = now - self._started, event.done - self._first
        if seconds >= _FIRST_ESTIMATE_S and done > 0:
            rate = done / seconds
            told += tr("  ·  {rate} a second", rate=number(round(rate))) if rate >= 1 else ""
            if event.total and event.total > event.done:
                told += tr("  ·  {time} left", time=duration((event.total - event.done) / rate))
        self._detail.setText(told)


def duration(seconds: float) -> str:
    """``45 s``, ``3 min``, ``1 h 20 min``: how long something takes, as exact as it can be known."""
    if seconds < 60:
        return tr("{count} s", count=max(1, round(seconds)))
    minutes = round(seconds / 60)
    if minutes < 60:
        return tr("{count} min", count=minutes)
    return tr("{hours} h {minutes} min", hours=minutes // 60, minutes=minutes % 60)
