"""Which window the pictures of a series are seen through: from the file, one of the usual ones, or set by hand."""

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QComboBox

from app.gui.text import tr
from app.pixels.rendering import Window, WindowPreset
from app.review.viewing import Picture
from app.text.image_words import WINDOWS

_NARROWEST, _WIDEST = 1e-6, 1e9


class BrightnessBox(QComboBox):
    """The usual windows of the picture that is shown; ``window`` is the chosen one, None for the file's own."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.window_chosen: Window | None = None
        self._picture: Picture | None = None
        self.setAccessibleName(tr("Brightness"))
        self.setToolTip(tr("The usual settings of brightness (P for the next)"))
        self.setPlaceholderText(tr("By hand"))
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(11)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.activated.connect(self._choose)

    @property
    def has_choice(self) -> bool:
        """Whether there are windows at all; colour has none."""
        return self._picture is not None and bool(self._picture.presets)

    def reset(self) -> None:
        """The file's own again: another series."""
        self.window_chosen = None

    def show_picture(self, picture: Picture) -> None:
        """Offer the windows of another picture; what was chosen stays."""
        self._picture = picture
        names = [tr("As in the file"), *map(_preset_text, picture.presets)]
        windows = [None, *(preset.window for preset in picture.presets)]
        with QSignalBlocker(self):
            if [self.itemText(row) for row in range(self.count())] != names:
                self.clear()
                self.addItems(names)
            self.setCurrentIndex(windows.index(self.window_chosen) if self.window_chosen in windows else -1)
        self.setEnabled(self.has_choice)

    def choose_next(self) -> None:
        """The next of the usual ones."""
        if self.has_choice:
            self._choose((self.currentIndex() + 1) % self.count())

    def _choose(self, row: int) -> None:
        if self._picture is not None:
            self.window_chosen = None if row <= 0 else self._picture.presets[row - 1].window
            self.changed.emit()

    def drag(self, shift: float, stretch: float) -> bool:
        """Move the centre by so many of the window's widths and stretch the width; False where there is none."""
        if self._picture is None or self._picture.window is None:
            return False
        # Steps add up, also those that come before the picture of the last one.
        chosen = self.window_chosen
        window = chosen if chosen is not None and chosen.is_usable else self._picture.window
        width = min(max(window.width * stretch, _NARROWEST), _WIDEST)
        center = window.center + shift * window.width
        self.window_chosen = replace(window, center=center, width=width, original_explanation="")
        return True


def _preset_text(preset: WindowPreset) -> str:
    return preset.window.original_explanation or tr(WINDOWS[preset.name])
