"""The page Review images with real widgets: the mouse draws, keys decide, and what is shown is what leaves."""

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QListView, QSlider, QWidget
from pytestqt.qtbot import QtBot

from app.errors import Reason
from app.gui.models.pictures import PictureLoader
from app.gui.pages.images import Filter, ImagesPage
from app.gui.session import Session
from app.jobs.executors import SerialExecutor
from app.pixels.boxes import Box
from app.project.decisions import Decisions, ImageAction, load_decisions
from app.project.folder import Layout, Project
from app.project.images import ImageState
from app.project.masks import Mask, MaskScope
from app.review.viewing import close_files
from tests.factory import save
from tests.unit.image_project import COLUMNS, NAME, ROWS, UNSURE, add_image, make_image, slope
from tests.unit.review_project import add_check, add_instance, open_project

UID = "1.2.1.1"
TAB = Qt.FocusPolicy.TabFocus

Fill = Callable[[Project, Path], None]


class Case:
    """The page over a project, and the ways of a test to look at both."""

    def __init__(self, page: ImagesPage, session: Session, layout: Layout, qtbot: QtBot) -> None:
        self.page, self.session, self.layout, self.bot = page, session, layout, qtbot
        self.viewer, self.view = page.viewer, page.viewer.view

    @property
    def decisions(self) -> Decisions:
        return load_decisions(self.layout)

    def until(self, holds: Callable[[], bool]) -> None:
        self.bot.waitUntil(holds, timeout=10_000)

    def begin(self, count: int) -> None:
        """Read the list; there are so many series."""
        self.page.refresh()
        self.until(lambda: len(self.page.model.items) == count)

    def open(self, series_id: int = 1) -> None:
        self.page.open_series(series_id)
        self.until(lambda: self.viewer.review is not None and self.viewer.review.series.series_id == series_id)
        self.settle()

    def settle(self) -> None:
        """Until the picture is there and decisions are in the files and shown."""
        self.until(lambda: not self.viewer.is_waiting and not self.page.is_saving)
        QApplication.processEvents()
        self.bot.wait(30)
        self.until(lambda: not self.viewer.is_waiting and not self.page.is_saving)

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.bot.keyClick(self.view, key, modifier)

    def at(self, x: float, y: float) -> QPoint:
        return self.view.to_widget(x, y).toPoint()

    def drag(self, start: QPoint, end: QPoint, button: Qt.MouseButton = Qt.MouseButton.LeftButton) -> None:
        self.bot.mousePress(self.view, button, pos=start)
        self.bot.mouseMove(self.view, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2))
        self.bot.mouseMove(self.view, end)
        self.bot.mouseRelease(self.view, button, pos=end)

    def state(self) -> ImageState:
        return self.viewer.image.plan.state

    def shown(self) -> np.ndarray:
        """The pixels of the whole picture, as they are drawn: rows x columns x RGB."""
        picture = self.view.picture
        assert picture is not None
        level = picture.levels[0]
        return level if level.ndim == 3 else np.repeat(level[..., np.newaxis], 3, axis=2)

    def painted(self, x: float, y: float) -> QColor:
        """The colour on the screen at a place of the image."""
        return QImage(self.view.grab().toImage()).pixelColor(self.at(x, y))


@pytest.fixture
def make_case(tmp_path: Path, qtbot: QtBot) -> Iterator[Callable[[Fill], Case]]:
    sessions: list[Session] = []

    def make(fill: Fill) -> Case:
        with open_project(tmp_path) as project:
            fill(project, tmp_path)
        session = Session(workers="serial")
        sessions.append(session)
        page = ImagesPage(session, PictureLoader(SerialExecutor))
        qtbot.addWidget(page)
        page.resize(1044, 760)
        with qtbot.waitActive(page):  # or keys do not work, on a real screen
            page.show()
            page.activateWindow()
        with qtbot.waitSignal(session.opened):
            session.open(tmp_path / "project")
        return Case(page, session, Layout(tmp_path / "project"), qtbot)

    yield make
    for session in sessions:
        session.close()
    close_files()


def one_image(project: Project, folder: Path) -> None:
    add_image(project, folder, 1, make_image(slope()), NAME, UNSURE)


def one_loop(project: Project, folder: Path) -> None:
    add_image(project, folder, 1, make_image(slope(6)), frames=6, risk="ultrasound")


def three_series(project: Project, folder: Path) -> None:
    for number in (1, 2):
        add_image(project, folder, number, make_image(slope(value=number)), NAME, series=1)
    add_image(project, folder, 1, make_image(slope(value=20)), risk="ultrasound", series=2)
    add_image(project, folder, 1, make_image(slope(value=30)), series=3)


def test_sheet_shows_the_riskiest_series_first_with_thumbnails(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(three_series)
    case.begin(3)
    model = case.page.model
    assert [item.card.series_id for item in model.items] == [1, 2, 3]
    assert [item.todo for item in model.items] == [2, 1, 1]
    case.until(lambda: all(model.index(row).data(Qt.ItemDataRole.DecorationRole) for row in range(3)))
    assert "Text found, 2 to look at" in model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_key_opens_the_riskiest_series(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(three_series)
    case.begin(3)
    case.bot.keyClick(case.page.sheet, Qt.Key.Key_Return)
    case.until(lambda: case.viewer.review is not None)
    case.settle()
    assert case.viewer.review is not None
    assert case.viewer.review.series.series_id == 1
    assert case.shown()[0, 80, 0] == 81


def test_mask_that_is_drawn_with_the_mouse_ends_up_in_the_decisions(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    case.drag(case.at(120, 40), case.at(160, 60))
    case.settle()
    (mask,) = case.decisions.masks
    assert (mask.scope, mask.original_key) == (MaskScope.INSTANCE, UID)
    box = mask.box
    assert np.abs(np.array((box.top, box.left, box.bottom, box.right)) - (40, 120, 60, 160)).max() <= 1
    assert case.view.chosen == 0, "it has the handles"


def test_mask_is_moved_resized_and_deleted_by_mouse_and_keys(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    case.drag(case.at(120, 40), case.at(160, 60))
    case.settle()
    drawn = next(iter(case.decisions.masks)).box
    case.drag(case.at(140, 50), case.at(130, 70))
    case.settle()
    moved = next(iter(case.decisions.masks)).box
    assert (moved.right - moved.left, moved.bottom - moved.top) == (drawn.right - drawn.left, drawn.bottom - drawn.top)
    assert (drawn.left - moved.left, moved.top - drawn.top) == (10, 20)
    case.drag(case.at(moved.right, moved.bottom), case.at(moved.right + 15, moved.bottom + 5))
    case.settle()
    larger = next(iter(case.decisions.masks)).box
    assert larger == replace(moved, right=moved.right + 15, bottom=moved.bottom + 5)
    case.press(Qt.Key.Key_Left)
    case.press(Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    case.view.settle()
    case.settle()
    nudged = next(iter(case.decisions.masks)).box
    assert nudged == replace(larger, left=larger.left - 1, right=larger.right - 1, bottom=larger.bottom + 1)
    case.press(Qt.Key.Key_Delete)
    case.settle()
    assert not case.decisions.masks
    case.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    case.settle()
    assert {mask.box for mask in case.decisions.masks} == {nudged}


def test_mask_is_for_a_frame_an_image_a_series_or_a_device(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_loop)
    case.begin(1)
    case.open()
    case.press(Qt.Key.Key_Down)
    case.press(Qt.Key.Key_D, Qt.KeyboardModifier.ShiftModifier)
    case.settle()
    for key, scope, owner, frame in (
        (Qt.Key.Key_1, MaskScope.FRAME, UID, 1),
        (Qt.Key.Key_3, MaskScope.SERIES, "1.2.1", None),
        (Qt.Key.Key_4, MaskScope.DEVICE, "device", None),
        (Qt.Key.Key_2, MaskScope.INSTANCE, UID, None),
    ):
        case.press(key)
        case.settle()
        (mask,) = case.decisions.masks
        assert (mask.scope, mask.original_key, mask.box.frame) == (scope, owner, frame)


def test_keys_approve_mask_exclude_and_go_on(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(three_series)
    case.begin(3)
    case.open()
    case.press(Qt.Key.Key_M)
    case.until(lambda: case.viewer.image_index == 1)
    case.settle()
    case.press(Qt.Key.Key_A)
    case.until(lambda: case.viewer.review is not None and case.viewer.review.series.series_id == 2)
    case.settle()
    assert case.state() is ImageState.MUST_BE_SEEN
    case.press(Qt.Key.Key_X, Qt.KeyboardModifier.ShiftModifier)
    case.until(lambda: case.viewer.review is not None and case.viewer.review.series.series_id == 3)
    case.settle()
    case.press(Qt.Key.Key_A)
    case.until(lambda: case.viewer.review is None)
    case.settle()
    assert {uid: one.action for uid, one in case.decisions.images.items()} == {
        "1.2.1.1": ImageAction.MASK,
        "1.2.1.2": ImageAction.RELEASE,
        "1.2.2": ImageAction.EXCLUDE,
        "1.2.3.1": ImageAction.RELEASE,
    }
    case.until(lambda: not any(item.todo for item in case.page.work.items))
    assert not case.page.model.items, "nothing is left to look at"
    assert case.page.empty_text.startswith("Nothing to look at")


def test_picture_that_is_not_there_yet_cannot_be_approved(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_loop)
    case.begin(1)
    case.open()
    case.viewer.go_to_stop(3)
    assert case.viewer.is_waiting
    for key in ("release", "mask", "release-all", "mask-all"):
        case.viewer.action(key).trigger()
    case.settle()
    assert not case.decisions.images
    case.press(Qt.Key.Key_A)
    case.settle()
    assert set(case.decisions.images) == {UID}


def test_whole_series_is_decided_with_one_key(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(three_series)
    case.begin(3)
    case.open()
    case.press(Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    case.until(lambda: case.viewer.review is not None and case.viewer.review.series.series_id == 2)
    case.settle()
    assert {uid: one.action for uid, one in case.decisions.images.items()} == {"1.2.1": ImageAction.MASK}
    assert case.page.work.items[0].card.states[ImageState.MASKED] == 2


def test_undo_goes_back_to_where_it_was_done(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(three_series)
    case.begin(3)
    case.open(2)
    case.press(Qt.Key.Key_X)
    case.until(lambda: case.viewer.review is not None and case.viewer.review.series.series_id != 2)
    case.settle()
    case.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    case.until(lambda: case.viewer.review is not None and case.viewer.review.series.series_id == 2)
    case.settle()
    assert not case.decisions.images
    assert case.state() is ImageState.MUST_BE_SEEN


def test_preview_differs_exactly_inside_the_boxes(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    before = case.shown()
    case.press(Qt.Key.Key_V)
    case.settle()
    inside = np.zeros((ROWS, COLUMNS), dtype=bool)
    inside[NAME.box.top : NAME.box.bottom, NAME.box.left : NAME.box.right] = True
    assert (case.shown()[inside] == 0).all(), "undecided: as it would be masked"
    assert np.array_equal(case.shown()[~inside], before[~inside])
    assert "Not decided" in case.viewer.banner_text
    case.press(Qt.Key.Key_A)
    case.settle()
    case.open()
    assert np.array_equal(case.shown(), before), "it leaves as it is, and so it is shown"
    assert case.viewer.banner_text == "Exactly this leaves."


def test_preview_shows_a_mask_that_was_drawn_and_cannot_be_drawn_on(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    case.drag(case.at(120, 40), case.at(160, 60))
    case.press(Qt.Key.Key_V)
    case.settle()
    assert (case.shown()[42:58, 122:158] == 0).all()
    assert case.painted(140, 50).lightness() == 0
    case.drag(case.at(20, 70), case.at(60, 90))
    case.settle()
    assert len(case.decisions.masks) == 1


def test_unsure_and_certain_places_become_masks_with_one_key(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    case.press(Qt.Key.Key_T)
    case.settle()
    assert case.decisions.masks == {Mask(MaskScope.INSTANCE, UID, one.box) for one in (NAME, UNSURE)}
    case.press(Qt.Key.Key_T)
    case.settle()
    assert len(case.decisions.masks) == 2


def test_double_click_on_an_unsure_place_masks_it(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    case.bot.mouseDClick(case.view, Qt.MouseButton.LeftButton, pos=case.at(30, 65))
    case.settle()
    assert {mask.box for mask in case.decisions.masks} == {UNSURE.box}


def wheel(view: QWidget, delta: int, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    place = QPointF(view.width() / 2, view.height() / 2)
    event = QWheelEvent(
        place, view.mapToGlobal(place), QPoint(0, 0), QPoint(0, delta), Qt.MouseButton.NoButton, modifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(view, event)


def test_wheel_and_keys_go_through_the_pictures(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_loop)
    case.begin(1)
    case.open()
    for turn, expected in ((-120, 1), (-60, 1), (-60, 2), (240, 0), (120, 0)):
        wheel(case.view, turn)
        case.settle()
        assert (case.viewer.stop, case.shown()[0, 0, 0]) == (expected, expected)
    for key, expected in ((Qt.Key.Key_End, 5), (Qt.Key.Key_Up, 4), (Qt.Key.Key_Home, 0), (Qt.Key.Key_PageDown, 5)):
        case.press(key)
        case.settle()
        assert case.viewer.stop == expected


def test_wheel_with_ctrl_zooms_and_f_fits(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    fitted = case.view.scale
    place = QPoint(case.view.width() // 2, case.view.height() // 2)
    under = case.view.to_image(QPointF(place))
    wheel(case.view, 120, Qt.KeyboardModifier.ControlModifier)
    assert case.view.scale == pytest.approx(fitted * 1.25)
    still = case.view.to_image(QPointF(place))
    assert (still.x(), still.y()) == pytest.approx((under.x(), under.y()), abs=0.5)
    case.press(Qt.Key.Key_F)
    assert case.view.scale == pytest.approx(fitted)


def test_dragging_with_the_right_button_changes_brightness_and_contrast(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_image)
    case.begin(1)
    case.open()
    before = case.shown()
    middle = case.at(100, 50)
    case.drag(middle, middle + QPoint(-100, 60), Qt.MouseButton.RightButton)
    case.settle()
    picture = case.view.picture
    assert picture is not None and picture.window is not None
    assert picture.window.width == pytest.approx(255 * np.exp(-100 / 250), rel=0.01)
    assert picture.window.center > 127.5
    assert len(picture.levels) == 1 and picture.steps == (1,)
    assert not np.array_equal(case.shown(), before)
    assert not case.decisions.masks
    case.press(Qt.Key.Key_P)
    case.settle()
    assert np.array_equal(case.shown(), before), "as in the file again"


def test_large_image_is_shown_coarsely_at_once_and_then_as_it_is(make_case: Callable[[Fill], Case]) -> None:
    def fill(project: Project, folder: Path) -> None:
        instance_id = add_image(project, folder, 1, make_image(np.zeros((2000, 1600), np.uint8)), NAME)
        project.store.execute(
            "UPDATE image_checks SET height = 2000, width = 1600 WHERE instance_id = ?", (instance_id,)
        )

    case = make_case(fill)
    case.begin(1)
    steps: list[tuple[int, ...]] = []
    case.page.loader.shown.connect(lambda _, picture: steps.append(picture.steps))
    case.open()
    assert steps == [(4,), (1, 2)]
    assert case.view.picture is not None
    assert case.view.picture.steps == (1, 2)


def test_inversion_and_film(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(one_loop)
    case.begin(1)
    case.open()
    case.press(Qt.Key.Key_I)
    case.settle()
    assert case.shown()[0, 0, 0] == 255
    case.press(Qt.Key.Key_C)
    assert case.viewer.is_playing
    case.until(lambda: case.viewer.stop >= 3)
    case.press(Qt.Key.Key_C)
    assert not case.viewer.is_playing


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL", "PALETTE COLOR"])
def test_colours_on_the_screen_are_right(photometric: str, make_case: Callable[[Fill], Case]) -> None:
    stored = {"RGB": (200, 30, 40), "YBR_FULL": (82, 104, 212)}

    def fill(project: Project, folder: Path) -> None:
        if photometric == "PALETTE COLOR":
            dataset = make_image(np.full((ROWS, COLUMNS), 2, np.uint8), photometric=photometric)
            for name, entries in (("Red", (0, 9, 200)), ("Green", (0, 9, 30)), ("Blue", (0, 9, 40))):
                setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [3, 0, 16])
                setattr(dataset, f"{name}PaletteColorLookupTableData", (np.array(entries, "<u2") * 257).tobytes())
        else:
            dataset = make_image(np.full((ROWS, COLUMNS, 3), stored[photometric], np.uint8), photometric=photometric)
        add_image(project, folder, 1, dataset, risk="ultrasound")

    case = make_case(fill)
    case.begin(1)
    case.open()
    colour = case.painted(100, 50)
    assert np.abs(np.array((colour.red(), colour.green(), colour.blue())) - (200, 30, 40)).max() <= 1


def test_file_that_cannot_be_shown_says_why_and_the_next_one_still_comes(make_case: Callable[[Fill], Case]) -> None:
    def fill(project: Project, folder: Path) -> None:
        add_check(project, add_instance(project, 1, series=1), NAME)
        add_image(project, folder, 1, make_image(slope()), NAME, series=2)

    case = make_case(fill)
    case.begin(2)
    case.open()
    assert case.view.picture is None
    assert case.view.message.startswith("The file")
    case.press(Qt.Key.Key_X)
    case.until(lambda: case.view.picture is not None)


def test_filters_and_empty_states(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(three_series)
    case.begin(3)
    for which, count in ((Filter.TEXT, 1), (Filter.ALL, 3), (Filter.STAYS, 0)):
        case.page.filter_button(which).click()
        assert len(case.page.model.items) == count
    assert case.page.empty_text.startswith("No series")


def test_project_without_images_leads_to_find(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(lambda project, folder: None)
    case.page.refresh()
    case.until(lambda: case.page.empty_text.startswith("No images yet"))
    with case.bot.waitSignal(case.page.go_to) as signal:
        case.page.leave_empty_state()
    assert signal.args == ["find"]


def test_every_control_has_a_name_and_can_be_reached_by_keys(make_case: Callable[[Fill], Case]) -> None:
    case = make_case(three_series)
    case.begin(3)
    kinds = (QAbstractButton, QComboBox, QListView, QSlider)
    on_sheet = [widget for kind in kinds for widget in case.page.findChildren(kind) if widget.isVisible()]
    case.open()
    on_viewer = [widget for kind in kinds for widget in case.page.findChildren(kind) if widget.isVisible()]
    controls = [*on_sheet, *on_viewer]
    names = [widget.accessibleName() or str(widget.property("text") or "") for widget in controls]
    # Of buttons of which one is on, Qt gives the Tab key that one, and the arrow keys the others.
    alone = [one for one in controls if not (isinstance(one, QAbstractButton) and one.group() is not None)]
    assert len(controls) - len(alone) == len(Filter)
    assert all(one.focusPolicy() & TAB for one in alone)
    assert len(names) > 25
    assert all(names)
    assert case.view.accessibleName()
    assert case.view.focusPolicy() & TAB


def test_process_beside_the_window_decodes(tmp_path: Path, qtbot: QtBot) -> None:
    from app.files.locator import Locator
    from app.review.viewing import View

    path = save(make_image(slope()), tmp_path / "image.dcm")
    loader = PictureLoader()
    view = View(Locator(str(path)).to_text(), covered=(Box(0, 0, 1, 1),))
    with qtbot.waitSignal(loader.shown, timeout=60_000) as shown:
        loader.show(view)
    assert shown.args[0] == view
    assert shown.args[1].levels[0][0, 80] == 80
    with qtbot.waitSignal(loader.thumbnail, timeout=60_000) as thumbnail:
        loader.want_thumbnails(['["/gone"]'], 100)
    assert thumbnail.args == ['["/gone"]', None]
    # A damaged file may take the process along: that is told, and the next picture has another process.
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    with qtbot.waitSignal(loader.failed, timeout=60_000) as failed:
        loader.show(view)
    assert failed.args == [view, Reason.WORKER_CRASHED]
    with qtbot.waitSignal(loader.shown, timeout=60_000):
        loader.show(view)
    loader.end()
    assert not multiprocessing.active_children()
