"""The words that may stand in free text: what is known to be safe stays, the rest goes.

The vocabulary is the words of the code meanings that pydicom ships (PS3.16 and the schemes that it draws on), of the
attribute and class names of PS3.6, and of our own list (scanners, protocol language). Numbers stay where they are of
the size that a protocol has; whatever could be a date, a telephone or an identity number goes.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.sr._concepts_dict import concepts

from app.files.resources import resource_path

_RUN = re.compile(r"[^\W_]+")
# Figures joined by nothing but the signs that join dates, times, telephone and identity numbers.
_FIGURES = re.compile(r"(?<![^\W_])\d+(?:[./:,'\u2019\-\\ ]{1,2}\d+)*(?![^\W_])")
_CARRIERS = re.compile(r"(?<!\S)(?=\S*?(?:@|://|www\.))\S+", re.IGNORECASE)
_NUMBER_WITH_UNIT = re.compile(
    r"(\d{1,4})(mm|cm|m|um|kv|kvp|v|ma|mas|s|sec|secs|ms|min|ml|cc|mg|g|deg|hz|khz|mhz|mev|mv|gy|cgy|mbq|mci|t|"
    r"st|nd|rd|th|d|x|f|fr|pct|hu|bit|bits|ch|slice|slices|sl|p|w|ph|dir|ch|echo|mos)\Z"
)
_MATRIX = re.compile(r"\d{1,4}x\d{1,4}(x\d{1,4})?(mm|cm)?\Z")
# T1, L5, C7, S1, TH12, B1000: the technical and anatomical codes of descriptions.
_ANATOMIC_CODE = re.compile(r"(?:[tlcs]|th|te|tr|ti|b|r|q|p|ph|e|se|fr|d|w|x|y|z)\d{1,2}\Z|b\d{1,4}\Z")
# B70f, H31s, FC13, Br40d, I26f: reconstruction kernels and coils, where the attribute is technical.
_TECHNICAL_CODE = re.compile(r"[a-z]{1,3}\d{1,3}[a-z]{0,2}\Z|\d{1,2}[a-z]{1,2}\d?\Z")
_KEPT_SIGNS = frozenset(" -_/+.,():;%&*=<>#^'[]|\\")
MAX_NUMBER_DIGITS = 4
MAX_FIGURE_DIGITS = 6
YEARS = range(1880, 2100)


@lru_cache(maxsize=1)
def load_vocabulary() -> frozenset[str]:
    """Casefolded words of two letters or more, accents kept; loaded once a process."""
    words: set[str] = set()
    for meaning in code_meanings().values():
        words.update(split_words(meaning))
    for attribute in DicomDictionary.values():
        words.update(split_words(attribute[2]))
    for registered in UID_dictionary.values():
        words.update(split_words(registered[0]))
    for line in resource_path("standard/safe_words.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            words.update(split_words(line))
    unsafe = resource_path("standard/unsafe_words.txt").read_text(encoding="utf-8").split()
    return frozenset(words.difference(unsafe))


@lru_cache(maxsize=1)
def code_meanings() -> dict[str, str]:
    """Code value -> meaning of all coded concepts that pydicom ships, whatever their scheme."""
    schemes: dict[str, dict[str, dict[str, tuple[str, list[int]]]]] = concepts  # type: ignore[assignment]  # typed as object
    return {
        code: meaning
        for codes_by_keyword in schemes.values()
        for codes in codes_by_keyword.values()
        for code, (meaning, _) in codes.items()
    }


def split_words(text: str) -> list[str]:
    """Runs of letters and digits, casefolded."""
    return [run.casefold() for run in _RUN.findall(text)]


@lru_cache(maxsize=1 << 14)
def fold(text: str) -> str:
    """Casefolded, without accents: what two spellings of one name share."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


@dataclass(frozen=True, slots=True)
class CleanText:
    """What is left of a text, and the words that were taken out."""

    text: str
    original_dropped: tuple[str, ...]


def clean_text(text: str, safe_words: Collection[str], unsafe_words: Collection[str], *, technical: bool) -> CleanText:
    """Keep the words of ``safe_words`` that are not in ``unsafe_words``, and harmless numbers.

    Parameters
    ----------
    safe_words
        Casefolded words.
    unsafe_words
        Folded (``fold``) words of this patient's known identity; they win over ``safe_words``.
    technical
        Whether short codes of letters and digits may stay, as in kernels and coils.
    """
    composed = unicodedata.normalize("NFC", text)
    doubtful = bytearray(len(composed))
    for pattern, is_harmless in ((_CARRIERS, _never), (_FIGURES, _is_harmless_figure)):
        for match in pattern.finditer(composed):
            if not is_harmless(match[0]):
                doubtful[match.start() : match.end()] = b"\1" * len(match[0])
    kept: list[str] = []
    dropped: list[str] = []
    position = 0
    gap = False
    for match in _RUN.finditer(composed):
        start, end = match.span()
        word = match[0]
        if any(doubtful[start:end]) or not _is_safe(word, safe_words, unsafe_words, technical):
            dropped.append(word)
            gap = True
        else:
            between = composed[position:start]
            if gap or not set(between) <= _KEPT_SIGNS:
                kept.append(" " if kept else "")
            else:
                kept.append(between if kept else between.lstrip())
            kept.append(word)
            gap = False
        position = end
    tail = composed[position:].rstrip()
    if kept and not gap and set(tail) <= _KEPT_SIGNS:
        kept.append(tail)
    return CleanText("".join(kept), tuple(dropped))


def _never(_: str) -> bool:
    return False


def _is_harmless_figure(text: str) -> bool:
    parts = re.split(r"[^\d]+", text)
    if sum(len(part) for part in parts) > MAX_FIGURE_DIGITS:
        return False
    return len(re.split(r"[./:,'\u2019\-]", text)) <= 2


def _is_safe(word: str, safe_words: Collection[str], unsafe_words: Collection[str], technical: bool) -> bool:
    folded = word.casefold()
    if fold(word) in unsafe_words:
        return False
    if folded.isdigit():
        return folded.isascii() and len(folded) <= MAX_NUMBER_DIGITS and int(folded) not in YEARS
    if not any(character.isdigit() for character in folded):
        return (len(folded) == 1 and folded.isascii()) or folded in safe_words
    if folded in safe_words:
        return True
    match = _NUMBER_WITH_UNIT.match(folded)
    if match is not None:
        return int(match[1]) not in YEARS
    if _MATRIX.match(folded) or _ANATOMIC_CODE.match(folded):
        return True
    return technical and _TECHNICAL_CODE.match(folded) is not None
