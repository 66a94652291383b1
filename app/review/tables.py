"""CSV files to and from people's spreadsheets: tolerant of what those change, strict about what they say."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import UsageError
from app.files.atomic import write_atomically
from app.project.decisions import DecisionsRefusedError, RowProblem

_DELIMITERS = ",;\t"  # Excel writes its locale's list separator, and tabs as "Unicode Text"
_SPARE_COLUMNS = 16  # a trailing separator or two are no reason to refuse a row, as long as the cells are empty
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_LINE_IN_PARSER_ERROR = re.compile(r"\b(?:line|row) (\d+)")


@dataclass(frozen=True, slots=True)
class TableRow:
    """Cells by column name, and the line of the file on which the row begins (the header is line 1)."""

    line: int
    cells: Mapping[str, str]


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    """Write UTF-8, owner-only, with the byte order mark without which Excel takes it for a code page."""
    import pandas as pd  # noqa: PLC0415 - half a second of every start, for the commands that need it

    content = io.BytesIO()
    pd.DataFrame(rows, columns=list(columns), dtype=object).to_csv(
        # Names of files may be bytes that are no text.
        content,
        index=False,
        encoding="utf-8-sig",
        errors="backslashreplace",
        lineterminator="\r\n",
    )
    try:
        write_atomically(path, content.getvalue())
    except OSError as error:
        raise UsageError("csv-not-written") from error


def read_table(path: Path, required: Sequence[str]) -> list[TableRow]:
    """The rows that are not wholly blank; column names are casefolded, unknown columns ignored.

    Raises UsageError where the file can't be read as a table with the required columns,
    DecisionsRefusedError where rows have more cells than there are columns.
    """
    import pandas as pd  # noqa: PLC0415 - half a second of every start, for the commands that need it

    text = _read_text(path)
    header, delimiter = _read_header(text, required)
    width = len(header) + _SPARE_COLUMNS
    try:
        frame = pd.read_csv(
            io.StringIO(text, newline=""),
            sep=delimiter,
            header=None,
            names=range(width),
            index_col=False,
            dtype=str,
            na_filter=False,
            skip_blank_lines=False,
        ).fillna("")
    except pd.errors.ParserError as error:
        # Only the number is taken from the message: the rest may quote the file.
        line = _LINE_IN_PARSER_ERROR.search(str(error))
        raise DecisionsRefusedError([RowProblem(int(line[1]) if line else 1, "row-too-long")]) from None
    rows: list[TableRow] = []
    problems: list[RowProblem] = []
    line_number = 1
    for cells in frame.itertuples(index=False, name=None):
        if line_number > 1 and any(cells):
            rows.append(TableRow(line_number, dict(zip(header, cells[: len(header)], strict=True))))
            if any(cells[len(header) :]):
                problems.append(RowProblem(line_number, "row-too-long"))
        line_number += 1 + sum(len(_LINE_BREAK.findall(cell)) for cell in cells)
    if problems:
        raise DecisionsRefusedError(problems)
    return rows


def _read_text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError("csv-not-readable") from error
    try:
        return content.decode("utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig")
    except UnicodeDecodeError as error:
        # Excel's plain "CSV" is in the locale's code page; guessing it would change values.
        raise UsageError("csv-not-utf8") from error


def _read_header(text: str, required: Sequence[str]) -> tuple[list[str], str]:
    first_line = _LINE_BREAK.split(text, maxsplit=1)[0]
    missing = required[0]
    for delimiter in _DELIMITERS:
        header = [name.strip().casefold() for name in next(csv.reader([first_line], delimiter=delimiter), [])]
        absent = [name for name in required if name not in header]
        if not absent:
            if any(header.count(name) > 1 for name in required):
                raise UsageError("csv-column-twice")
            return header, delimiter
        if len(absent) < len(required):
            missing = absent[0]
    raise UsageError("csv-column-missing", column=missing)
