"""Why an instance is not what a predicate asks for, as short texts: ``SliceThickness 5.0 > 1.0``.

The texts show values of the file, which may be PHI: they are ``original_`` data, for the site's own eyes.
"""

from typing import assert_never

from app.dicom.query import QueryType
from app.protocol.predicates import VOCABULARY, AllOf, AnyOf, Comparison, Not, Operator, Predicate, Value
from app.selection.evaluate import Document, holds, matches, measures, present_values, texts

MAX_REASONS = 3
MAX_VALUE_LENGTH = 64


def explain(predicate: Predicate, attributes: Document, facts: Document) -> tuple[str, ...]:
    """The first conjuncts that fail, at most ``MAX_REASONS``; empty when the predicate holds."""
    if matches(predicate, attributes, facts):
        return ()
    return tuple(_reasons(predicate, attributes, facts, wanted=True)[:MAX_REASONS])


def _reasons(predicate: Predicate, attributes: Document, facts: Document, *, wanted: bool) -> list[str]:
    """Why the predicate is not as ``wanted``: the parts that are to blame; empty when it is."""
    match predicate:
        case Comparison():
            result = holds(predicate, attributes, facts)
            return [] if result is wanted else [_sentence(predicate, attributes, facts, result)]
        case Not():
            return _reasons(predicate.part, attributes, facts, wanted=not wanted)
        case AllOf() | AnyOf():
            of_parts = [_reasons(part, attributes, facts, wanted=wanted) for part in predicate.parts]
        case _:
            assert_never(predicate)
    if isinstance(predicate, AllOf) is wanted:
        return list(dict.fromkeys(reason for reasons in of_parts for reason in reasons))
    # One part as wanted would be enough: no reason unless all have one, and then together they are one.
    if not all(of_parts):
        return []
    return [" and ".join(dict.fromkeys(reason for reasons in of_parts for reason in reasons))]


def _sentence(comparison: Comparison, attributes: Document, facts: Document, result: bool) -> str:
    """What a comparison found; ``result`` is whether it holds."""
    values = present_values(comparison.keyword, attributes, facts)
    if not values:
        return f"{comparison.keyword} missing"
    shown = "\\".join(_shown(value) for value in values)
    if len(shown) > MAX_VALUE_LENGTH:
        shown = shown[: MAX_VALUE_LENGTH - 1] + "…"
    if not result and not _compares(comparison, values):
        return f"{comparison.keyword} {shown} is not a {VOCABULARY[comparison.keyword].value.removesuffix('s')}"
    return f"{comparison.keyword} {shown} {_relation(comparison, result)}"


def _compares(comparison: Comparison, values: list[Value]) -> bool:
    """Whether some value is of the attribute's type."""
    query_type = VOCABULARY[comparison.keyword]
    if query_type in (QueryType.TEXT, QueryType.TEXTS):
        return bool(texts(values))
    return bool(measures(query_type, values))


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value).strip(" ")


def _relation(comparison: Comparison, result: bool) -> str:
    against = [_shown(value) for value in comparison.values]
    match comparison.operator:
        case Operator.IS:
            return f"is {against[0]}" if result else f"is not {against[0]}"
        case Operator.IN:
            return ("is one of " if result else "is not one of ") + ", ".join(against)
        case Operator.AT_MOST:
            return f"<= {against[0]}" if result else f"> {against[0]}"
        case Operator.AT_LEAST:
            return f">= {against[0]}" if result else f"< {against[0]}"
        case Operator.BELOW:
            return f"< {against[0]}" if result else f">= {against[0]}"
        case Operator.ABOVE:
            return f"> {against[0]}" if result else f"<= {against[0]}"
        case Operator.BETWEEN:
            return f"is {'' if result else 'not '}between {against[0]} and {against[1]}"
        case Operator.MATCHES:
            return f"matches {against[0]}" if result else f"does not match {against[0]}"
        case Operator.CONTAINS:
            return f"contains {against[0]}" if result else f"does not contain {against[0]}"
        case Operator.EXISTS:
            return "exists"
        case _:
            assert_never(comparison.operator)
