"""The inventory: small charts of what there is, one below the other; a click on a bar is a filter."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app.gui.text import tr
from app.gui.widgets.bar_chart import BarChart, BarText
from app.gui.widgets.parts import quiet, scaled, text_label
from app.protocol.predicates import Predicate
from app.selection.filters import Filters, is_chosen
from app.selection.inventory import REST, Bar, Chart
from app.text.i18n import mark
from app.text.query_words import VALUES

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


class InventoryPanel(QScrollArea):
    """``toggled`` gives the choice of the bar that was clicked."""

    toggled = Signal(object)  # Predicate

    def __init__(self) -> None:
        super().__init__()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(tr("Inventory"))
        self.setMinimumWidth(270)
        self._charts: tuple[Chart, ...] = ()
        self.views: list[BarChart] = []
        self._boxes: list[QWidget] = []
        self._waiting: Callable[[], None] | None = None
        inside = QWidget()
        inside.setObjectName("inventory")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, 6, 0)
        self._column.setSpacing(10)
        self._column.addStretch()
        self.setWidget(inside)

    def show_charts(self, charts: tuple[Chart, ...], counts: Sequence[Sequence[int]], filters: Filters) -> None:
        """Show charts with how many of each bar are shown; the first time one chart after the other is made."""
        self._charts = charts

        def fill() -> None:
            for view, chart, shown in zip(self.views, charts, counts, strict=False):
                view.show_bars(
                    [
                        BarText(_label(chart, bar), bar.count, count, is_chosen(filters, bar.choice))
                        for bar, count in zip(chart.bars, shown, strict=True)
                    ]
                )
            for box, chart in zip(self._boxes, charts, strict=False):
                box.setVisible(any(not bar.is_missing for bar in chart.bars))

        self._waiting = fill
        self._grow()

    def _grow(self) -> None:
        """Make one more chart, then give way: each takes a good part of what the window may stand still."""
        if len(self.views) < len(self._charts):
            self._add_chart(self._charts[len(self.views)])
            QTimer.singleShot(0, self, self._grow)
        elif self._waiting is not None:
            fill, self._waiting = self._waiting, None
            fill()

    def _add_chart(self, chart: Chart) -> None:
        place = len(self.views)
        title = tr(_TITLES[chart.keyword])
        view = BarChart(title)
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
