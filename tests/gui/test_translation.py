"""Everything that the window says by itself goes through the catalogue: shown here in a language of our own."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QTableView, QWidget
from pytestqt.qtbot import QtBot

import app.gui.text as gui_text
from app.gui.preferences import Preferences
from app.gui.window import Window
from app.pipeline.progress import Step, StepState
from app.text.i18n import LANGUAGES
from tests.catalogues import texts_in_code
from tests.gui.review_case import make_project

OPEN, CLOSE = "\u27e6", "\u27e7"
WORD = re.compile(r"[A-Za-z]{3}")
# What no catalogue may change: names of ours and of languages, an expression, paths.
OURS = re.compile(r"Consign [\d.]+|SliceThickness <= 1\.5|.*translation\d+/.*")
# What the project itself says, and the standard.
ITS_OWN = frozenset(
    ("project", "Chest images for a trial", "site champion", "privacy officer", "Protocol Name: routine 3")
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    found: set[str] = set()

    def bracket(text: str) -> str:
        found.add(text)
        return f"{OPEN}{text}{CLOSE}"

    monkeypatch.setattr(gui_text, "_translation", [bracket])
    yield found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("translation"))


@pytest.fixture
def window(asked: set[str], project: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Window]:
    made = Window(Preferences(tmp_path / "preferences.ini"), workers="serial")
    made.show()
    made.show_settings()
    with qtbot.waitSignal(made.session.opened):
        made.open_project(project)
    qtbot.waitUntil(lambda: made.steps[Step.PROTOCOL].state is StepState.DONE)
    for step in Step:
        made.show_page(step.value)
        qtbot.waitUntil(lambda: not made.session._tasks)
        qtbot.wait(20)
    yield made
    made.session.close()
    made.close()
    made.deleteLater()


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
    assert asked - set(texts_in_code()) == set()


def test_nothing_is_said_that_is_not_translated(window: Window) -> None:
    said = {text for text in shown_texts(window) if WORD.search(text) and OPEN not in text}
    assert {text for text in said if not OURS.fullmatch(text)} - ITS_OWN - set(LANGUAGES.values()) == set()
