"""The series of the contact sheet as a Qt model, with thumbnails as they come."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage, QPixmap

from app.gui.checklist import counted, number
from app.gui.text import tr
from app.pixels.rendering import Image
from app.review.worklist import WorkItem
from app.text.image_risks import IMAGE_RISKS
from app.text.image_words import IMAGE_STATES

ITEM_ROLE = Qt.ItemDataRole.UserRole
_THUMBNAILS_KEPT = 600  # of 100 KB; more than fit on any screen

_Index = QModelIndex | QPersistentModelIndex


class ContactSheetModel(QAbstractListModel):
    """Rows are ``WorkItem``s."""

    def __init__(self) -> None:
        super().__init__()
        self._items: list[WorkItem] = []
        # None is one that can't be looked at.
        self._thumbnails: OrderedDict[str, QPixmap | None] = OrderedDict()

    @property
    def items(self) -> Sequence[WorkItem]:
        """What is shown."""
        return self._items

    def show_items(self, items: Sequence[WorkItem]) -> None:
        """Show these instead."""
        self.beginResetModel()
        self._items = list(items)
        self.endResetModel()

    def replace_item(self, item: WorkItem) -> None:
        """Another state of a series that is shown."""
        for row, shown in enumerate(self._items):
            if shown.card.series_id == item.card.series_id:
                self._items[row] = item
                self.dataChanged.emit(self.index(row), self.index(row))

    def row_of(self, series_id: int) -> int:
        """Where a series is; -1 where it is not shown."""
        return next((row for row, item in enumerate(self._items) if item.card.series_id == series_id), -1)

    def lacks_thumbnail(self, original_locator: str) -> bool:
        """Whether nobody gave one yet."""
        return original_locator not in self._thumbnails

    def set_thumbnail(self, original_locator: str, image: Image | None) -> None:
        """A picture, or None for a file that can't be looked at."""
        self._thumbnails[original_locator] = None if image is None else _pixmap(image)
        while len(self._thumbnails) > _THUMBNAILS_KEPT:
            self._thumbnails.popitem(last=False)
        for row, item in enumerate(self._items):
            if item.original_locator == original_locator:
                self.dataChanged.emit(self.index(row), self.index(row), [Qt.ItemDataRole.DecorationRole])

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: N802, B008 - Qt's name and Qt's default
        """As many as there are series."""
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The item, its thumbnail, and its texts for readers of the screen."""
        if not 0 <= index.row() < len(self._items):
            return None
        item = self._items[index.row()]
        match role:
            case Qt.ItemDataRole.UserRole:
                return item
            case Qt.ItemDataRole.DecorationRole:
                return self._thumbnails.get(item.original_locator)
            case Qt.ItemDataRole.DisplayRole:
                return title_of(item)
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join((title_of(item), state_of(item), facts_of(item)))
            case Qt.ItemDataRole.ToolTipRole:
                return "\n".join((title_of(item), facts_of(item), tr(IMAGE_RISKS.get(item.card.risk, ""))))
        return None


def title_of(item: WorkItem) -> str:
    """What the series is."""
    return " \u00b7 ".join(part for part in (item.card.modality, item.card.original_description) if part) or tr(
        "No description"
    )


def state_of(item: WorkItem) -> str:
    """Where it stands, in words."""
    if item.todo:
        if not item.card.waiting:
            return tr("Random check, {count} to look at", count=number(item.audit))
        return tr("{state}, {count} to look at", state=tr(IMAGE_STATES[item.state]), count=number(item.todo))
    return tr(IMAGE_STATES[item.state])


def facts_of(item: WorkItem) -> str:
    """How many images, and what was found on them."""
    card = item.card
    images = counted(card.images, "{count} image", "{count} images")
    parts = [images] if card.images > 1 else []
    if card.found:
        parts.append(counted(card.found, "{count} text", "{count} texts"))
    if card.possible:
        parts.append(counted(card.possible, "{count} unsure text", "{count} unsure texts"))
    return " \u00b7 ".join(parts) or images


def _pixmap(image: Image) -> QPixmap:
    rows, columns = image.shape[:2]
    form = QImage.Format.Format_Grayscale8 if image.ndim == 2 else QImage.Format.Format_RGB888
    return QPixmap.fromImage(QImage(image.data, columns, rows, image.strides[0], form))
