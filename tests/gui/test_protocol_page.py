"""The page Protocol: real widgets, a real project, real files."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.files.resources import resource_path
from app.gui.pages.protocol import ProtocolPage
from app.gui.session import Session
from tests.gui.review_case import check_names, make_project, open_session

SAMPLE = resource_path("samples/chest-ct.toml")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("protocol"), prepared=False)


@pytest.fixture
def page(project: Path, qtbot: QtBot) -> Iterator[ProtocolPage]:
    session = open_session(project, qtbot)
    page = ProtocolPage(session)
    qtbot.addWidget(page)
    page.resize(1040, 760)
    page.show()
    page.refresh()
    yield page
    session.close()


@pytest.fixture
def lonely(qtbot: QtBot) -> ProtocolPage:
    """The page without a project."""
    page = ProtocolPage(Session(workers="serial"))
    qtbot.addWidget(page)
    page.resize(1040, 760)
    page.show()
    return page


def texts(page: QWidget) -> list[str]:
    return [label.text() for label in page.findChildren(QLabel) if label.isVisible()]


def test_protocol_of_the_project_is_read_back(page: ProtocolPage) -> None:
    shown = texts(page)

    assert "Chest images for a trial" in shown
    assert "Asked by trial@example.org" in shown
    assert "Modality is CT, MR or CR." in shown
    assert "These sign before anything leaves, each another person: site champion, privacy officer." in shown
    assert "Each image is searched by a search for the letters that devices draw." in shown
    check_names(page)


def test_other_file_is_previewed_and_the_way_back_shows_the_projects_own(page: ProtocolPage, qtbot: QtBot) -> None:
    page.show_file(SAMPLE)
    qtbot.waitUntil(lambda: "Sample: thin-slice CT of the chest" in texts(page))
    assert any("keeps its own protocol" in text for text in texts(page))

    with qtbot.waitSignal(page.new_project_wanted) as wanted:
        page.use_button.click()
    assert wanted.args == [SAMPLE]

    page.back_button.click()
    assert "Chest images for a trial" in texts(page)
    assert not page.use_button.isVisible()


def test_error_says_where_and_what_was_meant_and_nothing_is_lost(
    page: ProtocolPage, tmp_path: Path, qtbot: QtBot
) -> None:
    wrong = tmp_path / "wrong.toml"
    text = SAMPLE.read_text(encoding="utf-8").replace("[review]", "[reviw]")
    wrong.write_text(text, encoding="utf-8")

    page.show_file(wrong)
    qtbot.waitUntil(page.problems.isVisible)

    assert "reviw" in page.problems.text
    assert "Did you mean review?" in page.problems.text
    assert f"line {text[: text.index('[reviw]')].count(chr(10)) + 1}" in page.problems.text
    assert "Nothing was changed." in page.problems.text
    assert "Chest images for a trial" in texts(page)

    page.show_file(SAMPLE)
    qtbot.waitUntil(lambda: not page.problems.isVisible())


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"id = ", b""])
def test_file_that_is_no_protocol_is_told_in_a_sentence(
    page: ProtocolPage, tmp_path: Path, qtbot: QtBot, content: bytes
) -> None:
    path = tmp_path / "some.toml"
    path.write_bytes(content)

    page.show_file(path)
    qtbot.waitUntil(page.problems.isVisible)

    assert page.problems.text.startswith("The protocol")


def test_without_a_project_the_shipped_protocol_can_be_looked_at(lonely: ProtocolPage, qtbot: QtBot) -> None:
    assert lonely.shown is None
    assert "No protocol is open" in texts(lonely)
    check_names(lonely)

    lonely.shipped_button.click()
    qtbot.waitUntil(lambda: lonely.shown is not None)
    assert "Image de-identification after the RSNA process" in texts(lonely)

    with qtbot.waitSignal(lonely.new_project_wanted) as wanted:
        lonely.use_button.click()
    assert wanted.args == [None]

    lonely.back_button.click()
    assert lonely.shown is None


def test_dropped_protocol_file_is_read_back(lonely: ProtocolPage, qtbot: QtBot) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(SAMPLE))])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(300, 300), copy, data, left, none)
    QApplication.sendEvent(lonely, enter)
    assert enter.isAccepted()

    QApplication.sendEvent(lonely, QDropEvent(QPointF(300, 300), copy, data, left, none))

    qtbot.waitUntil(lambda: "Sample: thin-slice CT of the chest" in texts(lonely))
