import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.detection.ctp_script import ProblemInScript, ScriptProblem, read_ctp_script
from app.detection.device_masks import DeviceFacts, DeviceMask, format_table, parse_table
from app.pixels.boxes import Box
from app.text.script_problems import SCRIPT_PROBLEMS
from tests.real_data import REAL_FILES

STANDARDS = REAL_FILES.parent / "standards"


def only(signature: str) -> DeviceMask:
    (row,), problems = read_ctp_script(f"{{ {signature} }} (1,2,3,4)")
    assert problems == ()
    return row


def cells(signature: str) -> dict[str, str]:
    return dict(only(signature).patterns)


def problems_of(text: str) -> list[ProblemInScript]:
    return list(read_ctp_script(text)[1])


def test_region_is_left_top_width_height() -> None:
    rows, problems = read_ctp_script('a comment\n{ Modality.equals("US") }\n (10,20,30,40) then (0, 0, 5, 6)\n')
    assert problems == ()
    assert rows == (DeviceMask((("modality", "US"),), (Box(20, 10, 60, 40), Box(0, 0, 6, 5)), "CTP script"),)


@pytest.mark.parametrize(
    ("test", "column", "pattern"),
    [
        ('Manufacturer.equals("GE")', "manufacturer", "GE"),
        ('Manufacturer.equalsIgnoreCase("GE")', "manufacturer", "GE"),
        ('ManufacturerModelName.containsIgnoreCase("iU22")', "model", "*iU22*"),
        ('[0008,1090].contains("iU22")', "model", "*iU22*"),
        ('[0008,103e].startsWithIgnoreCase("Dose")', "series_description", "Dose*"),
        ('SoftwareVersion.endsWith("a")', "software_versions", "*a"),
        ('ImageType.matches(".*SCREEN SAVE.*")', "image_type", "*SCREEN SAVE*"),
        ('Rows.isLessThan("512")', "rows", "<512"),
        ('Columns.isGreaterThan("512")', "columns", ">512"),
        ('BurnedInAnnotation.equals("")', "burned_in_annotation", "(empty)"),
        ('!Modality.equals("US")', "modality", "!US"),
        ('SeriesDescription.containsIgnoreCase ("FFR")', "series_description", "*FFR*"),
    ],
)
def test_single_test_becomes_a_pattern(test: str, column: str, pattern: str) -> None:
    assert cells(test) == {column: pattern}


def test_and_binds_more_tightly_than_or() -> None:
    rows, _ = read_ctp_script(
        '{ Modality.equals("US") + Modality.equals("CT") * Rows.equals("512") + Columns.equals("7") } (0,0,1,1)'
    )
    assert [dict(row.patterns) for row in rows] == [
        {"modality": "US"},
        {"modality": "CT", "rows": "512"},
        {"columns": "7"},
    ]


def test_alternatives_of_one_attribute_stay_one_row() -> None:
    signature = """
        (Modality.equals("PT") + Modality.equals("OT"))
        * ((Rows.equals("512") + Rows.equals("256")) * Columns.equals("512"))
    """
    assert cells(signature) == {"modality": "PT|OT", "rows": "512|256", "columns": "512"}


def test_two_tests_of_one_attribute_must_both_hold() -> None:
    assert cells('ImageType.contains("A") * ImageType.contains("B")') == {"image_type": "*A*&*B*"}


def test_negation_goes_through_parentheses() -> None:
    rows, _ = read_ctp_script('{ !(Modality.equals("US") * Rows.equals("5")) } (0,0,1,1)')
    assert [dict(row.patterns) for row in rows] == [{"modality": "!US"}, {"rows": "!5"}]


def test_constants_are_understood() -> None:
    assert cells('true. * Modality.equals("US")') == {"modality": "US"}
    assert cells('false. + Modality.equals("US")') == {"modality": "US"}
    assert read_ctp_script("{ false. } (0,0,1,1)") == ((), ())


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ('{ Modality.equals("US" } (0,0,1,1)', ScriptProblem.BAD_SIGNATURE, 1),
        ('\n\n{ Modality.equals("US")\n Rows.equals("5") } (0,0,1,1)', ScriptProblem.BAD_SIGNATURE, 4),
        ("{ } (0,0,1,1)", ScriptProblem.BAD_SIGNATURE, 1),
        ('{ (Modality.equals("US") } (0,0,1,1)', ScriptProblem.BAD_SIGNATURE, 1),
        ('{ Modality.equals("US") * } (0,0,1,1)', ScriptProblem.BAD_SIGNATURE, 1),
        ('{ Modality.equals("US")\n(0,0,1,1)', ScriptProblem.UNCLOSED_SIGNATURE, 1),
        ('{ PatientName.equals("X") } (0,0,1,1)', ScriptProblem.UNKNOWN_ATTRIBUTE, 1),
        ('{ [0009,1001].equals("X") } (0,0,1,1)', ScriptProblem.UNKNOWN_ATTRIBUTE, 1),
        ('{ SeqOfUltrasoundRegions::Rows.equals("1") } (0,0,1,1)', ScriptProblem.UNKNOWN_ATTRIBUTE, 1),
        ('{ Rows.isPrime("X") } (0,0,1,1)', ScriptProblem.UNKNOWN_METHOD, 1),
        ('{ ImageType.matches("a|b+") } (0,0,1,1)', ScriptProblem.UNSUPPORTED_TEXT, 1),
        ('{ ImageType.contains("AT&T") } (0,0,1,1)', ScriptProblem.UNSUPPORTED_TEXT, 1),
        ('{ Rows.isLessThan("many") } (0,0,1,1)', ScriptProblem.UNSUPPORTED_TEXT, 1),
        ('{ Modality.equals("US") }\n(0,0,1) (0,0,1,1)', ScriptProblem.BAD_REGION, 2),
        ('{ Modality.equals("US") }\n(0,0,0,5) (0,0,1,1)', ScriptProblem.BAD_REGION, 2),
        ('{ Modality.equals("US") }\n{ Rows.equals("5") } (0,0,1,1)', ScriptProblem.NO_REGION, 1),
        ('(0,0,1,1)\n{ Rows.equals("5") } (0,0,1,1)', ScriptProblem.REGION_WITHOUT_SIGNATURE, 1),
        ("{ true. } (0,0,1,1)", ScriptProblem.ALWAYS_FITS, 1),
        ('{ Rows.contains("") } (0,0,1,1)', ScriptProblem.ALWAYS_FITS, 1),
        ("{ " + "(" * 200 + 'Rows.equals("5")' + ")" * 200 + " } (0,0,1,1)", ScriptProblem.TOO_COMPLEX, 1),
        (
            "{ " + " * ".join(['(Rows.equals("1") + Columns.equals("2"))'] * 40) + " } (0,0,1,1)",
            ScriptProblem.TOO_COMPLEX,
            1,
        ),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(text: str, problem: ScriptProblem, line: int) -> None:
    assert ProblemInScript(line, problem) in problems_of(text)


def test_alternative_that_is_not_understood_leaves_the_others() -> None:
    rows, problems = read_ctp_script(
        '{ Modality.equals("US") * (Rows.equals("5") + StationName.equals("A")) } (0,0,1,1) (0 0 1 1)'
    )
    assert [dict(row.patterns) for row in rows] == [{"modality": "US", "rows": "5"}]
    assert {found.problem for found in problems} == {ScriptProblem.UNKNOWN_ATTRIBUTE, ScriptProblem.BAD_REGION}


def test_every_problem_has_a_sentence() -> None:
    assert set(SCRIPT_PROBLEMS) == set(ScriptProblem)


@given(st.text(alphabet='{}()+*!.,"aR01 \n') | st.text(max_size=60))
@settings(max_examples=200)
def test_no_text_stops_the_reader(text: str) -> None:
    read_ctp_script(text)
    read_ctp_script("{" + text + "} (0,0,1,1)")


TESTS = ['Modality.equals("US")', 'Rows.equals("5")', 'Columns.equals("7")', 'ImageType.contains("A")']
EXPRESSIONS = st.recursive(
    st.sampled_from(TESTS),
    lambda inner: st.one_of(
        inner.map("!({})".format),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} + {pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]} * {pair[1]})"),
    ),
    max_leaves=8,
)


@given(signature=EXPRESSIONS, modality=st.sampled_from(["US", "CT"]), rows=st.integers(4, 5), columns=st.integers(6, 7))
@settings(max_examples=200)
def test_rows_say_what_the_signature_says(signature: str, modality: str, rows: int, columns: int) -> None:
    facts = DeviceFacts(modality=modality, rows=rows, columns=columns, image_type="A\\B")
    expected = signature
    truth = (modality == "US", rows == 5, columns == 7, True)
    for test, holds in zip(TESTS, truth, strict=True):
        expected = expected.replace(test, str(holds))
    expected = expected.replace("!", " not ").replace("+", " or ").replace("*", " and ")
    masks, problems = read_ctp_script(f"{{ {signature} }} (0,0,1,1)")
    assert problems == ()
    assert any(mask.fits(facts) for mask in masks) == eval(expected)  # made of True, False, not, and, or
    if masks:
        assert parse_table(format_table(masks)) == masks


@pytest.mark.skipif(not STANDARDS.is_dir(), reason="the public device scripts are not here")
@pytest.mark.parametrize(
    ("name", "signatures", "expected"),
    [
        ("rsna_ctp/DicomPixelAnonymizer.script", 52, [(22, "unknown-attribute"), (133, "unknown-attribute")]),
        (
            "stanford_mirc-ctp/stanford-scrubber.script",
            188,
            [(26, "unknown-attribute"), (142, "unknown-attribute"), (176, "bad-region")],
        ),
    ],
)
def test_public_scripts_are_read_but_for_known_places(
    name: str, signatures: int, expected: list[tuple[int, str]]
) -> None:
    text = (STANDARDS / name).read_text(encoding="utf-8")
    assert text.count("{") == signatures
    rows, problems = read_ctp_script(text)
    assert [(found.line, found.problem) for found in problems] == expected
    assert len(rows) >= signatures - 2
    assert parse_table(format_table(rows)) == rows
