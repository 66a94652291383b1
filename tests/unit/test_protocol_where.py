"""The text form of a predicate."""

import pytest

from app.errors import ProtocolError
from app.protocol.predicates import AllOf, AnyOf, Comparison, Not, Operator, Predicate
from app.protocol.where import parse_where

IS_CT = Comparison("Modality", Operator.IS, ("CT",))
IS_THIN = Comparison("SliceThickness", Operator.AT_MOST, (1.0,))
HAS_AXIAL = Comparison("ImageType", Operator.CONTAINS, ("AXIAL",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Modality == "CT"', IS_CT),
        ('"CT" == Modality', IS_CT),
        ('  Modality == "CT"  ', IS_CT),
        ('Modality == "CT" and SliceThickness <= 1.0', AllOf((IS_CT, IS_THIN))),
        ('Modality == "CT"  # computed\n  and SliceThickness <= 1.0', AllOf((IS_CT, IS_THIN))),
        ('Modality == "CT" or not SliceThickness <= 1.0', AnyOf((IS_CT, Not(IS_THIN)))),
        ("1.0 >= SliceThickness", IS_THIN),
        ('Modality != "CT"', Not(IS_CT)),
        (
            "0.5 < SliceThickness <= 1.0",
            AllOf((Comparison("SliceThickness", Operator.ABOVE, (0.5,)), IS_THIN)),
        ),
        ('Modality in ("CT", "MR")', Comparison("Modality", Operator.IN, ("CT", "MR"))),
        ('Modality not in ["CT"]', Not(Comparison("Modality", Operator.IN, ("CT",)))),
        ('"AXIAL" in ImageType', HAS_AXIAL),
        ('"AXIAL" not in ImageType', Not(HAS_AXIAL)),
        ("exists(ContrastBolusAgent)", Comparison("ContrastBolusAgent", Operator.EXISTS, ())),
        (
            'matches(SeriesDescription, "*chest*")',
            Comparison("SeriesDescription", Operator.MATCHES, ("*chest*",)),
        ),
        ("HasContrast", Comparison("HasContrast", Operator.IS, (True,))),
        ("HasContrast == false", Comparison("HasContrast", Operator.IS, (False,))),
        ('StudyDate >= "2020-01-31"', Comparison("StudyDate", Operator.AT_LEAST, ("20200131",))),
        ("SliceThickness > -1", Comparison("SliceThickness", Operator.ABOVE, (-1,))),
        ('Orientation == "axial"', Comparison("Orientation", Operator.IS, ("axial",))),
    ],
)
def test_expression_is_read(text: str, expected: Predicate) -> None:
    assert parse_where(text) == expected


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("Modality", 1),
        ('Modality = "CT"', 1),
        ("Modality == ", 12),
        ('Modality == "CT" and', 20),
        ("__import__('os')", 1),
        ("exists(Modality, Rows)", 1),
        ("exists(Modality, x=1)", 1),
        ("matches(*SeriesDescription)", 1),
        ("SliceThickness + 1 <= 2", 1),
        ("Rows == (lambda: 1)", 10),
        ("Modality == f'CT'", 13),
        ("Modality == b'CT'", 13),
        ("Rows == 1j", 9),
        ("[Rows for Rows in ImageType]", 1),
        ("Rows if True else Columns", 1),
        ("(Rows := 5)", 2),
        ("Modality.lower() == 'ct'", 1),
        ("Rows == Columns", 9),
        ("Modality is 'CT'", 1),
        ("not " * 900 + "HasContrast", None),
        ("(" * 500, None),
        ("-" * 3000 + "1 == Rows", None),
    ],
)
def test_anything_else_is_refused_with_its_column(text: str, column: int | None) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_where(text)

    assert caught.value.code in ("where-not-understood", "query-too-deep")
    if column is not None:
        assert caught.value.ids["column"] == column


@pytest.mark.parametrize(
    ("text", "code", "ids"),
    [
        (
            "Rows == 1 and SliceThicknes <= 1",
            "query-unknown-keyword",
            {"keyword": "SliceThicknes", "suggestion": "SliceThickness", "column": 15},
        ),
        ("modality == 'CT'", "query-unknown-keyword", {"suggestion": "Modality", "column": 1}),
        ("Zzzzzz == 1", "query-unknown-keyword", {"suggestion": ""}),
        ("ImageType == 'AXIAL'", "query-wrong-operator", {"expected": "contains, matches, exists"}),
        ("'chest' in SeriesDescription", "query-wrong-operator", {"expected": "is, in, matches, exists"}),
        ("Modality < 'CT'", "query-wrong-operator", {"operator": "below"}),
        ("SliceThickness <= '1.0'", "query-wrong-value", {"expected": "a number"}),
        ("SliceThickness <= True", "query-wrong-value", {"expected": "a number"}),
        ("SliceThickness <= 1e999", "query-wrong-value", {"expected": "a number"}),
        ("Modality == 5", "query-wrong-value", {}),
        ("Modality in ()", "query-wrong-value", {"expected": "a list of at least one value"}),
        ("StudyDate >= '2020-02-30'", "query-wrong-value", {"expected": 'a date like "2024-12-31"'}),
        ("ObjectKind == 'imge'", "query-wrong-value", {"suggestion": "image"}),
        ("'ä' == Modality and Rowz == 1", "query-unknown-keyword", {"column": 21}),
    ],
)
def test_a_wrong_comparison_says_what_was_expected(text: str, code: str, ids: dict[str, object]) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_where(text)

    assert caught.value.code == code
    assert {key: caught.value.ids[key] for key in ids} == ids


def test_size_is_limited() -> None:
    with pytest.raises(ProtocolError, match="where-too-long"):
        parse_where("Rows == 1 or " * 400 + "Rows == 1")
    with pytest.raises(ProtocolError, match="query-too-large"):
        parse_where("Rows in (" + "1," * 600 + ")")
    with pytest.raises(ProtocolError, match="query-too-deep"):
        parse_where("not " * 20 + "HasContrast")


def test_an_error_never_quotes_a_value() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_where('PatientID == "ZZCANARY" and PatientID <= "ZZCANARY"')

    assert "ZZCANARY" not in str(caught.value)
    assert caught.value.__cause__ is None
