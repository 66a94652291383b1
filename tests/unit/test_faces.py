from typing import Any

import pytest

from app.dataset.faces import FaceRisk, judge

HEAD_CT = {"Modality": "CT", "BodyPartExamined": "HEAD", "PixelSpacing": [0.45, 0.45], "Rows": 512, "Columns": 512}


def risk(
    attributes: dict[str, Any], *, slices: int = 160, extent: float | None = 159.0, part: str = ""
) -> FaceRisk | None:
    return judge("1.2", attributes, instances=slices, positions=slices, extent_mm=extent, body_part=part)


def test_thin_head_ct_shows_a_face_and_the_reason_is_told() -> None:
    found = risk(HEAD_CT)
    assert found is not None
    assert (found.reason, found.said_by) == ("head", ("BodyPartExamined",))
    assert (found.slices, found.step_mm, found.pixel_mm, found.extent_mm) == (160, 1.0, 0.45, 159.0)


@pytest.mark.parametrize(
    "text", ["t1_mprage_sag_p2_iso", "CCT Schädel nativ", "Crâne sans injection", "AX FLAIR", "CT NECK/BRAIN ANGIO"]
)
def test_words_of_several_languages_name_a_head(text: str) -> None:
    found = risk({**HEAD_CT, "BodyPartExamined": "", "SeriesDescription": text})
    assert found is not None
    assert (found.reason, found.said_by) == ("head", ("SeriesDescription",))


def test_what_the_checks_of_the_series_found_counts_too() -> None:
    found = risk({**HEAD_CT, "BodyPartExamined": ""}, part="head")
    assert found is not None
    assert found.said_by == ("BodyPart",)


def test_nothing_said_and_the_size_of_a_head_is_a_risk() -> None:
    found = risk({**HEAD_CT, "BodyPartExamined": ""})
    assert found is not None
    assert found.reason == "head-size"


def test_whole_body_pet_reaches_the_head() -> None:
    pet = {"Modality": "PT", "BodyPartExamined": "CHEST", "PixelSpacing": [4.0, 4.0], "Rows": 168, "Columns": 168}
    found = risk(pet, slices=340, extent=1017.0)
    assert found is not None
    assert found.reason == "whole-body"


@pytest.mark.parametrize(
    ("changes", "slices", "extent"),
    [
        ({"BodyPartExamined": "CHEST"}, 160, 300.0),
        ({"Modality": "US"}, 160, 159.0),
        ({}, 3, 10.0),  # a localizer
        ({}, 20, 200.0),  # slices 10 mm apart
        ({}, 30, 30.0),  # only a part of the head
        ({"PixelSpacing": [8.0, 8.0]}, 160, 159.0),
    ],
)
def test_what_shows_no_face_is_left_alone(changes: dict[str, Any], slices: int, extent: float) -> None:
    assert risk({**HEAD_CT, **changes}, slices=slices, extent=extent) is None


def test_frames_of_one_object_are_slices_and_what_is_not_said_counts_as_fine() -> None:
    enhanced = {"Modality": "MR", "StudyDescription": "MRI BRAIN", "NumberOfFrames": 176, "Rows": 256, "Columns": 256}
    found = judge("1.2", enhanced, instances=1, positions=0, extent_mm=None, body_part="")
    assert found is not None
    assert found.slices == 176
