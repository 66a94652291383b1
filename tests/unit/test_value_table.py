import pytest

from app.project.decisions import Decisions
from app.project.values import RowKind, Suspicion, ValueRow, by_severity
from app.review.deciding import Choice, decide_rows
from app.review.table import Column, Query, ValueTable, name_of, shown_value


def row(
    path: str,
    value: str,
    *reasons: Suspicion,
    kind: RowKind = RowKind.VALUE,
    vr: str = "LO",
    instances: int = 1,
    low: str = "",
    high: str = "",
) -> ValueRow:
    return ValueRow(kind, path, value, vr, "", low, high, instances, 1, 1, by_severity(reasons))


ROWS = sorted(
    [
        row("SeriesDescription", "Thorax", instances=40),
        row("SeriesDescription", "Jane", Suspicion.IDENTITY, Suspicion.RARE),
        row("StudyDescription", "Ward 12", Suspicion.RARE, instances=7),
        row("RequestAttributesSequence.CodeMeaning", "Thorax nativ", Suspicion.UNKNOWN_WORD, vr="SH"),
        row("StudyDate", "", kind=RowKind.RANGE, vr="DA", low="20100101", high="20191231"),
        row("", "kardex", Suspicion.UNKNOWN_WORD, kind=RowKind.WORD, vr="", instances=99),
    ],
    key=lambda one: one.sort_key,
)


@pytest.fixture
def table() -> ValueTable:
    return ValueTable(ROWS, Decisions())


def values(table: ValueTable, query: Query, column: Column = Column.SUSPICION, descending: bool = False) -> list[str]:
    numbers = table.find(query, column, descending=descending)
    return [shown_value(table.rows[number]) for number in numbers.tolist()]


def test_suspicious_rows_come_first_the_worst_on_top(table: ValueTable) -> None:
    assert values(table, Query())[:2] == ["Jane", "kardex"]
    assert values(table, Query())[-1].startswith("2010")


def test_search_looks_into_name_path_and_value_and_wants_every_word(table: ValueTable) -> None:
    assert values(table, Query("THORAX")) == ["Thorax nativ", "Thorax"]
    assert values(table, Query("code meaning thorax")) == ["Thorax nativ"]
    assert values(table, Query("seriesdesc jane")) == ["Jane"]
    assert values(table, Query("nothing")) == []
    assert values(table, Query("2019")) == ["20100101 \u2013 20191231"]


def test_filters_narrow_together(table: ValueTable) -> None:
    assert values(table, Query(reasons=frozenset({Suspicion.RARE}))) == ["Jane", "Ward 12"]
    assert values(table, Query("ward", reasons=frozenset({Suspicion.RARE, Suspicion.UNKNOWN_WORD}))) == ["Ward 12"]
    assert values(table, Query(vr="SH")) == ["Thorax nativ"]
    assert values(table, Query(kind=RowKind.WORD)) == ["kardex"]
    assert values(table, Query(path="SeriesDescription")) == ["Jane", "Thorax"]
    assert values(table, Query(path="PatientName")) == []
    assert len(values(table, Query(suspicious_only=True))) == 4


def test_decision_filter_follows_the_decisions(table: ValueTable) -> None:
    jane = table.find(Query("jane")).tolist()
    decided = decide_rows(Decisions(), [table.rows[number] for number in jane], Choice.DROP)
    table.decide(decided, jane)
    assert values(table, Query(choices=frozenset({Choice.DROP}))) == ["Jane"]
    assert "Jane" not in values(table, Query(choices=frozenset({Choice.OPEN})))
    assert (table.progress, table.blocking.tolist()) == ((1, 3), [])


def test_dropped_tag_shows_on_every_row_of_its_path(table: ValueTable) -> None:
    jane = table.find(Query("jane")).tolist()
    decided = decide_rows(Decisions(), [table.rows[jane[0]]], Choice.DROP_TAG)
    table.decide(decided, jane)
    assert table.choice_codes(decided).tolist() == [codes(table, number) for number in range(len(table))]
    assert values(table, Query(choices=frozenset({Choice.DROP_TAG}))) == ["Jane", "Thorax"]
    assert table.choice(jane[0]) == (Choice.DROP_TAG, "")


def test_sorting_by_any_column_both_ways(table: ValueTable) -> None:
    assert values(table, Query(), Column.INSTANCES, descending=True)[:2] == ["kardex", "Thorax"]
    assert values(table, Query(), Column.VALUE)[:2] == ["20100101 \u2013 20191231", "Jane"]
    names = [table.name(number) for number in table.find(Query(), Column.NAME).tolist()]
    assert names == sorted(names)
    assert values(table, Query(), Column.DECISION) == values(table, Query())


def codes(table: ValueTable, number: int) -> int:
    return list(Choice).index(table.choice(number)[0])


def test_all_decisions_at_once_are_those_one_by_one(table: ValueTable) -> None:
    decisions = Decisions()
    for number, choice in enumerate((Choice.KEEP, Choice.DROP, Choice.DROP_TAG, Choice.REPLACE, Choice.KEEP)):
        row = table.rows[number]
        new = "CHEST" if choice is Choice.REPLACE else ""
        decisions = decide_rows(decisions, [row], choice, new)
        table.decide(decisions, [number])
    assert table.choice_codes(decisions).tolist() == [codes(table, number) for number in range(len(table))]
    fresh = ValueTable(ROWS, decisions)
    assert [fresh.choice(number) for number in range(len(fresh))] == [table.choice(n) for n in range(len(table))]
    table.show(Decisions(), table.choice_codes(Decisions()))
    assert table.progress == (0, 3)


def test_group_of_the_same_reason_holds_words_or_values(table: ValueTable) -> None:
    word = table.find(Query("kardex")).tolist()[0]
    assert [table.rows[number].value for number in table.same_reason(word).tolist()] == ["kardex"]


def test_progress_counts_suspicious_values_and_not_words_that_stay_out(table: ValueTable) -> None:
    assert table.progress == (0, 3)
    assert [table.rows[number].value for number in table.blocking.tolist()] == ["Jane"]
    counts = table.counts()
    assert (counts.rows, counts.reasons[Suspicion.RARE], counts.vrs["LO"]) == (6, 2, 3)
    assert counts.choices[Choice.OPEN] == 6


def test_path_is_told_in_the_words_of_the_standard() -> None:
    assert name_of("RequestAttributesSequence.CodeMeaning") == "Request Attributes \u203a Code Meaning"
    assert name_of("(0019,xx0C)[SIEMENS. MR]") == "(0019,xx0C)[SIEMENS. MR]"
    assert name_of("") == ""


def test_empty_dump_is_a_table_too() -> None:
    table = ValueTable([], Decisions())
    assert (len(table), table.progress, table.find(Query("x")).tolist()) == (0, (0, 0), [])
