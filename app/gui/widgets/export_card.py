"""The bundle on the sign-off page: where it goes, whether there is room, what lies there, and how it was verified."""

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QHeaderView, QLineEdit

from app.bundle.estimate import Estimate
from app.bundle.step import REPORT
from app.gui.checklist import counted, number, size_text, time_text
from app.gui.models.parts import PartsModel
from app.gui.text import tr
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.parts import Card, button, plain_table, text_label, tinted
from app.gui.widgets.tints import Tint
from app.pipeline.overview import CheckItem, Overview, Standing
from app.text.messages import sentence_for

_MOST_FINDINGS = 50
_MOST_LINES = 6  # of the table of parts; further ones scroll


class ExportCard(Card):
    """Shows the bundle; the page does what the signals want."""

    folder_chosen = Signal(object)  # Path
    export_wanted = Signal()
    verify_wanted = Signal()
    copied = Signal()

    def __init__(self) -> None:
        super().__init__(tr("Export"))
        self._folder: Path | None = None
        self._exported_to: Path | None = None
        self._place = QLineEdit()
        self._place.setReadOnly(True)
        self._place.setAccessibleName(tr("Folder for the bundle"))
        choose = button(tr("&Folder…"), tr("Choose where the bundle is written"), self._choose_folder)
        self.export_button = button(tr("&Export"), tr("Write the bundle, then verify it"), self.export_wanted.emit)
        self.export_button.setObjectName("primary")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._place, 1)
        row.addWidget(choose)
        row.addWidget(self.export_button)
        self.room = text_label()
        self.verdict = text_label()
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.parts = PartsModel()
        self._table = plain_table(self.parts, tr("Parts of the bundle"))
        header = self._table.horizontalHeader()
        em = self.fontMetrics().averageCharWidth()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        for section in (1, 2):
            header.resizeSection(section, max(14 * em, header.sectionSizeHint(section)))
        header.setStretchLastSection(True)
        self._verify = button(
            tr("&Verify again"), tr("Read the whole bundle and check it once more"), self.verify_wanted.emit
        )
        self._after = (
            button(tr("Open &report"), tr("Open the report in the browser"), self._open_report),
            button(tr("Show in fo&lder"), tr("Open the folder of the bundle"), self._open_folder),
            button(tr("&Copy checksums"), tr("Copy SHA-256 and name of each part"), self._copy_checksums),
            self._verify,
        )
        actions = FlowLayout()
        for made in self._after:
            actions.addWidget(made)
        self.body.addLayout(row)
        for widget in (self.room, self.verdict, self._table):
            self.body.addWidget(widget)
        self.body.addLayout(actions)
        self.forget()

    def forget(self) -> None:
        """Show nothing."""
        self._exported_to = None
        self.parts.show_rows(())
        self.room.setText("")
        self.verdict.setText("")
        for widget in (self._table, self.verdict, *self._after):
            widget.hide()
        self.show_folder(None)

    def show_folder(self, folder: Path | None) -> None:
        """Where the bundle will be written."""
        self._folder = folder
        self._show_place()

    def show_bundle(self, overview: Overview, room: Estimate) -> None:
        """What would be written, and what lies there."""
        self._show_room(overview, room)
        exported = overview.exported
        self._exported_to = None if exported is None else exported.folder
        parts = overview.parts if exported is not None else ()
        self.parts.show_rows(parts)
        self._table.setVisible(bool(parts))
        lines = min(len(parts), _MOST_LINES)
        self._table.setFixedHeight(
            self._table.horizontalHeader().height() + self._table.verticalHeader().defaultSectionSize() * lines + 4
        )
        for widget in (self.verdict, *self._after):
            widget.setVisible(exported is not None)
        if exported is not None:
            self.verdict.setText("\n".join(_verdict(overview)))
            is_sound = overview.check(CheckItem.VERIFICATION).standing is Standing.DONE
            tinted(self.verdict, Tint.GOOD if is_sound else Tint.GONE)

    def enable(self, *, can_export: bool, is_idle: bool) -> None:
        """What can be pressed now."""
        self.export_button.setEnabled(can_export)
        self._verify.setEnabled(is_idle)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Cut the path to the new width."""
        super().resizeEvent(event)
        self._show_place()

    def _show_place(self) -> None:
        text = str(self._folder or "")
        width = max(self._place.width() - 16, 100)
        self._place.setText(self._place.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, width))
        self._place.setToolTip(text)

    def _show_room(self, overview: Overview, found: Estimate) -> None:
        if not overview.leaving.instances:
            self.room.setText("")
            return
        text = tr(
            "{images} in {parts}, at most {size}.",
            images=counted(found.instances, "{count} image", "{count} images"),
            parts=counted(found.parts, "{count} part", "{count} parts"),
            size=size_text(found.size),
        )
        if found.free is not None:
            text += " " + tr("{free} are free there.", free=size_text(found.free))
        if not found.fits:
            text = "\u26a0 " + text + " " + tr("Make room, or choose another folder.")
        self.room.setText(text)

    def _choose_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, tr("Folder for the bundle"), str(self._folder or ""))
        if name:
            self.folder_chosen.emit(Path(name))

    def _open_report(self) -> None:
        if self._exported_to is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._exported_to / REPORT)))

    def _open_folder(self) -> None:
        if self._exported_to is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._exported_to)))

    def _copy_checksums(self) -> None:
        text = "".join(f"{part.sha256}  {part.name}\n" for part in self.parts.rows)
        QGuiApplication.clipboard().setText(text)
        self.copied.emit()


def _verdict(overview: Overview) -> Iterator[str]:
    """What the verification says of the bundle that lies there."""
    verified = overview.verified
    if overview.check(CheckItem.EXPORT).standing is Standing.STALE:
        yield "\u26a0 " + tr("This bundle is out of date: it is not what would leave now. Export again.")
    if verified is None:
        yield tr("Not verified yet.")
        return
    when = time_text(verified.when)
    if verified.findings:
        yield "\u26a0 " + tr("Do not send it. The verification of {when} found:", when=when)
        for code, part, entry, path in verified.findings[:_MOST_FINDINGS]:
            place = " ".join(piece for piece in (part, entry, path) if piece)
            yield f"\u2022 {sentence_for(code, {}, tr)} {place}"
        if len(verified.findings) > _MOST_FINDINGS:
            yield tr("… and {count} more.", count=number(len(verified.findings) - _MOST_FINDINGS))
    elif overview.check(CheckItem.VERIFICATION).standing is Standing.DONE:
        sentence = tr(
            "Verified on {when}: {images} in {parts}, read again from the disk.",
            when=when,
            images=counted(verified.instances, "{count} image", "{count} images"),
            parts=counted(len(verified.parts), "{count} part", "{count} parts"),
        )
        rest = tr("Every checksum fits, every value is an approved one, and no original identifier was found.")
        yield f"\u2713 {sentence} {rest}"
