from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import ConsignError, UsageError
from app.project.folder import Project, create_project
from app.project.study_list import RowSource, load_study_list
from app.reports.deciding import HitDecision
from app.reports.step import decide_hits, search_reports, take_studies

PROTOCOL = """\
id = "trial"
title = "A trial"
contact = "trial@example.org"
[selection]
where = 'Modality == "CT"'
[[groups]]
name = "cases"
listed = true
[[labels]]
name = "diagnosis"
type = "category"
values = ["embolism", "none"]
[[reports.terms]]
name = "embolism"
phrases = ["pulmonary embol*", "PE"]
group = "cases"
labels = { diagnosis = "embolism" }
[[reports.terms]]
name = "nodule"
phrases = ["nodul*"]
"""
REPORTS = """\
Accession Number;Report
ZZCANARYACC1;"FINDINGS: Acute pulmonary embolism of ZZCANARYNAME.
No nodule."
ZZCANARYACC2;"No PE. A nodule in the left lung."
ZZCANARYACC3;"Possible PE."
;
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    (tmp_path / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    create_project(tmp_path / "project", "SITE", tmp_path / "protocol.toml")
    with Project(tmp_path / "project") as opened:
        yield opened


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "reports.csv"
    path.write_text(REPORTS, encoding="utf-8-sig")
    return path


def test_affirmed_hits_come_first_and_wait_for_a_person(project: Project, table: Path) -> None:
    search = search_reports(project, table)
    assert search.reports == 3
    found = [(one.hit.original_accession_number[-1], one.hit.term, one.hit.context.value) for one in search.hits]
    assert found == [
        ("1", "embolism", "affirmed"),
        ("2", "nodule", "affirmed"),
        ("3", "embolism", "uncertain"),
        ("2", "embolism", "negated"),
        ("1", "nodule", "negated"),
    ]
    assert search.undecided == 3


def test_accepted_hits_become_rows_of_the_study_list(project: Project, table: Path) -> None:
    first, second, *_ = search_reports(project, table).hits
    decide_hits(project, [first.digest, second.digest], HitDecision.ACCEPT)
    decide_hits(project, [second.digest], HitDecision.REJECT)
    search = search_reports(project, table)
    assert [one.decision for one in search.hits[:3]] == [HitDecision.ACCEPT, HitDecision.REJECT, None]
    assert take_studies(project, search) == 1
    (row,) = load_study_list(project.layout)
    assert row.source is RowSource.REPORTS
    assert row.original_identifiers == (("AccessionNumber", "ZZCANARYACC1"),)
    assert (row.group, row.labels) == ("cases", (("diagnosis", "embolism"),))


def test_a_decision_holds_neither_text_nor_accession_number(project: Project, table: Path) -> None:
    search = search_reports(project, table)
    decide_hits(project, [one.digest for one in search.hits], HitDecision.ACCEPT)
    kept = b"".join(path.read_bytes() for path in project.layout.root.rglob("*") if path.is_file())
    assert b"ZZCANARY" not in kept
    assert b"embolism of" not in kept


def test_a_decision_does_not_hold_for_another_sentence(project: Project, table: Path) -> None:
    first, *_ = search_reports(project, table).hits
    decide_hits(project, [first.digest], HitDecision.ACCEPT)
    table.write_text(REPORTS.replace("Acute", "Massive"), encoding="utf-8")
    assert search_reports(project, table).hits[0].decision is None


def test_taking_a_decision_back_leaves_none(project: Project, table: Path) -> None:
    first, *_ = search_reports(project, table).hits
    decide_hits(project, [first.digest], HitDecision.ACCEPT)
    decide_hits(project, [first.digest], None)
    assert search_reports(project, table).hits[0].decision is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("AccessionNumber,Remark\n1,2\n", "reports-without-column"),
        ("Report\nNodule\n", "reports-without-column"),
        ("AccessionNumber,Report\n,Nodule\n", "reports-without-accession"),
    ],
)
def test_a_table_that_is_none_of_reports_is_refused(project: Project, tmp_path: Path, content: str, code: str) -> None:
    path = tmp_path / "other.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        search_reports(project, path)
    assert caught.value.code == code


def test_a_table_in_another_encoding_is_refused(project: Project, tmp_path: Path) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes("AccessionNumber,Report\n1,h\xe4morrhagie\n".encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        search_reports(project, path)
    assert caught.value.code == "reports-not-utf8"


def test_damaged_decisions_are_an_error(project: Project, table: Path) -> None:
    project.layout.reports_csv.write_text("hit,decision\nh1,perhaps\n", encoding="utf-8")
    with pytest.raises(ConsignError) as caught:
        search_reports(project, table)
    assert caught.value.code == "decisions-damaged"
