"""What a released element may say, derived anew from metadata/values.csv and metadata/rules.csv.

Our own code on purpose: it decides on bytes that the de-identifying code made, by the list that people
approved. Grammars: PS3.5 section 6.2. Canonical text: values without trailing spaces and NULs, all of a
multi-valued element.
"""

import csv
import io
import math
import re
import struct
from bisect import bisect_left
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.bundle.verify_text import IdentifierSearch
from app.dicom.dictionary import find_attribute, keyword_of

VALUE_COLUMNS = ["path", "vr", "fold", "value", "low", "high", "instances", "patients"]
RULE_COLUMNS = frozenset(("tag", "action"))

_SEARCHED_VRS = frozenset(("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"))
_TEXT_VRS = _SEARCHED_VRS | {"AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI"}
_BINARY_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW"))
# AT is a pair of 16-bit numbers.
_NUMBER_FORMATS = {
    "US": "H",
    "SS": "h",
    "UL": "L",
    "SL": "l",
    "UV": "Q",
    "SV": "q",
    "FL": "f",
    "FD": "d",
    "AT": "H",
}
_VRS_OF_FOLD = {
    "": _TEXT_VRS | _NUMBER_FORMATS.keys(),
    "number": frozenset(("DS", "IS", *_NUMBER_FORMATS)),
    "uid": frozenset(("UI",)),
    "date": frozenset(("DA", "DT")),
    "time": frozenset(("TM",)),
    "binary": _BINARY_VRS,
    "code": frozenset(("LO", "PN", "SH")),
}
_NUMBER = {
    "DS": re.compile(r" *[+-]?(\d{1,18}(\.\d{0,20})?|\.\d{1,20})([eE][+-]?\d{1,3})? *\Z", re.ASCII),
    "IS": re.compile(r" *[+-]?\d{1,12} *\Z", re.ASCII),
}
_TEMPORAL = {
    "DA": re.compile(r"\d{8}\Z", re.ASCII),
    "DT": re.compile(r"\d{4,14}(\.\d{1,6})?([+-]\d{4})?\Z", re.ASCII),
    "TM": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?\Z", re.ASCII),
}
_KEYED_UID = re.compile(r"2\.25\.\d{1,39}\Z", re.ASCII)
PATIENT_CODE = re.compile(r"[A-Za-z0-9-]{1,16}-[0-9A-Z]{6}\Z", re.ASCII)
_ACCESSION_CODE = re.compile(r"A[A-Z2-7]{12}\Z")
# The bit patterns of "not a number" that processors make; any other one could hold a message.
_PLAIN_NANS = frozenset(struct.pack(layout, number) for layout in ("<f", "<d") for number in (math.nan, -math.nan))
# Files of a series repeat each other: an answer is looked up far more often than found. About 15 MB.
_REMEMBERED = 50_000
# These differ from file to file, or depend on whose file it is.
_NOT_REMEMBERED = frozenset(("uid", "code"))


class TableFormError(Exception):
    """values.csv or rules.csv is not a table of the agreed form; ``code`` is a finding's code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


Bound = Any
"""One end of a range: a number, or the text of a date or time; both ends are of one kind."""


@dataclass(slots=True)
class Approved:
    """What was approved for one path: VRs, exact texts, and a range for each fold (empty where none)."""

    vrs: set[str] = field(default_factory=set)
    texts: set[str] = field(default_factory=set)
    folds: dict[str, tuple[Bound, Bound]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose file it is: the patient code that the folder names, and what may not be found in it."""

    code: str
    search: IdentifierSearch | None


class Node:
    """One place in a dataset (a path without item numbers) and what may stand there."""

    __slots__ = ("approved", "children", "dictionary_vrs", "is_sequence_listed", "label", "path")

    def __init__(self, path: str, label: str, tag: int, approved: Approved | None, *, is_sequence_listed: bool) -> None:
        self.path = path
        self.label = label  # the path without private creators, which a finding must not repeat: they may say anything
        self.approved = approved
        self.is_sequence_listed = is_sequence_listed
        self.dictionary_vrs = _dictionary_vrs(tag)
        self.children: dict[int | tuple[int, str], Node] = {}

    @property
    def is_top_level(self) -> bool:
        """Whether the element stands in no sequence."""
        return "." not in self.path


def _dictionary_vrs(tag: int) -> tuple[str, ...]:
    attribute = find_attribute(tag)
    return tuple(attribute.vr.split(" or ")) if attribute is not None else ()


class ApprovedValues:
    """All that was approved for a release; ``check`` judges one element."""

    def __init__(self, values_csv: bytes, rules_csv: bytes) -> None:
        """Raises TableFormError."""
        self._approved = _read_values(values_csv)
        self._paths = sorted(self._approved)
        self._listed_tags = _read_rules(rules_csv)
        self._remembered: set[tuple[Node, str, bytes, bool]] = set()
        self.root = Node("", "", 0, None, is_sequence_listed=True)

    def texts(self) -> Collection[str]:
        """All approved texts that are shown one by one."""
        return {text for approved in self._approved.values() for text in approved.texts}

    def child(self, parent: Node, tag: int, creator: str | None) -> Node:
        """The node of an element inside ``parent``.

        ``creator`` is that of a private element's block, or for a private creator element its own value; None for
        the standard's tags.
        """
        key = tag if creator is None else (tag, creator)
        node = parent.children.get(key)
        if node is None:
            name = _component(tag, creator)
            path = ".".join(filter(None, (parent.path, name)))
            label = ".".join(filter(None, (parent.label, name.partition("[")[0])))
            is_listed = bool({name, _bare_tag(tag)} & self._listed_tags) or self._is_prefix(f"{path}.")
            node = Node(path, label, tag, self._approved.get(path), is_sequence_listed=is_listed)
            parent.children[key] = node
        return node

    def _is_prefix(self, prefix: str) -> bool:
        index = bisect_left(self._paths, prefix)
        return index < len(self._paths) and self._paths[index].startswith(prefix)

    def forget(self) -> None:
        """Judge everything anew: another patient's identifiers are looked for from here on."""
        self._remembered.clear()

    def check(self, node: Node, vr: str, value: bytes, is_utf8: bool, owner: Owner) -> str | None:
        """The code of what is wrong with an element that is no sequence; None where it was approved."""
        key = (node, vr, value, is_utf8)
        if key in self._remembered:
            return None
        if not value:
            # An emptied attribute of the standard says nothing; a private one could say that it was there.
            is_known = vr in node.dictionary_vrs or (node.approved is not None and vr in node.approved.vrs)
            return None if is_known else "element-not-listed"
        approved = node.approved
        if approved is None:
            return "element-not-listed"
        # US or SS, OB or OW: which one an instance uses follows from its pixels, so one row stands for both.
        is_ambiguous = len(node.dictionary_vrs) > 1 and vr in node.dictionary_vrs
        if vr not in approved.vrs and not is_ambiguous:
            return "vr-not-approved"
        if vr in _TEXT_VRS:
            try:
                text = value.decode("utf-8" if is_utf8 else "ascii").rstrip(" \0")
            except UnicodeDecodeError:
                return "bad-text"
            code, may_remember = self._check_text(node, approved, vr, text, owner)
        else:
            code, may_remember = self._check_bytes(approved, vr, value, owner), vr in _NUMBER_FORMATS
        if code is None and may_remember and len(value) <= 256:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered.add(key)
        return code

    @staticmethod
    def _check_bytes(approved: Approved, vr: str, value: bytes, owner: Owner) -> str | None:
        if vr in _NUMBER_FORMATS:
            return _check_numbers(approved, vr, value)
        if "binary" not in approved.folds:  # such as look-up table data, approved as numbers and here as words
            return "vr-not-approved"
        is_found = owner.search is not None and owner.search.is_in_bytes(value)
        return "original-identifier" if is_found else None

    @staticmethod
    def _check_text(node: Node, approved: Approved, vr: str, text: str, owner: Owner) -> tuple[str | None, bool]:
        if not text:
            return None, True
        if text in approved.texts:
            is_searched = owner.search is not None and vr in _SEARCHED_VRS and not _is_our_own(node.path)
            if is_searched and owner.search is not None and owner.search.is_in(text):
                return "original-identifier", False
            return None, True
        leaf = _Leaf(node, vr, text, owner)
        for fold, (low, high) in approved.folds.items():
            if vr in _VRS_OF_FOLD[fold] and _FOLDED[fold](leaf, low, high):
                return None, fold not in _NOT_REMEMBERED
        return "value-not-approved", False


class _Leaf(NamedTuple):
    node: Node
    vr: str
    text: str
    owner: Owner


def _is_our_own(path: str) -> bool:
    # De-identification Method (Code Sequence): the program's words, the same for everybody.
    return path.startswith("DeidentificationMethod")


def _check_numbers(approved: Approved, vr: str, value: bytes) -> str | None:
    layout = _NUMBER_FORMATS[vr]
    size = struct.calcsize(f"<{layout}")
    if len(value) % size:
        return "bad-number"
    numbers = struct.unpack(f"<{len(value) // size}{layout}", value)
    if "number" in approved.folds:
        low, high = approved.folds["number"]
        # min and max pass over "not a number"; only whole numbers can be asked so.
        if layout not in "fd" and low <= min(numbers) and max(numbers) <= high:
            return None
        if all(low <= number <= high or _is_plain_special(number, layout) for number in numbers):
            return None
    return None if "\\".join(map(str, numbers)) in approved.texts else "value-not-approved"


def _is_plain_special(number: float, layout: str) -> bool:
    return math.isinf(number) or (math.isnan(number) and struct.pack(f"<{layout}", number) in _PLAIN_NANS)


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _is_number(leaf: _Leaf, low: Bound, high: Bound) -> bool:
    grammar = _NUMBER[leaf.vr]
    for component in leaf.text.split("\\"):
        if not component.strip(" "):
            continue
        if grammar.match(component) is None:
            return False
        number = float(component) if leaf.vr == "DS" else int(component)
        if not low <= number <= high:
            return False
    return True


def _is_keyed_uid(leaf: _Leaf, low: Bound, high: Bound) -> bool:
    del low, high
    return all(not uid or _KEYED_UID.match(uid) for uid in leaf.text.split("\\"))


def _is_in_range(leaf: _Leaf, low: Bound, high: Bound) -> bool:
    """Dates and times, by the order of their text."""
    grammar = _TEMPORAL[leaf.vr]
    return all(
        not component or (grammar.match(component) is not None and low <= component <= high)
        for component in leaf.text.split("\\")
    )


def _is_code(leaf: _Leaf, low: Bound, high: Bound) -> bool:
    del low, high
    if leaf.vr == "SH":
        return _ACCESSION_CODE.match(leaf.text) is not None
    if leaf.node.is_top_level:
        return leaf.text == leaf.owner.code
    return PATIENT_CODE.match(leaf.text) is not None


_FOLDED: dict[str, Callable[[_Leaf, Bound, Bound], bool]] = {
    "number": _is_number,
    "uid": _is_keyed_uid,
    "date": _is_in_range,
    "time": _is_in_range,
    "code": _is_code,
}


def _component(tag: int, creator: str | None) -> str:
    """One component of a path: a keyword of PS3.6, or a private element by its creator."""
    if creator is None:
        return keyword_of(tag) or _bare_tag(tag)
    group, element = tag >> 16, tag & 0xFFFF
    block = "00xx" if element <= 0xFF else f"xx{element & 0xFF:02X}"
    return f"({group:04X},{block})[{creator}]"


def _bare_tag(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _rows(content: bytes, fault: str) -> list[list[str]]:
    try:
        # The longest field that Python's csv accepts is a setting of the process; a UT value can be longer.
        csv.field_size_limit(max(csv.field_size_limit(), len(content)))
        # Not StringIO, which takes four bytes for each character: the table of instances is the largest in a part.
        with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="") as lines:
            return list(csv.reader(lines, strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise TableFormError(fault) from None


def read_table(content: bytes, columns: list[str], fault: str) -> list[list[str]]:
    """The rows of a CSV file with exactly these columns. Raises TableFormError(fault)."""
    rows = _rows(content, fault)
    if not rows or rows[0] != columns or any(len(row) != len(columns) for row in rows):
        raise TableFormError(fault)
    return rows[1:]


def _read_values(content: bytes) -> dict[str, Approved]:
    table: dict[str, Approved] = {}
    for path, vr, fold, value, low, high, *counts in read_table(content, VALUE_COLUMNS, "bad-values-table"):
        is_sound = bool(path) and vr in _VRS_OF_FOLD.get(fold, ()) and all(count.isdecimal() for count in counts)
        if not is_sound or (fold and value):
            raise TableFormError("bad-values-table")
        approved = table.setdefault(path, Approved())
        if fold:
            approved.folds[fold] = _widen(approved.folds.get(fold), fold, low, high)
        else:
            approved.texts.add(value)
        approved.vrs.add(vr)
    return table


def _widen(bounds: tuple[Bound, Bound] | None, fold: str, low: str, high: str) -> tuple[Bound, Bound]:
    """A range that holds both; an attribute may have a row for each of two VRs."""
    try:
        ends: tuple[Bound, Bound] = (_number(low), _number(high)) if fold == "number" else (low, high)
    except ValueError:
        raise TableFormError("bad-values-table") from None
    if not ends[0] <= ends[1]:
        raise TableFormError("bad-values-table")
    return ends if bounds is None else (min(bounds[0], ends[0]), max(bounds[1], ends[1]))


def _read_rules(content: bytes) -> frozenset[str]:
    """The tags (text form) of which something may leave."""
    rows = _rows(content, "bad-rules-table")
    if not rows or not set(rows[0]) >= RULE_COLUMNS or any(len(row) != len(rows[0]) for row in rows):
        raise TableFormError("bad-rules-table")
    tag, action = rows[0].index("tag"), rows[0].index("action")
    return frozenset(row[tag] for row in rows[1:] if row[action] != "remove")
