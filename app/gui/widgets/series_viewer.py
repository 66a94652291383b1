"""One series under review: its pictures one by one, and everything that can be done about them."""

from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QColor, QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from app.errors import Reason
from app.gui.models.contact_sheet import title_of
from app.gui.models.pictures import PictureLoader
from app.gui.text import tr
from app.gui.widgets.brightness import BrightnessBox
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.image_view import FOUND, FoundBox, ImageView, MaskBox, Tool
from app.gui.widgets.mask_editor import MaskEditor
from app.gui.widgets.parts import quiet, scaled, text_label
from app.gui.widgets.review_panel import ReviewPanel
from app.gui.widgets.stop_marks import StopMarks
from app.gui.widgets.viewer_keys import make_actions, make_legend, push_button, tool_button
from app.project.decisions import ImageAction
from app.project.images import CheckedImage, Region
from app.project.masks import MaskScope
from app.review.places import named_places
from app.review.viewing import Picture, View
from app.review.worklist import Leaving, SeriesToReview, Stop, WorkItem
from app.text.image_words import MASK_SCOPES
from app.text.reasons import REASONS

# Scrolling mostly goes on in the direction in which it went.
_AHEAD, _BEHIND = 10, 3
_USUAL_FRAMES_PER_S = 15.0
_LATE_MS = 150
# An image with more pixels is shown coarsely at once, and as it is a moment later.
_LARGE_PX = 3_000_000
_LEAVES, _UNDECIDED, _STAYS = QColor("#39b77a"), FOUND, QColor("#ef7d7b")
_ON_COLOUR = QColor("#101418")
_STYLE = """
QToolButton { padding: 4px 8px; border: 1px solid palette(mid); border-radius: 6px; background: palette(base); }
QToolButton:hover { border-color: palette(text); }
QToolButton:focus { border: 2px solid palette(text); padding: 3px 7px; }
QToolButton:checked { background: palette(highlight); color: palette(highlighted-text); border-color: palette(text);
    font-weight: 600; }
QToolButton:disabled { color: palette(placeholder-text); background: palette(window); }
"""
_KNOWN_PLACES = frozenset(("device", "ultrasound-regions"))  # as detection names its tables


class SeriesViewer(QWidget):
    """Shows a ``SeriesToReview``; it decides nothing itself but says what a person wants."""

    left = Signal()
    decided = Signal(object, bool)  # ImageAction or None, whether for the whole series
    next_wanted = Signal()
    undo_wanted = Signal()

    def __init__(self, loader: PictureLoader) -> None:
        super().__init__()
        self._loader = loader
        self._review: SeriesToReview | None = None
        self._stop, self._direction = -1, 1
        self._visited: set[int] = set()
        self._asked: View | None = None
        self._named: list[int] = []  # which of the found places the panel lists
        self._after: tuple[str, int] | None = None
        self._is_waiting = False
        self._cine = QTimer(self)
        self._cine.timeout.connect(self._play_on)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(_LATE_MS)
        self._late.timeout.connect(self._show_waiting)
        self.view = ImageView()
        self._masks = MaskEditor(self.view)
        self._brightness = BrightnessBox()
        self.masks_changed = self._masks.changed  # list[Mask] to add, list[Mask] to remove
        self._actions = self._make_actions()
        self.panel = ReviewPanel(self._actions)
        self._build()
        self._connect()

    # building -----------------------------------------------------------------

    def _make_actions(self) -> dict[str, QAction]:
        view = self.view
        actions = make_actions(
            self,
            {
                "release": lambda: self._decide(ImageAction.RELEASE),
                "mask": lambda: self._decide(ImageAction.MASK),
                "exclude": lambda: self._decide(ImageAction.EXCLUDE),
                "release-all": lambda: self._decide(ImageAction.RELEASE, whole=True),
                "mask-all": lambda: self._decide(ImageAction.MASK, whole=True),
                "exclude-all": lambda: self._decide(ImageAction.EXCLUDE, whole=True),
                "clear": lambda: self._decide(None),
                "next": self.next_wanted.emit,
                "undo": self.undo_wanted.emit,
                "back": self._escape,
                "tool-mask": lambda: self._take(Tool.MASK),
                "tool-window": lambda: self._take(Tool.WINDOW),
                "tool-move": lambda: self._take(Tool.MOVE),
                "preview": self._toggle_preview,
                "boxes": self._show_mode,
                "invert": self._ask,
                "cine": self._toggle_cine,
                "fit": view.fit,
                "real": lambda: view.zoom_to(1 / view.devicePixelRatioF()),
                "nearer": lambda: view.zoom_by_steps(1),
                "farther": lambda: view.zoom_by_steps(-1),
                "window-next": self._brightness.choose_next,
                "new": self._masks.add_in_the_middle,
                "choose": self._masks.choose_next,
                "delete": self._masks.delete,
                "take": self._masks.take,
                **{f"scope-{scope.value}": partial(self._masks.set_scope, scope) for scope in MaskScope},
            },
        )
        actions["tool-mask"].setChecked(True)
        actions["boxes"].setChecked(True)
        return actions

    def _build(self) -> None:
        self.view.setAccessibleName(tr("Image"))
        body = QHBoxLayout()
        body.setSpacing(12)
        left = QVBoxLayout()
        left.setSpacing(6)
        left.addLayout(self._build_tools())
        self._banner = text_label()
        self._banner.setContentsMargins(10, 5, 10, 5)
        self._banner.hide()
        left.addWidget(self._banner)
        left.addWidget(self.view, 1)
        left.addLayout(self._build_slider())
        body.addLayout(left, 1)
        body.addWidget(self.panel)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.setSpacing(8)
        page.addLayout(self._build_head())
        page.addLayout(body, 1)
        page.addWidget(make_legend())
        self.setStyleSheet(_STYLE)

    def _build_head(self) -> QHBoxLayout:
        self._head = text_label(wrap=False)
        self._head.setFont(scaled(self.font(), 1.25, bold=True))
        self._head.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(tool_button(self._actions["back"], "\u2190 "))
        head.addWidget(self._head, 1)
        for name in ("boxes", "preview", "undo"):
            head.addWidget(tool_button(self._actions[name]))
        head.addWidget(push_button(self._actions["next"], primary=True))
        return head

    def _build_tools(self) -> FlowLayout:
        tools = FlowLayout()
        for name in ("tool-mask", "tool-window", "tool-move"):
            tools.addWidget(tool_button(self._actions[name]))
        tools.addWidget(self._brightness)
        for name in ("invert", "cine", "fit", "real"):
            tools.addWidget(tool_button(self._actions[name]))
        return tools

    def _build_slider(self) -> QVBoxLayout:
        self._slider = QSlider(Qt.Orientation.Horizontal)
        self._slider.setAccessibleName(tr("Picture"))
        self._slider.setPageStep(10)
        self._marks = StopMarks()
        self._place = text_label(wrap=False)
        self._facts = quiet(text_label(wrap=False))
        self._rest = quiet(text_label(wrap=False))
        texts = FlowLayout()
        for label in (self._place, self._facts, self._rest):
            label.setContentsMargins(0, 0, 18, 0)
            texts.addWidget(label)
        column = QVBoxLayout()
        column.setSpacing(2)
        column.addWidget(self._marks)
        column.addWidget(self._slider)
        column.addLayout(texts)
        return column

    def _connect(self) -> None:
        self._loader.shown.connect(self._show)
        self._loader.failed.connect(self._show_failure)
        view, panel = self.view, self.panel
        view.stepped.connect(self._step)
        view.window_dragged.connect(self._drag_window)
        view.window_settled.connect(self._ask)
        view.mask_chosen.connect(lambda _: self._show_decisions())
        view.zoomed.connect(lambda _: self._show_facts())
        self._slider.valueChanged.connect(self.go_to_stop)
        self._brightness.changed.connect(self._ask)
        panel.found_chosen.connect(lambda row: view.highlight(self._named[row] if 0 <= row < len(self._named) else -1))
        panel.found_activated.connect(lambda row: self._masks.take([self._named[row]]))
        panel.mask_chosen.connect(view.choose)
        panel.scope_wanted.connect(self._masks.set_scope)

    # what is shown --------------------------------------------------------------

    @property
    def review(self) -> SeriesToReview | None:
        """The series that is open."""
        return self._review

    @property
    def stop(self) -> int:
        """Which of the pictures is shown."""
        return self._stop

    @property
    def image_index(self) -> int:
        """Which image of the series is shown."""
        return self._here.image

    @property
    def image(self) -> CheckedImage:
        """The image that is shown."""
        assert self._review is not None
        return self._review.series.images[self.image_index]

    @property
    def is_preview(self) -> bool:
        """Whether it shows what would leave."""
        return self._actions["preview"].isChecked()

    @property
    def is_playing(self) -> bool:
        """Whether the film runs."""
        return self._cine.isActive()

    @property
    def is_waiting(self) -> bool:
        """Whether the picture that is wanted is not there yet."""
        return self._is_waiting

    @property
    def banner_text(self) -> str:
        """What is said above a preview."""
        return self._banner.text() if self.is_preview else ""

    def action(self, name: str) -> QAction:
        """One of the things that can be done (``viewer_keys.COMMANDS``)."""
        return self._actions[name]

    @property
    def _here(self) -> Stop:
        assert self._review is not None
        return self._review.stops[self._stop]

    def open(self, review: SeriesToReview, item: WorkItem, image_index: int) -> None:
        """Show another series, from one of its images on."""
        self.view.settle()
        self.stop_playing()
        self._review = review
        self._brightness.reset()
        self._actions["invert"].setChecked(False)
        self._visited = set()
        self._direction = 1
        self._head.setText(title_of(item))
        self._set_range()
        self.view.set_boxes((), ())
        self._stop, self._asked = -1, None
        self.go_to_image(image_index)
        self.view.setFocus()

    def show_rest(self, sentence: str) -> None:
        """How much there is still to do."""
        self._rest.setText(sentence)

    def update_review(self, review: SeriesToReview) -> None:
        """The same series after a decision; what is looked at stays."""
        if self._review is None or review.series.series_id != self._review.series.series_id:
            return
        here = self._here
        self._review = review
        self._set_range()
        self._stop = review.stops.index(here) if here in review.stops else 0
        self._show_decisions()
        self._ask()

    def close_series(self) -> None:
        """Show nothing; the files are let go of."""
        self.view.settle()
        self.stop_playing()
        self._review = self._asked = None
        self._is_waiting = False
        self._masks.show_stop(None)
        self._loader.release()

    def _set_range(self) -> None:
        assert self._review is not None
        count = len(self._review.stops)
        with QSignalBlocker(self._slider):
            self._slider.setRange(0, count - 1)
        for widget in (self._slider, self._marks):
            widget.setVisible(count > 1)
        self._actions["cine"].setEnabled(count > 1)

    def go_to_image(self, index: int) -> None:
        """Show an image from where it is best begun with."""
        if self._review is not None:
            self.go_to_stop(self._review.first_stop(index))

    def read_after(self, review: SeriesToReview | None) -> None:
        """Have the first picture of another series at hand; None for no other."""
        self._after = None
        if review is not None:
            stop = review.stops[review.first_stop(review.next_to_look_at(-1) or 0)]
            self._after = review.series.images[stop.image].original_locator, stop.frame
            if not self._is_waiting and self._review is not None:
                self._read_ahead()

    def go_to_stop(self, stop: int) -> None:
        """Show one of the pictures."""
        if self._review is None:
            return
        stop = min(max(stop, 0), len(self._review.stops) - 1)
        if stop == self._stop:
            return
        self.view.settle()
        image_before = self._here.image if self._stop >= 0 else -1
        self._direction = 1 if stop > self._stop else -1
        self._stop = stop
        with QSignalBlocker(self._slider):
            self._slider.setValue(stop)
        self._ask(is_draft=self.image.rows * self.image.columns > _LARGE_PX)
        self._late.start()
        if self._here.image != image_before and self.view.chosen >= 0:
            self.view.choose(-1)
        self._show_decisions()

    def _step(self, steps: int) -> None:
        self.stop_playing()
        self.go_to_stop(self._stop + steps)

    # pictures -------------------------------------------------------------------

    def _view_of(self, stop: int) -> View:
        assert self._review is not None
        place = self._review.stops[stop]
        covered = self._review.outlook(place.image).boxes if self.is_preview else ()
        locator = self._review.series.images[place.image].original_locator
        return View(locator, place.frame, self._brightness.window_chosen, self._actions["invert"].isChecked(), covered)

    def _ask(self, *, is_draft: bool = False) -> None:
        if self._review is None:
            return
        view = replace(self._view_of(self._stop), is_draft=is_draft)
        if view != self._asked:
            self._asked, self._is_waiting = view, True
            self._loader.show(view)

    def _read_ahead(self) -> None:
        assert self._review is not None
        steps = (*range(1, _AHEAD + 1), *range(-1, -_BEHIND - 1, -1))
        stops = [self._stop + step * self._direction for step in steps]
        views = [self._view_of(stop) for stop in stops if 0 <= stop < len(self._review.stops)]
        frames = [(view.original_locator, view.frame) for view in views]
        # Not last: a long series would push it out of memory again.
        self._loader.read_ahead(frames[:2] + ([self._after] if self._after is not None else []) + frames[2:])

    def _show(self, view: View, picture: Picture) -> None:
        if view != self._asked or self._review is None:
            return
        self._is_waiting = False
        self.view.show_picture(picture)
        self._show_mode()
        self._brightness.show_picture(picture)
        self._actions["tool-window"].setEnabled(self._brightness.has_choice)
        self._show_facts()
        if not view.is_draft:
            self._visited.add(self._stop)
            self._show_visited()
            self._read_ahead()
        elif not self.view.is_windowing:
            self._ask()

    def _show_waiting(self) -> None:
        """The picture before must not pass for the one that is not there yet."""
        if self._is_waiting:
            self.view.show_waiting(tr("Loading\u2026"))

    def _show_failure(self, view: View, reason: Reason) -> None:
        if view == self._asked and self._review is not None:
            self._is_waiting = False
            self.view.show_message(tr(REASONS[reason]))
            self._show_mode()

    def _show_facts(self) -> None:
        picture = self.view.picture
        if picture is None:
            self._facts.setText("")
            return
        parts = [f"{picture.columns} \u00d7 {picture.rows}", f"{self.view.scale * 100:.0f} %"]
        if picture.window is not None:
            center, width = _short(picture.window.center), _short(picture.window.width)
            parts.append(tr("brightness {center}, contrast {width}", center=center, width=width))
        self._facts.setText("  \u00b7  ".join(parts))

    def _show_visited(self) -> None:
        assert self._review is not None
        stops = self._review.stops
        self._marks.show_marks(len(stops), self._visited, self._review.stops_with_text)
        images = len(self._review.series.images)
        self.panel.show_series(images=images, pictures=len(stops), seen=len(self._visited))

    # brightness -----------------------------------------------------------------

    def _drag_window(self, shift: float, stretch: float) -> None:
        if self._brightness.drag(shift, stretch):
            self._ask(is_draft=True)

    # film -----------------------------------------------------------------------

    def _toggle_cine(self) -> None:
        if not self._actions["cine"].isChecked():
            self.stop_playing()
            return
        picture = self.view.picture
        rate = (None if picture is None else picture.frames_per_second) or _USUAL_FRAMES_PER_S
        self._cine.start(round(1000 / rate))

    def stop_playing(self) -> None:
        """Stand still."""
        self._cine.stop()
        self._actions["cine"].setChecked(False)

    def _play_on(self) -> None:
        # A slow file makes a slow film, not a jumping one.
        if self._review is not None and not self._is_waiting:
            self.go_to_stop((self._stop + 1) % len(self._review.stops))

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802 - Qt's name
        """Nothing plays where nobody sees it."""
        self.stop_playing()
        super().hideEvent(event)

    # tools ----------------------------------------------------------------------

    def _take(self, tool: Tool) -> None:
        self.view.tool = tool
        for name, one in (("tool-mask", Tool.MASK), ("tool-window", Tool.WINDOW), ("tool-move", Tool.MOVE)):
            self._actions[name].setChecked(one is tool)

    def _toggle_preview(self) -> None:
        self.view.settle()
        self._show_decisions()
        self._ask()

    def _escape(self) -> None:
        self.view.settle()
        if self.view.chosen >= 0:
            self.view.choose(-1)
        elif self.is_preview:
            self._actions["preview"].trigger()
        else:
            self.left.emit()

    # decisions ------------------------------------------------------------------

    def _decide(self, action: ImageAction | None, *, whole: bool = False) -> None:
        if self._review is None:
            return
        self.view.settle()
        # Nobody says that a picture may leave before it is there to be seen.
        if not self._is_waiting or action in (None, ImageAction.EXCLUDE):
            self.decided.emit(action, whole)

    def _show_decisions(self) -> None:
        """All that depends on decisions and on which picture is shown."""
        if self._review is None or self.view.is_dragging:
            return
        self._masks.show_stop(self._review, self._here)
        regions, masks = self._masks.regions, self._masks.masks
        named = named_places(regions)
        self.view.set_boxes(
            [
                FoundBox(region.box, _found_text(region), region.is_strong, index in named)
                for index, region in enumerate(regions)
            ],
            [MaskBox(mask.box, tr(MASK_SCOPES[mask.scope])) for mask in masks],
            chosen=self.view.chosen,
        )
        self.panel.show_image(self.image, is_audited=self._review.is_audited(self.image))
        self._named = named
        self.panel.show_found([_found_text(regions[index]) for index in named])
        self.panel.show_decision(self._review.decision_on(self.image))
        self.panel.show_masks(masks, self.view.chosen, self._masks.scopes)
        self._show_place()
        self._show_mode()
        self._show_visited()

    def _show_place(self) -> None:
        assert self._review is not None
        images = self._review.series.images
        parts = [tr("Image {number} of {count}", number=self._here.image + 1, count=len(images))]
        if self.image.frames > 1:
            parts.append(tr("frame {number} of {count}", number=self._here.frame + 1, count=self.image.frames))
        self._place.setText("  \u00b7  ".join(parts))

    def _show_mode(self) -> None:
        if self._review is None:
            return
        if not self.is_preview:
            self._banner.hide()
            can_draw = self.image.frames > 0 and self.view.picture is not None
            self.view.set_mode(shows_boxes=self._actions["boxes"].isChecked(), is_editable=can_draw)
            return
        leaving = self._review.outlook(self.image_index).leaving
        match leaving:
            case Leaving.LEAVES:
                text, colour = tr("Exactly this leaves."), _LEAVES
            case Leaving.IF_MASKED:
                text, colour = tr("Not decided yet. Exactly this leaves after \u201cMask\u201d."), _UNDECIDED
            case Leaving.STAYS:
                text, colour = tr("This image does not leave."), _STAYS
        self._banner.setText(text)
        # A style sheet of its own: the application's takes a palette back when the scheme changes.
        self._banner.setStyleSheet(f"background: {colour.name()}; color: {_ON_COLOUR.name()}")
        self._banner.show()
        self.view.set_mode(shows_boxes=False, is_editable=False, frame=colour, is_dimmed=leaving is Leaving.STAYS)


def _found_text(region: Region) -> str:
    if region.original_text:
        # Detectors that read the same words differently give a line each.
        text = f"\u201c{max(region.original_text.splitlines(), key=len)}\u201d"
    elif region.engine in _KNOWN_PLACES:
        return tr("The device writes here")
    else:
        text = tr("Text")
    if region.is_strong:
        return f"{text} \u00b7 {region.confidence * 100:.0f} %"
    return tr("{text} \u00b7 unsure", text=text)


def _short(number: float) -> str:
    return f"{number:.0f}" if abs(number) >= 10 or number == round(number) else f"{number:.3g}"
