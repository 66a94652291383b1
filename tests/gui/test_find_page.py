"""The page Find: real widgets, a real project, real jobs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPointF, Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.catalog.step import scan
from app.gui.models.series_tree import STATE
from app.gui.pages.find import FindPage
from app.gui.session import Session
from app.jobs.executors import SerialExecutor
from app.project.folder import Project
from app.selection.by_hand import load_hand_choices
from app.selection.step import select
from app.selection.tree import Level
from tests.gui.review_case import check_names, copy_project, make_project, open_session


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has read nothing, with its source beside it."""
    return make_project(tmp_path_factory.mktemp("find"), prepared=False)


@pytest.fixture(scope="module")
def selected(empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same after a scan and a selection."""
    root = copy_project(empty, tmp_path_factory.mktemp("selected") / "project")
    source = empty.parent / "source"
    source.joinpath("broken.dcm").write_bytes(b"\0" * 128 + b"DICM")
    source.joinpath("README.TXT").write_text("a CD has one", encoding="utf-8")
    with Project(root) as project:
        list(scan(project, [source], SerialExecutor()))
        list(select(project, None, None))
    return root


OpenPage = Callable[[Path], FindPage]


@pytest.fixture
def open_page(tmp_path: Path, qtbot: QtBot) -> Iterator[OpenPage]:
    """Opens the page with a copy of a project."""
    sessions: list[Session] = []

    def open_copy(project: Path) -> FindPage:
        session = open_session(copy_project(project, tmp_path / "project"), qtbot)
        sessions.append(session)
        page = FindPage(session)
        qtbot.addWidget(page)
        page.resize(1044, 760)
        page.show()
        page.refresh()
        settle(page, qtbot)
        return page

    yield open_copy
    for session in sessions:
        session.close()


def settle(page: FindPage, qtbot: QtBot) -> None:
    """Wait until nothing is asked or worked on any more."""
    session = page._session
    qtbot.waitUntil(lambda: not session.is_busy and not session._tasks and not page._needs_select, timeout=60_000)
    qtbot.wait(30)
    qtbot.waitUntil(lambda: not session.is_busy and not session._tasks, timeout=60_000)


def texts(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(QLabel) if label.isVisible())


def series_shown(page: FindPage) -> list[str]:
    rows = [branch.row for branch in page.tree.model.branches if branch.level is Level.SERIES]
    return [f"{row.original_patient} {row.original_modality}" for row in rows if row is not None]


def choose(page: FindPage, modality: str) -> None:
    """Choose the first series of a modality in the tree."""
    model = page.tree.model
    place = next(
        place
        for place, branch in enumerate(model.branches)
        if branch.level is Level.SERIES and branch.row is not None and branch.row.original_modality == modality
    )
    flags = QItemSelectionModel.SelectionFlag
    page.tree.view.selectionModel().setCurrentIndex(model.index_of(place), flags.ClearAndSelect | flags.Rows)


def bar(page: FindPage, chart: int, label: str) -> tuple[int, int]:
    bars = page.inventory.views[chart].bars
    place = next(place for place, one in enumerate(bars) if one.label == label)
    return place, bars[place].shown


# states -----------------------------------------------------------------------


def test_empty_page_says_what_to_do_and_leads_there(qtbot: QtBot) -> None:
    page = FindPage(Session(workers="serial"))
    qtbot.addWidget(page)
    page.show()

    assert "No project is open" in texts(page)
    with qtbot.waitSignal(page.go_to) as led:
        page.empty.pressed.emit()
    assert led.args == ["start"]


def test_sources_dropped_before_the_project_is_open_wait_for_it(empty: Path, qtbot: QtBot, tmp_path: Path) -> None:
    session = Session(workers="serial")
    page = FindPage(session)
    qtbot.addWidget(page)
    page.show()
    page.add_sources([tmp_path])
    with qtbot.waitSignal(session.opened):
        session.open(copy_project(empty, tmp_path / "project"))
    settle(page, qtbot)

    assert page.sources.waiting == [tmp_path]
    session.close()
    assert page.sources.waiting == []


def test_search_reads_the_sources_and_shows_what_was_found(empty: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(empty)
    assert "Where are the examinations?" in texts(page)
    assert not page.search_button.isEnabled()

    page.add_sources([empty.parent / "source", empty.parent / "source"])
    assert "Ready to search" in texts(page)
    assert len(page.sources.paths) == 1, "a source counts once"
    check_names(page)
    page.search_button.click()
    assert not page.search_button.isEnabled()
    settle(page, qtbot)

    assert page.sources.waiting == []
    assert len(series_shown(page)) == 6
    assert "of 6 patients." in texts(page)
    assert page.search_button.isEnabled()


def test_source_that_is_gone_is_told_in_a_sentence(empty: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(empty)
    page.add_sources([empty.parent / "not there"])
    page.search()
    settle(page, qtbot)

    assert page.problems.isVisible()
    assert "Source number 1 can't be found" in page.problems.text


def test_source_is_taken_away_with_what_was_found_in_it(selected: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(selected)
    (source,) = page.sources.read

    page.sources.removed.emit(source)
    settle(page, qtbot)

    assert page.sources.paths == []
    assert "Where are the examinations?" in texts(page)
    assert Path(source).is_dir()


# the tree ---------------------------------------------------------------------


def test_tree_is_a_sound_model_and_every_control_has_a_name(selected: Path, open_page: OpenPage) -> None:
    page = open_page(selected)

    QAbstractItemModelTester(page.tree.model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    model = page.tree.model
    assert model.rowCount() == 6
    study = model.index(0, 0, model.index(0, 0))
    assert model.parent(study) == model.index(0, 0)
    assert model.rowCount(study) == 1
    assert model.parent(QModelIndex()) == QModelIndex()
    check_names(page)


def test_words_narrow_the_tree_and_what_is_open_stays_open(selected: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(selected)
    patient = series_shown(page)[0].split()[0]
    page.words.setText(patient)
    settle(page, qtbot)
    assert len(series_shown(page)) == 1
    assert page.tree.view.isExpanded(page.tree.model.index(0, 0))

    page.words.clear()
    settle(page, qtbot)
    assert len(series_shown(page)) == 6


def test_branch_that_was_closed_stays_closed(selected: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(selected)
    view, model = page.tree.view, page.tree.model
    assert view.isExpanded(model.index(1, 0)), "a small tree is shown open"
    view.collapse(model.index(1, 0))
    choose(page, "CR")
    page.tree.reason.setText("x")
    page.tree.leave_button.click()
    settle(page, qtbot)

    assert not view.isExpanded(model.index(1, 0))
    assert view.isExpanded(model.index(0, 0))
    chosen = page.tree.chosen()
    assert [row.original_modality for row in chosen] == ["CR"], "what was chosen stays so"


def test_series_is_left_out_by_hand_with_a_reason_and_comes_back(
    selected: Path, open_page: OpenPage, qtbot: QtBot
) -> None:
    page = open_page(selected)
    choose(page, "CR")
    assert not page.tree.leave_button.isEnabled(), "a reason is needed"
    page.tree.reason.setText("wrong side")
    page.tree.leave_button.click()
    settle(page, qtbot)

    assert "Left out by hand: wrong side" in texts(page)
    project = page._session.project
    assert project is not None
    assert len(load_hand_choices(project.layout.series_json)) == 1
    assert project.store.one("SELECT count(*) FROM instances WHERE selected = 0") == 1

    page.tree.rule_button.click()
    settle(page, qtbot)
    assert project.store.one("SELECT count(*) FROM instances WHERE selected = 0") == 0
    assert not page.tree.rule_button.isVisible()


# filters ----------------------------------------------------------------------


def test_click_on_a_bar_filters_what_is_shown_and_select_makes_it_the_selection(
    selected: Path, open_page: OpenPage, qtbot: QtBot
) -> None:
    page = open_page(selected)
    qtbot.waitUntil(lambda: len(page.inventory.views) == 6 and bool(page.inventory.views[0].bars))
    chart = page.inventory.views[0]
    place, shown = bar(page, 0, "MR")
    assert shown == 3
    spot = chart.mapFromScene(chart.getPlotItem().vb.mapViewToScene(QPointF(0.5, place)))
    qtbot.mouseClick(chart.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    settle(page, qtbot)

    assert [chip.text for chip in page.filters.chips] == ["Modality is MR"]
    assert {text.split()[-1] for text in series_shown(page)} == {"MR"}
    assert bar(page, 0, "CT")[1] == 0
    assert "The selection is still as before." in texts(page)
    project = page._session.project
    assert project is not None
    assert project.store.one("SELECT count(*) FROM instances WHERE selected = 0") == 0

    page.filters.apply_button.click()
    settle(page, qtbot)
    assert not page.filters.is_draft
    assert project.store.one("SELECT count(*) FROM instances WHERE selected = 0") > 0

    page.filters.chips[0].close_button.click()
    settle(page, qtbot)
    assert len(series_shown(page)) == 6
    model = page.tree.model
    states = [model.data(model.index_of(at, STATE)) for at in range(1, len(model.branches))]
    assert any("Modality CT is not MR" in state for state in states), "why it is excluded"


def test_bars_are_chosen_with_the_keyboard(selected: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(selected)
    qtbot.waitUntil(lambda: len(page.inventory.views) == 6 and bool(page.inventory.views[0].bars))
    chart = page.inventory.views[0]
    chart.setFocus()
    qtbot.keyClick(chart, Qt.Key.Key_Down)
    qtbot.keyClick(chart, Qt.Key.Key_Space)
    settle(page, qtbot)

    assert [chip.text for chip in page.filters.chips] == [f"Modality is {chart.bars[1].label}"]
    assert chart.bars[1].is_chosen
    assert "chosen" in chart.accessibleDescription()


def test_filter_is_typed_and_a_wrong_one_says_what_is_wrong(selected: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(selected)
    page.filters.query.setText("SliceThicknes < 2")
    qtbot.keyClick(page.filters.query, Qt.Key.Key_Return)
    assert "Did you mean SliceThickness?" in texts(page)
    assert page.filters.filters == ()

    page.filters.query.setText("exists(SliceThickness) and Modality == 'CT'")
    qtbot.keyClick(page.filters.query, Qt.Key.Key_Return)
    settle(page, qtbot)
    assert [chip.text for chip in page.filters.chips] == ["Slice thickness is given", "Modality is CT"]
    assert page.filters.query.text() == ""

    page.filters.undo_button.click()
    assert page.filters.chips == []


# lists --------------------------------------------------------------------------


def test_list_takes_only_what_it_names_and_says_what_is_not_found(
    selected: Path, open_page: OpenPage, tmp_path: Path, qtbot: QtBot
) -> None:
    page = open_page(selected)
    patient = series_shown(page)[0].split()[0]
    path = tmp_path / "list.csv"
    path.write_text(f"Patient ID\n{patient}\nNOBODY-1\n", encoding="utf-8")

    page.import_list(path)
    settle(page, qtbot)

    assert "in 1 series of 1 patient." in texts(page)
    assert [chip.text for chip in page.filters.chips] == ["A list of 2 lines"]
    page.tabs.button(4).setChecked(True)
    assert page.missing_list.shown == ["Patient ID NOBODY-1"]
    check_names(page)

    page.filters.chips[0].close_button.click()
    settle(page, qtbot)
    assert "of 6 patients." in texts(page)


def test_list_without_a_known_column_is_told_in_a_sentence(
    selected: Path, open_page: OpenPage, tmp_path: Path, qtbot: QtBot
) -> None:
    page = open_page(selected)
    path = tmp_path / "list.csv"
    path.write_text("name\nx\n", encoding="utf-8")

    page.import_list(path)
    qtbot.waitUntil(page.problems.isVisible)

    assert page.problems.text.startswith("The list has none of the columns that can select")


# problems -----------------------------------------------------------------------


def test_files_that_can_not_be_used_are_listed_with_the_reason(
    selected: Path, open_page: OpenPage, qtbot: QtBot
) -> None:
    page = open_page(selected)
    page.tabs.button(3).setChecked(True)
    settle(page, qtbot)

    heads = [page.problem_list.heads.item(row).text() for row in range(page.problem_list.heads.count())]
    assert heads == [
        "1 file can't be used: There is nothing behind the file's head.",
        "1 file is set aside: This is not a DICOM file.",
    ]
    (line,) = page.problem_list.shown
    assert line.endswith("broken.dcm")


def test_decision_during_a_job_counts_when_the_job_has_ended(selected: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(selected)
    page.search()
    choose(page, "CR")
    page.tree.reason.setText("not now")
    page.tree.leave_button.click()
    settle(page, qtbot)

    project = page._session.project
    assert project is not None
    assert project.store.one("SELECT count(*) FROM instances WHERE selected = 0") == 1


def test_damaged_decisions_are_told_and_the_page_stays(selected: Path, open_page: OpenPage, qtbot: QtBot) -> None:
    page = open_page(selected)
    project = page._session.project
    assert project is not None
    project.layout.series_json.write_text("{", encoding="utf-8")

    with qtbot.waitSignal(page._session.failed):
        page.refresh()

    assert len(series_shown(page)) == 6
