"""Body part and contrast phase from codes, descriptions and contrast elements, in five languages."""

import pytest

from app.checks.body_parts import read_body_parts
from app.checks.phases import read_phase
from app.checks.series import Image, Series
from app.checks.words import load_vocabulary, words_of
from app.protocol.checks import BodyPart, Phase

BODY, PHASES = load_vocabulary("body_parts"), load_vocabulary("phases")


def parts(**attributes: object) -> set[str]:
    return set(read_body_parts(attributes, BODY).parts)


def series(modality: str = "CT", acquired_s: float | None = None, **attributes: object) -> Series:
    image = Image({"Modality": modality, **attributes}, "1", 1, None, "", acquired_s, (), has_pixel_fault=False)
    return Series(1, (1, "1"), (image,), 0, 0)


def phase(description: str, **attributes: object) -> Phase | None:
    return read_phase(series(SeriesDescription=description, **attributes), PHASES).phase  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Schädel-CT", ["schadel", "ct"]),
        ("HeadRoutine3mm", ["head", "routine", "3", "mm"]),
        ("Füße", ["fusse"]),
        ("Abdomen C+", ["abdomen", "cplus"]),
        ("C-Spine", ["c", "spine"]),
        ("Leber -KM", ["leber", "cminus"]),
        ("holdSURVEY", ["hold", "survey"]),
    ],
)
def test_words_are_plain_and_signs_of_contrast_are_words(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("CT CHEST W/O CONTRAST", {"chest"}),
        ("Thorax nativ 1.0", {"chest"}),
        ("TC de tórax", {"chest"}),
        ("Scanner thoracique", {"chest"}),
        ("TC de tórax com contraste", {"chest"}),
        ("CT Kopf", {"head"}),
        ("TDM crâne", {"head"}),
        ("RM de cérebro", {"head"}),
        ("RM cerebral", {"head"}),
        ("Oberbauch", {"abdomen"}),
        ("CT ABDOMEN/PELVIS", {"abdomen", "pelvis"}),
        ("TAP", {"chest", "abdomen", "pelvis"}),
        ("HWS", {"spine"}),
        ("thoracic spine", {"spine"}),
        ("Rachis lombaire", {"spine"}),
        ("columna lumbar", {"spine"}),
        ("RM joelho", {"lower-limb"}),
        ("IRM genou droit", {"lower-limb"}),
        ("Handgelenk links", {"upper-limb"}),
        ("Hombro derecho", {"upper-limb"}),
        ("Coronaires", {"heart"}),
        ("T1 MPRAGE cor", set()),
        ("ax T2 FLAIR", set()),
        ("MIP", set()),
    ],
)
def test_body_part_is_read_in_each_language(description: str, expected: set[str]) -> None:
    assert parts(SeriesDescription=description) == expected


def test_what_agrees_is_surer_than_what_stands_alone() -> None:
    alone = read_body_parts({"BodyPartExamined": "CHEST"}, BODY)
    both = read_body_parts({"BodyPartExamined": "CHEST", "SeriesDescription": "Thorax"}, BODY)

    assert both.confidence > alone.confidence
    assert alone.disagreeing is None


def test_series_says_more_of_itself_than_its_study() -> None:
    assert parts(SeriesDescription="chest 1mm", StudyDescription="CT chest abdomen pelvis") == {"chest"}
    assert parts(SeriesDescription="1.0 B70", StudyDescription="CT chest") == {"chest"}


def test_wrong_code_is_outvoted_and_told() -> None:
    attributes = {"BodyPartExamined": "HEAD", "SeriesDescription": "Thorax", "StudyDescription": "CT Thorax"}
    reading = read_body_parts(attributes, BODY)

    assert reading.parts == (BodyPart.CHEST,)
    assert reading.disagreeing == (("SeriesDescription", "chest"), ("BodyPartExamined", "head"))


@pytest.mark.parametrize(
    ("code", "description"),
    [("CHEST", "Coronary CTA"), ("HEAD", "carotids"), ("ABDOMEN", "L-Spine"), ("WHOLEBODY", "Kopf"), ("PELVIS", "hip")],
)
def test_neighbours_do_not_disagree(code: str, description: str) -> None:
    assert read_body_parts({"BodyPartExamined": code, "SeriesDescription": description}, BODY).disagreeing is None


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("NON CONTRAST", Phase.NONE),
        ("Abdomen nativ", Phase.NONE),
        ("Thorax ohne KM", Phase.NONE),
        ("Abdomen sin contraste", Phase.NONE),
        ("sans injection", Phase.NONE),
        ("Tórax sem contraste", Phase.NONE),
        ("CHEST W/O", Phase.NONE),
        ("ABD C-", Phase.NONE),
        ("arteriell 1.0", Phase.ARTERIAL),
        ("late arterial", Phase.ARTERIAL),
        ("temps artériel", Phase.ARTERIAL),
        ("30 sec ABD", Phase.ARTERIAL),
        ("portalvenös", Phase.VENOUS),
        ("PORTAL VENOUS", Phase.VENOUS),
        ("temps portal", Phase.VENOUS),
        ("90 sec ABD", Phase.VENOUS),
        ("DELAYED", Phase.DELAYED),
        ("5 min", Phase.DELAYED),
        ("Spätphase", Phase.DELAYED),
        ("fase tardía", Phase.DELAYED),
        ("avec injection", Phase.ENHANCED),
        ("Abdomen C+", Phase.ENHANCED),
        ("con contraste", Phase.ENHANCED),
        ("arterial and venous", Phase.ENHANCED),
        ("with and without contrast", None),
        ("SmartScore - Gated 0.5 sec", None),
        ("Topogram 1.0 T20s", None),
        ("Thorax 1.0", None),
        ("phase contrast", None),
    ],
)
def test_phase_is_read_in_each_language(description: str, expected: Phase | None) -> None:
    assert phase(description) is expected


def test_agent_says_that_there_was_one_and_its_time_says_when() -> None:
    assert phase("Abdomen", ContrastBolusAgent="Iopromid") is Phase.ENHANCED
    timed = {"ContrastBolusAgent": "Iopromid", "ContrastBolusStartTime": "100000"}
    assert phase("Abdomen", acquired_s=36030.0, **timed) is Phase.ARTERIAL
    assert phase("Abdomen", acquired_s=36075.0, **timed) is Phase.VENOUS
    assert phase("Abdomen", acquired_s=36300.0, **timed) is Phase.DELAYED


@pytest.mark.parametrize("agent", ["NONE", "no", "Oral Gastrografin", "WATER"])
def test_what_is_no_agent_in_a_vessel_says_nothing(agent: str) -> None:
    assert phase("Abdomen", ContrastBolusAgent=agent) is None


def test_agent_against_description_is_told() -> None:
    reading = read_phase(series(SeriesDescription="nativ", ContrastBolusAgent="Iopromid"), PHASES)

    assert reading.disagreeing == ("ContrastBolusAgent", "SeriesDescription")


def test_examination_with_an_agent_may_hold_a_series_without() -> None:
    reading = read_phase(series(SeriesDescription="NON CONTRAST", StudyDescription="CT ABD W/ CONTRAST"), PHASES)

    assert (reading.phase, reading.disagreeing) == (Phase.NONE, None)


def test_other_modalities_have_no_phase() -> None:
    assert read_phase(series("US", SeriesDescription="arterial"), PHASES).phase is None
