"""Whether metadata/labels.csv says only what the protocol beside it allows, of the studies that are there.

Reads the protocol by itself: this side shares no code with the one that wrote the table.
"""

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.bundle.verify_findings import Fault
from app.bundle.verify_values import TableFormError, read_table

LABELS = "metadata/labels.csv"
_NUMBER = re.compile(r"-?[0-9]{1,5}(\.[0-9]{1,4})?", re.ASCII)
_DECIMALS = 2  # of a number whose label does not say how many


@dataclass(frozen=True, slots=True)
class LabelRules:
    """What the protocol says: the names of its groups, and its labels as they stand in the file, by name."""

    groups: frozenset[str]
    labels: Mapping[str, Mapping[str, Any]]


def read_label_rules(protocol: bytes) -> LabelRules | None:
    """The rules of a part's protocol; None where it asks for neither groups nor labels, or can't be read."""
    try:
        content = tomllib.loads(protocol.decode("utf-8-sig").replace("\r\n", "\n"))
        groups = frozenset(str(group["name"]) for group in content.get("groups", ()))
        labels = {str(label["name"]): dict(label) for label in content.get("labels", ())}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return LabelRules(groups, labels) if groups or labels else None


def label_faults(
    content: bytes | None, rules: LabelRules | None, studies: Collection[tuple[str, str]]
) -> Iterator[Fault]:
    """The table is there where the protocol asks for groups or labels, and only there.

    ``studies``: patient code and Study Instance UID of what is in the part.
    """
    if content is None or rules is None:
        if content is not None:
            yield "entry-unexpected", LABELS
        elif rules is not None:
            yield "entry-missing", LABELS
        return
    try:
        rows = read_table(content, ["patient", "study_uid", "group", *rules.labels], "bad-labels-table")
    except TableFormError as error:
        yield error.code, LABELS
        return
    if [(row[0], row[1]) for row in rows] != sorted(studies):
        yield "labels-table-differs", LABELS
    try:
        are_allowed = all(_is_allowed(rules, row[2], row[3:]) for row in rows)
    except (KeyError, TypeError, ValueError):  # a protocol that Consign would not have taken
        are_allowed = False
    if not are_allowed:
        yield "label-not-allowed", LABELS


def _is_allowed(rules: LabelRules, group: str, cells: list[str]) -> bool:
    if group and group not in rules.groups:
        return False
    return all(
        not cell or ((not label.get("groups") or group in label["groups"]) and _is_value(label, cell))
        for label, cell in zip(rules.labels.values(), cells, strict=True)
    )


def _is_value(label: Mapping[str, Any], cell: str) -> bool:
    if label.get("type") == "category":
        return cell in label.get("values", ())
    if label.get("type") != "number" or not _NUMBER.fullmatch(cell):
        return False
    low, high, decimals = float(label["minimum"]), float(label["maximum"]), int(label.get("decimals", _DECIMALS))
    return len(cell.partition(".")[2]) == decimals and low <= float(cell) <= high
