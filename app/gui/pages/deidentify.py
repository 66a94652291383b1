"""De-identify: starts by itself, and shows each header before and after, with the rule that was at work."""

from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QListView,
    QPushButton,
    QSlider,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.deid.comparison import ComparedRow, Comparison, Fate, SeriesInstances, compare_instance, list_series
from app.dicom.tagpath import format_tag
from app.errors import ConsignError
from app.gui.checklist import counted, number
from app.gui.models.comparison import AFTER, BEFORE, FATE, NAME, ComparisonModel, SeriesModel, fate_text
from app.gui.session import Ending, Outcome, Session
from app.gui.text import named, tr
from app.gui.widgets.cleaned_text import CleanedTextDelegate
from app.gui.widgets.parts import (
    CELL_PX,
    GAP_PX,
    MARGIN_PX,
    EmptyState,
    Problems,
    TitleRow,
    button,
    plain_table,
    scaled,
    shortcut,
    text_label,
)
from app.pipeline.overview import Check, Standing, check_preparation
from app.pipeline.run import check_and_prepare
from app.project.folder import Project
from app.text.fates import why
from app.text.messages import sentence_for, sentences_for

_ALL: frozenset[Fate] = frozenset(Fate)
_ALTERED = frozenset((Fate.CLEANED, Fate.CHANGED, Fate.REPLACED, Fate.ADDED))
_FILTERS = (_ALL, _ALTERED, frozenset((Fate.REMOVED,)), frozenset((Fate.KEPT,)))


@dataclass(frozen=True, slots=True)
class _Loaded:
    check: Check
    stamp: str
    series: list[SeriesInstances]


class DeidentifyPage(QWidget):
    """One instance before and after, browsable over all selected series."""

    go_to = Signal(str)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._comparison: Comparison | None = None
        self._wanted: int | None = None  # an instance that another page wants to be shown
        self._started_for = ""  # the state for which the preparation was started by itself: once, not in a circle
        self._build()
        session.opened.connect(self._forget)
        session.closed.connect(self._forget)
        session.changed.connect(self._refresh_if_visible)
        session.job_ended.connect(self._end_job)
        self._forget()

    # the widgets --------------------------------------------------------------

    def _build(self) -> None:
        self._title = TitleRow(tr("De-identify"))
        self._again = button(tr("De-identify again"), tr("Work with the decisions of now"), self._prepare)
        self._title.add(self._again)
        self._problems = Problems()
        self._empty = EmptyState()
        self._empty.pressed.connect(lambda: self.go_to.emit("find"))
        main = QSplitter(Qt.Orientation.Horizontal)
        main.setChildrenCollapsible(False)
        main.addWidget(self._make_list())
        main.addWidget(self._make_comparison())
        main.setStretchFactor(0, 0)
        main.setStretchFactor(1, 1)
        main.setSizes([230, 800])
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(main)
        page = QVBoxLayout(self)
        page.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX)
        page.setSpacing(GAP_PX)
        page.addWidget(self._title)
        page.addWidget(self._problems)
        page.addWidget(self._stack, 1)

    def _make_list(self) -> QWidget:
        self._series = SeriesModel()
        self._list = QListView()
        self._list.setModel(self._series)
        self._list.setAccessibleName(tr("Selected series"))
        self._list.setUniformItemSizes(True)
        self._list.setStyleSheet("QListView::item { padding: 6px 8px; }")
        self._list.setMinimumWidth(180)
        self._list.setFrameShape(QFrame.Shape.NoFrame)
        self._list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self._list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._list.selectionModel().currentChanged.connect(self._choose_series)
        return self._list

    def _make_comparison(self) -> QWidget:
        self._stays = text_label()
        self._stays.setObjectName("notice")
        self._stays.hide()
        self._model = ComparisonModel()
        self._view = plain_table(self._model, tr("Before and after"))
        self._view.setItemDelegateForColumn(BEFORE, CleanedTextDelegate(self._view))
        self._view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self._view.horizontalHeader()
        em = self.fontMetrics().averageCharWidth()
        header.setSectionResizeMode(BEFORE, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(AFTER, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(6 * em)
        self._view.selectionModel().currentChanged.connect(self._show_why)
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(GAP_PX, 0, 0, 0)
        column.setSpacing(GAP_PX)
        column.addLayout(self._make_browser())
        column.addLayout(self._make_filters())
        column.addWidget(self._stays)
        column.addWidget(self._view, 1)
        column.addWidget(self._make_details())
        self._make_keys()
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's
        """Before and after keep half of the table at least, however large the text is."""
        super().resizeEvent(event)
        metrics, width = self.fontMetrics(), self._view.width()
        header = self._view.horizontalHeader()
        header.resizeSection(NAME, min(34 * metrics.averageCharWidth(), width * 3 // 10))
        longest = max(metrics.horizontalAdvance(fate_text(fate)) for fate in Fate) + 4 * CELL_PX
        header.resizeSection(FATE, min(max(longest, header.sectionSizeHint(FATE)), width // 4))

    def _make_browser(self) -> QHBoxLayout:
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName(tr("Image of the series"))
        self._slider.setToolTip(tr("Another image of the series (Alt+Left, Alt+Right)"))
        self._slider.valueChanged.connect(lambda _: self._load_instance())
        self._place = text_label(wrap=False)
        self._place.setMinimumWidth(self.fontMetrics().horizontalAdvance("Image 0000 of 0000 "))
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._place)
        row.addWidget(self._slider, 1)
        return row

    def _make_filters(self) -> QHBoxLayout:
        self._search = QLineEdit()
        self._search.setPlaceholderText(tr("Search in attributes and texts"))
        self._search.setAccessibleName(tr("Search"))
        self._search.setClearButtonEnabled(True)
        self._search.textChanged.connect(lambda _: self._filter())
        self._tabs = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(4)
        for place, name in enumerate((tr("&All"), tr("&Changed"), tr("Re&moved"), tr("&Kept"))):
            tab = QPushButton(name)
            tab.setCheckable(True)
            tab.setProperty("plainName", name)
            tab.setAccessibleName(name.replace("&", ""))
            self._tabs.addButton(tab, place)
            row.addWidget(tab)
        self._tabs.button(0).setChecked(True)
        self._tabs.idToggled.connect(lambda _, is_on: self._filter() if is_on else None)
        row.addSpacing(8)
        row.addWidget(self._search, 1)
        return row

    def _make_keys(self) -> None:
        for key, step in (("Alt+Right", 1), ("Alt+Left", -1)):
            shortcut(key, self, partial(self._step_image, step))
        for key, step in (("Alt+Down", 1), ("Alt+Up", -1)):
            shortcut(key, self, partial(self._step_series, step))
        shortcut(QKeySequence.StandardKey.Find, self, self._search.setFocus)

    def _make_details(self) -> QWidget:
        panel = QFrame()
        panel.setObjectName("card")
        panel.setFrameShape(QFrame.Shape.StyledPanel)
        self._what = text_label()
        self._what.setFont(scaled(self.font(), 1.1, bold=True))
        self._why = text_label()
        self._detail = text_label()
        self._detail.setEnabled(False)
        for label in (self._why, self._detail):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(panel)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(4)
        for label in (self._what, self._why, self._detail):
            column.addWidget(label)
        return panel

    # the preparation ------------------------------------------------------------

    def refresh(self) -> None:
        """Show the series that are selected now, and start the preparation where it is due."""
        if self._session.project is None:
            self._forget()
            return

        def load(project: Project) -> _Loaded:
            check, stamp = check_preparation(project)
            return _Loaded(check, stamp, list_series(project))

        self._session.ask(load, self._take, key="deidentify")

    def _refresh_if_visible(self) -> None:
        if self.isVisible():
            self.refresh()

    def _take(self, loaded: _Loaded) -> None:
        check = loaded.check
        is_due = check.total > 0 and check.standing in (Standing.TO_DO, Standing.STALE)
        if is_due and loaded.stamp != self._started_for and not self._session.is_busy and self.isVisible():
            self._started_for = loaded.stamp
            self._prepare()
        self._again.setVisible(is_due and not self._session.is_busy)
        self._show_state(check)
        if loaded.series != self._series.series:
            self._show_series(loaded.series)
        elif check.done:
            self._load_instance()
        if self._wanted is not None:
            self.show_instance_id(self._wanted)

    def _prepare(self) -> None:
        self._problems.clear()
        self._session.start(tr("De-identifying"), check_and_prepare)

    def _end_job(self, outcome: Outcome) -> None:
        if outcome.ending is Ending.FAILED and outcome.error is not None and self.isVisible():
            self._problems.show_sentences(sentences_for(outcome.error, tr))

    def _forget(self) -> None:
        self._started_for = ""
        self._comparison = None
        self._series.show_series([])
        self._model.show_rows(())
        self._problems.clear()
        self._again.hide()
        self._title.say("")
        self._empty.show_text(
            tr("Nothing is selected yet"), tr("Choose the images first; the rest starts by itself."), tr("Go to Find")
        )
        self._stack.setCurrentIndex(0)

    def _show_state(self, check: Check) -> None:
        if not check.total:
            self._forget()
            return
        if not check.done:
            self._title.say("")
            self._empty.show_text(
                counted(check.total, "De-identifying {count} image", "De-identifying {count} images")
                if self._session.is_busy
                else counted(
                    check.total, "{count} image waits to be de-identified", "{count} images wait to be de-identified"
                ),
                tr(
                    "First the images are searched for text, then each header is built anew from what the rules let in."
                ),
            )
            self._stack.setCurrentIndex(0)
            return
        self._stack.setCurrentIndex(1)
        sentence = counted(
            check.total,
            "{done} of {count} image is de-identified.",
            "{done} of {count} images are de-identified.",
            done=number(check.done),
        )
        if check.failed:
            sentence += " " + counted(
                check.failed, "One of them stays here for now.", "{count} of them stay here for now."
            )
        if check.standing is Standing.STALE:
            sentence += " " + tr("Decisions changed since; what you see here is already as they say.")
        self._title.say(sentence)

    # browsing -----------------------------------------------------------------

    def show_instance_id(self, instance_id: int) -> None:
        """Show one instance; where the series are not loaded yet, as soon as they are."""
        self._wanted = instance_id
        for line, one in enumerate(self._series.series):
            if instance_id in one.instance_ids:
                self._wanted = None
                self._list.setCurrentIndex(self._series.index(line))
                self._slider.setValue(one.instance_ids.index(instance_id))
                return

    def _show_series(self, series: list[SeriesInstances]) -> None:
        current = self._current_series()
        self._series.show_series(series)
        ids = [one.series_id for one in series]
        line = ids.index(current.series_id) if current is not None and current.series_id in ids else 0
        if series:
            self._list.setCurrentIndex(self._series.index(line))

    def _current_series(self) -> SeriesInstances | None:
        index = self._list.currentIndex()
        return self._series.series[index.row()] if index.isValid() else None

    def _step_image(self, step: int) -> None:
        self._slider.setValue(self._slider.value() + step)

    def _step_series(self, step: int) -> None:
        index = self._series.index(self._list.currentIndex().row() + step)
        if index.isValid():
            self._list.setCurrentIndex(index)

    def _choose_series(self, *_: QModelIndex) -> None:
        series = self._current_series()
        if series is None:
            return
        self._slider.blockSignals(True)
        self._slider.setRange(0, len(series.instance_ids) - 1)
        self._slider.setValue(0)
        self._slider.setEnabled(len(series.instance_ids) > 1)
        self._slider.blockSignals(False)
        self._load_instance()

    def _load_instance(self) -> None:
        series = self._current_series()
        if series is None:
            return
        number = min(self._slider.value(), len(series.instance_ids) - 1)
        self._place.setText(tr("Image {number} of {total}", number=number + 1, total=len(series.instance_ids)))
        instance_id = series.instance_ids[number]

        def compare(project: Project) -> Comparison | ConsignError:
            try:
                return compare_instance(project, instance_id)
            except ConsignError as error:
                return error

        self._session.ask(compare, self._show_comparison, key="comparison")

    def _show_comparison(self, found: Comparison | ConsignError) -> None:
        if isinstance(found, ConsignError):
            self._comparison = None
            self._model.show_rows(())
            self._stays.setText("\u26a0 " + " ".join(sentences_for(found, tr)))
            self._stays.show()
            return
        self._comparison = found
        notice = ""
        if found.held_back is not None:
            notice = tr("This image stays here: {reason}", reason=sentence_for(found.held_back.value, {}, tr))
            if found.rows:
                notice += " " + tr("Below is what would leave if it did not.")
        elif found.boxes:
            notice = counted(
                found.boxes, "One area of the image is covered.", "{count} areas of the image are covered."
            )
        self._stays.setText(f"\u26a0 {notice}" if notice else "")
        self._stays.setVisible(bool(notice))
        for place, fates in enumerate(_FILTERS):
            tab = self._tabs.button(place)
            count = sum(found.counts.get(fate, 0) for fate in fates)
            tab.setText(f"{tab.property('plainName')}  {count}")
        self._filter()

    def _filter(self) -> None:
        if self._comparison is None:
            return
        fates, words = _FILTERS[self._tabs.checkedId()], self._search.text().casefold().split()
        chosen = self._view.currentIndex()
        path = self._model.rows[chosen.row()].path if chosen.isValid() else ""
        rows = tuple(row for row in self._comparison.rows if _fits(row, fates, words))
        self._model.show_rows(rows)
        line = next((line for line, row in enumerate(rows) if row.path == path), 0)
        if rows:
            self._view.setCurrentIndex(self._model.index(line, NAME))
        else:
            self._show_why()

    def _show_why(self, *_: QModelIndex) -> None:
        index = self._view.currentIndex()
        row = self._model.rows[index.row()] if index.isValid() and index.row() < len(self._model.rows) else None
        if row is None:
            self._what.setText(tr("Choose an attribute to see why."))
            self._why.setText("")
            self._detail.setText("")
            return
        self._what.setText(named(row.name or tr("Private attribute"), fate_text(row.fate)[2:]))
        self._why.setText(why(row, tr))
        self._detail.setText(
            tr("Tag {tag}, value representation {vr}, {path}", tag=format_tag(row.tag), vr=row.vr or "-", path=row.path)
        )


def _fits(row: ComparedRow, fates: frozenset[Fate], words: list[str]) -> bool:
    if row.is_item:
        return fates is _ALL and not words
    text = f"{row.name}\n{row.path}\n{row.original_text}\n{row.released_text}".casefold()
    return row.fate in fates and all(word in text for word in words)
