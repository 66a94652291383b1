"""Reads scripts of CTP's DicomPixelAnonymizer, so that what a site has learnt about its devices is not lost.

A script is a sequence of ``{ signature } (region) (region) ...``; whatever stands outside is a comment. A signature
combines tests of attributes, ``Manufacturer.containsIgnoreCase("...")``, with ``+`` (or), ``*`` (and) and ``!``, in
rising precedence, and parentheses; ``|`` and ``&`` are understood too. A region is left, top, width and height in
pixels.

Two things differ from CTP: it blanks the regions of the first signature that fits, here every one that fits counts; and
patterns do not care for upper and lower case. Both cover more rather than less, negated tests aside.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from app.detection.device_masks import ATTRIBUTES, EMPTY, NOT_IN_FRONT, NOT_IN_TEXT, DeviceMask
from app.dicom.dictionary import tag_of
from app.pixels.boxes import Box

SOURCE = "CTP script"
# A signature of real scripts makes at most 216 rows.
_MOST_ROWS = 4096
_MOST_DEPTH = 50

_SIGNATURE = re.compile(r"\{([^}]*)(\}?)")
_REGION = re.compile(r"\(([^)]*)\)")
_REGION_NUMBERS = re.compile(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*")
_TOKEN = re.compile(
    r"""
      (?P<constant>true\.|false\.)
    | (?P<identifier>(?:\w+|\[[^\]\s]*\])(?:::(?:\w+|\[[^\]\s]*\]))*)
      \s*\.\s*(?P<method>\w+)\s*\(\s*"(?P<text>[^"]*)"\s*\)
    | (?P<operator>[+*!()&|])
    """,
    re.VERBOSE,
)
_TAG = re.compile(r"\[([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\]")
_PLAIN_EXPRESSION = re.compile(r"(?:[\w /,_-]|\.\*)*")

# Names that dcm4che's dictionary has, and with it CTP, where the standard's keyword is another.
_OTHER_NAMES = {"SoftwareVersion": "SoftwareVersions", "ManufacturersModelName": "ManufacturerModelName"}
_COLUMNS = {tag: column for column, tag in ATTRIBUTES.items()}


class ScriptProblem(StrEnum):
    """What was not understood in a script; ``app.text.script_problems`` has the sentences."""

    UNCLOSED_SIGNATURE = "unclosed-signature"
    BAD_SIGNATURE = "bad-signature"
    TOO_COMPLEX = "too-complex"
    UNKNOWN_ATTRIBUTE = "unknown-attribute"
    UNKNOWN_METHOD = "unknown-method"
    UNSUPPORTED_TEXT = "unsupported-text"
    BAD_REGION = "bad-region"
    NO_REGION = "no-region"
    REGION_WITHOUT_SIGNATURE = "region-without-signature"
    ALWAYS_FITS = "always-fits"


@dataclass(frozen=True, slots=True, order=True)
class ProblemInScript:
    """A line of the script, counted from 1, and what is wrong there."""

    line: int
    problem: ScriptProblem


@dataclass(frozen=True, slots=True)
class _Test:
    """A test of one attribute; one with a problem can't be made, so nothing that needs it is taken over."""

    column: str
    pattern: str
    negated: bool = False
    problem: ScriptProblem | None = None
    offset: int = 0


@dataclass(frozen=True, slots=True)
class _Combination:
    is_and: bool
    parts: "tuple[_Node, ...]"


_Node = _Test | _Combination
_TRUE, _FALSE = _Combination(True, ()), _Combination(False, ())


class _SignatureError(Exception):
    def __init__(self, problem: ScriptProblem, offset: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.offset = offset


def read_ctp_script(text: str, source: str = SOURCE) -> tuple[tuple[DeviceMask, ...], tuple[ProblemInScript, ...]]:
    """The rows that a script makes, and every place of it that makes none.

    Raises nothing. A signature with alternatives of which only some are understood gives rows for those.
    """
    masks: list[DeviceMask] = []
    problems: list[ProblemInScript] = []

    def report(problem: ScriptProblem, offset: int) -> None:
        problems.append(ProblemInScript(text.count("\n", 0, offset) + 1, problem))

    signatures = list(_SIGNATURE.finditer(text))
    for comment in _REGION.finditer(text[: signatures[0].start() if signatures else len(text)]):
        if _REGION_NUMBERS.fullmatch(comment[1]):
            report(ScriptProblem.REGION_WITHOUT_SIGNATURE, comment.start())
    for number, signature in enumerate(signatures):
        if not signature[2]:
            report(ScriptProblem.UNCLOSED_SIGNATURE, signature.start())
            continue
        end = signatures[number + 1].start() if number + 1 < len(signatures) else len(text)
        boxes: list[Box] = []
        for region in _REGION.finditer(text, signature.end(), end):
            box = _box(region[1])
            if box is None:
                report(ScriptProblem.BAD_REGION, region.start())
            else:
                boxes.append(box)
        if not boxes:
            report(ScriptProblem.NO_REGION, signature.start())
        try:
            cells, unusable = _rows(signature[1])
        except _SignatureError as error:
            report(error.problem, signature.start(1) + error.offset)
            continue
        for test in unusable:
            assert test.problem is not None
            report(test.problem, signature.start(1) + test.offset)
        for row in cells if boxes else ():
            if not row:
                report(ScriptProblem.ALWAYS_FITS, signature.start())
                continue
            masks.append(DeviceMask(row, tuple(boxes), source))
    return tuple(masks), tuple(sorted(set(problems)))


def _box(region: str) -> Box | None:
    numbers = _REGION_NUMBERS.fullmatch(region)
    if numbers is None:
        return None
    left, top, width, height = map(int, numbers.groups())
    return Box(top, left, top + height, left + width) if width and height else None


# ---------------------------------------------------------------------------------------------------------- signatures


class _Parser:
    """Recursive descent over the tokens of one signature."""

    def __init__(self, text: str) -> None:
        self._tokens = list(_tokenize(text))
        self._position = 0
        self._end = len(text)

    def parse(self) -> _Node:
        """The whole signature. Raises _SignatureError."""
        node = self._either(0)
        if self._position < len(self._tokens):
            raise _SignatureError(ScriptProblem.BAD_SIGNATURE, self._tokens[self._position].start())
        return node

    def _either(self, depth: int) -> _Node:
        parts = [self._both(depth)]
        while self._take("+|"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else _Combination(False, tuple(parts))

    def _both(self, depth: int) -> _Node:
        parts = [self._one(depth)]
        while self._take("*&"):
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else _Combination(True, tuple(parts))

    def _one(self, depth: int) -> _Node:
        if depth > _MOST_DEPTH:
            raise _SignatureError(ScriptProblem.TOO_COMPLEX, 0)
        if self._take("!"):
            return _negated(self._one(depth + 1))
        if self._take("("):
            node = self._either(depth + 1)
            if not self._take(")"):
                raise _SignatureError(ScriptProblem.BAD_SIGNATURE, self._offset())
            return node
        token = self._tokens[self._position] if self._position < len(self._tokens) else None
        if token is None or token["operator"]:
            raise _SignatureError(ScriptProblem.BAD_SIGNATURE, self._offset())
        self._position += 1
        if token["constant"]:
            return _TRUE if token["constant"] == "true." else _FALSE
        return _test(token)

    def _take(self, operators: str) -> bool:
        if self._position < len(self._tokens):
            operator = self._tokens[self._position]["operator"]
            if operator and operator in operators:
                self._position += 1
                return True
        return False

    def _offset(self) -> int:
        return self._tokens[self._position].start() if self._position < len(self._tokens) else self._end


def _tokenize(text: str) -> Iterator[re.Match[str]]:
    position = 0
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        token = _TOKEN.match(text, position)
        if token is None:
            raise _SignatureError(ScriptProblem.BAD_SIGNATURE, position)
        yield token
        position = token.end()


def _test(token: re.Match[str]) -> _Test:
    offset = token.start("identifier")
    column = _column(token["identifier"])
    if column is None:
        return _Test("", "", problem=ScriptProblem.UNKNOWN_ATTRIBUTE, offset=offset)
    method, text = token["method"], token["text"].strip()
    if text and (not NOT_IN_TEXT.isdisjoint(text) or text[0] in NOT_IN_FRONT) and method != "matches":
        return _Test(column, "", problem=ScriptProblem.UNSUPPORTED_TEXT, offset=offset)
    match method.removesuffix("IgnoreCase"):
        case "equals":
            pattern = text or EMPTY
        case "contains":
            pattern = f"*{text}*" if text else "*"
        case "startsWith":
            pattern = f"{text}*"
        case "endsWith":
            pattern = f"*{text}"
        case "matches" if _PLAIN_EXPRESSION.fullmatch(text):
            pattern = text.replace(".*", "*") or EMPTY
        case "isLessThan" | "isGreaterThan" if re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
            pattern = ("<" if method == "isLessThan" else ">") + text
        case "matches" | "isLessThan" | "isGreaterThan":
            return _Test(column, "", problem=ScriptProblem.UNSUPPORTED_TEXT, offset=offset)
        case _:
            return _Test(column, "", problem=ScriptProblem.UNKNOWN_METHOD, offset=offset)
    return _Test(column, pattern, offset=offset)


def _column(identifier: str) -> str | None:
    """The table's column for a keyword or a [group,element]; None for another attribute, or one in a sequence."""
    tag = _TAG.fullmatch(identifier)
    if tag is not None:
        return _COLUMNS.get(int(tag[1] + tag[2], 16))
    number = tag_of(_OTHER_NAMES.get(identifier, identifier))
    return None if number is None else _COLUMNS.get(number)


def _negated(node: _Node) -> _Node:
    if isinstance(node, _Test):
        return _Test(node.column, node.pattern, not node.negated, node.problem, node.offset)
    return _Combination(not node.is_and, tuple(_negated(part) for part in node.parts))


# ---------------------------------------------------------------------------------------------------------------- rows

_Row = tuple[tuple[str, str], ...]


def _rows(signature: str) -> tuple[list[_Row], list[_Test]]:
    """The rows of patterns that a signature is, and the tests that can't be made. Raises _SignatureError."""
    conjunctions = _alternatives(_Parser(signature).parse())
    unusable = dict.fromkeys(test for tests in conjunctions for test in tests if test.problem is not None)
    usable = [_row(tests) for tests in conjunctions if not any(test.problem for test in tests)]
    return _merged(list(dict.fromkeys(usable))), list(unusable)


def _alternatives(node: _Node) -> list[tuple[_Test, ...]]:
    """The disjunctive normal form: tests that must all hold, for each way to fit."""
    if isinstance(node, _Test):
        return [(node,)]
    parts = [_alternatives(part) for part in node.parts]
    if not node.is_and:
        return [tests for part in parts for tests in part]
    count = 1
    for part in parts:
        count *= len(part)
    if count > _MOST_ROWS:
        raise _SignatureError(ScriptProblem.TOO_COMPLEX, 0)
    return [tuple(test for tests in chosen for test in tests) for chosen in product(*parts)]


def _row(tests: tuple[_Test, ...]) -> _Row:
    cells: dict[str, list[str]] = {}
    for test in tests:
        if test.pattern == "*" and not test.negated:
            continue  # any value
        pattern = f"!{test.pattern}" if test.negated else test.pattern
        patterns = cells.setdefault(test.column, [])
        if pattern not in patterns:
            patterns.append(pattern)
    return tuple((column, "&".join(cells[column])) for column in ATTRIBUTES if column in cells)


def _merged(rows: list[_Row]) -> list[_Row]:
    """Fewer rows with alternatives in a cell, where rows differ in one column only."""
    for column in ATTRIBUTES:
        groups: dict[tuple[bool, _Row], list[str]] = {}
        for row in rows:
            rest = tuple(cell for cell in row if cell[0] != column)
            groups.setdefault((len(rest) < len(row), rest), []).append(dict(row).get(column, ""))
        rows = [
            _with(rest, column, "|".join(dict.fromkeys(cells))) if has_column else rest
            for (has_column, rest), cells in groups.items()
        ]
    return rows


def _with(row: _Row, column: str, cell: str) -> _Row:
    cells = {**dict(row), column: cell}
    return tuple((name, cells[name]) for name in ATTRIBUTES if name in cells)
