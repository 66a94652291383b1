"""Chips: small things that can be taken away one by one, in rows that break where the room ends."""

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QLayoutItem, QSizePolicy, QToolButton, QWidget

from app.gui.text import tr
from app.gui.widgets.parts import text_label

_GAP_PX = 6


class FlowLayout(QLayout):
    """Widgets one after the other, as words in a paragraph."""

    def __init__(self) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        # Qt asks dozens of times while a page is laid out, and each item works its size out anew.
        self._heights: dict[int, int] = {}
        self._minimum: QSize | None = None
        self.setContentsMargins(0, 0, 0, 0)

    def invalidate(self) -> None:
        """Forget what is remembered of sizes: an item's has changed, or items came, went, were shown or hidden."""
        self._heights.clear()
        self._minimum = None
        super().invalidate()

    def addItem(self, item: QLayoutItem) -> None:  # noqa: N802 - Qt's name
        self._items.append(item)
        self.invalidate()

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # noqa: N802 - Qt's name
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:  # type: ignore[override]  # noqa: N802 - None ends it
        if not 0 <= index < len(self._items):
            return None
        self.invalidate()
        return self._items.pop(index)

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        return True

    def heightForWidth(self, width: int) -> int:  # noqa: N802 - Qt's name
        if width not in self._heights:
            self._heights[width] = self._place(QRect(0, 0, width, 0), moves=False)
        return self._heights[width]

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        return self.minimumSize()

    def minimumSize(self) -> QSize:  # noqa: N802 - Qt's name
        if self._minimum is None:
            self._minimum = QSize()
            for item in self._items:
                self._minimum = self._minimum.expandedTo(item.minimumSize())
        return QSize(self._minimum)

    def setGeometry(self, room: QRect) -> None:  # noqa: N802 - Qt's name
        super().setGeometry(room)
        self._place(room, moves=True)

    def _place(self, room: QRect, *, moves: bool) -> int:
        """Put the items into the room, or only say how high it has to be."""
        x, y, line = room.x(), room.y(), 0
        for item in self._items:
            widget = item.widget()
            if widget is not None and widget.isHidden():
                continue
            size = item.sizeHint().boundedTo(QSize(max(room.width(), 1), 16_777_215))
            if x > room.x() and x + size.width() > room.right() + 1:
                x, y, line = room.x(), y + line + _GAP_PX, 0
            if moves:
                item.setGeometry(QRect(QPoint(x, y), size))
            x, line = x + size.width() + _GAP_PX, max(line, size.height())
        return y + line - room.y()


class ElidedLabel(QLabel):
    """A text in one line that gives way in the middle, where a path says least."""

    def __init__(self, text: str, most_px: int) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._full, self._most_px = text, most_px
        self.setText(self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, most_px))
        self.setToolTip(text)


class Chip(QFrame):
    """A text with a sign to take it away."""

    removed = Signal()

    def __init__(self, text: str, *, most_px: int = 420, note: str = "") -> None:
        super().__init__()
        self.setObjectName("chip")
        self.text = text
        self.setStyleSheet(
            "QFrame#chip { border: 1px solid palette(mid); border-radius: 12px; background: palette(button); }"
        )
        self.close_button = QToolButton()
        self.close_button.setText("\u2715")
        self.close_button.setAutoRaise(True)
        self.close_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.close_button.setAccessibleName(tr("Take away: {what}", what=text))
        self.close_button.setToolTip(tr("Take away"))
        self.close_button.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 2, 4, 2)
        row.setSpacing(4)
        row.addWidget(ElidedLabel(text, most_px))
        if note:
            quiet_note = text_label(note, wrap=False)
            quiet_note.setEnabled(False)
            row.addWidget(quiet_note)
        row.addWidget(self.close_button)


class ChipBox(QWidget):
    """A place for chips and other small widgets that breaks into rows."""

    def __init__(self) -> None:
        super().__init__()
        self._flow = FlowLayout()
        self.setLayout(self._flow)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def add(self, widget: QWidget) -> None:
        """Put a widget behind the others."""
        self._flow.addWidget(widget)
        widget.show()
        self._fit()

    def clear(self) -> None:
        """Take all of them away."""
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._fit()

    def chips(self) -> list[Chip]:
        """The chips in it, in their order."""
        items = (self._flow.itemAt(place) for place in range(self._flow.count()))
        widgets = (item.widget() for item in items if item is not None)
        return [widget for widget in widgets if isinstance(widget, Chip)]

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep as high as the rows need: nested layouts do not ask for it."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumHeight(self._flow.heightForWidth(max(self.width(), 1)) if self._flow.count() else 0)
