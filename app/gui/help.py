"""The help window: the page about what is shown, the others at the left, a search over all of them."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence, QShortcut, QTextBlockFormat, QTextCursor, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QTextBrowser, QVBoxLayout, QWidget

from app.files.resources import resource_path
from app.gui.text import language, tr
from app.gui.widgets.parts import GAP_PX, MARGIN_PX, quiet, text_label
from app.text.help_pages import load_help, pages_with

_NAME = Qt.ItemDataRole.UserRole
_SIZE = QSize(980, 680)
_LIST_WIDTH_PX = 220
_LINE_HEIGHT_PERCENT = 125.0
_PICTURE = "\ufffc"  # stands for one in a text of Qt's


class HelpWindow(QWidget):
    """Stays beside the window: it may be read while the work goes on."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(tr("Consign: help"))
        self.resize(_SIZE)
        self._pages = load_help(language())
        self.search = QLineEdit()
        self.search.setPlaceholderText(tr("Search in the help"))
        self.search.setAccessibleName(tr("Search in the help"))
        self.search.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setAccessibleName(tr("Pages of the help"))
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setStyleSheet("QListView::item { padding: 6px 8px; }")
        self._none = quiet(text_label(tr("No page has these words.")))
        self.text = QTextBrowser()
        self.text.setAccessibleName(tr("Help"))
        self.text.setOpenLinks(False)
        self.text.setSearchPaths([str(resource_path(f"help/{language()}")), str(resource_path("help"))])  # of pictures
        self.text.document().setDocumentMargin(MARGIN_PX)
        left = QVBoxLayout()
        left.setSpacing(GAP_PX)
        left.addWidget(self.search)
        left.addWidget(self._none)
        left.addWidget(self.list, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        row.setSpacing(GAP_PX)
        row.addLayout(left)
        row.addWidget(self.text, 1)
        self.search.setFixedWidth(_LIST_WIDTH_PX)
        self.list.setFixedWidth(_LIST_WIDTH_PX)
        self.list.currentItemChanged.connect(lambda: self._show(self.list.currentItem()))
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._find_next)
        QShortcut(QKeySequence("Escape"), self, self.close)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self, self.search.setFocus)
        self._filter("")

    @property
    def page_name(self) -> str:
        """The page that is shown; empty where the search finds none."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(_NAME))

    def show_page(self, name: str) -> None:
        """Show the help about a page."""
        self.search.clear()
        for line, page in enumerate(self._pages):
            if page.name == name:
                self.list.setCurrentRow(line)
        self.list.setFocus()

    def _filter(self, words: str) -> None:
        found, shown = pages_with(self._pages, words), self.page_name
        self.list.clear()
        for page in found:
            item = QListWidgetItem(page.title)
            item.setData(_NAME, page.name)
            self.list.addItem(item)
        names = [page.name for page in found]
        self.list.setCurrentRow(names.index(shown) if shown in names else 0)
        self._none.setVisible(not found)
        self._find_next()

    def _show(self, item: QListWidgetItem | None) -> None:
        name = None if item is None else item.data(_NAME)
        self.text.setMarkdown(next((page.markdown for page in self._pages if page.name == name), ""))
        spacing = QTextBlockFormat()
        spacing.setLineHeight(_LINE_HEIGHT_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        block = self.text.document().begin()
        while block.isValid():
            if _PICTURE not in block.text():  # it would get a quarter of its height below it
                QTextCursor(block).mergeBlockFormat(spacing)
            block = block.next()
        self._find_next()

    def _find_next(self) -> None:
        """Mark the next place of the first word that is searched for, from the top again after the last one."""
        words = self.search.text().split()
        if words and not self.text.find(words[0], QTextDocument.FindFlag(0)):
            self.text.moveCursor(QTextCursor.MoveOperation.Start)
            self.text.find(words[0])


def show_help(parent: QWidget, page_name: str) -> HelpWindow:
    """Show the help about a page, in the one help window that ``parent`` has."""
    window = parent.findChild(HelpWindow) or HelpWindow(parent)
    window.show_page(page_name)
    window.show()
    window.raise_()
    window.activateWindow()
    return window
