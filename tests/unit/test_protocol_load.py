"""The organisers' file: what loads, and how clearly what is wrong is told."""

import hashlib
import json
import pickle
from pathlib import Path

import pytest
from pydicom.datadict import dictionary_VM, tag_for_keyword

from app.dicom.profile import Action, DatePreset, Option
from app.dicom.query import QUERY_KEYWORDS, QueryType
from app.dicom.sopclasses import ObjectKind, object_kind
from app.errors import ProtocolError
from app.files.resources import resource_path
from app.protocol.load import load_protocol, parse_protocol
from app.protocol.positions import line_numbers
from app.protocol.predicates import FACTS, AllOf, Comparison, Operator
from app.protocol.schema import Deidentification, json_schema_text
from app.protocol.where import parse_where
from app.selection.facts import DERIVED_FACTS

HEAD = 'id = "p1"\ntitle = "T"\ncontact = "C"\n'
SELECTION = "[selection]\nwhere = 'Modality == \"CT\"'\n"
SMALLEST = HEAD + SELECTION


def error_of(text: str) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse_protocol(text)
    return caught.value


def test_default_protocol_is_the_rsna_process() -> None:
    path = resource_path("defaults/protocol.toml")

    protocol, digest = load_protocol(path)

    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert protocol.deidentification.options == {
        Option.CLEAN_PIXEL_DATA,
        Option.CLEAN_DESCRIPTORS,
        Option.RETAIN_MODIFIED_DATES,
        Option.RETAIN_PATIENT_CHARACTERISTICS,
    }
    assert protocol.deidentification.dates is DatePreset.SHIFTED
    assert protocol.selection.predicate == Comparison("ObjectKind", Operator.IN, ("image", "segmentation", "rt"))


def test_sample_protocol_loads_and_its_comment_says_the_same() -> None:
    path = resource_path("samples/chest-ct.toml")

    protocol, _ = load_protocol(path)

    assert isinstance(protocol.selection.predicate, AllOf)
    assert len(protocol.selection.predicate.parts) == 9
    (comment,) = [line for line in path.read_text().splitlines() if line.startswith("# where = ")]
    parse_where(comment.removeprefix("# where = ").strip("'"))


def test_published_json_schema_is_the_models() -> None:
    published = resource_path("protocol.schema.json").read_text(encoding="utf-8")

    # Made anew by: python -c "from app.protocol.schema import json_schema_text as t; print(t(), end='')"
    assert json.loads(published) == json.loads(json_schema_text())


def test_what_a_smallest_protocol_does_not_say_has_the_default_protocols_value() -> None:
    smallest = parse_protocol(SMALLEST)
    default, _ = load_protocol(resource_path("defaults/protocol.toml"))

    assert smallest.deidentification.options == default.deidentification.options
    assert smallest.review == default.review
    assert smallest.bundle == default.bundle
    assert smallest.words.safe == ()


def test_every_option_has_a_switch() -> None:
    assert {option.value for option in Option} <= set(Deidentification.model_fields)
    for option in Option:
        text = f"{SMALLEST}[deidentification]\n"
        if option is Option.RETAIN_FULL_DATES:
            text += "retain_modified_dates = false\n"
        if option is Option.RETAIN_MODIFIED_DATES:
            text += "retain_full_dates = false\n"
        assert option in parse_protocol(f"{text}{option.value} = true\n").deidentification.options
        if option is not Option.RETAIN_FULL_DATES:
            assert option not in parse_protocol(f"{text}{option.value} = false\n").deidentification.options


def test_a_protocol_cannot_be_changed_and_travels_to_a_worker() -> None:
    protocol = parse_protocol(SMALLEST)

    with pytest.raises(ValueError, match="frozen"):
        protocol.title = "other"
    assert pickle.loads(pickle.dumps(protocol)) == protocol


@pytest.mark.parametrize(
    ("text", "key", "line", "suggestion"),
    [
        (HEAD + 'tilte = "x"\n' + SELECTION, "tilte", 4, "title"),
        (HEAD.replace("title", "tilte") + SELECTION, "tilte", 2, "title"),
        (
            SMALLEST + "[deidentification]\n# clean_descriptor\nclean_descriptor = true\n",
            "deidentification.clean_descriptor",
            8,
            "clean_descriptors",
        ),
        (SMALLEST + "[review]\naudit_sample = 3\n[bundel]\npart_size_mb = 3\n", "bundel", 8, "bundle"),
        (
            HEAD + "[selection]\nall = [\n {keyword = 'Modality', operator = 'is', value = 'CT'},\n"
            " {not = {keyword = 'Rows', operater = 'exists'}},\n]\n",
            "selection.all.1.not.operater",
            7,
            "operator",
        ),
        (
            HEAD + "[[selection.all]]\nkeyword = 'Modality'\noperator = 'is'\nvalue = 'CT'\n"
            "[[selection.all]]\nkeyword = 'Rows'\noperator = 'exists'\nvalues = 4\n",
            "selection.all.1.values",
            11,
            "value",
        ),
        (
            HEAD + "[selection]\nall = [\n {anny = [{keyword='Rows', operator='exists'}]}]\n",
            "selection.all.0.anny",
            6,
            "any",
        ),
        (HEAD + "selection.where = 'HasContrast'\nselection.zzz = 1\n", "selection.zzz", 5, ""),
    ],
)
def test_misspelt_key_has_its_line_and_a_suggestion(text: str, key: str, line: int, suggestion: str) -> None:
    error = error_of(text)

    assert error.code == "protocol-unknown-key"
    assert error.ids == {"key": key, "line": line, "suggestion": suggestion}


@pytest.mark.parametrize(
    ("text", "key", "line", "expected"),
    [
        (SMALLEST.replace('"T"', "5"), "title", 2, "text in quotes"),
        (SMALLEST.replace('"T"', '""'), "title", 2, "one line of text, not empty, no space at its ends"),
        (SMALLEST.replace('"T"', '"' + "x" * 201 + '"'), "title", 2, "at most 200 characters"),
        (
            SMALLEST.replace('"p1"', '"p 1"'),
            "id",
            1,
            "letters, digits, '.', '_' and '-', beginning with a letter or digit, at most 64",
        ),
        (SMALLEST + "[bundle]\npart_size_mb = 4001\n", "bundle.part_size_mb", 7, "a number not above 4000"),
        (SMALLEST + "[bundle]\npart_size_mb = 0\n", "bundle.part_size_mb", 7, "a number not below 1"),
        (SMALLEST + "[bundle]\npart_size_mb = 1.5\n", "bundle.part_size_mb", 7, "a whole number"),
        (SMALLEST + "[bundle]\npart_size_mb = '5'\n", "bundle.part_size_mb", 7, "a whole number"),
        (
            SMALLEST + "[deidentification]\nretain_uids = 'true'\n",
            "deidentification.retain_uids",
            7,
            "true or false",
        ),
        (
            SMALLEST + "[deidentification]\nretain_uids = 1\n",
            "deidentification.retain_uids",
            7,
            "true or false",
        ),
        (SMALLEST + "[deidentification]\noverrides = 1\n", "deidentification.overrides", 7, "a table"),
        ("bundle = 1\n" + SMALLEST, "bundle", 1, "a table"),
        (SMALLEST + "[review]\nsignatures = []\n", "review.signatures", 7, "a list of at least 1 item(s)"),
        (SMALLEST + "[review]\nsignatures = 'me'\n", "review.signatures", 7, "a list"),
        (SMALLEST + "[review]\nsignatures = ['a', 'A']\n", "review.signatures", 7, "roles that differ"),
        (
            SMALLEST + "[words]\nsafe = [\n 'one',\n 'two words',\n]\n",
            "words.safe.1",
            9,
            "one word without spaces, at most 64 characters",
        ),
        (HEAD + "[selection]\n", "selection", 4, "exactly one of where, all, any, not"),
        (
            SMALLEST + "not = {keyword = 'Rows', operator = 'exists'}\n",
            "selection",
            4,
            "exactly one of where, all, any, not",
        ),
        (HEAD + "[selection]\nall = [5]\n", "selection.all.0", 5, "a table"),
        (HEAD + "[selection]\nall = []\n", "selection.all", 5, "a list of at least 1 item(s)"),
    ],
)
def test_wrong_value_says_what_was_expected_and_where(text: str, key: str, line: int, expected: str) -> None:
    error = error_of(text)

    assert error.code == "protocol-bad-value"
    assert (error.ids["key"], error.ids["line"], error.ids["expected"]) == (key, line, expected)


def test_wrong_choice_suggests_the_nearest() -> None:
    error = error_of(SMALLEST + "[deidentification]\ndates = 'year'\n")

    assert error.ids["expected"] == "one of 'shifted' or 'year-only'"
    assert error.ids["suggestion"] == "year-only"


def test_missing_key_is_named_with_the_line_of_its_table() -> None:
    assert error_of(SMALLEST.replace('contact = "C"\n', "")).ids == {"key": "contact", "line": 1}
    error = error_of(HEAD + "[selection]\nall = [\n{keyword = 'Rows'}]\n")
    assert error.code == "protocol-key-missing"
    assert error.ids == {"key": "selection.all.0.operator", "line": 6}


@pytest.mark.parametrize(
    ("tables", "code", "ids"),
    [
        (
            "all = [{keyword = 'Modalty', operator = 'is', value = 'CT'}]",
            "query-unknown-keyword",
            {"key": "selection.all.0", "line": 5, "suggestion": "Modality"},
        ),
        (
            "not = {any = [{keyword = 'Rows', operator = 'contains', value = 1}]}",
            "query-wrong-operator",
            {"key": "selection.not.any.0", "line": 5},
        ),
        (
            "any = [\n{keyword = 'Rows', operator = 'exists'},\n{keyword = 'Rows', operator = 'between', value = 1}]",
            "query-wrong-value",
            {
                "key": "selection.any.1",
                "line": 7,
                "expected": "a list of two values, the lower one first",
            },
        ),
        (
            "all = [{keyword = 'Rows', operator = 'between', value = [5, 1]}]",
            "query-wrong-value",
            {"expected": "the lower value first"},
        ),
        (
            "all = [{keyword = 'Rows', operator = 'exists', value = 1}]",
            "query-wrong-value",
            {"expected": "no value"},
        ),
        ("all = [{keyword = 'Rows', operator = 'is'}]", "query-wrong-value", {"expected": "one value"}),
        (
            "all = [{keyword = 'Rows', operator = 'is', value = inf}]",
            "query-wrong-value",
            {"expected": "a number"},
        ),
        (
            "where = 'Modality == \"CT\" and Rowz == 1'",
            "query-unknown-keyword",
            {"key": "selection.where", "line": 5, "column": 22, "suggestion": "Rows"},
        ),
        ("where = 'import os'", "where-not-understood", {"key": "selection.where", "line": 5}),
        (
            "all = [" + "{not = " * 20 + "{keyword = 'Rows', operator = 'exists'}" + "}" * 20 + "]",
            "query-too-deep",
            {},
        ),
    ],
)
def test_wrong_query_is_refused_with_its_line(tables: str, code: str, ids: dict[str, object]) -> None:
    error = error_of(f"{HEAD}[selection]\n{tables}\n")

    assert error.code == code
    assert {key: error.ids[key] for key in ids} == ids


def test_wrong_operator_suggests_the_nearest() -> None:
    error = error_of(HEAD + "[selection]\nall = [{keyword = 'Rows', operator = 'atmost', value = 1}]\n")

    assert error.code == "protocol-bad-value"
    assert error.ids["suggestion"] == "at_most"


def test_dates_of_toml_serve_in_a_query() -> None:
    table = "{keyword = 'StudyDate', operator = 'between', value = [2020-01-01, '2020-12-31']}"

    protocol = parse_protocol(f"{HEAD}[selection]\nall = [{table}]\n")

    expected = Comparison("StudyDate", Operator.BETWEEN, ("20200101", "20201231"))
    assert protocol.selection.predicate == AllOf((expected,))


# overrides ------------------------------------------------------------

OVERRIDES = SMALLEST + "[deidentification.overrides]\n"


def test_overrides_are_read_by_keyword_and_by_tag() -> None:
    text = OVERRIDES + "PatientAge = 'keep'\n\"(0018,1030)\" = 'clean'\nImageComments = 'remove'\n"

    deidentification = parse_protocol(text).deidentification

    assert deidentification.overrides == {
        0x00101010: Action.KEEP,
        0x00181030: Action.CLEAN,
        0x00204000: Action.REMOVE,
    }
    assert deidentification.loosening == {0x00101010: Action.KEEP, 0x00181030: Action.CLEAN}


@pytest.mark.parametrize(
    ("line", "code", "ids"),
    [
        ("PatientsAge = 'keep'", "protocol-unknown-attribute", {"suggestion": "PatientAge"}),
        ("\"(0019,1001)\" = 'keep'", "protocol-unknown-attribute", {}),
        ("\"(0018,9999)\" = 'keep'", "protocol-unknown-attribute", {}),
        ("TransferSyntaxUID = 'keep'", "protocol-unknown-attribute", {}),
        ("Item = 'keep'", "protocol-unknown-attribute", {}),
        ("PatientAge = 'keeep'", "protocol-unknown-action", {"suggestion": "keep"}),
        ("PatientAge = true", "protocol-unknown-action", {}),
    ],
)
def test_unknown_attribute_or_action_does_not_load(line: str, code: str, ids: dict[str, object]) -> None:
    error = error_of(f"{OVERRIDES}ImageComments = 'remove'\n{line}\n")

    assert error.code == code
    assert error.ids["line"] == 8
    assert {key: error.ids[key] for key in ids} == ids


def test_one_attribute_under_two_names_does_not_load() -> None:
    error = error_of(OVERRIDES + "PatientAge = 'keep'\n\"(0010,1010)\" = 'remove'\n")

    assert error.code == "protocol-contradiction"
    assert error.ids == {
        "key": "deidentification.overrides.(0010,1010)",
        "other": "PatientAge",
        "line": 8,
    }


@pytest.mark.parametrize(
    ("lines", "key", "other"),
    [
        ("retain_full_dates = true", "retain_full_dates", "retain_modified_dates"),
        (
            "retain_full_dates = true\nretain_modified_dates = false\ndates = 'shifted'",
            "dates",
            "retain_full_dates",
        ),
        ("retain_modified_dates = false\ndates = 'year-only'", "dates", "retain_modified_dates"),
    ],
)
def test_contradicting_dates_do_not_load(lines: str, key: str, other: str) -> None:
    error = error_of(f"{SMALLEST}[deidentification]\n{lines}\n")

    assert error.code == "protocol-contradiction"
    assert (error.ids["key"], error.ids["other"]) == (f"deidentification.{key}", other)


def test_year_only_goes_with_modified_dates() -> None:
    protocol = parse_protocol(SMALLEST + "[deidentification]\ndates = 'year-only'\n")

    assert protocol.deidentification.dates is DatePreset.YEAR_ONLY
    assert Option.RETAIN_MODIFIED_DATES in protocol.deidentification.options


# the file ------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "code", "ids"),
    [
        (b"id = 'x'\ntitle = \xff\n", "protocol-not-utf8", {"line": 2}),
        (b"id = 'x'\ntitle 'y'\n", "protocol-not-toml", {"line": 2, "column": 7}),
        (b"id = 'x'\nwords = [1,\n", "protocol-not-toml", {"line": 3}),
        (b"x = " + b"9" * 5000, "protocol-not-toml", {}),
        (b"x = " + b"[" * 5000, "protocol-too-deep", {}),
        (b"x = " + b"[" * 100 + b"]" * 100, "protocol-too-deep", {}),
        (b"#" * 1_000_001, "protocol-too-large", {"limit_bytes": 1_000_000}),
        (b"", "protocol-key-missing", {"key": "id", "line": 1}),
    ],
)
def test_file_that_is_no_protocol_is_told_apart(
    tmp_path: Path, content: bytes, code: str, ids: dict[str, object]
) -> None:
    path = tmp_path / "protocol.toml"
    path.write_bytes(content)

    with pytest.raises(ProtocolError) as caught:
        load_protocol(path)

    assert caught.value.code == code
    assert {key: caught.value.ids[key] for key in ids} == ids


def test_missing_file_and_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match="protocol-not-found"):
        load_protocol(tmp_path / "none.toml")
    with pytest.raises(ProtocolError, match="protocol-unreadable"):
        load_protocol(tmp_path)


def test_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    path = tmp_path / "protocol.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())

    protocol, _ = load_protocol(path)

    assert protocol.id == "p1"


def test_positions_see_through_strings_and_comments() -> None:
    text = '''a = """
b = 1  # not a key
""" # c = 2
"d.e" = 'x = "'
f.g = [ # comment ]
  1, {h = '}', i = [2]},
]
[t]
[[t.u]]
k = 1
[[t.u]]
k = """q"""""
[t.u.v]
w = 2020-01-01 # end
x = 5'''

    assert line_numbers(text) == {
        ("a",): 1, ("d.e",): 4, ("f",): 5, ("f", "g"): 5, ("f", "g", 0): 6, ("f", "g", 1): 6,
        ("f", "g", 1, "h"): 6, ("f", "g", 1, "i"): 6, ("f", "g", 1, "i", 0): 6,
        ("t",): 8, ("t", "u", 0): 9, ("t", "u", 0, "k"): 10, ("t", "u", 1): 11, ("t", "u", 1, "k"): 12,
        ("t", "u", 1, "v"): 13, ("t", "u", 1, "v", "w"): 14, ("t", "u", 1, "v", "x"): 15,
    }  # fmt: skip


# the vocabulary ------------------------------------------------------------


def test_query_keywords_are_of_the_dictionary_with_its_multiplicity() -> None:
    several = (QueryType.NUMBERS, QueryType.TEXTS)
    for keyword, query_type in QUERY_KEYWORDS.items():
        tag = tag_for_keyword(keyword)
        assert tag is not None, keyword
        assert (dictionary_VM(tag) != "1") is (query_type in several), keyword


def test_facts_and_attributes_have_different_names() -> None:
    assert not set(FACTS) & set(QUERY_KEYWORDS)
    assert set(FACTS) == DERIVED_FACTS | {"Orientation"}


@pytest.mark.parametrize(
    ("uid", "kind"),
    [
        ("1.2.840.10008.5.1.4.1.1.2", ObjectKind.IMAGE),
        ("1.2.840.10008.5.1.4.1.1.6", ObjectKind.IMAGE),
        ("1.2.840.10008.5.1.4.1.1.66.4", ObjectKind.SEGMENTATION),
        ("1.2.840.10008.5.1.4.1.1.481.3", ObjectKind.RT),
        ("1.2.840.10008.5.1.4.1.1.66.1", ObjectKind.REGISTRATION),
        ("1.2.840.10008.5.1.4.1.1.88.59", ObjectKind.SR),
        ("1.2.840.10008.5.1.4.1.1.11.1", ObjectKind.PRESENTATION),
        ("1.2.840.10008.5.1.4.1.1.9.1.1", ObjectKind.WAVEFORM),
        ("1.2.840.10008.5.1.4.1.1.104.1", ObjectKind.DOCUMENT),
        ("1.2.840.10008.5.1.4.1.1.66", ObjectKind.OTHER),
        ("1.2.3", ObjectKind.OTHER),
    ],
)
def test_sop_class_has_its_kind(uid: str, kind: ObjectKind) -> None:
    assert object_kind(uid) is kind
