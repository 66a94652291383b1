"""The settings: language, light or dark, size of texts, how many processes work. Nothing else is asked of anybody."""

import os

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QFormLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.gui.preferences import TEXT_PERCENTS, Preferences, Scheme
from app.gui.text import tr
from app.gui.widgets.parts import GAP_PX, MARGIN_PX, quiet, text_label
from app.text.i18n import LANGUAGES

_WIDTH_PX = 460


class SettingsWindow(QWidget):
    """Each choice is kept, and takes effect, as it is made."""

    appearance_changed = Signal()
    language_changed = Signal()

    def __init__(self, preferences: Preferences, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle(tr("Consign: settings"))
        self.setMinimumWidth(_WIDTH_PX)
        self._preferences = preferences
        form = QFormLayout()
        form.setVerticalSpacing(GAP_PX)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.language = language_box(preferences)
        _add_row(form, tr("&Language"), self.language)
        schemes = {
            Scheme.SYSTEM.value: tr("As the system"),
            Scheme.LIGHT.value: tr("Light"),
            Scheme.DARK.value: tr("Dark"),
        }
        self.scheme = _box(schemes, preferences.scheme.value)
        _add_row(form, tr("&Colours"), self.scheme)
        percents = {str(percent): f"{percent} %" for percent in TEXT_PERCENTS}
        self.text_size = _box(percents, str(preferences.text_percent))
        _add_row(form, tr("&Size of texts"), self.text_size)
        most = os.cpu_count() or 1
        workers = {"auto": tr("As many as there are processors"), **{str(n): str(n) for n in range(1, most + 1)}}
        self.workers = _box(workers, preferences.workers)
        _add_row(form, tr("&Processes at a time"), self.workers)
        close = QPushButton(tr("Close"))
        close.setAccessibleName(tr("Close"))
        close.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        column.setSpacing(GAP_PX)
        column.addLayout(form)
        column.addWidget(quiet(text_label(tr("The number of processes counts from the next opening of a project."))))
        column.addStretch()
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        QShortcut(QKeySequence("Escape"), self, self.close)
        self.language.activated.connect(self._keep_language)
        self.scheme.activated.connect(self._keep_appearance)
        self.text_size.activated.connect(self._keep_appearance)
        self.workers.activated.connect(self._keep_workers)

    def _keep_language(self) -> None:
        if self._preferences.language != self.language.currentData():
            self._preferences.language = self.language.currentData()
            self.language_changed.emit()

    def _keep_appearance(self) -> None:
        self._preferences.scheme = Scheme(self.scheme.currentData())
        self._preferences.text_percent = int(self.text_size.currentData())
        self.appearance_changed.emit()

    def _keep_workers(self) -> None:
        self._preferences.workers = self.workers.currentData()


def language_box(preferences: Preferences) -> QComboBox:
    """A choice of languages, with the one that is set."""
    box = _box({"": tr("Language: as the system"), **LANGUAGES}, preferences.language)
    box.setAccessibleName(tr("Language"))
    return box


def _box(entries: dict[str, str], chosen: str) -> QComboBox:
    box = QComboBox()
    for data, text in entries.items():
        box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    return box


def _add_row(form: QFormLayout, name: str, box: QComboBox) -> None:
    box.setAccessibleName(name.replace("&", ""))
    label = QLabel(name)
    label.setBuddy(box)
    form.addRow(label, box)
