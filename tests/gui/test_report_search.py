"""The search in reports, in the window: each hit in its sentence, one key each, and no text that stays."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.gui.widgets.report_search import ReportSearchButton, ReportSearchDialog
from app.project.folder import create_project
from app.project.study_list import load_study_list
from app.reports.deciding import HitDecision
from tests.gui.review_case import check_names, open_session
from tests.unit.test_report_step import PROTOCOL, REPORTS


@pytest.fixture
def dialog(tmp_path: Path, qtbot: QtBot) -> Iterator[ReportSearchDialog]:
    (tmp_path / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    (tmp_path / "reports.csv").write_text(REPORTS, encoding="utf-8")
    create_project(tmp_path / "project", "SITE", tmp_path / "protocol.toml")
    session = open_session(tmp_path / "project", qtbot)
    dialog = ReportSearchDialog(session)
    qtbot.addWidget(dialog)
    dialog.show()
    yield dialog
    session.close()


def search(dialog: ReportSearchDialog, path: Path, qtbot: QtBot) -> None:
    dialog.search(path)
    qtbot.waitUntil(lambda: bool(dialog.model.rows) or dialog._problems.isVisible())


def test_each_hit_stands_in_its_sentence(dialog: ReportSearchDialog, tmp_path: Path, qtbot: QtBot) -> None:
    search(dialog, tmp_path / "reports.csv", qtbot)
    texts = [
        [dialog.model.data(dialog.model.index(row, column)) for column in range(1, 4)]
        for row in range(dialog.model.rowCount())
    ]
    assert texts[0] == ["embolism", "is there", "Acute pulmonary embolism of ZZCANARYNAME."]
    assert texts[2] == ["embolism", "may be there", "Possible PE."]
    assert dialog._sentence.toPlainText() == "Acute pulmonary embolism of ZZCANARYNAME."
    assert "5 hits in 3 reports; 3 to decide, 0 cases so far." in dialog._state.text()
    check_names(dialog)


def test_one_key_decides_and_the_cases_go_on_the_study_list(
    dialog: ReportSearchDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    search(dialog, tmp_path / "reports.csv", qtbot)
    qtbot.keyClick(dialog.table, Qt.Key.Key_A)
    qtbot.keyClick(dialog.table, Qt.Key.Key_R)
    assert [one.decision for one in dialog.model.rows[:3]] == [HitDecision.ACCEPT, HitDecision.REJECT, None]
    assert dialog.table.currentIndex().row() == 2
    with qtbot.waitSignal(dialog.taken):
        dialog.buttons["take"].click()
    project = dialog._session.project
    assert project is not None
    assert [row.group for row in load_study_list(project.layout)] == ["cases"]
    kept = b"".join(path.read_bytes() for path in project.layout.root.rglob("*") if path.is_file())
    assert b"ZZCANARYNAME" not in kept


def test_a_table_that_can_not_be_read_is_told_on_the_page(
    dialog: ReportSearchDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    search(dialog, tmp_path / "missing.csv", qtbot)
    assert "can't be opened" in dialog._problems.text
    assert not dialog.buttons["take"].isEnabled()


def test_the_button_is_there_only_where_the_protocol_looks_for_terms(
    dialog: ReportSearchDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    with_terms = ReportSearchButton(dialog._session)
    qtbot.addWidget(with_terms)
    assert not with_terms.isHidden()
    create_project(tmp_path / "plain", "SITE", None)
    session = open_session(tmp_path / "plain", qtbot)
    without = ReportSearchButton(session)
    qtbot.addWidget(without)
    assert without.isHidden()
    session.close()
