import pytest

from app.dicom.words import clean_components, clean_text, fold, load_vocabulary, split_words

WORDS = load_vocabulary()


def clean(text: str, *unsafe: str, technical: bool = False) -> str:
    return clean_text(text, WORDS, frozenset(unsafe), technical=technical).text


@pytest.mark.parametrize(
    "text",
    [
        "ReferencedSegmentNumber",
        "Tumor Bed PTVn",
        "T1 MPRAGE SAG 1.0 mm iso",
        "CT THORAX 3.0",
        "T/S/C RF FAST PILOT",
        "AX T2 FLAIR",
        "512x512",
        "WINDOW 400 40",
    ],
)
def test_protocol_language_stays_as_written(text: str) -> None:
    assert clean(text) == text


def test_unknown_words_go_and_are_told() -> None:
    cleaned = clean_text("CHEST Zzyxperson AP", WORDS, (), technical=False)
    assert cleaned.text == "CHEST AP"
    assert cleaned.original_dropped == ("Zzyxperson",)


def test_word_of_the_patients_identity_goes_even_if_it_is_safe() -> None:
    assert clean("CHEST LONG", "long") == "CHEST"


def test_identity_word_is_found_without_its_accents_and_case() -> None:
    assert clean("chest Lóng", fold("LONG")) == "chest"


@pytest.mark.parametrize("text", ["S M I T H", "S.M.I.T.H", "S-M-I-T-H", "s_m_i_t_h", "D O E"])
def test_name_spelled_out_goes(text: str) -> None:
    assert clean(text) == ""


def test_name_spelled_out_over_components_goes() -> None:
    cleaned, _ = clean_components(["J", "O", "H", "N"], WORDS, (), technical=False)
    assert cleaned == ["", "", "", ""]


def test_two_single_letters_stay() -> None:
    assert clean("CHEST A P") == "CHEST A P"


@pytest.mark.parametrize(
    "text",
    [
        "12345678",
        "555-1234",
        "(030) 123-456",
        "+49 30 1234",
        "1;2;3;4;5;6;7",
        "12_345_678",
        "123 45 6789",
    ],
)
def test_number_of_the_size_of_a_telephone_or_identity_number_goes(text: str) -> None:
    assert clean(text) == ""


def test_number_spread_over_components_goes() -> None:
    cleaned, dropped = clean_components(["555", "123", "4567"], WORDS, (), technical=False)
    assert cleaned == ["", "", ""]
    assert dropped == ("555", "123", "4567")


@pytest.mark.parametrize(
    "text",
    [
        "1959",
        "19590312",
        "12.03.1959",
        "12 03 59",
        "12_03_59",
        "12/03",
        "24.12.",
        "59-3-12",
        "12 March 59",
        "12 OCT 59",
    ],
)
def test_date_goes(text: str) -> None:
    assert clean(text) == ""


def test_date_that_appears_when_a_word_between_goes_is_gone_too() -> None:
    assert clean("12 zzyx 03 zzyx 59") == ""


@pytest.mark.parametrize("text", ["95 years", "95Y", "age 91", "101 y"])
def test_age_above_89_goes(text: str) -> None:
    assert not any(character.isdigit() for character in clean(text, technical=True))


def test_age_up_to_89_stays() -> None:
    assert clean("age 64") == "age 64"


@pytest.mark.parametrize("text", ["somebody@chest.org", "http://chest/head", "www.head.org"])
def test_mail_and_web_addresses_go_whole(text: str) -> None:
    assert clean(text) == ""


def test_figures_of_other_scripts_go() -> None:
    assert clean("CHEST \u0661\u0662\u0663 \uff11\uff12mm") == "CHEST"


def test_control_characters_do_not_stay_between_words() -> None:
    assert clean("CHEST\x1b\nHEAD") == "CHEST HEAD"


def test_technical_code_stays_only_where_the_attribute_is_technical() -> None:
    assert clean("B70f", technical=True) == "B70f"
    assert clean("Br40d", technical=False) == ""


def test_text_made_to_be_peeled_goes_whole() -> None:
    text = "zzyx"
    for _ in range(40):
        text = f"1 2 a {text} b 03 59"
    assert clean_text(text, WORDS, (), technical=False).text == clean(clean(text))


@pytest.mark.parametrize("name", "smith miller james anna brown fischer rossi silva dubois best little".split())
def test_usual_name_is_no_safe_word(name: str) -> None:
    assert name not in WORDS


@pytest.mark.parametrize("word", "head foot chest long small liver contrast dixon".split())
def test_medical_word_is_safe_although_people_bear_it(word: str) -> None:
    assert word in WORDS


def test_words_are_runs_of_letters_and_digits() -> None:
    assert split_words("T1_tse-SAG (Kopf)") == ["t1", "tse", "sag", "kopf"]
