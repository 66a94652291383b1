import pytest

from app.review.known_identity import AnybodysIdentity, KnownIdentity, name_parts


def occurs(kind: str, original: str, text: str) -> bool:
    return KnownIdentity([(kind, original)], frozenset({"radiology", "head"})).occurs_in(text)


@pytest.mark.parametrize(
    ("original", "text"),
    [
        ("Doe^Jane", "seen with jane today"),
        ("Doe^Jane", "JANE_DOE_CT"),
        ("Doe^Jane", "JaneDoe"),
        ("Doe^Jane", "Doe1"),
        ("Müller^Jörg", "mueller"),
        ("Müller^Jörg", "Muller"),
        ("Mueller", "MUELLER"),
        ("Łukasz\u00e9", "\u0141ukasze"),
        ("Hildebrandt^A", "XHILDEBRANDTX"),
        ("McDonald", "McDonald"),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "検査山田様"),
    ],
)
def test_name_part_is_found(original: str, text: str) -> None:
    assert occurs("name", original, text)


@pytest.mark.parametrize(
    ("original", "text"),
    [("Ann^Li", "scanner line"), ("Stern^Max", "sternum"), ("Doe^J", "J"), ("Roe^", ""), ("^^", "anything")],
)
def test_part_of_another_word_or_too_short_a_name_is_not_found(original: str, text: str) -> None:
    assert not occurs("name", original, text)


@pytest.mark.parametrize(
    ("original", "text"),
    [
        ("12-34-56", "pat 123456 ok"),
        ("123456", "12-34-56"),
        ("0001234567", "x1234567y"),
        ("1234", "no 1234."),
        ("1234", "no 0001234"),
        ("AB12", "ab12"),
        ("SITE-77-XY", "SITE77XY"),
    ],
)
def test_identifier_is_found_with_other_separators_and_zeros(original: str, text: str) -> None:
    assert occurs("id", original, text)


@pytest.mark.parametrize(
    ("original", "text"),
    [("1234", "x91234"), ("1", "1"), ("123", "123"), ("AB12", "CAB12"), ("head", "HEAD CT")],
)
def test_short_identifier_inside_another_or_a_plain_word_is_not_found(original: str, text: str) -> None:
    assert not occurs("id", original, text)


@pytest.mark.parametrize(
    "text",
    [
        "19720305", "1972-03-05", "05.03.1972", "5.3.1972", "3/5/72", "5 March 1972", "MAR 5, 1972",
        "05MAR72", "19720305123000", "05031972", "050372", "1972 Mar 05", "born_1972_03_05",
    ],
)  # fmt: skip
def test_date_is_found_in_each_usual_spelling(text: str) -> None:
    assert occurs("date", "19720305", text)
    assert occurs("date", "1972.03.05", text)


@pytest.mark.parametrize("text", ["1972", "March 1972", "19720306", "5 mm 3 mm"])
def test_other_date_is_not_found(text: str) -> None:
    assert not occurs("date", "19720305", text)


def test_impossible_date_is_searched_as_it_is_written() -> None:
    assert occurs("date", "19720230", "x 19720230 x")


def test_department_that_is_a_plain_word_means_nobody() -> None:
    assert not occurs("place", "Radiology", "Radiology routine")
    assert occurs("place", "Radiology West", "from radiology-west")


def test_no_identity_is_found_in_nothing() -> None:
    assert not KnownIdentity([], frozenset()).occurs_in("anything")


def test_name_parts_leave_out_initials() -> None:
    assert name_parts("van der Berg^A B^^Dr.") == {"van", "der", "berg"}


@pytest.mark.parametrize(
    ("original", "text"),
    [
        ("Thorax^Axial", "thorax axial 3 mm"),
        ("Thorax^Axial", "Axial Thorax"),
        ("Thorax axial", "THORAX_AXIAL".replace("_", " ")),
        ("A1234567", "study a1234567"),
        ("Hügel^Änne", "huegel Anne Hugel"),
    ],
)
def test_whole_name_of_anybody_is_found(original: str, text: str) -> None:
    assert AnybodysIdentity([original]).occurs_in(text)


@pytest.mark.parametrize(
    ("original", "text"),
    [("Compression", "Compression"), ("Thorax^Axial", "Thorax coronal axial"), ("A123", "A123"), ("", "text")],
)
def test_single_names_and_short_identifiers_of_others_are_not(original: str, text: str) -> None:
    assert not AnybodysIdentity([original]).occurs_in(text)
