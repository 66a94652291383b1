"""The page Review values, with real widgets on a real project: a person decides with keys, and takes it back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.gui.models.value_table import COLUMNS
from app.gui.pages.values import ValuesPage
from app.project.decisions import Decisions, ValueAction, load_decisions
from app.project.folder import Layout, Project, create_project
from app.project.values import RowKind
from app.review.deciding import Choice
from app.review.table import Column
from tests.gui.review_case import check_names, copy_project, make_project, open_session

DECISION = COLUMNS.index(Column.DECISION)
VALUE = COLUMNS.index(Column.VALUE)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("values"))


@pytest.fixture
def page(prepared: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[ValuesPage]:
    session = open_session(copy_project(prepared, tmp_path / "project"), qtbot)
    page = ValuesPage(session)
    qtbot.addWidget(page)
    page.resize(1000, 700)
    with qtbot.waitActive(page):
        page.show()
        page.activateWindow()
    page.refresh()
    qtbot.waitUntil(lambda: page._model.rowCount() > 0)
    page._view.setFocus()
    yield page
    session.close()


def texts(page: ValuesPage, column: int = VALUE) -> list[str]:
    return [page._model.index(line, column).data() for line in range(page._model.rowCount())]


def choose(page: ValuesPage, value: str) -> int:
    line = texts(page).index(value)
    page.choose_line(line)
    return line


def decisions(page: ValuesPage, qtbot: QtBot) -> Decisions:
    """What the file says, once everything is written."""
    qtbot.waitUntil(lambda: page._settled == page._issued)
    assert page._session.project is not None
    return load_decisions(page._session.project.layout)


def press(page: ValuesPage, key: Qt.Key) -> None:
    QTest.keyClick(page._view, key)


def test_blocking_value_comes_first_and_the_title_says_that_the_release_waits(page: ValuesPage) -> None:
    assert texts(page)[0] == "routine 3"
    assert page._model.index(0, 0).data().startswith("\u26a0 known identity")
    assert "The release waits for one of them." in page._title.sentence.text()
    assert page._progress.value() == 0


def test_one_key_decides_steps_down_and_is_written(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "routine 3")
    press(page, Qt.Key.Key_D)
    assert page._model.index(0, DECISION).data() == "\u2715 drop"
    assert page._view.currentIndex().row() == 1
    assert decisions(page, qtbot).values["ProtocolName", "routine 3"].action is ValueAction.DROP
    assert "waits for none" in page._title.sentence.text()
    assert page._progress.value() == 1


def test_keep_and_undecide_and_undo(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "routine 3")
    press(page, Qt.Key.Key_K)
    assert decisions(page, qtbot).values["ProtocolName", "routine 3"].seen
    choose(page, "routine 3")
    press(page, Qt.Key.Key_Backspace)
    assert decisions(page, qtbot).values == {}
    QTest.keyClick(page._view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert decisions(page, qtbot).values["ProtocolName", "routine 3"].action is ValueAction.KEEP
    QTest.keyClick(page._view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert decisions(page, qtbot).values == {}
    assert not page._panel.undo.isEnabled()


def test_dropping_the_attribute_settles_all_its_values(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "routine 1")
    press(page, Qt.Key.Key_T)
    assert decisions(page, qtbot).tags_dropped == {"ProtocolName"}
    shown = dict(zip(texts(page), texts(page, DECISION), strict=True))
    assert {shown[f"routine {number}"] for number in range(5)} == {"\u2298 drop attribute"}


def test_whole_group_is_decided_with_two_keys_and_undone_with_one(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "routine 1")
    press(page, Qt.Key.Key_G)
    chosen = {page._model.table.rows[number].value for number in page._chosen()} if page._model.table else set()
    assert {"routine 0", "routine 1", "routine 2", "routine 4"} <= chosen
    assert "routine 3" not in chosen
    press(page, Qt.Key.Key_K)
    assert len(decisions(page, qtbot).values) == len(chosen)
    page._panel.undo.click()
    assert decisions(page, qtbot).values == {}


def test_replacement_is_typed_on_the_page_and_a_bad_one_is_explained(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "routine 3")
    press(page, Qt.Key.Key_R)
    assert page._panel.replacement.isVisible()
    QTest.keyClicks(page._panel.replacement, "12.03.1961")
    QTest.keyClick(page._panel.replacement, Qt.Key.Key_Return)
    assert "looks like a date" in page._panel._complaint.text()
    page._panel.replacement.setText("ROUTINE")
    QTest.keyClick(page._panel.replacement, Qt.Key.Key_Return)
    assert not page._panel.replacement.isVisible()
    assert decisions(page, qtbot).values["ProtocolName", "routine 3"].replacement == "ROUTINE"
    assert page._model.index(0, DECISION).data() == "\u21c4 replace: ROUTINE"


def test_letters_in_the_search_line_search_and_decide_nothing(page: ValuesPage, qtbot: QtBot) -> None:
    page._filters.search.setFocus()
    QTest.keyClicks(page._filters.search, "kardex")
    qtbot.waitUntil(lambda: texts(page) == ["kardex"])
    assert decisions(page, qtbot) == Decisions()
    page._filters.search.clear()
    qtbot.waitUntil(lambda: len(texts(page)) > 1)


def test_filters_by_reason_kind_and_decision(page: ValuesPage, qtbot: QtBot) -> None:
    page._filters.kinds.setCurrentIndex(page._filters.kinds.findData(RowKind.WORD.value))
    page._filters.kinds.activated.emit(page._filters.kinds.currentIndex())
    qtbot.waitUntil(lambda: "kardex" in texts(page) and "routine 1" not in texts(page))
    page._filters.kinds.setCurrentIndex(0)
    page._filters.reasons.setCurrentIndex(page._filters.reasons.findData("identity"))
    page._filter()
    qtbot.waitUntil(lambda: texts(page) == ["routine 3"])
    page._filters.reasons.setCurrentIndex(0)
    page._filters.decided.setCurrentIndex(page._filters.decided.findData(Choice.KEEP.value))
    page._filter()
    qtbot.waitUntil(lambda: texts(page) == [])
    page._filters.decided.setCurrentIndex(0)
    page._filters.suspicious.setChecked(True)
    qtbot.waitUntil(lambda: 0 < len(texts(page)) < 30)


def test_sorting_by_a_column_head(page: ValuesPage, qtbot: QtBot) -> None:
    page._view.sortByColumn(COLUMNS.index(Column.INSTANCES), Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: texts(page)[0] == "kardex")


def test_word_called_safe_asks_for_another_preparation_and_gets_it(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "kardex")
    assert page._panel.buttons[Choice.KEEP].accessibleName() == "Call it safe"
    assert not page._panel.buttons[Choice.DROP_TAG].isEnabled()
    press(page, Qt.Key.Key_K)
    qtbot.waitUntil(page._problems.isVisible)
    assert decisions(page, qtbot).safe_words == {"kardex"}
    with qtbot.waitSignal(page._session.job_ended, timeout=30_000):
        page._problems.pressed.emit()
    qtbot.waitUntil(lambda: "Kardex routine 3" in texts(page), timeout=10_000)
    assert not page._problems.isVisible()
    QTest.keyClick(page._view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert decisions(page, qtbot).safe_words == frozenset()


def test_show_where_leads_to_an_instance(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "routine 3")
    with qtbot.waitSignal(page.show_instance) as shown:
        press(page, Qt.Key.Key_W)
    assert shown.args is not None
    assert page._session.project is not None
    assert page._session.project.store.one("SELECT count(*) FROM instances WHERE id = ?", tuple(shown.args)) == 1
    choose(page, "kardex")
    assert not page._panel._where.isEnabled()


def test_csv_goes_out_and_comes_back_and_a_bad_one_changes_nothing(
    page: ValuesPage, qtbot: QtBot, tmp_path: Path
) -> None:
    path = tmp_path / "values.csv"
    page.save_csv(path)
    qtbot.waitUntil(path.exists)
    text = path.read_text(encoding="utf-8-sig")
    head = text.splitlines()[0].split(",")
    bad: list[str] = []
    good: list[str] = []
    for line in text.splitlines():
        cells = line.split(",")
        is_it = "routine 3" in cells
        for word, lines in (("drop", good), ("banish", bad)):
            new = list(cells)
            if is_it:
                new[head.index("decision")] = word
            lines.append(",".join(new))
    path.write_text("\n".join(bad) + "\n", encoding="utf-8-sig")
    page.take_csv(path)
    qtbot.waitUntil(lambda: "The decision is not known" in page._problems.text)
    assert decisions(page, qtbot) == Decisions()
    path.write_text("\n".join(good) + "\n", encoding="utf-8-sig")
    page.take_csv(path)
    qtbot.waitUntil(lambda: page._model.index(0, DECISION).data() == "\u2715 drop")


def test_page_without_values_says_what_to_do_next(tmp_path: Path, qtbot: QtBot) -> None:
    create_project(tmp_path / "project", "SITEA", None)
    session = open_session(tmp_path / "project", qtbot)
    page = ValuesPage(session)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    with qtbot.waitSignal(page.go_to) as led:
        page._empty.pressed.emit()
    assert led.args == ["deidentify"]
    assert not page._export.isEnabled()
    session.close()


def test_every_control_has_a_name_for_a_screen_reader(page: ValuesPage) -> None:
    check_names(page)


def test_decisions_are_files_that_another_program_reads(page: ValuesPage, qtbot: QtBot) -> None:
    choose(page, "routine 3")
    press(page, Qt.Key.Key_D)
    decisions(page, qtbot)
    root = page._session.root
    assert root is not None
    page._session.close()
    with Project(root) as project:
        assert load_decisions(Layout(project.layout.root)).values["ProtocolName", "routine 3"]
