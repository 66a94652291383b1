"""A list of what to take, from a file: patients, examinations, studies, series or instances by identifier."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.selection.table_file import read_table

LIST_KEYWORDS = ("PatientID", "AccessionNumber", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")

# What one line of the list says: (keyword, identifier) in the order of LIST_KEYWORDS; all of them must agree.
Entry = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WantedList:
    """The lines of a list; an instance is wanted when it agrees with one of them. Identifiers are PHI."""

    original_entries: frozenset[Entry]


class WantedIndex:
    """Answers whether identifiers are wanted, in a time that does not depend on the length of the list."""

    def __init__(self, wanted: WantedList) -> None:
        self._by_keywords: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
        for entry in wanted.original_entries:
            keywords = tuple(keyword for keyword, _ in entry)
            self._by_keywords.setdefault(keywords, set()).add(tuple(value for _, value in entry))
        # Whether some line names a single instance, so that a series may be wanted in part.
        self.names_instances = any("SOPInstanceUID" in keywords for keywords in self._by_keywords)

    def contains(self, identifiers: Mapping[str, str]) -> bool:
        """Whether an instance with these identifiers (LIST_KEYWORDS -> text) agrees with a line."""
        return any(
            tuple(identifiers.get(keyword, "") for keyword in keywords) in entries
            for keywords, entries in self._by_keywords.items()
        )


def text_of(value: object) -> str:
    """A value of an attribute set as text, several joined; '' where it is missing."""
    if isinstance(value, list):
        return "\\".join(str(component) for component in value)
    return "" if value is None else str(value)


def make_wanted_list(rows: Iterable[Mapping[str, str]]) -> WantedList:
    """A list from rows keyword -> identifier; blank identifiers say nothing, and a row of blanks is none.

    Raises UsageError("list-empty") where nothing is left.
    """
    entries = (
        tuple((keyword, row[keyword].strip()) for keyword in LIST_KEYWORDS if row.get(keyword, "").strip())
        for row in rows
    )
    wanted = frozenset(entry for entry in entries if entry)
    if not wanted:
        raise UsageError("list-empty")
    return WantedList(wanted)


def read_list(path: Path) -> WantedList:
    """The list in a CSV or XLSX file with a header; columns beyond LIST_KEYWORDS are ignored.

    Raises UsageError as ``read_table`` does, and "list-without-column", "list-empty".
    """
    table = read_table(path)
    columns = {_plain(column): place for place, column in enumerate(table.columns)}
    named = {keyword: columns[keyword.lower()] for keyword in LIST_KEYWORDS if keyword.lower() in columns}
    if not named:
        raise UsageError("list-without-column", expected=", ".join(LIST_KEYWORDS))
    return make_wanted_list({keyword: row.cells[place] for keyword, place in named.items()} for row in table.rows)


def _plain(column: str) -> str:
    """``Study Instance UID`` and ``study_instance_uid`` mean the keyword too."""
    return "".join(character for character in column.lower() if character.isalnum())
