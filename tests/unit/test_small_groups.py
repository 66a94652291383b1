from app.dataset.released import ReleasedStudy
from app.dataset.small_groups import coarsenable, group_patients


def study(
    patient: int, age: str, sex: str = "F", *, uid: str = "", day: float = 20200101, size: float | None = None
) -> ReleasedStudy:
    numbers = {"StudyDate": (day, day)} | ({"PatientSize": (size, size)} if size else {})
    texts = {"PatientAge": (age,), "PatientSex": (sex,)}
    return ReleasedStudy((patient, uid or f"1.{patient}"), f"S-{patient}", texts, numbers, 1, 1, 1)


def test_patients_who_share_everything_are_one_group() -> None:
    grouping = group_patients([study(1, "047Y"), study(2, "047Y"), study(3, "048Y")], 2, dates_are_true=False)
    assert grouping.attributes == ("PatientAge", "PatientSex")
    assert grouping.sizes == {("047Y", "F"): 2, ("048Y", "F"): 1}
    assert (grouping.smallest, grouping.below, grouping.patients) == (1, frozenset((3,)), 3)


def test_steps_make_groups_larger_and_say_by_how_much() -> None:
    people = [study(1, "041Y"), study(2, "047Y"), study(3, "048Y")]
    assert len(group_patients(people, 3, dates_are_true=False).below) == 3
    coarse = group_patients(people, 3, dates_are_true=False, coarse=frozenset(("PatientAge",)))
    assert (coarse.sizes, coarse.below) == ({("040Y", "F"): 3}, frozenset())
    assert coarsenable(coarse) == ("PatientAge",)


def test_the_year_of_a_study_counts_only_where_it_is_the_true_one() -> None:
    people = [study(1, "047Y", day=20190301), study(2, "047Y", day=20200301)]
    assert group_patients(people, 2, dates_are_true=False).smallest == 2
    assert group_patients(people, 2, dates_are_true=True).smallest == 1


def test_a_patient_has_the_values_of_all_studies() -> None:
    people = [study(1, "047Y"), study(1, "048Y", uid="1.9"), study(2, "047Y")]
    grouping = group_patients(people, 2, dates_are_true=False)
    assert grouping.patients == 2
    assert grouping.smallest == 1


def test_a_missing_value_is_a_value() -> None:
    people = [study(1, "047Y", size=1.8), study(2, "047Y")]
    grouping = group_patients(people, 2, dates_are_true=False)
    assert grouping.sizes == {("047Y", "F", "1.8"): 1, ("047Y", "F", ""): 1}


def test_nobody_is_no_group() -> None:
    assert group_patients([], 5, dates_are_true=True).smallest == 0
