"""k-anonymity over what leaves of a person: how many patients share the same age, sex and so on.

The quasi-identifiers are those attributes that somebody may know of a person (Sweeney 2002); only those that leave
count. A patient with several studies has all values of all of them. A missing value is a value: who has none, stands
with the others who have none. Shifted dates are no quasi-identifier: nobody knows the shift.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.dataset.released import ReleasedStudy
from app.dicom.coarsening import coarsen
from app.dicom.dictionary import tag_of
from app.dicom.profile import COARSE_STEPS

QUASI_IDENTIFIERS = ("PatientAge", "PatientSex", "EthnicGroup", "PatientSize", "PatientWeight", "InstitutionName")
STUDY_YEAR = "StudyDate"  # its year


@dataclass(frozen=True, slots=True)
class Grouping:
    """How patients fall into groups that nothing released tells apart.

    Attributes
    ----------
    attributes
        The quasi-identifiers that leave.
    sizes
        Released values, in the order of ``attributes`` -> patients.
    below
        Patients in groups smaller than k, by row of ``patients``.
    """

    attributes: tuple[str, ...]
    sizes: Mapping[tuple[str, ...], int] = field(repr=False)
    below: frozenset[int]
    patients: int

    @property
    def smallest(self) -> int:
        """Patients of the smallest group; 0 where there are none."""
        return min(self.sizes.values(), default=0)


def group_patients(
    studies: Sequence[ReleasedStudy], k: int, *, dates_are_true: bool, coarse: frozenset[str] = frozenset()
) -> Grouping:
    """Group the patients by what leaves of them.

    ``dates_are_true``: the year of a study leaves unshifted. ``coarse`` attributes are taken as if told in steps: what
    coarsening them would bring.
    """
    known: dict[int, dict[str, set[str]]] = {}
    for study in studies:
        values = known.setdefault(study.patient_id, {})
        for attribute in QUASI_IDENTIFIERS:
            values.setdefault(attribute, set()).update(_values(study, attribute, attribute in coarse))
        if dates_are_true and STUDY_YEAR in study.numbers:
            low, high = study.numbers[STUDY_YEAR]
            values.setdefault(STUDY_YEAR, set()).update((f"{low:08.0f}"[:4], f"{high:08.0f}"[:4]))
    attributes = tuple(
        name for name in (*QUASI_IDENTIFIERS, STUDY_YEAR) if any(values.get(name) for values in known.values())
    )
    rows = {
        patient: tuple(" ".join(sorted(values.get(name, ()))) for name in attributes)
        for patient, values in known.items()
    }
    sizes = Counter(rows.values())
    below = frozenset(patient for patient, row in rows.items() if sizes[row] < k)
    return Grouping(attributes, dict(sizes), below, len(rows))


def coarsenable(grouping: Grouping) -> tuple[str, ...]:
    """The quasi-identifiers that leave and can be told in steps."""
    return tuple(name for name in grouping.attributes if (tag_of(name) or 0) in COARSE_STEPS)


def _values(study: ReleasedStudy, attribute: str, is_coarse: bool) -> set[str]:
    values = set(study.texts.get(attribute, ()))
    if attribute in study.numbers:
        values = {f"{end:g}" for end in study.numbers[attribute]}
    if is_coarse:
        tag = tag_of(attribute) or 0
        values = {coarsen(tag, value) or "" for value in values}
    return values
