"""A predicate as an SQL condition over JSON documents. Values and paths are bound, never spelled out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from app.dicom.query import QueryType
from app.protocol.predicates import VOCABULARY, AllOf, AnyOf, Comparison, Not, Operator, Predicate
from app.selection.bounds import intervals
from app.selection.facts import DERIVED_FACTS
from app.selection.pattern import patterns, to_glob

_NUMBER = """CASE
    WHEN type IN ('integer', 'real') THEN CAST(value AS REAL)
    WHEN type = 'text' AND json_valid(value)
        THEN CASE WHEN json_type(value) IN ('integer', 'real') THEN CAST(value AS REAL) END
    END"""
_DATE = f"CASE WHEN type = 'text' AND trim(value) GLOB '{'[0-9]' * 8}' THEN CAST(trim(value) AS REAL) END"
_AGE = """CASE WHEN type = 'text' AND trim(value) GLOB '[0-9][0-9][0-9][DWMY]'
    THEN CAST(substr(trim(value), 1, 3) AS REAL) / CASE substr(trim(value), 4)
        WHEN 'D' THEN 365.25 WHEN 'W' THEN 52.1775 WHEN 'M' THEN 12.0 ELSE 1.0 END
    END"""
_FLAG = "CASE type WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 END"
_TEXT = "CASE WHEN type = 'text' THEN nullif(trim(value), '') END"
# Nested lists, objects and null are no values.
_PRESENT = """CASE
    WHEN type IN ('integer', 'real', 'true', 'false') OR (type = 'text' AND trim(value) <> '') THEN 1
    END"""

Parameter = str | float


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL expression that is 0 or 1, never NULL, and the parameters of its question marks in order."""

    sql: str
    parameters: tuple[Parameter, ...]


def compile_predicate(predicate: Predicate, attributes: str, facts: str) -> Condition:
    """The condition under which a row is what the predicate asks for.

    ``attributes`` and ``facts`` are the SQL names of the columns that hold the JSON objects: ours, never a
    user's.
    """
    match predicate:
        case Comparison():
            return _comparison(predicate, facts if predicate.keyword in DERIVED_FACTS else attributes)
        case AllOf():
            return _joined(" AND ", [compile_predicate(part, attributes, facts) for part in predicate.parts])
        case AnyOf():
            return _joined(" OR ", [compile_predicate(part, attributes, facts) for part in predicate.parts])
        case Not():
            inner = compile_predicate(predicate.part, attributes, facts)
            return Condition(f"(NOT {inner.sql})", inner.parameters)
        case _:
            assert_never(predicate)


def _joined(word: str, parts: Sequence[Condition]) -> Condition:
    return Condition(
        f"({word.join(part.sql for part in parts)})",
        tuple(parameter for part in parts for parameter in part.parameters),
    )


def _comparison(comparison: Comparison, document: str) -> Condition:
    path = f"$.{comparison.keyword}"
    if comparison.operator is Operator.EXISTS:
        return _over_values(Condition("max(v)", ()), _PRESENT, document, path)
    query_type = VOCABULARY[comparison.keyword]
    parameters: tuple[Parameter, ...]
    if query_type in (QueryType.TEXT, QueryType.TEXTS):
        every = comparison.operator not in (Operator.MATCHES, Operator.CONTAINS)
        parameters = tuple(to_glob(pattern) for pattern in patterns(comparison))
        tests = ["v GLOB ?"] * len(parameters)
    else:
        every = True
        bounds = intervals(comparison)
        parameters = tuple(end for interval in bounds for end in interval)
        tests = ["v BETWEEN ? AND ?"] * len(bounds)
    test = Condition(f"{'min' if every else 'max'}({' OR '.join(tests)})", parameters)
    return _over_values(test, _expression(query_type), document, path)


def _over_values(test: Condition, expression: str, document: str, path: str) -> Condition:
    """An aggregate ``test`` over the values v that are there; 0 where there is none."""
    return Condition(
        f"coalesce((SELECT {test.sql} FROM "  # noqa: S608 - made of constants of this module only
        f"(SELECT {expression} AS v FROM json_each({document}, ?)) WHERE v IS NOT NULL), 0)",
        (*test.parameters, path),
    )


def _expression(query_type: QueryType) -> str:
    match query_type:
        case QueryType.NUMBER | QueryType.NUMBERS:
            return _NUMBER
        case QueryType.DATE:
            return _DATE
        case QueryType.AGE:
            return _AGE
        case QueryType.FLAG:
            return _FLAG
        case QueryType.TEXT | QueryType.TEXTS:
            return _TEXT
        case _:
            assert_never(query_type)
