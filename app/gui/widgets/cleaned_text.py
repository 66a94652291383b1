"""Paints a text of which words were taken out: those struck through, the others as they are."""

from typing import Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, Qt
from PySide6.QtGui import QPainter, QPalette, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QApplication, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.deid.comparison import Piece
from app.gui.widgets.parts import CELL_PX
from app.gui.widgets.tints import Tint, tint


class CleanedTextDelegate(QStyledItemDelegate):
    """Expects the pieces of the text in ``Qt.ItemDataRole.UserRole``; without any, paints as usual."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """One line; what does not fit is cut off at the right."""
        pieces: tuple[Piece, ...] = index.data(Qt.ItemDataRole.UserRole) or ()
        if not pieces:
            super().paint(painter, option, index)
            return
        shown: Any = QStyleOptionViewItem(option)  # the stubs know none of its fields
        self.initStyleOption(shown, index)
        shown.text = ""
        style = shown.widget.style() if shown.widget else QApplication.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, shown, painter, shown.widget)
        is_selected = bool(shown.state & QStyle.StateFlag.State_Selected)
        layout = _layout(pieces, shown, is_selected)
        margin = style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1 + CELL_PX
        rect = shown.rect.adjusted(margin, 0, -margin, 0)
        painter.save()
        painter.setClipRect(rect)
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        painter.setPen(shown.palette.color(role))
        top = rect.top() + (rect.height() - layout.boundingRect().height()) / 2
        layout.draw(painter, QPointF(rect.left(), top))
        painter.restore()


def _layout(pieces: tuple[Piece, ...], option: Any, is_selected: bool) -> QTextLayout:
    text = "".join(piece.original_text for piece in pieces).replace("\r", " ").replace("\n", " ")
    ranges = []
    start = 0
    for piece in pieces:
        if not piece.is_kept:
            gone = QTextCharFormat()
            gone.setFontStrikeOut(True)
            if not is_selected:
                gone.setForeground(tint(option.palette, Tint.GONE))
            part: Any = QTextLayout.FormatRange()
            part.start, part.length, part.format = start, len(piece.original_text), gone
            ranges.append(part)
        start += len(piece.original_text)
    layout = QTextLayout(text, option.font)
    layout.setFormats(ranges)
    wrapping = QTextOption()
    wrapping.setWrapMode(QTextOption.WrapMode.NoWrap)
    layout.setTextOption(wrapping)
    layout.beginLayout()
    line = layout.createLine()
    line.setLineWidth(100_000)
    layout.endLayout()
    return layout
