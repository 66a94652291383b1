"""Every page of the real window: names for screen readers, the Tab key from top to bottom, contrast, large text."""

import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QColor, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.gui.preferences import Preferences
from app.gui.theme import DARK, LIGHT, Shades, apply_theme
from app.gui.widgets.tints import Tint
from app.gui.window import Window
from app.pipeline.progress import Step
from tests.gui.review_case import make_project

PAGES = ("start", *(step.value for step in Step))
READABLE = 4.5  # WCAG 2.2, 1.4.3 (AA), for text of the usual size
VISIBLE = 3.0  # WCAG 2.2, 1.4.11: signs, and what shows where the focus is
DRAWN_THIN = 2.5  # the same for a line of one pixel: smoothing takes away a part of its colour
_MOST_CONTROLS = 200


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("accessibility"))


@pytest.fixture(params=["light"])
def scheme(qapp: QApplication, request: pytest.FixtureRequest) -> Iterator[None]:
    """The theme as the program sets it, light where a test does not ask for another; put back afterwards."""
    palette, sheet = qapp.palette(), qapp.styleSheet()
    apply_theme(qapp, dark=request.param == "dark")
    yield
    qapp.setPalette(palette)
    qapp.setStyleSheet(sheet)


@pytest.fixture
def window(project: Path, tmp_path: Path, qtbot: QtBot, scheme: None) -> Iterator[Window]:
    window = Window(Preferences(tmp_path / "preferences.ini"), workers="serial")
    qtbot.addWidget(window)
    window.resize(1280, 800)
    window.show()
    with qtbot.waitSignal(window.session.opened):
        window.open_project(project)
    settle(window, qtbot)
    yield window
    window.session.close()


def settle(window: Window, qtbot: QtBot) -> None:
    """Wait until the window has asked all it wants to know, and shows it."""
    qtbot.waitUntil(lambda: not window._refresh_timer.isActive() and not window.session._tasks, timeout=20_000)
    qtbot.wait(20)


def show_page(window: Window, name: str, qtbot: QtBot) -> QWidget:
    if find_spec(f"app.gui.pages.{name}") is None:
        pytest.skip("this page is not written yet")
    window.show_page(name)
    settle(window, qtbot)
    page = window.stack.currentWidget()
    assert page is window.pages[name]
    return page


def controls(within: QWidget) -> list[QWidget]:
    """What the Tab key can reach."""
    return [
        widget
        for widget in within.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.isEnabled()
    ]


def name_of(widget: QWidget) -> str:
    """What a screen reader says of a widget, with the label beside it taken into account."""
    return str(QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name))


def told(widget: QWidget) -> str:
    return f"{type(widget).__name__} {name_of(widget)!r} in {type(widget.parent()).__name__}"


def place(widget: QWidget, window: QWidget) -> QRect:
    return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())


# names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_every_control_has_a_name_in_words(window: Window, name: str, qtbot: QtBot) -> None:
    show_page(window, name, qtbot)
    found = controls(window)
    assert len(found) > len(Step)
    nameless = [told(widget) for widget in found if not re.search(r"\w{2}", name_of(widget))]
    assert nameless == []


@pytest.mark.parametrize("name", PAGES)
def test_no_two_buttons_of_a_page_have_the_same_name(window: Window, name: str, qtbot: QtBot) -> None:
    page = show_page(window, name, qtbot)
    names = Counter(name_of(widget) for widget in controls(page) if isinstance(widget, QAbstractButton))
    assert [name for name, count in names.items() if count > 1] == []


# the Tab key --------------------------------------------------------------------------------------------------


def walk(window: Window, qtbot: QtBot) -> list[QWidget]:
    """Press Tab from the first control on until it comes around."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    start = controls(window)[0]
    start.setFocus(Qt.FocusReason.TabFocusReason)
    walked: list[QWidget] = [start]
    while len(walked) < _MOST_CONTROLS:
        QTest.keyClick(walked[-1], Qt.Key.Key_Tab)
        focused = QApplication.focusWidget()
        if focused is None or focused in walked:
            break
        walked.append(focused)
    return walked


@pytest.mark.parametrize("name", PAGES)
def test_tab_reaches_every_control_and_is_caught_by_none(window: Window, name: str, qtbot: QtBot) -> None:
    show_page(window, name, qtbot)
    walked = walk(window, qtbot)
    missed = [told(widget) for widget in controls(window) if widget not in walked]
    assert missed == [], f"the last one was {told(walked[-1])}"


def goes_back(before: QRect, after: QRect) -> bool:
    """Whether the step from one control to the next goes against reading order.

    Down a column, then the next column to the right; or along a row, then the next row. Up is allowed only to the
    right, to the left only down.
    """
    up = after.bottom() < before.top() and after.left() <= before.right()
    left = after.right() < before.left() and after.top() < before.bottom()
    return up or left


@pytest.mark.parametrize("name", PAGES)
def test_tab_order_is_reading_order(window: Window, name: str, qtbot: QtBot) -> None:
    page = show_page(window, name, qtbot)
    on_page = [widget for widget in walk(window, qtbot) if page.isAncestorOf(widget)]
    assert on_page
    wrong = [
        f"{told(one)} -> {told(other)}"
        for one, other in pairwise(on_page)
        if goes_back(place(one, window), place(other, window))
    ]
    assert wrong == []


def test_key_on_the_step_that_is_shown_leaves_it_marked(window: Window, qtbot: QtBot) -> None:
    show_page(window, "values", qtbot)
    button = window.steps[Step.VALUES]
    QTest.keyClick(button, Qt.Key.Key_Space)
    assert button.isChecked()
    QTest.keyClick(window.steps[Step.SIGN_OFF], Qt.Key.Key_Space)
    assert [step for step, other in window.steps.items() if other.isChecked()] == [Step.SIGN_OFF]


def test_pages_come_after_the_list_of_steps(window: Window, qtbot: QtBot) -> None:
    page = show_page(window, "signoff", qtbot)
    walked = walk(window, qtbot)
    first_of_page = next(number for number, widget in enumerate(walked) if page.isAncestorOf(widget))
    assert {*window.steps.values(), window.help_button} <= set(walked[:first_of_page])


# contrast -----------------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb, as WCAG 2.2 defines it."""
    shares = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_of_the_palette_is_readable_on_every_ground(colours: Shades) -> None:
    grounds = ("window", "base", "raised")
    pairs = [(text, ground) for text in ("text", "quiet", "accent") for ground in grounds]
    pairs += [("on_accent", "accent"), ("on_selection", "selection"), ("window", "text")]
    poor = {
        pair: round(measured, 2)
        for pair in pairs
        if (measured := contrast(getattr(colours, pair[0]), getattr(colours, pair[1]))) < READABLE
    }
    assert poor == {}


@pytest.mark.parametrize("which", Tint)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_of_meaning_are_readable_on_every_ground(colours: Shades, which: Tint) -> None:
    shade = which.value[colours is DARK]
    for ground in (colours.window, colours.base, colours.raised):
        assert contrast(shade, ground) >= READABLE, ground


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_focus_can_be_seen(colours: Shades) -> None:
    for ground in (colours.window, colours.base, colours.raised):
        assert contrast(colours.accent, ground) >= VISIBLE


def drawn_contrast(image: QImage) -> float:
    """That of the pixels: the commonest colour is the ground, the one that differs most from it the text."""
    counts = Counter(image.pixel(x, y) for y in range(image.height()) for x in range(image.width()))
    (ground, _), *_ = counts.most_common(1)
    return max(contrast(QColor(ground).name(), QColor(colour).name()) for colour in counts)


def pictured(widget: QWidget, window: Window, picture: QImage) -> QImage:
    """What can be seen of a widget."""
    return picture.copy(place(widget, window).intersected(picture.rect()))


def texts(within: QWidget) -> list[QLabel | QAbstractButton]:
    """Labels and buttons that show a text."""
    shown: list[QLabel | QAbstractButton] = [*within.findChildren(QLabel), *within.findChildren(QAbstractButton)]
    return [widget for widget in shown if widget.isVisible() and widget.isEnabled() and re.search(r"\w", widget.text())]


@pytest.mark.parametrize("scheme", ["light", "dark"], indirect=True)
@pytest.mark.parametrize("name", PAGES)
def test_texts_are_readable_as_they_are_drawn(window: Window, name: str, qtbot: QtBot) -> None:
    show_page(window, name, qtbot)
    picture = window.grab().toImage()
    drawn = {widget.text(): pictured(widget, window, picture) for widget in texts(window)}
    found = {text: round(drawn_contrast(image), 2) for text, image in drawn.items() if not image.isNull()}
    assert {text: measured for text, measured in found.items() if measured < READABLE} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"], indirect=True)
def test_signs_can_be_told_from_their_ground(window: Window, qtbot: QtBot) -> None:
    show_page(window, "values", qtbot)
    picture = window.grab().toImage()
    signs = [label for label in window.findChildren(QLabel) if label.isVisible() and not label.pixmap().isNull()]
    assert len(signs) >= 2 * len(Step)
    assert min(drawn_contrast(pictured(sign, window, picture)) for sign in signs) >= DRAWN_THIN


# large text ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_the_smallest_screen(window: Window, name: str, qtbot: QtBot) -> None:
    show_page(window, name, qtbot)
    least = window.minimumSizeHint()
    assert least.width() <= 1280
    assert least.height() <= 800
