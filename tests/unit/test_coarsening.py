import pytest

from app.deid.rules import Source, compile_rules
from app.dicom.coarsening import coarsen
from app.dicom.profile import Action, DatePreset, Option

AGE, SIZE, WEIGHT, ETHNIC_GROUP = 0x00101010, 0x00101020, 0x00101030, 0x00102160


@pytest.mark.parametrize(
    ("tag", "value", "told"),
    [
        (AGE, "047Y", "040Y"),
        (AGE, "050Y", "050Y"),
        (AGE, "007Y", "000Y"),
        (AGE, "011M", "000Y"),
        (AGE, "096Y", "090Y"),
        (AGE, "47", None),
        (SIZE, "1.78", "1.8"),
        (SIZE, "1.70", "1.7"),
        (WEIGHT, "74.5", "70"),
        (WEIGHT, "75.5", "80"),
        (ETHNIC_GROUP, "1", None),
    ],
)
def test_value_is_told_in_steps(tag: int, value: str, told: str | None) -> None:
    assert coarsen(tag, value) == told


def test_site_coarsens_what_leaves_and_says_so() -> None:
    options = frozenset((Option.RETAIN_PATIENT_CHARACTERISTICS,))
    rule = compile_rules(options, DatePreset.SHIFTED, (), ((AGE, Action.COARSEN),)).rule(AGE)
    assert rule is not None
    assert (rule.action, rule.source) == (Action.COARSEN, Source.SITE)
    assert rule.option is Option.RETAIN_PATIENT_CHARACTERISTICS


def test_site_never_lets_out_what_the_protocol_removes() -> None:
    table = compile_rules(frozenset(), DatePreset.SHIFTED, (), ((AGE, Action.COARSEN), (0x00104000, Action.EMPTY)))
    age = table.rule(AGE)
    assert age is not None
    assert age.action is Action.REMOVE
