"""One page at a time, which can be scrolled where it needs more room than there is."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QStackedWidget, QWidget


class PageStack(QStackedWidget):
    """A stack of pages, each in a frame of its own that scrolls.

    Text at 200 % on a screen of 1280x800 makes some pages wider than the window: what does not fit is scrolled to, and
    the Tab key brings into view what it reaches. Without this, Qt squeezes buttons until their words are cut.
    """

    def __init__(self) -> None:
        super().__init__()
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._follow_focus)

    def addWidget(self, page: QWidget) -> int:  # noqa: N802 - Qt's name
        """Take a page."""
        frame = QScrollArea()
        frame.setFrameShape(QFrame.Shape.NoFrame)
        frame.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        frame.setWidgetResizable(True)
        frame.setWidget(page)
        return super().addWidget(frame)

    def setCurrentWidget(self, page: QWidget) -> None:  # noqa: N802 - Qt's name
        """Show a page."""
        super().setCurrentWidget(_frame_of(page))

    def currentWidget(self) -> QWidget:  # noqa: N802 - Qt's name
        """The page that is shown."""
        frame = super().currentWidget()
        assert isinstance(frame, QScrollArea)
        return frame.widget()

    @Slot(QWidget, QWidget)
    def _follow_focus(self, _: QWidget | None, now: QWidget | None) -> None:
        """Qt scrolls by itself only where the focus was in the same frame before."""
        frame = super().currentWidget()
        if now is not None and isinstance(frame, QScrollArea) and frame.isAncestorOf(now):
            frame.ensureWidgetVisible(now)


def _frame_of(page: QWidget) -> QWidget:
    viewport = page.parentWidget()
    assert viewport is not None
    frame = viewport.parentWidget()
    assert frame is not None
    return frame
