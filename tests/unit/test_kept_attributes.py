"""The table of what is kept says what the rules say, and released files keep what it promises."""

import csv
import io

from pydicom.dataset import Dataset

from app.dicom.reading import read_header
from tests.factory import (
    cr_image,
    ct_series,
    enhanced_mr,
    make_study,
    mr_series,
    pet_series,
    rt_dose,
    rt_structure_set,
    segmentation,
    to_bytes,
    us_cine,
)
from tests.kept_attributes import SUMMARY, TABLE, Fate, fate, lost, promised, to_csv, to_markdown
from tests.unit.deid_case import release_bytes

STUDY = make_study(3, description="Thorax")
LEAST = 0.99


def datasets() -> list[Dataset]:
    images = ct_series(STUDY, slices=2, rows=32, columns=32)
    return [
        images[0],
        mr_series(STUDY, slices=1, rows=32, columns=32)[0],
        pet_series(STUDY, slices=1, rows=32, columns=32)[0],
        enhanced_mr(STUDY),
        us_cine(STUDY, frames=2, rows=32, columns=32),
        cr_image(STUDY, rows=32, columns=32, burned_name=False),
        segmentation(STUDY, images),
        rt_structure_set(STUDY, images),
        rt_dose(STUDY),
    ]


def test_the_files_in_the_help_are_what_the_rules_say() -> None:
    assert TABLE.read_text(encoding="utf-8") == to_csv()
    assert SUMMARY.read_text(encoding="utf-8") == to_markdown()


def test_released_objects_keep_what_the_table_promises() -> None:
    values, missing = 0, []
    for dataset in datasets():
        content = to_bytes(dataset)
        original = read_header(io.BytesIO(content))
        _, released = release_bytes(content)
        assert len(promised(original)) > 20
        values += len(promised(original))
        missing += lost(original, read_header(io.BytesIO(released)))
    assert len(missing) <= (1 - LEAST) * values, missing
    # The fourth value of an ultrasound's Image Type is a number, which no list of terms has.
    assert missing == ["ImageType"]


def test_what_says_who_somebody_is_is_not_promised() -> None:
    kept = {row["attribute"] for row in csv.DictReader(io.StringIO(to_csv())) if row["what"] == Fate.KEPT}
    assert {"SliceThickness", "PixelSpacing", "KVP", "Units", "DecayFactor", "RadionuclideTotalDose"} <= kept
    assert kept.isdisjoint({"PatientName", "PatientID", "StudyDate", "InstitutionName", "SOPInstanceUID", "PatientAge"})


def test_what_lies_in_a_sequence_that_goes_is_gone() -> None:
    assert fate((0x00400275, 0x00080100)) is not Fate.GONE  # Request Attributes Sequence
    assert fate((0x04000561, 0x00180050)) is Fate.GONE  # Original Attributes Sequence
