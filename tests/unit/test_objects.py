import io
from dataclasses import replace

import pytest
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from app.deid.objects import check_object
from app.dicom.profile import Option
from app.dicom.reading import read_header
from app.errors import HeldBackError, Reason
from app.project.images import ImagePlan, ImageState
from tests import factory
from tests.unit.deid_case import CLEAR, DEFAULT_OPTIONS, ct_image, make_recipe

STUDY = factory.make_study(11)


def verdict(dataset: Dataset, *more: Option, plan: ImagePlan | None = CLEAR) -> Reason | None:
    header = read_header(io.BytesIO(factory.to_bytes(dataset)))
    try:
        check_object(header, str(dataset.SOPClassUID), make_recipe(DEFAULT_OPTIONS | {*more}), plan)
    except HeldBackError as held:
        return held.reason
    return None


def test_image_of_a_scanner_may_leave() -> None:
    assert verdict(ct_image()) is None


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        (factory.structured_report(STUDY, [ct_image()]), Reason.STRUCTURED_TEXT),
        (factory.key_objects(STUDY, [ct_image()]), Reason.STRUCTURED_TEXT),
        (factory.encapsulated_pdf(STUDY), Reason.ENCAPSULATED_DOCUMENT),
    ],
)
def test_what_no_rule_makes_safe_is_held_back(dataset: Dataset, reason: Reason) -> None:
    assert verdict(dataset) is reason


def test_structured_report_may_leave_where_its_content_is_cleaned() -> None:
    assert verdict(factory.structured_report(STUDY, [ct_image()]), Option.CLEAN_STRUCTURED_CONTENT) is None


@pytest.mark.parametrize(
    "dataset",
    [
        factory.segmentation(STUDY, [ct_image()]),
        factory.rt_structure_set(STUDY, [ct_image()]),
        factory.rt_dose(STUDY),
        factory.enhanced_mr(STUDY, frames=1, rows=8, columns=8),
        factory.pet_series(STUDY, slices=1, rows=8, columns=8)[0],
    ],
)
def test_segmentation_radiotherapy_and_enhanced_objects_may_leave(dataset: Dataset) -> None:
    assert verdict(dataset) is None


def test_unknown_class_is_held_back() -> None:
    dataset = ct_image()
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.999"
    assert verdict(dataset) is Reason.NO_RULE_FOR_OBJECT


def test_picture_in_an_object_that_has_none_is_held_back() -> None:
    dataset = ct_image()
    dataset.SOPClassUID = uids.RTStructureSetStorage
    assert verdict(dataset) is Reason.NO_RULE_FOR_OBJECT


@pytest.mark.parametrize("sop_class", [uids.CTImageStorage, uids.SegmentationStorage, uids.RTImageStorage])
def test_image_without_pixels_is_held_back(sop_class: str) -> None:
    dataset = ct_image()
    dataset.SOPClassUID = sop_class
    del dataset.PixelData
    assert verdict(dataset) is Reason.NO_PIXELS


def test_encrypted_attributes_are_held_back() -> None:
    dataset = ct_image()
    item = Dataset()
    item.EncryptedContent = b"abcd"
    dataset.EncryptedAttributesSequence = [item]
    assert verdict(dataset) is Reason.ENCRYPTED_ATTRIBUTES


@pytest.mark.parametrize(
    "dataset", [ct_image(), factory.dose_page(STUDY), factory.us_cine(STUDY, frames=1, rows=16, columns=16)]
)
def test_picture_that_was_not_looked_through_is_held_back(dataset: Dataset) -> None:
    assert verdict(dataset, plan=None) is Reason.IMAGE_NOT_CHECKED


@pytest.mark.parametrize(
    "reason", [Reason.TEXT_FOUND, Reason.BURNED_IN_LIKELY, Reason.EXCLUDED_BY_PERSON, Reason.DETECTOR_FAILED]
)
def test_picture_stays_for_the_reason_of_its_plan(reason: Reason) -> None:
    assert verdict(ct_image(), plan=ImagePlan(ImageState.UNCHECKED, reason)) is reason


def test_segmentation_that_says_text_is_in_it_is_held_back() -> None:
    dataset = factory.segmentation(STUDY, [ct_image()])
    assert verdict(dataset, plan=None) is None
    dataset.BurnedInAnnotation = "YES"
    assert verdict(dataset, plan=None) is Reason.BURNED_IN_LIKELY


def test_overlay_in_the_high_bits_of_a_segmentation_is_held_back() -> None:
    dataset = factory.segmentation(STUDY, [ct_image()])
    dataset.add_new(Tag(0x6000, 0x0100), "US", 16)
    dataset.add_new(Tag(0x6000, 0x0102), "US", 12)
    assert verdict(dataset, plan=None) is Reason.BURNED_IN_LIKELY
    dataset[0x6000, 0x0102].value = 0
    assert verdict(dataset, plan=None) is None


def test_no_rule_takes_a_face_out_of_a_volume() -> None:
    assert verdict(ct_image(), Option.CLEAN_VISUAL_FEATURES) is Reason.VISUAL_FEATURES


@pytest.mark.parametrize(
    ("transfer_syntax", "reason"),
    [
        (uids.MPEG2MPML, Reason.VIDEO),
        (uids.HEVCMP51, Reason.VIDEO),
        (uids.UID("1.2.840.10008.1.2.4.94"), Reason.BAD_FRAGMENTS),
        (uids.JPEGBaseline8Bit, Reason.BAD_FRAGMENTS),
    ],
)
def test_pixels_of_an_encoding_that_can_not_be_looked_into_are_held_back(transfer_syntax: str, reason: Reason) -> None:
    header = read_header(io.BytesIO(factory.to_bytes(ct_image())))
    changed = replace(header, transfer_syntax_uid=str(transfer_syntax))
    with pytest.raises(HeldBackError) as held:
        check_object(changed, str(uids.CTImageStorage), make_recipe(), CLEAR)
    assert held.value.reason is reason
