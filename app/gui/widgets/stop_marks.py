"""The strip above the slider of a series."""

from collections.abc import Iterator

from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from app.gui.text import tr
from app.gui.widgets.image_view import FOUND, MASK


class StopMarks(QWidget):
    """Which pictures were looked at, and on which there is text."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(8)
        self.setToolTip(tr("Below in blue: looked at. Above in amber: text was found."))
        self._count = 0
        self._visited: frozenset[int] = frozenset()
        self._found: frozenset[int] = frozenset()

    def show_marks(self, count: int, visited: set[int], found: frozenset[int]) -> None:
        """Other marks."""
        marks = count, frozenset(visited), found
        if marks != (self._count, self._visited, self._found):
            self._count, self._visited, self._found = marks
            self.update()

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Two lines of marks."""
        painter = QPainter(self)
        painter.fillRect(0, 5, self.width(), 3, self.palette().color(QPalette.ColorRole.Mid))
        width = self.width() / max(1, self._count)
        for numbers, top, height, colour in ((self._visited, 5, 3, MASK), (self._found, 0, 4, FOUND)):
            for first, last in _runs(numbers):
                left = round(first * width)
                painter.fillRect(left, top, max(2, round((last + 1) * width) - left), height, colour)


def _runs(numbers: frozenset[int]) -> Iterator[tuple[int, int]]:
    """First and last of each stretch without a gap."""
    first = last = -2
    for number in sorted(numbers):
        if number != last + 1:
            if last >= 0:
                yield first, last
            first = number
        last = number
    if last >= 0:
        yield first, last
