"""Filters as chips: the expression that they make, and what a click does to them."""

import pytest

from app.protocol.predicates import AllOf, Not, Operator, compare
from app.protocol.where import parse_where
from app.protocol.where_text import where_text
from app.selection.filters import filters_of, is_chosen, keyword_of, toggle, where_of

CT, MR = (compare("Modality", Operator.IS, [value]) for value in ("CT", "MR"))
THIN = compare("SliceThickness", Operator.AT_MOST, [1])
MIDDLE = AllOf((compare("SliceThickness", Operator.ABOVE, [1]), compare("SliceThickness", Operator.AT_MOST, [2])))


def test_choices_of_one_attribute_are_alternatives_and_of_two_attributes_both_hold() -> None:
    filters = toggle(toggle(toggle((), CT), MR), THIN)

    assert where_of(filters) == "(Modality == 'CT' or Modality == 'MR') and SliceThickness <= 1"
    assert is_chosen(filters, MR)
    assert not is_chosen(filters, MIDDLE)


def test_second_click_takes_a_choice_away() -> None:
    filters = toggle(toggle((), CT), MR)

    assert toggle(filters, CT) == (MR,)
    assert toggle(toggle(filters, CT), MR) == ()


@pytest.mark.parametrize("choices", [[CT], [MIDDLE], [THIN, MIDDLE], [CT, MR, MIDDLE], [Not(CT), THIN]])
def test_filters_come_back_from_what_is_stored(choices: list[AllOf]) -> None:
    filters: tuple[object, ...] = ()
    for choice in choices:
        filters = toggle(filters, choice)  # type: ignore[arg-type]  # grown from nothing

    assert filters_of(where_of(filters)) == filters  # type: ignore[arg-type]


def test_typed_list_of_values_is_the_same_as_clicks() -> None:
    typed = filters_of("Modality in ('CT', 'MR')")

    assert is_chosen(typed, CT)
    assert toggle(typed, CT) == (MR,)


def test_no_filter_is_no_expression() -> None:
    assert where_of(()) == ""
    assert filters_of("  ") == filters_of(None) == ()


def test_typed_expression_becomes_a_filter_for_each_attribute() -> None:
    filters = filters_of("Modality == 'CT' and (Rows > 100 or HasContrast) and not Modality == 'MR'")

    assert [keyword_of(part) for part in filters] == ["Modality", None]
    assert filters[1] == parse_where("Rows > 100 or HasContrast")


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("exists(StudyDate)", "exists(StudyDate)"),
        ("'LOCALIZER' in ImageType", "'LOCALIZER' in ImageType"),
        ("not matches(SeriesDescription, '*it\\'s*')", 'not matches(SeriesDescription, "*it\'s*")'),
        ("Modality in ('CT', 'MR')", "Modality in ['CT', 'MR']"),
        ("HasContrast", "HasContrast == True"),
        ("StudyDate >= '2020-01-31'", "StudyDate >= '20200131'"),
        ("RescaleIntercept == -1024", "RescaleIntercept == -1024"),
    ],
)
def test_text_of_a_predicate_is_what_people_type(where: str, text: str) -> None:
    assert where_text(parse_where(where)) == text
