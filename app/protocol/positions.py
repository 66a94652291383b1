"""On which line of a TOML text each key stands; ``tomllib`` does not say.

Reads texts that ``tomllib`` has accepted, so it only has to find its way, not to judge.
"""

import re
import tomllib
from collections.abc import Iterator

KeyPath = tuple[str | int, ...]

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"""[ \t]*("(?:\\.|[^"\\\n])*"|'[^'\n]*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"""+|' + r"'''.*?'''+|" + r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'", re.DOTALL)
_SCALAR = re.compile(r"[^,\]}\n#]*")


def line_numbers(text: str) -> dict[KeyPath, int]:
    """Line (from 1) of every table, key and array item, by its path; the first where a path comes twice."""
    found: dict[KeyPath, int] = {}
    for path, offset in _Scanner(text).document():
        found.setdefault(path, text.count("\n", 0, offset) + 1)
    return found


class _Scanner:
    """A position in the text, and how often each array of tables has been opened."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._table_counts: dict[KeyPath, int] = {}

    def document(self) -> Iterator[tuple[KeyPath, int]]:
        table: KeyPath = ()
        self._skip_space()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                start = self._at
                table = self._header()
                yield table, start
            else:
                yield from self._pair(table)
            self._skip_space()

    def _skip_space(self) -> None:
        space = _SPACE.match(self._text, self._at)
        self._at = space.end() if space else self._at

    def _take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._at)
        if found is None:
            return ""
        self._at = found.end()
        return found.group()

    def _key(self) -> list[str]:
        parts = [_unquoted(self._take(_KEY_PART).strip())]
        while self._text[self._at] == ".":
            self._at += 1
            parts.append(_unquoted(self._take(_KEY_PART).strip()))
        return parts

    def _header(self) -> KeyPath:
        is_array = self._text.startswith("[[", self._at)
        brackets = 2 if is_array else 1
        self._at += brackets
        parts = self._key()
        self._at += brackets
        path = self._within_arrays(parts)
        if not is_array:
            return path
        index = self._table_counts.get(path, 0)
        self._table_counts[path] = index + 1
        return (*path, index)

    def _within_arrays(self, parts: list[str]) -> KeyPath:
        """The path of a header: a name on the way that is an array of tables means its last table."""
        path: KeyPath = ()
        for number, part in enumerate(parts):
            path = (*path, part)
            if path in self._table_counts and number < len(parts) - 1:
                path = (*path, self._table_counts[path] - 1)
        return path

    def _pair(self, table: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        start = self._at
        path = (*table, *self._key())
        # A dotted key opens the tables on its way.
        for length in range(len(table) + 1, len(path) + 1):
            yield path[:length], start
        self._at += 1  # the equals sign
        yield from self._value(path)

    def _value(self, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        self._skip_space()
        match self._text[self._at]:
            case "[":
                self._at += 1
                yield from self._items(path)
            case "{":
                self._at += 1
                yield from self._pairs(path)
            case '"' | "'":
                self._take(_STRING)
            case _:
                self._take(_SCALAR)

    def _items(self, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        index = 0
        while not self._closes("]"):
            yield (*path, index), self._at
            yield from self._value((*path, index))
            index += 1

    def _pairs(self, path: KeyPath) -> Iterator[tuple[KeyPath, int]]:
        while not self._closes("}"):
            yield from self._pair(path)

    def _closes(self, bracket: str) -> bool:
        """Step over space and a comma; whether the list or table ends here."""
        self._skip_space()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip_space()
        if self._text[self._at] != bracket:
            return False
        self._at += 1
        return True


def _unquoted(part: str) -> str:
    if part.startswith(("'", '"')):
        return str(tomllib.loads(f"key = {part}")["key"])
    return part
