"""Decisions about values, as functions from decisions to decisions: what one key on one row or on many means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from app.project.decisions import DROP_TAG, Decisions, RefusedRowError, ValueAction, ValueDecision, check_replacement
from app.project.values import RowKey, RowKind, ValueRow
from app.review.suspicion import looks_like


class Choice(StrEnum):
    """What a person can say about a row; the words are those of the CSV."""

    OPEN = "open"  # nothing yet, or taken back
    KEEP = ValueAction.KEEP.value
    DROP = ValueAction.DROP.value
    REPLACE = ValueAction.REPLACE.value
    DROP_TAG = DROP_TAG


_CHOICES = {
    RowKind.VALUE: tuple(Choice),
    RowKind.RANGE: (Choice.OPEN, Choice.KEEP, Choice.DROP_TAG),
    RowKind.WORD: (Choice.OPEN, Choice.KEEP, Choice.DROP),
    RowKind.TAG: (Choice.OPEN, Choice.DROP_TAG),
}


def choices_for(row: ValueRow) -> tuple[Choice, ...]:
    """What can be decided on a row: a range can't be replaced, a word is safe (keep) or stays out (drop)."""
    return _CHOICES[row.kind]


def choice_on(row: ValueRow, decisions: Decisions) -> tuple[Choice, str]:
    """What holds for a row now, and its replacement; OPEN where what was decided does not settle it as it is now."""
    if not decisions.settle(row):
        return Choice.OPEN, ""
    if row.kind is RowKind.WORD:
        return (Choice.KEEP if row.value in decisions.safe_words else Choice.DROP), ""
    if row.path in decisions.tags_dropped:
        return Choice.DROP_TAG, ""
    decision = decisions.values[row.path, row.value]
    return Choice(decision.action.value), decision.replacement


def decide_rows(decisions: Decisions, rows: Iterable[ValueRow], choice: Choice, replacement: str = "") -> Decisions:
    """Decide the same on each of the rows, as they are shown now; rows that the choice does not suit stay as they are.

    A decision on a value of a dropped tag lets the tag in again. Raises RefusedRowError where a replacement does not
    suit an attribute; nothing is decided then.
    """
    values = dict(decisions.values)
    tags, safe, refused = set(decisions.tags_dropped), set(decisions.safe_words), set(decisions.refused_words)
    for row in rows:
        if choice not in choices_for(row):
            continue
        if row.kind is RowKind.WORD:
            safe.discard(row.value)
            refused.discard(row.value)
            if choice is not Choice.OPEN:
                (safe if choice is Choice.KEEP else refused).add(row.value)
            continue
        if choice is Choice.DROP_TAG:
            tags.add(row.path)
            continue
        tags.discard(row.path)
        match choice:
            case Choice.OPEN:
                values.pop((row.path, row.value), None)
            case Choice.KEEP:
                values[row.path, row.value] = ValueDecision(ValueAction.KEEP, seen=frozenset(row.suspicion))
            case Choice.DROP:
                values[row.path, row.value] = ValueDecision(ValueAction.DROP, seen=frozenset(row.suspicion))
            case Choice.REPLACE:
                check_new_text(row.path, replacement)
                seen = frozenset(row.suspicion)
                values[row.path, row.value] = ValueDecision(ValueAction.REPLACE, replacement, seen)
            case _:
                assert_never(choice)
    return replace(
        decisions,
        values=values,
        tags_dropped=frozenset(tags),
        safe_words=frozenset(safe),
        refused_words=frozenset(refused),
    )


def check_new_text(path: str, replacement: str) -> None:
    """Whether a text may stand in place of a value at ``path``; raises RefusedRowError, by the rule of the CSV."""
    check_replacement(path, replacement)
    if looks_like(replacement):
        raise RefusedRowError("replacement-looks-identifying")


@dataclass(frozen=True, slots=True)
class Memory:
    """What held for some rows before they were decided on: enough to take that back, and nothing else."""

    count: int
    values: Mapping[tuple[str, str], ValueDecision | None]
    tags: Mapping[str, bool]
    words: Mapping[str, Choice]
    notes: Mapping[RowKey, str]


def remember(decisions: Decisions, rows: Iterable[ValueRow]) -> Memory:
    """What holds for the rows now."""
    rows = tuple(rows)
    texts = [row for row in rows if row.kind is not RowKind.WORD]
    words = [row.value for row in rows if row.kind is RowKind.WORD]
    return Memory(
        len(rows),
        {(row.path, row.value): decisions.values.get((row.path, row.value)) for row in texts},
        {row.path: row.path in decisions.tags_dropped for row in texts},
        {word: _word_choice(decisions, word) for word in words},
        {row.key: decisions.notes[row.key] for row in rows if row.key in decisions.notes},
    )


def _word_choice(decisions: Decisions, word: str) -> Choice:
    if word in decisions.safe_words:
        return Choice.KEEP
    return Choice.DROP if word in decisions.refused_words else Choice.OPEN


def restore(decisions: Decisions, memory: Memory) -> Decisions:
    """Let hold for the remembered rows what held before; whatever else was decided since stays."""
    values = {key: decision for key, decision in decisions.values.items() if key not in memory.values}
    values.update((key, decision) for key, decision in memory.values.items() if decision is not None)
    dropped = {path for path, is_dropped in memory.tags.items() if is_dropped}

    def words(held: frozenset[str], choice: Choice) -> frozenset[str]:
        return (held - memory.words.keys()) | {word for word, before in memory.words.items() if before is choice}

    return replace(
        decisions,
        values=values,
        tags_dropped=(decisions.tags_dropped - memory.tags.keys()) | dropped,
        safe_words=words(decisions.safe_words, Choice.KEEP),
        refused_words=words(decisions.refused_words, Choice.DROP),
        notes={**decisions.notes, **memory.notes},
    )
