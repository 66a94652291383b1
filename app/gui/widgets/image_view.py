"""One picture under a person's hands, with the found text on it and the masks drawn over it.

A widget that paints by itself, not a pyqtgraph view: boxes with handles, labels outside of what they name and one
meaning for each mouse button are less code than teaching another toolkit's items the same.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QBrush,
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QWheelEvent,
)

from app.gui.widgets.picture_canvas import PictureCanvas, sheer
from app.pixels.boxes import Box

# Readable on black and on white.
FOUND, MASK, CHOSEN = QColor("#ffb020"), QColor("#4da3ff"), QColor("#ffffff")
_HANDLE_PX = 9
_REACH_PX = 8  # how far off a handle may still be taken
_SMALLEST_PX = 4  # of a drawn box on the screen: less was a click
# Dragging 250 px moves the window by its own width, or makes it e times as wide.
_WINDOW_DRAG_PX = 250.0
_SETTLE_MS = 400


class Tool(Enum):
    """What the left button does; the right one always changes the window, the middle one moves the picture."""

    MASK = auto()
    WINDOW = auto()
    MOVE = auto()


class _Drag(Enum):
    DRAW = auto()
    SHIFT = auto()
    RESIZE = auto()
    WINDOW = auto()
    PAN = auto()


@dataclass(frozen=True, slots=True)
class FoundBox:
    """A place with text; ``is_strong`` ones are drawn in one piece, the others dashed.

    One that is not ``is_named`` has its words in another one's label.
    """

    box: Box
    original_label: str = field(repr=False)
    is_strong: bool
    is_named: bool = True


@dataclass(frozen=True, slots=True)
class MaskBox:
    """A mask with what it is meant for, in words."""

    box: Box
    label: str


class ImageView(PictureCanvas):
    """Shows a picture; boxes are in its stored pixels. What people do to them is told by signals and nothing else."""

    mask_drawn = Signal(object)  # Box
    mask_changed = Signal(int, object)  # index, Box
    mask_chosen = Signal(int)  # index, -1 for none
    found_taken = Signal(int)  # index of a found box that was double-clicked
    window_dragged = Signal(float, float)  # by how many of its widths the centre moves; by what the width is multiplied
    window_settled = Signal()
    stepped = Signal(int)  # by so many pictures

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.tool = Tool.MASK
        self._found: tuple[FoundBox, ...] = ()
        self._masks: list[MaskBox] = []
        self._chosen = -1
        self._highlighted = self._hovered = -1
        self._shows_boxes, self._is_editable, self._frame_colour = True, True, QColor()
        self._drag: _Drag | None = None
        self._press = self._last = QPointF(0, 0)
        self._before: Box | None = None
        self._edges = (0, 0)
        self._drawn: Box | None = None
        self._wheel = 0
        self._settling = QTimer(self)
        self._settling.setSingleShot(True)
        self._settling.setInterval(_SETTLE_MS)
        self._settling.timeout.connect(self._tell_nudged)

    # what is shown ------------------------------------------------------------

    @property
    def is_editable(self) -> bool:
        """Whether masks can be drawn."""
        return self._is_editable

    def set_boxes(self, found: Sequence[FoundBox], masks: Sequence[MaskBox], *, chosen: int = -1) -> None:
        """What was found, and what was drawn; ``chosen`` is the mask to have handles. Call ``settle`` before."""
        self._found, self._masks = tuple(found), list(masks)
        self._chosen = chosen if 0 <= chosen < len(masks) else -1
        self._highlighted = self._highlighted if self._highlighted < len(found) else -1
        self._hovered = -1
        self.update()

    def set_mode(
        self, *, shows_boxes: bool, is_editable: bool, frame: QColor | None = None, is_dimmed: bool = False
    ) -> None:
        """Whether boxes are shown and can be changed, the colour of a frame around it all, and whether it is dimmed."""
        self._is_dimmed = is_dimmed
        self._shows_boxes, self._is_editable = shows_boxes, is_editable
        self._frame_colour = frame or QColor()
        self.update()

    def highlight(self, index: int) -> None:
        """Fill one of the found boxes, so that the eye goes there; -1 for none."""
        self._highlighted = index
        self.update()

    @property
    def chosen(self) -> int:
        """The index of the mask that has handles; -1 for none."""
        return self._chosen

    @property
    def is_dragging(self) -> bool:
        """Whether the mouse holds a mask: other boxes must wait."""
        return self._drag in (_Drag.SHIFT, _Drag.RESIZE)

    @property
    def is_windowing(self) -> bool:
        """Whether the mouse changes the window: the picture is coarse until it is let go."""
        return self._drag is _Drag.WINDOW

    def choose(self, index: int) -> None:
        """Give handles to a mask; -1 for none."""
        self.settle()
        index = index if 0 <= index < len(self._masks) else -1
        if index != self._chosen:
            self._chosen = index
            self.mask_chosen.emit(index)
            self.update()

    def settle(self) -> None:
        """Tell at once of a mask that is being moved by keys."""
        if self._settling.isActive():
            self._settling.stop()
            self._tell_nudged()

    # painting -----------------------------------------------------------------

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The picture, then what was found, then the masks."""
        painter = QPainter(self)
        self.paint_picture(painter)
        if self._picture is not None and self._shows_boxes:
            for index, found in enumerate(self._found):
                self._paint_found(painter, found, is_highlighted=index == self._highlighted)
            for index, mask in enumerate(self._masks):
                self._paint_mask(painter, mask, is_chosen=index == self._chosen)
            self._paint_labels(painter)
        if self._drawn is not None:
            painter.setPen(QPen(MASK, 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(QBrush(sheer(MASK, 60)))
            painter.drawRect(self._rect(self._drawn))
        if self._frame_colour.isValid():
            painter.setPen(QPen(self._frame_colour, 4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(1, 1, -2, -2))
        elif self.hasFocus():
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_found(self, painter: QPainter, found: FoundBox, *, is_highlighted: bool) -> None:
        area = self._rect(found.box).adjusted(-2, -2, 2, 2)
        style = Qt.PenStyle.SolidLine if found.is_strong else Qt.PenStyle.DashLine
        painter.setBrush(QBrush(sheer(FOUND, 70)) if is_highlighted else Qt.BrushStyle.NoBrush)
        if found.is_named:
            painter.setPen(QPen(QColor(0, 0, 0, 160), 4))
            painter.drawRect(area)
        painter.setPen(QPen(FOUND, 2 if found.is_named else 1, style))
        painter.drawRect(area)

    def _paint_mask(self, painter: QPainter, mask: MaskBox, *, is_chosen: bool) -> None:
        area = self._rect(mask.box)
        painter.setPen(QPen(CHOSEN if is_chosen else MASK, 2))
        for brush in (QBrush(QColor(10, 20, 34, 150)), QBrush(sheer(MASK, 110), Qt.BrushStyle.BDiagPattern)):
            painter.setBrush(brush)
            painter.drawRect(area)
        if is_chosen and self._is_editable:
            painter.setPen(QPen(QColor("#101418"), 1))
            painter.setBrush(QBrush(CHOSEN))
            for point, _ in self._handles(mask.box):
                half = _HANDLE_PX / 2
                painter.drawRect(QRectF(point.x() - half, point.y() - half, _HANDLE_PX, _HANDLE_PX))

    def _paint_labels(self, painter: QPainter) -> None:
        """A label where it hides nothing; those of what is chosen, highlighted or under the mouse always."""
        found = [(self._rect(one.box).adjusted(-2, -2, 2, 2), one) for one in self._found]
        taken = [area for area, _ in found] + [self._rect(mask.box) for mask in self._masks]
        for index, mask in enumerate(self._masks):
            is_wanted = index == self._chosen
            self._paint_label(painter, self._rect(mask.box), mask.label, MASK, taken, is_wanted=is_wanted)
        first = [index for index in (self._highlighted, self._hovered) if 0 <= index < len(found)]
        for index in [*dict.fromkeys(first), *(each for each in range(len(found)) if each not in first)]:
            area, one = found[index]
            if one.is_named or index in first:
                self._paint_label(painter, area, one.original_label, FOUND, taken, is_wanted=index in first)

    def _paint_label(
        self, painter: QPainter, area: QRectF, text: str, colour: QColor, taken: list[QRectF], *, is_wanted: bool
    ) -> None:
        metrics = painter.fontMetrics()
        shown = metrics.elidedText(
            text, Qt.TextElideMode.ElideRight, max(34 * metrics.averageCharWidth(), int(area.width()))
        )
        width, height = float(metrics.horizontalAdvance(shown) + 10), float(metrics.height() + 2)
        tags = [
            QRectF(min(max(0.0, left), max(0.0, self.width() - width)), top, width, height)
            for left, top in (
                (area.left(), area.top() - height - 1),
                (area.left(), area.bottom() + 2),
                (area.right() + 3, area.top()),
                (area.left() - width - 3, area.top()),
            )
        ]
        room = QRectF(self.rect())
        free = (tag for tag in tags if room.contains(tag) and not any(tag.intersects(other) for other in taken))
        tag = next(free, None)
        if tag is None:
            if not is_wanted:
                return
            tag = next((tag for tag in tags if room.contains(tag)), tags[0])
        taken.append(tag)
        painter.fillRect(tag, colour)
        painter.setPen(QColor("#101418"))
        painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, shown)

    def _rect(self, box: Box) -> QRectF:
        return QRectF(self.to_widget(box.left, box.top), self.to_widget(box.right, box.bottom))

    def _handles(self, box: Box) -> list[tuple[QPointF, tuple[int, int]]]:
        """Eight places, each with the edges that it moves: -1 left or top, 1 right or bottom, 0 neither."""
        area = self._rect(box)
        across = {-1: area.left(), 0: area.center().x(), 1: area.right()}
        down = {-1: area.top(), 0: area.center().y(), 1: area.bottom()}
        return [(QPointF(across[x], down[y]), (x, y)) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]

    # the mouse ----------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take a handle, a mask, the window or the picture."""
        self.settle()
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        if self._picture is None or self._drag is not None:
            return
        self._press = self._last = event.position()
        match event.button():
            case Qt.MouseButton.RightButton:
                self._drag = _Drag.WINDOW
            case Qt.MouseButton.MiddleButton:
                self._drag = _Drag.PAN
            case Qt.MouseButton.LeftButton:
                self._drag = self._take(event.position())
        self._show_cursor(event.position())

    def _take(self, place: QPointF) -> _Drag | None:
        if self._is_editable and self._shows_boxes:
            edges = self._edges_at(place)
            if edges is not None:
                self._edges, self._before = edges, self._masks[self._chosen].box
                return _Drag.RESIZE
            index = self._mask_at(place)
            if index >= 0:
                self.choose(index)
                self._before = self._masks[index].box
                return _Drag.SHIFT
        match self.tool:
            case Tool.WINDOW:
                return _Drag.WINDOW
            case Tool.MOVE:
                return _Drag.PAN
            case Tool.MASK:
                self.choose(-1)
                return _Drag.DRAW if self._is_editable else None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Go on with what was taken."""
        place = event.position()
        step, self._last = place - self._last, place
        match self._drag:
            case _Drag.WINDOW:
                self.window_dragged.emit(step.y() / _WINDOW_DRAG_PX, math.exp(step.x() / _WINDOW_DRAG_PX))
            case _Drag.PAN:
                self.move_by(step)
            case _Drag.DRAW:
                self._drawn = self._box_between(self._press, place)
            case _Drag.SHIFT | _Drag.RESIZE:
                self._follow(place)
            case None:
                self._show_cursor(place)
                hovered = self._found_at(place)
                if hovered == self._hovered:
                    return
                self._hovered = hovered
        self.update()

    def _follow(self, place: QPointF) -> None:
        assert self._before is not None
        moved = (place - self._press) * (1 / self._scale)
        if self._drag is _Drag.SHIFT:
            box = self._shifted(self._before, round(moved.x()), round(moved.y()))
        else:
            box = self._resized(self._before, round(moved.x()), round(moved.y()), self._edges)
        self._masks[self._chosen] = replace(self._masks[self._chosen], box=box)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Tell what became of it."""
        drag, self._drag = self._drag, None
        box, self._drawn = self._drawn, None
        match drag:
            case _Drag.DRAW if box is not None:
                if min(box.right - box.left, box.bottom - box.top) * self._scale >= _SMALLEST_PX:
                    self.mask_drawn.emit(box)
            case _Drag.SHIFT | _Drag.RESIZE if self._chosen >= 0:
                changed = self._masks[self._chosen].box
                if changed != self._before:
                    self.mask_changed.emit(self._chosen, changed)
                else:
                    self.mask_chosen.emit(self._chosen)  # it was held, so what was to be shown had to wait
            case _Drag.WINDOW:
                self.window_settled.emit()
        self._before = None
        self._show_cursor(event.position())
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """A double click on found text takes it."""
        if event.button() is Qt.MouseButton.LeftButton and self._shows_boxes and self._is_editable:
            index = self._found_at(event.position())
            if index >= 0:
                self.found_taken.emit(index)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Through the pictures; with Ctrl nearer and farther."""
        delta = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_about(event.position(), delta / 120)
        else:
            # Fine wheels and touch pads send parts of a step.
            self._wheel += delta
            steps = int(self._wheel / 120)
            self._wheel -= steps * 120
            if steps:
                self.stepped.emit(-steps)
        event.accept()

    def _found_at(self, place: QPointF) -> int:
        """The smallest found box there; -1 for none."""
        hits = (i for i, one in enumerate(self._found) if self._rect(one.box).adjusted(-3, -3, 3, 3).contains(place))
        return min(hits, key=lambda index: _area(self._found[index].box), default=-1)

    def _mask_at(self, place: QPointF) -> int:
        hits = [index for index, mask in enumerate(self._masks) if self._rect(mask.box).contains(place)]
        if self._chosen in hits:
            return self._chosen
        return min(hits, key=lambda index: _area(self._masks[index].box), default=-1)

    def _edges_at(self, place: QPointF) -> tuple[int, int] | None:
        if not 0 <= self._chosen < len(self._masks):
            return None
        distances = [
            (math.hypot(point.x() - place.x(), point.y() - place.y()), edges)
            for point, edges in self._handles(self._masks[self._chosen].box)
        ]
        distance, edges = min(distances)
        return edges if distance <= _REACH_PX else None

    def _show_cursor(self, place: QPointF) -> None:
        self.setCursor(self._cursor_at(place))

    def _cursor_at(self, place: QPointF) -> Qt.CursorShape:
        shapes = {_Drag.WINDOW: Qt.CursorShape.SizeAllCursor, _Drag.PAN: Qt.CursorShape.ClosedHandCursor}
        if self._drag in shapes:
            return shapes[self._drag]
        if self._picture is None:
            return Qt.CursorShape.ArrowCursor
        if self._is_editable and self._shows_boxes:
            edges = self._edges_at(place)
            if edges is not None:
                return _EDGE_CURSORS[edges]
            if self._mask_at(place) >= 0:
                return Qt.CursorShape.OpenHandCursor
        return _TOOL_CURSORS[self.tool]

    # the keyboard -------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Arrows move the chosen mask (with Shift: its lower right corner; with Ctrl: farther), or the pictures."""
        key = Qt.Key(event.key())
        if key in _ARROWS and 0 <= self._chosen < len(self._masks) and self._is_editable:
            reach = 10 if event.modifiers() & Qt.KeyboardModifier.ControlModifier else 1
            across, down = (step * reach for step in _ARROWS[key])
            self._nudge(across, down, resize=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key in _STEPS:
            self.stepped.emit(_STEPS[key])
        else:
            super().keyPressEvent(event)

    def _nudge(self, across: int, down: int, *, resize: bool) -> None:
        box = self._masks[self._chosen].box
        box = self._resized(box, across, down, (1, 1)) if resize else self._shifted(box, across, down)
        self._masks[self._chosen] = replace(self._masks[self._chosen], box=box)
        self._settling.start()
        self.update()

    def _tell_nudged(self) -> None:
        if 0 <= self._chosen < len(self._masks):
            self.mask_changed.emit(self._chosen, self._masks[self._chosen].box)

    # boxes --------------------------------------------------------------------

    def middle_box(self) -> Box | None:
        """A box in the middle of what is seen, for those who draw with keys."""
        if self._picture is None:
            return None
        middle = QPointF(self.width() / 2, self.height() / 2)
        half = QPointF(self.width() / 10, self.height() / 16)
        return self._box_between(middle - half, middle + half)

    def _box_between(self, one: QPointF, other: QPointF) -> Box | None:
        """Every pixel that the rectangle touches, within the matrix."""
        assert self._picture is not None
        a, b = self.to_image(one), self.to_image(other)
        left, right = sorted((a.x(), b.x()))
        top, bottom = sorted((a.y(), b.y()))
        edges = max(0, math.floor(top)), max(0, math.floor(left)), math.ceil(bottom), math.ceil(right)
        if edges[2] <= edges[0] or edges[3] <= edges[1]:
            return None
        return Box(*edges).clipped(self._picture.rows, self._picture.columns)

    def _shifted(self, box: Box, across: int, down: int) -> Box:
        assert self._picture is not None
        across = min(max(across, -box.left), max(0, self._picture.columns - box.right))
        down = min(max(down, -box.top), max(0, self._picture.rows - box.bottom))
        return replace(
            box, left=box.left + across, right=box.right + across, top=box.top + down, bottom=box.bottom + down
        )

    def _resized(self, box: Box, across: int, down: int, edges: tuple[int, int]) -> Box:
        assert self._picture is not None
        top, left, bottom, right = box.top, box.left, box.bottom, box.right
        if edges[0] < 0:
            left = min(max(0, left + across), right - 1)
        elif edges[0] > 0:
            right = max(min(self._picture.columns, right + across), left + 1)
        if edges[1] < 0:
            top = min(max(0, top + down), bottom - 1)
        elif edges[1] > 0:
            bottom = max(min(self._picture.rows, bottom + down), top + 1)
        return replace(box, top=top, left=left, bottom=bottom, right=right)


_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}
_FAR = 1 << 30
_STEPS = {
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Right: 1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_PageUp: -10,
    Qt.Key.Key_PageDown: 10,
    Qt.Key.Key_Home: -_FAR,
    Qt.Key.Key_End: _FAR,
}
_TOOL_CURSORS = {
    Tool.MASK: Qt.CursorShape.CrossCursor,
    Tool.WINDOW: Qt.CursorShape.ArrowCursor,
    Tool.MOVE: Qt.CursorShape.OpenHandCursor,
}
_FALLING, _RISING = Qt.CursorShape.SizeFDiagCursor, Qt.CursorShape.SizeBDiagCursor
_EDGE_CURSORS = {
    (-1, -1): _FALLING,
    (1, 1): _FALLING,
    (-1, 1): _RISING,
    (1, -1): _RISING,
    (-1, 0): Qt.CursorShape.SizeHorCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    (0, -1): Qt.CursorShape.SizeVerCursor,
    (0, 1): Qt.CursorShape.SizeVerCursor,
}


def _area(box: Box) -> int:
    return (box.right - box.left) * (box.bottom - box.top)
