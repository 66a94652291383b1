"""The rows of the review as words: what they stand for, why they are suspicious, what can be decided."""

import re
from collections.abc import Callable, Mapping

from app.project.values import RowKind, Suspicion, ValueRow
from app.review.deciding import Choice
from app.review.table import shown_value
from app.text.i18n import Translate, mark

SUSPICION_NAMES: Mapping[Suspicion, str] = {
    Suspicion.IDENTITY: mark("known identity"),
    Suspicion.EMAIL: mark("e-mail address"),
    Suspicion.PHONE: mark("telephone number"),
    Suspicion.IDENTITY_NUMBER: mark("identifying number"),
    Suspicion.DATE: mark("date"),
    Suspicion.TIME_STAMP: mark("time"),
    Suspicion.POSTAL_CODE: mark("postal code"),
    Suspicion.IP_ADDRESS: mark("network address"),
    Suspicion.URL: mark("web address"),
    Suspicion.UNKNOWN_WORD: mark("unknown word"),
    Suspicion.HIGH_CARDINALITY: mark("many different values"),
    Suspicion.RARE: mark("one patient only"),
}

CHOICES: Mapping[Choice, str] = {
    Choice.OPEN: mark("undecided"),
    Choice.KEEP: mark("keep"),
    Choice.DROP: mark("drop"),
    Choice.REPLACE: mark("replace"),
    Choice.DROP_TAG: mark("drop attribute"),
}
WORD_CHOICES: Mapping[Choice, str] = {
    Choice.OPEN: mark("undecided"),
    Choice.KEEP: mark("safe"),
    Choice.DROP: mark("left out"),
}

FOLDS: Mapping[str, str] = {
    "number": mark("numbers"),
    "uid": mark("identifiers made with this project's key"),
    "date": mark("dates"),
    "time": mark("times"),
    "binary": mark("binary data of fixed meaning"),
    "code": mark("codes made by this project"),
}

_KINDS: Mapping[RowKind, str] = {
    RowKind.VALUE: mark("This text would leave as you see it."),
    RowKind.RANGE: mark(
        "One row for all values of this attribute, from the lowest to the highest. The rules checked each of them."
    ),
    RowKind.WORD: mark(
        "This word was taken out of texts and does not leave. Texts of several patients have it, so it may be a plain "
        "medical word: call it safe to let it stay, or leave it out."
    ),
    RowKind.TAG: mark("All values of this attribute."),
}
_DATE = re.compile(r"\b(\d{4})(\d\d)(\d\d)\b")
_TIME = re.compile(r"\b(\d\d)(\d\d)(\d\d)(?:\.\d+)?\b")
# DICOM's digits as people write them; the unusual stays as it is.
_READABLE: Mapping[str, Callable[[str], str]] = {
    "date": lambda text: _DATE.sub(r"\1-\2-\3", text),
    "time": lambda text: _TIME.sub(r"\1:\2:\3", text),
}
WORD_ATTRIBUTE = mark("Word taken out of texts")


def readable(fold: str, text: str) -> str:
    """The digits of a date or a time as people write them; any other text, and an unusual one, as it is."""
    return _READABLE[fold](text) if fold in _READABLE else text


def value_text(row: ValueRow, translate: Translate = str) -> str:
    """A row's value as people read it: a range by its ends, or by what it holds."""
    shown = shown_value(row)
    if row.kind is RowKind.RANGE and row.fold in _READABLE:
        shown = " \u2013 ".join(dict.fromkeys(readable(row.fold, end) for end in (row.low, row.high) if end))
    if row.kind is RowKind.RANGE and not shown:
        return translate(FOLDS[row.fold]) if row.fold in FOLDS else ""
    return shown


def kind_sentence(row: ValueRow, translate: Translate = str) -> str:
    """What a row stands for."""
    return translate(_KINDS[row.kind])


def choice_text(row: ValueRow, choice: Choice, replacement: str, translate: Translate = str) -> str:
    """What is decided, in a word or two."""
    names = WORD_CHOICES if row.kind is RowKind.WORD else CHOICES
    text = translate(names[choice])
    return f"{text}: {replacement}" if choice is Choice.REPLACE else text
