"""The page Sign off and export: from open values to a verified bundle, with two people and no dialog."""

import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication
from pytestqt.qtbot import QtBot

from app.errors import BundleError
from app.gui.checklist import SIGNS, STANDINGS
from app.gui.pages.signoff import SignoffPage
from app.gui.session import Ending, Outcome
from app.pipeline.overview import CheckItem, Standing
from app.project.decisions import load_decisions, save_decisions
from app.project.folder import Project, create_project
from app.review.deciding import Choice, decide_rows
from app.review.dump import build_dump
from tests.gui.review_case import check_names, copy_project, make_project, open_session


def clock() -> datetime:
    return datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("signoff"))


@pytest.fixture
def page(prepared: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[SignoffPage]:
    session = open_session(copy_project(prepared, tmp_path / "project"), qtbot)
    page = SignoffPage(session, clock)
    qtbot.addWidget(page)
    page.resize(1000, 900)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page._overview is not None)
    yield page
    session.close()


def standing(page: SignoffPage, item: CheckItem) -> str:
    return page._checks[item]._standing.text()


def shown(which: Standing) -> str:
    return f"{SIGNS[which]} {STANDINGS[which]}"


def drop_identity(project: Project) -> None:
    rows = [row for row in build_dump(project) if row.blocks]
    save_decisions(project.layout, decide_rows(load_decisions(project.layout), rows, Choice.DROP))


def decide(page: SignoffPage, qtbot: QtBot) -> None:
    page._session.change(drop_identity)
    qtbot.waitUntil(lambda: page._overview is not None and page._overview.may_sign)


def sign(page: SignoffPage, qtbot: QtBot, name: str, role: str) -> None:
    page._role.setCurrentText(role)
    page._name.setText(name)
    page._sign_button.click()
    qtbot.waitUntil(lambda: name in page._answers["approved"].text() or page._problems.isVisible())


def sign_all(page: SignoffPage, qtbot: QtBot) -> None:
    decide(page, qtbot)
    sign(page, qtbot, "Ann Example", "site champion")
    sign(page, qtbot, "Bob Example", "privacy officer")
    qtbot.waitUntil(page.bundle.export_button.isEnabled)


def export(page: SignoffPage, qtbot: QtBot) -> Outcome:
    with qtbot.waitSignal(page._session.job_ended, timeout=60_000) as ended:
        page.bundle.export_button.click()
    assert ended.args is not None
    outcome: Outcome = ended.args[0]
    return outcome


def test_checklist_says_what_is_missing_and_leads_there(page: SignoffPage, qtbot: QtBot) -> None:
    assert standing(page, CheckItem.SCAN) == shown(Standing.DONE)
    assert standing(page, CheckItem.VALUES) == shown(Standing.TO_DO)
    assert standing(page, CheckItem.IMAGES) == shown(Standing.OPTIONAL)
    assert page._title.sentence.text() == "Next: decide on one value."
    assert not page._sign_button.isEnabled()
    assert not page.bundle.export_button.isEnabled()
    with qtbot.waitSignal(page.go_to) as led:
        page._checks[CheckItem.VALUES].go.click()
    assert led.args == ["values"]


def test_four_questions_have_answers_at_any_moment(page: SignoffPage) -> None:
    answers = {key: label.text() for key, label in page._answers.items()}
    assert "17 images of 5 patients" in answers["leaves"]
    assert "attributes removed" in answers["removed"]
    assert "1 image stays here: Text was found" in answers["removed"]
    assert "1 value with a known identity; the release waits for it" in answers["undecided"]
    assert answers["approved"] == "\u2022 site champion: not signed yet\n\u2022 privacy officer: not signed yet"


def test_two_people_sign_and_the_same_one_can_not_sign_twice(page: SignoffPage, qtbot: QtBot) -> None:
    decide(page, qtbot)
    sign(page, qtbot, "Ann Example", "site champion")
    assert "site champion: Ann Example, 2026-01-31 12:00 UTC" in page._answers["approved"].text()
    qtbot.waitUntil(lambda: page._role.count() == 1)
    page._name.setText("ann  example")
    page._sign_button.click()
    qtbot.waitUntil(page._problems.isVisible)
    assert "Each role needs somebody else" in page._problems.text
    sign(page, qtbot, "Bob Example", "privacy officer")
    qtbot.waitUntil(page.bundle.export_button.isEnabled)
    assert not page._problems.isVisible()
    assert page._title.sentence.text() == "Everything is signed. Next: the export."


def test_decision_after_the_signatures_makes_them_void(page: SignoffPage, qtbot: QtBot) -> None:
    sign_all(page, qtbot)

    def keep_all(project: Project) -> None:
        rows = [row for row in build_dump(project) if row.is_suspicious]
        save_decisions(project.layout, decide_rows(load_decisions(project.layout), rows, Choice.KEEP))

    page._session.change(keep_all)
    qtbot.waitUntil(lambda: standing(page, CheckItem.SIGNATURES) == shown(Standing.STALE))
    assert "something changed since" in page._answers["approved"].text()
    assert not page.bundle.export_button.isEnabled()


def test_export_is_estimated_written_and_verified_for_everyone_to_see(
    page: SignoffPage, qtbot: QtBot, tmp_path: Path
) -> None:
    page.use_folder(tmp_path / "out")
    sign_all(page, qtbot)
    qtbot.waitUntil(lambda: "17 images in 1 part" in page.bundle.room.text())
    assert "are free there" in page.bundle.room.text()
    assert export(page, qtbot).ending is Ending.FINISHED
    qtbot.waitUntil(page.bundle._table.isVisible)
    assert "\u2713 Verified on 2026-01-31 12:00 UTC: 17 images in 1 part" in page.bundle.verdict.text()
    assert standing(page, CheckItem.VERIFICATION) == shown(Standing.DONE)
    assert page._title.sentence.text() == "Everything is done: the bundle is exported and verified."
    part = next((tmp_path / "out").glob("*.zip"))
    page.bundle._after[2].click()
    assert QGuiApplication.clipboard().text() == (tmp_path / "out" / "SHA256SUMS").read_text().splitlines(True)[0]
    with zipfile.ZipFile(part) as content:
        (name,) = [one for one in content.namelist() if one.endswith("signoff.json")]
        assert [one["name"] for one in json.loads(content.read(name))["signatures"]] == ["Ann Example", "Bob Example"]

    damaged = bytearray(part.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    part.write_bytes(damaged)
    with qtbot.waitSignal(page._session.job_ended, timeout=60_000):
        page.bundle._after[3].click()
    qtbot.waitUntil(lambda: "Do not send it" in page.bundle.verdict.text())
    assert standing(page, CheckItem.VERIFICATION) != shown(Standing.DONE)


def test_failed_export_is_told_on_the_page(page: SignoffPage, qtbot: QtBot, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    page.use_folder(tmp_path / "out")
    sign_all(page, qtbot)
    outcome = export(page, qtbot)
    assert outcome.ending is Ending.FAILED
    assert not isinstance(outcome.error, BundleError)
    qtbot.waitUntil(page._problems.isVisible)
    assert "The place for the bundle is a file" in page._problems.text


def test_long_folder_is_cut_in_the_middle_and_whole_in_the_tooltip(page: SignoffPage, tmp_path: Path) -> None:
    folder = tmp_path / "/".join(["a long name of a folder"] * 12) / "end"
    page.use_folder(folder)
    assert "\u2026" in page.bundle._place.text()
    assert page.bundle._place.text().endswith("end")
    assert page.bundle._place.toolTip() == str(folder)


def test_a_long_role_leaves_room_for_the_name(page: SignoffPage) -> None:
    page._role.setMinimumWidth(280)
    QGuiApplication.processEvents()
    assert page._name.width() > page._name.fontMetrics().horizontalAdvance("Ann Example-Mustermann")


def test_new_project_has_everything_before_it(tmp_path: Path, qtbot: QtBot) -> None:
    create_project(tmp_path / "project", "SITEA", None)
    session = open_session(tmp_path / "project", qtbot)
    page = SignoffPage(session)
    qtbot.addWidget(page)
    page.show()
    page.refresh()
    qtbot.waitUntil(lambda: page._overview is not None)
    assert page._title.sentence.text() == "Next: Sources read."
    assert page._answers["leaves"].text() == "\u2022 Nothing yet."
    assert not page.bundle._table.isVisible()
    session.close()
    assert page._title.sentence.text() == "No project is open."


def test_every_control_has_a_name_for_a_screen_reader(page: SignoffPage) -> None:
    check_names(page)
