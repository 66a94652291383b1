"""Cuts a report into sentences, each with the heading that it stands under."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

# A heading is short, and ends with a colon: "IMPRESSION:", "Clinical history:"; with or without text behind it.
_HEADING = re.compile(r"[ \t]*([A-Za-z][A-Za-z /&-]{2,40}?)[ \t]*:(?=\s|$)")
_NEW_LINE_STARTS = re.compile(r"\s*(?:[-*\u2022]|\(?\d{1,2}[.)])\s+")
_END = re.compile(r"(?<=[.!])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9-])|(?<=\?)\s+(?=[A-Z])")
_ABBREVIATION = re.compile(r"(?:\b(?:Dr|Mr|Mrs|Ms|vs|approx|e\.g|i\.e|fig|cf|incl|resp|St|Lt|Rt|min|max)|\b[A-Z])\.\Z")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; ``heading`` is in lower case, '' where the report has none so far."""

    original_text: str
    heading: str


def split_sentences(original_report: str, headings: Collection[str]) -> Iterator[Sentence]:
    """The sentences of a report, in order; white space within them is one space.

    ``headings`` are known, in lower case. What only looks like one ("Pneumothorax: none") is text; in capitals it ends
    the heading before it.
    """
    heading = ""
    for block in _blocks(original_report):
        match = _HEADING.match(block)
        rest = block
        if match is not None:
            name = " ".join(match[1].split())
            if name.lower() in headings:
                heading, rest = name.lower(), block[match.end() :]
            elif name.isupper():
                heading = ""
        for text in _sentences(" ".join(rest.split())):
            yield Sentence(text, heading)


def _blocks(report: str) -> Iterator[str]:
    """What belongs together: lines that were only wrapped are joined; headings, bullets and blank lines part."""
    lines: list[str] = []
    for line in report.splitlines():
        is_new = not line.strip() or _NEW_LINE_STARTS.match(line) or _HEADING.match(line)
        if is_new and lines:
            yield "\n".join(lines)
            lines = []
        bullet = _NEW_LINE_STARTS.match(line)
        if line.strip():
            lines.append(line[bullet.end() :] if bullet else line)
    if lines:
        yield "\n".join(lines)


def _sentences(text: str) -> Iterator[str]:
    start = 0
    for match in _END.finditer(text):
        piece = text[start : match.start()]
        if _ABBREVIATION.search(piece):
            continue
        yield piece
        start = match.end()
    if text[start:].strip():
        yield text[start:]
