"""Colours of meaning, readable (WCAG AA) on the light and on the dark background. A sign or a word is always beside."""

from enum import Enum

from PySide6.QtGui import QColor, QPalette


class Tint(Enum):
    """Light and dark shade."""

    GOOD = ("#1a6e3c", "#7fd6a0")
    CHANGED = ("#1f5fa8", "#8cbcf2")
    GONE = ("#a3262a", "#f29a98")
    WARN = ("#8a5300", "#f0bf73")
    QUIET = ("#5b6068", "#b0b6be")


def tint(palette: QPalette, which: Tint) -> QColor:
    """The shade that is readable on the palette's base."""
    return QColor(which.value[palette.color(QPalette.ColorRole.Base).lightness() < 128])
