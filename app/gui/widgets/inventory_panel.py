"""The inventory: small charts of what there is, one below the other; a click on a bar is a filter."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.gui.text import tr
from app.gui.widgets.parts import quiet, scaled, text_label
from app.protocol.predicates import Predicate
from app.selection.filters import Filters, is_chosen
from app.selection.inventory import REST, Bar, Chart
from app.text.i18n import mark
from app.text.query_words import VALUES

if TYPE_CHECKING:
    from app.gui.widgets.bar_chart import BarChart

_TITLES: Mapping[str, str] = {
    "Modality": mark("Modality"),
    "Manufacturer": mark("Manufacturer"),
    "SliceThickness": mark("Slice thickness, mm"),
    "StudyDate": mark("Year of the study"),
    "PatientAge": mark("Age, years"),
    "PatientSex": mark("Sex"),
}
_COUNTED: Mapping[str, str] = {
    "series": mark("series"),
    "studies": mark("studies"),
    "patients": mark("patients"),
}


@dataclass(frozen=True, slots=True)
class BarText:
    """A bar as it is shown."""

    label: str
    total: int
    shown: int
    is_chosen: bool


def load_bar_chart() -> "type[BarChart]":
    """The chart's class. Not imported above: pyqtgraph takes a third of a second, which another thread can spend."""
    from app.gui.widgets.bar_chart import BarChart  # noqa: PLC0415

    return BarChart


class InventoryPanel(QScrollArea):
    """``toggled`` gives the choice of the bar that was clicked."""

    toggled = Signal(object)  # Predicate

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Inventory"))
        self.setMinimumWidth(240)
        self._charts: tuple[Chart, ...] = ()
        self.views: list[BarChart] = []
        self._boxes: list[QWidget] = []
        self._chart_class: type[BarChart] | None = None
        self._counts: Sequence[Sequence[int]] = ()
        self._filters: Filters = ()
        self._next = 0
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._show_next)
        inside = QWidget()
        inside.setObjectName("inventory")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 6, 0)
        self._column.setSpacing(10)
        self._column.addStretch()
        self.setWidget(inside)

    def show_charts(self, charts: tuple[Chart, ...], counts: Sequence[Sequence[int]], filters: Filters) -> None:
        """Show charts with how many of each bar are shown; one after the other."""
        self._charts, self._counts, self._filters = charts, counts, filters
        self._next = 0
        if self._chart_class is not None:
            self._timer.start()

    def take_chart_class(self, chart_class: "type[BarChart]") -> None:
        """Draw from now on."""
        self._chart_class = chart_class
        self._timer.start()

    def _show_next(self) -> None:
        """Make or fill one chart, then give way: each takes a good part of what the window may stand still."""
        place = self._next
        if place >= len(self._charts):
            self._timer.stop()
            return
        self._next += 1
        chart = self._charts[place]
        if place == len(self.views):
            self._add_chart(chart)
        bars = [
            BarText(_label(chart, bar), bar.count, count, is_chosen(self._filters, bar.choice))
            for bar, count in zip(chart.bars, self._counts[place], strict=True)
        ]
        self.views[place].show_bars(bars)
        self._boxes[place].setVisible(any(not bar.is_missing for bar in chart.bars))

    def _add_chart(self, chart: Chart) -> None:
        place = len(self.views)
        title = tr(_TITLES[chart.keyword])
        assert self._chart_class is not None  # nothing is drawn before it is there
        view = self._chart_class(title)
        view.chosen.connect(lambda bar, place=place: self.toggled.emit(self._choice(place, bar)))
        box = QFrame()
        box.setObjectName("card")
        box.setFrameShape(QFrame.Shape.StyledPanel)
        box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        box.hide()
        column = QVBoxLayout(box)
        column.setContentsMargins(12, 10, 10, 8)
        column.setSpacing(2)
        head = text_label(title)
        head.setFont(scaled(self.font(), 1.0, bold=True))
        column.addWidget(head)
        column.addWidget(quiet(text_label(tr(_COUNTED[chart.counted]))))
        column.addWidget(view)
        self.views.append(view)
        self._boxes.append(box)
        self._column.insertWidget(place, box)

    def _choice(self, chart: int, bar: int) -> Predicate:
        return self._charts[chart].bars[bar].choice


def _label(chart: Chart, bar: Bar) -> str:
    if bar.is_missing:
        return tr("not given")
    if bar.original_text == REST:
        return tr("earlier") if chart.keyword == "StudyDate" else tr("others")
    if bar.original_text:
        known = VALUES.get((chart.keyword, bar.original_text.upper()))
        return bar.original_text if known is None else tr(known)
    return _range_label(chart.keyword, bar)


def _range_label(keyword: str, bar: Bar) -> str:
    if bar.low is None:
        return f"\u2264 {bar.high:g}" if keyword == "SliceThickness" else f"< {bar.high:g}"
    if bar.high is None:
        return f"> {bar.low:g}" if keyword == "SliceThickness" else f"\u2265 {bar.low:g}"
    high = bar.high if keyword == "SliceThickness" else bar.high - 1
    return f"{bar.low:g} \u2013 {high:g}"
