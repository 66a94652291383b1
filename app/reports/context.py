"""What a sentence says about a term in it: that it is there, is not there, may be there, was there, or is a relative's.

The method is ConText's (Harkema et al. 2009): a rule is a few words that reach forward or backward over the sentence,
up to a stop. The rules are data under ``resources/reports``; a row with an unknown word refuses to load. What they miss
is written down beside them.
"""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import assert_never

from app.files.resources import resource_path


class HitContext(StrEnum):
    """What is said about a term. Where several rules reach it, the first one of these counts."""

    NEGATED = "negated"
    FAMILY = "family"
    HISTORICAL = "historical"
    UNCERTAIN = "uncertain"
    AFFIRMED = "affirmed"


class Direction(StrEnum):
    """Which way a rule reaches."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Rule:
    """``context`` is None for a stop, and for words that only keep a shorter rule from being seen in them."""

    context: HitContext | None
    direction: Direction


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    rule: Rule


def context_of(sentence: str, start: int, end: int, heading: str = "") -> HitContext:
    """What ``sentence`` says about the term at ``start`` to ``end`` (half-open), under ``heading``."""
    found = [one for one in _find_rules(sentence) if one.end <= start or one.start >= end]
    reached = {one.rule.context for one in found if _reaches(one, found, start, end)} - {None}
    for context in HitContext:
        if context in reached:
            return context
    return headings().get(heading, HitContext.AFFIRMED)


def _reaches(one: _Found, found: Sequence[_Found], start: int, end: int) -> bool:
    match one.rule.direction:
        case Direction.FORWARD:
            low, high = one.end, start
        case Direction.BACKWARD:
            low, high = end, one.start
        case Direction.BOTH:
            low, high = (one.end, start) if one.end <= start else (end, one.start)
        case Direction.STOP:
            return False
        case _:
            assert_never(one.rule.direction)
    stops = (other for other in found if other.rule.direction is Direction.STOP)
    return low <= high and not any(low <= stop.start and stop.end <= high for stop in stops)


def _find_rules(sentence: str) -> list[_Found]:
    """The rules in a sentence, the longest where they overlap: "is not" gives way to "not seen"."""
    pattern, rules = _rules()
    matches = sorted(pattern.finditer(sentence), key=lambda match: (-len(match[1]), match.start()))
    taken: list[_Found] = []
    for match in matches:
        start, end = match.span(1)
        if all(end <= other.start or other.end <= start for other in taken):
            taken.append(_Found(start, end, rules[" ".join(match[1].lower().split())]))
    return taken


@lru_cache(maxsize=1)
def _rules() -> tuple[re.Pattern[str], Mapping[str, Rule]]:
    rules: dict[str, Rule] = {}
    for row in _read("context_en.csv"):
        context = None if row["context"] == "none" else HitContext(row["context"])
        rules[row["phrase"]] = Rule(context, Direction(row["direction"]))
    longest_first = sorted(rules, key=len, reverse=True)
    return re.compile(f"(?=({'|'.join(map(_spelling, longest_first))}))", re.IGNORECASE), rules


def _spelling(phrase: str) -> str:
    text = r"\s+".join(map(re.escape, phrase.split()))
    before = r"(?<![\w/])" if phrase[0].isalnum() else ""
    after = r"(?![\w/])" if phrase[-1].isalnum() else ""
    return before + text + after


@lru_cache(maxsize=1)
def headings() -> Mapping[str, HitContext]:
    """The known headings, in lower case, and what they say about what stands under them."""
    return {row["heading"]: HitContext(row["context"]) for row in _read("sections_en.csv")}


def _read(name: str) -> Iterator[dict[str, str]]:
    with resource_path(f"reports/{name}").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))
