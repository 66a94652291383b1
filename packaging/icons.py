"""Draws the program's icon in the sizes and formats that the systems want: ``icons.py FOLDER``."""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QGuiApplication, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer

SOURCE = Path(__file__).with_name("icon.svg")
SIZES_PX = (16, 24, 32, 48, 64, 128, 256)


def draw(size_px: int) -> Image.Image:
    """The icon as a square picture."""
    canvas = QImage(size_px, size_px, QImage.Format.Format_ARGB32)
    canvas.fill(0)
    painter = QPainter(canvas)
    QSvgRenderer(str(SOURCE)).render(painter)
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    canvas.save(buffer, "PNG")  # type: ignore[call-overload]  # its stub wants bytes, it takes text
    return Image.open(BytesIO(bytes(buffer.data().data())))


def main(folder: Path) -> None:
    """Write a PNG of each size, and the icon files of Windows and macOS."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [draw(size) for size in SIZES_PX]
    for picture in pictures:
        picture.save(folder / f"{picture.width}.png")
    pictures[-1].save(folder / "consign.ico", append_images=pictures[:-1], sizes=[(size, size) for size in SIZES_PX])
    pictures[-1].save(folder / "consign.icns")


if __name__ == "__main__":
    application = QGuiApplication(["icons", "-platform", "offscreen"])
    main(Path(sys.argv[1]))
