"""What an allowed value may look like: an allowed tag whose bytes are not what its VR promises carries anything.

Each function takes the bytes of one element and returns what may leave, or raises ``DroppedError`` with the reason
that the report counts. Grammars: PS3.5 section 6.2.
"""

import math
import re
import struct
from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from app.deid.code_strings import known_terms
from app.deid.recipe import Patient, Recipe
from app.deid.rules import Rule, defined_terms
from app.dicom.coarsening import coarsen
from app.dicom.codes import is_code_version, is_known_code, is_known_scheme
from app.dicom.dictionary import is_class_of_a_vendor, is_registered
from app.dicom.icc import clean_profile
from app.dicom.profile import COARSE_STEPS, Action, DatePreset
from app.dicom.reading import decode_text
from app.dicom.temporal import (
    cap_age,
    is_time,
    is_zone,
    parse_date,
    shift_date,
    shift_date_time,
    year_of_date,
    year_of_date_time,
)
from app.dicom.uids import is_uid, keyed_uid
from app.dicom.words import clean_components, fold, split_words
from app.errors import UnreadableError

Number = int | float


class Fold(StrEnum):
    """How values of a path are shown to a reviewer: each one, or one row for all of them."""

    NONE = ""
    NUMBER = "number"
    UID = "uid"
    DATE = "date"
    TIME = "time"
    BINARY = "binary"
    CODE = "code"


class Drop(StrEnum):
    """Why a value did not pass."""

    UNLISTED = "unlisted"
    BY_RULE = "by-rule"
    PRIVATE = "private"
    WRONG_VR = "wrong-vr"
    GRAMMAR = "grammar"
    TOO_LONG = "too-long"
    TOO_MANY = "too-many-values"
    NOT_A_KNOWN_TERM = "not-a-known-term"
    NOT_A_KNOWN_CODE = "not-a-known-code"
    NO_SAFE_WORD = "no-safe-word"
    CHARACTER_SET = "character-set"
    DECISION = "decision"
    LOST_CONTENT = "lost-content"
    IDENTITY = "identity"
    TABLE_SIZE = "table-size"


class DroppedError(Exception):
    """A value may not leave."""

    def __init__(self, reason: Drop) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Value(NamedTuple):
    """What may leave: encoded bytes, and how it is shown.

    ``low`` and ``high`` are the range of a folded number, date or time.
    """

    encoded: bytes
    vr: str
    fold: Fold
    text: str = ""
    low: Number | str | None = None
    high: Number | str | None = None
    dropped_words: tuple[str, ...] = ()
    original_uids: tuple[tuple[str, str], ...] = ()


TEXT_VRS = frozenset(("SH", "LO", "ST", "LT", "UT", "UC"))
_STRING_VRS = TEXT_VRS | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "PN", "TM", "UI", "UR"}
_MAX_LENGTHS = {"SH": 16, "LO": 64, "CS": 16, "AS": 4, "DA": 10, "TM": 16, "DT": 26, "ST": 1024, "LT": 10240}
_SINGLE_TEXT = frozenset(("ST", "LT", "UT"))
_DECIMAL = re.compile(rb" *[+-]?(?:\d{1,18}(?:\.\d{0,20})?|\.\d{1,20})(?:[eE][+-]?\d{1,3})? *\Z")
_INTEGER = re.compile(rb" *[+-]?\d{1,10} *\Z")
MAX_DECIMAL_LENGTH = 26  # 16 by the standard; real writers go beyond it, none further than this
# Before the point, without the zeros at the end: a dose of 370000000 Bq has two, a telephone number ten.
MAX_SIGNIFICANT_DIGITS = 9
_INTEGER_RANGE = range(-(2**31), 2**31)
# The bit patterns of "not a number" that processors make; any other one could hold a message.
_PLAIN_NANS = frozenset(struct.pack(layout, number) for layout in ("<f", "<d") for number in (math.nan, -math.nan))
_SHORTEST_IN_BYTES = 5
_BINARY_NUMBERS: dict[str, tuple[str, int]] = {
    "US": ("H", 2),
    "SS": ("h", 2),
    "UL": ("L", 4),
    "SL": ("l", 4),
    "UV": ("Q", 8),
    "SV": ("q", 8),
    "FL": ("f", 4),
    "FD": ("d", 8),
    "AT": ("HH", 4),
}
_BINARY = frozenset(("OB", "OD", "OF", "OL", "OV", "OW"))
_ICC_PROFILE = 0x00282000
_CODE_VALUES = frozenset((0x00080100, 0x00080119, 0x00080120))
_SCHEME = 0x00080102
_CODE_VERSIONS = frozenset((0x00080103, 0x00080106, 0x00080107, 0x0008010F, 0x00080105))
_ZONE = 0x00080201
# Bytes of the longest number: a name that is written into several of them is looked for.
_ONE_NUMBER = 8
# Values of one sample, in as many bytes as the sample has.
_SMALL_BINARIES = frozenset((0x54000110, 0x54000112, 0x5400100A))


def release_value(
    rule: Rule,
    tag: int,
    vr: str,
    raw: bytes,
    character_sets: tuple[str, ...],
    recipe: Recipe,
    patient: Patient,
) -> Value:
    """The value of an element that its rule keeps, shifts, cleans or replaces, as it may leave.

    ``raw`` is not empty. Raises DroppedError.
    """
    vr = _dictionary_vr(rule, vr, raw)
    if len(raw.rstrip(b" \0")) == 0 and vr in _STRING_VRS:
        return Value(b"", vr, Fold.NONE)
    if rule.action is Action.PSEUDONYM:
        return _pseudonym(tag, vr, raw, character_sets, recipe, patient)
    if rule.action is Action.COARSEN and tag not in COARSE_STEPS:
        raise DroppedError(Drop.BY_RULE)
    if vr in _BINARY_NUMBERS:
        return _binary_number(rule, vr, raw, patient)
    if vr in ("DS", "IS"):
        return _text_number(rule, tag, vr, raw)
    if tag == _ICC_PROFILE:
        profile = clean_profile(raw)
        if profile is None:
            raise DroppedError(Drop.GRAMMAR)
        return Value(profile, vr, Fold.BINARY)
    if vr in _BINARY:
        if len(raw) % {"OB": 1, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}[vr]:
            raise DroppedError(Drop.GRAMMAR)
        if tag in _SMALL_BINARIES and len(raw) > 8:
            raise DroppedError(Drop.TOO_LONG)
        if has_identity_in_bytes(raw, patient):
            raise DroppedError(Drop.IDENTITY)
        return Value(raw, vr, Fold.BINARY)
    if vr in TEXT_VRS:
        return _text(rule, tag, vr, raw, character_sets, recipe, patient)
    return _string(rule, tag, vr, raw, recipe, patient)


def _dictionary_vr(rule: Rule, vr: str, raw: bytes) -> str:
    if vr in rule.vrs:
        return vr
    if vr in _STRING_VRS and rule.vrs[0] in _STRING_VRS:
        return rule.vrs[0]
    # UN of a known attribute was given its dictionary VR while reading; what is left here lies about itself.
    if vr == "OB" and "OW" in rule.vrs and len(raw) % 2 == 0:
        return "OW"
    raise DroppedError(Drop.WRONG_VR)


def _pseudonym(
    tag: int, vr: str, raw: bytes, character_sets: tuple[str, ...], recipe: Recipe, patient: Patient
) -> Value:
    del tag
    if vr == "SH":
        try:
            original = decode_text(raw, character_sets).strip()
        except UnreadableError:
            raise DroppedError(Drop.CHARACTER_SET) from None
        code = recipe.accession_pseudonym(original)
        return Value(code.encode(), vr, Fold.CODE, original_uids=((original, code),))
    return Value(patient.code.encode(), vr, Fold.CODE)


def _binary_number(rule: Rule, vr: str, raw: bytes, patient: Patient) -> Value:
    letters, size = _BINARY_NUMBERS[vr]
    if len(raw) % size:
        raise DroppedError(Drop.GRAMMAR)
    if rule.vm_max is not None and len(raw) // size > rule.vm_max:
        raise DroppedError(Drop.TOO_MANY)
    if len(raw) > _ONE_NUMBER and has_identity_in_bytes(raw, patient):
        raise DroppedError(Drop.IDENTITY)
    numbers = _unpack(vr, raw)
    if letters in ("f", "d") and any(map(math.isnan, numbers)):
        words = (raw[start : start + size] for start in range(0, len(raw), size))
        if any(math.isnan(number) and word not in _PLAIN_NANS for number, word in zip(numbers, words, strict=True)):
            raise DroppedError(Drop.GRAMMAR)
    finite = [number for number in numbers if math.isfinite(number)] or [0]
    return Value(raw, vr, Fold.NUMBER, low=min(finite), high=max(finite))


def _text_number(rule: Rule, tag: int, vr: str, raw: bytes) -> Value:
    stripped = raw.rstrip(b" \0")
    components = stripped.split(b"\\")
    if rule.vm_max is not None and len(components) > rule.vm_max:
        raise DroppedError(Drop.TOO_MANY)
    grammar = _DECIMAL if vr == "DS" else _INTEGER
    numbers: list[Number] = []
    for component in components:
        if not component.strip():
            continue
        if len(component) > MAX_DECIMAL_LENGTH or grammar.match(component) is None:
            raise DroppedError(Drop.GRAMMAR)
        number: Number = float(component) if vr == "DS" else int(component)
        if not math.isfinite(number) or (vr == "IS" and number not in _INTEGER_RANGE) or not _is_quantity(component):
            raise DroppedError(Drop.GRAMMAR)
        numbers.append(number)
    if not numbers:
        return Value(b"", vr, Fold.NONE)
    if rule.action is Action.COARSEN:
        coarse = [coarsen(tag, str(number)) or "" for number in numbers]
        numbers = [float(text) for text in coarse if text]
        stripped = "\\".join(coarse).encode()
    return Value(stripped, vr, Fold.NUMBER, low=min(numbers), high=max(numbers))


def _is_quantity(component: bytes) -> bool:
    """Whether a decimal could be measured or counted: telephone numbers, identifiers and dates have other digits."""
    if len(component) < 8:  # too short for all of them, and most are
        return True
    whole = re.split(rb"[.eE]", component.strip(b" +-"), maxsplit=1)[0].lstrip(b"0")
    if len(whole) == 8 and whole[:2] in (b"19", b"20") and parse_date(whole.decode("ascii")) is not None:
        return False
    return len(whole.rstrip(b"0")) <= MAX_SIGNIFICANT_DIGITS


def _ascii(raw: bytes) -> str:
    try:
        return raw.decode("ascii").rstrip(" \0")
    except UnicodeDecodeError:
        raise DroppedError(Drop.GRAMMAR) from None


def _string(rule: Rule, tag: int, vr: str, raw: bytes, recipe: Recipe, patient: Patient) -> Value:
    text = _ascii(raw)
    components = [component.strip(" \0") for component in text.split("\\")]
    if rule.vm_max is not None and len(components) > rule.vm_max:
        raise DroppedError(Drop.TOO_MANY)
    match vr:
        case "CS":
            return _code_string(tag, components)
        case "UI":
            return _uids(rule, components, recipe)
        case "DA" | "DT":
            return _dates(rule, vr, components, recipe, patient)
        case "TM":
            if not all(not component or is_time(component) for component in components):
                raise DroppedError(Drop.GRAMMAR)
            times = [component.replace(":", "") for component in components]  # the colons of ACR-NEMA
            return _ranged("\\".join(times), vr, Fold.TIME, times)
        case "AS":
            told = partial(coarsen, tag) if rule.action is Action.COARSEN else cap_age
            ages = [told(component) if component else "" for component in components]
            if any(age is None for age in ages):
                raise DroppedError(Drop.GRAMMAR)
            released = "\\".join(age or "" for age in ages)
            return Value(released.encode(), vr, Fold.NONE, released)
        case _:  # AE, PN, UR: no rule lets their text through
            raise DroppedError(Drop.WRONG_VR)


def _ranged(released: str, vr: str, how: Fold, components: list[str]) -> Value:
    filled = [component for component in components if component]
    if not filled:
        return Value(b"", vr, Fold.NONE)
    return Value(released.encode(), vr, how, low=min(filled), high=max(filled))


def _code_string(tag: int, components: list[str]) -> Value:
    kept = known_terms(tag, components)
    if not any(kept):
        if any(components):
            raise DroppedError(Drop.NOT_A_KNOWN_TERM)
        return Value(b"", "CS", Fold.NONE)
    released = "\\".join(kept)
    return Value(released.encode(), "CS", Fold.NONE, released)


def _is_public_uid(uid: str) -> bool:
    return is_registered(uid) or is_class_of_a_vendor(uid)


def _uids(rule: Rule, components: list[str], recipe: Recipe) -> Value:
    # What is no UID (too long, letters) is replaced like one: nothing of it is left, and references stay true.
    as_written = rule.action is Action.KEEP and (rule.verbatim or rule.option is not None)
    pairs: list[tuple[str, str]] = []
    for component in components:
        if not component or _is_public_uid(component) or (as_written and is_uid(component)):
            pairs.append((component, component))
        else:
            pairs.append((component, keyed_uid(recipe.uid_key, component)))
    released = "\\".join(new for _, new in pairs)
    changed = tuple((old, new) for old, new in pairs if old != new)
    if changed and len(changed) == len(pairs):
        return Value(released.encode(), "UI", Fold.UID, original_uids=changed)
    if not released.strip("\\"):
        return Value(b"", "UI", Fold.NONE)
    return Value(released.encode(), "UI", Fold.NONE, released, original_uids=changed)


def _dates(rule: Rule, vr: str, components: list[str], recipe: Recipe, patient: Patient) -> Value:
    change: Callable[[str], str | None]
    if rule.action is Action.KEEP:
        change = (lambda text: shift_date(text, 0)) if vr == "DA" else (lambda text: shift_date_time(text, 0))
    elif recipe.dates is DatePreset.YEAR_ONLY:
        change = year_of_date if vr == "DA" else year_of_date_time
    else:
        days = -patient.shift_days
        change = (lambda text: shift_date(text, days)) if vr == "DA" else (lambda text: shift_date_time(text, days))
    changed = [change(component) if component else "" for component in components]
    released = [component for component in changed if component is not None]
    if len(released) != len(components):
        raise DroppedError(Drop.GRAMMAR)
    return _ranged("\\".join(released), vr, Fold.DATE, released)


def _text(
    rule: Rule,
    tag: int,
    vr: str,
    raw: bytes,
    character_sets: tuple[str, ...],
    recipe: Recipe,
    patient: Patient,
) -> Value:
    try:
        text = decode_text(raw, character_sets)
    except UnreadableError:
        raise DroppedError(Drop.CHARACTER_SET) from None
    if tag in _CODE_VALUES:
        return _checked(text.strip(), vr, is_known_code, Drop.NOT_A_KNOWN_CODE)
    if tag == _SCHEME:
        return _checked(text.strip(), vr, is_known_scheme, Drop.NOT_A_KNOWN_CODE)
    if tag in _CODE_VERSIONS:
        return _checked(text.strip(), vr, is_code_version, Drop.NOT_A_KNOWN_CODE)
    if tag == _ZONE:
        return _checked(text.strip(), vr, is_zone, Drop.GRAMMAR)
    components = [text] if vr in _SINGLE_TEXT else text.split("\\")
    if rule.vm_max is not None and len(components) > rule.vm_max and vr not in _SINGLE_TEXT:
        raise DroppedError(Drop.TOO_MANY)
    if rule.verbatim:
        _check_length(vr, components)
        return Value(text.encode(), vr, Fold.NONE, text)
    cleaned, dropped = clean_components(components, recipe.vocabulary, patient.unsafe_words, technical=rule.technical)
    released = "\\".join(cleaned)
    if not released.strip("\\ "):
        raise DroppedWordsError(dropped)
    _check_length(vr, cleaned)
    return Value(released.encode(), vr, Fold.NONE, released.rstrip(), dropped_words=dropped)


class DroppedWordsError(DroppedError):
    """A text of which nothing is left; the words are offered to the reviewer."""

    def __init__(self, original_words: tuple[str, ...]) -> None:
        super().__init__(Drop.NO_SAFE_WORD)
        self.original_words = original_words


def _check_length(vr: str, components: list[str]) -> None:
    longest = _MAX_LENGTHS.get(vr)
    # Writers go beyond SH and LO; what is let through is safe words, so only the absurd is dropped.
    if longest is not None and any(len(component) > longest * 4 for component in components):
        raise DroppedError(Drop.TOO_LONG)


def _checked(text: str, vr: str, is_known: Callable[[str], bool], reason: Drop) -> Value:
    if not text.isascii() or not is_known(text):
        raise DroppedError(reason)
    return Value(text.encode(), vr, Fold.NONE, text)


def is_identity_hit(value: Value, raw: bytes, patient: Patient) -> bool:
    """Whether something of this patient's known identity is in a value that would leave.

    Pseudonyms, keyed UIDs and shifted dates are ours; defined terms of CS are the standard's.
    """
    match value.fold:
        case Fold.NUMBER:
            return bool(patient.identity_numbers) and not patient.identity_numbers.isdisjoint(
                _whole_numbers(value, raw)
            )
        case Fold.NONE:
            if value.vr == "AS":
                return False
            if value.vr == "UI":
                kept = [uid for uid in value.text.split("\\") if not _is_public_uid(uid)]
                return any(
                    uid in patient.identity_phrases or not patient.identity_numbers.isdisjoint(uid.split("."))
                    for uid in kept
                )
            if value.vr == "CS":
                return any(
                    part not in defined_terms() and _has_identity(part, patient) for part in value.text.split("\\")
                )
            return _has_identity(value.text, patient)
        case Fold.TIME | Fold.BINARY | Fold.CODE | Fold.UID | Fold.DATE:
            return False


def number_text(value: Value, raw: bytes) -> str:
    """All numbers of a value as one text, as the dump shows them."""
    if value.vr in ("DS", "IS"):
        return raw.rstrip(b" \0").decode("ascii", "replace")
    return "\\".join(map(str, _unpack(value.vr, raw)))


def _unpack(vr: str, raw: bytes) -> tuple[Number, ...]:
    letters, size = _BINARY_NUMBERS[vr]
    return struct.unpack(f"<{letters[0] * (len(raw) // size * len(letters))}", raw)


def _whole_numbers(value: Value, raw: bytes) -> Iterator[str]:
    """The numbers that are whole, as digits without sign and leading zeros."""
    if value.vr in ("DS", "IS"):
        for component in raw.rstrip(b" \0").split(b"\\"):
            whole, _, fraction = component.strip(b" +-").partition(b".")
            if not fraction.strip(b"0"):
                yield whole.lstrip(b"0").decode("ascii")
    else:
        yield from (str(abs(int(number))) for number in _unpack(value.vr, raw) if number % 1 == 0)


def has_identity_in_bytes(raw: bytes, patient: Patient) -> bool:
    """Whether a longer part of the identity stands in bytes that should be numbers, in the usual encodings."""
    longer = [part for part in (*patient.unsafe_words, *patient.identity_phrases) if len(part) >= _SHORTEST_IN_BYTES]
    if not longer:
        return False
    folded = raw.lower()
    return any(
        part.encode(encoding) in folded
        for part in longer
        for encoding in (("utf-8", "utf-16-le", "utf-16-be") if part.isascii() else ("utf-8", "utf-16-le"))
    )


def _has_identity(text: str, patient: Patient) -> bool:
    folded = fold(text)
    if any(word in patient.unsafe_words for word in split_words(folded)):
        return True
    return any(phrase in folded for phrase in patient.identity_phrases)
