"""Groups, labels and checks on the page Find: real widgets, a real project, real selections."""

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel
from pytestqt.qtbot import QtBot

from app.catalog.step import scan
from app.gui.models.series_tree import CHECKS, SIZE, STATE
from app.gui.pages.find import FindPage
from app.jobs.executors import SerialExecutor
from app.pipeline.finding import check_and_select
from app.project.folder import Project, create_project
from app.selection.tree import Level
from tests.factory.site import VARIED_FAULTS, write_site
from tests.factory.site import thin_chest as chest
from tests.gui.review_case import check_names, copy_project, open_session
from tests.gui.test_find_page import settle, texts

PROTOCOL = """
id = "cohort"
title = "T"
contact = "C"
[selection]
where = 'Modality == "CT"'
[[groups]]
name = "cases"
listed = true
wanted = 3
[[groups]]
name = "controls"
match = { group = "cases", on = ["manufacturer"] }
[[labels]]
name = "finding"
type = "category"
values = ["nodule", "none"]
[checks]
missing_slices = "exclude"
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six chests, one with a missing slice and one with an image of another size, all selected without a list."""
    folder = tmp_path_factory.mktemp("cohorts")
    write_site(folder / "site", 5, [chest] * 4, [VARIED_FAULTS[0], VARIED_FAULTS[9]])
    file = folder / "protocol.toml"
    file.write_text(PROTOCOL, encoding="utf-8")
    create_project(folder / "project", "SITE", file)
    with Project(folder / "project") as project:
        list(scan(project, [folder / "site"], SerialExecutor()))
        list(check_and_select(project, None, None))
    return folder / "project"


@pytest.fixture
def page(root: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[FindPage]:
    session = open_session(copy_project(root, tmp_path / "project"), qtbot)
    page = FindPage(session)
    qtbot.addWidget(page)
    page.resize(1044, 760)
    page.show()
    page.refresh()
    settle(page, qtbot)
    yield page
    session.close()


def write_list(page: FindPage, path: Path, finding: str, count: int) -> Path:
    """The first chests as cases, and a study that is nowhere."""
    found = page._found
    assert found is not None
    accessions = sorted({row.original_accession for row in found.rows if row.checked and not row.checked.findings})[
        :count
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Accession", "Group", "Finding", "Remark"])
        writer.writerows([accession, "cases", finding, "Mr X"] for accession in [*accessions, "A-nowhere"])
    return path


def choose_flagged(page: FindPage, code: str) -> None:
    """Choose the series of which a check found this."""
    model = page.tree.model
    place = next(
        place
        for place, branch in enumerate(model.branches)
        if branch.level is Level.SERIES
        and branch.row is not None
        and branch.row.checked is not None
        and code in [finding.code for finding in branch.row.checked.findings]
    )
    flags = QItemSelectionModel.SelectionFlag
    page.tree.view.selectionModel().setCurrentIndex(model.index_of(place), flags.ClearAndSelect | flags.Rows)


def test_groups_say_what_is_lacking_before_a_list_is_there(page: FindPage) -> None:
    cases, controls = page.groups.rows
    assert "Studies taken: 0 of 3 wanted; not found: 3." in cases.sentence.text()
    assert "empty" in controls.sentence.text()
    assert (cases.bar.value(), controls.bar.value()) == (0, 0)
    assert page.groups.import_button.isVisible()
    assert not page.groups.remove_button.isVisible()
    check_names(page)


def test_imported_labels_fill_the_groups_and_tell_what_does_not_count(
    page: FindPage, tmp_path: Path, qtbot: QtBot
) -> None:
    page.import_studies(write_list(page, tmp_path / "list.csv", "nodule", 2))
    settle(page, qtbot)
    settle(page, qtbot)

    cases, controls = page.groups.rows
    assert "2 of 3 wanted" in cases.sentence.text()
    assert "2 of 2 wanted" in controls.sentence.text()
    assert controls.bar.value() == controls.bar.maximum()
    assert "Remark" in page.problems.text
    page.groups.problems_button.click()
    assert page.missing_list.shown == ["Row 4 of the list: Accession number A-nowhere"]

    page.groups.remove_button.click()
    settle(page, qtbot)
    assert "0 of 3 wanted" in page.groups.rows[0].sentence.text()


def test_label_that_the_protocol_does_not_know_is_refused_row_by_row(
    page: FindPage, tmp_path: Path, qtbot: QtBot
) -> None:
    page.import_studies(write_list(page, tmp_path / "list.csv", "unclear", 1))
    settle(page, qtbot)

    assert "Line 2: The protocol does not allow this value of a label." in page.problems.text
    assert not page.groups.remove_button.isVisible()


def test_checks_stand_in_the_tree_with_sign_and_sentence(page: FindPage, qtbot: QtBot) -> None:
    model = page.tree.model
    shown = {model.data(model.index_of(place, CHECKS)) for place in range(1, len(model.branches))}
    assert {"\u2298 Missing slices", "\u26a0 Mixed image sizes", "\u26a0 1"} <= shown
    choose_flagged(page, "missing-slices")
    assert "\u2298 Missing slices: 1, the first above -35 mm; the others are 1 mm apart." in texts(page)
    assert "By all that its header says: chest" in texts(page)
    states = {model.data(model.index_of(place, STATE)) for place in range(1, len(model.branches))}
    assert "\u2013 Left out by a check: Missing slices" in states
    page.tree.view.selectAll()
    assert "\u26a0 Mixed image sizes: 1 series" in texts(page)

    # Nothing of the other one is taken, so nobody has to look at it.
    page.tabs.button(3).click()
    settle(page, qtbot)
    model = page.tree.model
    shown = {model.data(model.index_of(place, CHECKS)) for place in range(1, len(model.branches))}
    assert shown == {"\u26a0 1", "\u2298 Missing slices"}


def test_patients_in_two_groups_are_counted_and_shown_on_request(page: FindPage, qtbot: QtBot) -> None:
    found = page._found
    assert found is not None
    both = (("K1", ("cases", "controls")), ("K2", ("cases", "controls")))
    page._take(replace(found, cohorts=replace(found.cohorts, original_in_two=both)))

    assert "2 patients are in more than one group." in texts(page)
    page.groups.both_button.click()
    assert page.missing_list.shown == ["K1: cases, controls", "K2: cases, controls"]


def test_narrow_tree_keeps_the_reason_and_gives_up_the_size(page: FindPage, qtbot: QtBot) -> None:
    assert page.tree.view.isColumnHidden(SIZE)
    page.resize(1800, 900)
    qtbot.waitUntil(lambda: not page.tree.view.isColumnHidden(SIZE))
    assert not page.tree.view.isColumnHidden(STATE)
