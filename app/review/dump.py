"""The dump: every unique thing that would leave, once, suspicious first. SQLite aggregates."""

import hashlib
import json
import threading
from collections.abc import Collection, Iterator
from itertools import chain, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from app.dicom.identity import IdentityKind
from app.dicom.words import fold, load_vocabulary, split_words
from app.project.decisions import Decisions, load_decisions
from app.project.folder import Project
from app.project.sorting import sorted_in_pieces
from app.project.values import RowKind, Suspicion, ValueRow, by_severity
from app.review.known_identity import AnybodysIdentity, KnownIdentity, name_parts
from app.review.suspicion import is_constant, suspect_frequency, suspect_text

# A word of fewer patients' texts is more likely a name than a term; it stays dropped, and nobody is asked.
FEWEST_PATIENTS_OF_A_WORD = 3
SMALLEST_SHARE_OF_A_WORD = 0.05

# With exactly one MIN or MAX in a query, SQLite takes the other columns from the row that has it: the text as
# written, since 64-bit integers do not survive as floats.
_LOWEST = "SELECT path, low, MIN(CAST(low AS REAL)) FROM released_values WHERE fold = 'number' GROUP BY path"
_HIGHEST = "SELECT path, high, MAX(CAST(high AS REAL)) FROM released_values WHERE fold = 'number' GROUP BY path"

# The UIDs of the standard itself (PS3.6 Annex A) are constants; a patient ID of 10008 would be found in
# each of them.
_STANDARD_UIDS = "1.2.840.10008."


def build_dump(project: Project) -> list[ValueRow]:
    """All rows in the order for people; the same facts and decisions give the same list."""
    decisions = load_decisions(project.layout)
    rows = chain(_values(project, decisions), _ranges(project), _words(project))
    return list(sorted_in_pieces(rows, key=_sort_key))


def _sort_key(row: ValueRow) -> tuple[int, str, str, str, str]:
    return row.sort_key


class DumpMemory:
    """The dump that was built last, for pages that all want it; whoever signs or exports builds it anew.

    Safe to ask from several threads: the second one waits for what the first one builds.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[Path, str] | None = None
        self._rows: list[ValueRow] = []

    def rows(self, project: Project) -> list[ValueRow]:
        """What ``build_dump`` gives now; not to be changed."""
        with self._lock:
            key = project.layout.root, dump_stamp(project, load_decisions(project.layout))
            if key != self._key:
                self._rows = build_dump(project)
                self._key = key
            return self._rows


def dump_stamp(project: Project, decisions: Decisions) -> str:
    """Changes whenever ``build_dump`` would give other rows: what tells a window that its table is still the one.

    What a chunk releases follows from what it was prepared with; suspicions follow from identities and safe words too.
    """
    prepared = project.store.execute(
        "SELECT state, prepared_with, count(*) FROM instances WHERE selected = 1 GROUP BY 1, 2 ORDER BY 1, 2"
    )
    identities = project.store.one("SELECT count(*) FROM identities")
    content = [list(map(tuple, prepared)), identities, sorted(decisions.safe_words)]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _values(project: Project, decisions: Decisions) -> Iterator[ValueRow]:
    project_words = {word.casefold() for word in project.protocol.words.safe} | decisions.safe_words
    vocabulary = load_vocabulary() | project_words
    all_patients = _count_patients(project)
    with_identity = find_known_identities(project, load_vocabulary())
    distinct: dict[str, int] = dict(
        project.store.execute(
            "SELECT path, COUNT(DISTINCT value) FROM released_values WHERE fold = '' GROUP BY path"
        ).fetchall()
    )
    for row in project.store.execute(
        "SELECT path, value, MIN(vr) AS vr, SUM(count) AS instances, COUNT(DISTINCT patient_id) AS patients, "
        "MIN(example_instance_id) AS example, MAX(identity_hit) AS identity_hit "
        "FROM released_values WHERE fold = '' GROUP BY path, value"
    ):
        path, value, vr = row["path"], row["value"], row["vr"]
        reasons = set(suspect_text(path, vr, value, vocabulary))
        reasons.update(
            suspect_frequency(
                path,
                vr,
                value,
                value_patients=row["patients"],
                path_values=distinct[path],
                all_patients=all_patients,
            )
        )
        if row["identity_hit"] or (path, value) in with_identity:
            reasons.add(Suspicion.IDENTITY)
        yield _row(RowKind.VALUE, row, value, vr=vr, reasons=reasons)


def _ranges(project: Project) -> Iterator[ValueRow]:
    lowest, highest = _number_ends(project, _LOWEST), _number_ends(project, _HIGHEST)
    for row in project.store.execute(
        "SELECT path, fold, MIN(vr) AS vr, MIN(low) AS low, MAX(high) AS high, SUM(count) AS instances, "
        "COUNT(DISTINCT patient_id) AS patients, MIN(example_instance_id) AS example, "
        "MAX(identity_hit) AS identity_hit FROM released_values WHERE fold <> '' GROUP BY path, fold"
    ):
        reasons = {Suspicion.IDENTITY} if row["identity_hit"] else set()
        numeric = row["fold"] == "number"
        yield _row(
            RowKind.RANGE,
            row,
            "",
            vr=row["vr"],
            fold=row["fold"],
            low=lowest[row["path"]] if numeric else row["low"],
            high=highest[row["path"]] if numeric else row["high"],
            reasons=reasons,
        )


def _number_ends(project: Project, query: str) -> dict[str, str]:
    return {path: text for path, text, _ in project.store.execute(query)}


def _words(project: Project) -> Iterator[ValueRow]:
    all_patients = _count_patients(project)
    fewest = max(FEWEST_PATIENTS_OF_A_WORD, all_patients * SMALLEST_SHARE_OF_A_WORD)
    found: dict[str, tuple[int, int]] = {}
    # SQLite folds the case of ASCII letters only: the spellings that differ in others meet here.
    for word, patients, count in project.store.execute(
        "SELECT MIN(original_word), COUNT(DISTINCT patient_id), SUM(count) FROM dropped_words "
        "GROUP BY LOWER(original_word) HAVING COUNT(DISTINCT patient_id) >= ?",
        (fewest,),
    ):
        known_patients, known_count = found.get(word.casefold(), (0, 0))
        found[word.casefold()] = max(known_patients, patients), known_count + count
    names = _all_name_parts(project) if found else frozenset()
    for word, (patients, count) in found.items():
        if word.isdigit():  # a number is judged by its size, and nobody can call it safe
            continue
        reasons = {Suspicion.UNKNOWN_WORD} | ({Suspicion.IDENTITY} if fold(word) in names else set())
        yield ValueRow(RowKind.WORD, "", word, "", "", "", "", count, patients, None, by_severity(reasons))


def _all_name_parts(project: Project) -> frozenset[str]:
    names = project.store.execute(
        "SELECT DISTINCT original_value FROM identities WHERE kind = ?", (IdentityKind.NAME.value,)
    )
    return frozenset(part for (name,) in names for part in name_parts(name))


def find_known_identities(project: Project, vocabulary: Collection[str]) -> set[tuple[str, str]]:
    """Paths and unfolded values in which a part of the identity of one of their own patients occurs, or all of
    somebody else's.
    """
    found: set[tuple[str, str]] = set()
    rows = project.store.execute(
        "SELECT DISTINCT patient_id, path, vr, value FROM released_values WHERE fold = '' ORDER BY patient_id"
    )
    for patient_id, released in groupby(rows, key=itemgetter("patient_id")):
        identities = project.store.execute(
            "SELECT kind, original_value FROM identities WHERE patient_id = ?", (patient_id,)
        )
        identity = KnownIdentity(((kind, value) for kind, value in identities), vocabulary)
        seen: dict[str, bool] = {}
        for _, path, vr, value in released:
            text = "" if is_constant(path, value) else _searched_text(vr, value, vocabulary)
            if text not in seen:
                seen[text] = identity.occurs_in(text)
            if seen[text]:
                found.add((path, value))
    return found | _with_anybodys_identity(project)


def _with_anybodys_identity(project: Project) -> set[tuple[str, str]]:
    originals = project.store.execute(
        "SELECT DISTINCT original_value FROM identities WHERE kind IN ('name', 'id', 'place')"
    )
    anybody = AnybodysIdentity(original for (original,) in originals)
    released = project.store.execute("SELECT DISTINCT path, value FROM released_values WHERE fold = ''")
    return {(path, value) for path, value in released if not is_constant(path, value) and anybody.occurs_in(value)}


def _searched_text(vr: str, value: str, vocabulary: Collection[str]) -> str:
    """What of a value can be a patient's: not the standard's constants, even if the name is Head."""
    match vr:
        case "UI":
            return "" if value.startswith(_STANDARD_UIDS) else value
        case "CS":
            return "\\".join(
                term for term in value.split("\\") if not all(word in vocabulary for word in split_words(term))
            )
        case _:
            return value


def _count_patients(project: Project) -> int:
    return int(project.store.one("SELECT COUNT(DISTINCT patient_id) FROM released_values"))


def _row(
    kind: RowKind,
    row: Any,
    value: str,
    *,
    vr: str,
    fold: str = "",
    low: str | None = None,
    high: str | None = None,
    reasons: Collection[Suspicion],
) -> ValueRow:
    return ValueRow(
        kind,
        row["path"],
        value,
        vr,
        fold,
        low or "",
        high or "",
        row["instances"],
        row["patients"],
        row["example"],
        by_severity(reasons),
    )
