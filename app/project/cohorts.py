"""Which group a study was drawn for, and what the study lists say of it: written by ``select``, read by later steps."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from app.project.store import Store

_COUNTS = "group_counts"

# patients.id, Study Instance UID: the same study UID under two patients is two studies
StudyKey = tuple[int, str]


@dataclass(frozen=True, slots=True)
class StudyGroup:
    """A study that fits a group; ``is_drawn`` is False where enough others were drawn."""

    patient_id: int
    original_study_uid: str
    group: str
    is_drawn: bool

    @property
    def key(self) -> StudyKey:
        """What studies are looked up by."""
        return self.patient_id, self.original_study_uid


@dataclass(frozen=True, slots=True)
class Shortage:
    """A kind of study of which matching finds too few; ``original_kind`` is empty where what is matched is missing."""

    original_kind: tuple[str, ...]
    wanted: int
    found: int


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How a group came out. ``found`` could be drawn, at most one a patient where asked; ``wanted`` None: all."""

    name: str
    wanted: int | None
    found: int
    drawn: int
    original_shortages: tuple[Shortage, ...] = ()

    @property
    def short(self) -> int:
        """How many studies are lacking."""
        return 0 if self.wanted is None else max(0, self.wanted - self.drawn)

    @property
    def over(self) -> int:
        """How many more than wanted were found."""
        return 0 if self.wanted is None else max(0, self.found - self.wanted)


def load_group_counts(store: Store) -> tuple[GroupCounts, ...]:
    """How each group of the protocol came out of the last selection, in the protocol's order."""
    return tuple(
        GroupCounts(
            row["name"],
            row["wanted"],
            row["found"],
            row["drawn"],
            tuple(
                Shortage(tuple(one["original_kind"]), one["wanted"], one["found"]) for one in row["original_shortages"]
            ),
        )
        for row in json.loads(store.get_meta(_COUNTS) or "[]")
    )


def load_study_groups(store: Store) -> list[StudyGroup]:
    """Every study that fits a group, by patient and study UID; none where the protocol has no groups."""
    rows = store.execute("SELECT patient_id, original_study_uid, group_name, is_drawn FROM study_groups ORDER BY 1, 2")
    return [StudyGroup(patient, study, group, bool(is_drawn)) for patient, study, group, is_drawn in rows]


def load_drawn_groups(store: Store) -> dict[StudyKey, str]:
    """The group of each study that was drawn for one."""
    return {one.key: one.group for one in load_study_groups(store) if one.is_drawn}


def load_study_labels(store: Store) -> dict[StudyKey, dict[str, str]]:
    """Label name -> value of each study that a list labels, whether it is selected or not."""
    labels: dict[StudyKey, dict[str, str]] = {}
    rows = store.execute("SELECT patient_id, original_study_uid, name, value FROM study_labels ORDER BY 1, 2, 3")
    for patient, study, name, value in rows:
        labels.setdefault((patient, study), {})[name] = value
    return labels


def load_patients_in_groups(store: Store) -> dict[int, tuple[str, ...]]:
    """Patients with drawn studies in more than one group: patients.id -> the groups, sorted."""
    groups: dict[int, set[str]] = {}
    for (patient_id, _), group in load_drawn_groups(store).items():
        groups.setdefault(patient_id, set()).add(group)
    return {patient_id: tuple(sorted(of_patient)) for patient_id, of_patient in groups.items() if len(of_patient) > 1}


def replace_cohorts(
    store: Store,
    groups: Iterable[StudyGroup],
    labels: Mapping[StudyKey, Mapping[str, str]],
    counts: Sequence[GroupCounts] = (),
) -> None:
    """Write groups, labels and counts anew; inside a transaction."""
    store.set_meta(_COUNTS, json.dumps([asdict(one) for one in counts]))
    store.execute("DELETE FROM study_groups")
    store.executemany(
        "INSERT INTO study_groups (patient_id, original_study_uid, group_name, is_drawn) VALUES (?, ?, ?, ?)",
        ((one.patient_id, one.original_study_uid, one.group, int(one.is_drawn)) for one in groups),
    )
    store.execute("DELETE FROM study_labels")
    store.executemany(
        "INSERT INTO study_labels (patient_id, original_study_uid, name, value) VALUES (?, ?, ?, ?)",
        (
            (patient_id, study, name, value)
            for (patient_id, study), of_study in labels.items()
            for name, value in of_study.items()
        ),
    )
