"""A table that people keep their studies in: CSV as spreadsheets of all countries write it, or XLSX."""

import csv
import datetime
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError

MAX_TABLE_BYTES = 200_000_000
MAX_COLUMNS = 500
MAX_ROWS = 2_000_000
# Excel keeps 15 digits: a longer number in a cell is no longer the one that was typed.
LARGEST_WHOLE_NUMBER = 10**15
_ONLY_ZEROS = re.compile("0+")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with its number in the file, the header being 1; as many cells as there are columns, stripped."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableFile:
    """The columns as they are spelled, and the rows that are not blank."""

    columns: tuple[str, ...]
    rows: tuple[TableRow, ...]


def read_table(path: Path) -> TableFile:
    """The table in a file; of an XLSX, the sheet that was shown last.

    Commas, semicolons or tabs separate a CSV. Raises UsageError: "list-not-found", "list-unreadable", "list-too-large",
    "list-not-a-table", "list-number-too-long".
    """
    try:
        if path.stat().st_size > MAX_TABLE_BYTES:
            raise UsageError("list-too-large", limit_bytes=MAX_TABLE_BYTES)
        with path.open("rb") as file:
            is_workbook = file.read(4) == b"PK\3\4"
        rows = _read_workbook(path) if is_workbook else _read_csv(path)
    except FileNotFoundError:
        raise UsageError("list-not-found") from None
    except OSError:
        raise UsageError("list-unreadable") from None
    numbered = [TableRow(number, cells) for number, cells in rows if number == 1 or any(cells)]
    if not numbered or numbered[0].number != 1 or not any(numbered[0].cells):
        raise UsageError("list-not-a-table")
    return TableFile(numbered[0].cells, tuple(numbered[1:]))


def _read_csv(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    import pandas as pd  # noqa: PLC0415 - half a second of every start, for the commands that need it

    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = max(",;\t", key=file.readline().count)
        table = pd.read_csv(
            path,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            sep=separator,
            index_col=False,
            header=None,
            skip_blank_lines=False,
        ).fillna("")  # cells that a short row lacks
    except (ValueError, csv.Error):  # not UTF-8, empty, ragged: pandas raises children of ValueError
        raise UsageError("list-not-a-table") from None
    rows = table.itertuples(index=False, name=None)
    return [(number, tuple(str(cell).strip() for cell in row)) for number, row in enumerate(rows, start=1)]


def _read_workbook(path: Path) -> list[tuple[int, tuple[str, ...]]]:
    import openpyxl  # noqa: PLC0415 - as above
    from openpyxl.utils.exceptions import InvalidFileException  # noqa: PLC0415

    try:
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_TABLE_BYTES:
                raise UsageError("list-too-large", limit_bytes=MAX_TABLE_BYTES)
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            return list(_rows_of(workbook.active))
        finally:
            workbook.close()
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, SyntaxError):
        # ParseError of XML is a SyntaxError; a chart sheet has no rows.
        raise UsageError("list-not-a-table") from None


def _rows_of(sheet: object) -> Iterator[tuple[int, tuple[str, ...]]]:
    width = 0
    # Formatted cells beyond the table are no part of it.
    rows = sheet.iter_rows(max_col=MAX_COLUMNS)  # type: ignore[attr-defined] # the stubs know no read-only sheet
    for number, row in enumerate(rows, start=1):
        cells = tuple(_text_of(cell, number) for cell in row)
        if number == 1:
            width = max((place for place, cell in enumerate(cells, start=1) if cell), default=0)
        if number > MAX_ROWS:
            raise UsageError("list-too-large", limit_bytes=MAX_TABLE_BYTES)
        yield number, (*cells[:width], *[""] * (width - len(cells)))


def _text_of(cell: object, number: int) -> str:
    value = getattr(cell, "value", None)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, int | float):
        return _number_text(value, str(getattr(cell, "number_format", "")), number)
    return str(value).strip()


def _number_text(value: int | float, number_format: str, number: int) -> str:
    """A number as it is shown: whole ones without a point, with the leading zeros that the cell's format gives."""
    if value != int(value):
        return repr(float(value))
    if abs(value) >= LARGEST_WHOLE_NUMBER:
        raise UsageError("list-number-too-long", row=number)
    text = str(int(value))
    return text.zfill(len(number_format)) if _ONLY_ZEROS.fullmatch(number_format) else text
