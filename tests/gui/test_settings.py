"""What a person sets is kept, takes effect at once, and asks nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale
from PySide6.QtWidgets import QApplication, QComboBox
from pytestqt.qtbot import QtBot

from app.gui.appearance import apply_appearance
from app.gui.main import Program
from app.gui.preferences import Preferences, Scheme
from app.gui.settings import SettingsWindow
from app.gui.text import tr, use_language
from app.gui.theme import DARK, LIGHT
from app.gui.window import Window
from app.text.i18n import LANGUAGES, language_of
from tests.gui.driving import application


@pytest.fixture
def preferences(tmp_path: Path) -> Iterator[Preferences]:
    made = Preferences(tmp_path / "preferences.ini")
    made.language = "en"
    yield made
    plain = Preferences(tmp_path / "plain.ini")
    plain.language = "en"
    apply_appearance(application(), plain)
    use_language("en")


@pytest.fixture
def window(preferences: Preferences, qtbot: QtBot) -> Iterator[Window]:
    made = Window(preferences, workers="serial")
    qtbot.addWidget(made)
    made.show()
    yield made
    made.close()


def settings_of(window: Window) -> SettingsWindow:
    window.settings_button.click()
    shown = window.findChild(SettingsWindow)
    assert shown is not None
    assert shown.isVisible()
    return shown


def choose(box: QComboBox, data: str) -> None:
    box.setCurrentIndex(box.findData(data))
    box.activated.emit(box.currentIndex())


def test_the_scheme_that_is_chosen_is_shown_and_kept(window: Window, preferences: Preferences) -> None:
    shown = settings_of(window)
    choose(shown.scheme, "dark")
    assert QApplication.palette().window().color().name() == DARK.window
    choose(shown.scheme, "light")
    assert QApplication.palette().window().color().name() == LIGHT.window
    assert preferences.scheme is Scheme.LIGHT


def test_texts_grow_and_come_back(window: Window, preferences: Preferences) -> None:
    before = QApplication.font().pointSizeF()
    shown = settings_of(window)
    choose(shown.text_size, "200")
    assert QApplication.font().pointSizeF() == pytest.approx(2 * before)
    choose(shown.text_size, "150")
    assert QApplication.font().pointSizeF() == pytest.approx(1.5 * before)
    choose(shown.text_size, "100")
    assert QApplication.font().pointSizeF() == pytest.approx(before)
    assert preferences.text_percent == 100


def test_workers_count_from_the_next_window_on(window: Window, preferences: Preferences) -> None:
    choose(settings_of(window).workers, "1")
    assert preferences.workers == "1"
    preferences.workers = "auto"
    assert preferences.workers == "auto"


def test_another_language_makes_the_window_anew(preferences: Preferences, qtbot: QtBot) -> None:
    program = Program(application(), preferences)
    first = program.window
    choose(settings_of(first).language, "de")
    qtbot.waitUntil(lambda: program.window is not first)
    assert preferences.language == "de"
    assert QLocale().language() is QLocale.Language.German
    assert program.window.isVisible()
    assert not first.isVisible()
    program.window.close()


def test_settings_that_make_no_sense_are_the_systems(tmp_path: Path) -> None:
    file = tmp_path / "preferences.ini"
    file.write_text("[General]\nscheme=pink\ntext_percent=7000\nworkers=-3\n", encoding="ascii")
    read = Preferences(file)
    assert (read.scheme, read.text_percent, read.workers) == (Scheme.SYSTEM, 100, "auto")


@pytest.mark.parametrize(
    ("locale", "language"),
    [("de_CH", "de"), ("pt_PT", "pt_BR"), ("fr", "fr"), ("ja_JP", "en"), ("C", "en"), ("es_419", "es")],
)
def test_a_locale_gets_the_language_that_suits_it(locale: str, language: str) -> None:
    assert language_of(locale) == language
    assert language in LANGUAGES


def test_a_language_without_a_catalogue_is_english() -> None:
    use_language("xx")
    assert tr("Find") == "Find"
