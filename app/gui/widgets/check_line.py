"""A line of the checklist on the sign-off page."""

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QToolButton

from app.gui.checklist import PAGES, SIGNS, STANDINGS, TITLES, check_sentence
from app.gui.text import tr
from app.gui.widgets.parts import text_label, tinted
from app.gui.widgets.tints import Tint
from app.pipeline.overview import Check, CheckItem, Standing

_TINTS = {
    Standing.DONE: Tint.GOOD,
    Standing.TO_DO: Tint.WARN,
    Standing.OPTIONAL: Tint.CHANGED,
    Standing.STALE: Tint.GONE,
}


class CheckLine(QObject):
    """One line of the checklist: sign and word of its standing, title, sentence, and the way to its page."""

    def __init__(self, grid: QGridLayout, line: int, item: CheckItem, go_to: Callable[[str], object]) -> None:
        super().__init__(grid)
        self._item = item
        self._standing = text_label(wrap=False)
        self._title = text_label(tr(TITLES[item]), wrap=False)
        self._sentence = text_label()
        self._sentence.setForegroundRole(QPalette.ColorRole.Text)
        grid.addWidget(self._standing, line, 0)
        grid.addWidget(self._title, line, 1)
        grid.addWidget(self._sentence, line, 2)
        self._standing.setMinimumWidth(
            self._standing.fontMetrics().horizontalAdvance("\u21bb " + tr("out of date") + " ")
        )
        page = PAGES[item]
        self.go = QToolButton()
        if page:
            name = tr("Go to: {title}", title=tr(TITLES[item]))
            go = self.go
            go.setText("\u2192")
            go.setToolTip(name)
            go.setAccessibleName(name)
            go.setAutoRaise(True)
            go.clicked.connect(lambda _: go_to(page))
            grid.addWidget(go, line, 3)

    def show_check(self, check: Check) -> None:
        """Show how it stands."""
        self._standing.setText(f"{SIGNS[check.standing]} {tr(STANDINGS[check.standing])}")
        tinted(self._standing, _TINTS[check.standing])
        self._sentence.setText(check_sentence(check))

    def clear(self) -> None:
        """Show nothing."""
        self._standing.setText("")
        self._sentence.setText("")
