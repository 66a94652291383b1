"""One picture in a widget: zoomed, moved, painted from the level that suits the zoom."""

from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.review.viewing import Picture

# Images are judged on black, whatever the theme.
BACKGROUND = QColor("#0d0f12")
_ZOOM_STEP, _ZOOM_MIN, _ZOOM_MAX = 1.25, 0.02, 40.0
_SMOOTH_BELOW = 3.0  # larger than that, people want to see the pixels themselves


class PictureCanvas(QWidget):
    """Shows a picture, or a sentence in its place."""

    zoomed = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.message = ""
        self._picture: Picture | None = None
        self._images: list[tuple[QImage, int]] = []
        self._scale, self._origin, self._is_fitted = 1.0, QPointF(0, 0), True
        self._is_dimmed = False

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Room for a usual image."""
        return QSize(640, 512)

    @property
    def picture(self) -> Picture | None:
        """What is shown."""
        return self._picture

    def show_picture(self, picture: Picture) -> None:
        """Another picture in the same place, or fitted where its size differs."""
        before = self._picture
        same_size = before is not None and (before.rows, before.columns) == (picture.rows, picture.columns)
        self._picture, self.message = picture, ""
        self._images = [(_qimage(image), step) for image, step in zip(picture.levels, picture.steps, strict=True)]
        if not same_size or self._is_fitted:
            self.fit()
        self.update()

    def show_message(self, message: str) -> None:
        """A sentence in place of a picture."""
        self._picture, self._images, self.message = None, [], message
        self.update()

    def show_waiting(self, message: str) -> None:
        """A sentence until the next picture, which keeps the place and the zoom of the one before."""
        self._images, self.message = [], message
        self.update()

    # zoom ---------------------------------------------------------------------

    @property
    def scale(self) -> float:
        """Screen pixels for an image pixel."""
        return self._scale

    def fit(self) -> None:
        """As large as there is room for."""
        if self._picture is not None:
            rows, columns = self._picture.rows, self._picture.columns
            self._scale = min(self.width() / columns, self.height() / rows) * 0.985
            self._origin = QPointF((self.width() - columns * self._scale) / 2, (self.height() - rows * self._scale) / 2)
        self._is_fitted = True
        self.zoomed.emit(self._scale)
        self.update()

    def zoom_to(self, scale: float, at: QPointF | None = None) -> None:
        """Zoom; the point ``at`` of the widget, or its middle, stays where it is."""
        at = QPointF(self.width() / 2, self.height() / 2) if at is None else at
        scale = min(max(scale, _ZOOM_MIN), _ZOOM_MAX)
        self._origin = at - (at - self._origin) * (scale / self._scale)
        self._scale, self._is_fitted = scale, False
        self.zoomed.emit(scale)
        self.update()

    def zoom_by_steps(self, steps: float) -> None:
        """Nearer (positive) or farther."""
        self.zoom_to(self._scale * _ZOOM_STEP**steps)

    def to_image(self, point: QPointF) -> QPointF:
        """A place of the widget in image pixels."""
        return (point - self._origin) * (1 / self._scale)

    def to_widget(self, x: float, y: float) -> QPointF:
        """A place of the image (column, row) in the widget."""
        return self._origin + QPointF(x, y) * self._scale

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Stays fitted."""
        if self._is_fitted:
            self.fit()
        super().resizeEvent(event)

    def zoom_about(self, point: QPointF, steps: float) -> None:
        """Nearer or farther, a point of the widget staying where it is."""
        self.zoom_to(self._scale * _ZOOM_STEP**steps, point)

    def move_by(self, step: QPointF) -> None:
        """Move the picture."""
        self._origin += step
        self._is_fitted = False
        self.update()

    # painting -----------------------------------------------------------------

    def paintEvent(self, _: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """The picture alone; what has more to show paints over it."""
        self.paint_picture(QPainter(self))

    def paint_picture(self, painter: QPainter) -> None:
        """The picture on its background, or the sentence."""
        painter.fillRect(self.rect(), BACKGROUND)
        self._paint_level(painter)
        if self._is_dimmed:
            painter.fillRect(self.rect(), sheer(BACKGROUND, 190))
        if self.message:
            painter.setPen(QColor("#d7dbe0"))
            area = self.rect().adjusted(40, 20, -40, -20)
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.message)

    def _paint_level(self, painter: QPainter) -> None:
        if not self._images:
            return
        # The smallest level that still has a pixel for each of the screen's.
        pixels = self._scale * self.devicePixelRatioF()
        image, step = max(
            (level for level in self._images if level[1] * pixels <= 1),
            key=lambda level: level[1],
            default=self._images[0],
        )
        smooth = step * pixels < _SMOOTH_BELOW
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        size = image.size() * step
        target = QRectF(self._origin, QPointF(size.width(), size.height()) * self._scale + self._origin)
        painter.drawImage(target, image)


def sheer(colour: QColor, alpha: int) -> QColor:
    """A colour that lets through what is below; ``alpha`` from 0 to 255."""
    made = QColor(colour)
    made.setAlpha(alpha)
    return made


def _qimage(image: Any) -> QImage:
    rows, columns = image.shape[:2]
    form = QImage.Format.Format_Grayscale8 if image.ndim == 2 else QImage.Format.Format_RGB888
    # QImage keeps no reference to the array's bytes; the picture, which does, is kept beside it.
    return QImage(image.data, columns, rows, image.strides[0], form)
