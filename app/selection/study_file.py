"""A study list with a group and labels, read from a file and judged by the protocol's schema, row by row."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.project.decisions import DecisionsRefusedError, RowProblem
from app.project.study_list import STUDY_KEYWORDS, RowSource, StudyRow
from app.protocol.labels import Label
from app.protocol.schema import Protocol
from app.selection.table_file import TableFile, TableRow, read_table

MOST_PROBLEMS = 1000
# How spreadsheets head the columns, letters and digits only.
_IDENTIFIERS: Mapping[str, str] = {
    "patientid": "PatientID",
    "patient": "PatientID",
    "mrn": "PatientID",
    "accessionnumber": "AccessionNumber",
    "accessionno": "AccessionNumber",
    "accession": "AccessionNumber",
    "studyinstanceuid": "StudyInstanceUID",
    "studyuid": "StudyInstanceUID",
}
_GROUP = "group"


@dataclass(frozen=True, slots=True)
class StudyFile:
    """What a file says; ``original_ignored`` are the columns that neither identify a study nor are a label."""

    rows: tuple[StudyRow, ...]
    labels: tuple[str, ...]  # of the protocol, that the file has a column for
    has_groups: bool
    original_ignored: tuple[str, ...]


def read_study_file(path: Path, protocol: Protocol) -> StudyFile:
    """The rows of a CSV or XLSX file; columns that the protocol does not know never get further than this.

    Raises UsageError as ``read_table`` does, and "list-without-column", "list-column-twice", "list-empty";
    DecisionsRefusedError with the number of each row whose label or group the protocol does not allow: nothing is taken
    then.
    """
    table = read_table(path)
    columns = _Columns(table, protocol)
    problems: list[RowProblem] = []
    rows: list[StudyRow] = []
    for row in table.rows:
        found = list(columns.problems(row))
        problems += found
        if not found and (understood := columns.read(row)) is not None:
            rows.append(understood)
    if problems:
        raise DecisionsRefusedError(problems[:MOST_PROBLEMS])
    if not rows:
        raise UsageError("list-empty")
    names = tuple(label.name for label, _ in columns.labels)
    return StudyFile(tuple(rows), names, columns.group is not None, columns.original_ignored)


class _Columns:
    """Which column is what."""

    def __init__(self, table: TableFile, protocol: Protocol) -> None:
        labels = {_plain(label.name): label for label in protocol.labels}
        self._groups = {group.name.casefold(): group.name for group in protocol.groups}
        self.identifiers: list[tuple[str, int]] = []
        self.labels: list[tuple[Label, int]] = []
        self.group: int | None = None
        ignored = []
        for place, column in enumerate(table.columns):
            name = _plain(column)
            if name in labels:
                self.labels.append((labels[name], place))
            elif name in _IDENTIFIERS:
                self.identifiers.append((_IDENTIFIERS[name], place))
            elif name == _GROUP and self._groups and self.group is None:
                self.group = place
            elif column:
                ignored.append(column)
        self.original_ignored = tuple(ignored)
        if not self.identifiers:
            raise UsageError("list-without-column", expected=", ".join(STUDY_KEYWORDS))
        known = [keyword for keyword, _ in self.identifiers] + [label.name for label, _ in self.labels]
        if len(set(known)) < len(known):
            raise UsageError("list-column-twice")

    def problems(self, row: TableRow) -> Iterator[RowProblem]:
        """What the protocol does not allow of a row."""
        if self.group is not None and (cell := row.cells[self.group]) and cell.casefold() not in self._groups:
            yield RowProblem(row.number, "row-unknown-group")
        for label, place in self.labels:
            if row.cells[place] and label.value_of(row.cells[place]) is None:
                yield RowProblem(row.number, "row-label-not-allowed")

    def read(self, row: TableRow) -> StudyRow | None:
        """The row; None where it names no study."""
        given = {keyword: row.cells[place] for keyword, place in self.identifiers if row.cells[place]}
        identifiers = tuple((keyword, given[keyword]) for keyword in STUDY_KEYWORDS if keyword in given)
        if not identifiers:
            return None
        labels = {label.name: label.value_of(row.cells[place]) for label, place in self.labels}
        group = "" if self.group is None else self._groups.get(row.cells[self.group].casefold(), "")
        known = sorted((name, value) for name, value in labels.items() if value is not None)
        return StudyRow(RowSource.LIST, row.number, identifiers, group, tuple(known))


def _plain(column: str) -> str:
    return "".join(character for character in column.casefold() if character.isalnum())
