"""The page De-identify: it starts by itself and shows, for any selected instance, what became of each attribute."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QStyleOptionViewItem
from pytestqt.qtbot import QtBot

from app.catalog.step import scan
from app.deid.comparison import Fate
from app.gui.models.comparison import AFTER, BEFORE, FATE, NAME, fate_text
from app.gui.pages.deidentify import DeidentifyPage
from app.jobs.executors import SerialExecutor
from app.project.folder import Project, create_project
from app.selection.step import select
from tests.gui.review_case import check_names, make_project, open_session


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("deidentify"))


@pytest.fixture
def page(prepared: Path, qtbot: QtBot) -> Iterator[DeidentifyPage]:
    session = open_session(prepared, qtbot)
    page = DeidentifyPage(session)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.refresh()
    qtbot.waitUntil(lambda: page._model.rowCount() > 0)
    yield page
    session.close()


def column(page: DeidentifyPage, which: int) -> list[str]:
    return [page._model.index(line, which).data().strip() for line in range(page._model.rowCount())]


def line_of(page: DeidentifyPage, name: str) -> int:
    return column(page, NAME).index(name)


def text(page: DeidentifyPage, name: str, which: int) -> str:
    return str(page._model.index(line_of(page, name), which).data())


def test_original_and_released_value_stand_side_by_side(page: DeidentifyPage) -> None:
    assert text(page, "Modality", BEFORE) == text(page, "Modality", AFTER) == "MR"
    assert text(page, "Patient ID", BEFORE) != text(page, "Patient ID", AFTER)
    assert text(page, "Patient ID", AFTER).startswith("SITEA-")
    assert text(page, "Institution Name", AFTER) == ""
    assert text(page, "Institution Name", FATE) == fate_text(Fate.REMOVED)
    assert text(page, "Study Date", BEFORE) == "2023-04-10"


def test_every_selected_series_is_listed_with_code_and_count(page: DeidentifyPage) -> None:
    listed = [page._series.index(line).data() for line in range(page._series.rowCount())]
    assert len(listed) == 6
    assert listed[0].startswith("MR \u00b7 Thorax Kardex nativ\nSITEA-")
    assert "1 stays here" in listed[5]


def test_words_that_were_taken_out_are_struck_through(page: DeidentifyPage, qtbot: QtBot) -> None:
    page._list.setCurrentIndex(page._series.index(1))
    qtbot.waitUntil(lambda: text(page, "Series Description", BEFORE) == "Thorax Zwicklmann nativ")
    index = page._model.index(line_of(page, "Series Description"), BEFORE)
    pieces = index.data(Qt.ItemDataRole.UserRole)
    assert [piece.original_text for piece in pieces if not piece.is_kept] == [" Zwicklmann "]
    painted = QPixmap(300, 30)
    painted.fill(Qt.GlobalColor.white)
    painter = QPainter(painted)
    option: Any = QStyleOptionViewItem()  # the stubs know none of its fields
    option.initFrom(page._view)
    option.rect = QRect(0, 0, 300, 30)
    page._view.itemDelegateForColumn(BEFORE).paint(painter, option, index)
    painter.end()
    image = painted.toImage()
    # The line through the words is one colour over many pixels side by side; no letter is as wide.
    longest = 0
    for y in range(30):
        reds = "".join("x" if _is_red(image.pixelColor(x, y)) else " " for x in range(300))
        longest = max(longest, *map(len, reds.split(" ")))
    assert longest > 40


def _is_red(colour: QColor) -> bool:
    return colour.red() > 120 > colour.green()


def test_slider_goes_through_the_images_of_a_series(page: DeidentifyPage, qtbot: QtBot) -> None:
    before = text(page, "SOP Instance UID", BEFORE)
    assert page._place.text() == "Image 1 of 3"
    QTest.keyClick(page, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: text(page, "SOP Instance UID", BEFORE) != before)
    assert page._place.text() == "Image 2 of 3"


def test_filters_and_search_narrow_what_is_shown(page: DeidentifyPage) -> None:
    page._tabs.button(2).click()
    assert set(column(page, FATE)) == {fate_text(Fate.REMOVED)}
    page._tabs.button(1).click()
    assert fate_text(Fate.KEPT) not in column(page, FATE)
    page._tabs.button(0).click()
    page._search.setText("institution")
    assert column(page, NAME) == ["Institution Name", "Institution Address", "Institutional Department Name"]
    page._search.setText("no such thing")
    assert column(page, NAME) == []
    assert page._what.text() == "Choose an attribute to see why."


def test_rule_is_told_in_words_and_jargon_only_in_the_details(page: DeidentifyPage) -> None:
    page._view.selectRow(line_of(page, "Institution Name"))
    assert page._what.text() == "Institution Name: removed"
    assert "confidentiality profile" in page._why.text()
    assert "(0008,0080)" not in page._why.text()
    assert "(0008,0080)" in page._detail.text()
    tip = page._model.index(line_of(page, "Institution Name"), NAME).data(Qt.ItemDataRole.ToolTipRole)
    assert "Institution Name" in tip
    assert "value representation LO" in tip


def test_image_that_stays_says_why(page: DeidentifyPage, qtbot: QtBot) -> None:
    page._list.setCurrentIndex(page._series.index(5))
    qtbot.waitUntil(page._stays.isVisible)
    assert "This image stays here: Text was found" in page._stays.text()


def test_another_page_can_have_an_instance_shown(prepared: Path, qtbot: QtBot) -> None:
    session = open_session(prepared, qtbot)
    assert session.project is not None
    wanted = session.project.store.one("SELECT max(id) FROM instances WHERE state = 'prepared'")
    page = DeidentifyPage(session)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    page.show_instance_id(wanted)  # the series are not loaded yet
    qtbot.waitUntil(lambda: page._comparison is not None and page._comparison.instance_id == wanted)
    session.close()


def test_selection_without_preparation_starts_it_once_by_itself(tmp_path: Path, qtbot: QtBot) -> None:
    source = make_project(tmp_path, prepared=False).parent / "source"
    create_project(tmp_path / "other", "SITEA", tmp_path / "protocol.toml")
    with Project(tmp_path / "other") as project:
        list(scan(project, [source], SerialExecutor()))
        list(select(project, None, None))
    session = open_session(tmp_path / "other", qtbot)
    page = DeidentifyPage(session)
    qtbot.addWidget(page)
    with qtbot.waitSignal(session.job_ended, timeout=60_000):
        page.show()
        page.refresh()
    qtbot.waitUntil(lambda: page._model.rowCount() > 0)
    started: list[str] = []
    session.job_started.connect(started.append)
    page.refresh()
    qtbot.wait(300)
    assert started == []
    session.close()


def test_empty_project_leads_to_the_search(tmp_path: Path, qtbot: QtBot) -> None:
    create_project(tmp_path / "project", "SITEA", None)
    session = open_session(tmp_path / "project", qtbot)
    page = DeidentifyPage(session)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    with qtbot.waitSignal(page.go_to) as led:
        page._empty.pressed.emit()
    assert led.args == ["find"]
    session.close()


def test_every_control_has_a_name_for_a_screen_reader(page: DeidentifyPage) -> None:
    check_names(page)
