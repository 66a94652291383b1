"""What people decided: ``decisions/values.csv``, ``images.csv`` and ``masks.json``, sorted for a readable diff.

A decision is bound to a path and a value, not to a run: it survives a re-run, and ``values.csv`` can be
carried to the next project. A *keep* also remembers which suspicions the person saw: one that was given to a
harmless word in the last project does not unblock the same word when it turns out to be a patient's name in
this one.
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from app.dicom.dictionary import attribute_of, tag_of
from app.errors import ProjectError, UsageError
from app.files.atomic import is_there, write_atomically
from app.project.cells import cell_of_text, text_of_cell
from app.project.dataset import DatasetDecisions, load_dataset_decisions, save_dataset_decisions
from app.project.folder import Layout
from app.project.masks import Mask, load_masks, save_masks
from app.project.sorting import sorted_in_pieces
from app.project.values import RowKey, RowKind, Suspicion, ValueRow, by_severity

T = TypeVar("T")

# The key in the table meta under which *prepare* leaves the ``preparation_digest`` that it worked with.
PREPARED_DECISIONS = "prepared_decisions"

VALUE_COLUMNS = ("kind", "path", "value", "suspicion", "decision", "replacement", "note")
IMAGE_COLUMNS = ("kind", "uid", "seen", "decision", "note")

LONGEST_REPLACEMENT = 64
LONGEST_WORD = 64

# PS3.5 Table 6.2-1: how long, of the text VRs that may be replaced; the others hold no text or have a grammar
# of their own.
_LONGEST_TEXT = {"AE": 16, "CS": 16, "SH": 16, "LO": 64, "ST": 64, "LT": 64, "UC": 64, "UT": 64}
_CODE_STRING = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 _")
_PLAIN_TEXT = frozenset(chr(code) for code in range(0x20, 0x7F)) - {"\\"}


class ValueAction(StrEnum):
    """What becomes of a value."""

    KEEP = "keep"
    DROP = "drop"
    REPLACE = "replace"


DROP_TAG = "drop-tag"


class ImageAction(StrEnum):
    """What becomes of an instance, or of all instances of a series."""

    RELEASE = "release"  # as it is, apart from the masks that people drew
    MASK = "mask"  # with all text covered that was found with some certainty, and the masks that people drew
    EXCLUDE = "exclude"


@dataclass(frozen=True, slots=True)
class ValueDecision:
    """``replacement`` only with REPLACE; ``seen`` are the suspicions that the person saw beside the value."""

    action: ValueAction
    replacement: str = ""
    seen: frozenset[Suspicion] = frozenset()


@dataclass(frozen=True, slots=True)
class ImageDecision:
    """The key of the decision says whether it is for an instance or a series.

    ``seen`` tells what the detectors had found when the person decided (``images.seen_digest``): text that is found
    later asks again. Excluding needs no sight.
    """

    action: ImageAction
    note: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Decisions:
    """All decisions of a project; ``dataset`` holds those on the data set as a whole.

    ``values`` by path and value; a range has the value ``""`` and can only be kept. ``safe_words`` and
    ``refused_words`` are casefolded. ``images`` by original SOP or Series Instance UID. ``notes`` are
    people's own words on values, tags and words: never part of a digest, never of a bundle.
    """

    values: Mapping[tuple[str, str], ValueDecision] = field(default_factory=dict)
    tags_dropped: frozenset[str] = frozenset()
    safe_words: frozenset[str] = frozenset()
    refused_words: frozenset[str] = frozenset()
    images: Mapping[str, ImageDecision] = field(default_factory=dict)
    masks: frozenset[Mask] = frozenset()
    dataset: DatasetDecisions = field(default_factory=DatasetDecisions)
    notes: Mapping[RowKey, str] = field(default_factory=dict)

    def settle(self, row: ValueRow) -> bool:
        """Whether somebody decided on this row, knowing every reason for which it blocks."""
        if row.kind is RowKind.WORD:
            return row.value in self.safe_words or row.value in self.refused_words
        if row.path in self.tags_dropped:
            return True
        decision = self.values.get((row.path, row.value))
        if decision is None:
            return False
        if decision.action is not ValueAction.KEEP:
            return True
        return decision.seen.issuperset(reason for reason in row.suspicion if reason.blocks)

    def preparation_digest(self) -> str:
        """SHA-256 in hex over what *prepare* already needs to know: the safe words, the images and their masks."""
        content = [sorted(self.safe_words), *self._image_content(), *self.dataset.preparation_content()]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    def _image_content(self) -> tuple[list[tuple[str, str, str]], list[str]]:
        images = sorted((uid, decision.action.value, decision.seen) for uid, decision in self.images.items())
        return images, sorted(repr((mask.scope, mask.original_key, mask.box)) for mask in self.masks)

    def digest(self) -> str:
        """SHA-256 in hex over everything that changes what leaves; notes do not."""
        values = hashlib.sha256()
        for row in sorted_in_pieces(
            (path, value, decision.action, decision.replacement, sorted(decision.seen))
            for (path, value), decision in self.values.items()
        ):
            values.update(json.dumps(row).encode() + b"\n")
        content = {
            "values": values.hexdigest(),
            "tags_dropped": sorted(self.tags_dropped),
            "safe_words": sorted(self.safe_words),
            "images": self._image_content(),
            "dataset": self.dataset.content(),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def prepared_with(decisions: Decisions, *, unattended: bool) -> str:
    """What *prepare* remembers of the decisions; a release that people sign and one that nobody does differ."""
    return f"{decisions.preparation_digest()}{':unattended' if unattended else ''}"


# One row of a CSV ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A row that is not understood: its line (the header is line 1) and a code of ``app.text.messages``."""

    line: int
    code: str


class DecisionsRefusedError(UsageError):
    """Rows of a decision file are not understood, so nothing was taken; ``problems`` holds each of them."""

    def __init__(self, problems: Iterable[RowProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("decisions-refused", count=len(self.problems), line=self.problems[0].line)


class RefusedRowError(UsageError):
    """One row is not understood; whoever reads the file adds the line."""


@dataclass(frozen=True, slots=True)
class ValueEntry:
    """One understood row of a values CSV; ``decision`` is empty where nothing was decided."""

    key: RowKey
    decision: str
    replacement: str = ""
    seen: frozenset[Suspicion] = frozenset()
    note: str = ""


def parse_value_entry(cells: Mapping[str, str]) -> ValueEntry:
    """Understand the cells of one row; raises RefusedRowError with a code of what is wrong."""
    try:
        kind = RowKind(cells["kind"].strip().casefold())
    except ValueError as error:
        raise RefusedRowError("row-unknown-kind") from error
    path, value = text_of_cell(cells["path"]), text_of_cell(cells["value"])
    if kind is RowKind.WORD:
        path, value = "", value.casefold()
        if not value or len(value) > LONGEST_WORD or value.split() != [value]:
            raise RefusedRowError("row-not-a-word")
    elif not path:
        raise RefusedRowError("row-without-path")
    elif (kind is RowKind.VALUE) != bool(value):
        raise RefusedRowError("row-value-and-kind-differ")
    decision = cells["decision"].strip().casefold()
    if decision not in _ALLOWED[kind]:
        raise RefusedRowError("row-unknown-decision")
    replacement = text_of_cell(cells.get("replacement", ""))
    if decision == ValueAction.REPLACE:
        check_replacement(path, replacement)
    elif replacement:
        raise RefusedRowError("row-replacement-unused")
    return ValueEntry(
        (kind, path, value),
        decision,
        replacement,
        _parse_suspicion(cells.get("suspicion", "")),
        text_of_cell(cells.get("note", "")),
    )


_ALLOWED = {
    RowKind.VALUE: frozenset(("", DROP_TAG, *ValueAction)),
    RowKind.RANGE: frozenset(("", DROP_TAG, ValueAction.KEEP)),
    RowKind.WORD: frozenset(("", ValueAction.KEEP, ValueAction.DROP)),
    RowKind.TAG: frozenset(("", DROP_TAG)),
}


def format_suspicion(reasons: Iterable[Suspicion]) -> str:
    """The cell for a set of reasons, worst first."""
    return " ".join(by_severity(reasons))


def _parse_suspicion(cell: str) -> frozenset[Suspicion]:
    try:
        return frozenset(Suspicion(word) for word in cell.split())
    except ValueError as error:
        raise RefusedRowError("row-unknown-suspicion") from error


def check_replacement(path: str, replacement: str) -> None:
    """Whether a text may stand in place of a value at ``path``; raises RefusedRowError with a code of what is wrong."""
    tag = tag_of(path.rpartition(".")[2])
    vr = attribute_of(tag).vr if tag is not None else ""
    if vr not in _LONGEST_TEXT:
        raise RefusedRowError("replacement-not-possible")
    if not replacement or replacement != replacement.strip():
        raise RefusedRowError("replacement-blank")
    if not _PLAIN_TEXT.issuperset(replacement):
        raise RefusedRowError("replacement-not-plain")
    if len(replacement) > min(LONGEST_REPLACEMENT, _LONGEST_TEXT[vr]):
        raise RefusedRowError("replacement-too-long")
    if vr == "CS" and not _CODE_STRING.issuperset(replacement):
        raise RefusedRowError("replacement-not-a-code-string")


def collect_values(entries: Iterable[ValueEntry]) -> Decisions:
    """Decisions (without images) from understood rows; a blank one says nothing."""
    values: dict[tuple[str, str], ValueDecision] = {}
    tags: set[str] = set()
    words: dict[str, str] = {}
    notes: dict[RowKey, str] = {}
    for entry in entries:
        kind, path, value = entry.key
        if not entry.decision:
            continue
        if entry.decision == DROP_TAG:
            tags.add(path)
            kind, value = RowKind.TAG, ""
        elif kind is RowKind.WORD:
            words[value] = entry.decision
        else:
            values[path, value] = ValueDecision(ValueAction(entry.decision), entry.replacement, entry.seen)
        if entry.note:
            notes[kind, path, value] = entry.note
    return Decisions(
        values=values,
        tags_dropped=frozenset(tags),
        safe_words=frozenset(word for word, decision in words.items() if decision == ValueAction.KEEP),
        refused_words=frozenset(word for word, decision in words.items() if decision == ValueAction.DROP),
        notes=notes,
    )


def parse_image_entry(cells: Mapping[str, str]) -> tuple[str, ImageDecision | None]:
    """UID and decision of one row of an images CSV, None where the cell is blank; raises RefusedRowError."""
    uid = text_of_cell(cells["uid"]).strip()
    if not uid:
        raise RefusedRowError("row-without-uid")
    decision = cells["decision"].strip().casefold()
    if not decision:
        return uid, None
    try:
        action = ImageAction(decision)
        return uid, ImageDecision(action, text_of_cell(cells.get("note", "")), cells.get("seen", "").strip())
    except ValueError as error:
        raise RefusedRowError("row-unknown-decision-image") from error


# The project's own files ------------------------------------------------------------


def load_decisions(layout: Layout) -> Decisions:
    """What was decided so far; no file means nothing.

    Raises ProjectError("decisions-damaged") with file and line where a file was edited into something that
    is not understood.
    """
    values = collect_values(_read_rows(layout.values_csv, VALUE_COLUMNS, parse_value_entry))
    images = _read_rows(layout.images_csv, IMAGE_COLUMNS, parse_image_entry)
    return replace(
        values,
        images={uid: decision for uid, decision in images if decision},
        masks=load_masks(layout),
        dataset=load_dataset_decisions(layout),
    )


def _read_rows(path: Path, columns: tuple[str, ...], parse: Callable[[Mapping[str, str]], T]) -> Iterator[T]:
    if not is_there(path):
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            if tuple(next(reader, ())) != columns:
                raise csv.Error
            for cells in reader:
                if len(cells) != len(columns):
                    raise csv.Error
                yield parse(dict(zip(columns, cells, strict=True)))
        except (RefusedRowError, UnicodeDecodeError, csv.Error) as error:
            raise ProjectError("decisions-damaged", file=path.name, line=reader.line_num) from error


def save_decisions(layout: Layout, decisions: Decisions) -> None:
    """Replace the files, each as a whole, owner-only: a dropped value may name a person."""
    _write_rows(layout.values_csv, VALUE_COLUMNS, _value_rows(decisions))
    _write_rows(
        layout.images_csv,
        IMAGE_COLUMNS,
        (("image", uid, decision.seen, decision.action, decision.note) for uid, decision in decisions.images.items()),
    )
    save_masks(layout, decisions.masks)
    save_dataset_decisions(layout, decisions.dataset)


def _value_rows(decisions: Decisions) -> Iterator[tuple[str, ...]]:
    def row(key: RowKey, decision: str, replacement: str = "", seen: str = "") -> tuple[str, ...]:
        return *key, seen, decision, replacement, decisions.notes.get(key, "")

    for (path, value), decided in decisions.values.items():
        kind = RowKind.VALUE if value else RowKind.RANGE
        yield row((kind, path, value), decided.action, decided.replacement, format_suspicion(decided.seen))
    for path in decisions.tags_dropped:
        yield row((RowKind.TAG, path, ""), DROP_TAG)
    for word in decisions.safe_words:
        yield row((RowKind.WORD, "", word), ValueAction.KEEP)
    for word in decisions.refused_words:
        yield row((RowKind.WORD, "", word), ValueAction.DROP)


def _write_rows(path: Path, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(sorted_in_pieces(tuple(map(cell_of_text, row)) for row in rows))
    write_atomically(path, text.getvalue().encode())
