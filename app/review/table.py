"""The dump as a table for the eye: hundreds of thousands of rows, searched, filtered and sorted in one column pass.

Columns are NumPy arrays made once; a view is an array of row numbers. Nothing here knows of a window, and a table may
be asked from another thread than the one that shows it, as long as nobody decides meanwhile.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.dicom.dictionary import attribute_of, tag_of
from app.project.decisions import Decisions
from app.project.values import RowKind, Suspicion, ValueRow
from app.review.deciding import Choice, choice_on

RowNumbers = NDArray[np.int32]
ChoiceCodes = NDArray[np.int8]

_DOT = re.compile(r"\.(?![^\[]*\])")  # a private creator in brackets may have dots of its own
_CHOICES = tuple(Choice)
_CHOICE_CODES = {choice: code for code, choice in enumerate(_CHOICES)}
_KINDS = tuple(RowKind)
_NO_SUSPICION = len(Suspicion)
_SORTED_CHARACTERS = 48


class Column(StrEnum):
    """What a table can be sorted by."""

    SUSPICION = "suspicion"  # the worst first; the order of the dump
    NAME = "name"
    VALUE = "value"
    INSTANCES = "instances"
    PATIENTS = "patients"
    DECISION = "decision"


@dataclass(frozen=True, slots=True)
class Query:
    """Which rows are wanted; what is empty or None does not narrow.

    ``text``: every word of it must occur in the attribute's name, its path, the value or the replacement, in any case.
    """

    text: str = ""
    reasons: frozenset[Suspicion] = frozenset()  # any of them
    suspicious_only: bool = False
    kind: RowKind | None = None
    vr: str = ""
    path: str | None = None
    choices: frozenset[Choice] = frozenset()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows there are of each; for the filters."""

    rows: int
    reasons: Mapping[Suspicion, int]
    vrs: Mapping[str, int]
    kinds: Mapping[RowKind, int]
    choices: Mapping[Choice, int]


class ValueTable:
    """Rows of the dump, in its order, with what is decided on them."""

    def __init__(self, rows: Sequence[ValueRow], decisions: Decisions) -> None:
        self.rows = rows
        self.paths = sorted({row.path for row in rows})
        codes = {path: code for code, path in enumerate(self.paths)}
        self._names = [name_of(path) for path in self.paths]
        self._path_codes = np.fromiter((codes[row.path] for row in rows), np.int32, len(rows))
        self._kinds = _codes([row.kind for row in rows], _KINDS)
        self._vrs = np.array([row.vr for row in rows], dtype="U2")
        self._worst = np.fromiter(
            (row.suspicion[0].severity if row.suspicion else _NO_SUSPICION for row in rows), np.int8, len(rows)
        )
        self._reasons = np.fromiter((_mask(row.suspicion) for row in rows), np.int32, len(rows))
        self._instances = np.fromiter((row.instances for row in rows), np.int64, len(rows))
        self._patients = np.fromiter((row.patients for row in rows), np.int64, len(rows))
        folded_paths = [f"{name} {path}".casefold() for name, path in zip(self._names, self.paths, strict=True)]
        self._texts = [
            f"{folded_paths[code]}\n{shown_value(row).casefold()}"
            for code, row in zip(self._path_codes.tolist(), rows, strict=True)
        ]
        self._numbers: dict[tuple[str, str], list[int]] = {}
        for number, row in enumerate(rows):
            self._numbers.setdefault((row.path, row.value), []).append(number)
        self._ranks: dict[Column, NDArray[Any]] = {
            Column.SUSPICION: np.arange(len(rows), dtype=np.int32),
            Column.NAME: _rank([name.casefold() for name in self._names])[self._path_codes],
            Column.VALUE: _rank([shown_value(row).casefold() for row in rows]),
            Column.INSTANCES: self._instances,
            Column.PATIENTS: self._patients,
        }
        self._decisions = decisions
        self._choices = self.choice_codes(decisions)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def decisions(self) -> Decisions:
        """What the rows are shown with."""
        return self._decisions

    def choice_codes(self, decisions: Decisions) -> ChoiceCodes:
        """What ``decisions`` say about each row, for ``show``; takes as long as there are decisions."""
        codes = np.zeros(len(self.rows), np.int8)
        words = [("", word) for word in decisions.safe_words | decisions.refused_words]
        for number in self.numbers_of([*decisions.values, *words]):
            codes[number] = _CHOICE_CODES[choice_on(self.rows[number], decisions)[0]]
        dropped = [code for code, path in enumerate(self.paths) if path in decisions.tags_dropped]
        codes[np.isin(self._path_codes, dropped)] = _CHOICE_CODES[Choice.DROP_TAG]
        return codes

    def show(self, decisions: Decisions, codes: ChoiceCodes) -> None:
        """Show other decisions, as ``choice_codes`` worked them out."""
        self._decisions, self._choices = decisions, codes

    def decide(self, decisions: Decisions, changed: Iterable[int]) -> None:
        """Show decisions that differ on the rows ``changed`` alone, and on all rows of a tag that was dropped there."""
        toggled = self._decisions.tags_dropped ^ decisions.tags_dropped
        self._decisions = decisions
        codes = [code for code, path in enumerate(self.paths) if path in toggled]
        numbers = {*changed, *np.nonzero(np.isin(self._path_codes, codes))[0].tolist()} if codes else changed
        for number in numbers:
            self._choices[number] = _CHOICE_CODES[choice_on(self.rows[number], decisions)[0]]

    def numbers_of(self, keys: Iterable[tuple[str, str]]) -> list[int]:
        """The rows with these paths and values; the path of a word is empty."""
        return [number for key in keys for number in self._numbers.get(key, ())]

    def name(self, number: int) -> str:
        """The attribute's name in words; empty for a word."""
        return self._names[int(self._path_codes[number])]

    def choice(self, number: int) -> tuple[Choice, str]:
        """What is decided on a row, and its replacement."""
        choice = _CHOICES[self._choices[number]]
        row = self.rows[number]
        text = self._decisions.values[row.path, row.value].replacement if choice is Choice.REPLACE else ""
        return choice, text

    def find(self, query: Query, column: Column = Column.SUSPICION, *, descending: bool = False) -> RowNumbers:
        """The numbers of the rows that fit, in order; equal ones stay in the dump's order."""
        fits = np.ones(len(self.rows), bool)
        if query.reasons:
            fits &= (self._reasons & _mask(query.reasons)) != 0
        if query.suspicious_only:
            fits &= self._reasons != 0
        if query.kind is not None:
            fits &= self._kinds == _KINDS.index(query.kind)
        if query.vr:
            fits &= self._vrs == query.vr
        if query.path is not None:
            fits &= self._path_codes == (self.paths.index(query.path) if query.path in self.paths else -1)
        if query.choices:
            fits &= np.isin(self._choices, [_CHOICE_CODES[choice] for choice in query.choices])
        numbers = np.nonzero(fits)[0].astype(np.int32)
        for word in query.text.casefold().split():
            texts = self._texts
            numbers = np.fromiter((n for n in numbers.tolist() if word in texts[n]), np.int32)
        return self._sorted(numbers, column, descending)

    def _sorted(self, numbers: RowNumbers, column: Column, descending: bool) -> RowNumbers:
        ranks: Any = self._choices if column is Column.DECISION else self._ranks[column]
        keys = ranks[numbers].astype(np.int64)
        order = np.lexsort((self._ranks[Column.SUSPICION][numbers], -keys if descending else keys))
        return numbers[order]

    def same_reason(self, number: int) -> RowNumbers:
        """The rows with the same worst reason, words or not as this one: a group that can be decided on as a whole.

        In the dump's order they stand one after the other.
        """
        words = self._kinds == _KINDS.index(RowKind.WORD)
        fits = (self._worst == self._worst[number]) & (words == words[number])
        return np.nonzero(fits)[0].astype(np.int32)

    @property
    def progress(self) -> tuple[int, int]:
        """How many suspicious values are decided on, of how many; words that stay out anyway do not count."""
        suspicious = (self._reasons != 0) & (self._kinds != _KINDS.index(RowKind.WORD))
        decided = suspicious & (self._choices != _CHOICE_CODES[Choice.OPEN])
        return int(decided.sum()), int(suspicious.sum())

    @property
    def blocking(self) -> RowNumbers:
        """The rows for which the release waits."""
        identity = (self._reasons & _mask([reason for reason in Suspicion if reason.blocks])) != 0
        fits = identity & (self._kinds != _KINDS.index(RowKind.WORD)) & (self._choices == _CHOICE_CODES[Choice.OPEN])
        return np.nonzero(fits)[0].astype(np.int32)

    def counts(self) -> Counts:
        """How many rows there are of each reason, VR, kind and decision."""
        vrs, vr_counts = np.unique(self._vrs, return_counts=True)
        return Counts(
            len(self.rows),
            {reason: int(((self._reasons & _mask([reason])) != 0).sum()) for reason in Suspicion},
            {str(vr): int(count) for vr, count in zip(vrs, vr_counts, strict=True) if vr},
            {kind: int((self._kinds == code).sum()) for code, kind in enumerate(_KINDS)},
            {choice: int((self._choices == code).sum()) for code, choice in enumerate(_CHOICES)},
        )


def shown_value(row: ValueRow) -> str:
    """A value as it is listed: of a range its two ends, as far as it has any."""
    if row.kind is not RowKind.RANGE or not (row.low or row.high):
        return row.value
    return row.low if row.low == row.high else f"{row.low} \u2013 {row.high}"


@lru_cache(maxsize=4096)
def name_of(path: str) -> str:
    """The names of PS3.6 in place of the keywords of a path: ``Request Attributes > Code Meaning``."""
    return " \u203a ".join(map(_component_name, _DOT.split(path))) if path else ""


def _component_name(keyword: str) -> str:
    tag = tag_of(keyword)
    if tag is None:  # a private element, which has a number and its creator
        return keyword
    return attribute_of(tag).name.removesuffix(" Sequence")


def _mask(reasons: Iterable[Suspicion]) -> int:
    return sum(1 << reason.severity for reason in reasons)


def _codes(items: Sequence[RowKind], known: Sequence[RowKind]) -> NDArray[np.int8]:
    codes = {item: code for code, item in enumerate(known)}
    return np.fromiter((codes[item] for item in items), np.int8, len(items))


def _rank(keys: Sequence[str]) -> NDArray[np.int64]:
    """For each text its place among the sorted ones; equal ones share one.

    NumPy sorts fixed-width texts without holding up the other threads, which a window would feel.
    """
    _, places = np.unique(np.array([key[:_SORTED_CHARACTERS] for key in keys], dtype=np.str_), return_inverse=True)
    return places.astype(np.int64)
