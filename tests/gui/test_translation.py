"""Everything that the window says by itself goes through the catalogue: shown here in a language of our own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QTableView,
    QTreeView,
    QWidget,
)
from pytestqt.qtbot import QtBot

import app.gui.text as gui_text
from app.gui.appearance import apply_language
from app.gui.checklist import counted
from app.gui.models.pictures import PictureLoader
from app.gui.preferences import Preferences
from app.gui.widgets.series_viewer import SeriesViewer
from app.gui.widgets.viewer_keys import make_legend
from app.gui.window import Window
from app.jobs.executors import SerialExecutor
from app.pipeline.progress import Step
from app.text.i18n import LANGUAGES, open_plurals, open_translation
from app.text.numbers import count_text
from tests.catalogues import forms, texts_in_code
from tests.gui.driving import opened, show
from tests.gui.review_case import make_project

OPEN, CLOSE = "\u27e6", "\u27e7"
WORD = re.compile(r"[A-Za-z]{3}")
# What no catalogue may change: names of ours and of languages, an expression, paths.
OURS = re.compile(r"Consign [\d.]+|SliceThickness <= 1\.5|.*translation\d+/.*")
# What the project itself says, and the standard.
ITS_OWN = frozenset(("project", "Chest images for a trial", "privacy officer", "Protocol Name: routine 3"))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    found: set[str] = set()

    def bracket(text: str) -> str:
        found.add(text)
        return f"{OPEN}{text}{CLOSE}"

    def bracket_either(one: str, several: str, count: int) -> str:
        return bracket(one if count == 1 else several)

    monkeypatch.setattr(gui_text, "_translation", [bracket])
    monkeypatch.setattr(gui_text, "_plurals", [bracket_either])
    yield found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("translation"))


@pytest.fixture
def window(asked: set[str], project: Path, tmp_path: Path, qapp: QApplication) -> Iterator[Window]:
    with opened(project, tmp_path) as made:
        made.show_settings()
        for step in Step:
            show(made, step.value)
        yield made


def shown_texts(window: QWidget) -> Iterator[str]:
    """What every widget says, shown or hidden."""
    for widget in window.findChildren(QWidget):
        yield from (widget.accessibleName(), widget.toolTip())
        match widget:
            case QLabel() | QAbstractButton():
                yield widget.text()
            case QLineEdit():
                yield widget.placeholderText()
            case QComboBox():
                yield from (widget.itemText(row) for row in range(widget.count()))
            case QTableView():
                model = widget.model()
                for column in range(model.columnCount()):
                    yield str(model.headerData(column, Qt.Orientation.Horizontal) or "")


def test_every_text_that_is_asked_for_is_in_the_catalogues(window: Window, asked: set[str]) -> None:
    assert len(asked) > 300
    assert asked - {one for text in texts_in_code() for one in forms(text)} == set()


def test_nothing_is_said_that_is_not_translated(window: Window) -> None:
    said = {text for text in shown_texts(window) if WORD.search(text) and OPEN not in text}
    assert {text for text in said if not OURS.fullmatch(text)} - ITS_OWN - set(LANGUAGES.values()) == set()


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("de", ("Strg+Z", "Umschalt+D", "Entf")),
        ("fr", ("Ctrl+Z", "Maj+D", "Suppr")),
        ("en", ("Ctrl+Z", "Shift+D", "Del")),
    ],
)
def test_keys_are_written_as_on_the_keyboard(
    language: str, written: tuple[str, ...], tmp_path: Path, qapp: QApplication
) -> None:
    preferences = Preferences(tmp_path / "preferences.ini")
    try:
        preferences.language = language
        apply_language(qapp, preferences)
        legend = make_legend().text()
    finally:
        preferences.language = "en"
        apply_language(qapp, preferences)
    assert [keys for keys in written if f"<b>{keys}</b>" not in legend] == []


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["0 files", "1 file", "2 files"]),
        ("de", ["0 Dateien", "1 Datei", "2 Dateien"]),
        ("fr", ["0 fichier", "1 fichier", "2 fichiers"]),
    ],
)
def test_the_window_says_counts_as_the_language_does(
    language: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gui_text, "_plurals", [open_plurals([language])])
    assert [counted(count, "{count} file", "{count} files") for count in (0, 1, 2)] == said


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_the_window_groups_digits_as_the_command_line_does(language: str) -> None:
    shown = [QLocale(language).toString(count).replace("\u202f", "\xa0") for count in (999, 1234, 12345, 1234567)]
    assert shown == [count_text(count, language) for count in (999, 1234, 12345, 1234567)]


def cut_texts(window: QWidget) -> Iterator[str]:
    """The texts that have less room than they need. What is elided on purpose is not asked for here."""
    for widget in window.findChildren(QWidget):
        if not widget.isVisible():
            continue
        match widget:
            case QPushButton() if widget.width() < widget.sizeHint().width() - 1:
                yield widget.text()
            case QLabel() if widget.wordWrap() and widget.height() < widget.heightForWidth(widget.width()) - 1:
                yield widget.text()
            case QLabel() if not widget.wordWrap() and widget.width() < widget.sizeHint().width() - 1:
                yield widget.text()
            case QLineEdit() if _advance(widget, widget.placeholderText()) > widget.contentsRect().width():
                yield widget.placeholderText()
            case QTableView() | QTreeView():
                header = widget.header() if isinstance(widget, QTreeView) else widget.horizontalHeader()
                for column in range(header.count()):
                    is_cut = header.sectionSize(column) < header.sectionSizeHint(column) - 1
                    if is_cut and not header.isSectionHidden(column):
                        yield str(widget.model().headerData(column, Qt.Orientation.Horizontal))


def _advance(widget: QWidget, text: str) -> int:
    return widget.fontMetrics().horizontalAdvance(text)


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_no_text_is_cut_in_any_language(
    language: str, project: Path, tmp_path: Path, qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gui_text, "_translation", [open_translation([language])])
    monkeypatch.setattr(gui_text, "_plurals", [open_plurals([language])])
    cut: dict[str, set[str]] = {}
    with opened(project, tmp_path) as window:
        for name in ("start", *(step.value for step in Step)):
            show(window, name)
            found = set(cut_texts(window))
            if found:
                cut[name] = found
        assert window.minimumSizeHint().width() <= 1280
    assert cut == {}


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_buttons_beside_an_image_keep_clear_of_the_edge(
    language: str, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gui_text, "_translation", [open_translation([language])])
    viewer = SeriesViewer(PictureLoader(SerialExecutor))
    qtbot.addWidget(viewer)
    viewer.resize(1044, 760)
    viewer.show()
    room = viewer.panel.viewport().width()
    edges = [made.geometry().right() for made in viewer.panel.findChildren(QPushButton) if made.isVisible()]
    assert len(edges) > 3
    assert max(edges) < room - 8


def test_a_cut_text_would_be_noticed(qtbot: QtBot) -> None:
    window = QWidget()
    button, label = QPushButton("Sign off and export", window), QLabel("Sign off and export", window)
    wrapped = QLabel("A sentence that takes several lines where it has little room", window)
    wrapped.setWordWrap(True)
    field = QLineEdit(window)
    field.setPlaceholderText("Search in attributes and values")
    field.setFixedWidth(30)
    button.setFixedWidth(30)
    label.setFixedWidth(30)
    wrapped.setFixedSize(80, 12)
    qtbot.addWidget(window)
    window.show()
    assert list(cut_texts(window)) == [button.text(), label.text(), wrapped.text(), field.placeholderText()]
