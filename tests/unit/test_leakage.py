import random

import pytest

from app.dataset.leakage import IMAGES, ORDER, find_leaks
from app.dataset.released import ReleasedStudy


def studies(count: int, **columns: list[str]) -> list[ReleasedStudy]:
    """One study a patient, with texts from the columns and figures that say nothing."""
    noise = random.Random(7)
    return [
        ReleasedStudy(
            key=(number, f"1.{number}"),
            patient_code=f"S-{noise.randrange(10**9):09}",
            texts={path: (values[number],) for path, values in columns.items()},
            numbers={"PatientWeight": (noise.uniform(50, 90),) * 2},
            images=noise.randrange(80, 120),
            series=1,
            size=noise.randrange(10**7, 2 * 10**7),
        )
        for number in range(count)
    ]


def labels(count: int) -> dict[tuple[int, str], str]:
    return {(number, f"1.{number}"): "case" if number % 3 == 0 else "control" for number in range(count)}


def test_attribute_that_is_the_label_is_found_with_its_figure() -> None:
    makers = ["Acme" if number % 3 == 0 else "Bolt" for number in range(60)]
    (leak,) = find_leaks(studies(60, Manufacturer=makers), "group", labels(60))
    assert (leak.attribute, leak.accuracy, leak.classes) == ("Manufacturer", 1.0, ("case", "control"))
    assert leak.score == 1.0
    assert leak.shuffled < 0.9


def test_attribute_that_mostly_tells_the_label_is_measured_on_patients_it_was_not_learned_from() -> None:
    noise = random.Random(3)
    makers = ["Acme" if (number % 3 == 0) != (noise.random() < 0.1) else "Bolt" for number in range(300)]
    (leak,) = find_leaks(studies(300, Manufacturer=makers), "group", labels(300))
    truth = [(maker == "Acme") == (number % 3 == 0) for number, maker in enumerate(makers)]
    cases = [right for number, right in enumerate(truth) if number % 3 == 0]
    controls = [right for number, right in enumerate(truth) if number % 3]
    expected = (sum(cases) / len(cases) + sum(controls) / len(controls)) / 2
    assert leak.accuracy == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_said_of_attributes_that_tell_nothing(seed: int) -> None:
    noise = random.Random(seed)
    columns = {f"Attribute{name}": [noise.choice("ABCDE") for _ in range(90)] for name in range(40)}
    assert [leak for leak in find_leaks(studies(90, **columns), "group", labels(90)) if leak.score >= 0.75] == []


def test_a_value_of_its_own_for_every_study_tells_nothing() -> None:
    unique = [f"value {number}" for number in range(60)]
    assert find_leaks(studies(60, StudyID=unique), "group", labels(60)) == []


def test_size_of_a_study_and_its_place_in_the_bundle_are_looked_at() -> None:
    plain = studies(60)
    by_label = [
        ReleasedStudy(
            one.key, f"S-{1000 * (number % 3 > 0) + number}", {}, {}, 400 if number % 3 == 0 else 100, 1, one.size
        )
        for number, one in enumerate(plain)
    ]
    found = {leak.attribute: leak.accuracy for leak in find_leaks(by_label, "group", labels(60))}
    assert found[IMAGES] == 1.0
    assert found[ORDER] > 0.9


def test_number_is_judged_by_its_value() -> None:
    cases = [
        ReleasedStudy(one.key, one.patient_code, {}, {"KVP": (80.0 + number % 4 + number / 100,) * 2}, 1, 1, 1)
        for number, one in enumerate(studies(60))
    ]
    assert find_leaks(cases, "group", labels(60)) == []
    high = [
        ReleasedStudy(
            one.key, one.patient_code, {}, {"KVP": ((140.0 if number % 3 == 0 else 80.0) + number / 100,) * 2}, 1, 1, 1
        )
        for number, one in enumerate(studies(60))
    ]
    assert find_leaks(high, "group", labels(60))[0].accuracy > 0.9


def test_classes_of_fewer_than_five_patients_say_nothing() -> None:
    few = {(number, f"1.{number}"): "case" if number < 4 else "control" for number in range(60)}
    makers = ["Acme" if number < 4 else "Bolt" for number in range(60)]
    assert find_leaks(studies(60, Manufacturer=makers), "group", few) == []


def test_three_classes_are_compared_on_the_same_scale() -> None:
    three = {(number, f"1.{number}"): "abc"[number % 3] for number in range(90)}
    makers = [("Acme", "Bolt", "Core")[number % 3] for number in range(90)]
    (leak,) = find_leaks(studies(90, Manufacturer=makers), "stage", three)
    assert (leak.chance, leak.score) == (1 / 3, 1.0)
