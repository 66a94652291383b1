"""Everyone can use it: names for screen readers, the Tab key in reading order, contrast, large text."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QGroupBox,
    QScrollArea,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.gui.help import HelpWindow
from app.gui.settings import SettingsWindow
from app.gui.theme import DARK, LIGHT, Shades, apply_theme
from app.gui.widgets.parts import text_label, tinted
from app.gui.widgets.tints import Tint
from app.gui.window import Window
from app.pipeline.progress import Step
from tests.gui.driving import opened, show
from tests.gui.review_case import make_project

PAGES = ("start", *(step.value for step in Step))
# A row's controls differ by a few pixels in height; what is higher by more than this is read first.
SAME_LINE_PX = 24
FRAME_PX = 40  # of the desktop, around a window


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("accessibility"))


@pytest.fixture
def window(project: Path, tmp_path: Path, qapp: QApplication) -> Iterator[Window]:
    """The window with a prepared project."""
    apply_theme(qapp, dark=False)
    with opened(project, tmp_path) as window:
        yield window


def controls(page: QWidget) -> list[QWidget]:
    """What the Tab key reaches, in no order. Parts of Qt's own widgets are not ours, and an area only scrolls."""
    return [
        widget
        for widget in page.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        and widget.isVisible()
        and widget.isEnabled()
        and not widget.objectName().startswith("qt_")
        and not isinstance(widget.parent(), QComboBox)
        and not isinstance(widget, QScrollArea)
    ]


def says(widget: QWidget) -> str:
    """What a screen reader calls it."""
    if widget.accessibleName():
        return widget.accessibleName()
    if isinstance(widget, QAbstractButton):
        return widget.text()
    if isinstance(widget, QGroupBox):
        return widget.title()
    return ""


def describe(widget: QWidget) -> str:
    text = says(widget)
    place = widget.mapTo(widget.window(), QPoint(0, 0))
    return f"{type(widget).__name__}({text!r}) at {place.x()}, {place.y()}"


@pytest.mark.parametrize("name", PAGES)
def test_each_control_has_a_name(window: Window, name: str) -> None:
    page = show(window, name)
    nameless = [describe(widget) for widget in controls(page) if not says(widget).strip()]
    assert not nameless
    signs = [describe(widget) for widget in controls(page) if not any(sign.isalnum() for sign in says(widget))]
    assert not signs, "a sign can't be read aloud"


def test_navigation_help_and_settings_have_names(window: Window) -> None:
    window.show_help()
    window.show_settings()
    shown, settings = window.findChild(HelpWindow), window.findChild(SettingsWindow)
    assert shown is not None
    assert settings is not None
    buttons = (window.home_button, window.settings_button, window.help_button, window.strip.cancel_button)
    everything = [*window.steps.values(), *buttons, *controls(shown), *controls(settings)]
    assert all(says(widget).strip() for widget in everything)
    shown.close()
    settings.close()


def tab_chain(page: QWidget) -> list[QWidget]:
    """The controls of a page in the order in which the Tab key visits them."""
    wanted = {id(widget): widget for widget in controls(page)}
    chain = []
    widget = page.nextInFocusChain()
    while widget is not None and widget is not page:
        if id(widget) in wanted:
            chain.append(widget)
        widget = widget.nextInFocusChain()
    return chain


def boxes(widget: QWidget, page: QWidget) -> list[QWidget]:
    """A control with the areas that hold it, up to the page."""
    found = [widget]
    while found[-1] is not page:
        parent = found[-1].parentWidget()
        assert parent is not None
        found.append(parent)
    return found


def is_read_before(first: QWidget, second: QWidget, page: QWidget) -> bool:
    """Whether ``first`` may come before ``second``: it is higher or, in one line, further to the left.

    Areas that stand side by side are compared as areas: a column is read to its end before the next one.
    """
    ancestors = {id(widget): place for place, widget in enumerate(boxes(second, page))}
    path = boxes(first, page)
    place = next(place for place, widget in enumerate(path) if id(widget) in ancestors)
    one = path[max(place - 1, 0)]
    other = boxes(second, page)[max(ancestors[id(path[place])] - 1, 0)]
    if one is other:
        return True
    a, b = (widget.mapTo(page, QPoint(0, 0)) for widget in (one, other))
    if one.height() + a.y() <= b.y() + SAME_LINE_PX or abs(a.y() - b.y()) < SAME_LINE_PX:
        return a.y() <= b.y() - SAME_LINE_PX or a.x() <= b.x() or one.height() + a.y() <= b.y()
    return a.x() + one.width() <= b.x() + SAME_LINE_PX


@pytest.mark.parametrize("name", PAGES)
def test_tab_key_follows_the_order_of_reading(window: Window, name: str) -> None:
    page = show(window, name)
    chain = tab_chain(page)
    assert chain, "nothing on the page can be reached with the keyboard"
    wrong = [
        f"{describe(first)} before {describe(second)}"
        for first, second in pairwise(chain)
        if not is_read_before(first, second, page)
    ]
    assert not wrong


@pytest.mark.parametrize("name", PAGES)
def test_page_fits_the_smallest_screen_without_scrolling(window: Window, name: str) -> None:
    page = show(window, name)
    nav = window.help_button.parentWidget()
    assert nav is not None
    needed = [nav.minimumSizeHint().expandedTo(nav.minimumSize()), page.minimumSizeHint()]
    assert sum(size.width() for size in needed) <= 1280
    assert max(size.height() for size in needed) <= 800 - FRAME_PX


def test_window_fits_the_smallest_screen_at_twice_the_text_size(
    project: Path, tmp_path: Path, qapp: QApplication
) -> None:
    usual, font = qapp.font(), qapp.font()
    font.setPointSizeF(usual.pointSizeF() * 2)
    qapp.setFont(font)
    try:
        with opened(project, tmp_path) as window:
            for name in PAGES:
                show(window, name)
            needed = window.minimumSizeHint()
            assert needed.width() <= 1280
            assert needed.height() <= 800 - FRAME_PX
    finally:
        qapp.setFont(usual)


# contrast ---------------------------------------------------------------------


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""

    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    rgb = QColor(colour)
    return 0.2126 * linear(rgb.redF()) + 0.7152 * linear(rgb.greenF()) + 0.0722 * linear(rgb.blueF())


def contrast(one: str, other: str) -> float:
    """The contrast ratio, WCAG 2.2: 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_computed_as_the_guideline_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("shades", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_is_readable_on_its_ground(shades: Shades) -> None:
    grounds = {"window": shades.window, "base": shades.base, "raised": shades.raised}
    low = {
        f"{text} on {ground}": round(contrast(getattr(shades, text), colour), 2)
        for text in ("text", "quiet", "accent")
        for ground, colour in grounds.items()
        if contrast(getattr(shades, text), colour) < 4.5
    }
    assert not low
    assert contrast(shades.on_accent, shades.accent) >= 4.5
    assert contrast(shades.on_selection, shades.selection) >= 4.5
    assert contrast(shades.window, shades.text) >= 4.5, "the message over the window"


@pytest.mark.parametrize("shades", [LIGHT, DARK], ids=["light", "dark"])
def test_the_edge_of_a_control_is_seen(shades: Shades) -> None:
    assert contrast(shades.edge, shades.base) >= 3
    assert contrast(shades.edge, shades.window) >= 3


def test_a_coloured_word_takes_the_colour_of_the_new_scheme(qtbot: QtBot) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    label = text_label("Out of date")
    qtbot.addWidget(label)
    shown = {}
    for is_dark in (False, True):
        apply_theme(application, dark=is_dark)
        if not is_dark:
            tinted(label, Tint.GONE)
        label.show()
        shown[is_dark] = label.palette().color(QPalette.ColorRole.WindowText).name()
    apply_theme(application, dark=False)
    assert shown == {False: Tint.GONE.value[0], True: Tint.GONE.value[1]}


@pytest.mark.parametrize("tint", list(Tint), ids=lambda tint: tint.name.lower())
@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_every_tint_is_readable_on_every_ground_and_when_it_is_chosen(tint: Tint, is_dark: bool) -> None:
    shades = DARK if is_dark else LIGHT
    low = {
        ground: round(contrast(tint.value[is_dark], getattr(shades, ground)), 2)
        for ground in ("window", "base", "raised", "selection")
        if contrast(tint.value[is_dark], getattr(shades, ground)) < 4.5
    }
    assert not low
