"""The language of a selection: comparisons of DICOM keywords and derived facts, and all, any, not.

A predicate is data, of a closed set. It comes from a protocol's tables or from the text of a ``--where``
expression, and is checked once, when it is made: an unknown keyword, an operator or a value that does not go
with it, never get far.

What it means (``app.selection`` compiles it to SQL and evaluates it in Python, with the same result):

* An attribute that is missing, empty or not of its type makes a comparison false, and so ``not`` of it true.
* ``is``, ``in``, ``at_most``, ``at_least``, ``below``, ``above`` and ``between`` hold when *every* value of
  the attribute does it; ``matches`` and ``contains`` when *one* of them does.
* Texts compare without regard to case and to spaces around; numbers with a tolerance of 1 in 10 million,
  because the same length is written as 0.6 in one file and as a 32-bit float in the next.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import assert_never

from app.dicom.query import QUERY_KEYWORDS, QueryType
from app.dicom.sopclasses import ObjectKind
from app.errors import ProtocolError

MAX_DEPTH = 16
# Comparisons and their values together: SQLite takes 32,766 parameters and an expression 1,000 deep.
MAX_SIZE = 500
MAX_TEXT_LENGTH = 256


class Operator(StrEnum):
    """How an attribute is compared; the values are the protocol file's words."""

    IS = "is"
    IN = "in"
    AT_MOST = "at_most"
    AT_LEAST = "at_least"
    BELOW = "below"
    ABOVE = "above"
    BETWEEN = "between"  # both ends included
    MATCHES = "matches"  # a pattern of * (any text) and ? (one character) for the whole value
    CONTAINS = "contains"  # one of the values is
    EXISTS = "exists"


class Orientation(StrEnum):
    """How the slices of an image lie in the patient."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"
    OBLIQUE = "oblique"


# Facts that no single attribute says. The catalogue stores Orientation beside the attributes; the others are
# derived by app.selection.facts.
FACTS: Mapping[str, QueryType] = MappingProxyType(
    {
        "SliceSpacing": QueryType.NUMBER,  # mm
        "InstanceCount": QueryType.NUMBER,
        "HasContrast": QueryType.FLAG,
        "ObjectKind": QueryType.TEXT,
        "Orientation": QueryType.TEXT,
    }
)
VOCABULARY: Mapping[str, QueryType] = MappingProxyType({**QUERY_KEYWORDS, **FACTS})
_TERMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"ObjectKind": tuple(ObjectKind), "Orientation": tuple(Orientation)}
)

Value = int | float | str | bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """One attribute against values: none for ``exists``, two for ``between``, some for ``in``, else one.

    A date is the text YYYYMMDD, an age a number of years. Made by ``compare`` only, which checks it.
    """

    keyword: str
    operator: Operator
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    """True when every part is."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True when at least one part is."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True when the part is false."""

    part: "Predicate"


Predicate = Comparison | AllOf | AnyOf | Not

_MEASURE_OPERATORS = (
    Operator.IS,
    Operator.IN,
    Operator.AT_MOST,
    Operator.AT_LEAST,
    Operator.BELOW,
    Operator.ABOVE,
    Operator.BETWEEN,
    Operator.EXISTS,
)


def operators_for(query_type: QueryType) -> tuple[Operator, ...]:
    """The operators that go with a type of value.

    ``is`` does not go with TEXTS: ``ImageType is LOCALIZER`` would never hold, and its negation always.
    """
    match query_type:
        case QueryType.NUMBER | QueryType.NUMBERS | QueryType.DATE | QueryType.AGE:
            return _MEASURE_OPERATORS
        case QueryType.TEXT:
            return (Operator.IS, Operator.IN, Operator.MATCHES, Operator.EXISTS)
        case QueryType.TEXTS:
            return (Operator.CONTAINS, Operator.MATCHES, Operator.EXISTS)
        case QueryType.FLAG:
            return (Operator.IS, Operator.EXISTS)
        case _:
            assert_never(query_type)


def compare(keyword: str, operator: Operator, values: Iterable[object]) -> Comparison:
    """A checked comparison.

    Raises ProtocolError: "query-unknown-keyword" with a suggestion ('' when nothing is close),
    "query-wrong-operator" with the operators that go with the keyword, "query-wrong-value" with what was
    expected.
    """
    query_type = VOCABULARY.get(keyword)
    if query_type is None:
        raise ProtocolError("query-unknown-keyword", keyword=keyword, suggestion=closest(keyword, VOCABULARY))
    allowed = operators_for(query_type)
    if operator not in allowed:
        raise ProtocolError(
            "query-wrong-operator", keyword=keyword, operator=operator.value, expected=", ".join(allowed)
        )
    given = tuple(values)
    if not _is_right_number(operator, len(given)):
        raise ProtocolError("query-wrong-value", keyword=keyword, expected=_expected_number(operator), suggestion="")
    checked = tuple(_check_value(keyword, query_type, operator, value) for value in given)
    if operator is Operator.BETWEEN and _order(checked[0]) > _order(checked[1]):
        raise ProtocolError("query-wrong-value", keyword=keyword, expected="the lower value first", suggestion="")
    return Comparison(keyword, operator, checked)


def _is_right_number(operator: Operator, count: int) -> bool:
    match operator:
        case Operator.EXISTS:
            return count == 0
        case Operator.BETWEEN:
            return count == 2
        case Operator.IN:
            return count >= 1
        case _:
            return count == 1


def _expected_number(operator: Operator) -> str:
    match operator:
        case Operator.EXISTS:
            return "no value"
        case Operator.BETWEEN:
            return "a list of two values, the lower one first"
        case Operator.IN:
            return "a list of at least one value"
        case _:
            return "one value"


def _order(value: Value) -> float:
    # Only measures have an order: numbers, and dates as YYYYMMDD.
    return float(value)


def _check_value(keyword: str, query_type: QueryType, operator: Operator, value: object) -> Value:
    match query_type:
        case QueryType.NUMBER | QueryType.NUMBERS | QueryType.AGE:
            if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**53:
                return value
            expected = "a number of years" if query_type is QueryType.AGE else "a number"
        case QueryType.DATE:
            text = _date_text(value)
            if text is not None:
                return text
            expected = 'a date like "2024-12-31"'
        case QueryType.FLAG:
            if isinstance(value, bool):
                return value
            expected = "true or false"
        case QueryType.TEXT | QueryType.TEXTS:
            if isinstance(value, str) and _is_plain_text(value):
                return _check_term(keyword, operator, value)
            expected = f"text in quotes, one line of at most {MAX_TEXT_LENGTH} characters"
        case _:
            assert_never(query_type)
    raise ProtocolError("query-wrong-value", keyword=keyword, expected=expected, suggestion="")


def _is_plain_text(text: str) -> bool:
    return bool(text.strip(" ")) and len(text) <= MAX_TEXT_LENGTH and text.isprintable()


def _date_text(value: object) -> str | None:
    """YYYYMMDD of a real day, from a date of TOML or its text with or without hyphens."""
    text = value.isoformat() if isinstance(value, date) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{4}(-?)[0-9]{2}\1[0-9]{2}", text):
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text.replace("-", "")


def _check_term(keyword: str, operator: Operator, value: str) -> str:
    """A fact has a closed set of values: another one would silently select nothing."""
    terms = _TERMS.get(keyword)
    if terms is None or operator is Operator.MATCHES or value.strip(" ").lower() in terms:
        return value
    raise ProtocolError(
        "query-wrong-value",
        keyword=keyword,
        expected="one of " + ", ".join(terms),
        suggestion=closest(value, terms),
    )


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like ``word``, whatever its case; '' when none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower()[:100], by_lower, n=1)
    return by_lower[found[0]] if found else ""


def check_limits(predicate: Predicate) -> None:
    """Raises ProtocolError("query-too-deep") or ProtocolError("query-too-large")."""
    size = 0
    waiting = [(predicate, 1)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ProtocolError("query-too-deep", limit=MAX_DEPTH)
        match node:
            case Comparison():
                size += 1 + len(node.values)
            case AllOf() | AnyOf():
                size += 1
                waiting.extend((part, depth + 1) for part in node.parts)
            case Not():
                waiting.append((node.part, depth + 1))
            case _:
                assert_never(node)
        if size > MAX_SIZE:
            raise ProtocolError("query-too-large", limit=MAX_SIZE)
