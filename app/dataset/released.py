"""What would leave of each study, attribute by attribute: read from what *prepare* kept, under people's decisions."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from app.project.cohorts import StudyKey
from app.project.crosswalk import Crosswalk
from app.project.decisions import Decisions, ValueAction
from app.project.folder import Project

# Written into every file alike, or keyed and random by construction: they can't tell anything apart.
_OURS = frozenset(
    ("PatientName", "PatientID", "SpecificCharacterSet", "PatientIdentityRemoved", "DeidentificationMethod")
)
_NUMBER, _DATE, _TIME = "number", "date", "time"


@dataclass(frozen=True, slots=True)
class ReleasedStudy:
    """One study as it would leave.

    Attributes
    ----------
    patient_code
        Under which its files stand in the bundle.
    texts
        Path -> its released values, sorted, each once.
    numbers
        Path -> lowest and highest released value; dates as YYYYMMDD, times as HHMMSS.
    images, series, size
        Counts, and an upper bound of the bytes.
    """

    key: StudyKey
    patient_code: str
    texts: Mapping[str, tuple[str, ...]]
    numbers: Mapping[str, tuple[float, float]]
    images: int
    series: int
    size: int

    @property
    def patient_id(self) -> int:
        """Row of ``patients``."""
        return self.key[0]


def load_released_studies(project: Project, decisions: Decisions) -> list[ReleasedStudy]:
    """Every study of which something would leave, by patient and study UID."""
    crosswalk = Crosswalk(project.store, project.secret, project.site_id)
    shared: dict[object, Any] = {}
    studies: dict[StudyKey, ReleasedStudy] = {}
    for row in project.store.execute(_STUDIES):
        key = (row["patient_id"], row["original_study_uid"])
        pseudonym = crosswalk.find_patient(row["original_key"])
        code = pseudonym.code if pseudonym else ""
        studies[key] = ReleasedStudy(key, code, {}, {}, row["images"], row["series"], row["size"])
    rows = project.store.execute(_VALUES)
    for key, values in groupby(rows, lambda row: (row["patient_id"], row["original_study_uid"])):
        if key in studies:
            texts, numbers = _values(values, decisions, shared)
            studies[key] = replace(studies[key], texts=texts, numbers=numbers)
    return list(studies.values())


def _values(
    rows: Iterable[Any], decisions: Decisions, shared: dict[object, Any]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[float, float]]]:
    """Texts and numbers of one study. ``shared``: what studies have in common is kept once, which is most of it."""
    texts: dict[str, set[str]] = defaultdict(set)
    numbers: dict[str, tuple[float, float]] = {}
    for row in rows:
        path = shared.setdefault(row["path"], row["path"])
        if path in decisions.tags_dropped or path.partition(".")[0] in _OURS:
            continue
        if row["fold"] in (_NUMBER, _DATE, _TIME):
            low, high = _number(row["low"]), _number(row["high"])
            if low is not None and high is not None:
                known = numbers.get(path, (low, high))
                numbers[path] = min(known[0], low), max(known[1], high)
        elif not row["fold"]:
            value = _as_decided(decisions, path, row["value"])
            if value:
                texts[path].add(value)
    sorted_texts = {path: tuple(sorted(values)) for path, values in texts.items()}
    return (
        {path: shared.setdefault(values, values) for path, values in sorted_texts.items()},
        {path: shared.setdefault(bounds, bounds) for path, bounds in numbers.items()},
    )


_VALUES = """
SELECT DISTINCT s.patient_id, s.original_study_uid, v.path, v.fold, v.value, v.low, v.high
FROM released_values v JOIN series s ON s.id = CAST(v.batch AS INTEGER)
WHERE v.fold IN ('', 'number', 'date', 'time') ORDER BY 1, 2
"""
_STUDIES = """
SELECT s.patient_id, s.original_study_uid, p.original_key, count(*) AS images, count(DISTINCT s.id) AS series,
  coalesce(sum(i.released_size), 0) AS size
FROM instances i JOIN series s ON s.id = i.series_id JOIN patients p ON p.id = s.patient_id
WHERE i.selected = 1 AND i.reason IS NULL AND i.state = 'prepared' GROUP BY 1, 2 ORDER BY 1, 2
"""


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        # A date with a time behind it, or a zone: its day tells enough.
        return float(text[:8]) if text is not None and text[:8].isdecimal() else None


def _as_decided(decisions: Decisions, path: str, value: str) -> str:
    """A value as it leaves; '' where a person dropped it."""
    decision = decisions.values.get((path, value))
    if decision is None or decision.action is ValueAction.KEEP:
        return value
    return decision.replacement if decision.action is ValueAction.REPLACE else ""
