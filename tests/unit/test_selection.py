"""Explanations, derived facts and lists: what the step of selection is made of."""

import sqlite3
from pathlib import Path

import pytest

from app.errors import UsageError
from app.protocol.where import parse_where
from app.selection.explain import explain
from app.selection.facts import instance_facts, series_facts, slice_spacing_mm
from app.selection.sql import compile_predicate
from app.selection.wanted import WantedIndex, WantedList, read_list

CT = {
    "Modality": "CT",
    "SliceThickness": 5.0,
    "PixelSpacing": [0.7, 0.9],
    "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"],
    "StudyDate": "20200131",
    "PatientAge": "045Y",
    "SeriesDescription": "Thorax nativ",
    "KVP": "unknown",
}
FACTS = {"HasContrast": False, "InstanceCount": 3}


@pytest.mark.parametrize(
    ("where", "reasons"),
    [
        ("SliceThickness <= 1.0", ["SliceThickness 5.0 > 1.0"]),
        ("SliceThickness < 5", ["SliceThickness 5.0 >= 5"]),
        ("SliceThickness >= 6", ["SliceThickness 5.0 < 6"]),
        ("SliceThickness > 5", ["SliceThickness 5.0 <= 5"]),
        ("SliceThickness == 1", ["SliceThickness 5.0 is not 1"]),
        ("SliceThickness != 5", ["SliceThickness 5.0 is 5"]),
        ("Modality == 'MR'", ["Modality CT is not MR"]),
        ("Modality in ('MR', 'PT')", ["Modality CT is not one of MR, PT"]),
        ("Modality not in ('CT', 'PT')", ["Modality CT is one of CT, PT"]),
        ("SpacingBetweenSlices <= 1", ["SpacingBetweenSlices missing"]),
        ("exists(SpacingBetweenSlices)", ["SpacingBetweenSlices missing"]),
        ("not exists(StudyDate)", ["StudyDate 20200131 exists"]),
        ("PixelSpacing <= 0.8", ["PixelSpacing 0.7\\0.9 > 0.8"]),
        ("not 'LOCALIZER' in ImageType", ["ImageType ORIGINAL\\PRIMARY\\LOCALIZER contains LOCALIZER"]),
        ("'AXIAL' in ImageType", ["ImageType ORIGINAL\\PRIMARY\\LOCALIZER does not contain AXIAL"]),
        ("matches(SeriesDescription, '*lung*')", ["SeriesDescription Thorax nativ does not match *lung*"]),
        ("StudyDate >= '2021-01-01'", ["StudyDate 20200131 < 20210101"]),
        ("PatientAge < 18", ["PatientAge 045Y >= 18"]),
        ("HasContrast", ["HasContrast false is not true"]),
        ("KVP <= 100", ["KVP unknown is not a number"]),
        ("InstanceCount >= 5 and Modality == 'MR'", ["InstanceCount 3 < 5", "Modality CT is not MR"]),
        ("Modality == 'MR' or HasContrast", ["Modality CT is not MR and HasContrast false is not true"]),
        ("not (Modality == 'CT' and SliceThickness > 1)", ["Modality CT is CT and SliceThickness 5.0 > 1"]),
        ("not (Modality == 'CT' or SliceThickness <= 1)", ["Modality CT is CT"]),
        ("Modality == 'CT' and (HasContrast or SliceThickness == 5)", []),
        ("Rows == 1 and Columns == 1 and KVP == 1 and HasContrast",
         ["Rows missing", "Columns missing", "KVP unknown is not a number"]),
    ],
)  # fmt: skip
def test_explanation_names_what_failed(where: str, reasons: list[str]) -> None:
    assert list(explain(parse_where(where), CT, FACTS)) == reasons


def test_long_value_is_cut_in_an_explanation() -> None:
    (reason,) = explain(parse_where("StudyDescription == 'x'"), {"StudyDescription": "long " * 50}, {})

    assert len(reason) < 110
    assert reason.endswith("… is not x")


@pytest.mark.parametrize(
    ("where", "attributes"),
    [
        ("SliceThickness == 0.6", {"SliceThickness": 0.6000000238418579}),
        ("SliceThickness <= 0.6", {"SliceThickness": 0.6000000238418579}),
        ("SliceThickness == 5", {"SliceThickness": "5.00"}),
        ("not SliceThickness < 0.6", {"SliceThickness": 0.6}),
        ("not SliceThickness > 0.6", {"SliceThickness": 0.6}),
        ("PatientAge < 1", {"PatientAge": "011M"}),
        ("PatientAge >= 1", {"PatientAge": "366D"}),
        ("StudyDate < '2020-03-01'", {"StudyDate": "20200229"}),
        ("Manufacturer == 'siemens'", {"Manufacturer": "SIEMENS "}),
        ("matches(SeriesDescription, '*schädel*')", {"SeriesDescription": "CT SCHÄDEL"}),
        ("matches(SeriesDescription, 'a[b]?')", {"SeriesDescription": "A[B]c"}),
        ("Modality != 'CT'", {}),
        ("not matches(SeriesDescription, '*')", {"SeriesDescription": " "}),
    ],
)
def test_comparison_means_what_a_reader_expects(where: str, attributes: dict[str, object]) -> None:
    assert explain(parse_where(where), attributes, {}) == ()


def test_largest_predicate_compiles_to_sql_that_sqlite_takes() -> None:
    keywords = ", ".join(f'"{number:02}"' for number in range(90))
    texts = " or ".join([f"not StationName in ({keywords})"] * 5)
    numbers = "HasContrast" + " and HasContrast" * 240
    for where in (texts, numbers):
        condition = compile_predicate(parse_where(where), "doc", "doc")
        connection = sqlite3.connect(":memory:")
        rows = connection.execute(f"SELECT {condition.sql} FROM (SELECT '{{}}' AS doc)", condition.parameters)
        assert rows.fetchone()[0] in (0, 1)
        connection.close()


# facts ------------------------------------------------------------


@pytest.mark.parametrize(
    ("positions", "spacing"),
    [
        ([], None),
        ([10.0], None),
        ([10.0, 10.0], None),
        ([0.0, 1.25, 2.5, 3.75], 1.25),
        ([3.75, 0.0, 2.5, 1.25], 1.25),
        ([0.0, 1.0, 2.0, 7.0, 8.0, 9.0], 1.0),
        ([0.0, 1.0, 2.0] * 10, 1.0),
        ([0.0, 1.0, 1.00000001, 2.0], 1.0),
        ([-0.1, 0.2], 0.3),
    ],
)
def test_slice_spacing_is_the_median_distance_of_neighbours(positions: list[float], spacing: float | None) -> None:
    assert slice_spacing_mm(positions) == spacing


@pytest.mark.parametrize(
    ("agents", "has_contrast"),
    [
        ([None], False),
        ([""], False),
        (["none "], False),
        (["No Contrast"], False),
        ([None, "Omnipaque 300"], True),
        ([["", "Ultravist"]], True),
    ],
)
def test_contrast_is_a_named_agent_in_any_attribute_set(agents: list[object], has_contrast: bool) -> None:
    assert series_facts([], 2, agents) == {"InstanceCount": 2, "HasContrast": has_contrast}


def test_kind_of_object_is_a_fact_of_the_instance() -> None:
    facts = instance_facts({"InstanceCount": 2}, "1.2.840.10008.5.1.4.1.1.88.22")

    assert facts == {"InstanceCount": 2, "ObjectKind": "sr"}


# lists ------------------------------------------------------------


def entries(wanted: WantedList) -> set[tuple[tuple[str, str], ...]]:
    return set(wanted.original_entries)


def test_list_is_read_with_any_separator_and_spelling_of_its_header(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbfNo;Study Instance UID;accession_number\r\n1;1.2.3; 0042 \r\n2;;7\r\n3;;\r\n")

    assert entries(read_list(path)) == {
        (("AccessionNumber", "0042"), ("StudyInstanceUID", "1.2.3")),
        (("AccessionNumber", "7"),),
    }


def test_column_of_text_keeps_its_zeros_and_words(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("PatientID\n007\nNA\n1e5\n")

    assert entries(read_list(path)) == {(("PatientID", value),) for value in ("007", "NA", "1e5")}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "list-not-a-table"),
        (b"Patient\n1\n", "list-without-column"),
        (b"PatientID\n", "list-empty"),
        (b"PatientID,X\n,1\n", "list-empty"),
        (b"PatientID\n\xff\xfe\n", "list-not-a-table"),
        (b'PatientID,X\n1,"2\n', "list-not-a-table"),
    ],
)
def test_list_that_is_none_is_told_apart(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "list.csv"
    path.write_bytes(content)

    with pytest.raises(UsageError) as caught:
        read_list(path)

    assert caught.value.code == code
    assert caught.value.__cause__ is None


def test_missing_list_and_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="list-not-found"):
        read_list(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="list-unreadable"):
        read_list(tmp_path)


def test_every_identifier_of_a_line_must_agree() -> None:
    index = WantedIndex(
        WantedList(
            frozenset(
                {
                    (("PatientID", "p"), ("AccessionNumber", "a")),
                    (("SOPInstanceUID", "1.2"),),
                }
            )
        )
    )

    assert index.contains({"PatientID": "p", "AccessionNumber": "a"})
    assert not index.contains({"PatientID": "p", "AccessionNumber": "b"})
    assert not index.contains({"PatientID": "a", "AccessionNumber": "p"})
    assert index.contains({"PatientID": "q", "SOPInstanceUID": "1.2"})
    assert index.names_instances
