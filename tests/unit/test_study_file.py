"""Study lists as people bring them: CSV and XLSX, judged row by row by the protocol's label schema."""

import datetime
from pathlib import Path

import openpyxl
import pytest

from app.errors import UsageError
from app.project.decisions import DecisionsRefusedError
from app.project.study_list import RowSource, StudyRow
from app.protocol.load import parse_protocol
from app.protocol.schema import Protocol
from app.selection.study_file import read_study_file
from app.selection.table_file import read_table

PROTOCOL = """
id = "p"
title = "T"
contact = "C"
[selection]
where = 'Modality == "CT"'
[[groups]]
name = "cases"
[[groups]]
name = "controls"
[[labels]]
name = "finding"
type = "category"
values = ["benign", "malignant"]
[[labels]]
name = "size_mm"
type = "number"
minimum = 0
maximum = 80
decimals = 1
"""


@pytest.fixture
def protocol() -> Protocol:
    return parse_protocol(PROTOCOL)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def workbook(path: Path, *rows: list[object], formats: dict[str, str] | None = None) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    for cell, number_format in (formats or {}).items():
        sheet[cell].number_format = number_format
    book.save(path)
    book.close()
    return path


def test_groups_and_labels_are_read_in_the_protocols_spelling(tmp_path: Path, protocol: Protocol) -> None:
    text = (
        "Accession No;MRN;Group;Finding;Size (mm);Remark\nA1;7;Cases;MALIGNANT;12,34;Mrs Smith\nA2;;;;;\n;;cases;;;\n"
    )
    file = read_study_file(write(tmp_path / "list.csv", text), protocol)

    assert file.rows == (
        StudyRow(
            RowSource.LIST,
            2,
            (("PatientID", "7"), ("AccessionNumber", "A1")),
            "cases",
            (("finding", "malignant"), ("size_mm", "12.3")),
        ),
        StudyRow(RowSource.LIST, 3, (("AccessionNumber", "A2"),)),
    )
    assert file.labels == ("finding", "size_mm")
    assert file.has_groups
    assert file.original_ignored == ("Remark",)


def test_what_the_schema_does_not_allow_is_refused_with_its_rows(tmp_path: Path, protocol: Protocol) -> None:
    text = "accession,group,finding,size_mm\na,cases,benign,1\nb,case,benign,81\n\nc,,unsure,\nd,,,Mr X\n"
    with pytest.raises(DecisionsRefusedError) as caught:
        read_study_file(write(tmp_path / "list.csv", text), protocol)

    assert [(problem.line, problem.code) for problem in caught.value.problems] == [
        (3, "row-unknown-group"),
        (3, "row-label-not-allowed"),
        (5, "row-label-not-allowed"),
        (6, "row-label-not-allowed"),
    ]
    assert "Mr X" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("finding\nbenign\n", "list-without-column"),
        ("accession,Accession Number\na,b\n", "list-column-twice"),
        ("accession,finding,Finding\na,benign,benign\n", "list-column-twice"),
        ("accession,finding\n,benign\n", "list-empty"),
        ("", "list-not-a-table"),
    ],
)
def test_file_that_is_no_study_list_is_told_apart(tmp_path: Path, protocol: Protocol, text: str, code: str) -> None:
    with pytest.raises(UsageError, match=code):
        read_study_file(write(tmp_path / "list.csv", text), protocol)


def test_workbook_says_what_its_cells_show(tmp_path: Path, protocol: Protocol) -> None:
    path = workbook(
        tmp_path / "list.xlsx",
        ["Accession", "Patient ID", "size mm", "When", "Sure", None, None],
        [1234567, "007", 12.25, datetime.date(2024, 1, 31), True],
        [],
        [8, 42, 7.0, None, None, None, "a note beside the table"],
        formats={"B4": "00000"},
    )

    table = read_table(path)

    assert table.columns == ("Accession", "Patient ID", "size mm", "When", "Sure")
    assert [(row.number, row.cells) for row in table.rows] == [
        (2, ("1234567", "007", "12.25", "2024-01-31", "true")),
        (4, ("8", "00042", "7", "", "")),
    ]
    assert [row.labels for row in read_study_file(path, protocol).rows] == [
        (("size_mm", "12.2"),),
        (("size_mm", "7.0"),),
    ]


def test_number_that_a_spreadsheet_has_cut_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path / "list.xlsx", ["Accession"], [12345678901234567])

    with pytest.raises(UsageError, match="list-number-too-long row=2"):
        read_table(path)


@pytest.mark.parametrize("content", [b"PK\3\4", b"PK\3\4 no zip", b"\xd0\xcf\x11\xe0 an old workbook \xff"])
def test_damaged_workbook_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "list.xlsx"
    path.write_bytes(content)

    with pytest.raises(UsageError, match="list-not-a-table"):
        read_table(path)


def test_zip_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "list.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "x")

    with pytest.raises(UsageError, match="list-not-a-table"):
        read_table(path)


def test_row_that_is_short_is_blank_at_its_end(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "list.csv", "a,b,c\n1\n2,3,4\n"))

    assert [row.cells for row in table.rows] == [("1", "", ""), ("2", "3", "4")]
