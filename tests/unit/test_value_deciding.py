import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.project.decisions import Decisions, RefusedRowError, ValueAction, ValueDecision
from app.project.values import RowKind, Suspicion, ValueRow
from app.review.deciding import Choice, choice_on, choices_for, decide_rows, remember, restore


def row(path: str, value: str, *reasons: Suspicion, kind: RowKind = RowKind.VALUE) -> ValueRow:
    return ValueRow(kind, path, value, "LO", "", "", "", 1, 1, 1, reasons)


NAME = row("SeriesDescription", "Jane", Suspicion.IDENTITY)
ODD = row("SeriesDescription", "xyz", Suspicion.UNKNOWN_WORD)
RANGE = row("StudyDate", "", kind=RowKind.RANGE)
WORD = row("", "kardex", Suspicion.UNKNOWN_WORD, kind=RowKind.WORD)
ROWS = (NAME, ODD, RANGE, WORD)


def test_keep_remembers_the_suspicions_that_the_person_saw() -> None:
    decided = decide_rows(Decisions(), [NAME], Choice.KEEP)
    assert decided.values["SeriesDescription", "Jane"].seen == {Suspicion.IDENTITY}
    assert decided.settle(NAME)
    assert choice_on(NAME, decided) == (Choice.KEEP, "")
    as_text = row("SeriesDescription", "Jane", Suspicion.RARE)
    stale = decide_rows(Decisions(), [as_text], Choice.KEEP)
    assert choice_on(NAME, stale) == (Choice.OPEN, "")


def test_what_does_not_suit_a_row_leaves_it_alone() -> None:
    assert choices_for(RANGE) == (Choice.OPEN, Choice.KEEP, Choice.DROP_TAG)
    assert decide_rows(Decisions(), [RANGE], Choice.DROP) == Decisions()
    assert decide_rows(Decisions(), [WORD], Choice.DROP_TAG) == Decisions()


def test_dropped_tag_settles_all_its_values_and_a_decision_on_one_lets_it_in_again() -> None:
    dropped = decide_rows(Decisions(), [NAME], Choice.DROP_TAG)
    assert choice_on(ODD, dropped) == (Choice.DROP_TAG, "")
    again = decide_rows(dropped, [ODD], Choice.KEEP)
    assert again.tags_dropped == frozenset()
    assert choice_on(NAME, again) == (Choice.OPEN, "")


def test_word_is_called_safe_or_stays_out_never_both() -> None:
    safe = decide_rows(Decisions(), [WORD], Choice.KEEP)
    assert (safe.safe_words, safe.refused_words) == (frozenset({"kardex"}), frozenset())
    refused = decide_rows(safe, [WORD], Choice.DROP)
    assert (refused.safe_words, refused.refused_words) == (frozenset(), frozenset({"kardex"}))
    assert decide_rows(refused, [WORD], Choice.OPEN) == Decisions()


@pytest.mark.parametrize(
    ("path", "text", "code"),
    [
        ("SeriesDescription", "", "replacement-blank"),
        ("SeriesDescription", "Müller", "replacement-not-plain"),
        ("SeriesDescription", "12.03.1961", "replacement-looks-identifying"),
        ("SeriesDescription", "x" * 65, "replacement-too-long"),
        ("StudyDate", "CHEST", "replacement-not-possible"),
        ("BodyPartExamined", "Chest", "replacement-not-a-code-string"),
    ],
)
def test_replacement_is_checked_by_the_rule_of_the_csv(path: str, text: str, code: str) -> None:
    with pytest.raises(RefusedRowError) as caught:
        decide_rows(Decisions(), [row(path, "x")], Choice.REPLACE, text)
    assert caught.value.code == code


def test_replacement_holds_for_every_chosen_row() -> None:
    decided = decide_rows(Decisions(), [NAME, ODD], Choice.REPLACE, "CHEST")
    assert [choice_on(one, decided) for one in (NAME, ODD)] == [(Choice.REPLACE, "CHEST")] * 2


@given(st.lists(st.tuples(st.sampled_from(list(Choice)), st.lists(st.sampled_from(ROWS), min_size=1)), max_size=5))
def test_undo_brings_back_exactly_what_was(steps: list[tuple[Choice, list[ValueRow]]]) -> None:
    decisions = Decisions()
    for choice, rows in steps:
        before = decisions
        memory = remember(decisions, rows)
        decisions = decide_rows(decisions, rows, choice, "CHEST" if choice is Choice.REPLACE else "")
        assert restore(decisions, memory) == before


def test_undo_leaves_what_somebody_else_decided_since() -> None:
    memory = remember(Decisions(), [NAME])
    decided = decide_rows(decide_rows(Decisions(), [NAME], Choice.DROP), [ODD], Choice.KEEP)
    assert restore(decided, memory) == decide_rows(Decisions(), [ODD], Choice.KEEP)


def test_undo_of_a_dropped_tag_gives_the_values_their_decisions_back() -> None:
    kept = decide_rows(Decisions(), [NAME], Choice.KEEP)
    dropped = decide_rows(kept, [ODD], Choice.DROP_TAG)
    assert restore(dropped, remember(kept, [ODD])) == kept
    assert kept.values["SeriesDescription", "Jane"] == ValueDecision(
        ValueAction.KEEP, seen=frozenset({Suspicion.IDENTITY})
    )
