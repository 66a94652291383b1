"""Looks for what is known of a patient in the text that would be released for the same patient.

The engine has already taken out the words that it knew to be the patient's. This is the second look, at what
is really left, with its own patterns: spellings of dates, identifiers with other separators, transliterated
names.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from app.dicom.identity import IdentityKind
from app.dicom.words import fold

SHORTEST_NAME = 3
SHORTEST_IDEOGRAPHIC_NAME = 2  # most Chinese and Korean names have two or three characters
SHORTEST_ID = 4
# From this length a name or an identifier is found inside a longer word too; below, "Ann" would be in every
# "scanner".
SHORTEST_INSIDE = 6

# Shorter ones turn up in the texts of others by chance.
SHORTEST_OF_ANYBODY = 8

_WORD = re.compile(r"\w+")
_DATE = re.compile(r"(\d{4})([-./]?)(\d{2})\2(\d{2})")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_GERMANIC = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "æ": "ae"})
_NO_LETTER_BEFORE, _NO_LETTER_AFTER = r"(?<![^\W\d_])", r"(?![^\W\d_])"
_NO_DIGIT_BEFORE, _NO_DIGIT_AFTER = r"(?<!\d)", r"(?!\d)"
_NO_ALNUM_BEFORE, _NO_ALNUM_AFTER = r"(?<![^\W_])", r"(?![^\W_])"
_SEPARATORS = re.compile(r"[\s\-./_]")
_SEPARATOR = f"{_SEPARATORS.pattern}?"
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class _Spelling:
    """One way in which something of the identity may be written.

    ``original_pattern`` is searched for only in a text that has a part of each of ``original_clues``, once separators
    are taken out: to compile it takes longer than to look through all that is released for a patient.
    """

    original_pattern: str = field(repr=False)
    original_clues: tuple[tuple[str, ...], ...] = field(repr=False)

    def is_in(self, folded: str, squeezed: str) -> bool:
        for alternatives in self.original_clues:
            if not any(clue in squeezed for clue in alternatives):
                return False
        return re.search(self.original_pattern, folded) is not None


@lru_cache(maxsize=1024)  # what is released for one patient is released for others too
def _forms(text: str) -> tuple[tuple[str, str], ...]:
    """The text folded, with and without separators."""
    # JohnDoe is one word as written, and two as meant; McDonald the other way round.
    forms = (fold(form) for form in sorted({text, _CAMEL_CASE.sub(" ", text)}))
    return tuple((folded, _SEPARATORS.sub("", folded)) for folded in forms)


class KnownIdentity:
    """The spellings of one patient's identity."""

    def __init__(self, identities: Iterable[tuple[str, str]], vocabulary: Collection[str]) -> None:
        """Take rows of the table ``identities``: kind and original value.

        ``vocabulary`` (casefolded words): an identifier or a department that is one of them means nobody. A
        name that is one does.
        """
        spellings: set[_Spelling] = set()
        for kind, original_value in identities:
            if kind == IdentityKind.NAME or original_value.strip().casefold() not in vocabulary:
                spellings.update(_spellings(IdentityKind(kind), original_value))
        self._spellings = sorted(spellings)

    def occurs_in(self, text: str) -> bool:
        """Whether any part of the identity is in ``text``."""
        return any(spelling.is_in(*form) for form in _forms(text) for spelling in self._spellings)


class AnybodysIdentity:
    """Whole names, in either order, and longer identifiers of everybody.

    The table of approved values is about all patients, and the separate reader finds there what is anybody's: a person
    whose name is a protocol's would stop every export, if nobody were asked about it before.
    """

    def __init__(self, original_values: Iterable[str]) -> None:
        self._wanted: set[tuple[str, ...]] = set()
        for original in original_values:
            parts = [tuple(_WORD.findall(part)) for part in re.split(r"[\^=]+", fold(original))]
            for ordered in (parts, parts[::-1]):
                words = tuple(word for part in ordered for word in part)
                text = " ".join(words)
                if len(text) >= SHORTEST_OF_ANYBODY and (len(words) > 1 or any(map(str.isdigit, text))):
                    self._wanted.add(words)
        self._lengths = sorted({len(words) for words in self._wanted})

    def occurs_in(self, text: str) -> bool:
        """Whether one of them is in ``text``, whatever stands between its words."""
        words = tuple(_WORD.findall(fold(text)))
        return any(
            words[start : start + length] in self._wanted
            for length in self._lengths
            for start in range(len(words) - length + 1)
        )


def name_parts(original_name: str) -> set[str]:
    """The folded parts of a person's name that are long enough to mean this person, with transliterations."""
    casefolded = original_name.casefold()
    words = {
        word
        for form in (fold(original_name), fold(casefolded.translate(_GERMANIC)))
        for word in re.findall(r"[^\W\d_]+", form)
    }
    return {word for word in words if len(word) >= (SHORTEST_IDEOGRAPHIC_NAME if _no_spaces(word) else SHORTEST_NAME)}


def _spellings(kind: IdentityKind, original_value: str) -> Iterable[_Spelling]:
    match kind:
        case IdentityKind.NAME:
            return [_Spelling(_name_pattern(part), ((part,),)) for part in name_parts(original_value)]
        case IdentityKind.DATE:
            return _date_spellings(original_value)
        case IdentityKind.ID | IdentityKind.PLACE | IdentityKind.UID:
            return _id_spellings(original_value)


def _no_spaces(word: str) -> bool:
    """Whether the script is one that sets no spaces between words (Hangul, kana, Chinese)."""
    return all(character >= "\u1100" for character in word)


def _name_pattern(part: str) -> str:
    if len(part) >= SHORTEST_INSIDE or _no_spaces(part):
        return re.escape(part)
    return _NO_LETTER_BEFORE + re.escape(part) + _NO_LETTER_AFTER


def _id_spellings(original_value: str) -> Iterable[_Spelling]:
    """An identifier or a place, whatever stands between its characters or before its first figure."""
    characters = re.findall(r"[^\W_]", fold(original_value))
    if len(characters) < SHORTEST_ID:
        return []
    text = "".join(characters)
    significant = text.lstrip("0") if text.isdigit() else text
    if len(significant) < SHORTEST_ID:
        significant = text
    if len(significant) >= SHORTEST_INSIDE:
        spelled = _SEPARATOR.join(map(re.escape, significant))
        # A telephone number may be inside anything; six figures of a longer number are nobody's identifier.
        pattern = spelled if len(significant) > SHORTEST_INSIDE else _delimited(spelled, significant)
    else:
        pattern = _delimited(re.escape(significant), significant)
    return [_Spelling(pattern, ((significant,),))]


def _delimited(pattern: str, text: str) -> str:
    if text.isdigit():
        return f"{_NO_DIGIT_BEFORE}0*{pattern}{_NO_DIGIT_AFTER}"
    return _NO_ALNUM_BEFORE + pattern + _NO_ALNUM_AFTER


def _date_spellings(original_value: str) -> Iterable[_Spelling]:
    """The usual spellings: years of four or two figures, three orders, months in figures and English."""
    match = _DATE.match(original_value.strip())
    if match is None:
        return _id_spellings(original_value)
    try:
        day = date(int(match[1]), int(match[3]), int(match[4]))
    except ValueError:
        return _id_spellings(original_value)
    yyyy, yy, mm, dd = f"{day:%Y}".rjust(4, "0"), f"{day:%y}", f"{day:%m}", f"{day:%d}"
    month, dom = f"0?{day.month}", f"0?{day.day}"
    name = _MONTHS[day.month - 1]
    named = f"{name[:3]}(?:{name[3:]})?\\.?" if len(name) > 3 else name
    gap, sign = r"[\s.,\-/_]{0,3}", r"\s?[-./_ ]\s?"
    year = f"(?:{yyyy}|{yy})"
    compact = [yyyy + mm + dd, dd + mm + yyyy, mm + dd + yyyy]  # inside a time stamp, too
    delimited = [
        yy + mm + dd,
        dd + mm + yy,
        mm + dd + yy,
        year + sign + month + sign + dom,
        dom + sign + month + sign + year,
        month + sign + dom + sign + year,
        dom + gap + named + gap + year,
        named + gap + dom + gap + year,
        yyyy + gap + named + gap + dom,
    ]
    patterns = compact + [_NO_DIGIT_BEFORE + spelled + _NO_DIGIT_AFTER for spelled in delimited]
    # Each of them has the year's last two figures, the day, and the month as a number or by its name.
    return [_Spelling("|".join(patterns), ((yy,), (str(day.day),), (str(day.month), name[:3])))]
