"""One series under review: its pictures one by one, and everything that can be done about them."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QColor, QHideEvent, QPalette
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QSizePolicy, QSlider, QVBoxLayout, QWidget

from app.errors import Reason
from app.gui.models.contact_sheet import title_of
from app.gui.models.pictures import PictureLoader
from app.gui.text import tr
from app.gui.widgets.chips import FlowLayout
from app.gui.widgets.image_view import FOUND, FoundBox, ImageView, MaskBox, Tool
from app.gui.widgets.parts import quiet, scaled, text_label
from app.gui.widgets.review_panel import ReviewPanel
from app.gui.widgets.stop_marks import StopMarks
from app.gui.widgets.viewer_keys import make_actions, make_legend, push_button, tool_button
from app.pixels.boxes import Box
from app.pixels.rendering import Window, WindowPreset
from app.project.decisions import ImageAction
from app.project.images import CheckedImage, Region
from app.project.masks import Mask, MaskScope
from app.review.image_deciding import mask_for
from app.review.places import named_places
from app.review.viewing import Picture, View
from app.review.worklist import Leaving, SeriesToReview, Stop, WorkItem
from app.text.image_words import MASK_SCOPES, WINDOWS
from app.text.reasons import REASONS

# Scrolling mostly goes on in the direction in which it went.
_AHEAD, _BEHIND = 10, 3
_USUAL_FRAMES_PER_S = 15.0
# An image with more pixels is shown coarsely at once, and as it is a moment later.
_LARGE_PX = 3_000_000
_NARROWEST, _WIDEST = 1e-6, 1e9
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
    masks_changed = Signal(object, object)  # list[Mask] to add, list[Mask] to remove
    next_wanted = Signal()
    undo_wanted = Signal()

    def __init__(self, loader: PictureLoader) -> None:
        super().__init__()
        self._loader = loader
        self._review: SeriesToReview | None = None
        self._stop, self._direction = -1, 1
        self._window: Window | None = None
        self._visited: set[int] = set()
        self._asked: View | None = None
        self._named: list[int] = []  # which of the found places the panel lists
        self._after: tuple[str, int] | None = None
        self._is_waiting = False
        self._cine = QTimer(self)
        self._cine.timeout.connect(self._play_on)
        self.view = ImageView()
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
                "window-next": self._next_window,
                "new": self._add_in_the_middle,
                "choose": self._choose_next,
                "delete": self._delete,
                "take": self._take_found,
                **{f"scope-{scope.value}": partial(self._set_scope, scope) for scope in MaskScope},
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
        self._banner.setAutoFillBackground(True)
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
        self._windows = QComboBox()
        self._windows.setAccessibleName(tr("Brightness"))
        self._windows.setToolTip(tr("The usual settings of brightness (P for the next)"))
        self._windows.setPlaceholderText(tr("By hand"))
        self._windows.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._windows.setMinimumContentsLength(11)
        self._windows.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tools = FlowLayout()
        for name in ("tool-mask", "tool-window", "tool-move"):
            tools.addWidget(tool_button(self._actions[name]))
        tools.addWidget(self._windows)
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
        view.mask_drawn.connect(self._add_mask)
        view.mask_changed.connect(self._change_mask)
        view.mask_chosen.connect(lambda _: self._show_decisions())
        view.found_taken.connect(lambda index: self._take_found([index]))
        view.zoomed.connect(lambda _: self._show_facts())
        self._slider.valueChanged.connect(self.go_to_stop)
        self._windows.activated.connect(self._choose_window)
        panel.found_chosen.connect(lambda row: view.highlight(self._named[row] if 0 <= row < len(self._named) else -1))
        panel.found_activated.connect(lambda row: self._take_found([self._named[row]]))
        panel.mask_chosen.connect(view.choose)
        panel.scope_wanted.connect(self._set_scope)

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
        self._review, self._window = review, None
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
        return View(locator, place.frame, self._window, self._actions["invert"].isChecked(), covered)

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
        self._show_windows(picture)
        self._show_facts()
        if not view.is_draft:
            self._visited.add(self._stop)
            self._show_visited()
            self._read_ahead()
        elif not self.view.is_windowing:
            self._ask()

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

    def _show_windows(self, picture: Picture) -> None:
        names = [tr("As in the file"), *map(_preset_text, picture.presets)]
        windows = [None, *(preset.window for preset in picture.presets)]
        with QSignalBlocker(self._windows):
            if [self._windows.itemText(row) for row in range(self._windows.count())] != names:
                self._windows.clear()
                self._windows.addItems(names)
            self._windows.setCurrentIndex(windows.index(self._window) if self._window in windows else -1)
        self._windows.setEnabled(bool(picture.presets))
        self._actions["tool-window"].setEnabled(bool(picture.presets))

    def _choose_window(self, row: int) -> None:
        picture = self.view.picture
        if picture is not None:
            self._window = None if row <= 0 else picture.presets[row - 1].window
            self._ask()

    def _next_window(self) -> None:
        if self._windows.isEnabled():
            self._choose_window((self._windows.currentIndex() + 1) % self._windows.count())

    def _drag_window(self, shift: float, stretch: float) -> None:
        picture = self.view.picture
        if picture is None or picture.window is None:
            return
        # Steps add up, also those that come before the picture of the last one.
        is_usable = self._window is not None and self._window.is_usable
        window = self._window if is_usable and self._window is not None else picture.window
        width = min(max(window.width * stretch, _NARROWEST), _WIDEST)
        self._window = replace(
            window, center=window.center + shift * window.width, width=width, original_explanation=""
        )
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
        if self._review is not None:
            self.view.settle()
            self.decided.emit(action, whole)

    def _regions(self) -> list[Region]:
        """What was found on the picture that is shown."""
        return [region for region in self.image.regions if region.box.frame in (None, self._here.frame)]

    def _masks(self) -> list[Mask]:
        """What was drawn on it."""
        assert self._review is not None
        return [mask for mask in self._review.masks(self.image) if mask.box.frame in (None, self._here.frame)]

    def _show_decisions(self) -> None:
        """All that depends on decisions and on which picture is shown."""
        if self._review is None or self.view.is_dragging:
            return
        regions, masks = self._regions(), self._masks()
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
        self.panel.show_masks(masks, self.view.chosen, self._possible_scopes())
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
        palette = self._banner.palette()
        palette.setColor(QPalette.ColorRole.Window, colour)
        palette.setColor(QPalette.ColorRole.WindowText, _ON_COLOUR)
        self._banner.setPalette(palette)
        self._banner.show()
        self.view.set_mode(shows_boxes=False, is_editable=False, frame=colour, is_dimmed=leaving is Leaving.STAYS)

    # masks ----------------------------------------------------------------------

    def _possible_scopes(self) -> list[MaskScope]:
        scopes = list(MaskScope)
        if self.image.frames <= 1:
            scopes.remove(MaskScope.FRAME)
        if not self.image.original_device:
            scopes.remove(MaskScope.DEVICE)
        return scopes

    def _mask(self, box: Box, scope: MaskScope, frame: int | None = None) -> Mask:
        assert self._review is not None
        return mask_for(scope, box, self.image, self._review.series, self._here.frame if frame is None else frame)

    def _add_mask(self, box: Box) -> None:
        self._change_masks([self._mask(box, MaskScope.INSTANCE)], [])

    def _change_mask(self, index: int, box: Box) -> None:
        masks = self._masks()
        if 0 <= index < len(masks):
            before = masks[index]
            self._change_masks([replace(before, box=replace(box, frame=before.box.frame))], [before])

    def _change_masks(self, add: list[Mask], remove: list[Mask]) -> None:
        if add == remove:
            return
        self.masks_changed.emit(add, remove)
        # By now the page has given the series with them: the handles go to what was added.
        masks = self._masks()
        if add and add[-1] in masks:
            self.view.choose(masks.index(add[-1]))

    def _delete(self) -> None:
        self.view.settle()
        masks, index = self._masks(), self.view.chosen
        if 0 <= index < len(masks):
            self.view.choose(-1)
            self._change_masks([], [masks[index]])

    def _set_scope(self, scope: MaskScope) -> None:
        self.view.settle()
        masks, index = self._masks(), self.view.chosen
        if 0 <= index < len(masks) and scope in self._possible_scopes() and masks[index].scope is not scope:
            self._change_masks([self._mask(masks[index].box, scope)], [masks[index]])

    def _add_in_the_middle(self) -> None:
        if self._review is None or not self.image.frames or self.is_preview:
            return
        box = self.view.middle_box()
        if box is not None:
            self._add_mask(box)
            self.view.setFocus()

    def _choose_next(self) -> None:
        count = len(self._masks()) if self._review is not None else 0
        if count:
            self.view.choose((self.view.chosen + 1) % count)
            self.view.setFocus()

    def _take_found(self, rows: Sequence[int] | None = None) -> None:
        """Masks over places with text: over all of this image, or over some of those that are shown."""
        if self._review is None or not self.image.frames:
            return
        regions = list(self.image.regions) if rows is None else [self._regions()[row] for row in rows if row >= 0]
        covered = [mask.box for mask in self._review.masks(self.image)]
        add: list[Mask] = []
        for region in regions:
            if not any(box.covers(region.box) for box in covered):
                scope = MaskScope.INSTANCE if region.box.frame is None else MaskScope.FRAME
                add.append(self._mask(region.box, scope, region.box.frame))
                covered.append(region.box)
        self._change_masks(add, [])


def _preset_text(preset: WindowPreset) -> str:
    return preset.window.original_explanation or tr(WINDOWS[preset.name])


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
