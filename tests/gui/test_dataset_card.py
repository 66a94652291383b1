"""The data set as a whole on the sign-off page: nobody signs before what was found is decided."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.dataset.deciding import decide
from app.dicom.profile import Action
from app.gui.pages.signoff import SignoffPage
from app.gui.widgets.dataset_card import DatasetCard
from app.pipeline.dataset import DatasetView, FindingRow, load_dataset_view, refresh_dataset
from app.pipeline.overview import CheckItem, Standing
from app.project.dataset import FindingAction, FindingKind
from app.project.decisions import load_decisions
from app.project.defacings import Defacing, save_defacing
from tests.gui.review_case import check_names, open_session
from tests.unit.dataset_project import open_dataset_project, set_groups


@pytest.fixture
def page(tmp_path: Path, qtbot: QtBot) -> Iterator[SignoffPage]:
    with open_dataset_project(tmp_path, patients=20) as project:
        set_groups(project, {number: "cases" if number % 2 else "controls" for number in range(1, 21)}, (3, "controls"))
    session = open_session(tmp_path / "project", qtbot)
    page = SignoffPage(session, lambda: datetime(2026, 1, 31, 12, tzinfo=UTC))
    qtbot.addWidget(page)
    page.resize(1200, 1400)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: bool(page.dataset._model.rows))
    yield page
    session.close()


def choose(page: SignoffPage, kind: FindingKind) -> None:
    rows = [row.finding.kind for row in page.dataset._model.rows]
    page.dataset._table.clearSelection()
    page.dataset._table.selectRow(rows.index(kind))


def shown(page: SignoffPage) -> set[str]:
    return {name for name, made in page.dataset.buttons.items() if made.isVisible()}


def test_the_data_set_is_checked_by_itself_and_what_blocks_is_told(page: SignoffPage, qtbot: QtBot) -> None:
    assert page._overview is not None
    kinds = [row.finding.kind for row in page.dataset._model.rows]
    assert kinds[:2] == [FindingKind.PATIENT_OVERLAP, FindingKind.TARGET_LEAKAGE]
    qtbot.waitUntil(lambda: "2 of these wait for a decision" in page.dataset._state.text())
    assert page._overview.check(CheckItem.DATASET).standing is Standing.TO_DO
    assert not page._overview.may_sign
    check_names(page.dataset)


def test_every_kind_offers_its_own_ways(page: SignoffPage) -> None:
    choose(page, FindingKind.TARGET_LEAKAGE)
    assert shown(page) == {"keep", "remove"}
    assert "Manufacturer alone tells group" in page.dataset._words.text()
    choose(page, FindingKind.PATIENT_OVERLAP)
    assert shown(page) == {"keep", "exclude"}


def standing(page: SignoffPage) -> Standing | None:
    return None if page._overview is None else page._overview.check(CheckItem.DATASET).standing


def test_what_is_kept_waits_no_more_and_can_be_taken_back(page: SignoffPage, qtbot: QtBot) -> None:
    qtbot.waitUntil(page.dataset.buttons["keep"].isEnabled)
    page.dataset._table.selectAll()
    assert shown(page) == set()  # they are of several kinds
    for waiting, kind in ((1, FindingKind.PATIENT_OVERLAP), (0, FindingKind.TARGET_LEAKAGE)):
        choose(page, kind)
        page.dataset._note.setText("known")
        page.dataset.buttons["keep"].click()
        qtbot.waitUntil(lambda left=waiting: sum(row.waits for row in page.dataset._model.rows) == left)  # type: ignore[misc]
    qtbot.waitUntil(lambda: standing(page) is Standing.DONE)
    choose(page, FindingKind.TARGET_LEAKAGE)
    page.dataset.buttons["back"].click()
    qtbot.waitUntil(lambda: standing(page) is Standing.TO_DO)


def test_an_attribute_that_leaks_can_be_removed(page: SignoffPage, qtbot: QtBot) -> None:
    choose(page, FindingKind.TARGET_LEAKAGE)
    with qtbot.waitSignal(page._session.changed):
        page.dataset.buttons["remove"].click()
    project = page._session.project
    assert project is not None
    assert load_decisions(project.layout).dataset.attributes == {0x00080070: Action.REMOVE}
    qtbot.waitUntil(lambda: "all-back" in shown(page))


def test_a_removed_face_is_shown_before_and_after(tmp_path: Path, qtbot: QtBot) -> None:
    with open_dataset_project(tmp_path, patients=2) as project:
        head = '{"Modality": "CT", "BodyPartExamined": "HEAD", "NumberOfFrames": 150, "SliceThickness": 1}'
        project.store.execute("UPDATE attribute_sets SET original_attributes = ? WHERE id = 1", (head,))
        faces = [one for one in refresh_dataset(project).findings if one.kind is FindingKind.FACE]
        decide(project, faces, FindingAction.DEFACE)
        done = Defacing(1, "digest", None, 0.96, 4, 3, bytes(range(12)), bytes(12))
        with project.store.transaction():
            save_defacing(project.store, done, {})
        (row,) = [row for row in load_dataset_view(project).rows if row.finding.kind is FindingKind.FACE]
        view = DatasetView((row,), is_current=True, facts="", attributes=(), studies=0)
    card = DatasetCard()
    qtbot.addWidget(card)
    card.show()
    card.show_view(view)
    assert "96 % of its skin moved by more than a millimetre" in card._words.text()
    assert card._faces.isVisible()
    assert [label.pixmap().isNull() for label in card._faces._pictures] == [False, False]
    refused = FindingRow(row.finding, FindingAction.DEFACE, replace(done, failure="no-brain"))
    card.show_view(replace(view, rows=(refused,)))
    assert "can't be taken out: the brain can't be told from the rest" in card._words.text()
    assert not card._faces.isVisible()
