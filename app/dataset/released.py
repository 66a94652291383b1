"""What would leave of each study, attribute by attribute: read from what *prepare* kept, under people's decisions."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

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
    texts: dict[StudyKey, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    numbers: dict[StudyKey, dict[str, tuple[float, float]]] = defaultdict(dict)
    for row in project.store.execute(_VALUES):
        path, key = row["path"], (row["patient_id"], row["original_study_uid"])
        if path in decisions.tags_dropped or path.partition(".")[0] in _OURS:
            continue
        if row["fold"] in (_NUMBER, _DATE, _TIME):
            low, high = _number(row["low"]), _number(row["high"])
            if low is not None and high is not None:
                known = numbers[key].get(path, (low, high))
                numbers[key][path] = min(known[0], low), max(known[1], high)
        elif not row["fold"]:
            value = _as_decided(decisions, path, row["value"])
            if value:
                texts[key][path].add(value)
    crosswalk = Crosswalk(project.store, project.secret, project.site_id)
    studies = []
    for row in project.store.execute(_STUDIES):
        key = (row["patient_id"], row["original_study_uid"])
        pseudonym = crosswalk.find_patient(row["original_key"])
        studies.append(
            ReleasedStudy(
                key,
                pseudonym.code if pseudonym else "",
                {path: tuple(sorted(values)) for path, values in texts[key].items()},
                dict(numbers[key]),
                row["images"],
                row["series"],
                row["size"],
            )
        )
    return studies


_VALUES = """
SELECT DISTINCT s.patient_id, s.original_study_uid, v.path, v.fold, v.value, v.low, v.high
FROM released_values v JOIN series s ON s.id = CAST(v.batch AS INTEGER)
WHERE v.fold IN ('', 'number', 'date', 'time')
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
