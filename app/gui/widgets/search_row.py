"""Tabs and a field to search in: beside each other where both are read whole, else one below the other."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QBoxLayout, QLayout, QLineEdit, QWidget

_SPACE_PX = 12
_BESIDE_TEXT_PX = 28  # of a field: its frame, and the room within


class SearchRow(QWidget):
    """``tabs`` first, then ``field``, which takes what is left but never less than its placeholder needs."""

    def __init__(self, tabs: QLayout, field: QLineEdit) -> None:
        super().__init__()
        self._tabs, self._field = tabs, field
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(_SPACE_PX)
        self._row.addLayout(tabs)
        self._row.addWidget(field, 1)

    def event(self, event: QEvent) -> bool:
        """Arrange both anew when the room or a tab's text changes."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        field = self._field.fontMetrics().horizontalAdvance(self._field.placeholderText()) + _BESIDE_TEXT_PX
        fits = self._tabs.sizeHint().width() + _SPACE_PX + field <= self.width()
        direction = QBoxLayout.Direction.LeftToRight if fits else QBoxLayout.Direction.TopToBottom
        if direction is not self._row.direction():
            self._row.setDirection(direction)
            self._row.setSpacing(_SPACE_PX if fits else _SPACE_PX // 2)
