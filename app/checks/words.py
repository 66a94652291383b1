"""Phrases of five languages in descriptions: what body part or phase a text names. The phrases are data."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.files.resources import resource_path

_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TOKEN = re.compile(r"[a-z]+|[0-9]+")
# "C+", "+KM", "KM-": the sign is the word. A hyphen counts only where nothing follows it ("C-Spine").
_PLUS = re.compile(r"\b(?:c|km|gd|iv|ce)\s?\+|(?<![\w+])\+\s?(?:c|km|gd|iv|ce)\b")
_MINUS = re.compile(r"\b(?:c|km|gd|iv)-(?=[\s/)]|$)|(?<![\w-])-(?:c|km)\b")


def words_of(original_text: str) -> list[str]:
    """The words of a text in small letters without accents; letters and digits are words apart."""
    plain = unicodedata.normalize("NFKD", _CAMEL.sub(" ", original_text).replace("ß", "ss"))
    plain = "".join(character for character in plain if not unicodedata.combining(character)).casefold()
    plain = _MINUS.sub(" cminus ", _PLUS.sub(" cplus ", plain))
    return _TOKEN.findall(plain)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row; the last may stand for all that begin with it. ``meanings`` are what it names."""

    words: tuple[str, ...]
    is_open: bool
    meanings: frozenset[str]

    def fits(self, words: Sequence[str]) -> bool:
        """Whether ``words`` begin with this phrase."""
        count = len(self.words)
        if len(words) < count or tuple(words[: count - 1]) != self.words[:-1]:
            return False
        last = words[count - 1]
        return last.startswith(self.words[-1]) if self.is_open else last == self.words[-1]


class Vocabulary:
    """Phrases by the letter that they begin with, the longest first; remembers the texts that it has read."""

    def __init__(self, phrases: Iterable[Phrase]) -> None:
        self._by_start: dict[str, list[Phrase]] = {}
        for phrase in phrases:
            self._by_start.setdefault(phrase.words[0][:1], []).append(phrase)
        for group in self._by_start.values():
            group.sort(key=lambda phrase: (-len(phrase.words), -len(" ".join(phrase.words))))
        self._found: dict[str, frozenset[str]] = {}

    def meanings(self, original_text: str) -> frozenset[str]:
        """All that a text names; each of its words counts for one phrase only."""
        known = self._found.get(original_text)
        if known is None:
            known = self._found[original_text] = self._read(words_of(original_text))
        return known

    def _read(self, words: Sequence[str]) -> frozenset[str]:
        found: set[str] = set()
        at = 0
        while at < len(words):
            candidates = self._by_start.get(words[at][:1], ())
            phrase = next((one for one in candidates if one.fits(words[at:])), None)
            if phrase is not None:
                found |= phrase.meanings
            at += 1 if phrase is None else len(phrase.words)
        return frozenset(found)


def load_vocabulary(name: str) -> Vocabulary:
    """The vocabulary in ``resources/checks/<name>.csv``."""
    meanings: dict[tuple[tuple[str, ...], bool], set[str]] = {}
    with resource_path(f"checks/{name}.csv").open(encoding="utf-8", newline="") as file:
        for meaning, phrase, _ in list(csv.reader(file))[1:]:
            words = tuple(phrase.removesuffix("*").split())
            meanings.setdefault((words, phrase.endswith("*")), set()).add(meaning)
    return Vocabulary(Phrase(words, is_open, frozenset(named)) for (words, is_open), named in meanings.items())


def texts_of(original_attributes: Mapping[str, object], keyword: str) -> list[str]:
    """The texts of an attribute; none where it is missing."""
    value = original_attributes.get(keyword)
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str) and text.strip()]
