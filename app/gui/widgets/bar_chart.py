"""A small chart of lying bars: all in a quiet colour, what is shown in the accent; a click on a bar is a choice."""

from collections.abc import Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPalette

from app.gui.checklist import number
from app.gui.text import named, tr
from app.gui.widgets.inventory_panel import BarText

_BAR_GAP_PX = 8
_COUNT_ROOM = 1.3, 1.6  # of the longest bar, so that the number, or the two, behind it fit


class BarChart(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """One attribute. Arrow keys move from bar to bar, the space bar chooses."""

    chosen = Signal(int)

    def __init__(self, title: str) -> None:
        # Without the menus that nobody sees a chart is made in half the time: 10 ms instead of 22.
        super().__init__(enableMenu=False, viewBox=pg.ViewBox(enableMenu=False))
        self._title = title
        self._bars: tuple[BarText, ...] = ()
        self._current = 0
        self._hovered = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFrameShape(self.Shape.NoFrame)
        self.setMouseEnabled(x=False, y=False)
        self.hideButtons()
        self.setMouseTracking(True)
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)  # pyqtgraph's own one would take the Tab key too
        plot = self.getPlotItem()
        plot.hideAxis("bottom")
        plot.invertY(True)
        axis = plot.getAxis("left")
        axis.setStyle(tickLength=0, tickAlpha=0, autoExpandTextSpace=False, autoReduceTextSpace=False)
        axis.setPen(None)
        self._axis = axis

    @property
    def bars(self) -> tuple[BarText, ...]:
        """What is shown."""
        return self._bars

    def show_bars(self, bars: Sequence[BarText]) -> None:
        """Show other bars."""
        if tuple(bars) == self._bars:
            return
        self._bars = tuple(bars)
        self._current = min(self._current, max(len(bars) - 1, 0))
        self._draw()

    def _draw(self) -> None:
        palette = self.palette()
        text, quiet = palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Mid)
        accent = palette.color(QPalette.ColorRole.Accent)
        self.setBackground(palette.color(QPalette.ColorRole.Base))
        plot = self.getPlotItem()
        plot.clear()
        longest = max((bar.total for bar in self._bars), default=1) or 1
        places = list(range(len(self._bars)))
        any_chosen = any(bar.is_chosen for bar in self._bars)
        plot.addItem(_bars(places, [bar.total for bar in self._bars], [quiet] * len(places)))
        strengths = [accent if bar.is_chosen or not any_chosen else _faded(accent) for bar in self._bars]
        plot.addItem(_bars(places, [bar.shown for bar in self._bars], strengths))
        for place, bar in zip(places, self._bars, strict=True):
            count = number(bar.total) if bar.shown == bar.total else f"{number(bar.shown)} / {number(bar.total)}"
            label = pg.TextItem(count, color=text, anchor=(0, 0.5))
            label.setFont(self.font())
            label.setPos(max(bar.total, bar.shown) + longest * 0.02, place)
            plot.addItem(label, ignoreBounds=True)
        self._axis.setTicks([[(place, self._tick(place)) for place in places]])
        self._axis.setTickFont(self.font())
        self._axis.setTextPen(text)
        metrics = self.fontMetrics()
        self._axis.setWidth(metrics.averageCharWidth() * 14)
        self.setFixedHeight(len(places) * (metrics.height() + _BAR_GAP_PX) + 10)
        has_two = any(bar.shown != bar.total for bar in self._bars)
        plot.setXRange(0, longest * _COUNT_ROOM[has_two], padding=0)
        plot.setYRange(-0.5, max(len(places), 1) - 0.5, padding=0)
        self._name()

    def _tick(self, place: int) -> str:
        bar = self._bars[place]
        sign = "\u2713 " if bar.is_chosen else ""
        cursor = "\u203a " if self.hasFocus() and place == self._current else ""
        room = self.fontMetrics().averageCharWidth() * 13
        return str(self.fontMetrics().elidedText(f"{cursor}{sign}{bar.label}", Qt.TextElideMode.ElideRight, room))

    def _name(self) -> None:
        current = self._bars[self._current] if self._bars else None
        self.setAccessibleName(self._title)
        if current is not None:
            state = tr("chosen") if current.is_chosen else tr("not chosen")
            self.setAccessibleDescription(named(current.label, f"{number(current.total)}, {state}"))

    # mouse and keys --------------------------------------------------------------

    def _bar_at(self, position: QPoint) -> int:
        place = round(self.getPlotItem().vb.mapSceneToView(self.mapToScene(position)).y())
        return int(place) if 0 <= place < len(self._bars) else -1

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Choose the bar below the mouse."""
        place = self._bar_at(event.position().toPoint())
        if event.button() is Qt.MouseButton.LeftButton and place >= 0:
            self._current = place
            self.chosen.emit(place)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take the focus, and nothing to drag."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Show that a bar can be clicked."""
        place = self._bar_at(event.position().toPoint())
        if place != self._hovered:
            self._hovered = place
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if place >= 0 else Qt.CursorShape.ArrowCursor)
            bar = self._bars[place] if place >= 0 else None
            self.setToolTip(
                ""
                if bar is None
                else tr("{label}: {count}. Click to filter.", label=bar.label, count=number(bar.total))
            )

    def wheelEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to the area around."""
        event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Up and down move, space chooses."""
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Up if self._bars:
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                self._current = min(max(self._current + step, 0), len(self._bars) - 1)
                self._draw()
            case Qt.Key.Key_Space | Qt.Key.Key_Return if self._bars:
                self.chosen.emit(self._current)
            case _:
                event.ignore()

    def focusInEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        super().focusInEvent(event)
        self._draw()

    def focusOutEvent(self, event: Any) -> None:  # noqa: N802 - Qt's name
        super().focusOutEvent(event)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Other colours, another size of text."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_axis"):
            self._draw()


def _bars(places: Sequence[int], widths: Sequence[int], colours: Sequence[QColor]) -> pg.BarGraphItem:
    return pg.BarGraphItem(x0=0, y=list(places), height=0.62, width=list(widths), brushes=list(colours), pen=None)


def _faded(colour: QColor) -> QColor:
    faded = QColor(colour)
    faded.setAlphaF(0.45)
    return faded
