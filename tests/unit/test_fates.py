from app.deid.comparison import ComparedRow, Fate
from app.deid.rules import Source
from app.deid.values import Drop
from app.dicom.profile import Action
from app.text.fates import ACTIONS, DROPS, FATES, SOURCES, why


def row(
    fate: Fate, action: Action | None = None, source: Source | None = None, reason: Drop | None = None
) -> ComparedRow:
    return ComparedRow(0, 0x00100010, "PatientName", "Patient's Name", "PN", fate, "", "", (), action, source, reason)


def test_every_fate_action_reason_and_source_has_words() -> None:
    assert set(FATES) == set(Fate)
    assert set(ACTIONS) == set(Action)
    assert set(DROPS) == set(Drop)
    assert set(SOURCES) == set(Source)


def test_reason_comes_before_the_rule_and_a_decision_of_a_person_stands_alone() -> None:
    by_rule = why(row(Fate.REMOVED, Action.REMOVE, Source.PROFILE, Drop.BY_RULE))
    assert by_rule == f"{DROPS[Drop.BY_RULE]} {SOURCES[Source.PROFILE]}"
    assert why(row(Fate.REMOVED, Action.KEEP, Source.ALLOW_LIST, Drop.DECISION)) == DROPS[Drop.DECISION]
    kept = why(row(Fate.KEPT, Action.KEEP, Source.ALLOW_LIST))
    assert kept == f"{ACTIONS[Action.KEEP]} {SOURCES[Source.ALLOW_LIST]}"


def test_what_we_add_says_so() -> None:
    assert why(row(Fate.ADDED)).startswith("Consign writes this into every file")
