"""A short message over the window that goes by itself: a job has ended, a decision was taken."""

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from app.gui.widgets.parts import text_label

SHOWN_MS = 6000
_MARGIN_PX = 24


class Toast(QFrame):
    """Sits at the lower right of its parent, above the strip; a press takes it away."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self._over = parent
        self._label = text_label("", wrap=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(18, 12, 18, 12)
        row.addWidget(self._label)
        self._timer = QTimer(self, singleShot=True, interval=SHOWN_MS)
        self._timer.timeout.connect(self.hide)
        parent.installEventFilter(self)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def say(self, text: str) -> None:
        """Show a message for some seconds; screen readers get it as the window's description."""
        self._label.setText(text)
        self._over.setAccessibleDescription(text)
        self._place()
        self.show()
        self.raise_()
        self._timer.start()

    def _place(self) -> None:
        self.adjustSize()
        over = self._over
        self.move(over.width() - self.width() - _MARGIN_PX, over.height() - self.height() - 4 * _MARGIN_PX)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Stay in the corner when the window's size changes."""
        if event.type() is QEvent.Type.Resize and self.isVisible():
            self._place()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, _event: object) -> None:  # noqa: N802 - Qt's name
        """Go."""
        self.hide()
