"""The table of what is kept says what the rules say, and released files keep what it promises."""

import csv
import io

from pydicom.uid import UID

from app.dicom.reading import read_header
from tests.factory import ct_series, make_study, to_bytes
from tests.kept_attributes import OBJECTS, SUMMARY, TABLE, Fate, fate, to_csv, to_markdown
from tests.kept_values import LEAST, lost, measure, real_files, synthetic_files
from tests.real_data import needs_real_files


def test_the_files_in_the_help_are_what_the_rules_say() -> None:
    assert TABLE.read_text(encoding="utf-8") == to_csv()
    assert SUMMARY.read_text(encoding="utf-8") == to_markdown()


def test_released_objects_keep_all_that_the_table_promises() -> None:
    kinds = measure(synthetic_files())
    assert len(kinds) == 10 and "" not in kinds
    assert all(kept.promised > 20 for kept in kinds.values())
    assert {name: kept.lost for name, kept in kinds.items() if kept.lost} == {}


def test_a_value_that_is_gone_or_another_is_lost() -> None:
    dataset = ct_series(make_study(3), slices=1, rows=16, columns=16)[0]
    original = read_header(io.BytesIO(to_bytes(dataset)))
    assert lost(original, original) == []
    dataset.KVP = "81"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    del dataset.SliceThickness
    changed = read_header(io.BytesIO(to_bytes(dataset)))
    assert lost(original, changed) == [(0x00080008,), (0x00180050,), (0x00180060,)]


@needs_real_files
def test_each_kind_of_public_files_keeps_what_the_table_promises() -> None:
    kinds = measure((*synthetic_files(), *real_files()))
    kinds.pop("")  # broken on purpose, no DICOM, or of kinds that no rule releases
    assert len(kinds) >= 20
    below = {name: (kept.promised, kept.lost) for name, kept in kinds.items() if kept.share < LEAST}
    assert below == {}
    # What is in no public list: presets and makers in Image Type, and a time that is none.
    values = {value for kept in kinds.values() for value in kept.lost}
    assert {value.partition(" ")[0] for value in values} <= {"ImageType", "ContentTime"}
    tabled = {UID(sop_class_uid).name for sop_class_uid in OBJECTS.values()}
    assert len(tabled & kinds.keys()) >= 15


def test_what_says_who_somebody_is_is_not_promised() -> None:
    kept = {row["attribute"] for row in csv.DictReader(io.StringIO(to_csv())) if row["what"] == Fate.KEPT}
    assert {"SliceThickness", "PixelSpacing", "KVP", "Units", "DecayFactor", "RadionuclideTotalDose"} <= kept
    assert kept.isdisjoint({"PatientName", "PatientID", "StudyDate", "InstitutionName", "SOPInstanceUID", "PatientAge"})


def test_what_lies_in_a_sequence_that_goes_is_gone() -> None:
    assert fate((0x00400275, 0x00080100)) is not Fate.GONE  # Request Attributes Sequence
    assert fate((0x04000561, 0x00180050)) is Fate.GONE  # Original Attributes Sequence
