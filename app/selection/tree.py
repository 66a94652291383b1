"""The catalogue as people look at it: every series with what is taken of it, and why not the rest."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from app.dicom.query import QueryType
from app.dicom.sopclasses import object_kind
from app.project.folder import Project
from app.project.series_findings import CheckedSeries, load_checked_series
from app.protocol.predicates import Predicate
from app.selection.by_hand import load_hand_choices
from app.selection.evaluate import measures
from app.selection.groups import LEFT_OUT_BY_CHECK
from app.selection.sql import compile_predicate
from app.selection.wanted import text_of

_KEYWORDS = (
    "PatientID",
    "StudyDate",
    "StudyDescription",
    "AccessionNumber",
    "SeriesNumber",
    "SeriesDescription",
    "Modality",
    "Manufacturer",
    "BodyPartExamined",
    "SliceThickness",
    "PatientAge",
    "PatientSex",
)
# Instances of one series mostly share an attribute set; the first one speaks for the series. The attributes come as
# one JSON list of those that are shown: parsing whole sets would take several times as long.
_SERIES = f"""
SELECT c.series_id, s.patient_id, s.original_study_uid, s.original_series_uid, c.instances, c.taken, c.judged, c.size,
 json_array({", ".join(f"a.original_attributes -> '$.{keyword}'" for keyword in _KEYWORDS)}) AS original_shown
FROM (
  SELECT i.series_id, count(*) AS instances, coalesce(sum(i.selected), 0) AS taken, count(i.selected) AS judged,
   sum(f.size) AS size, min(i.attribute_set_id) AS attribute_set_id
  FROM instances AS i JOIN files AS f ON f.id = i.file_id WHERE i.reason IS NULL GROUP BY i.series_id
) AS c JOIN series AS s ON s.id = c.series_id JOIN attribute_sets AS a ON a.id = c.attribute_set_id"""  # noqa: S608
_REASONS = "SELECT series_id, original_explanation FROM exclusions ORDER BY series_id, instances, original_explanation"


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series. ``size`` in bytes; ``is_taken_by_hand`` is what a person decided, None where nobody did.

    ``checked`` is None where the checks have not seen it as it is now.
    """

    series_id: int
    patient_id: int
    original_study_uid: str
    original_patient: str
    original_study_date: str
    original_study_description: str
    original_accession: str
    original_number: str
    original_description: str
    original_modality: str
    original_manufacturer: str
    original_body_part: str
    thickness_mm: float | None
    age_years: float | None
    original_sex: str
    instances: int
    taken: int
    judged: int
    size: int
    original_reasons: tuple[str, ...]  # the one that concerns most instances first
    is_taken_by_hand: bool | None
    checked: CheckedSeries | None = None

    @property
    def is_flagged(self) -> bool:
        """Whether a check found something that matters: of what is taken, or would be without the check."""
        if self.checked is None or not self.checked.findings:
            return False
        return self.taken > 0 or any(reason.startswith(LEFT_OUT_BY_CHECK) for reason in self.original_reasons)

    @property
    def is_open(self) -> bool:
        """Whether ``select`` has not judged all of it yet."""
        return self.judged < self.instances


def load_series(project: Project) -> list[SeriesRow]:
    """Every series with instances that count: by patient, then examination by date, then number."""
    by_hand = load_hand_choices(project.layout.series_json)
    checked = load_checked_series(project.store)
    reasons: dict[int, list[str]] = {}
    for series_id, reason in project.store.execute(_REASONS):
        reasons.setdefault(series_id, []).insert(0, reason)
    rows = []
    for row in project.store.execute(_SERIES):
        choice = by_hand.get((row["original_study_uid"], row["original_series_uid"]))
        is_taken_by_hand = None if choice is None else choice.is_taken
        series_id = row["series_id"]
        rows.append(_series_row(row, reasons.get(series_id, ()), is_taken_by_hand, checked.get(series_id)))
    rows.sort(key=_order)
    return rows


def _series_row(
    row: Any, reasons: Iterable[str], is_taken_by_hand: bool | None, checked: CheckedSeries | None
) -> SeriesRow:
    shown = dict(zip(_KEYWORDS, json.loads(row["original_shown"]), strict=True))
    texts = {keyword: text_of(shown[keyword]).strip() for keyword in _KEYWORDS}
    return SeriesRow(
        series_id=row["series_id"],
        patient_id=row["patient_id"],
        original_study_uid=row["original_study_uid"],
        original_patient=texts["PatientID"],
        original_study_date=texts["StudyDate"],
        original_study_description=texts["StudyDescription"],
        original_accession=texts["AccessionNumber"],
        original_number=texts["SeriesNumber"],
        original_description=texts["SeriesDescription"],
        original_modality=texts["Modality"],
        original_manufacturer=texts["Manufacturer"],
        original_body_part=texts["BodyPartExamined"],
        thickness_mm=_measure(QueryType.NUMBER, shown["SliceThickness"]),
        age_years=_measure(QueryType.AGE, shown["PatientAge"]),
        original_sex=texts["PatientSex"],
        instances=row["instances"],
        taken=row["taken"],
        judged=row["judged"],
        size=row["size"],
        original_reasons=tuple(reasons),
        is_taken_by_hand=is_taken_by_hand,
        checked=checked,
    )


def _measure(query_type: QueryType, value: object) -> float | None:
    found = measures(query_type, [value]) if isinstance(value, str | int | float) else []
    return found[0] if found else None


def _order(row: SeriesRow) -> tuple[object, ...]:
    number = int(row.original_number) if row.original_number.isdecimal() else 0
    return (
        row.original_patient,
        row.patient_id,
        row.original_study_date,
        row.original_study_uid,
        number,
        row.original_description,
        row.series_id,
    )


def series_matching(project: Project, predicate: Predicate) -> frozenset[int]:
    """The ids of the series of which an instance is what a predicate asks for; answered by the database."""
    store = project.store
    kinds = {uid: object_kind(uid).value for (uid,) in store.execute("SELECT DISTINCT sop_class_uid FROM instances")}
    condition = compile_predicate(predicate, "a.original_attributes", "g.facts")
    # Made of constants of this package only; values are bound.
    sql = f"""SELECT DISTINCT g.series_id FROM (
          SELECT i.series_id, i.attribute_set_id,
           json_set(coalesce(s.facts, '{{}}'), '$.ObjectKind', k.value) AS facts
          FROM (SELECT DISTINCT series_id, attribute_set_id, sop_class_uid FROM instances WHERE reason IS NULL) AS i
          JOIN series AS s ON s.id = i.series_id JOIN json_each(?) AS k ON k.key = i.sop_class_uid
        ) AS g JOIN attribute_sets AS a ON a.id = g.attribute_set_id WHERE {condition.sql}"""  # noqa: S608
    return frozenset(row[0] for row in store.execute(sql, (json.dumps(kinds), *condition.parameters)))


def has_text(row: SeriesRow, words: Iterable[str]) -> bool:
    """Whether every word is somewhere in what is shown of a series."""
    text = "\n".join(
        (
            row.original_patient,
            row.original_accession,
            row.original_study_date,
            row.original_study_description,
            row.original_description,
            row.original_modality,
            row.original_body_part,
        )
    ).casefold()
    return all(word.casefold() in text for word in words)


# patient > study > series ------------------------------------------------------


class Level(IntEnum):
    """How deep a branch is."""

    ROOT = 0
    PATIENT = 1
    STUDY = 2
    SERIES = 3


@dataclass(frozen=True, slots=True)
class Branch:
    """A patient, study or series with what is below it summed up; ``row`` is its first series.

    ``original_modalities`` are those of all its series, each once.

    ``parent`` and ``children`` are places in the list of branches, ``place`` the one among the parent's children.
    """

    level: Level
    parent: int
    place: int
    children: tuple[int, ...]
    row: SeriesRow | None
    original_modalities: tuple[str, ...]
    series: int
    series_taken: int
    series_open: int  # not judged by ``select`` yet
    series_flagged: int  # of which a check found something
    instances: int
    taken: int
    size: int


# Patient, study UID, series: as many of them as the level has.
BranchKey = tuple[int | str, ...]


def branch_key(branch: Branch) -> BranchKey:
    """What stays the same of a branch when the tree is made anew; empty for the root."""
    row = branch.row
    return () if row is None else (row.patient_id, row.original_study_uid, row.series_id)[: int(branch.level)]


def arrange(rows: Iterable[SeriesRow]) -> list[Branch]:
    """The tree of some series in the order of ``load_series``; the root comes first."""
    tree = _Growing()
    for row in rows:
        tree.add(row)
    return tree.branches()


class _Growing:
    def __init__(self) -> None:
        self._levels: list[Level] = [Level.ROOT]
        self._parents: list[int] = [-1]
        self._children: list[list[int]] = [[]]
        self._rows: list[SeriesRow | None] = [None]
        self._modalities: list[dict[str, None]] = [{}]
        self._sums: list[list[int]] = [[0] * 7]
        self._patient = self._study = 0

    def add(self, row: SeriesRow) -> None:
        patient, study = self._rows[self._patient], self._rows[self._study]
        is_new_patient = patient is None or patient.patient_id != row.patient_id
        if is_new_patient:
            self._patient = self._grow(Level.PATIENT, 0, row)
        if is_new_patient or study is None or study.original_study_uid != row.original_study_uid:
            self._study = self._grow(Level.STUDY, self._patient, row)
        series = self._grow(Level.SERIES, self._study, row)
        is_taken = row.taken > 0
        summands = (1, int(is_taken), int(row.is_open), int(row.is_flagged), row.instances, row.taken, row.size)
        for place in (0, self._patient, self._study, series):
            self._modalities[place][row.original_modality] = None
            for which, summand in enumerate(summands):
                self._sums[place][which] += summand

    def _grow(self, level: Level, parent: int, row: SeriesRow) -> int:
        place = len(self._rows)
        self._levels.append(level)
        self._parents.append(parent)
        self._children[parent].append(place)
        self._children.append([])
        self._rows.append(row)
        self._modalities.append({})
        self._sums.append([0] * 7)
        return place

    def branches(self) -> list[Branch]:
        places = [0] * len(self._rows)
        for children in self._children:
            for place, child in enumerate(children):
                places[child] = place
        return [
            Branch(level, parent, place, tuple(children), row, tuple(filter(None, modalities)), *sums)
            for level, parent, place, children, row, modalities, sums in zip(
                self._levels,
                self._parents,
                places,
                self._children,
                self._rows,
                self._modalities,
                self._sums,
                strict=True,
            )
        ]
