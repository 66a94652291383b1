"""The line above the value table: which of its rows are shown."""

from collections.abc import Sequence

from PySide6.QtCore import QLocale, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from app.gui.checklist import counted
from app.gui.text import tr
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.parts import text_label
from app.project.values import RowKind, Suspicion
from app.review.deciding import Choice
from app.review.table import Counts, Query
from app.text.value_words import CHOICES, SUSPICION_NAMES

_TYPING_MS = 120
_BESIDE_TEXT_PX = 28  # of a field: its frame, and the room within
_OF_TYPE = "vr:"  # before the data of an entry that stands for a type of value and not for a kind of row


class ValueFilters(QWidget):
    """Search, reason, decision, kind; ``changed`` tells that other rows are wanted."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search in attributes and values"))
        self.search.setAccessibleName(tr("Search"))
        self.search.setClearButtonEnabled(True)
        metrics = self.fontMetrics()
        needed = metrics.horizontalAdvance(self.search.placeholderText()) + _BESIDE_TEXT_PX
        self.search.setMinimumWidth(max(38 * metrics.averageCharWidth(), needed))
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self.changed)
        self.search.textChanged.connect(lambda _: self._typing.start())
        self.reasons, self.decided, self.kinds = QComboBox(), QComboBox(), QComboBox()
        for box, name in (
            (self.reasons, tr("Filter by reason")),
            (self.decided, tr("Filter by decision")),
            (self.kinds, tr("Filter by kind")),
        ):
            box.setAccessibleName(name)
            box.setToolTip(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(13)
            box.activated.connect(lambda _: self.changed.emit())
        self.suspicious = QCheckBox(tr("Suspicious &only"))
        self.suspicious.setAccessibleName(tr("Suspicious only"))
        self.suspicious.toggled.connect(lambda _: self.changed.emit())
        self._found = text_label(wrap=False)
        row = FlowLayout()
        self.setLayout(row)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self.search, self.reasons, self.decided, self.kinds, self.suspicious, self._found):
            row.addWidget(widget)

    @property
    def query(self) -> Query:
        """What is asked for now."""
        self._typing.stop()  # what was typed last is in it
        kind = self.kinds.currentData() or ""
        is_type = kind.startswith(_OF_TYPE)
        reason, choice = self.reasons.currentData(), self.decided.currentData()
        return Query(
            text=self.search.text(),
            reasons=frozenset({Suspicion(reason)} if reason else ()),
            suspicious_only=self.suspicious.isChecked(),
            kind=RowKind(kind) if kind and not is_type else None,
            vr=kind.removeprefix(_OF_TYPE) if is_type else "",
            choices=frozenset({Choice(choice)} if choice else ()),
        )

    def show_found(self, count: int) -> None:
        """How many rows the query found."""
        self._found.setText(counted(count, "{count} row", "{count} rows"))

    def show_counts(self, counts: Counts) -> None:
        """Offer what there is; what was asked for stays chosen."""
        number = QLocale().toString
        reasons = [
            (f"{tr(SUSPICION_NAMES[reason])} ({number(count)})", reason.value)
            for reason, count in counts.reasons.items()
            if count
        ]
        names = ((RowKind.VALUE, tr("Texts")), (RowKind.RANGE, tr("Ranges")), (RowKind.WORD, tr("Words taken out")))
        kinds = [(f"{text} ({number(counts.kinds[kind])})", kind.value) for kind, text in names if counts.kinds[kind]]
        types = [
            (tr("Type {vr} ({count})", vr=vr, count=number(count)), f"{_OF_TYPE}{vr}")
            for vr, count in counts.vrs.items()
        ]
        _fill(self.reasons, tr("Any reason"), reasons)
        _fill(self.decided, tr("Any decision"), [(tr(text), choice.value) for choice, text in CHOICES.items()])
        _fill(self.kinds, tr("Any kind"), [*kinds, *types])


def _fill(box: QComboBox, everything: str, entries: Sequence[tuple[str, str]]) -> None:
    current = box.currentData()
    box.clear()
    box.addItem(everything, None)
    for text, data in entries:
        box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(current)))
