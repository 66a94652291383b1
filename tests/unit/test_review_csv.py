import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import UsageError
from app.project.decisions import (
    Decisions,
    DecisionsRefusedError,
    RowProblem,
    ValueAction,
    ValueDecision,
    load_decisions,
    save_decisions,
)
from app.project.folder import Project
from app.project.values import RowKind, Suspicion, ValueRow
from app.review.csv_exchange import COLUMNS, known_keys, read_decisions, write_csv
from app.review.step import take_values, write_values
from tests.unit.review_project import add_value, open_project

HEADER = "kind,path,value,suspicion,decision,replacement,note\r\n"
KEEP, DROP = ValueDecision(ValueAction.KEEP), ValueDecision(ValueAction.DROP)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_project(tmp_path) as opened:
        yield opened


def read(tmp_path: Path, text: str, encoding: str = "utf-8-sig") -> Decisions:
    file = tmp_path / "in.csv"
    file.write_bytes(text.encode(encoding))
    return read_decisions(file).decisions


def problems(tmp_path: Path, *lines: str) -> list[tuple[int, str]]:
    with pytest.raises(DecisionsRefusedError) as caught:
        read(tmp_path, HEADER + "".join(line + "\r\n" for line in lines))
    return [(problem.line, problem.code) for problem in caught.value.problems]


def value_row(path: str, value: str, *reasons: Suspicion, kind: RowKind = RowKind.VALUE) -> ValueRow:
    return ValueRow(kind, path, value, "LO", "", "", "", 1, 1, 1, reasons)


def test_csv_has_a_byte_order_mark_all_columns_and_no_formula(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    rows = [value_row("SeriesDescription", "=cmd|'/c calc'!A1"), value_row("StudyDescription", "\tx\r\ny")]
    write_csv(rows, Decisions(), file)
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as opened:
        header, *cells = csv.reader(opened)
    assert tuple(header) == COLUMNS
    assert [row[2] for row in cells] == ["'=cmd|'/c calc'!A1", "'␉x␍␊y"]


def test_numbers_stay_numbers(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    write_csv([ValueRow(RowKind.RANGE, "P", "", "DS", "number", "-5.5", "7", 1, 1, 1, ())], Decisions(), file)
    assert "range,P,,-5.5,7,DS,1,1,,,,\r\n" in file.read_bytes().decode("utf-8-sig")


def test_each_decision_is_understood(tmp_path: Path) -> None:
    decisions = read(
        tmp_path,
        HEADER
        + "value,SeriesDescription,a,identity rare,keep,,fine\r\n"
        + "value,SeriesDescription,b,, Drop ,,\r\n"
        + "value,SeriesDescription,c,,replace,chest,\r\n"
        + "value,SeriesDescription,d,,,,\r\n"
        + "value,StationName,e,,drop-tag,,\r\n"
        + "range,StudyDate,,,keep,,\r\n"
        + "range,StudyTime,,,drop-tag,,why\r\n"
        + "tag,Manufacturer,,,drop-tag,,\r\n"
        + "word,,Kölnscan,,keep,,\r\n"
        + "word,,other,,drop,,\r\n",
    )
    assert decisions.values == {
        ("SeriesDescription", "a"): ValueDecision(
            ValueAction.KEEP, seen=frozenset({Suspicion.IDENTITY, Suspicion.RARE})
        ),
        ("SeriesDescription", "b"): DROP,
        ("SeriesDescription", "c"): ValueDecision(ValueAction.REPLACE, "chest"),
        ("StudyDate", ""): KEEP,
    }
    assert decisions.tags_dropped == {"StationName", "StudyTime", "Manufacturer"}
    assert decisions.safe_words == {"kölnscan"}
    assert decisions.refused_words == {"other"}
    assert decisions.notes == {
        (RowKind.VALUE, "SeriesDescription", "a"): "fine",
        (RowKind.TAG, "StudyTime", ""): "why",
    }


def test_spreadsheets_separators_order_encoding_and_line_endings_are_understood(tmp_path: Path) -> None:
    expected = {("SeriesDescription", "a,b;c\r\nd"): DROP}
    cell = "a,b;c␍␊d"
    semicolons = f'Decision;note;VALUE ;path;suspicion;kind;mine\r\ndrop;;"{cell}";SeriesDescription;;value;7\r\n'
    assert read(tmp_path, semicolons).values == expected
    assert read(tmp_path, semicolons.replace("\r\n", "\r")).values == expected
    assert read(tmp_path, semicolons.replace("\r\n", "\n"), "utf-8").values == expected
    assert read(tmp_path, semicolons.replace(";", "\t").replace(",b\t", ",b;"), "utf-16").values == expected


def test_blank_lines_and_trailing_separators_are_no_rows(tmp_path: Path) -> None:
    text = HEADER + "\r\n,,,,,,\r\nvalue,SeriesDescription,a,,keep,,,,,\r\n\r\n"
    assert read(tmp_path, text).values == {("SeriesDescription", "a"): KEEP}
    assert read(tmp_path, HEADER).values == {}


def test_every_row_that_is_not_understood_is_reported_with_its_line(tmp_path: Path) -> None:
    assert problems(
        tmp_path,
        "value,SeriesDescription,a,,keep,,",
        "thing,SeriesDescription,a,,keep,,",
        'value,SeriesDescription,b,,drop,,"a note of',
        'two lines"',
        "value,,a,,keep,,",
        "value,SeriesDescription,,,keep,,",
        "range,StudyDate,2001,,keep,,",
        "range,StudyDate,,,drop,,",
        "value,SeriesDescription,a,,maybe,,",
        "word,,two words,,keep,,",
        "word,,one,,replace,two,",
        "value,SeriesDescription,c,odd,keep,,",
        "value,SeriesDescription,c,,keep,chest,",
        "value,SeriesDescription,a,,drop,,",
        "value,SeriesDescription,c,,keep,,,more",
    ) == [(16, "row-too-long")]
    assert problems(
        tmp_path,
        "value,SeriesDescription,a,,keep,,",
        "thing,SeriesDescription,a,,keep,,",
        'value,SeriesDescription,b,,drop,,"a note of',
        'two lines"',
        "value,,a,,keep,,",
        "value,SeriesDescription,,,keep,,",
        "range,StudyDate,2001,,keep,,",
        "range,StudyDate,,,drop,,",
        "value,SeriesDescription,a,,maybe,,",
        "word,,two words,,keep,,",
        "word,,one,,replace,two,",
        "value,SeriesDescription,c,odd,keep,,",
        "value,SeriesDescription,c,,keep,chest,",
        "value,SeriesDescription,a,,drop,,",
    ) == [
        (3, "row-unknown-kind"),
        (6, "row-without-path"),
        (7, "row-value-and-kind-differ"),
        (8, "row-value-and-kind-differ"),
        (9, "row-unknown-decision"),
        (10, "row-unknown-decision"),
        (11, "row-not-a-word"),
        (12, "row-unknown-decision"),
        (13, "row-unknown-suspicion"),
        (14, "row-replacement-unused"),
        (15, "row-contradicts-another"),
    ]


def test_row_with_very_many_cells_is_reported_with_its_line(tmp_path: Path) -> None:
    assert problems(tmp_path, "value,SeriesDescription,a,,keep,,", "," * 60) == [(3, "row-too-long")]


@pytest.mark.parametrize(
    ("path", "replacement", "code"),
    [
        ("SeriesDescription", "", "replacement-blank"),
        ("SeriesDescription", " x", "replacement-blank"),
        ("SeriesDescription", "a\\b", "replacement-not-plain"),
        ("SeriesDescription", "Zürich", "replacement-not-plain"),
        ("SeriesDescription", "x" * 65, "replacement-too-long"),
        ("StationName", "x" * 17, "replacement-too-long"),
        ("BodyPartExamined", "Chest", "replacement-not-a-code-string"),
        ("StudyInstanceUID", "1.2.3", "replacement-not-possible"),
        ("(00E1,xx21)[ELSCINT1]", "x", "replacement-not-possible"),
        ("NoSuchKeyword", "x", "replacement-not-possible"),
        ("SeriesDescription", "on 2024-01-31", "replacement-looks-identifying"),
        ("SeriesDescription", "a@example.org", "replacement-looks-identifying"),
    ],
)
def test_replacement_that_is_not_harmless_is_refused(tmp_path: Path, path: str, replacement: str, code: str) -> None:
    assert problems(tmp_path, f'value,"{path}",a,,replace,{replacement},') == [(2, code)]


def test_replacement_in_a_nested_path_follows_the_innermost_attribute(tmp_path: Path) -> None:
    path = "RequestAttributesSequence.ScheduledProcedureStepDescription"
    decisions = read(tmp_path, HEADER + f"value,{path},a,,replace,'- chest,\r\n")
    assert decisions.values[path, "a"].replacement == "- chest"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "csv-column-missing"),
        (b"a,b\r\n1,2\r\n", "csv-column-missing"),
        (b"kind,path,value,decision\r\n", "csv-column-missing"),
        (b"kind,path,value,suspicion,decision,path\r\n", "csv-column-twice"),
        ("kind,path,value,suspicion,decision\r\nvalue,P,ü,,keep".encode("cp1252"), "csv-not-utf8"),
    ],
)
def test_file_that_is_no_such_table_is_refused(tmp_path: Path, content: bytes, code: str) -> None:
    file = tmp_path / "in.csv"
    file.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_decisions(file)
    assert caught.value.code == code


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_decisions(tmp_path / "none.csv")
    assert caught.value.code == "csv-not-readable"
    with pytest.raises(UsageError) as caught:
        write_csv([], Decisions(), tmp_path / "none" / "out.csv")
    assert caught.value.code == "csv-not-written"


def test_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, "kind;path;value;decision\r\n")
    assert caught.value.ids == {"column": "suspicion"}


def test_decision_on_a_value_that_a_spreadsheet_changed_is_refused(tmp_path: Path) -> None:
    rows = [value_row("SeriesDescription", "1E5")]
    file = tmp_path / "in.csv"
    file.write_text(HEADER + "value,SeriesDescription,100000,,drop,,\n", encoding="utf-8")
    with pytest.raises(DecisionsRefusedError) as caught:
        read_decisions(file, known_keys(rows, Decisions()))
    assert caught.value.problems == (RowProblem(2, "row-not-in-dump"),)


def test_refused_file_changes_nothing(project: Project, tmp_path: Path) -> None:
    add_value(project, "SeriesDescription", "Zzyzx")
    save_decisions(project.layout, Decisions(safe_words=frozenset({"x"})))
    before = project.layout.values_csv.read_bytes()
    file = tmp_path / "in.csv"
    file.write_text(HEADER + "value,SeriesDescription,Zzyzx,,drop,,\nvalue,P,v,,perhaps,,\n", encoding="utf-8")
    with pytest.raises(DecisionsRefusedError):
        take_values(project, file)
    assert project.layout.values_csv.read_bytes() == before


def test_decisions_go_out_come_back_and_can_be_taken_back(project: Project, tmp_path: Path) -> None:
    for value in ("-Zzyzx", "Thorax", "007"):
        add_value(project, "SeriesDescription", value)
    add_value(project, "StudyDate", "", vr="DA", fold="date", low="20010101", high="20010102")
    file = tmp_path / "values.csv"
    write_values(project, file)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    decide = {"'-Zzyzx": "replace,chest,see", "'007": "drop,,"}
    edited = [
        line.removesuffix(",,") + "," + decide[line.split(",")[2]]
        if line.split(",")[2] in decide
        else line.removesuffix(",,") + ",drop-tag,," * line.startswith("range")
        for line in lines
    ]
    edited = [line.replace(",,replace", ",replace").replace(",,drop", ",drop") for line in edited]
    file.write_text("\n".join(edited), encoding="utf-8")
    decisions = take_values(project, file)
    assert decisions == load_decisions(project.layout)
    assert decisions.values["SeriesDescription", "-Zzyzx"].replacement == "chest"
    assert decisions.values["SeriesDescription", "007"].action is ValueAction.DROP
    assert decisions.tags_dropped == {"StudyDate"}

    write_values(project, file)
    assert take_values(project, file) == decisions

    write_csv([value_row("SeriesDescription", "007"), value_row("StudyDate", "x")], Decisions(), file)
    taken_back = take_values(project, file)
    assert set(taken_back.values) == {("SeriesDescription", "-Zzyzx")}
    assert taken_back.tags_dropped == frozenset()


def test_decisions_are_carried_to_the_next_project(project: Project, tmp_path: Path) -> None:
    decisions = Decisions(
        values={("SeriesDescription", "=x"): DROP, ("StudyDate", ""): KEEP},
        tags_dropped=frozenset({"StationName"}),
        safe_words=frozenset({"zzyzx"}),
        notes={(RowKind.TAG, "StationName", ""): "house rule"},
    )
    save_decisions(project.layout, decisions)
    with open_project(tmp_path / "next") as following:
        taken = take_values(following, project.layout.values_csv, from_other_project=True)
        assert taken == decisions == load_decisions(following.layout)


def test_two_ranges_of_one_path_are_decided_on_together(tmp_path: Path) -> None:
    line = "range,LUTData,,{},keep,,\r\n"
    both = read(tmp_path, HEADER + line.format("rare") + line.format("identity"))
    assert both.values["LUTData", ""].seen == {Suspicion.RARE, Suspicion.IDENTITY}
    one = read(tmp_path, HEADER + line.format("") + "range,LUTData,,identity,,,\r\n")
    assert one.values == {("LUTData", ""): KEEP}
