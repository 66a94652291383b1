"""The site's table of reports: a CSV with an accession number and a text in each row."""

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import UsageError

ACCESSION_COLUMNS = ("accessionnumber", "accession", "accessionno", "studyaccession")
TEXT_COLUMNS = ("text", "report", "reporttext", "reportbody", "body")
_LONGEST_REPORT = 1_000_000


@dataclass(frozen=True, slots=True)
class Report:
    """One report."""

    original_accession_number: str = field(repr=False)
    original_text: str = field(repr=False)


def read_reports(path: Path) -> Iterator[Report]:
    """The reports of a table, one after the other; rows without a text are skipped.

    Commas, semicolons or tabs separate. Raises UsageError: "reports-not-readable", "reports-not-utf8",
    "reports-not-a-table" (line), "reports-without-column" (expected), "reports-without-accession" (line).
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _read(file.read())
    except OSError:
        raise UsageError("reports-not-readable") from None
    except UnicodeDecodeError:
        raise UsageError("reports-not-utf8") from None


def _read(text: str) -> Iterator[Report]:
    csv.field_size_limit(min(_LONGEST_REPORT, sys.maxsize))
    head = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(keepends=True), delimiter=max(",;\t", key=head.count))
    try:
        columns = ["".join(filter(str.isalnum, name.lower())) for name in next(reader, [])]
        accession, body = _column(columns, ACCESSION_COLUMNS), _column(columns, TEXT_COLUMNS)
        for row in reader:
            if len(row) <= body or not row[body].strip():
                continue
            number = row[accession].strip() if len(row) > accession else ""
            if not number:
                raise UsageError("reports-without-accession", line=reader.line_num)
            yield Report(number, row[body])
    except csv.Error:
        raise UsageError("reports-not-a-table", line=reader.line_num) from None


def _column(columns: list[str], names: tuple[str, ...]) -> int:
    for name in names:
        if name in columns:
            return columns.index(name)
    raise UsageError("reports-without-column", expected=names[0])
