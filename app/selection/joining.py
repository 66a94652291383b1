"""The rows of study lists joined to the catalogue: who is labelled how, what is not found, what contradicts itself."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from app.project.cohorts import StudyKey
from app.project.store import Store
from app.project.study_list import STUDY_KEYWORDS, RowSource, StudyRow
from app.protocol.labels import Label, LabelType
from app.protocol.schema import Protocol
from app.selection.wanted import text_of

_STUDIES = """
SELECT DISTINCT s.patient_id, s.original_study_uid, a.original_attributes -> '$.PatientID' AS original_patient,
 a.original_attributes -> '$.AccessionNumber' AS original_accession
FROM (SELECT DISTINCT series_id, attribute_set_id FROM instances WHERE reason IS NULL) AS i
JOIN series AS s ON s.id = i.series_id JOIN attribute_sets AS a ON a.id = i.attribute_set_id"""
_IDENTITIES = "SELECT original_value FROM identities WHERE patient_id = ?"
# A number of fewer digits is too common to be told from an identifier.
_DIGITS_OF_AN_IDENTIFIER = 4


class RowTrouble(StrEnum):
    """Why a row does not count, in whole or in part."""

    NOT_FOUND = "not-found"  # nothing in the sources has its identifiers
    DISAGREES = "disagrees"  # each identifier is there, and they belong to different studies
    TWO_VALUES = "two-values"  # another row gives the same study another value of a label: neither counts
    TWO_GROUPS = "two-groups"  # another row puts the same study into another group: neither counts
    NOT_IN_PROTOCOL = "not-in-protocol"  # a group or value that the protocol does not know
    IS_IDENTIFIER = "is-identifier"  # a number that is an identifier of the patient


@dataclass(frozen=True, slots=True)
class ListProblem:
    """A row of a list, and what is wrong with it; ``label`` is the label's name where it is about one."""

    trouble: RowTrouble
    source: RowSource
    line: int
    original_identifiers: tuple[tuple[str, str], ...]
    label: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """Labels and listed group of each study, and the rows with problems in the order of the list."""

    labels: Mapping[StudyKey, Mapping[str, str]] = field(default_factory=dict)
    groups: Mapping[StudyKey, str] = field(default_factory=dict)
    problems: tuple[ListProblem, ...] = ()
    rows: int = 0


def join_rows(store: Store, rows: Sequence[StudyRow], protocol: Protocol) -> Joined:
    """Find the studies of all rows; whatever contradicts itself counts for nothing, and is told."""
    if not rows:
        return Joined()
    studies = _Studies(store)
    labels = {label.name: label for label in protocol.labels}
    group_names = {group.name for group in protocol.groups}
    problems: list[ListProblem] = []
    values: dict[tuple[StudyKey, str], list[tuple[str, StudyRow]]] = defaultdict(list)
    groups: dict[StudyKey, list[tuple[str, StudyRow]]] = defaultdict(list)
    for row in rows:
        found = studies.find(row)
        if not found:
            trouble = RowTrouble.DISAGREES if studies.has_each(row) else RowTrouble.NOT_FOUND
            problems.append(_problem(trouble, row))
        if row.group and row.group not in group_names:
            problems.append(_problem(RowTrouble.NOT_IN_PROTOCOL, row))
        for key in found:
            if row.group in group_names:
                groups[key].append((row.group, row))
            for name, value in row.labels:
                trouble_of_value = _trouble(store, key, labels.get(name), value)
                if trouble_of_value is None:
                    values[key, name].append((value, row))
                else:
                    problems.append(_problem(trouble_of_value, row, name))
    of_study: dict[StudyKey, dict[str, str]] = defaultdict(dict)
    for (key, name), said in values.items():
        if len({value for value, _ in said}) == 1:
            of_study[key][name] = said[0][0]
        else:
            problems += [_problem(RowTrouble.TWO_VALUES, row, name) for _, row in said]
    settled = {}
    for key, named in groups.items():
        if len({group for group, _ in named}) == 1:
            settled[key] = named[0][0]
        else:
            problems += [_problem(RowTrouble.TWO_GROUPS, row) for _, row in named]
    return Joined(dict(of_study), settled, tuple(sorted(set(problems), key=_order)), len(rows))


def _problem(trouble: RowTrouble, row: StudyRow, label: str = "") -> ListProblem:
    return ListProblem(trouble, row.source, row.line, row.original_identifiers, label)


def _order(problem: ListProblem) -> tuple[object, ...]:
    return problem.source, problem.line, problem.trouble, problem.label, problem.original_identifiers


def _trouble(store: Store, key: StudyKey, label: Label | None, value: str) -> RowTrouble | None:
    """Why a value may not become one of the study's; None where it may."""
    if label is None or label.value_of(value) != value:
        return RowTrouble.NOT_IN_PROTOCOL
    if label.type is LabelType.NUMBER:
        digits = value.lstrip("-").rstrip("0").rstrip(".") if "." in value else value.lstrip("-")
        if len(digits.replace(".", "")) >= _DIGITS_OF_AN_IDENTIFIER:
            known = {str(row[0]).strip().lstrip("0") for row in store.execute(_IDENTITIES, (key[0],))}
            if digits in known:
                return RowTrouble.IS_IDENTIFIER
    return None


class _Studies:
    """The studies of the catalogue by each of their identifiers."""

    def __init__(self, store: Store) -> None:
        self._by: dict[tuple[str, str], set[StudyKey]] = defaultdict(set)
        for patient_id, study, patient, accession in store.execute(_STUDIES):
            texts = (text_of(json.loads(patient or "null")), text_of(json.loads(accession or "null")), study)
            for keyword, text in zip(STUDY_KEYWORDS, texts, strict=True):
                if text.strip():
                    self._by[keyword, text.strip()].add((patient_id, study))

    def find(self, row: StudyRow) -> list[StudyKey]:
        """The studies that have all identifiers of a row, sorted."""
        sets: Iterable[set[StudyKey]] = (self._by.get(pair, set()) for pair in row.original_identifiers)
        return sorted(set.intersection(*sets))

    def has_each(self, row: StudyRow) -> bool:
        """Whether each identifier of a row is there, for some study each."""
        return all(self._by.get(pair) for pair in row.original_identifiers)
