"""A predicate as the text that ``where.parse_where`` reads: what is clicked together is stored as people type it."""

from typing import assert_never

from app.protocol.predicates import AllOf, AnyOf, Comparison, Not, Operator, Predicate

_SIGNS = {
    Operator.IS: "==",
    Operator.AT_MOST: "<=",
    Operator.AT_LEAST: ">=",
    Operator.BELOW: "<",
    Operator.ABOVE: ">",
}


def where_text(predicate: Predicate) -> str:
    """The text of a predicate. Read again it has the same meaning, and the same form but for ``between``."""
    match predicate:
        case Comparison():
            return _comparison(predicate)
        case AllOf():
            return " and ".join(_nested(part) for part in predicate.parts)
        case AnyOf():
            return " or ".join(_nested(part) for part in predicate.parts)
        case Not():
            return f"not {_nested(predicate.part)}"
        case _:
            assert_never(predicate)


def _nested(predicate: Predicate) -> str:
    text = where_text(predicate)
    return f"({text})" if isinstance(predicate, AllOf | AnyOf) else text


def _comparison(comparison: Comparison) -> str:
    keyword = comparison.keyword
    values = [repr(value.strip(" ") if isinstance(value, str) else value) for value in comparison.values]
    match comparison.operator:
        case Operator.EXISTS:
            return f"exists({keyword})"
        case Operator.MATCHES:
            return f"matches({keyword}, {comparison.values[0]!r})"
        case Operator.CONTAINS:
            return f"{values[0]} in {keyword}"
        case Operator.IN:
            return f"{keyword} in [{', '.join(values)}]"
        case Operator.BETWEEN:
            return f"({values[0]} <= {keyword} <= {values[1]})"
        case Operator.IS | Operator.AT_MOST | Operator.AT_LEAST | Operator.BELOW | Operator.ABOVE:
            return f"{keyword} {_SIGNS[comparison.operator]} {values[0]}"
        case _:
            assert_never(comparison.operator)
