"""What is taken, in words: the organisers' query, the filters of this site as chips, and a list of identifiers."""

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QCompleter, QFrame, QGridLayout, QHBoxLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from app.errors import ProtocolError
from app.gui.checklist import counted
from app.gui.text import tr
from app.gui.widgets.chips import Chip, ChipBox
from app.gui.widgets.parts import button, quiet, text_label, tinted
from app.gui.widgets.tints import Tint
from app.protocol.predicates import VOCABULARY, Predicate
from app.protocol.where import parse_where
from app.selection.filters import Filters, filters_of, toggle, where_of
from app.selection.not_found import ListOutcome
from app.text.messages import sentence_for
from app.text.query_words import as_sentence, phrase, query_sentences


class FilterBar(QFrame):
    """``filters`` are what is shown now, ``saved`` what the selection was made with."""

    changed = Signal()
    applied = Signal()
    list_wanted = Signal()
    list_removed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.filters: Filters = ()
        self.saved: Filters = ()
        self._list: ListOutcome | None = None
        self._words = text_label()
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._chips = ChipBox()
        self._no_filter = quiet(text_label(tr("Nothing: all of that is taken. Click a bar at the right to filter.")))
        self._make_controls()
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 12, 12, 12)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.addWidget(quiet(text_label(tr("The organisers ask"), wrap=False)), 0, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._words, 0, 1, 1, 2)
        narrowed = quiet(text_label(tr("You narrow it to"), wrap=False))
        for label in (narrowed, self._no_filter):  # in one line with the controls, however many rows of chips there are
            label.setMinimumHeight(self.query.sizeHint().height())
        grid.addWidget(narrowed, 1, 0, Qt.AlignmentFlag.AlignTop)
        chosen = QVBoxLayout()
        chosen.setSpacing(6)
        chosen.addWidget(self._no_filter)
        chosen.addWidget(self._chips)
        chosen.addStretch()
        grid.addLayout(chosen, 1, 1)
        controls = QHBoxLayout()
        controls.setSpacing(8)
        for widget in (self.query, self.list_button):
            controls.addWidget(widget)
        grid.addLayout(controls, 1, 2, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(self._draft, 2, 1, 1, 2)
        grid.addWidget(self._refusal, 3, 1, 1, 2)

    def _make_controls(self) -> None:
        self.query = QLineEdit()
        self.query.setPlaceholderText("SliceThickness <= 1.5")
        self.query.setAccessibleName(tr("Type a filter"))
        self.query.setToolTip(tr('Type a filter such as Modality == "CT" and press Enter'))
        self.query.setMinimumWidth(self.fontMetrics().horizontalAdvance(self.query.placeholderText()) + 40)
        completer = QCompleter(sorted(VOCABULARY), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.query.setCompleter(completer)
        self.query.returnPressed.connect(self._take_query)
        self.list_button = button(
            tr("&Import a list \u2026"), tr("A CSV of accession numbers or patient IDs"), self.list_wanted.emit
        )
        self._refusal = text_label()
        tinted(self._refusal, Tint.GONE)
        self._refusal.hide()
        self._draft = QWidget()
        self._draft.hide()
        self._draft_text = text_label()
        self.apply_button = button(tr("&Apply the filters"), tr("Take only what fits these filters"), self.applied.emit)
        self.apply_button.setObjectName("primary")
        self.undo_button = button(tr("&Undo"), tr("Back to the filters of the selection"), self._undo)
        row = QHBoxLayout(self._draft)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self._draft_text, 1)
        row.addWidget(self.undo_button)
        row.addWidget(self.apply_button)

    # what is shown --------------------------------------------------------------

    def show_query(self, predicate: Predicate) -> None:
        """Show what the organisers ask for."""
        sentences = query_sentences(predicate, tr)
        self._words.setText(" ".join(sentences))

    def show_saved(self, filters: Filters, listed: ListOutcome | None) -> None:
        """Show the filters and the list of the last selection; filters that were not applied yet stay."""
        if self.filters == self.saved:
            self.filters = filters
        self.saved, self._list = filters, listed
        self._fill()

    def forget(self) -> None:
        """Of another project."""
        self.filters = self.saved = ()
        self._list = None
        self._fill()

    @property
    def is_draft(self) -> bool:
        """Whether there are filters that the selection was not made with."""
        return self.filters != self.saved

    @property
    def chips(self) -> list[Chip]:
        """The chips that are shown."""
        return self._chips.chips()

    def toggle(self, choice: Predicate) -> None:
        """Add a choice of a chart, or take it away."""
        self._change(toggle(self.filters, choice))

    def _change(self, filters: Filters) -> None:
        self.filters = filters
        self._refusal.hide()
        self._fill()
        self.changed.emit()

    def _undo(self) -> None:
        self._change(self.saved)

    def _take_query(self) -> None:
        text = self.query.text().strip()
        if not text:
            return
        try:
            typed = where_of((*self.filters, parse_where(text)))
            filters = filters_of(typed)
        except ProtocolError as error:
            self._refusal.setText("\u26a0 " + sentence_for(error.code, error.ids, tr))
            self._refusal.show()
            return
        self.query.clear()
        QTimer.singleShot(0, self.query, self.query.clear)  # a completer writes its word after this
        self._change(filters)

    def _fill(self) -> None:
        self._chips.clear()
        for part in self.filters:
            chip = Chip(as_sentence(phrase(part, tr)).removesuffix("."))
            chip.removed.connect(lambda part=part: self._change(tuple(one for one in self.filters if one != part)))
            self._chips.add(chip)
        if self._list is not None:
            text = counted(self._list.entries, "A list of {count} line", "A list of {count} lines")
            chip = Chip(text)
            chip.removed.connect(self.list_removed)
            self._chips.add(chip)
        has_chips = bool(self.filters) or self._list is not None
        self._chips.setVisible(has_chips)
        self._no_filter.setVisible(not has_chips)
        self._draft.setVisible(self.is_draft)

    def show_draft(self, series: int, images: int) -> None:
        """Say what the filters would leave."""
        self._draft_text.setText(
            tr(
                "Fitting: {series} with {images}. The selection is still as before.",
                series=counted(series, "{count} series", "{count} series"),
                images=counted(images, "{count} image", "{count} images"),
            )
        )

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the warning readable in another scheme."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and hasattr(self, "_refusal"):
            tinted(self._refusal, Tint.GONE)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """As high as the wrapped words need."""
        super().resizeEvent(event)
        self.updateGeometry()
