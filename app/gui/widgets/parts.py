"""The parts that pages share: a title row, a card, an empty state, a list of problems."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QAbstractItemModel, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QFont, QKeySequence, QPalette, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.checklist import number
from app.gui.text import tr
from app.gui.widgets.tints import Tint

MARGIN_PX, GAP_PX, CELL_PX = 20, 12, 6
_WIDEST_PX = 560


def scaled(font: QFont, factor: float, *, bold: bool = False) -> QFont:
    """A font relative to the one of the system, so that text at 200 % stays in proportion."""
    larger = QFont(font)
    if font.pointSizeF() > 0:
        larger.setPointSizeF(font.pointSizeF() * factor)
    if bold:
        larger.setWeight(QFont.Weight.DemiBold)
    return larger


def quiet(label: QLabel) -> QLabel:
    """A label of less weight: explanations beside what they explain."""
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def tinted(label: QLabel, which: Tint) -> None:
    """Give a label the colour of a meaning: by the style sheet, which changes it with the scheme."""
    label.setProperty("tint", which.name)
    label.style().unpolish(label)
    label.style().polish(label)


def text_label(text: str = "", *, wrap: bool = True) -> QLabel:
    """A label of plain text, never read as HTML: values may hold any sign."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(wrap)
    return label


class TitleRow(QWidget):
    """The page's title with a sentence below it, and room for buttons at the right."""

    def __init__(self, title: str, sentence: str = "") -> None:
        super().__init__()
        self._title = text_label(title)
        self._title.setFont(scaled(self.font(), 1.6, bold=True))
        self.sentence = text_label(sentence)
        self.sentence.setVisible(bool(sentence))
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(self._title)
        texts.addWidget(self.sentence)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.addLayout(texts, 1)

    def add(self, widget: QWidget) -> None:
        """Put a control at the right."""
        self._row.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)

    def say(self, sentence: str) -> None:
        """Another sentence."""
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))


class Card(QFrame):
    """A titled area of a page; put things into ``body``."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self.heading = text_label(title)
        self.heading.setFont(scaled(self.font(), 1.15, bold=True))
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(16, 14, 16, 14)
        self.body.setSpacing(8)
        self.body.addWidget(self.heading)


class EmptyState(QWidget):
    """What to do next, where there is nothing to show yet."""

    pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._head = text_label()
        self._head.setMaximumWidth(_WIDEST_PX)
        self._head.setFont(scaled(self.font(), 1.25, bold=True))
        self._head.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence = text_label()
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence.setMaximumWidth(_WIDEST_PX)
        self._button = QPushButton()
        self._button.clicked.connect(self.pressed)
        column = QVBoxLayout(self)
        column.setSpacing(GAP_PX)
        column.addStretch(2)
        for widget in (self._head, self._sentence, self._button):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignCenter)
        column.addStretch(3)

    def show_text(self, head: str, sentence: str, button: str = "") -> None:
        """What it says; without ``button`` there is nothing to press."""
        self._head.setText(head)
        self._sentence.setText(sentence)
        for label in (self._head, self._sentence):  # else a short text is broken into lines that have no room
            width = min(_WIDEST_PX, label.fontMetrics().horizontalAdvance(label.text()) + 8)
            label.setMinimumSize(width, max(label.heightForWidth(width), 0))
        self._button.setText(button)
        self._button.setAccessibleName(button)
        self._button.setVisible(bool(button))


class Problems(QFrame):
    """Problems as sentences with a next step, on the page and never in a dialog; hidden while there are none."""

    pressed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("problems")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self._text = text_label()
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        sign = text_label("\u26a0", wrap=False)
        sign.setFont(scaled(self.font(), 1.3))
        sign.setAccessibleName(tr("Problem"))
        self._button = QPushButton()
        self._button.clicked.connect(self.pressed)
        close = QToolButton()
        close.setText("\u2715")
        close.setAutoRaise(True)
        close.setAccessibleName(tr("Close this message"))
        close.setToolTip(tr("Close this message"))
        close.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.addWidget(sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    @property
    def text(self) -> str:
        """What is shown."""
        return self._text.text()

    def show_sentences(self, sentences: Sequence[str], button: str = "") -> None:
        """Show them instead of the ones before; the first dozen, and how many more."""
        shown = list(sentences[:12])
        if len(sentences) > len(shown):
            shown.append(tr("… and {count} more.", count=number(len(sentences) - len(shown))))
        self._text.setText("\n".join(shown))
        self._button.setText(button)
        self._button.setVisible(bool(button))
        self.setVisible(bool(shown))

    def clear(self) -> None:
        """Show nothing."""
        self.show_sentences(())


def plain_table(model: QAbstractItemModel, name: str) -> QTableView:
    """A table of whole rows, one line each, that leaves the Tab key to the page."""
    view = QTableView()
    view.setModel(model)
    view.setAccessibleName(name)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setAlternatingRowColors(True)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setFrameShape(QFrame.Shape.NoFrame)
    view.verticalHeader().hide()
    view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 12)
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    # With the selection of the table, painting the header asks row by row whether a column is chosen: seconds where
    # 100,000 rows are.
    header.setSelectionModel(QItemSelectionModel(model, header))
    view.setStyleSheet(f"QTableView::item {{ padding: 0 {CELL_PX}px; }}")
    return view


def key_text(keys: str) -> str:
    """Keys as this system and the language write them, such as Strg+Z; what is no shortcut stays as it is."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) or keys


def shortcut(
    keys: str | QKeySequence.StandardKey, widget: QWidget, action: Callable[[], object], *, inside: bool = True
) -> None:
    """A key that counts while ``widget`` has the focus, or with ``inside`` anything within it."""
    contexts = Qt.ShortcutContext
    made = QShortcut(QKeySequence(keys), widget)
    # Only this way: PySide6 drops a context that it gets together with a function.
    made.setContext(contexts.WidgetWithChildrenShortcut if inside else contexts.WidgetShortcut)
    made.activated.connect(action)


def relabel(made: QPushButton, text: str, keys: str = "") -> None:
    """Another text; the key is a part of what is seen, not of the accessible name."""
    made.setText(f"{text}  \u00b7  {keys}" if len(keys) == 1 else text)
    made.setAccessibleName(text.replace("&", ""))


def button(text: str, tip: str, action: Callable[[], object], *, keys: str = "") -> QPushButton:
    """A push button with a tooltip that names its key."""
    made = QPushButton()
    relabel(made, text, keys)
    made.setToolTip(f"{tip} ({key_text(keys)})" if keys else tip)
    made.setAccessibleDescription(tip)
    made.clicked.connect(lambda _checked: action())
    return made
