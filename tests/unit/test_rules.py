import csv
import io

import pytest
from pydicom import uid as uids
from pydicom.datadict import tag_for_keyword

from app.deid.rules import (
    Requirement,
    Rule,
    RuleTable,
    Source,
    compile_rules,
    defined_terms,
    requirements_of,
    safe_private,
)
from app.dicom.profile import Action, DatePreset, Option

BASIC = frozenset[Option]()


def compiled(*options: Option, overrides: tuple[tuple[int, Action], ...] = ()) -> RuleTable:
    return compile_rules(frozenset(options), DatePreset.SHIFTED, overrides)


def rule(keyword: str, *options: Option) -> Rule:
    tag = tag_for_keyword(keyword)
    assert tag is not None
    found = compiled(*options).rule(tag)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("keyword", "action"),
    [
        ("PatientBirthDate", Action.EMPTY),
        ("PatientAddress", Action.REMOVE),
        ("StudyDate", Action.EMPTY),
        ("SeriesDate", Action.REMOVE),
        ("StudyDescription", Action.REMOVE),
        ("SeriesDescription", Action.REMOVE),
        ("PatientSex", Action.EMPTY),
        ("PatientAge", Action.REMOVE),
        ("InstitutionName", Action.REMOVE),
        ("DeviceSerialNumber", Action.REMOVE),
        ("ReferringPhysicianName", Action.EMPTY),
        ("SOPInstanceUID", Action.UID),
        ("FrameOfReferenceUID", Action.UID),
        ("PatientName", Action.PSEUDONYM),
        ("PatientID", Action.PSEUDONYM),
        ("AccessionNumber", Action.PSEUDONYM),
        ("SOPClassUID", Action.KEEP),
        ("Rows", Action.KEEP),
        ("ImagePositionPatient", Action.KEEP),
        ("ConvolutionKernel", Action.CLEAN),
        ("ClinicalTrialSubjectID", Action.DUMMY),
    ],
)
def test_basic_profile_decides_without_options(keyword: str, action: Action) -> None:
    assert rule(keyword).action is action


@pytest.mark.parametrize(
    ("option", "keyword", "action"),
    [
        (Option.CLEAN_DESCRIPTORS, "StudyDescription", Action.CLEAN),
        (Option.CLEAN_DESCRIPTORS, "SeriesDescription", Action.CLEAN),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "PatientSex", Action.KEEP),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "PatientWeight", Action.KEEP),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "PatientAge", Action.CAP_AGE),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "EthnicGroup", Action.CLEAN),
        (Option.RETAIN_PATIENT_CHARACTERISTICS, "PatientState", Action.CLEAN),
        (Option.RETAIN_DEVICE_IDENTITY, "DeviceSerialNumber", Action.KEEP),
        (Option.RETAIN_DEVICE_IDENTITY, "StationName", Action.KEEP),
        (Option.RETAIN_INSTITUTION_IDENTITY, "InstitutionName", Action.KEEP),
        (Option.RETAIN_UIDS, "SOPInstanceUID", Action.KEEP),
        (Option.RETAIN_FULL_DATES, "StudyDate", Action.KEEP),
        (Option.RETAIN_FULL_DATES, "SeriesTime", Action.KEEP),
        (Option.RETAIN_MODIFIED_DATES, "StudyDate", Action.SHIFT),
        (Option.RETAIN_MODIFIED_DATES, "AcquisitionDateTime", Action.SHIFT),
        (Option.RETAIN_MODIFIED_DATES, "SeriesTime", Action.KEEP),
        (Option.CLEAN_STRUCTURED_CONTENT, "ContentSequence", Action.CLEAN),
        (Option.CLEAN_GRAPHICS, "GraphicAnnotationSequence", Action.CLEAN),
    ],
)
def test_option_switches_its_attributes_and_is_named(option: Option, keyword: str, action: Action) -> None:
    found = rule(keyword, option)
    assert found.action is action
    assert found.option is option
    assert rule(keyword).action is not action


@pytest.mark.parametrize("option", list(Option))
def test_no_option_lets_names_of_people_or_addresses_in(option: Option) -> None:
    for keyword in (
        "PatientAddress",
        "PatientTelephoneNumbers",
        "ReferringPhysicianName",
        "OtherPatientIDs",
        "PatientBirthDate",
    ):
        found = rule(keyword, option)
        assert found.action in (Action.REMOVE, Action.EMPTY), keyword


def test_repeating_groups_commands_and_file_meta_are_never_let_in() -> None:
    tags = compiled(*Option).rules
    assert not any(0x5000 <= tag >> 16 <= 0x50FF or 0x6000 <= tag >> 16 <= 0x60FF for tag in tags)
    assert not any(tag < 0x00080000 or tag >> 16 & 1 for tag in tags)


def test_unlisted_attribute_has_no_rule() -> None:
    assert compiled(*Option).rule(0x00189999) is None
    assert compiled(*Option).rule(0x00091001) is None


def test_people_s_text_is_verbatim_only_by_an_option_of_the_standard() -> None:
    assert rule("InstitutionName", Option.RETAIN_INSTITUTION_IDENTITY).verbatim
    assert not rule("EthnicGroup", Option.RETAIN_PATIENT_CHARACTERISTICS).verbatim
    assert not rule("StudyDescription", Option.CLEAN_DESCRIPTORS).verbatim
    assert not any(found.verbatim for found in compiled().rules.values())


def test_protocol_overrides_single_attributes() -> None:
    tag = 0x0008103E
    found = compiled(Option.CLEAN_DESCRIPTORS, overrides=((tag, Action.REMOVE),)).rule(tag)
    assert found is not None
    assert (found.action, found.source) == (Action.REMOVE, Source.PROTOCOL)


def test_date_that_a_protocol_shifts_counts_as_modified() -> None:
    found = compiled(overrides=((0x00080020, Action.SHIFT),)).rule(0x00080020)
    assert found is not None
    assert found.option is Option.RETAIN_MODIFIED_DATES


def test_table_names_every_rule_with_its_source() -> None:
    table = compiled(Option.CLEAN_DESCRIPTORS)
    rows = list(csv.DictReader(io.StringIO(table.to_csv().decode())))
    assert len(rows) == len(table.rules)
    assert [row["tag"] for row in rows] == sorted(row["tag"] for row in rows)
    by_keyword = {row["keyword"]: row for row in rows}
    assert by_keyword["StudyDescription"]["option"] == "clean_descriptors"
    assert by_keyword["Rows"]["source"] == "allow-list"


def test_types_of_modules_are_the_strictest_ones() -> None:
    requirements = requirements_of(str(uids.CTImageStorage))
    assert requirements[(0x00080016,)] is Requirement.VALUE
    assert requirements[(0x00100010,)] is Requirement.PRESENT
    assert requirements_of("1.2.3") == {}


def test_defined_terms_are_code_strings_of_the_standard() -> None:
    terms = defined_terms()
    assert {"CT", "HEAD", "ORIGINAL", "HFS"} <= terms
    assert not {"SMITH", "JULIAN"} & terms


def test_safe_private_elements_are_known_by_their_creator() -> None:
    assert safe_private()["ELSCINT1", 0x00E1, 0x21] == ("DS", 1)
    assert ("SMITH", 0x00E1, 0x21) not in safe_private()
