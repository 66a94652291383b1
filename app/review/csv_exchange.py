"""The dump as a CSV for people, and their decisions back from it."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.project.cells import cell_of_number, cell_of_text
from app.project.decisions import (
    DROP_TAG,
    Decisions,
    DecisionsRefusedError,
    RefusedRowError,
    RowProblem,
    ValueAction,
    ValueEntry,
    collect_values,
    format_suspicion,
    parse_value_entry,
)
from app.project.values import RowKey, RowKind, ValueRow
from app.review.suspicion import looks_like
from app.review.tables import read_table, write_table

COLUMNS = (
    "kind", "path", "value", "low", "high", "vr", "instances", "patients", "suspicion", "decision",
    "replacement", "note",
)  # fmt: skip
_REQUIRED = ("kind", "path", "value", "suspicion", "decision")


def write_csv(rows: Iterable[ValueRow], decisions: Decisions, path: Path) -> None:
    """Write the dump with what was decided so far; raises UsageError("csv-not-written")."""
    write_table(path, COLUMNS, (_cells(row, decisions) for row in rows))


def _cells(row: ValueRow, decisions: Decisions) -> tuple[str | int, ...]:
    decision, replacement = _decided(row, decisions)
    note_key: RowKey = (RowKind.TAG, row.path, "") if decision == DROP_TAG else row.key
    return (
        row.kind,
        cell_of_text(row.path),
        cell_of_text(row.value),
        cell_of_number(row.low),
        cell_of_number(row.high),
        row.vr,
        row.instances,
        row.patients,
        format_suspicion(row.suspicion),
        decision,
        cell_of_text(replacement),
        cell_of_text(decisions.notes.get(note_key, "")),
    )


def _decided(row: ValueRow, decisions: Decisions) -> tuple[str, str]:
    """The decision to show: none where what was decided does not settle the row as it is now."""
    if not decisions.settle(row):
        return "", ""
    if row.kind is RowKind.WORD:
        return (ValueAction.KEEP if row.value in decisions.safe_words else ValueAction.DROP), ""
    if row.path in decisions.tags_dropped:
        return DROP_TAG, ""
    decision = decisions.values[row.path, row.value]
    return decision.action, decision.replacement


@dataclass(frozen=True, slots=True)
class Answers:
    """What a CSV says: its decisions, and all rows that it has: a blank cell takes a decision back."""

    decisions: Decisions
    keys: frozenset[RowKey]

    def over(self, current: Decisions) -> Decisions:
        """The current decisions, replaced by the answers for every row that the CSV has."""
        new = self.decisions
        values_seen = {(path, value) for _, path, value in self.keys}
        words_seen = {word for kind, _, word in self.keys if kind is RowKind.WORD}
        paths_seen = {path for _, path, _ in self.keys}

        def is_replaced(key: RowKey) -> bool:
            return key in self.keys or (key[0] is RowKind.TAG and key[1] in paths_seen)

        return Decisions(
            values={key: old for key, old in current.values.items() if key not in values_seen} | dict(new.values),
            tags_dropped=(current.tags_dropped - paths_seen) | new.tags_dropped,
            safe_words=(current.safe_words - words_seen) | new.safe_words,
            refused_words=(current.refused_words - words_seen) | new.refused_words,
            images=current.images,
            notes={key: old for key, old in current.notes.items() if not is_replaced(key)} | dict(new.notes),
        )


def read_decisions(path: Path, known: Collection[RowKey] | None = None) -> Answers:
    """Understand a CSV that came back: the dump, or the ``decisions/values.csv`` of another project.

    Parameters
    ----------
    known
        The rows that there are. A decision on any other is refused, because a spreadsheet that changed a
        value would otherwise make the decision on it silently void. None for decisions that come from
        another project.

    Raises
    ------
    UsageError
        Where it is no table with the columns.
    DecisionsRefusedError
        With every row that is not understood; nothing may be taken from the file then.
    """
    entries: dict[RowKey, ValueEntry] = {}
    problems: list[RowProblem] = []
    for row in read_table(path, _REQUIRED):
        try:
            entry = parse_value_entry(row.cells)
            _check(entry, known)
            entries[entry.key] = _agree(entries.get(entry.key), entry)
        except RefusedRowError as error:
            problems.append(RowProblem(row.line, error.code))
    if problems:
        raise DecisionsRefusedError(problems)
    return Answers(collect_values(entries.values()), frozenset(entries))


def _check(entry: ValueEntry, known: Collection[RowKey] | None) -> None:
    if entry.replacement and looks_like(entry.replacement):
        raise RefusedRowError("replacement-looks-identifying")
    key = (RowKind.TAG, entry.key[1], "") if entry.decision == DROP_TAG else entry.key
    if known is not None and entry.decision and key not in known:
        raise RefusedRowError("row-not-in-dump")


def _agree(earlier: ValueEntry | None, entry: ValueEntry) -> ValueEntry:
    """One entry of two with the same key (a path can have two ranges): the one that says something."""
    if earlier is None or not earlier.decision:
        return entry
    if not entry.decision:
        return earlier
    if (entry.decision, entry.replacement) != (earlier.decision, earlier.replacement):
        raise RefusedRowError("row-contradicts-another")
    return replace(earlier, seen=earlier.seen | entry.seen)


def known_keys(rows: Iterable[ValueRow], decisions: Decisions) -> frozenset[RowKey]:
    """All rows that a CSV of this project may speak of: the dump's, and the ones decided on before."""
    return frozenset((*(row.key for row in rows), *_decided_keys(decisions), *_tag_keys(rows, decisions)))


def _decided_keys(decisions: Decisions) -> Iterator[RowKey]:
    for path, value in decisions.values:
        yield RowKind.VALUE if value else RowKind.RANGE, path, value
    for word in decisions.safe_words | decisions.refused_words:
        yield RowKind.WORD, "", word


def _tag_keys(rows: Iterable[ValueRow], decisions: Decisions) -> Iterator[RowKey]:
    for path in {row.path for row in rows if row.path} | decisions.tags_dropped:
        yield RowKind.TAG, path, ""
