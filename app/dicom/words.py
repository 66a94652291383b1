"""The words that may stand in free text: what is known to be safe stays, the rest goes.

The vocabulary is the words of the code meanings that pydicom ships (PS3.16 and the schemes that it draws on), of the
names and keywords of attributes and the names of classes in PS3.6, and of our own list (scanners, protocol language).
Numbers stay where they are of the size that a protocol has; whatever could be a date, a telephone or an identity number
goes.
"""

import re
import unicodedata
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.files.resources import resource_path

_RUN = re.compile(r"[^\W_]+")
# Figures joined by nothing but signs: dates, times, telephone and identity numbers look like that.
_FIGURES = re.compile(r"(?<![^\W_])\d+(?:(?:[^\w\\]|_){1,3}\d+)*(?![^\W_])")
_SPREAD_FIGURES = re.compile(r"(?<![^\W_])\d+(?:[\W_]{1,3}\d+)+(?![^\W_])")
_FIGURE_SIGN = re.compile("[./:,'\u2019-]")
# Day and month without a year, as people write them: 12/03, 03-12, and 24.12. with the second point.
_DAY_AND_MONTH = re.compile(r"(\d\d)[/-](\d\d)\Z|(\d{1,2})\.(\d{1,2})\.\Z", re.ASCII)
_DOTTED_DAY = re.compile(r"(?<![^\W_])(?<!\d\.)\d{1,2}\.\d{1,2}\.(?!\d)", re.ASCII)
# A name spelled out: S M I T H, S.M.I.T.H, or letter by letter over the components of a value.
_SPELLED_OUT = re.compile(r"(?<![^\W_])[^\W\d_](?:[\W_]{1,3}[^\W\d_]){2,}(?![^\W_])")
_MONTH = (
    "(?:jan(?:uary|uar|vier|eiro)?|enero|gen(?:naio)?|feb(?:ruary|ruar|rero|braio)?|f[\u00e9e]vrier|fevereiro|mar(?:ch|s|zo|\u00e7o)?"
    "|m\u00e4rz|maerz|maart|mrt|apr(?:il|ile)?|avril|abr(?:il)?|may|mai|mayo|maio|maggio|mei|jun(?:e|i|io|ho)?|juin|giugno"
    "|jul(?:y|i|io|ho)?|juillet|luglio|aug(?:ust|ustus)?|ao\u00fbt|agosto|sept?(?:ember|embre|iembre|tembre)?|settembre|setembro"
    "|o[ck]t(?:ober|obre|ubre)?|ottobre|outubro|nov(?:ember|embre|iembre|embro)?|de[cz](?:ember|embro)?|d\u00e9c(?:embre)?"
    "|dic(?:iembre|embre)?)"
)
_NAMED_DAY = re.compile(
    rf"(?<![^\W_])(?:\d{{1,4}}(?:st|nd|rd|th)?[\W_]{{0,3}}{_MONTH}(?:[\W_]{{0,3}}\d{{1,4}})?"
    rf"|{_MONTH}[\W_]{{0,3}}\d{{1,4}}(?:st|nd|rd|th)?(?:[\W_]{{1,3}}\d{{2,4}})?)(?![^\W_])",
    re.IGNORECASE,
)
# Ages above 89 years (45 CFR 164.514(b)(2)(i)(C)), as a number with its unit or behind its word.
_OLD = r"0?(?:9\d|1[0-2]\d)"
_OLD_AGE = re.compile(
    rf"(?<![^\W_]){_OLD}[\W_]{{0,2}}(?:y|yo|yr|yrs|year|years|j|jahr|jahre|ans|a\u00f1os|anos|anni|jaar)(?![^\W_])"
    rf"|(?<![^\W_])(?:age|aged|alter|\u00e2ge|edad|et\u00e0|idade|leeftijd)[\W_]{{0,3}}{_OLD}(?![^\W_])",
    re.IGNORECASE,
)
_CARRIERS = re.compile(r"(?<!\S)(?=\S*?(?:@|://|www\.))\S+", re.IGNORECASE)
_NUMBER_WITH_UNIT = re.compile(
    r"(\d{1,4})(mm|cm|m|um|kv|kvp|v|ma|mas|s|sec|secs|ms|min|ml|cc|mg|g|deg|hz|khz|mhz|mev|mv|gy|cgy|mbq|mci|t|"
    r"st|nd|rd|th|d|x|f|fr|pct|hu|bit|bits|ch|slice|slices|sl|p|w|ph|dir|ch|echo|mos)\Z",
    re.ASCII,
)
_MATRIX = re.compile(r"\d{1,4}x\d{1,4}(x\d{1,4})?(mm|cm)?\Z", re.ASCII)
# T1, L5, C7, S1, TH12, B1000: the technical and anatomical codes of descriptions.
_ANATOMIC_CODE = re.compile(r"(?:[tlcs]|th|te|tr|ti|b|r|q|p|ph|e|se|fr|d|w|x|y|z)\d{1,2}\Z|b\d{1,4}\Z", re.ASCII)
# B70f, H31s, FC13, Br40d, I26f: reconstruction kernels and coils, where the attribute is technical.
_TECHNICAL_CODE = re.compile(r"[a-z]{1,3}\d{1,3}[a-z]{0,2}\Z|\d{1,2}[a-z]{1,2}\d?\Z", re.ASCII)
_KEPT_SIGNS = frozenset(" -_/+.,():;%&*=<>#^'[]|\\")
MAX_NUMBER_DIGITS = 4
MAX_FIGURE_DIGITS = 6
MAX_PASSES = 10
YEARS = range(1880, 2100)


@lru_cache(maxsize=1)
def load_vocabulary() -> frozenset[str]:
    """Casefolded words of two letters or more, accents kept; loaded once a process."""
    words = set(_lines("words.txt"))
    for line in resource_path("standard/safe_words.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            words.update(split_words(line))
    unsafe = resource_path("standard/unsafe_words.txt").read_text(encoding="utf-8").split()
    return frozenset(words.difference(unsafe))


@lru_cache(maxsize=1)
def code_values() -> frozenset[str]:
    """The values of all coded concepts that pydicom ships, whatever their scheme."""
    return frozenset(_lines("code_values.txt"))


def _lines(name: str) -> list[str]:
    # Made from pydicom by resources/standard/make_words.py: collecting them anew is slow.
    return resource_path(f"standard/{name}").read_text(encoding="utf-8").split("\n")[:-1]


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
    (cleaned,), dropped = clean_components([text], safe_words, unsafe_words, technical=technical)
    return CleanText(cleaned, dropped)


def clean_components(
    components: Sequence[str], safe_words: Collection[str], unsafe_words: Collection[str], *, technical: bool
) -> tuple[list[str], tuple[str, ...]]:
    """``clean_text`` for the components of one value, and all words that were taken out.

    They are judged together: a number or a name can be spread over them. Judged again until nothing more goes,
    because words that were apart stand side by side when what was between them is gone.
    """
    all_dropped: list[str] = []
    current = [unicodedata.normalize("NFC", component) for component in components]
    for _ in range(MAX_PASSES):
        cleaned, dropped = _clean_once(current, safe_words, unsafe_words, technical)
        all_dropped += dropped
        if cleaned == current:
            return cleaned, tuple(all_dropped)
        current = cleaned
    # A text that was made to be peeled like this is no description of anything.
    return [""] * len(current), tuple(all_dropped) + tuple(_RUN.findall(" ".join(current)))


def _clean_once(
    components: Sequence[str], safe_words: Collection[str], unsafe_words: Collection[str], technical: bool
) -> tuple[list[str], list[str]]:
    doubtful = _find_doubtful("\\".join(components))
    cleaned: list[str] = []
    dropped: list[str] = []
    start = 0
    for component in components:
        end = start + len(component)
        cleaned.append(_keep_safe(component, doubtful[start:end], safe_words, unsafe_words, technical, dropped))
        start = end + 1
    return cleaned, dropped


def _find_doubtful(text: str) -> bytearray:
    """One byte a character: 1 where it belongs to what may be a date, a number or a name, whatever its words are."""
    doubtful = bytearray(len(text))
    for pattern, is_harmless in _DOUBTS:
        for match in pattern.finditer(text):
            if not is_harmless(match[0]):
                doubtful[match.start() : match.end()] = b"\1" * len(match[0])
    return doubtful


def _keep_safe(
    text: str,
    doubtful: bytearray,
    safe_words: Collection[str],
    unsafe_words: Collection[str],
    technical: bool,
    dropped: list[str],
) -> str:
    kept: list[str] = []
    position = 0
    gap = False
    for match in _RUN.finditer(text):
        start, end = match.span()
        word = match[0]
        if any(doubtful[start:end]) or not _is_safe(word, safe_words, unsafe_words, technical):
            dropped.append(word)
            gap = True
        else:
            between = text[position:start]
            if gap or not set(between) <= _KEPT_SIGNS:
                kept.append(" " if kept else "")
            else:
                kept.append(between if kept else between.lstrip())
            kept.append(word)
            gap = False
        position = end
    tail = text[position:].rstrip()
    if kept and not gap and set(tail) <= _KEPT_SIGNS:
        kept.append(tail)
    return "".join(kept)


def _never(_: str) -> bool:
    return False


def _is_harmless_figure(text: str) -> bool:
    return len(_FIGURE_SIGN.split(text)) <= 2 and not _looks_like_day(text) and _is_harmless_spread(text)


def _is_harmless_spread(text: str) -> bool:
    figures = re.split(r"\D+", text)
    if sum(map(len, figures)) > MAX_FIGURE_DIGITS:
        return False
    return not any(map(_is_date_like, figures, figures[1:], figures[2:]))


def _is_plane_list(text: str) -> bool:
    # T/S/C, R/L/A: planes and directions. Nobody spells a name with strokes.
    return len(text) == 5 and text[1] == text[3] == "/"


def _looks_like_day(text: str) -> bool:
    match = _DAY_AND_MONTH.match(text)
    if match is None:
        return False
    low, high = sorted(int(part) for part in match.groups() if part is not None)
    return 1 <= low <= 12 and 1 <= high <= 31


def _is_date_like(first: str, second: str, third: str) -> bool:
    """Whether three numbers could be day, month and year in some order, written with two or four figures a year."""
    lengths = (len(first), len(second), len(third))
    if lengths[0] == 4:
        day_or_month = (second, third)
    elif lengths[2] in (2, 4):
        day_or_month = (first, second)
    else:
        return False
    low, high = sorted(int(part) for part in day_or_month)
    return 1 <= low <= 12 and 1 <= high <= 31


_DOUBTS: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
    (_CARRIERS, _never),
    (_FIGURES, _is_harmless_figure),
    (_DOTTED_DAY, lambda text: not _looks_like_day(text)),
    (_SPREAD_FIGURES, _is_harmless_spread),
    (_SPELLED_OUT, _is_plane_list),
    (_NAMED_DAY, _never),
    (_OLD_AGE, _never),
)


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
