"""Queries and protocols in the words of people."""

from pathlib import Path

import pytest

from app.dicom.profile import Option
from app.files.resources import resource_path
from app.protocol.load import load_protocol, parse_protocol
from app.protocol.predicates import VOCABULARY
from app.protocol.where import parse_where
from app.text.protocol_words import OPTIONS, Topic, own_words, read_back
from app.text.query_words import name_of_keyword, phrase, query_sentences

HEAD = 'id = "p"\ntitle = "T"\ncontact = "C"\n[selection]\nwhere = \'Modality == "CT"\'\n'


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("Modality == 'CT'", "modality is CT"),
        ("Modality != 'CT'", "modality is not CT"),
        ("Modality in ('CT', 'MR', 'PT')", "modality is CT, MR or PT"),
        ("Modality == 'CT' or Modality == 'MR'", "modality is CT or MR"),
        ("SliceThickness <= 1.5", "slice thickness is at most 1.5 mm"),
        ("SliceThickness > 1 and SliceThickness <= 2", "slice thickness is above 1 and at most 2 mm"),
        ("PatientAge >= 60 and PatientAge < 70", "age is from 60 to below 70 years"),
        ("StudyDate >= '2015-01-01' and StudyDate <= '2015-12-31'", "date of the examination is 2015"),
        ("StudyDate < '2015-02-01'", "date of the examination is below 2015-02-01"),
        ("PatientSex == 'F'", "sex is female"),
        ("ObjectKind in ('image', 'rt')", "the object is an image or a radiotherapy object"),
        ("HasContrast", "a contrast agent was given"),
        ("not HasContrast", "no contrast agent was given"),
        ("not 'LOCALIZER' in ImageType", "image type has no \u201cLOCALIZER\u201d"),
        ("matches(SeriesDescription, '*chest*')", "series description contains \u201cchest\u201d"),
        ("matches(SeriesDescription, 'chest*')", "series description begins with \u201cchest\u201d"),
        ("matches(SeriesDescription, '?hest')", "series description is like \u201c?hest\u201d"),
        ("not exists(StudyDate)", "date of the examination is not given"),
        ("exists(Manufacturer) and Manufacturer not in ('GE', 'Agfa')", "manufacturer is not GE or Agfa"),
        ("Rows > 9 or (Rows < 5 and Modality == 'CT')", "Rows is above 9, or (Rows is below 5 and modality is CT)"),
        ("Modality in ('CT', 'MR') or HasContrast", "modality is CT or MR, or a contrast agent was given"),
        ("not (Modality == 'CT' and HasContrast)", "it is not so that modality is CT and a contrast agent was given"),
    ],
)  # fmt: skip
def test_query_reads_as_people_speak(where: str, words: str) -> None:
    assert phrase(parse_where(where)) == words


def test_each_thing_that_must_hold_is_a_sentence() -> None:
    assert query_sentences(parse_where("Modality == 'CT' and Rows >= 512")) == [
        "Modality is CT.",
        "Rows is at least 512.",
    ]


def test_every_word_of_the_query_language_has_a_name() -> None:
    assert all(name_of_keyword(keyword).strip() for keyword in VOCABULARY)


# protocols ------------------------------------------------------------------


def told(text: str) -> dict[Topic, str]:
    return {passage.topic: "\n".join(passage.sentences) for passage in read_back(parse_protocol(text))}


@pytest.mark.parametrize("name", ["defaults/protocol.toml", "samples/chest-ct.toml"])
def test_shipped_protocol_says_something_on_every_topic(name: str) -> None:
    protocol, _ = load_protocol(Path(resource_path(name)))
    passages = read_back(protocol)

    assert [passage.topic for passage in passages] == list(Topic)
    assert all(passage.sentences and passage.title for passage in passages)
    assert not any("{" in sentence or sentence == "" for passage in passages for sentence in passage.sentences)


@pytest.mark.parametrize("option", [option for option in Option if option is not Option.RETAIN_MODIFIED_DATES])
def test_each_option_changes_what_is_read(option: Option) -> None:
    extra = "retain_modified_dates = false\n" if option is Option.RETAIN_FULL_DATES else ""
    on, off = (told(f"{HEAD}[deidentification]\n{extra}{option.value} = {value}\n") for value in ("true", "false"))

    assert on != off
    assert any(OPTIONS[option][0][1] in sentences for sentences in on.values())


def test_all_options_of_the_standard_have_sentences() -> None:
    assert set(OPTIONS) == set(Option)


@pytest.mark.parametrize(
    ("lines", "topic", "sentence"),
    [
        ('dates = "year-only"', Topic.STAYS, "Of dates the year alone stays."),
        ("retain_modified_dates = false", Topic.REMOVED, "Dates are removed."),
        ("retain_modified_dates = false\nretain_full_dates = true", Topic.STAYS, "Dates stay as they are."),
    ],
)
def test_dates_are_told_once_and_rightly(lines: str, topic: Topic, sentence: str) -> None:
    sentences = told(f"{HEAD}[deidentification]\n{lines}\n")

    assert sentence in sentences[topic].splitlines()
    about_dates = [
        line
        for passage in (Topic.STAYS, Topic.REMOVED)
        for line in sentences[passage].splitlines()
        if line.lower().startswith(("dates", "of dates"))
    ]
    assert about_dates == [sentence]


def test_overrides_words_and_signatures_are_named() -> None:
    text = (
        f'{HEAD}[deidentification.overrides]\nImageComments = "keep"\nStudyID = "remove"\n'
        '[words]\nsafe = ["hrct"]\n[review]\nsignatures = ["champion", "officer"]\naudit_sample = 0\n'
        '[images]\nrelease = ["clear"]\nunattended_masks = false\nmust_see = []\n'
    )
    sentences = told(text)

    assert "Image Comments" in sentences[Topic.STAYS]
    assert "hrct" in sentences[Topic.STAYS]
    assert "Study ID" in sentences[Topic.REMOVED]
    assert sentences[Topic.SIGNATURES] == "These sign before anything leaves, each another person: champion, officer."
    assert "These images may leave: those without text." in sentences[Topic.IMAGES]
    assert "If nobody decides, images with text stay at your site." in sentences[Topic.IMAGES]
    assert "You look at" not in sentences[Topic.IMAGES]


def test_groups_labels_and_checks_are_read_back() -> None:
    text = (
        'id = "p"\ntitle = "T"\ncontact = "C"\n[selection]\nwhere = "Rows > 1"\n'
        '[[groups]]\nname = "cases"\nwanted = 100\nlisted = true\none_per_patient = true\n'
        '[[groups]]\nname = "controls"\nwhere = "PatientAge >= 40"\n'
        'match = { group = "cases", on = ["age", "sex"], ratio = 2 }\n'
        '[[labels]]\nname = "finding"\ntype = "category"\nvalues = ["cyst", "none"]\nrequired = true\n'
        '[[labels]]\nname = "size"\ntype = "number"\nminimum = 0\nmaximum = 80\n'
        '[checks]\nmissing_slices = "exclude"\nkernel = "ignore"\n'
        '[checks.expect]\nplane = ["axial"]\nphase = ["venous", "delayed"]\nthickest_mm = 1.5\n'
    )

    assert told(text)[Topic.COHORTS].split("\n") == [
        "Group cases, drawn at random where there are more; studies: 100. One study of a patient at most. Only studies "
        "that a list puts into it.",
        "Group controls: 2 studies for each one of group cases, alike in age, sex. What counts: age is at least 40 "
        "years.",
        "The label finding leaves with the images, and no study goes without it: cyst, none.",
        "The label size leaves with the images where a list gives it: a number from 0 to 80.",
        "Series with these findings stay at your site: Missing slices.",
        "This is not checked: Kernel.",
        "A series is expected to be: axial; venous or delayed; 1.5 mm thick at most.",
    ]


def test_shipped_protocol_speaks_every_language_and_others_their_own() -> None:
    shipped = load_protocol(resource_path("defaults/protocol.toml"))[0]
    for text in (shipped.title, shipped.contact, shipped.description or "", *shipped.review.signatures):
        assert own_words(text, str.upper) == " ".join(text.upper().split())
    assert own_words("Series", str.upper) == "Series"
