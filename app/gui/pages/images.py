"""Review images: the series on a contact sheet, riskiest first; then one viewer in which a key decides."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QButtonGroup, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.detection.step import detect
from app.errors import ConsignError
from app.gui.checklist import counted
from app.gui.models.contact_sheet import ContactSheetModel
from app.gui.models.pictures import PictureLoader
from app.gui.session import Session
from app.gui.text import named, tr
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.contact_sheet import THUMBNAIL_PX, ContactSheet
from app.gui.widgets.parts import GAP_PX, MARGIN_PX, EmptyState, Problems, TitleRow
from app.gui.widgets.series_viewer import SeriesViewer
from app.project.decisions import Decisions, ImageAction, load_decisions, save_decisions
from app.project.folder import Project
from app.project.images import ImageState
from app.project.masks import Mask, MaskScope
from app.review.image_deciding import decide_image, decide_series, with_masks
from app.review.worklist import (
    ImageChange,
    SeriesToReview,
    WorkItem,
    Worklist,
    change_between,
    list_work,
    review_series,
    take_back,
)
from app.text.i18n import mark

_UNDO_STEPS = 200

Deciding = Callable[[Decisions], Decisions]


@dataclass(frozen=True, slots=True)
class _Step:
    """What was done last, and where."""

    series_id: int
    image_index: int
    change: ImageChange


class Filter(StrEnum):
    """Which series the sheet shows."""

    TODO = "todo"
    ALL = "all"
    TEXT = "text"
    LEAVES = "leaves"
    STAYS = "stays"


_FILTERS: Mapping[Filter, str] = {
    Filter.TODO: mark("To look at"),
    Filter.ALL: mark("All"),
    Filter.TEXT: mark("With text"),
    Filter.LEAVES: mark("Ready to leave"),
    Filter.STAYS: mark("Excluded"),
}


class ImagesPage(QWidget):
    """The series and, when one is opened, its pictures."""

    go_to = Signal(str)

    def __init__(self, session: Session, loader: PictureLoader | None = None) -> None:
        super().__init__()
        self._session = session
        self._loader = loader or PictureLoader(parent=self)
        self._work = Worklist()
        self._filter = Filter.TODO
        self._is_loaded = False
        self._is_stale = True
        self._is_own_change = False
        self._unsaved = 0  # decisions on their way to the files
        self._changed: set[int] = set()  # series that were decided on and not read since
        self._reloading: set[int] = set()
        self._opening, self._opening_at = -1, -1  # the series that was asked for last, and the image in it
        self._upcoming: SeriesToReview | None = None
        self._decided: set[int] = set()  # images of the open series that were decided since it was read
        self._history: list[_Step] = []
        self._build()
        self._connect()
        self._show_state()

    # building -----------------------------------------------------------------

    def _build(self) -> None:
        self._title = TitleRow(tr("Review images"))
        self._start = QPushButton(tr("Start  \u00b7  N"))
        self._start.setObjectName("primary")
        self._start.setAccessibleName(tr("Start with the riskiest series"))
        self._start.setToolTip(tr("Start with the riskiest series that wants a look"))
        self._detect = QPushButton(tr("Look for text"))
        self._detect.setAccessibleName(tr("Look for text"))
        self._detect.setToolTip(tr("Look for text in the images that nobody has looked through yet"))
        self._title.add(self._detect)
        self._title.add(self._start)
        self._problems = Problems()
        self.model = ContactSheetModel()
        self.sheet = ContactSheet(self.model)
        self.first_focus: QWidget = self.sheet
        self.viewer = SeriesViewer(self._loader)
        self._empty, self._empty_head = EmptyState(), ""
        self._sheet_side = QWidget()
        column = QVBoxLayout(self._sheet_side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(GAP_PX)
        column.addWidget(self._title)
        column.addLayout(self._build_filters())
        self._below = QStackedWidget()
        self._below.addWidget(self.sheet)
        self._below.addWidget(self._empty)
        column.addWidget(self._below, 1)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._sheet_side)
        self._stack.addWidget(self.viewer)
        page = QVBoxLayout(self)
        page.setContentsMargins(MARGIN_PX, MARGIN_PX, MARGIN_PX, MARGIN_PX // 2)
        page.setSpacing(GAP_PX)
        page.addWidget(self._problems)
        page.addWidget(self._stack, 1)

    def _build_filters(self) -> FlowLayout:
        row = FlowLayout()
        group = QButtonGroup(self)
        self._filters: dict[Filter, QPushButton] = {}
        for which in Filter:
            made = QPushButton(tr(_FILTERS[which]))
            made.setObjectName("chip")
            made.setCheckable(True)
            made.setAutoDefault(False)
            made.clicked.connect(partial(self._choose_filter, which))
            group.addButton(made)
            row.addWidget(made)
            self._filters[which] = made
        self._filters[self._filter].setChecked(True)
        return row

    def _connect(self) -> None:
        session, viewer = self._session, self.viewer
        session.opened.connect(self._forget)
        session.closed.connect(self._forget)
        session.changed.connect(self._note_change)
        session.failed.connect(self._after_failure)
        self._loader.thumbnail.connect(self.model.set_thumbnail)
        self.sheet.thumbnails_wanted.connect(
            lambda locators: self._loader.want_thumbnails(locators, THUMBNAIL_PX) if self._is_sheet else None
        )
        self.sheet.opened.connect(lambda item: self.open_series(item.card.series_id))
        self._start.clicked.connect(self.open_next)
        self._detect.clicked.connect(self._look_for_text)
        keys = QShortcut(QKeySequence("N"), self._sheet_side)
        keys.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        keys.activated.connect(self.open_next)
        self._empty.pressed.connect(self.leave_empty_state)
        viewer.left.connect(self.show_sheet)
        viewer.decided.connect(self._decide)
        viewer.masks_changed.connect(self._change_masks)
        viewer.next_wanted.connect(self.open_next)
        viewer.undo_wanted.connect(self.undo)

    # what the window asks -----------------------------------------------------

    def refresh(self) -> None:
        """Read again what is no longer current."""
        if self._session.project is not None and self._is_stale:
            self._is_stale = False
            plans = self._session.plans
            self._session.ask(lambda p: list_work(p, plans.series(p)), self._show_work, key="images")
            if self.viewer.review is not None:
                self._changed.add(self.viewer.review.series.series_id)
                self._reload()
        self._show_state()

    def _forget(self) -> None:
        self.viewer.close_series()
        self._loader.end()
        self._work, self._is_loaded, self._is_stale = Worklist(), False, True
        self._unsaved, self._opening, self._upcoming = 0, -1, None
        self._decided.clear()
        self._changed.clear()
        self._reloading.clear()
        self._history.clear()
        self._problems.clear()
        self.model.show_items(())
        self._stack.setCurrentIndex(0)
        if self.isVisible():
            self.refresh()

    def _note_change(self) -> None:
        if self._is_own_change:
            self._is_own_change = False
        else:
            self._is_stale, self._upcoming = True, None

    def _after_failure(self, _: ConsignError) -> None:
        # Which call failed is not told: what is shown may not be what the files hold.
        self._unsaved, self._is_stale = 0, True
        self._reloading.clear()
        if self.isVisible():
            self.refresh()

    @property
    def loader(self) -> PictureLoader:
        """Where the pictures come from."""
        return self._loader

    @property
    def work(self) -> Worklist:
        """All series, as far as it knows."""
        return self._work

    @property
    def is_saving(self) -> bool:
        """Whether decisions are on their way to the files, or what came of them on its way back."""
        return bool(self._unsaved or self._reloading)

    @property
    def empty_text(self) -> str:
        """What is said where there are no series; nothing where there are some."""
        return self._empty_head if self._below.currentIndex() == 1 else ""

    def filter_button(self, which: Filter) -> QPushButton:
        """The button of a filter."""
        return self._filters[which]

    # the sheet ----------------------------------------------------------------

    @property
    def _is_sheet(self) -> bool:
        return self._stack.currentIndex() == 0

    def show_sheet(self) -> None:
        """Back to the series."""
        review = self.viewer.review
        self.viewer.close_series()
        self._stack.setCurrentIndex(0)
        self._opening = -1
        self._show_work(self._work)
        if review is not None:
            row = self.model.row_of(review.series.series_id)
            if row >= 0:
                self.sheet.setCurrentIndex(self.model.index(row))
        self.first_focus = self.sheet
        self.sheet.setFocus()
        self.sheet.ask_again()
        self.refresh()

    def _show_work(self, work: Worklist) -> None:
        self._work, self._is_loaded = work, True
        shown = [item for item in work.items if _passes(item, self._filter)]
        if self._is_sheet:
            chosen = self.sheet.currentIndex().row()
            series_id = self.model.items[chosen].card.series_id if 0 <= chosen < len(self.model.items) else -1
            self.model.show_items(shown)
            row = max(0, self.model.row_of(series_id))
            if shown:
                self.sheet.setCurrentIndex(self.model.index(row))
        for which, made in self._filters.items():
            count = sum(_passes(item, which) for item in work.items)
            made.setText(f"{tr(_FILTERS[which])}  {count}")
            made.setAccessibleName(named(tr(_FILTERS[which]), count))
        self._show_state()

    def _choose_filter(self, which: Filter, _checked: bool = False) -> None:
        self._filter = which
        self._show_work(self._work)

    def _show_state(self) -> None:
        items = self._work.items
        todo = sum(item.todo > 0 for item in items)
        unchecked = sum(item.card.states[ImageState.UNCHECKED] for item in items)
        waiting = sum(item.todo for item in items)
        self._start.setVisible(todo > 0)
        self._detect.setVisible(unchecked > 0)
        self._detect.setEnabled(not self._session.is_busy)
        if todo:
            self._title.say(
                tr(
                    "{series} to look at, {images} in all.",
                    series=counted(todo, "{count} series", "{count} series"),
                    images=counted(waiting, "{count} image", "{count} images"),
                )
            )
        elif unchecked:
            self._title.say(
                counted(
                    unchecked,
                    "Nobody has looked for text in {count} image yet; it stays.",
                    "Nobody has looked for text in {count} images yet; they stay.",
                )
            )
        elif items:
            self._title.say(tr("Every image that wanted a look was looked at."))
        else:
            self._title.say("")
        for made in self._filters.values():
            made.setVisible(bool(items))
        self.viewer.show_rest(
            counted(todo, "{count} series to look at", "{count} series to look at")
            if todo
            else tr("Nothing more to look at")
        )
        self._show_emptiness()

    def _show_emptiness(self) -> None:
        if self.model.items or not self._is_sheet:
            self._below.setCurrentIndex(0)
            return
        self._below.setCurrentIndex(1)
        if self._session.project is None:
            self._say_empty(tr("No project is open"), tr("Open a project to look through its images."))
        elif not self._is_loaded:
            self._say_empty(tr("Reading\u2026"), "")
        elif not self._work.items:
            self._say_empty(
                tr("No images yet"),
                tr("Choose what is to be handed over on the page Find; its images are then looked through here."),
                tr("Go to Find"),
            )
        elif self._filter is Filter.TODO:
            self._say_empty(
                tr("Nothing to look at"),
                tr("Whatever wanted a person\u2019s look has been looked at. You can still look through all series."),
                tr("Show all series"),
            )
        else:
            self._say_empty(tr("No series"), tr("There is none of this kind."), tr("Show all series"))

    def _say_empty(self, head: str, sentence: str, button: str = "") -> None:
        self._empty_head = head
        self._empty.show_text(head, sentence, button)

    def leave_empty_state(self) -> None:
        """What the button of the empty state does."""
        if self._work.items:
            self._filters[Filter.ALL].click()
        else:
            self.go_to.emit("find")

    def _look_for_text(self) -> None:
        if self._session.start(tr("Looking for text"), detect):
            self._detect.setEnabled(False)

    # opening ------------------------------------------------------------------

    def open_series(self, series_id: int, image_index: int = -1) -> None:
        """Show the pictures of a series, from an image on; -1 for the first that wants a look."""
        self._opening, self._opening_at = series_id, image_index
        upcoming = self._upcoming
        if upcoming is not None and upcoming.series.series_id == series_id:
            self._show_series(upcoming)
        else:
            self._ask_for(series_id, self._show_series, "image-series")

    def _ask_for(self, series_id: int, then: Callable[[SeriesToReview | None], None], key: str) -> None:
        audit = self._work.audit
        self._session.ask(lambda project: review_series(project, series_id, audit), then, key=key)

    def open_next(self) -> None:
        """The next image that wants a look: in the series that is open, else in the next one."""
        review = self.viewer.review
        if review is not None and not self._is_sheet:
            index = review.next_to_look_at(self.viewer.image_index, done=self._decided)
            if index is not None and index != self.viewer.image_index:
                self.viewer.go_to_image(index)
                return
        item = self._next_item()
        if item is not None:
            self.open_series(item.card.series_id)
        elif not self._is_sheet:
            self.show_sheet()

    def _next_item(self) -> WorkItem | None:
        """The next series in the order of the sheet that wants a look, round its end, other than the open one."""
        items = self._work.items
        review = self.viewer.review
        here = -1 if review is None or self._is_sheet else review.series.series_id
        at = next((row for row, item in enumerate(items) if item.card.series_id == here), -1)
        order = (*range(at + 1, len(items)), *range(max(at, 0)))
        return next((items[row] for row in order if items[row].todo), None)

    def _show_series(self, review: SeriesToReview | None) -> None:
        if review is None:
            self._is_stale = True
            self.show_sheet()
            return
        if review.series.series_id != self._opening:
            return
        item = self._item(review.series.series_id)
        if item is None:
            return
        self._decided.clear()
        self._stack.setCurrentIndex(1)
        self.first_focus = self.viewer.view
        self._loader.want_thumbnails((), THUMBNAIL_PX)
        index = self._opening_at
        if not 0 <= index < len(review.series.images):
            index = review.next_to_look_at(-1) or 0
        self.viewer.open(review, item, index)
        self._prepare_next()

    def _item(self, series_id: int) -> WorkItem | None:
        return next((item for item in self._work.items if item.card.series_id == series_id), None)

    def _prepare_next(self) -> None:
        """Have the next series at hand, so that it shows at once."""
        self._upcoming = None
        item = self._next_item()
        if item is not None:
            self._ask_for(item.card.series_id, self._take_upcoming, "upcoming-series")

    def _take_upcoming(self, review: SeriesToReview | None) -> None:
        self._upcoming = review
        self.viewer.read_after(review)

    # deciding -----------------------------------------------------------------

    def _decide(self, action: ImageAction | None, whole: bool) -> None:
        review = self.viewer.review
        if review is None:
            return
        series, index = review.series, self.viewer.image_index
        if whole:
            self._apply(partial(decide_series, series=series, action=action))
            done = range(len(series.images))
        else:
            self._apply(partial(decide_image, image=series.images[index], action=action))
            done = range(index, index + 1)
        if action is None:
            self._decided.difference_update(done)
        else:
            self._decided.update(done)
            self.open_next()

    def _change_masks(self, add: list[Mask], remove: list[Mask]) -> None:
        self._apply(partial(with_masks, add=add, remove=remove))
        if any(mask.scope is MaskScope.DEVICE for mask in (*add, *remove)):
            self._forget_others()

    def _forget_others(self) -> None:
        """Other series may be concerned: they are read again when they are shown."""
        self._is_stale, self._upcoming = True, None

    def _apply(self, deciding: Deciding) -> None:
        """Decide at once on what is shown, and then in the files."""
        review = self.viewer.review
        assert review is not None
        after = deciding(review.decisions)
        change = change_between(review.decisions, after)
        if change.is_empty:
            return
        step = _Step(review.series.series_id, self.viewer.image_index, change)
        self._history = [*self._history[-_UNDO_STEPS:], step]
        self._save(deciding, step.series_id)
        self.viewer.update_review(replace(review, decisions=after))

    def undo(self) -> None:
        """Take the last step back, and go to where it was done."""
        if not self._history:
            return
        step = self._history.pop()
        deciding = partial(take_back, change=step.change)
        self._decided.clear()
        self._forget_others()
        review = self.viewer.review
        if review is not None and review.series.series_id == step.series_id:
            self.viewer.update_review(replace(review, decisions=deciding(review.decisions)))
            self.viewer.go_to_image(step.image_index)
            self._save(deciding, step.series_id)
        else:
            self._save(deciding, step.series_id, then=lambda: self.open_series(step.series_id, step.image_index))

    def _save(self, deciding: Deciding, series_id: int, then: Callable[[], None] | None = None) -> None:
        def saved() -> None:
            self._is_own_change = True
            self._unsaved = max(0, self._unsaved - 1)
            if not self._unsaved:
                self._reload()
            if then is not None:
                then()

        self._unsaved += 1
        self._changed.add(series_id)
        self._session.change(partial(_save, deciding=deciding), then=saved)

    def _reload(self) -> None:
        """What became of the series that were decided on; while decisions are on their way, the last one does it."""
        if not self._unsaved:
            for series_id in self._changed:
                self._ask_for(series_id, partial(self._take_reloaded, series_id), f"image-reload-{series_id}")
            self._reloading |= self._changed
            self._changed.clear()

    def _take_reloaded(self, series_id: int, review: SeriesToReview | None) -> None:
        if self._unsaved:  # it may have been read before them
            self._changed.add(series_id)
            return
        self._reloading.discard(series_id)
        if review is None:
            return
        items = (item.updated(review) if item.card.series_id == series_id else item for item in self._work.items)
        self._show_work(replace(self._work, items=tuple(items)))
        shown = self.viewer.review
        if shown is not None and shown.series.series_id == series_id:
            self._decided.clear()
            self.viewer.update_review(review)


def _save(project: Project, deciding: Deciding) -> None:
    save_decisions(project.layout, deciding(load_decisions(project.layout)))


def _passes(item: WorkItem, which: Filter) -> bool:
    states = item.card.states
    match which:
        case Filter.TODO:
            return item.todo > 0
        case Filter.ALL:
            return True
        case Filter.TEXT:
            return item.card.found > 0
        case Filter.LEAVES:
            return any(states[state] for state in ImageState if state.leaves)
        case Filter.STAYS:
            return states[ImageState.EXCLUDED] > 0
