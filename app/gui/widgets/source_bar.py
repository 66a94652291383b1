"""The sources of a project as chips: folders, CDs and archives, to add and to take away."""

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

from app.gui.text import tr
from app.gui.widgets.chips import Chip, ChipBox
from app.gui.widgets.parts import button

_ARCHIVES = "*.zip *.tar *.tgz *.tar.gz *.tar.bz2 *.tar.xz"


class SourceBar(QWidget):
    """``read`` were read before, ``waiting`` come with the next search."""

    changed = Signal()
    removed = Signal(str)  # one that was read before

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []
        self.waiting: list[Path] = []
        self._chips = ChipBox()
        self.folder_button = button(
            tr("Add a &folder or CD \u2026"), tr("Everything below it is searched"), self.choose_folder
        )
        self.file_button = button(tr("Add &archives \u2026"), tr("Zip and tar files"), self._choose_files)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._chips, 1)
        row.addWidget(self.folder_button)
        row.addWidget(self.file_button)

    @property
    def paths(self) -> list[Path]:
        """All sources."""
        return [*map(Path, self.read), *self.waiting]

    def show_read(self, read: Sequence[str]) -> None:
        """Show what was read; what waited and is among them waits no more."""
        waiting = [path for path in self.waiting if str(path) not in read]
        if list(read) != self.read or waiting != self.waiting:
            self.read, self.waiting = list(read), waiting
            self._fill()

    def add(self, paths: Sequence[Path]) -> None:
        """Have more sources wait, each once."""
        for path in paths:
            whole = path.absolute()
            if whole not in self.paths:
                self.waiting.append(whole)
        self._fill()
        self.changed.emit()

    def forget_waiting(self) -> None:
        """Of another project."""
        self.read, self.waiting = [], []
        self._fill()

    def choose_folder(self) -> None:
        """Ask for a folder."""
        chosen = QFileDialog.getExistingDirectory(self, tr("Add a folder or CD"))
        if chosen:
            self.add([Path(chosen)])

    def _choose_files(self) -> None:
        chosen, _ = QFileDialog.getOpenFileNames(
            self, tr("Add archives"), "", tr("Archives ({patterns});;All files (*)", patterns=_ARCHIVES)
        )
        if chosen:
            self.add([Path(path) for path in chosen])

    def _fill(self) -> None:
        self._chips.clear()
        for source in self.read:
            chip = Chip(source, most_px=300)
            chip.removed.connect(lambda source=source: self.removed.emit(source))
            self._chips.add(chip)
        for path in self.waiting:
            chip = Chip(str(path), most_px=300, note=tr("new"))
            chip.removed.connect(lambda path=path: self._drop(path))
            self._chips.add(chip)
        self._order_tabs()

    def _order_tabs(self) -> None:
        """Chips come late, and the Tab key would reach them last; they stand before the buttons."""
        before = self.folder_button.previousInFocusChain()
        while before is not None and before.focusPolicy() is Qt.FocusPolicy.NoFocus:
            before = before.previousInFocusChain()
        if before is None:
            return
        for chip in self._chips.chips():
            QWidget.setTabOrder(before, chip.close_button)
            before = chip.close_button

    def _drop(self, path: Path) -> None:
        self.waiting.remove(path)
        self._fill()
        self.changed.emit()
