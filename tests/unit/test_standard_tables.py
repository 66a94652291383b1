"""The tables under resources/standard: complete, true to pydicom's dictionary, and nothing let in by accident."""

import csv
import json
import re
import runpy
from fnmatch import fnmatchcase

import pytest
from pydicom._dicom_dict import DicomDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.datadict import (
    dictionary_description,
    dictionary_has_tag,
    dictionary_keyword,
    dictionary_VM,
    dictionary_VR,
    keyword_for_tag,
    repeater_has_tag,
    tag_for_keyword,
)

from app.deid.rules import Requirement, compile_rules, defined_terms, requirements_of, safe_private
from app.dicom.dictionary import (
    attribute_of,
    find_attribute,
    is_listed,
    is_registered,
    keyword_of,
    tag_of,
    transfer_syntaxes,
    uid_of,
)
from app.dicom.profile import Action, DatePreset, Option
from app.dicom.words import load_vocabulary
from app.files.resources import resource_path

FOLDER = resource_path("standard")
TEXT_VRS = frozenset(("LO", "SH", "ST", "LT", "UT", "UC"))
OPTION_CODES = frozenset(("", "K", "C"))
BASIC_CODES = frozenset(("X", "Z", "D", "U", "X/D", "X/Z", "X/Z/D", "Z/D", "X/Z/U"))


def read_rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_lines(name: str) -> list[str]:
    lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


PROFILE = read_rows("profile_e1_1.csv")
ALLOWED = read_rows("allow_list.csv")
ALLOWED_KEYWORDS = frozenset(row["keyword"] for row in ALLOWED)
CODE_LINES = {name: read_lines(name) for name in ("defined_terms.txt", "safe_words.txt")}


def test_profile_has_every_row_of_the_standard_once() -> None:
    assert len(PROFILE) == 656
    assert len({row["tag"] for row in PROFILE}) == 656
    assert {row["tag"] for row in PROFILE if "x" in row["tag"]} == {"50xxxxxx", "60xx3000", "60xx4000", "ggggxxxx"}


def test_profile_has_only_codes_of_the_standard() -> None:
    options = PROFILE[0].keys() - {"tag", "keyword", "vr", "basic"}
    assert len(options) == 10
    assert {row["basic"] for row in PROFILE} == BASIC_CODES
    assert {row[column] for row in PROFILE for column in options} == OPTION_CODES


@pytest.mark.parametrize(
    ("column", "kept", "cleaned"),
    [
        ("safe_private", 0, 1),
        ("uids", 60, 0),
        ("device", 48, 11),
        ("institution", 10, 0),
        ("patient", 14, 5),
        ("full_dates", 169, 0),
        ("modified_dates", 0, 169),
        ("descriptors", 0, 140),
        ("structured", 0, 4),
        ("graphics", 0, 4),
    ],
)
def test_profile_options_have_as_many_rows_as_in_the_standard(column: str, kept: int, cleaned: int) -> None:
    codes = [row[column] for row in PROFILE]
    assert (codes.count("K"), codes.count("C")) == (kept, cleaned)


@pytest.mark.parametrize(
    ("keyword", "basic"),
    [
        ("PatientName", "Z"),
        ("PatientID", "Z/D"),
        ("SOPInstanceUID", "U"),
        ("InstitutionAddress", "X"),
        ("ContentSequence", "D"),
        ("StudyDate", "Z"),
        ("DeviceSerialNumber", "X/Z/D"),
    ],
)
def test_profile_treats_known_attributes_as_the_standard_does(keyword: str, basic: str) -> None:
    assert [row["basic"] for row in PROFILE if row["keyword"] == keyword] == [basic]


def test_keyword_and_vr_are_those_of_the_dictionary() -> None:
    for row in [row for row in (*PROFILE, *ALLOWED) if "x" not in row["tag"]]:
        tag = int(row["tag"], 16)
        assert row["keyword"] == keyword_for_tag(tag)
        assert row["vr"] == (dictionary_VR(tag) if row["keyword"] else "")


def test_no_attribute_is_in_both_tables_or_twice() -> None:
    allowed = [row["tag"] for row in ALLOWED]
    assert len(set(allowed)) == len(allowed)
    assert not set(allowed) & {row["tag"] for row in PROFILE}
    assert allowed == sorted(allowed)


def test_every_allowed_attribute_says_why_and_how_many_values() -> None:
    assert all(row["why"] for row in ALLOWED)
    assert all(row["vm"] == dictionary_VM(int(row["tag"], 16)) for row in ALLOWED)


def test_actions_of_the_allow_list_fit_the_vr() -> None:
    kept_text = {"CodeValue", "LongCodeValue", "CodingSchemeDesignator", "CodingSchemeVersion"}
    for row in ALLOWED:
        action, vr = Action(row["action"]), row["vr"]
        assert vr not in {"PN", "AE", "UR", "UN", "DA", "DT"}
        assert vr != "OB" or row["keyword"] == "ICCProfile"  # rebuilt from its numbers
        if vr in TEXT_VRS:
            assert action is (Action.KEEP if row["keyword"] in kept_text else Action.CLEAN)
        elif vr == "UI":
            assert action in {Action.KEEP, Action.UID}
        else:
            assert action is Action.KEEP


def test_uids_that_stay_are_of_classes_and_schemes() -> None:
    kept = {row["keyword"] for row in ALLOWED if row["vr"] == "UI" and row["action"] == "keep"}
    assert kept == set(read_lines("by_hand/well_known_uids.txt"))
    assert not any("Instance" in keyword or "FrameOfReference" in keyword for keyword in kept)


def test_no_command_meta_directory_private_overlay_or_curve_group_is_let_in() -> None:
    groups = {int(row["tag"][:4], 16) for row in ALLOWED}
    assert not groups & {0x0000, 0x0002, 0x0004}
    assert not any(group % 2 or group & 0xFF00 in {0x5000, 0x6000} for group in groups)


@pytest.mark.parametrize(
    "pattern",
    [
        "*Name*Person*",
        "*Physician*",
        "*Operator*",
        "*Institution*",
        "*Address*",
        "*Telephone*",
        "*Comment*",
        "*Reason*",
        "*Requested*Procedure*Description",
        "*History*",
        "*Visit*",
        "*Admi[ts]*ion*ID",
        "*SerialNumber*",
        "*Signature*",
        "*Encrypted*",
        "Icon*",
        "Encapsulated*",
        "Overlay*",
        "Audio*",
        "Private*",
        "Selector*",
        "GPS*",
        "*DeviceIdentifier*",
        "*Birth*",
        "Issuer*",
        "*Consent*",
        "OriginalAttributes*",
    ],
)
def test_attributes_about_people_orders_and_hiding_places_stay_out(pattern: str) -> None:
    assert not [keyword for keyword in ALLOWED_KEYWORDS if fnmatchcase(keyword, pattern)]


@pytest.mark.parametrize(
    "keyword",
    [
        "Rows",
        "PixelData",
        "PixelSpacing",
        "ImageOrientationPatient",
        "RescaleSlope",
        "KVP",
        "ConvolutionKernel",
        "EchoTime",
        "DiffusionBValue",
        "RadionuclideTotalDose",
        "ContourData",
        "SegmentSequence",
        "PerFrameFunctionalGroupsSequence",
        "DimensionIndexValues",
        "SequenceOfUltrasoundRegions",
        "TotalPixelMatrixColumns",
        "FrameOfReferenceTransformationMatrix",
        "NumericValue",
        "SpecificCharacterSet",
    ],
)
def test_attributes_that_analysis_needs_are_let_in(keyword: str) -> None:
    assert keyword in ALLOWED_KEYWORDS


def test_what_was_decided_by_hand_names_known_attributes() -> None:
    for row in read_rows("by_hand/text_attributes.csv"):
        assert row["keyword"] in ALLOWED_KEYWORDS
    for keyword in (*read_lines("by_hand/retired_kept.txt"), *read_lines("by_hand/well_known_uids.txt")):
        assert keyword in ALLOWED_KEYWORDS
    for pattern in read_lines("by_hand/left_out.txt"):
        assert pattern.endswith("*") or tag_for_keyword(pattern) is not None
        assert not [keyword for keyword in ALLOWED_KEYWORDS if fnmatchcase(keyword, pattern)]


def test_both_tables_load_as_rules_under_every_option() -> None:
    table = compile_rules(frozenset(Option), DatePreset.SHIFTED, ())
    # Repeating groups, private elements and what pydicom does not know have no rule of their own: they never leave.
    # Neither do the command, File Meta and directory groups, which have no place in a dataset.
    named = [row for row in (*PROFILE, *ALLOWED) if row["keyword"] and "x" not in row["tag"]]
    assert table.rules.keys() == {int(row["tag"], 16) for row in named if row["tag"] >= "00080000"}


def test_types_name_storage_classes_and_known_modules() -> None:
    types = json.loads((FOLDER / "attribute_types.json").read_text(encoding="utf-8"))
    assert len(types["classes"]) > 120
    for uid, modules in types["classes"].items():
        assert uid.startswith("1.2.840.10008.5.1.4.")
        assert {usage for _, usage in modules} <= {"M", "C", "U"}
        assert {module for module, _ in modules} <= types["modules"].keys()
    for paths in types["modules"].values():
        assert all(re.fullmatch(r"[0-9A-F]{8}(\.[0-9A-F]{8})*", path) for path, _ in paths)
        assert {kind for _, kind in paths} <= {"1", "1C", "2", "2C"}
    assert (FOLDER / "attribute_types.json").stat().st_size < 1_500_000


def test_types_of_a_ct_image_are_those_of_its_modules() -> None:
    types = requirements_of("1.2.840.10008.5.1.4.1.1.2")
    assert types[0x00080016,] is Requirement.VALUE
    assert types[0x00100010,] is Requirement.PRESENT
    assert types[0x00280010,] is Requirement.VALUE
    assert (0x00204000,) not in types


def test_types_reach_into_functional_groups() -> None:
    types = requirements_of("1.2.840.10008.5.1.4.1.1.4.1")
    assert types[0x52009229, 0x00289110, 0x00280030] is Requirement.VALUE


@pytest.mark.parametrize("name", CODE_LINES)
def test_lists_are_sorted_and_without_duplicates(name: str) -> None:
    lines = CODE_LINES[name]
    assert lines == sorted(set(lines))


def test_defined_terms_are_code_strings() -> None:
    assert all(re.fullmatch("[A-Z0-9_](?:[A-Z0-9_ ]{0,14}[A-Z0-9_])?", term) for term in defined_terms())
    assert {
        "ORIGINAL",
        "HFS",
        "BQML",
        "ISO_IR 192",
        "M_FFE",
        "CT_SOM5 SPI",
        "ABDOMEN",
        "F",
        "SPIRAL",
    } <= defined_terms()


def test_safe_private_has_the_rows_that_can_be_checked() -> None:
    # Table E.3.10-1 has 479 rows; five of them state no VR.
    assert len(read_rows("safe_private.csv")) == 474
    assert len(safe_private()) == 474
    assert safe_private()["Philips PET Private Group", 0x7053, 0x00] == ("DS", 1)
    assert safe_private()["GEMS_PARM_01", 0x0043, 0x27] == ("SH", 1)


@pytest.mark.parametrize("word", ["thorax", "schädel", "crâne", "ohne", "t2", "tse", "mprage", "topogram", "siemens"])
def test_protocol_language_is_known(word: str) -> None:
    assert word in load_vocabulary()


@pytest.mark.parametrize("name", ["rose", "grace", "mark", "may", "smith", "müller", "garcia", "klein", "robert", "li"])
def test_usual_names_are_not_safe_words(name: str) -> None:
    assert name not in load_vocabulary()


def test_words_and_code_values_are_those_of_the_installed_pydicom() -> None:
    """Where this fails: run ``resources/standard/make_words.py``, and look at what a new pydicom would let through."""
    made = runpy.run_path(str(FOLDER / "make_words.py"))
    for name, lines in (("words.txt", made["words"]()), ("code_values.txt", made["code_values"]())):
        assert (FOLDER / name).read_text(encoding="utf-8") == "".join(f"{line}\n" for line in lines)


def test_dictionary_is_that_of_the_installed_pydicom() -> None:
    """Where this fails: run ``resources/standard/make_dictionary.py``, and look at what became another."""
    made = runpy.run_path(str(FOLDER / "make_dictionary.py"))
    for name, lines in (("attributes.tsv", made["attributes"]()), ("uids.tsv", made["uids"]())):
        assert (FOLDER / name).read_text(encoding="utf-8") == "".join(f"{line}\n" for line in lines)


def test_dictionary_answers_as_pydicom_does() -> None:
    repeated = [0x50000005, 0x501E3000, 0x60003000, 0x60FE0010, 0x7F000010, 0x00203101, 0x00280410, 0x10100021]
    unknown = [0x00080011, 0x00091010, 0x00290010, 0x60013000, 0x60010010, 0x70001234]
    for tag in (*DicomDictionary, *repeated, *unknown):
        entry = find_attribute(tag)
        if (tag >> 16) & 1 or not (dictionary_has_tag(tag) or repeater_has_tag(tag)):
            assert entry is None and keyword_of(tag) == "" and not is_listed(tag)
            continue
        told = (dictionary_VR(tag), dictionary_VM(tag), dictionary_keyword(tag), dictionary_description(tag))
        assert entry == told
        assert (keyword_of(tag), is_listed(tag)) == (keyword_for_tag(tag), dictionary_has_tag(tag))
        assert not entry.keyword or tag_of(entry.keyword) == tag_for_keyword(entry.keyword)
    assert find_attribute(0x60003000) is not None and find_attribute(0x00091010) is None
    with pytest.raises(KeyError):
        attribute_of(0x00080011)


def test_registered_uids_are_pydicoms_and_six_newer_ones() -> None:
    assert all(is_registered(uid) for uid in UID_dictionary)
    assert not is_registered("1.2.840.10008.1.2.999") and not is_registered("2.25.1")
    known = {uid for uid, (_, kind, *_) in UID_dictionary.items() if kind == "Transfer Syntax"}
    assert known < transfer_syntaxes() and len(transfer_syntaxes() - known) == 4
    assert all(uid_of(entry[4]) == uid for uid, entry in UID_dictionary.items() if entry[4])
