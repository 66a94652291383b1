"""Text in CSV cells that survives a spreadsheet and starts no formula there.

Two rules, both undone by ``text_of_cell``, so that a round trip is exact:

- control characters stand as their Unicode control pictures (a carriage return as U+240D), because
  spreadsheets change line endings inside cells, and a value that came back changed would no longer be the
  value that was decided on;
- a cell that a spreadsheet would take for a formula, a number or a date begins with an apostrophe: CSV
  injection (CWE-1236), and ``007`` or ``1-2`` coming back as ``7`` or a day in January.
"""

import re

_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
_ESCAPE = "\u2426"  # stands before a picture that is in the text itself, and before itself
_TO_CELL = str.maketrans(
    {code: chr(picture) for code, picture in _PICTURES.items()}
    | {ord(sign): _ESCAPE + sign for sign in (_ESCAPE, *map(chr, _PICTURES.values()))}
)
_ESCAPED_OR_PICTURE = re.compile(f"{_ESCAPE}([\u2400-\u241f\u2421{_ESCAPE}])|([\u2400-\u241f\u2421])")
_FROM_PICTURE = {chr(picture): chr(code) for code, picture in _PICTURES.items()}

# The full-width forms count as well: spreadsheets with an East Asian locale take them for the ASCII ones.
_NEEDS_APOSTROPHE = re.compile(
    "['=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
    r"|\s*[.,]?\d"
    r"|\s*(?:true|false)\s*$"
    r"|\s*(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[\s./-]*\d",
    re.IGNORECASE,
)


def cell_of_text(text: str) -> str:
    """What to write into a cell for ``text``."""
    escaped = text.translate(_TO_CELL)
    return "'" + escaped if _NEEDS_APOSTROPHE.match(text) else escaped


def cell_of_number(text: str) -> str:
    """A number as it is, so that people can sort by it; anything else as ``cell_of_text``."""
    try:
        float(text)
    except ValueError:
        return cell_of_text(text)
    return text


def text_of_cell(cell: str) -> str:
    """The inverse of ``cell_of_text``; a cell that somebody typed freely stays as it is."""
    return _ESCAPED_OR_PICTURE.sub(lambda match: match[1] or _FROM_PICTURE[match[2]], cell.removeprefix("'"))
