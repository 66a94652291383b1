"""What the Tab key really reaches and what is really drawn: a style sheet can take back what a palette promises."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QColor, QFont, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.gui.theme import apply_theme
from app.gui.widgets.contact_sheet import ContactSheet
from app.gui.widgets.series_viewer import SeriesViewer
from app.gui.window import Window
from app.pipeline.progress import Step
from tests.gui.driving import opened, show
from tests.gui.review_case import make_project
from tests.gui.test_accessibility import PAGES, contrast, controls, describe, says

READABLE = 4.5  # WCAG 2.2, 1.4.3 (AA), for text of the usual size
DRAWN_THIN = 2.5  # of a sign: 1.4.11 wants 3, and smoothing takes away a part of the colour of a line of one pixel
MOST_CONTROLS = 200


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("drawing"))


@dataclass(frozen=True)
class Look:
    """How a person has set up the system: ``scale`` 2 is text at 200 %."""

    is_dark: bool = False
    scale: int = 1


LIGHT, DARK, LARGE = Look(), Look(is_dark=True), Look(scale=2)
looks = partial(pytest.mark.parametrize, "window", indirect=True, ids=repr)


@pytest.fixture(scope="module", params=[LIGHT], ids=repr)
def window(
    project: Path, tmp_path_factory: pytest.TempPathFactory, qapp: QApplication, request: pytest.FixtureRequest
) -> Iterator[Window]:
    """One window for all tests of a look: none of them changes the project. What it changes is put back afterwards."""
    palette, sheet, usual = qapp.palette(), qapp.styleSheet(), qapp.font()
    font = QFont(usual)
    font.setPointSizeF(request.param.scale * usual.pointSizeF())
    qapp.setFont(font)
    apply_theme(qapp, dark=request.param.is_dark)
    with opened(project, tmp_path_factory.mktemp("look")) as window:
        yield window
    qapp.setFont(usual)
    qapp.setPalette(palette)
    qapp.setStyleSheet(sheet)


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


# the Tab key --------------------------------------------------------------------------------------------------


def walk(window: Window, qtbot: QtBot) -> Iterator[QWidget]:
    """Press Tab from the list of steps on until it comes around."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    start = controls(window)[0]
    start.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(start.hasFocus)
    focused = start
    for _ in range(MOST_CONTROLS):
        yield focused
        QTest.keyClick(focused, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now is None or now in (start, focused):
            break
        focused = now


@pytest.mark.parametrize("name", PAGES)
def test_tab_reaches_every_control_and_is_caught_by_none(window: Window, name: str, qtbot: QtBot) -> None:
    show(window, name)
    walked = list(walk(window, qtbot))
    missed = [describe(widget) for widget in controls(window) if widget not in walked]
    assert missed == [], f"the last one was {describe(walked[-1])}"


def test_viewer_of_images_is_worked_by_keys_alone(window: Window, qtbot: QtBot) -> None:
    page = show(window, "images")
    (sheet,), (viewer,) = page.findChildren(ContactSheet), page.findChildren(SeriesViewer)
    QTest.keyClick(sheet, Qt.Key.Key_Return)
    qtbot.waitUntil(viewer.isVisible)
    found = controls(window)
    assert [describe(widget) for widget in found if not any(sign.isalnum() for sign in says(widget))] == []
    walked = list(walk(window, qtbot))
    assert [describe(widget) for widget in found if widget not in walked] == []
    viewer.view.setFocus()
    QTest.keyClick(viewer.view, Qt.Key.Key_Escape)
    qtbot.waitUntil(sheet.isVisible)


def test_steps_come_before_the_page(window: Window, qtbot: QtBot) -> None:
    page = show(window, "signoff")
    walked = list(walk(window, qtbot))
    first_of_page = next(number for number, widget in enumerate(walked) if page.isAncestorOf(widget))
    assert {*window.steps.values(), window.help_button} <= set(walked[:first_of_page])


def test_key_on_the_step_that_is_shown_leaves_it_marked(window: Window) -> None:
    show(window, "values")
    button = window.steps[Step.VALUES]
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert button.isChecked()
    QTest.keyClick(window.steps[Step.SIGN_OFF], Qt.Key.Key_Space)
    assert [step for step, other in window.steps.items() if other.isChecked()] == [Step.SIGN_OFF]


@pytest.mark.parametrize("name", PAGES)
def test_no_two_buttons_of_a_page_have_the_same_name(window: Window, name: str) -> None:
    page = show(window, name)
    names = Counter(says(widget) for widget in controls(page) if isinstance(widget, QAbstractButton))
    assert [name for name, count in names.items() if count > 1] == []


@looks([LARGE])
@pytest.mark.parametrize("name", PAGES)
def test_large_text_is_scrolled_to_on_a_small_screen_and_cut_nowhere(window: Window, name: str, qtbot: QtBot) -> None:
    page = show(window, name)
    assert window.size().toTuple() == (1280, 800)
    viewport = page.parentWidget()
    assert viewport is not None
    unseen, cut = [], []
    for widget in walk(window, qtbot):
        least = widget.minimumSizeHint()
        if isinstance(widget, QAbstractButton | QComboBox) and widget.width() < least.width():
            cut.append(f"{describe(widget)}: {widget.width()} of {least.width()} px")
        if page.isAncestorOf(widget) and not viewport.rect().contains(place(widget, viewport).topLeft()):
            unseen.append(describe(widget))
    assert cut == []
    assert unseen == []


# what is drawn ------------------------------------------------------------------------------------------------


def drawn_contrast(image: QImage) -> float:
    """That of the pixels: the commonest colour is the ground, the one that differs most from it the text."""
    counts = Counter(image.pixel(x, y) for y in range(image.height()) for x in range(image.width()))
    (ground, _), *_ = counts.most_common(1)
    return max(contrast(QColor(ground).name(), QColor(colour).name()) for colour in counts)


def pictured(widget: QWidget, window: Window, picture: QImage) -> QImage:
    """What can be seen of a widget; a null image for nothing."""
    return picture.copy(place(widget, window).intersected(picture.rect()))


def texts(within: QWidget) -> list[QLabel | QAbstractButton]:
    """Labels and buttons that show a text."""
    shown: list[QLabel | QAbstractButton] = [*within.findChildren(QLabel), *within.findChildren(QAbstractButton)]
    return [
        widget
        for widget in shown
        if widget.isVisible() and widget.isEnabled() and any(sign.isalnum() for sign in widget.text())
    ]


@looks([LIGHT, DARK])
@pytest.mark.parametrize("name", PAGES)
def test_texts_are_readable_as_they_are_drawn(window: Window, name: str) -> None:
    show(window, name)
    picture = window.grab().toImage()
    drawn = {widget.text(): pictured(widget, window, picture) for widget in texts(window)}
    found = {text: round(drawn_contrast(image), 2) for text, image in drawn.items() if not image.isNull()}
    assert {text: measured for text, measured in found.items() if measured < READABLE} == {}


@looks([LIGHT, DARK])
def test_signs_can_be_told_from_their_ground(window: Window) -> None:
    show(window, "values")
    picture = window.grab().toImage()
    signs = [label for label in window.findChildren(QLabel) if label.isVisible() and not label.pixmap().isNull()]
    assert len(signs) >= 2 * len(Step)
    assert min(drawn_contrast(pictured(sign, window, picture)) for sign in signs) >= DRAWN_THIN
