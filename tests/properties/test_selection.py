"""A predicate in SQL equals the predicate in Python, whatever it asks and whatever the catalogue holds."""

import json
import sqlite3

from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.dicom.query import QueryType
from app.errors import ProtocolError
from app.protocol.predicates import (
    VOCABULARY,
    AllOf,
    AnyOf,
    Comparison,
    Not,
    Operator,
    Predicate,
    compare,
    operators_for,
)
from app.protocol.where import parse_where
from app.protocol.where_text import where_text
from app.selection.evaluate import Document, matches
from app.selection.explain import explain
from app.selection.facts import DERIVED_FACTS
from app.selection.pattern import matches_pattern, patterns, to_glob
from app.selection.sql import compile_predicate

KEYWORDS = (
    "SliceThickness",
    "KVP",
    "PixelSpacing",
    "Modality",
    "SeriesDescription",
    "ImageType",
    "StudyDate",
    "PatientAge",
    "SliceSpacing",
    "HasContrast",
)
WORDS = ("CT", "ct", "MR", " CT ", "Schädel", "SCHÄDEL", "straße", "a*b", "a?b", "[ab]", "a]b", "^a", "İ", "")
DATES = ("20200101", "20200229", "2020.02.29", "20200230", " 20200101", "20201")
AGES = ("045Y", "018M", "052W", "365D", "45", "45Y", "0Y")
# Few and close together, so that equal ones meet; 0.6 as a 32-bit float among them.
NUMBERS = (0, 1, 1.0, -1, 0.5, 0.6, 0.6000000238418579, 5.0, 5, 45, 1e6, 1e-300, 10**400, 1e308)

plain_text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(NUMBERS),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([*WORDS, *DATES, *AGES]),
    st.sampled_from(["5.0", " 5 ", "5,0", "1e3", "-.5", "05", "+5", "\n5", "5\t", "nan", "Infinity", "1e400", "0x10"]),
    plain_text,
)
values = st.one_of(scalars, st.lists(scalars, max_size=3))
documents = st.dictionaries(st.sampled_from(KEYWORDS), values, max_size=len(KEYWORDS))

right_values: dict[QueryType, st.SearchStrategy[object]] = {
    QueryType.NUMBER: st.sampled_from([n for n in NUMBERS if abs(n) < 2**53]) | st.floats(-1e9, 1e9),
    QueryType.NUMBERS: st.sampled_from([0, 0.5, 0.6, 1, 5]),
    QueryType.TEXT: st.sampled_from([w for w in WORDS if w]) | st.text("aAbB*?[]^- ", min_size=1, max_size=6),
    QueryType.TEXTS: st.sampled_from(["CT", "ct", "Schädel", "a*"]),
    QueryType.DATE: st.sampled_from(["2020-01-01", "20200229", "2020-03-01"]),
    QueryType.AGE: st.sampled_from([0, 1, 1.5, 18, 45]),
    QueryType.FLAG: st.booleans(),
}


def _order(value: object) -> float:
    return float(value.replace("-", "")) if isinstance(value, str) else float(str(value))


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    keyword = draw(st.sampled_from(KEYWORDS))
    operator = draw(st.sampled_from(operators_for(VOCABULARY[keyword])))
    value = right_values[VOCABULARY[keyword]].filter(lambda v: not isinstance(v, str) or bool(v.strip(" ")))
    match operator:
        case Operator.EXISTS:
            given_values: list[object] = []
        case Operator.IN:
            given_values = draw(st.lists(value, min_size=1, max_size=3))
        case Operator.BETWEEN:
            given_values = sorted([draw(value), draw(value)], key=_order)
        case _:
            given_values = [draw(value)]
    return compare(keyword, operator, given_values)


predicates: st.SearchStrategy[Predicate] = st.recursive(
    comparisons(),
    lambda parts: st.one_of(
        st.lists(parts, min_size=1, max_size=3).map(lambda p: AllOf(tuple(p))),
        st.lists(parts, min_size=1, max_size=3).map(lambda p: AnyOf(tuple(p))),
        parts.map(Not),
    ),
    max_leaves=6,
)


def answer_of_sql(predicate: Predicate, attributes: Document, facts: Document) -> object:
    condition = compile_predicate(predicate, "attributes", "facts")
    connection = sqlite3.connect(":memory:")
    try:
        return connection.execute(
            f"SELECT {condition.sql} FROM (SELECT ? AS attributes, ? AS facts)",
            (*condition.parameters, json.dumps(attributes), json.dumps(facts)),
        ).fetchone()[0]
    finally:
        connection.close()


@settings(max_examples=1500)
@given(predicates, documents)
@example(Comparison("Modality", Operator.IS, ("CT",)), {})
@example(Not(Comparison("Modality", Operator.IS, ("CT",))), {})
@example(Comparison("SliceThickness", Operator.AT_MOST, (0.6,)), {"SliceThickness": 0.6000000238418579})
@example(Comparison("SliceThickness", Operator.AT_LEAST, (0,)), {"SliceThickness": "1e400"})
@example(Comparison("PixelSpacing", Operator.AT_MOST, (0.6,)), {"PixelSpacing": [0.5, "x", None, 0.6]})
def test_sql_equals_python(predicate: Predicate, document: Document) -> None:
    facts = {keyword: value for keyword, value in document.items() if keyword in DERIVED_FACTS}
    attributes = {keyword: value for keyword, value in document.items() if keyword not in DERIVED_FACTS}

    by_sql = answer_of_sql(predicate, attributes, facts)

    assert by_sql in (0, 1)
    assert bool(by_sql) is matches(predicate, attributes, facts)


@given(predicates, documents)
def test_there_is_an_explanation_exactly_when_a_predicate_fails(predicate: Predicate, document: Document) -> None:
    reasons = explain(predicate, document, document)

    assert bool(reasons) is not matches(predicate, document, document)
    assert all(reason for reason in reasons)


@given(predicates)
def test_a_comparison_with_a_missing_value_is_false(predicate: Predicate) -> None:
    if isinstance(predicate, Comparison):
        assert not matches(predicate, {}, {})
        assert matches(Not(predicate), {}, {})


@settings(max_examples=1000)
@given(st.text("aAbä*?[]^-!", min_size=1, max_size=12), st.text("aAbBäÄ*?[]^-!", max_size=12))
@example("*a*a*a*a*a*b", "a" * 200)
def test_a_pattern_matches_as_glob_does(pattern: str, text: str) -> None:
    (compiled,) = patterns(compare("SeriesDescription", Operator.MATCHES, [pattern]))
    connection = sqlite3.connect(":memory:")
    (by_glob,) = connection.execute("SELECT ? GLOB ?", (text, to_glob(compiled))).fetchone()
    connection.close()

    assert matches_pattern(compiled, text) is bool(by_glob)


@settings(max_examples=500)
@given(
    st.one_of(
        st.text(max_size=60),
        st.lists(
            st.sampled_from(
                [
                    "Modality",
                    "ImageType",
                    "SliceThickness",
                    "HasContrast",
                    "==",
                    "<=",
                    "in",
                    "not",
                    "and",
                    "or",
                    "(",
                    ")",
                    '"CT"',
                    "1.0",
                    "exists",
                    "matches",
                    ",",
                    "-",
                    "\n",
                    "#",
                    "lambda",
                    "[",
                    "]",
                    "{",
                    ":",
                    "x",
                ]
            ),
            max_size=14,
        ).map(" ".join),
    )
)
def test_any_text_is_a_predicate_or_a_protocol_error(text: str) -> None:
    try:
        predicate = parse_where(text)
    except ProtocolError as error:
        column = error.ids.get("column", 1)
        assert isinstance(column, int)
        assert 1 <= column <= max(len(text), 1)
    else:
        assert isinstance(predicate, Comparison | AllOf | AnyOf | Not)


@settings(max_examples=500)
@given(predicates, documents)
def test_predicate_means_the_same_when_its_text_is_read_again(predicate: Predicate, document: Document) -> None:
    again = parse_where(where_text(predicate))

    assert matches(again, document, document) is matches(predicate, document, document)
