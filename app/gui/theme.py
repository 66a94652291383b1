"""Light and dark: palettes with one accent colour, and icons in the colour of their text.

Every pair of text and background here has a contrast of 4.5 to 1 at least (WCAG AA), the edge of a control has 3 to 1;
a test computes it.
"""

from dataclasses import dataclass
from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from app.files.resources import resource_path
from app.gui.widgets.tints import Tint, tint

ICON_SIZES = (16, 20, 24, 32, 48)


@dataclass(frozen=True, slots=True)
class Shades:
    """The colours of one scheme, as #rrggbb."""

    window: str
    base: str
    raised: str
    text: str
    quiet: str
    line: str
    edge: str
    accent: str
    on_accent: str
    selection: str
    on_selection: str


LIGHT = Shades(
    window="#f4f6f8",
    base="#ffffff",
    raised="#e9edf1",
    text="#1c2329",
    quiet="#5a646e",
    line="#cdd4db",
    edge="#808a94",
    accent="#0b6e75",
    on_accent="#ffffff",
    selection="#cfe8ea",
    on_selection="#10282b",
)
DARK = Shades(
    window="#181c20",
    base="#21262b",
    raised="#2b3238",
    text="#e6eaee",
    quiet="#a3adb7",
    line="#3d464e",
    edge="#76828d",
    accent="#5ec9d1",
    on_accent="#06282b",
    selection="#1d4a4f",
    on_selection="#e9f7f8",
)


def shades(*, dark: bool) -> Shades:
    """The colours of a scheme."""
    return DARK if dark else LIGHT


def make_palette(colours: Shades) -> QPalette:
    """The palette of a scheme."""
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in (
        (role.Window, colours.window),
        (role.WindowText, colours.text),
        (role.Base, colours.base),
        (role.AlternateBase, colours.window),
        (role.Text, colours.text),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.PlaceholderText, colours.quiet),
        (role.BrightText, colours.text),
        (role.Link, colours.accent),
        (role.LinkVisited, colours.accent),
        (role.Highlight, colours.selection),
        (role.HighlightedText, colours.on_selection),
        (role.Accent, colours.accent),
        (role.Light, colours.raised),
        (role.Midlight, colours.line),
        (role.Mid, colours.line),
        (role.Dark, colours.line),
        (role.Shadow, colours.line),
    ):
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(colours.quiet))
    return palette


def style_sheet(colours: Shades) -> str:
    """What a palette can't say. Sizes are in em or small fixed pixels, so that text at 200 % fits."""
    palette = make_palette(colours)
    tints = " ".join(f'QLabel[tint="{one.name}"] {{ color: {tint(palette, one).name()}; }}' for one in Tint)
    arrow = resource_path("icons/down.svg").as_posix()  # of a grey that is seen in both schemes
    return f"""
    QFrame#card, QFrame#problems {{ border: 1px solid {colours.line}; border-radius: 8px; background: {colours.base}; }}
    QFrame#nav {{ background: {colours.raised}; border: none; border-right: 1px solid {colours.line}; }}
    QFrame#strip {{ background: {colours.base}; border: none; border-top: 1px solid {colours.line}; }}
    QFrame#toast {{ background: {colours.text}; border-radius: 8px; }}
    QFrame#toast QLabel {{ color: {colours.window}; background: transparent; }}
    QPushButton {{ padding: 6px 14px; border: 1px solid {colours.edge}; border-radius: 6px;
        background: {colours.base}; }}
    QPushButton:hover {{ border-color: {colours.accent}; }}
    QPushButton:pressed {{ background: {colours.raised}; }}
    QPushButton:checked {{
        background: {colours.selection}; color: {colours.on_selection}; border-color: {colours.accent}; }}
    QPushButton:focus {{ border: 2px solid {colours.accent}; padding: 5px 13px; }}
    QPushButton:disabled {{ color: {colours.quiet}; background: {colours.window}; border-color: {colours.line}; }}
    QPushButton:default, QPushButton#primary {{
        background: {colours.accent}; color: {colours.on_accent}; border-color: {colours.accent}; font-weight: 600; }}
    QPushButton#primary:disabled {{
        background: {colours.raised}; color: {colours.quiet}; border-color: {colours.line}; }}
    QPushButton#step {{ text-align: left; border: 1px solid transparent; background: transparent; padding: 8px 10px; }}
    QPushButton#step:hover {{ background: {colours.base}; }}
    QPushButton#step:checked {{ background: {colours.base}; border-color: {colours.line}; }}
    QPushButton#step:focus {{ border: 2px solid {colours.accent}; padding: 7px 9px; }}
    QLineEdit, QComboBox, QSpinBox, QPlainTextEdit, QTextEdit {{
        padding: 5px 8px; border: 1px solid {colours.edge}; border-radius: 6px; background: {colours.base}; }}
    QComboBox::drop-down {{ border: none; width: 24px; }}
    QComboBox::down-arrow {{ image: url("{arrow}"); width: 14px; height: 14px; }}
    QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QPlainTextEdit:focus {{ border-color: {colours.accent}; }}
    QTableView, QTreeView, QListView, QTextBrowser {{
        border: 1px solid {colours.line}; border-radius: 6px; background: {colours.base};
        alternate-background-color: {colours.window}; }}
    QHeaderView::section {{ padding: 6px 8px; border: none; border-bottom: 1px solid {colours.line};
        background: {colours.window}; color: {colours.quiet}; font-weight: 600; }}
    QProgressBar {{ border: none; border-radius: 4px; background: {colours.raised}; min-height: 8px; max-height: 8px; }}
    QProgressBar::chunk {{ background: {colours.accent}; border-radius: 4px; }}
    QToolTip {{ padding: 6px; border: 1px solid {colours.line}; background: {colours.raised}; color: {colours.text}; }}
    QSplitter::handle {{ background: transparent; }}
    QScrollBar {{ border: none; background: transparent; }}
    QScrollBar:vertical {{ width: 12px; }}
    QScrollBar:horizontal {{ height: 12px; }}
    QScrollBar::handle {{ background: {colours.quiet}; border-radius: 4px; margin: 2px; }}
    QScrollBar::handle:vertical {{ min-height: 28px; }}
    QScrollBar::handle:horizontal {{ min-width: 28px; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    {tints}
    """


def apply_theme(application: QApplication, *, dark: bool) -> None:
    """Give the whole application one scheme."""
    colours = shades(dark=dark)
    application.setStyle("Fusion")
    application.setPalette(make_palette(colours))
    application.setStyleSheet(style_sheet(colours))


@lru_cache(maxsize=64)
def _source(name: str) -> str:
    return resource_path(f"icons/{name}.svg").read_text(encoding="utf-8")


def icon(name: str, colour: QColor | str) -> QIcon:
    """An icon of ``resources/icons`` in a colour, sharp at every usual size."""
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", QColor(colour).name()).encode()))
    made = QIcon()
    for size in ICON_SIZES:
        pixmap = QPixmap(QSize(size, size))
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        renderer.render(painter, QRectF(0, 0, size, size))
        painter.end()
        made.addPixmap(pixmap)
    return made
