"""What was found about the data set as a whole, and what people decided on it: ``decisions/dataset.csv``.

The step ``dataset`` writes the findings, the sign-off waits for those that block, and the decisions change what is
prepared: studies and series that stay here, attributes that leave coarser or not at all, faces that are taken out.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.dicom.dictionary import keyword_of, tag_of
from app.dicom.profile import COARSE_STEPS, Action
from app.errors import ProjectError
from app.files.atomic import is_there, write_atomically
from app.project.cells import cell_of_text, text_of_cell
from app.project.folder import Layout
from app.project.store import Store

COLUMNS = ("kind", "key", "seen", "decision", "note")
# The key in the table meta under which the checks leave a digest of the facts that they looked at.
CHECKED_FACTS = "dataset_checked"
_SEEN_DIGITS = 15


class FindingKind(StrEnum):
    """What was found, in the order in which it is shown."""

    PATIENT_OVERLAP = "patient-overlap"
    TARGET_LEAKAGE = "target-leakage"
    SMALL_GROUPS = "small-groups"
    FACE = "face"
    RARE_VALUES = "rare-values"


class FindingAction(StrEnum):
    """What people say to a finding."""

    KEEP = "keep"  # it leaves as it is: known and wanted, or allowed by the agreement
    EXCLUDE = "exclude"  # the studies or series that it is about stay here
    DEFACE = "deface"  # the face is taken out of the pixels


_STUDY, _ATTRIBUTE = "study", "attribute"
# What a project may do to an attribute beyond its protocol: nothing that lets more out.
ATTRIBUTE_ACTIONS = frozenset((Action.COARSEN, Action.REMOVE, Action.EMPTY))


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; ``details`` are figures and released values, never an original one.

    ``original_key`` tells it from others of its kind: of a face it is the original Series Instance UID.
    """

    kind: FindingKind
    original_key: str = field(repr=False)
    seen: str
    blocks: bool
    details: Mapping[str, Any]
    original_members: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class FindingDecision:
    """A person's word on a finding; ``seen`` is what it was when they decided."""

    action: FindingAction
    seen: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DatasetDecisions:
    """Everything that was decided about the data set.

    ``findings`` by kind and key. ``studies`` are original Study Instance UIDs of which nothing leaves. ``attributes``
    by tag: what becomes of an attribute beyond the protocol's rules.
    """

    findings: Mapping[tuple[FindingKind, str], FindingDecision] = field(default_factory=dict)
    studies: frozenset[str] = frozenset()
    attributes: Mapping[int, Action] = field(default_factory=dict)

    @property
    def withheld(self) -> frozenset[str]:
        """Original study and series UIDs of which nothing leaves."""
        return self.studies | self._faces(FindingAction.EXCLUDE)

    @property
    def defaced(self) -> frozenset[str]:
        """Original Series Instance UIDs whose faces are taken out."""
        return self._faces(FindingAction.DEFACE)

    def _faces(self, action: FindingAction) -> frozenset[str]:
        return frozenset(
            key
            for (kind, key), decision in self.findings.items()
            if kind is FindingKind.FACE and decision.action is action
        )

    def settle(self, finding: Finding) -> bool:
        """Whether somebody decided on a finding in sight of what it is now; excluding needs no sight."""
        decision = self.findings.get((finding.kind, finding.original_key))
        if decision is None:
            return False
        return decision.action is FindingAction.EXCLUDE or decision.seen == finding.seen

    def preparation_content(self) -> list[Any]:
        """What *prepare* works with; empty where nothing was decided that changes it."""
        content = [
            sorted(self.withheld),
            sorted(self.defaced),
            sorted((tag, action.value) for tag, action in self.attributes.items()),
        ]
        return content if any(content) else []

    def content(self) -> list[Any]:
        """All that a signature stands for; notes do not count."""
        findings = sorted((kind, key, one.action, one.seen) for (kind, key), one in self.findings.items())
        return [findings, *self.preparation_content()] if findings or self.preparation_content() else []


def seen_digest(content: object) -> str:
    """Of what a person is shown; the letter keeps a spreadsheet from taking it for a number."""
    return "s" + hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_SEEN_DIGITS]


# the decisions ----------------------------------------------------------------


def load_dataset_decisions(layout: Layout) -> DatasetDecisions:
    """What was decided so far; raises ProjectError("decisions-damaged") with file and line."""
    path = layout.dataset_csv
    if not is_there(path):
        return DatasetDecisions()
    findings: dict[tuple[FindingKind, str], FindingDecision] = {}
    studies: set[str] = set()
    attributes: dict[int, Action] = {}
    line = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            if tuple(next(reader, ())) != COLUMNS:
                raise ValueError
            for cells in reader:
                line = reader.line_num
                kind, key, seen, decision, note = map(text_of_cell, cells)
                if kind == _STUDY:
                    if decision != FindingAction.EXCLUDE or not key:
                        raise ValueError
                    studies.add(key)
                elif kind == _ATTRIBUTE:
                    tag = _tag(key)
                    attributes[tag] = _attribute_action(tag, decision)
                else:
                    findings[FindingKind(kind), key] = FindingDecision(FindingAction(decision), seen, note)
    except (ValueError, csv.Error) as error:
        raise ProjectError("decisions-damaged", file=path.name, line=line) from error
    return DatasetDecisions(findings, frozenset(studies), attributes)


def _tag(keyword: str) -> int:
    tag = tag_of(keyword)
    if tag is None:
        raise ValueError
    return tag


def _attribute_action(tag: int, text: str) -> Action:
    action = Action(text)
    if action not in ATTRIBUTE_ACTIONS or (action is Action.COARSEN and tag not in COARSE_STEPS):
        raise ValueError
    return action


def save_dataset_decisions(layout: Layout, decisions: DatasetDecisions) -> None:
    """Replace the file as a whole, owner-only: it names studies."""
    rows = [(kind.value, key, one.seen, one.action.value, one.note) for (kind, key), one in decisions.findings.items()]
    rows += [(_STUDY, uid, "", FindingAction.EXCLUDE.value, "") for uid in decisions.studies]
    rows += [(_ATTRIBUTE, keyword_of(tag), "", action.value, "") for tag, action in decisions.attributes.items()]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(tuple(map(cell_of_text, row)) for row in rows))
    write_atomically(layout.dataset_csv, text.getvalue().encode())


# the findings -----------------------------------------------------------------


def replace_findings(store: Store, findings: Iterable[Finding], facts: str) -> None:
    """Write the findings anew, with the digest of what they were found in; inside a transaction."""
    store.execute("DELETE FROM dataset_findings")
    store.executemany(
        "INSERT INTO dataset_findings (kind, key, seen, blocks, details, original_members) VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                one.kind.value,
                one.original_key,
                one.seen,
                int(one.blocks),
                json.dumps(one.details, sort_keys=True),
                json.dumps(one.original_members),
            )
            for one in findings
        ),
    )
    store.set_meta(CHECKED_FACTS, facts)


def load_findings(store: Store) -> tuple[Finding, ...]:
    """The findings of the last check: those that block first, then by kind."""
    order = list(FindingKind)
    rows = store.execute("SELECT kind, key, seen, blocks, details, original_members FROM dataset_findings")
    found = [
        Finding(
            FindingKind(row["kind"]),
            row["key"],
            row["seen"],
            bool(row["blocks"]),
            json.loads(row["details"]),
            tuple(json.loads(row["original_members"])),
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda one: (not one.blocks, order.index(one.kind), one.original_key)))
