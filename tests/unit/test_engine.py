import io
import struct
from typing import Any

import pytest
from pydicom import dcmread
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from app.deid import engine as engine_module
from app.deid.engine import Engine, ReleasedHeader
from app.deid.recipe import Patient
from app.deid.rules import compile_rules
from app.deid.tables import fit_table
from app.deid.values import Fold
from app.dicom.profile import METHOD_CODES, Action, DatePreset, Option
from app.dicom.reading import read_header
from app.dicom.tokens import Element
from app.errors import HeldBackError, Reason
from tests import factory
from tests.unit.deid_case import DEFAULT_OPTIONS, ct_image, known_patient, make_recipe, release, survey

STUDY = factory.make_study(23)
FULL = DEFAULT_OPTIONS | {Option.CLEAN_STRUCTURED_CONTENT, Option.CLEAN_GRAPHICS}


def code_item(value: str = "51185008", scheme: str = "SCT", meaning: str = "Chest") -> Dataset:
    return factory.code(value, scheme, meaning)


def methods(released: Dataset) -> set[str]:
    return {item.CodeValue for item in released.DeidentificationMethodCodeSequence}


def reasons(header: ReleasedHeader, path: str) -> set[str]:
    return {applied.reason for hit in header.hits for applied in hit.applied if applied.path == path}


def test_patient_becomes_a_code_and_the_object_says_so() -> None:
    released = release(ct_image())
    assert str(released.PatientName) == released.PatientID == "SITE-ABC234"
    assert released.PatientIdentityRemoved == "YES"
    assert released.DeidentificationMethod.startswith("Consign")
    assert released.PatientBirthDate == ""


def test_geometry_and_physics_stay_as_they_are() -> None:
    dataset = ct_image()
    released = release(dataset)
    for (
        keyword
    ) in "ImagePositionPatient ImageOrientationPatient PixelSpacing SliceThickness KVP Rows RescaleSlope".split():
        assert released[keyword].value == dataset[keyword].value, keyword


def test_unlisted_attribute_is_removed_at_every_depth() -> None:
    dataset = ct_image()
    inner = code_item()
    inner.add_new(Tag(0x0010, 0x1040), "LO", "ZZCANARY STREET")
    inner.add_new(Tag(0x0019, 0x0010), "LO", "SECRET MAKER")
    inner.add_new(Tag(0x0019, 0x1001), "LO", "ZZCANARY")
    deepest = code_item()
    deepest.add_new(Tag(0x0010, 0x4000), "LT", "ZZCANARY")
    inner.add_new(Tag(0x0008, 0x0121), "SQ", [deepest])
    dataset.AnatomicRegionSequence = [inner]
    released = release(dataset)
    (item,) = released.AnatomicRegionSequence
    assert [element.tag for element in item] == [0x00080100, 0x00080102, 0x00080104, 0x00080121]
    assert "ZZCANARY" not in str(released)
    assert Tag(0x0010, 0x4000) not in item[0x0008, 0x0121].value[0]


def test_overlays_curves_icons_and_trailing_elements_are_removed() -> None:
    dataset = ct_image()
    dataset.add_new(Tag(0x6000, 0x3000), "OW", b"ZZCANARY")
    dataset.add_new(Tag(0x5000, 0x3000), "OW", b"ZZCANARY")
    dataset.add_new(Tag(0xFFFC, 0xFFFC), "OB", b"ZZCANARY")
    icon = Dataset()
    icon.Rows = icon.Columns = 1
    icon.PixelData = b"ZZCANARY"
    icon["PixelData"].VR = "OB"
    dataset.IconImageSequence = [icon]
    released = release(dataset)
    assert not [element.tag for element in released if element.tag.group in (0x6000, 0x5000, 0xFFFC)]
    assert "IconImageSequence" not in released


def test_group_lengths_are_removed() -> None:
    dataset = ct_image()
    dataset.add_new(Tag(0x0008, 0x0000), "UL", 0x4A4F484E)
    assert Tag(0x0008, 0x0000) not in release(dataset)


@pytest.mark.parametrize(
    ("option", "keyword", "value"),
    [
        (Option.CLEAN_DESCRIPTORS, "StudyDescription", "CHEST"),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "PatientWeight", "71"),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "PatientSex", "F"),
        (Option.RETAIN_DEVICE_IDENTITY, "DeviceSerialNumber", "SN 4711"),
        (Option.RETAIN_DEVICE_IDENTITY, "StationName", "ROOM2"),
        (Option.RETAIN_INSTITUTION_IDENTITY, "InstitutionName", "St Elsewhere"),
        (Option.RETAIN_UIDS, "FrameOfReferenceUID", "1.2.3.4.5"),
        (Option.RETAIN_FULL_DATES, "SeriesDate", "20240311"),
        (Option.RETAIN_MODIFIED_DATES, "SeriesTime", "121314"),
    ],
)
def test_option_on_keeps_its_attribute_and_is_claimed_and_off_it_is_neither(
    option: Option, keyword: str, value: str
) -> None:
    dataset = ct_image()
    setattr(dataset, keyword, value)
    code = METHOD_CODES[option][0]
    on, off = release(dataset, {option}), release(dataset, ())
    assert str(on[keyword].value) == value
    assert code in methods(on)
    assert str(off.get(keyword, "")) != value
    assert methods(off) == {"113100"}


def test_option_that_was_never_applied_is_not_claimed() -> None:
    released = release(ct_image(), {Option.RETAIN_SAFE_PRIVATE, Option.CLEAN_GRAPHICS, Option.CLEAN_PIXEL_DATA})
    assert methods(released) == {"113100"}


def test_longitudinal_information_is_told_as_it_is() -> None:
    dataset = ct_image()
    told = [
        release(dataset, options).LongitudinalTemporalInformationModified
        for options in ((), {Option.RETAIN_MODIFIED_DATES}, {Option.RETAIN_FULL_DATES})
    ]
    assert told == ["REMOVED", "MODIFIED", "UNMODIFIED"]


def test_intervals_between_dates_are_kept() -> None:
    dataset = ct_image()
    dataset.StudyDate, dataset.SeriesDate, dataset.AcquisitionDateTime = "20240311", "20240310", "20240312121314.5+0100"
    released = release(dataset)
    assert (released.StudyDate, released.SeriesDate) == ("20231202", "20231201")
    assert str(released.AcquisitionDateTime) == "20231203121314.5+0100"


def test_dates_in_functional_groups_move() -> None:
    dataset = factory.enhanced_mr(STUDY, frames=2, rows=8, columns=8)
    original = [
        str(item.FrameContentSequence[0].FrameAcquisitionDateTime) for item in dataset.PerFrameFunctionalGroupsSequence
    ]
    released = release(dataset)
    moved = [
        str(item.FrameContentSequence[0].FrameAcquisitionDateTime) for item in released.PerFrameFunctionalGroupsSequence
    ]
    assert len(moved) == 2
    assert all(new[:8] < old[:8] and new[8:] == old[8:] for old, new in zip(original, moved, strict=True))


def test_year_only_leaves_the_year() -> None:
    dataset = ct_image()
    dataset.StudyDate, dataset.AcquisitionDateTime = "20240311", "20240312121314.5+0100"
    released = release(dataset, dates=DatePreset.YEAR_ONLY)
    assert (released.StudyDate, str(released.AcquisitionDateTime)) == ("20240101", "2024")


def test_date_that_is_none_is_not_kept() -> None:
    content = bytearray(factory.to_bytes(ct_image()))
    place = content.index(b"\x08\x00\x21\x00DA\x08\x00") + 8
    content[place : place + 8] = b"ZZCANARY"
    header = read_header(io.BytesIO(bytes(content)))
    released = Engine(
        make_recipe(), compile_rules(DEFAULT_OPTIONS, DatePreset.SHIFTED, ()), Patient("S-ABC234", 5)
    ).release(header, str(uids.CTImageStorage))
    assert b"ZZCANARY" not in released.encoded
    assert reasons(released, "SeriesDate") == {"grammar"}


@pytest.mark.parametrize(
    "keyword", ["StudyDate", "SeriesDescription", "PatientAge", "AccessionNumber", "SliceThickness"]
)
def test_empty_element_stays_empty(keyword: str) -> None:
    dataset = ct_image()
    dataset[keyword if keyword in dataset else "StudyDate"].value = ""
    if keyword not in dataset:
        setattr(dataset, keyword, "")
    released = release(dataset)
    assert released[keyword].is_empty


def test_absent_element_is_not_invented() -> None:
    dataset = ct_image()
    for keyword in ("AccessionNumber", "SeriesDate", "PatientSex"):
        if keyword in dataset:
            del dataset[keyword]
    released = release(dataset)
    assert not [keyword for keyword in ("AccessionNumber", "SeriesDate", "PatientSex") if keyword in released]


def test_age_above_89_is_told_as_90() -> None:
    dataset = ct_image()
    dataset.PatientAge = "097Y"
    assert release(dataset).PatientAge == "090Y"


def test_references_between_objects_stay_true() -> None:
    images = factory.ct_series(STUDY, slices=2, rows=8, columns=8)
    segmentation = factory.segmentation(STUDY, images)
    released = [release(image) for image in images]
    references = {
        str(item.ReferencedSOPInstanceUID)
        for series in release(segmentation).ReferencedSeriesSequence
        for item in series.ReferencedInstanceSequence
    }
    assert references == {str(image.SOPInstanceUID) for image in released}
    assert released[0].StudyInstanceUID == released[1].StudyInstanceUID != images[0].StudyInstanceUID
    assert released[0].SOPInstanceUID != released[1].SOPInstanceUID


def test_other_keys_give_other_uids() -> None:
    dataset = ct_image()
    header = read_header(io.BytesIO(factory.to_bytes(dataset)))
    rules = compile_rules(DEFAULT_OPTIONS, DatePreset.SHIFTED, ())
    recipes = [make_recipe(), make_recipe()]
    object.__setattr__(recipes[1], "uid_key", b"x" * 32)
    made = [
        Engine(recipe, rules, Patient("S-ABC234", 1)).release(header, str(uids.CTImageStorage)).text(0x00080018)
        for recipe in recipes
    ]
    assert made[0] != made[1]


def test_type_two_attribute_that_loses_its_value_stays_empty() -> None:
    dataset = ct_image()
    dataset.ReferringPhysicianName = "SMITH^JOHN"
    dataset.StudyID = "4711"
    released = release(dataset)
    assert released.ReferringPhysicianName == ""
    assert released.StudyID == ""


def test_type_one_text_that_loses_its_value_gets_a_dummy() -> None:
    dataset = factory.rt_structure_set(STUDY, [ct_image()])
    dataset.StructureSetLabel = "ZZCANARY"
    released = release(dataset)
    assert released.StructureSetLabel == "REMOVED"


def test_instance_that_loses_what_makes_it_an_image_is_held_back() -> None:
    dataset = ct_image()
    dataset.add_new(Tag(0x0008, 0x0060), "LO", "ZZCANARY")
    with pytest.raises(HeldBackError) as held:
        survey(dataset)
    assert held.value.reason is Reason.REQUIRED_VALUE_LOST


def test_per_frame_item_that_loses_everything_keeps_its_place() -> None:
    dataset = factory.enhanced_mr(STUDY, frames=3, rows=8, columns=8)
    empty = Dataset()
    empty.add_new(Tag(0x0019, 0x1001), "LO", "ZZCANARY")
    dataset.PerFrameFunctionalGroupsSequence[1] = empty
    released = release(dataset)
    assert len(released.PerFrameFunctionalGroupsSequence) == 3
    assert len(released.PerFrameFunctionalGroupsSequence[1]) == 0


def safe_private_block() -> Dataset:
    dataset = ct_image()
    dataset.add_new(Tag(0x00E1, 0x0010), "LO", "ELSCINT1")
    dataset.add_new(Tag(0x00E1, 0x1021), "DS", "1.5")
    dataset.add_new(Tag(0x00E1, 0x1022), "LO", "ZZCANARY")
    dataset.add_new(Tag(0x00E1, 0x0011), "LO", "ZZCANARY")
    dataset.add_new(Tag(0x00E1, 0x1121), "DS", "2.5")
    return dataset


def test_safe_private_element_stays_with_its_creator_only_where_the_option_is_on() -> None:
    released = release(safe_private_block(), {Option.RETAIN_SAFE_PRIVATE})
    private = {int(element.tag): str(element.value) for element in released if element.tag.is_private}
    assert private == {0x00E10010: "ELSCINT1", 0x00E11021: "1.5"}
    assert "113111" in methods(released)
    assert not [element for element in release(safe_private_block()) if element.tag.is_private]


def test_safe_private_element_has_its_listed_vr_and_value_rules() -> None:
    dataset = safe_private_block()
    dataset[0x00E1, 0x1021] = dataset.private_block(0x00E1, "ELSCINT1")[0x21]
    dataset.add_new(Tag(0x00E1, 0x1021), "UN", b"ZZCANARY")
    released = release(dataset, {Option.RETAIN_SAFE_PRIVATE})
    assert not [element for element in released if element.tag.is_private]


def test_private_block_without_creator_is_removed() -> None:
    dataset = ct_image()
    dataset.add_new(Tag(0x00E1, 0x1021), "DS", "1.5")
    assert not [element for element in release(dataset, {Option.RETAIN_SAFE_PRIVATE}) if element.tag.is_private]


def test_text_leaves_as_utf_8_whatever_it_was() -> None:
    dataset = ct_image()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SeriesDescription = "CHEST Größe Thorax"
    released = release(dataset)
    assert released.SpecificCharacterSet == "ISO_IR 192"
    assert released.SeriesDescription.startswith("CHEST")


def test_character_set_of_an_item_holds_in_it_and_does_not_leave() -> None:
    dataset = ct_image()
    item = code_item()
    item.SpecificCharacterSet = "ISO_IR 192"
    dataset.AnatomicRegionSequence = [item]
    released = release(dataset)
    assert "SpecificCharacterSet" not in released.AnatomicRegionSequence[0]


def test_identity_in_a_kept_number_is_a_row_of_its_own() -> None:
    dataset = ct_image()
    dataset.PatientID = "8154711"
    dataset.TriggerTime = "8154711"
    header = survey(dataset, patient=known_patient(dataset))
    (record,) = [record for hit in header.hits for record in hit.records if record.path == "TriggerTime"]
    assert record.identity_hit
    assert (record.fold, record.value) == (Fold.NONE, "8154711")


@pytest.mark.parametrize(("replacement", "expected"), [(None, None), ("HEAD", "HEAD")])
def test_reviewers_decision_drops_or_replaces_a_value(replacement: str | None, expected: str | None) -> None:
    dataset = ct_image()
    dataset.SeriesDescription = "CHEST"
    released = release(dataset, decisions={("SeriesDescription", "CHEST"): replacement})
    assert released.get("SeriesDescription") == expected


def test_reviewers_decision_drops_a_path() -> None:
    dataset = ct_image()
    dataset.SeriesDescription = "CHEST"
    released = release(dataset, dropped_paths=frozenset(("SeriesDescription",)))
    assert "SeriesDescription" not in released


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (Action.KEEP, "CHEST SMITH"),
        (Action.CLEAN, "CHEST"),
        (Action.EMPTY, ""),
        (Action.REMOVE, None),
        (Action.DUMMY, "REMOVED"),
    ],
)
def test_protocol_overrides_what_becomes_of_an_attribute(action: Action, expected: str | None) -> None:
    dataset = ct_image()
    dataset.SeriesDescription = "CHEST SMITH"
    assert release(dataset, overrides=((0x0008103E, action),)).get("SeriesDescription") == expected


def test_same_header_gives_the_same_bytes_with_and_without_memory() -> None:
    header = read_header(io.BytesIO(factory.to_bytes(factory.enhanced_mr(STUDY, frames=3, rows=8, columns=8))))
    rules = compile_rules(DEFAULT_OPTIONS, DatePreset.SHIFTED, ())
    engine = Engine(make_recipe(), rules, Patient("S-ABC234", 1))
    first = engine.release(header, str(uids.EnhancedMRImageStorage)).encoded
    assert engine.release(header, str(uids.EnhancedMRImageStorage)).encoded == first
    other = Engine(make_recipe(), rules, Patient("S-ABC234", 1))
    assert other.release(header, str(uids.EnhancedMRImageStorage)).encoded == first


def test_memory_is_started_anew_before_it_grows_with_the_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "MAX_REMEMBERED_BYTES", 100_000)
    rules = compile_rules(DEFAULT_OPTIONS, DatePreset.SHIFTED, ())
    engine = Engine(make_recipe(), rules, Patient("S-ABC234", 1))
    for number in range(10):
        dataset = factory.rt_structure_set(factory.make_study(number), [ct_image()])
        dataset.ROIContourSequence[0].ContourSequence[0].ContourData = [float(number)] * 9000
        engine.release(read_header(io.BytesIO(factory.to_bytes(dataset))), str(uids.RTStructureSetStorage))
    assert engine._remembered_bytes < 300_000


def test_structured_content_is_cleaned_word_by_word() -> None:
    report = factory.structured_report(STUDY, [ct_image()])
    released = release(report, FULL)
    text = str(released)
    assert "113104" in methods(released)
    assert not any(part in text for part in STUDY.identity.patient_name.split("^") if len(part) > 3)


def palette(entries: int, bits: int, data: bytes) -> list[Element]:
    descriptor = struct.pack("<HHH", entries, 0, bits)
    return [Element(0x00281101, "US", descriptor), Element(0x00281201, "OW", data)]


@pytest.mark.parametrize(
    ("entries", "bits", "length"), [(256, 16, 512), (256, 8, 256), (256, 8, 512), (3, 8, 4), (0, 16, 131072)]
)
def test_table_of_the_described_size_stays(entries: int, bits: int, length: int) -> None:
    elements = palette(entries, bits, b"\1" * length)
    assert fit_table(elements[1], elements) is elements[1]


def test_bytes_behind_a_table_are_cut_off() -> None:
    elements = palette(4, 16, bytes(8) + b"ZZCANARY")
    fitting = fit_table(elements[1], elements)
    assert fitting is not None
    assert fitting.value == bytes(8)


def test_table_that_is_too_short_or_not_described_is_dropped() -> None:
    elements = palette(256, 16, b"ZZCANARY")
    assert fit_table(elements[1], elements) is None
    assert fit_table(elements[1], elements[1:]) is None


def segmented(*words: int, entries: int) -> bool:
    value = struct.pack(f"<{len(words)}H", *words)
    element = Element(0x00281221, "OW", value)
    return fit_table(element, [Element(0x00281101, "US", struct.pack("<HHH", entries, 0, 16)), element]) is not None


def test_segmented_palette_has_segments_that_make_its_entries() -> None:
    assert segmented(0, 2, 10, 20, 1, 3, 99, entries=5)
    assert segmented(0, 2, 10, 20, 1, 3, 99, 2, 2, 0, 0, entries=10)
    assert not segmented(0, 2, 10, 20, 1, 3, 99, entries=256)
    assert not segmented(0x5A5A, 0x4143, 0x414E, entries=3)
    assert not segmented(0, 2, 10, 20, 7, entries=2)


def test_lookup_table_of_an_item_is_measured_by_the_item() -> None:
    dataset = ct_image()
    item = Dataset()
    item.add_new(Tag(0x0028, 0x3002), "US", [2, 0, 16])
    item.add_new(Tag(0x0028, 0x3006), "OW", b"\1\0\2\0ZZCANARY")
    dataset.VOILUTSequence = [item]
    released = release(dataset)
    assert released.VOILUTSequence[0].LUTData == b"\1\0\2\0"


def test_table_without_its_descriptor_goes_with_a_reason() -> None:
    dataset = ct_image()
    item = Dataset()
    item.add_new(Tag(0x0028, 0x3003), "LO", "CHEST")
    item.add_new(Tag(0x0028, 0x3006), "OW", b"ZZCANARY")
    dataset.VOILUTSequence = [item]
    header = survey(dataset)
    assert b"ZZCANARY" not in header.encoded
    assert reasons(header, "VOILUTSequence.LUTData") == {"table-size"}


def waveform(length: int) -> list[Element]:
    numbers: list[tuple[int, str, Any]] = [(0x003A0005, "<H", 2), (0x003A0010, "<L", 10), (0x54001004, "<H", 16)]
    elements = [Element(tag, "US", struct.pack(layout, number)) for tag, layout, number in numbers]
    return [*elements, Element(0x54001010, "OW", b"\1" * length)]


def test_waveform_is_as_long_as_channels_samples_and_bits_say() -> None:
    exact, longer, shorter = waveform(40), waveform(60), waveform(20)
    assert fit_table(exact[-1], exact) is exact[-1]
    cut = fit_table(longer[-1], longer)
    assert cut is not None
    assert len(cut.value) == 40
    assert fit_table(shorter[-1], shorter) is None


def test_released_header_is_readable_and_rising() -> None:
    released = release(factory.enhanced_mr(STUDY, frames=2, rows=8, columns=8), FULL)
    tags = [element.tag for element in released]
    assert tags == sorted(set(tags))
    assert dcmread(io.BytesIO(factory.to_bytes(released))).Rows == 8
