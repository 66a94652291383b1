"""Filters that people add and remove one by one: the conjuncts of the expression that narrows the protocol's query."""

from collections.abc import Sequence
from typing import assert_never

from app.protocol.predicates import AllOf, AnyOf, Comparison, Not, Operator, Predicate
from app.protocol.where import parse_where
from app.protocol.where_text import where_text

Filters = tuple[Predicate, ...]


def filters_of(where: str | None) -> Filters:
    """The filters in a stored expression: what it says of one attribute is one filter, whatever else is one a part.

    Raises ProtocolError as ``parse_where`` does.
    """
    if not where or not where.strip():
        return ()
    predicate = parse_where(where)
    filters: dict[object, Predicate] = {}
    for part in _conjuncts(predicate):
        keyword = keyword_of(part)
        key: object = part if keyword is None else keyword
        filters[key] = AllOf((*_conjuncts(filters[key]), part)) if key in filters else part
    return tuple(filters.values())


def where_of(filters: Sequence[Predicate]) -> str:
    """The expression of some filters; empty for none."""
    return where_text(AllOf(tuple(filters))) if filters else ""


def keyword_of(predicate: Predicate) -> str | None:
    """The one attribute that a predicate is about; None where there are several."""
    keywords = _keywords(predicate)
    return keywords.pop() if len(keywords) == 1 else None


def toggle(filters: Filters, choice: Predicate) -> Filters:
    """The filters with a choice of one attribute added beside those of the same attribute, or taken away again.

    Choices of one attribute are alternatives: CT, then MR, is CT or MR.
    """
    keyword = keyword_of(choice)
    place = next((place for place, part in enumerate(filters) if keyword_of(part) == keyword), None)
    if place is None:
        return (*filters, choice)
    chosen = alternatives(filters[place])
    left = tuple(part for part in chosen if part != choice) if choice in chosen else (*chosen, choice)
    if not left:
        return (*filters[:place], *filters[place + 1 :])
    return (*filters[:place], left[0] if len(left) == 1 else AnyOf(left), *filters[place + 1 :])


def is_chosen(filters: Filters, choice: Predicate) -> bool:
    """Whether a choice is among the filters."""
    return any(choice in alternatives(part) for part in filters)


def alternatives(predicate: Predicate) -> tuple[Predicate, ...]:
    """What a filter offers: its parts where one of them is enough, each value of a list, else itself."""
    match predicate:
        case AnyOf():
            return tuple(choice for part in predicate.parts for choice in alternatives(part))
        case Comparison(operator=Operator.IN):
            return tuple(Comparison(predicate.keyword, Operator.IS, (value,)) for value in predicate.values)
        case _:
            return (predicate,)


def _conjuncts(predicate: Predicate) -> tuple[Predicate, ...]:
    return predicate.parts if isinstance(predicate, AllOf) else (predicate,)


def _keywords(predicate: Predicate) -> set[str]:
    match predicate:
        case Comparison():
            return {predicate.keyword}
        case AllOf() | AnyOf():
            return {keyword for part in predicate.parts for keyword in _keywords(part)}
        case Not():
            return _keywords(predicate.part)
        case _:
            assert_never(predicate)
