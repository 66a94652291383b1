import io
from pathlib import Path

import pytest
from pydicom import Dataset
from pydicom import uid as uids
from pydicom.tag import Tag

from app.detection.risk import risk_of
from app.dicom.reading import read_header
from app.project.risks import Risk
from app.text.image_risks import IMAGE_RISKS
from tests import factory
from tests.real_data import REAL_FILES, needs_real_files

STUDY = factory.make_study(11)


def ct_image(**attributes: object) -> Dataset:
    dataset = factory.ct_series(STUDY, slices=1, rows=16, columns=16)[0]
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def risk(dataset: Dataset) -> Risk:
    return risk_of(read_header(io.BytesIO(factory.to_bytes(dataset))), str(dataset.SOPClassUID))


def test_image_of_a_scanner_has_no_risk() -> None:
    assert risk(ct_image()) is Risk.NONE


@pytest.mark.parametrize(
    "dataset",
    [
        factory.mr_series(STUDY, slices=1, rows=8, columns=8)[0],
        factory.pet_series(STUDY, slices=1, rows=8, columns=8)[0],
        factory.enhanced_mr(STUDY, frames=1, rows=8, columns=8),
        factory.segmentation(STUDY, [ct_image()]),
        factory.rt_dose(STUDY),
        factory.rt_structure_set(STUDY, [ct_image()]),
        factory.structured_report(STUDY, [ct_image()]),
    ],
)
def test_pictures_of_scanners_arrays_and_objects_without_pixels_have_no_risk(dataset: Dataset) -> None:
    assert risk(dataset) is Risk.NONE


@pytest.mark.filterwarnings("ignore:Invalid value for VR")
@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"BurnedInAnnotation": "YES"}, Risk.SAYS_BURNED_IN),
        ({"BurnedInAnnotation": "yes "}, Risk.SAYS_BURNED_IN),
        ({"BurnedInAnnotation": "PERHAPS"}, Risk.SAYS_BURNED_IN),
        ({"BurnedInAnnotation": "NO"}, Risk.NONE),
        ({"BurnedInAnnotation": "NO", "Modality": "US"}, Risk.ULTRASOUND),
        ({"ImageType": ["DERIVED", "SECONDARY", "dose_info"]}, Risk.SUMMARY_PAGE),
        ({"ImageType": ["ORIGINAL", "SECONDARY", "CSA REPORT"]}, Risk.SUMMARY_PAGE),
        ({"SeriesDescription": "Dose Report"}, Risk.SUMMARY_PAGE),
        ({"SeriesDescription": "1 Patient Protocol"}, Risk.SUMMARY_PAGE),
        ({"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, Risk.SCREEN_CAPTURE),
        ({"SeriesDescription": "Screen Save"}, Risk.SCREEN_CAPTURE),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "LABEL"]}, Risk.SCREEN_CAPTURE),
        ({"SOPClassUID": uids.SecondaryCaptureImageStorage}, Risk.SECONDARY_CAPTURE),
        ({"SOPClassUID": uids.MultiFrameTrueColorSecondaryCaptureImageStorage}, Risk.SECONDARY_CAPTURE),
        ({"Modality": "OT"}, Risk.SECONDARY_CAPTURE),
        ({"Modality": " US"}, Risk.ULTRASOUND),
        ({"SOPClassUID": uids.UltrasoundImageStorage}, Risk.ULTRASOUND),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.6"}, Risk.ULTRASOUND),
        ({"Modality": "ES"}, Risk.PHOTOGRAPH),
        ({"SOPClassUID": uids.OphthalmicPhotography8BitImageStorage}, Risk.PHOTOGRAPH),
        ({"ConversionType": "WSD"}, Risk.CONVERTED),
        ({"SecondaryCaptureDeviceManufacturerModelName": "Volume Viewer"}, Risk.CONVERTED),
        ({"Manufacturer": "Canon Inc.", "ManufacturerModelName": "CXDI", "SoftwareVersions": "V4.1"}, Risk.NONE),
        ({"Modality": "DX", "Manufacturer": "SHIMADZU"}, Risk.NONE),
        ({"SOPClassUID": uids.RTStructureSetStorage}, Risk.UNEXPECTED_PIXELS),
        ({"SOPClassUID": uids.BasicTextSRStorage}, Risk.UNEXPECTED_PIXELS),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.999"}, Risk.UNEXPECTED_PIXELS),
    ],
)
def test_reason_why_a_person_must_look(attributes: dict[str, object], expected: Risk) -> None:
    assert risk(ct_image(**attributes)) is expected


def test_device_that_is_known_to_write_into_its_images() -> None:
    dataset = factory.cr_image(STUDY)
    dataset.Manufacturer, dataset.ManufacturerModelName, dataset.SoftwareVersions = "Canon Inc.", "CXDI-50", "V4.1"
    del dataset.BurnedInAnnotation
    assert risk(dataset) is Risk.KNOWN_DEVICE


def test_the_most_serious_reason_is_told() -> None:
    dataset = factory.us_cine(STUDY, frames=1, rows=16, columns=16)
    dataset.ConversionType, dataset.BurnedInAnnotation = "DV", "NO"
    assert risk(dataset) is Risk.ULTRASOUND
    dataset.BurnedInAnnotation = "YES"
    assert risk(dataset) is Risk.SAYS_BURNED_IN


def test_dose_page_and_radiotherapy_image() -> None:
    assert risk(factory.dose_page(STUDY)).rank < Risk.ULTRASOUND.rank
    # RT images always tell how they were converted.
    assert risk(ct_image(SOPClassUID=uids.RTImageStorage, Modality="RTIMAGE", ConversionType="DI")) is Risk.NONE


def test_segmentation_that_says_text_is_in_it_must_be_seen() -> None:
    dataset = factory.segmentation(STUDY, [ct_image()])
    dataset.BurnedInAnnotation = "YES"
    assert risk(dataset) is Risk.SAYS_BURNED_IN


def test_overlay_in_the_high_bits_of_the_pixels_must_be_seen() -> None:
    dataset = ct_image()
    dataset.add_new(Tag(0x6000, 0x0100), "US", 16)
    dataset.add_new(Tag(0x6000, 0x0102), "US", 12)
    assert risk(dataset) is Risk.OVERLAY_IN_PIXELS
    dataset[0x6000, 0x0102].value = 0
    assert risk(dataset) is Risk.NONE


def test_riskiest_comes_first_and_nothing_last() -> None:
    assert sorted(Risk, key=lambda one: one.rank) == list(Risk)
    assert Risk.UNEXPECTED_PIXELS.rank == 0
    assert max(Risk, key=lambda one: one.rank) is Risk.NONE


def test_every_risk_has_a_sentence() -> None:
    assert set(IMAGE_RISKS) == set(Risk)


@needs_real_files
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("burned_in/us_acuson_doe_john_ybr_rle.dcm", Risk.ULTRASOUND),
        ("burned_in/US-PAL-8-10x-echo", Risk.ULTRASOUND),
        ("burned_in/mg_synthetic_henry_nicole.dcm", Risk.SECONDARY_CAPTURE),
        ("burned_in/MultiframeTest.dcm", Risk.SECONDARY_CAPTURE),
        ("burned_in/John_Stiles.dcm", Risk.UNEXPECTED_PIXELS),
        ("modalities/op_ophthalmic_lukeskywalker.dcm", Risk.PHOTOGRAPH),
        ("modalities/ct_ge_jan_01.dcm", Risk.NONE),
        ("modalities/xa_96frames_rubo_demo.dcm", Risk.NONE),
        # The header of an image with a name in it may be silent: that is what the detectors are for.
        ("burned_in/dx_synthetic_martin_chad.dcm", Risk.NONE),
    ],
)
def test_real_image(name: str, expected: Risk) -> None:
    path: Path = REAL_FILES / name
    with path.open("rb") as file:
        header = read_header(file)
    assert risk_of(header, header.text(0x00080016)) is expected
