"""Finds the protocol's terms in one report."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from app.protocol.reports import ReportTerm
from app.reports.context import HitContext, context_of, headings
from app.reports.sentences import split_sentences


@dataclass(frozen=True, slots=True)
class Hit:
    """A term in a sentence of a report; ``start`` and ``end`` (half-open) are its place there."""

    original_accession_number: str = field(repr=False)
    term: str
    context: HitContext
    original_sentence: str = field(repr=False)
    start: int
    end: int


def find_hits(original_accession_number: str, original_report: str, terms: Sequence[ReportTerm]) -> Iterator[Hit]:
    """The hits of a report, in its order; a term that a sentence names twice in one context is one hit."""
    told: set[tuple[str, HitContext, str]] = set()
    for sentence in split_sentences(original_report, headings()):
        text = sentence.original_text
        matches = ((match, term) for term in terms for match in _pattern(term.phrases).finditer(text))
        for match, term in sorted(matches, key=lambda pair: pair[0].start()):
            context = context_of(text, match.start(), match.end(), sentence.heading)
            key = (term.name, context, text)
            if key not in told:
                told.add(key)
                yield Hit(original_accession_number, term.name, context, text, *match.span())


@lru_cache(maxsize=256)
def _pattern(phrases: tuple[str, ...]) -> re.Pattern[str]:
    """Any of the spellings as whole words, the longest first."""
    return re.compile("|".join(map(_spelling, sorted(phrases, key=len, reverse=True))))


def _spelling(phrase: str) -> str:
    words = phrase.removesuffix("*").split()
    text = r"[\s-]+".join(map(re.escape, words))
    # Of short abbreviations, capitals are all that tells PE from "pe" in another language or a typing error.
    flags = "" if phrase.isupper() else "(?i:"
    ending = r"\w*" if phrase.endswith("*") else r"(?!\w)"
    return rf"(?<!\w){flags}{text}{')' if flags else ''}{ending}"
