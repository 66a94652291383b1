"""Released values that very few patients have: each may tell who somebody is, to one who knows of it."""

from collections.abc import Mapping, Sequence

from app.dataset.released import ReleasedStudy

FEWEST_PATIENTS = 10  # in smaller data sets every value is rare


def find_rare_values(studies: Sequence[ReleasedStudy], fewer_than: int) -> dict[str, Mapping[str, int]]:
    """Path -> value -> patients, of values of fewer patients than ``fewer_than``.

    Only of attributes that mostly repeat themselves: where nearly every value is rare, none stands out.
    """
    patients: dict[str, dict[str, set[int]]] = {}
    for study in studies:
        for path, values in study.texts.items():
            for value in values:
                patients.setdefault(path, {}).setdefault(value, set()).add(study.patient_id)
    total = len({study.patient_id for study in studies})
    if total < FEWEST_PATIENTS:
        return {}
    rare: dict[str, Mapping[str, int]] = {}
    for path, values_of_path in sorted(patients.items()):
        few = {value: len(who) for value, who in sorted(values_of_path.items()) if len(who) < fewer_than}
        concerned = set().union(*(values_of_path[value] for value in few)) if few else set()
        if few and len(concerned) <= total / 2:
            rare[path] = few
    return rare
