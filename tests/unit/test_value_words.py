from app.deid.values import Fold
from app.project.values import RowKind, Suspicion, ValueRow
from app.review.deciding import Choice
from app.text.value_words import CHOICES, FOLDS, SUSPICION_NAMES, choice_text, kind_sentence, value_text


def row(kind: RowKind, value: str = "", fold: str = "", low: str = "", high: str = "") -> ValueRow:
    return ValueRow(kind, "" if kind is RowKind.WORD else "StudyDate", value, "DA", fold, low, high, 1, 1, 1, ())


def test_every_reason_choice_and_fold_has_words() -> None:
    assert set(SUSPICION_NAMES) == set(Suspicion)
    assert set(CHOICES) == set(Choice)
    assert set(FOLDS) == {fold.value for fold in Fold if fold}
    assert all(kind_sentence(row(kind)) for kind in RowKind)


def test_range_is_shown_by_its_ends_or_by_what_it_holds() -> None:
    assert (
        value_text(row(RowKind.RANGE, fold="date", low="20100101", high="20191231")) == "2010-01-01 \u2013 2019-12-31"
    )
    assert value_text(row(RowKind.RANGE, fold="time", low="072117.5", high="171248")) == "07:21:17 \u2013 17:12:48"
    assert value_text(row(RowKind.RANGE, fold="number", low="1", high="1")) == "1"
    assert value_text(row(RowKind.RANGE, fold="uid")) == "identifiers made with this project's key"
    assert value_text(row(RowKind.VALUE, "Thorax")) == "Thorax"


def test_a_word_is_safe_or_left_out_and_never_dropped() -> None:
    assert choice_text(row(RowKind.WORD, "kardex"), Choice.DROP, "") == "left out"
    assert choice_text(row(RowKind.VALUE, "x"), Choice.REPLACE, "CHEST") == "replace: CHEST"
