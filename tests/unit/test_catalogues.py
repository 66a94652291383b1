"""Every text is there in every language, whole, and with the fields that the program fills in."""

import gettext
import re

import pytest

from app.text.i18n import open_plurals
from app.text.job_words import count_words
from tests.catalogues import TRANSLATED, fields_of, forms, po_file, read_catalogue, texts_in_code, translations

TEXTS = texts_in_code()
# A number of our counting, and a noun in the plural behind it. A limit is none: it is never 1.
COUNTED_NOUN = re.compile(
    r"\{(count|done|total|drawn|found|parts|instances|images|series|studies|patients|files|rows|reports|hits|findings|"
    r"undecided|below|smallest|values)\} (\w+ )?(?!is\b|has\b)[a-z]+s\b"
)
languages = pytest.mark.parametrize("language", TRANSLATED)


def test_texts_are_found_in_all_parts_that_people_read() -> None:
    parts = {file.split("/")[1] for files in TEXTS.values() for file in files}
    assert {"gui", "text"} <= parts


@languages
def test_catalogue_has_every_text_and_no_other(language: str) -> None:
    assert translations(language).keys() == {one for text in TEXTS for one in forms(text)}, "run: make catalogues"


@languages
def test_every_text_is_translated_for_certain(language: str) -> None:
    assert [text for text, translated in translations(language).items() if not translated] == []


@languages
def test_translations_have_the_fields_of_the_text(language: str) -> None:
    wrong = [text for text, told in translations(language).items() if told and fields_of(told) != fields_of(text)]
    assert wrong == []


@languages
def test_translations_keep_the_edges_and_lines_of_the_text(language: str) -> None:
    def edges(text: str) -> tuple[bool, bool, int]:
        return text[:1].isspace(), text[-1:].isspace(), text.count("\n")

    assert [text for text, told in translations(language).items() if told and edges(told) != edges(text)] == []


@languages
def test_a_button_with_a_key_has_one_in_every_language(language: str) -> None:
    wrong = [text for text, told in translations(language).items() if told and text.count("&") != told.count("&")]
    assert wrong == []


@languages
def test_compiled_catalogue_is_made_of_the_text(language: str) -> None:
    path = po_file(language).with_suffix(".mo")
    with path.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in read_catalogue(language):
        match message.id:
            case (one, several):
                told: object = (compiled.ngettext(one, several, 1), compiled.ngettext(one, several, 2))
            case text:
                told = compiled.gettext(str(text))
        assert not message.id or told == message.string, "run: make catalogues"
    assert gettext.find("consign", path.parents[2], [language]) is not None


def test_no_count_is_said_in_one_form_only() -> None:
    assert COUNTED_NOUN.search("{parts} parts, {instances} instances")
    assert [text for text in TEXTS if isinstance(text, str) and COUNTED_NOUN.search(text)] == []


@pytest.mark.parametrize(
    ("language", "none", "one", "two"),
    [
        ("en", "0 patients", "1 patient", "2 patients"),
        ("de", "0 Patienten", "1 Patient", "2 Patienten"),
        ("es", "0 pacientes", "1 paciente", "2 pacientes"),
        ("fr", "0 patient", "1 patient", "2 patients"),
        ("pt_BR", "0 paciente", "1 paciente", "2 pacientes"),
    ],
)
def test_a_count_takes_the_form_of_its_language(language: str, none: str, one: str, two: str) -> None:
    plural = open_plurals([language])
    assert [count_words("patients", count, plural) for count in (0, 1, 2)] == [none, one, two]
