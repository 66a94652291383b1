"""A predicate answered in Python: the referee of the SQL, and what explanations are made of."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import assert_never

from app.dicom.query import QueryType
from app.protocol.predicates import VOCABULARY, AllOf, AnyOf, Comparison, Not, Operator, Predicate, Value
from app.selection.bounds import intervals
from app.selection.facts import DERIVED_FACTS
from app.selection.pattern import matches_pattern, patterns

# What is known of an instance: keyword -> number, text, truth value or a list of them.
Document = Mapping[str, object]

_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DATE = re.compile(r"[0-9]{8}")
_AGE = re.compile(r"([0-9]{3})([DWMY])")
UNITS_PER_YEAR = {"D": 365.25, "W": 52.1775, "M": 12.0, "Y": 1.0}


def matches(predicate: Predicate, attributes: Document, facts: Document) -> bool:
    """Whether an instance with these attributes and derived facts is what the predicate asks for."""
    match predicate:
        case Comparison():
            return holds(predicate, attributes, facts)
        case AllOf():
            return all(matches(part, attributes, facts) for part in predicate.parts)
        case AnyOf():
            return any(matches(part, attributes, facts) for part in predicate.parts)
        case Not():
            return not matches(predicate.part, attributes, facts)
        case _:
            assert_never(predicate)


def holds(comparison: Comparison, attributes: Document, facts: Document) -> bool:
    """Whether one comparison holds; never for a missing value."""
    values = present_values(comparison.keyword, attributes, facts)
    if comparison.operator is Operator.EXISTS:
        return bool(values)
    query_type = VOCABULARY[comparison.keyword]
    if query_type in (QueryType.TEXT, QueryType.TEXTS):
        wanted = patterns(comparison)
        results = [any(matches_pattern(pattern, text) for pattern in wanted) for text in texts(values)]
        if comparison.operator in (Operator.MATCHES, Operator.CONTAINS):
            return any(results)
    else:
        bounds = intervals(comparison)
        results = [any(low <= number <= high for low, high in bounds) for number in measures(query_type, values)]
    return bool(results) and all(results)


def present_values(keyword: str, attributes: Document, facts: Document) -> list[Value]:
    """The values of an attribute or fact that are there: no blank text, no null."""
    value = (facts if keyword in DERIVED_FACTS else attributes).get(keyword)
    components = value if isinstance(value, list) else [value]
    return [
        component
        for component in components
        if isinstance(component, int | float) or (isinstance(component, str) and component.strip(" "))
    ]


def texts(values: Sequence[Value]) -> list[str]:
    """The values that compare as texts."""
    return [value.strip(" ") for value in values if isinstance(value, str)]


def measures(query_type: QueryType, values: Sequence[Value]) -> list[float]:
    """The values that compare as numbers: YYYYMMDD for a date, years for an age."""
    return [number for value in values if (number := _measure(query_type, value)) is not None]


def _measure(query_type: QueryType, value: Value) -> float | None:
    match query_type:
        case QueryType.FLAG:
            return float(value) if isinstance(value, bool) else None
        case QueryType.NUMBER | QueryType.NUMBERS:
            return _number(value)
        case QueryType.DATE:
            if isinstance(value, str) and _DATE.fullmatch(value.strip(" ")):
                return float(value)
            return None
        case QueryType.AGE:
            age = _AGE.fullmatch(value.strip(" ")) if isinstance(value, str) else None
            return float(age[1]) / UNITS_PER_YEAR[age[2]] if age else None
        case QueryType.TEXT | QueryType.TEXTS:
            return None
        case _:
            assert_never(query_type)


def _number(value: Value) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        text = value.strip(" \t\r\n")
        return float(text) if _JSON_NUMBER.fullmatch(text) else None
    try:
        return float(value)
    except OverflowError:  # an integer of more than 308 digits
        return math.inf
