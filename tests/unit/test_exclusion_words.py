"""What the selection says of a series is read back whole, with people's names, and in their language."""

from collections.abc import Iterator

import pytest

from app.protocol.where import parse_where
from app.selection.explain import explain
from app.text.exclusion_words import exclusion_words

ATTRIBUTES = {"Modality": "CT", "SliceThickness": "5.0", "SeriesDescription": "Chest", "ImageType": "ORIGINAL\\PRIMARY"}


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("SliceThickness <= 1.0", "Slice thickness 5.0 > 1.0"),
        ('Modality == "MR"', "Modality CT is not MR"),
        ('Modality != "CT"', "Modality CT is CT"),
        ('Modality in ("MR", "PT")', "Modality CT is not one of MR, PT"),
        ('Modality not in ("CT", "PT")', "Modality CT is one of CT, PT"),
        ('matches(SeriesDescription, "*head*")', "Series description Chest does not match *head*"),
        ('"LOCALIZER" in ImageType', "Image type ORIGINAL\\PRIMARY does not contain LOCALIZER"),
        ("exists(PatientAge)", "Age is not given"),
        ("not exists(Modality)", "Modality CT is given"),
    ],
)
def test_what_the_selection_says_is_read_back(expression: str, sentence: str) -> None:
    (said,) = explain(parse_where(expression), ATTRIBUTES, {})
    assert exclusion_words(said) == sentence


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("ObjectKind sr is not rt", "The object is a structured report, not a radiotherapy object"),
        (
            "ObjectKind other is not one of image, segmentation",
            "The object is another kind of object, not an image, a segmentation",
        ),
        ("ObjectKind image is image", "The object is an image"),
        ("left out by hand: too dark", "Left out by hand: too dark"),
        ("left out by a check: localizer, missing-slices", "Left out by a check: Localizer, Missing slices"),
        ("not drawn for group a: 3 wanted, 9 found", "Not drawn for group a: 3 wanted, 9 found"),
        (
            "not for group controls: SliceThickness missing; Modality MR is not CT",
            "Not for group controls: slice thickness is not given; modality MR is not CT",
        ),
        ("something of a newer version", "Something of a newer version"),
    ],
)
def test_other_reasons_are_read_back(said: str, sentence: str) -> None:
    assert exclusion_words(said) == sentence


def pieces() -> Iterator[str]:
    for expression in ("SliceThickness <= 1.0", 'Modality in ("MR", "PT")', 'matches(SeriesDescription, "*head*")'):
        yield from explain(parse_where(expression), ATTRIBUTES, {})
    yield from ("not in the list", "not checked yet", "not listed for group a", "without the label b")
    yield "not drawn for group a: nobody in group b is like it"


@pytest.mark.parametrize("said", [piece for piece in pieces() if ">" not in piece])
def test_words_go_through_the_catalogue(said: str) -> None:
    assert exclusion_words(said, lambda text: f"<{text}>").startswith("<")
