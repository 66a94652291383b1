import pytest

from app.dicom.temporal import (
    cap_age,
    is_time,
    is_zone,
    parse_date,
    shift_date,
    shift_date_time,
    year_of_date,
    year_of_date_time,
)


@pytest.mark.parametrize(
    ("text", "days", "shifted"),
    [
        ("20240301", -1, "20240229"),
        ("2024.03.01", -1, "20240229"),
        ("20240101", -366, "20221231"),
        ("09990101", -1, "09981231"),
    ],
)
def test_date_moves_by_days(text: str, days: int, shifted: str) -> None:
    assert shift_date(text, days) == shifted


@pytest.mark.parametrize(
    "text", ["20240230", "2024031", "202403011", "2024-03-01", "ABCDEFGH", "20241301", "", "20240301 "]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    assert parse_date(text) is None
    assert shift_date(text, -5) is None
    assert year_of_date(text) is None


def test_date_before_the_calendar_is_refused() -> None:
    assert shift_date("00010101", -1) is None


@pytest.mark.parametrize(
    ("text", "shifted"),
    [
        ("20240301", "20240229"),
        ("20240301121314", "20240229121314"),
        ("20240301121314.123456", "20240229121314.123456"),
        ("20240301121314.123456+0130", "20240229121314.123456+0130"),
        ("202403", "202402"),
        ("2024", "2023"),
        ("2024030112", "2024022912"),
        ("20240301-0500", "20240229-0500"),
    ],
)
def test_date_time_keeps_its_precision_and_zone(text: str, shifted: str) -> None:
    assert shift_date_time(text, -1) == shifted


@pytest.mark.parametrize(
    "text",
    [
        "20240301+9999",
        "20240301250000",
        "2024030112.5",
        "20240301121314.1234567",
        "20240230",
        "202413",
        "x",
        "20240301+01",
    ],
)
def test_what_is_no_date_time_is_refused(text: str) -> None:
    assert shift_date_time(text, -1) is None
    assert year_of_date_time(text) is None


def test_year_alone_is_the_first_of_january_in_a_date() -> None:
    assert year_of_date("20240301") == "20240101"
    assert year_of_date_time("20240301121314+0100") == "2024"


@pytest.mark.parametrize("text", ["12", "1213", "121314", "121314.5", "12:13:14", "235960"])
def test_time_is_known(text: str) -> None:
    assert is_time(text)


@pytest.mark.parametrize("text", ["24", "1260", "121314.1234567", "1", "12131", "SMITH", "12 13", ""])
def test_what_is_no_time_is_refused(text: str) -> None:
    assert not is_time(text)


@pytest.mark.parametrize(
    ("zone", "known"), [("+0000", True), ("-1100", True), ("+1400", True), ("+1500", False), ("+0160", False)]
)
def test_zone_is_an_offset_that_exists(zone: str, known: bool) -> None:
    assert is_zone(zone) is known


@pytest.mark.parametrize(
    ("age", "told"),
    [
        ("089Y", "089Y"),
        ("090Y", "090Y"),
        ("091Y", "090Y"),
        ("120Y", "090Y"),
        ("999Y", "090Y"),
        ("006M", "006M"),
        ("999M", "999M"),
        ("012W", "012W"),
        ("003D", "003D"),
    ],
)
def test_age_above_89_years_is_told_as_90(age: str, told: str) -> None:
    assert cap_age(age) == told


@pytest.mark.parametrize("age", ["64Y", "064", "064X", "0064Y", "-64Y", "SMI"])
def test_what_is_no_age_is_refused(age: str) -> None:
    assert cap_age(age) is None
