"""The contact sheet: a card for each series, only those in sight ever painted or asked for a thumbnail."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from app.gui.models.contact_sheet import ITEM_ROLE, ContactSheetModel, facts_of, state_of, title_of
from app.gui.text import tr
from app.gui.widgets.image_states import STATE_SIGNS
from app.gui.widgets.parts import scaled
from app.gui.widgets.picture_canvas import BACKGROUND
from app.gui.widgets.tints import Tint, tint
from app.review.worklist import WorkItem

THUMBNAIL_PX = 320
_ASK_MS = 60  # after scrolling stood still for so long
_GAP, _PADDING = 12, 10

_Index = QModelIndex | QPersistentModelIndex


class ContactSheet(QListView):
    """A grid of cards; Enter or a double click opens one."""

    opened = Signal(object)  # WorkItem
    thumbnails_wanted = Signal(list)  # original locators, of what is in sight

    def __init__(self, model: ContactSheetModel) -> None:
        super().__init__()
        self._sheet = model
        self.setModel(model)
        self.setItemDelegate(_CardPainter(self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.verticalScrollBar().setSingleStep(40)
        self.setMouseTracking(True)
        self.viewport().setAutoFillBackground(False)
        self.setAccessibleName(tr("Series, riskiest first"))
        self.activated.connect(lambda index: self.opened.emit(index.data(ITEM_ROLE)))
        self._asking = QTimer(self)
        self._asking.setSingleShot(True)
        self._asking.setInterval(_ASK_MS)
        self._asking.timeout.connect(self._ask)
        self.verticalScrollBar().valueChanged.connect(lambda _: self._asking.start())
        model.modelReset.connect(self._asking.start)

    def ask_again(self) -> None:
        """Ask for the thumbnails that are in sight and not there."""
        self._asking.start()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Cards fill the width."""
        room = self.viewport().width() - 2
        wanted = max(200, 18 * self.fontMetrics().averageCharWidth() + 104)
        columns = max(1, room // wanted)
        width = room // columns
        self.setGridSize(QSize(width, card_height(self, width)))
        super().resizeEvent(event)
        self._asking.start()

    def _ask(self) -> None:
        first = self.indexAt(QPoint(_GAP, _GAP)).row()
        grid = self.gridSize()
        columns = max(1, self.viewport().width() // max(1, grid.width()))
        rows = self.viewport().height() // max(1, grid.height()) + 3
        start = max(0, first)
        in_sight = self._sheet.items[start : start + rows * columns]
        wanted = [item.original_locator for item in in_sight if self._sheet.lacks_thumbnail(item.original_locator)]
        self.thumbnails_wanted.emit(wanted)


def card_height(view: QListView, width: int) -> int:
    """Of a card this wide: a picture of 4:3, and three lines."""
    return round((width - _GAP) * 0.72) + 3 * (view.fontMetrics().height() + 3) + 2 * _PADDING + _GAP


class _CardPainter(QStyledItemDelegate):
    def __init__(self, view: QListView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self, _: QStyleOptionViewItem, __: _Index) -> QSize:  # noqa: N802 - Qt's name
        return self._view.gridSize()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        item: WorkItem | None = index.data(ITEM_ROLE)
        if item is None:
            return
        palette: QPalette = option.palette  # type: ignore[attr-defined]  # the stubs lack the fields of the option
        state: QStyle.StateFlag = option.state  # type: ignore[attr-defined]
        area: QRect = option.rect  # type: ignore[attr-defined]
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        card = area.adjusted(_GAP // 2, _GAP // 2, -_GAP // 2, -_GAP // 2)
        is_chosen = bool(state & QStyle.StateFlag.State_Selected)
        is_under_mouse = bool(state & QStyle.StateFlag.State_MouseOver)
        line = palette.color(QPalette.ColorRole.Mid)
        if is_chosen or is_under_mouse:
            line = palette.color(QPalette.ColorRole.Accent)
        painter.setPen(QPen(line, 2 if is_chosen else 1))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(card, 8, 8)
        lines = 3 * (self._view.fontMetrics().height() + 3) + 2 * _PADDING
        picture = card.adjusted(2, 2, -2, -lines)
        self._paint_picture(painter, picture, index.data(Qt.ItemDataRole.DecorationRole), item)
        self._paint_texts(painter, card.adjusted(_PADDING, picture.height() + _PADDING, -_PADDING, 0), palette, item)
        painter.restore()

    def _paint_picture(self, painter: QPainter, area: QRect, pixmap: QPixmap | None, item: WorkItem) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(BACKGROUND)
        painter.drawRoundedRect(area, 6, 6)
        if pixmap is not None and not pixmap.isNull():
            size = pixmap.size().scaled(area.size(), Qt.AspectRatioMode.KeepAspectRatio)
            target = QRect(QPoint(0, 0), size)
            target.moveCenter(area.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(target, pixmap)
        else:
            painter.setPen(QColor("#8d949d"))
            model = self._view.model()
            waits = isinstance(model, ContactSheetModel) and model.lacks_thumbnail(item.original_locator)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "\u2026" if waits else tr("No picture"))

    def _paint_texts(self, painter: QPainter, area: QRect, palette: QPalette, item: WorkItem) -> None:
        height = self._view.fontMetrics().height() + 3
        sign, which = STATE_SIGNS[item.state]
        if item.todo and not item.card.waiting:
            sign, which = "\u25c9", Tint.WARN
        lines = (
            (title_of(item), palette.color(QPalette.ColorRole.Text), True),
            (f"{sign}  {state_of(item)}", tint(palette, which), False),
            (facts_of(item), tint(palette, Tint.QUIET), False),
        )
        for number, (text, colour, bold) in enumerate(lines):
            painter.setFont(scaled(self._view.font(), 1.0, bold=bold))
            painter.setPen(colour)
            shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, area.width())
            place = QRect(area.left(), area.top() + number * height, area.width(), height)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, shown)
