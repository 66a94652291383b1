"""``consign select`` and ``consign check`` on a small site: what they say to people and to machines."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.cli.main import cli
from app.project.folder import Project, create_project
from tests.factory.site import VARIED_FAULTS, thin_chest, write_site

PROTOCOL = """
id = "cohort"
title = "T"
contact = "C"
[selection]
where = 'Modality == "CT"'
[[groups]]
name = "cases"
listed = true
wanted = 2
[[labels]]
name = "finding"
type = "category"
values = ["nodule"]
[checks]
missing_slices = "exclude"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write_site(tmp_path / "site", 6, [thin_chest] * 3, [VARIED_FAULTS[0]])
    (tmp_path / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    create_project(tmp_path / "project", "SITE", tmp_path / "protocol.toml")
    assert run("scan", tmp_path / "project", tmp_path / "site", "--workers", "serial")[0] == 0
    return tmp_path / "project"


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [str(one) for one in arguments])
    return result.exit_code, result.stdout


def last_line(*arguments: object) -> dict[str, Any]:
    code, text = run(*arguments, "--json")
    assert code == 0, text
    told = json.loads(text.splitlines()[-1])
    assert isinstance(told, dict)
    return told


def test_check_names_what_is_wrong_with_each_series(project: Path) -> None:
    code, text = run("check", project)
    assert code == 0
    assert "left out: Missing slices: 1, the first above -35 mm; the others are 1 mm apart." in text
    assert text.splitlines()[-1] == "Missing slices: 1"

    told = last_line("check", project, "--all")
    assert told["counts"] == {"series": 4, "warned": 0, "excluded": 1}
    assert {tuple(series["body_parts"]) for series in told["series"]} == {("chest",)}


def test_select_takes_a_study_list_and_tells_groups_and_rows(project: Path, tmp_path: Path) -> None:
    with Project(project) as opened:
        rows = opened.store.execute("SELECT DISTINCT original_attributes ->> '$.AccessionNumber' FROM attribute_sets")
        accessions = sorted(row[0] for row in rows)
    listed = tmp_path / "list.csv"
    lines = [f"{accession},cases,nodule,Mr X" for accession in [*accessions, "A-nowhere"]]
    listed.write_text("\n".join(["Accession,Group,Finding,Remark", *lines]), encoding="utf-8")

    code, text = run("select", project, "--studies", listed)
    assert code == 0
    assert "Group cases. Studies taken: 2 of 2 wanted; found: 3." in text
    assert "Columns of the list that are no labels of the protocol and stay behind: 1" in text
    assert "Row 6 of the list: No study in the sources has these identifiers." in text
    assert "A-nowhere" not in text
    assert "Not drawn for group cases: 2 wanted, 3 found" in text
    assert "Left out by a check: Missing slices" in text

    told = last_line("select", project)
    assert told["groups"] == [{"group": "cases", "wanted": 2, "found": 3, "drawn": 2, "short": 0, "over": 1}]
    assert told["list"] == [{"row": 6, "problem": "not-found", "label": ""}]
    assert told["counts"]["series_selected"] == 2


def test_refused_list_changes_nothing(project: Path, tmp_path: Path) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text("Accession,Finding\nA1,Mrs Smith\n", encoding="utf-8")

    result = CliRunner().invoke(cli, ["select", str(project), "--studies", str(listed)])

    assert result.exit_code == 2
    assert "Line 2: The protocol does not allow this value of a label." in result.stderr
    assert "Smith" not in result.output
    with Project(project) as opened:
        assert not opened.layout.studies_json.exists()


def test_run_that_selects_nothing_says_why_and_what_to_do(project: Path, tmp_path: Path) -> None:
    places = (tmp_path / "site", "--project", project, "--out", tmp_path / "out", "--site", "SITE")
    arguments = [str(one) for one in ("run", *places, "--workers", "serial", "--where", 'Modality == "MR"')]
    told = CliRunner().invoke(cli, arguments)
    assert told.exit_code == 2
    with Project(project) as opened:
        instances = opened.store.one("SELECT count(*) FROM instances WHERE reason IS NULL")
    *_, head, reason, todo, last = told.stderr.splitlines()
    assert head == "None of the images is selected. How many each of these reasons leaves out:"
    assert reason.split(maxsplit=1) == [str(instances), "Modality CT is not MR"]
    assert "consign select PROJECT" in todo
    assert last.startswith("No instance is selected.")

    machine = CliRunner().invoke(cli, [*arguments, "--json"])
    assert machine.stderr == ""
    assert json.loads(machine.stdout.splitlines()[-1])["error"] == "nothing-selected"


def test_run_over_files_without_an_image_says_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "letter.txt").write_text("Dear colleague", encoding="utf-8")
    places = (tmp_path / "source", "--project", tmp_path / "project", "--out", tmp_path / "out", "--site", "SITE")
    told = CliRunner().invoke(cli, ["run", *map(str, places), "--workers", "serial"])
    assert told.exit_code == 2
    assert "None of the files is an image that can be used:\n        1  not-dicom: " in told.stderr
