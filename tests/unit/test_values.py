import struct

import numpy as np
import pytest
from pydicom.tag import Tag

from app.deid.code_strings import is_known_term
from app.deid.recipe import Patient, describe_patient
from app.deid.rules import Rule, Source, compile_rules
from app.deid.values import (
    Drop,
    DroppedError,
    Fold,
    Value,
    has_identity_in_bytes,
    is_identity_hit,
    release_value,
)
from app.dicom.codes import is_known_code
from app.dicom.profile import Action, DatePreset, Option
from app.dicom.uids import keyed_uid
from tests.unit.deid_case import DEFAULT_OPTIONS, PATIENT, make_recipe

ANYBODY = Patient("SITE-ABC234", 10)


def make_rule(vr: str, action: Action = Action.KEEP, vm_max: int | None = None, *, verbatim: bool = False) -> Rule:
    return Rule(action, Source.ALLOW_LIST, "XZD", None, verbatim, False, tuple(vr.split(" or ")), vm_max)


def release(
    vr: str,
    raw: bytes,
    action: Action = Action.KEEP,
    vm_max: int | None = None,
    *,
    tag: int = 0x00189999,
    file_vr: str | None = None,
    character_sets: tuple[str, ...] = (),
    dates: DatePreset = DatePreset.SHIFTED,
    patient: Patient = ANYBODY,
    verbatim: bool = False,
) -> Value:
    rule = make_rule(vr, action, vm_max, verbatim=verbatim)
    return release_value(rule, tag, file_vr or rule.vrs[0], raw, character_sets, make_recipe(dates=dates), patient)


def dropped(vr: str, raw: bytes, action: Action = Action.KEEP, vm_max: int | None = None, **more: object) -> Drop:
    with pytest.raises(DroppedError) as error:
        release(vr, raw, action, vm_max, **more)  # type: ignore[arg-type]  # passed on as they are
    return error.value.reason


@pytest.mark.parametrize(
    "raw",
    [
        b"1",
        b"-1.5",
        b"+0.25",
        b".5",
        b"1.",
        b"1.25E-7",
        b"370000000",
        b"1.0\\2.0\\-3.5",
        b" 1.5 ",
        b"1.23456789012345678",
    ],
)
def test_decimal_stays_byte_for_byte(raw: bytes) -> None:
    value = release("DS", raw)
    assert value.encoded == raw.rstrip()
    assert value.fold is Fold.NUMBER


@pytest.mark.parametrize(
    "raw",
    [
        b"SMITH",
        b"1,5",
        b"0x12",
        b"1e9999",
        b"NaN",
        b"inf",
        b"1 2",
        b"--1",
        b"1_000",
        b"1\\SMITH",
        "\u0661".encode(),
        b"1.5\0SMITH",
    ],
)
def test_what_is_no_decimal_is_dropped(raw: bytes) -> None:
    assert dropped("DS", raw) is Drop.GRAMMAR


@pytest.mark.parametrize("raw", [b"5551234567", b"15551234567", b"-5551234567.5", b"20240101123000"])
def test_decimal_of_the_size_of_a_telephone_number_is_dropped(raw: bytes) -> None:
    assert dropped("DS", raw) is Drop.GRAMMAR


@pytest.mark.parametrize("vr", ["DS", "IS"])
def test_number_that_is_a_date_is_dropped(vr: str) -> None:
    assert dropped(vr, b"19590312") is Drop.GRAMMAR
    assert release(vr, b"19591399").encoded == b"19591399"


@pytest.mark.parametrize("raw", [b"5551234567", b"2147483648", b"1.5", b"A", b"12345678901"])
def test_what_is_no_integer_string_is_dropped(raw: bytes) -> None:
    assert dropped("IS", raw) is Drop.GRAMMAR


def test_range_of_numbers_is_told() -> None:
    value = release("IS", b"3\\-7\\12")
    assert (value.low, value.high) == (-7, 12)


def test_number_of_spaces_is_an_empty_value() -> None:
    assert release("DS", b"  ").encoded == b""
    assert release("DS", b" \\ ").encoded == b""


@pytest.mark.parametrize(
    ("vr", "raw"),
    [
        ("DS", b"1\\2\\3"),
        ("US", b"\1\0\2\0\3\0"),
        ("CS", b"HEAD\\CHEST\\LUNG"),
        ("DA", b"20240101\\20240102\\20240103"),
        ("LO", b"HEAD\\HEAD\\HEAD"),
    ],
)
def test_more_values_than_the_dictionary_allows_are_dropped(vr: str, raw: bytes) -> None:
    assert dropped(vr, raw, vm_max=2) is Drop.TOO_MANY


@pytest.mark.parametrize(
    ("vr", "numbers", "layout"),
    [
        ("US", (0, 65535), "H"),
        ("SS", (-5, 5), "h"),
        ("UL", (1, 2), "L"),
        ("SL", (-1, 2), "l"),
        ("FL", (0.5, 1.5), "f"),
        ("FD", (-0.5, 1e9), "d"),
        ("UV", (1, 2), "Q"),
        ("SV", (-1, 2), "q"),
    ],
)
def test_binary_numbers_stay_byte_for_byte(vr: str, numbers: tuple[float, float], layout: str) -> None:
    raw = struct.pack(f"<2{layout}", *numbers)
    value = release(vr, raw)
    assert value.encoded == raw
    assert (value.low, value.high) == numbers


def test_attribute_tags_are_numbers() -> None:
    raw = struct.pack("<HH", 0x0020, 0x9056)
    assert release("AT", raw).encoded == raw


@pytest.mark.parametrize(
    ("vr", "raw"),
    [("US", b"A"), ("FD", b"SMITHJO"), ("AT", b"AB"), ("OW", b"ABC"), ("OF", b"AB"), ("OD", b"ABCD"), ("UL", b"ABCDE")],
)
def test_binary_value_that_is_no_whole_number_of_words_is_dropped(vr: str, raw: bytes) -> None:
    assert dropped(vr, raw) is Drop.GRAMMAR


def test_message_in_a_not_a_number_is_dropped() -> None:
    assert dropped("FD", b"SMITH1\xf8\x7f") is Drop.GRAMMAR
    assert release("FD", struct.pack("<d", float("nan"))).encoded == struct.pack("<d", float("nan"))


@pytest.mark.parametrize("raw", [b"HEAD", b"ORIGINAL\\PRIMARY\\AXIAL", b"L\\F", b"M", b"FFE_M", b""])
def test_defined_terms_stay(raw: bytes) -> None:
    assert release("CS", raw).encoded == raw


@pytest.mark.parametrize(
    "raw",
    [
        b"SMITH",
        b"J\\O\\H\\N",
        b"J_O_H_N",
        b"123_456_789",
        b"555-123-456",
        b"HEAD_123_456",
        b"SMITH JOHN",
        b"19590312",
        b"J O H N",
    ],
)
def test_code_string_that_nobody_defined_is_dropped(raw: bytes) -> None:
    assert dropped("CS", raw) is Drop.NOT_A_KNOWN_TERM


def test_unknown_terms_of_a_list_go_and_the_others_stay() -> None:
    assert release("CS", b"ORIGINAL\\PRIMARY\\SMITH\\AXIAL", tag=0x00080008).encoded == b"ORIGINAL\\PRIMARY\\AXIAL"


def test_image_type_whose_first_places_are_unknown_is_dropped() -> None:
    assert dropped("CS", b"SMITH\\PRIMARY\\AXIAL", tag=0x00080008) is Drop.NOT_A_KNOWN_TERM


IMAGE_TYPE = 0x00080008


# Values 3 and 4 of Image Type by kind of object, PS3.3 section C.8 and its parts.
IMAGE_TYPES = {
    "CT": "AXIAL LOCALIZER VMI MAT_SPECIFIC MAT_REMOVED MAT_FRACTIONAL EFF_ATOMIC_NUM ELECTRON_DENSITY CARDIAC_CTA",
    "MR": "MPR OTHER T2_STAR TOF DIFFUSION DIFFUSION_ANISO FLUID_ATTENUATED VELOCITY M_MODE STIR ASL FMRI ADC",
    "PET": "STATIC DYNAMIC GATED IMAGE REPROJECTION CORONAL SAGITTAL OBLIQUE",
    "NM": "STATIC DYNAMIC GATED TOMO EMISSION TRANSMISSION SUBTRACTION",
    "US": "ABDOMINAL BREAST CHEST ENDOCAVITARY EPICARDIAL GYNECOLOGY INTRACARDIAC MUSCULOSKELETAL PELVIC TEE",
    "MG": "TOMO_SCOUT STEREO_MINUS STEREO_PLUS PRE_CONTRAST LOW_ENERGY RECOMBINED GENERATED_2D TOMOSYNTHESIS",
    "RT": "DRR PORTAL SIMULATOR RADIOGRAPH BLANK FLUENCE",
    "WSI": "VOLUME LABEL OVERVIEW THUMBNAIL LOCALIZER NONE RESAMPLED",
}


@pytest.mark.parametrize("kind", IMAGE_TYPES)
def test_image_types_of_each_kind_of_object_stay(kind: str) -> None:
    for term in IMAGE_TYPES[kind].split():
        raw = f"ORIGINAL\\PRIMARY\\{term}".encode()
        assert release("CS", raw, tag=IMAGE_TYPE).encoded == raw


@pytest.mark.parametrize(
    "term", ["WHOLE BODY", "GATED TOMO", "RECON TOMO", "RECON GATED TOMO", "SINGLE PLANE", "BIPLANE A"]
)
def test_image_types_of_two_words_stay(term: str) -> None:
    raw = f"ORIGINAL\\PRIMARY\\{term}\\EMISSION".encode()
    assert release("CS", raw, tag=IMAGE_TYPE).encoded == raw


@pytest.mark.parametrize("mode", [b"0001", b"0011", b"0019", b"0109", b"0400"])
def test_modes_of_an_ultrasound_image_stay_in_their_place(mode: bytes) -> None:
    for third in (b"", b"EPICARDIAL"):
        raw = b"ORIGINAL\\PRIMARY\\" + third + b"\\" + mode
        assert release("CS", raw, tag=IMAGE_TYPE).encoded == raw
    assert release("CS", b"ORIGINAL\\PRIMARY\\SMITH\\" + mode, tag=IMAGE_TYPE).encoded == (
        b"ORIGINAL\\PRIMARY\\\\" + mode
    )


@pytest.mark.parametrize("other", [b"0000", b"0311", b"0080", b"0800", b"1959", b"000G", b"00001", b"001", b"077F"])
def test_what_is_no_sum_of_ultrasound_modes_goes(other: bytes) -> None:
    assert release("CS", b"ORIGINAL\\PRIMARY\\CHEST\\" + other, tag=IMAGE_TYPE).encoded == b"ORIGINAL\\PRIMARY\\CHEST"


def test_ultrasound_modes_stand_nowhere_else() -> None:
    assert release("CS", b"ORIGINAL\\PRIMARY\\0001", tag=IMAGE_TYPE).encoded == b"ORIGINAL\\PRIMARY"
    assert release("CS", b"ORIGINAL\\PRIMARY\\\\\\0001", tag=IMAGE_TYPE).encoded == b"ORIGINAL\\PRIMARY\\\\"
    assert release("CS", b"HEAD\\HEAD\\HEAD\\0001").encoded == b"HEAD\\HEAD\\HEAD"


def test_ultrasound_mode_that_is_the_patient_number_is_a_hit() -> None:
    raw = b"ORIGINAL\\PRIMARY\\\\0101"
    value = release("CS", raw, tag=IMAGE_TYPE)
    assert not is_identity_hit(value, raw, ANYBODY)
    assert is_identity_hit(value, raw, describe_patient("SITE-ABC234", 10, [("id", "0101")]))


def test_code_string_of_another_script_is_unknown() -> None:
    assert not is_known_term("HEAD_\u0661")
    assert dropped("CS", "KÖPF".encode("latin-1")) is Drop.GRAMMAR


def test_uid_is_keyed_and_a_registered_one_stays() -> None:
    value = release("UI", b"1.2.3.4\0", Action.UID)
    assert value.encoded.decode() == keyed_uid(b"u" * 32, "1.2.3.4")
    assert value.original_uids == (("1.2.3.4", value.encoded.decode()),)
    assert release("UI", b"1.2.840.10008.1.2.1", Action.UID).encoded == b"1.2.840.10008.1.2.1"


def test_class_that_a_vendor_published_stays_and_its_instances_do_not() -> None:
    raw = b"1.3.12.2.1107.5.9.1"
    value = release("UI", raw, Action.UID)
    assert value.encoded == raw
    assert not is_identity_hit(value, raw, describe_patient("SITE-ABC234", 10, [("id", "1107")]))
    assert release("UI", raw + b".4711", Action.UID).encoded.startswith(b"2.25.")


def test_what_is_no_uid_is_keyed_too() -> None:
    value = release("UI", b"SMITH^JOHN", Action.UID)
    assert value.encoded.startswith(b"2.25.")


def test_each_uid_of_a_list_is_keyed() -> None:
    one, two = release("UI", b"1.2.3\\1.2.4", Action.UID).encoded.split(b"\\")
    assert one == release("UI", b"1.2.3", Action.UID).encoded
    assert two == release("UI", b"1.2.4", Action.UID).encoded


def test_uid_is_the_same_with_and_without_padding() -> None:
    assert release("UI", b"1.2.3\0", Action.UID).encoded == release("UI", b"1.2.3 ", Action.UID).encoded


def test_date_moves_into_the_past() -> None:
    assert release("DA", b"20240311", Action.SHIFT).encoded == b"20240301"
    assert release("DA", b"20240311\\20240312", Action.SHIFT).encoded == b"20240301\\20240302"


def test_empty_component_of_a_date_stays_empty() -> None:
    assert release("DA", b"20240311\\", Action.SHIFT).encoded == b"20240301\\"
    assert release("DA", b"        ", Action.SHIFT).encoded == b""


def test_date_time_keeps_precision_and_zone() -> None:
    assert release("DT", b"20240311121314.5+0100", Action.SHIFT).encoded == b"20240301121314.5+0100"


def test_year_only_tells_the_year() -> None:
    assert release("DA", b"20240311", Action.SHIFT, dates=DatePreset.YEAR_ONLY).encoded == b"20240101"
    assert release("DT", b"20240311121314", Action.SHIFT, dates=DatePreset.YEAR_ONLY).encoded == b"2024"


@pytest.mark.parametrize("raw", [b"SMITH", b"20240230", b"20240311\\SMITH", b"11.03.2024"])
def test_what_is_no_date_is_dropped(raw: bytes) -> None:
    assert dropped("DA", raw, Action.SHIFT) is Drop.GRAMMAR
    assert dropped("DA", raw, Action.KEEP) is Drop.GRAMMAR


@pytest.mark.parametrize("raw", [b"SMITH", b"250000", b"121314\\SMITH", b"5551234567"])
def test_what_is_no_time_is_dropped(raw: bytes) -> None:
    assert dropped("TM", raw) is Drop.GRAMMAR


def test_time_loses_the_colons_of_old_files() -> None:
    assert release("TM", b"12:13:14").encoded == b"121314"


def test_age_is_capped() -> None:
    assert release("AS", b"095Y", Action.CAP_AGE).encoded == b"090Y"
    assert release("AS", b"064Y").encoded == b"064Y"
    assert dropped("AS", b"SMIT") is Drop.GRAMMAR


@pytest.mark.parametrize("vr", ["SH", "LO", "ST", "LT", "UT", "UC"])
def test_text_keeps_its_safe_words(vr: str) -> None:
    assert release(vr, b"CHEST Zzyxname AP", Action.CLEAN).encoded == b"CHEST AP"
    assert dropped(vr, b"Zzyxname", Action.CLEAN) is Drop.NO_SAFE_WORD


@pytest.mark.parametrize("vr", ["AE", "PN", "UR"])
def test_text_of_names_and_addresses_never_leaves(vr: str) -> None:
    assert dropped(vr, b"CHEST") is Drop.WRONG_VR


def test_text_in_another_character_set_leaves_as_utf_8() -> None:
    value = release("LO", "Schädel".encode("latin-1"), Action.CLEAN, character_sets=("ISO_IR 100",))
    assert value.encoded.decode("utf-8") in ("Schädel", "")
    assert value.text == "Schädel"


def test_text_that_is_not_in_its_character_set_is_dropped() -> None:
    assert dropped("LO", "CHEST Schädel".encode("latin-1"), Action.CLEAN) is Drop.CHARACTER_SET
    assert dropped("LO", b"CHEST \xff\xfe", Action.CLEAN, character_sets=("ISO_IR 192",)) is Drop.CHARACTER_SET


def test_backslash_inside_a_character_of_two_bytes_makes_no_second_value() -> None:
    text = next(chr(code) for code in range(0x4E00, 0x9FA5) if chr(code).encode("gb18030")[1:] == b"\\") + " CHEST"
    value = release("LO", text.encode("gb18030"), vm_max=1, character_sets=("GB18030",), verbatim=True)
    assert value.encoded.decode("utf-8") == text


def test_number_spread_over_components_of_text_is_dropped() -> None:
    assert dropped("LO", b"555\\123\\4567", Action.CLEAN) is Drop.NO_SAFE_WORD


def test_text_far_longer_than_its_vr_is_dropped() -> None:
    assert dropped("SH", b"CHEST " * 20, Action.CLEAN) is Drop.TOO_LONG


def test_verbatim_text_stays_as_written() -> None:
    assert release("LO", b"Serial 0815-4711", verbatim=True).encoded == b"Serial 0815-4711"


@pytest.mark.parametrize(
    "code",
    [
        "113100",
        "T-D1100",
        "T-A0100",
        "R-10206",
        "51185008",
        "39607008",
        "10725009",
        "24727-0",
        "Y-X1743",
        "C44.9",
        "ml/min/100g",
    ],
)
def test_code_of_a_public_scheme_stays(code: str) -> None:
    assert release("SH", code.encode(), tag=0x00080100).encoded == code.encode()


@pytest.mark.parametrize(
    "code",
    [
        "SMITH",
        "12345678",
        "5551234567",
        "19590312",
        "MRN-12345",
        "51185009",
        "1\u0661185008",
        "Y-X1744",
        "C95.1",
        "D44.9",
    ],
)
def test_code_of_no_public_scheme_is_unknown(code: str) -> None:
    assert not is_known_code(code) or not code.isascii()


def test_private_coding_scheme_is_dropped() -> None:
    assert dropped("SH", b"99SMITH", tag=0x00080102) is Drop.NOT_A_KNOWN_CODE
    assert release("SH", b"SCT", tag=0x00080102).encoded == b"SCT"


@pytest.mark.parametrize("version", [b"5551234567", b"SMITH", b"555.123.4567"])
def test_version_of_a_scheme_that_is_none_is_dropped(version: bytes) -> None:
    assert dropped("SH", version, tag=0x00080103) is Drop.NOT_A_KNOWN_CODE


@pytest.mark.parametrize("version", [b"01", b"1.0", b"2.0.1", b"20240101", b"DCMR"])
def test_version_of_a_scheme_stays(version: bytes) -> None:
    assert release("SH", version, tag=0x00080103).encoded == version


def test_time_zone_is_a_time_zone() -> None:
    assert release("SH", b"+0100", tag=0x00080201, verbatim=True).encoded == b"+0100"
    assert dropped("SH", b"SMITH", tag=0x00080201, verbatim=True) is Drop.GRAMMAR


def test_text_vr_of_the_file_becomes_that_of_the_dictionary() -> None:
    assert release("CS", b"HEAD", file_vr="LO").vr == "CS"
    assert release("DS", b"1.5", file_vr="LO").vr == "DS"


@pytest.mark.parametrize(("vr", "file_vr"), [("DS", "OB"), ("US", "LO"), ("LO", "UN"), ("OW", "LT"), ("FD", "DS")])
def test_value_of_a_vr_that_the_dictionary_does_not_know_is_dropped(vr: str, file_vr: str) -> None:
    assert dropped(vr, b"12345678", file_vr=file_vr) is Drop.WRONG_VR


def test_sample_value_of_a_waveform_is_no_place_for_text() -> None:
    assert dropped("OB or OW", b"SMITH^JOHN", tag=0x5400100A) is Drop.TOO_LONG
    assert release("OB or OW", b"\0\x80", tag=0x5400100A).encoded == b"\0\x80"


def known() -> Patient:
    return describe_patient(
        "SITE-ABC234",
        10,
        [
            ("name", "SMITH^JOHN"),
            ("id", "0815-47-11"),
            ("id", "PID998877"),
            ("date", "19590312"),
            ("place", "St Elsewhere Hospital"),
            ("uid", "1.2.3.4.5"),
        ],
    )


@pytest.mark.parametrize(
    ("vr", "raw"),
    [
        ("DS", b"8154711"),
        ("DS", b"8154711.0"),
        ("DS", b"1\\-8154711"),
        ("IS", b"08154711"),
        ("UL", struct.pack("<3L", 1, 8154711, 9)),
        ("FD", struct.pack("<3d", 1, 8154711, 9e9)),
        ("FL", struct.pack("<f", 8154711)),
    ],
)
def test_number_of_the_identity_is_found_in_every_numeric_vr(vr: str, raw: bytes) -> None:
    value = release(vr, raw)
    assert is_identity_hit(value, raw, known())
    assert not is_identity_hit(value, raw, ANYBODY)


def test_number_that_only_contains_the_identity_is_no_hit() -> None:
    raw = b"0.8154711"
    assert not is_identity_hit(release("DS", raw), raw, known())


@pytest.mark.parametrize(
    "text", ["CHEST SMITH", "Chest smith", "0815-47-11", "x 12.03.1959 y", "ST ELSEWHERE HOSPITAL wing", "pid998877"]
)
def test_identity_is_found_in_text(text: str) -> None:
    value = Value(text.encode(), "LO", Fold.NONE, text)
    assert is_identity_hit(value, text.encode(), known())


@pytest.mark.parametrize("uid", ["1.2.3.4.5", "1.2.840.8154711.1", "1.2.840.19590312.7", "1.9\\1.2.3.4.5"])
def test_identity_is_found_in_kept_uids(uid: str) -> None:
    assert is_identity_hit(Value(uid.encode(), "UI", Fold.NONE, uid), uid.encode(), known())


def test_registered_uid_is_no_identity() -> None:
    uid = "1.2.840.10008.1.2.1"
    assert not is_identity_hit(Value(uid.encode(), "UI", Fold.NONE, uid), uid.encode(), known())


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le", "utf-16-be"])
def test_identity_in_binary_values_drops_them(encoding: str) -> None:
    raw = np.arange(64, dtype=np.uint8).tobytes() + "Smith^John".encode(encoding) + bytes(64)
    assert has_identity_in_bytes(raw, known())
    assert dropped("OB", raw, patient=known()) is Drop.IDENTITY
    assert release("OB", raw).encoded == raw


def test_words_of_the_identity_are_dropped_from_text() -> None:
    assert release("LO", b"CHEST SMITH AP", Action.CLEAN, patient=known()).encoded == b"CHEST AP"


def test_pseudonyms_take_the_place_of_names_and_numbers() -> None:
    assert release("PN", b"SMITH^JOHN", Action.PSEUDONYM).encoded == b"SITE-ABC234"
    accession = release("SH", b"4711", Action.PSEUDONYM)
    assert accession.encoded.startswith(b"A")
    assert len(accession.encoded) == 13
    assert accession.encoded == release("SH", b"4711 ", Action.PSEUDONYM).encoded
    assert accession.encoded != release("SH", b"4712", Action.PSEUDONYM).encoded


def test_every_allowed_attribute_has_a_rule_for_its_values() -> None:
    table = compile_rules(DEFAULT_OPTIONS | {Option.RETAIN_SAFE_PRIVATE}, DatePreset.SHIFTED, ())
    for tag, rule in table.rules.items():
        if rule.vrs[0] == "SQ" or rule.action in (Action.REMOVE, Action.EMPTY, Action.DUMMY):
            continue
        try:
            release_value(rule, tag, rule.vrs[0], b"ZZCANARY", (), make_recipe(), PATIENT)
        except DroppedError:
            continue
        numeric = rule.vrs[0] in "US SS UL SL FL FD AT OB OW OF OL OD".split()
        assert numeric or rule.vrs[0] == "UI" or rule.action is Action.PSEUDONYM, Tag(tag)


@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le"])
def test_name_that_is_written_into_numbers_goes(encoding: str) -> None:
    patient = describe_patient("SITE-ABC234", 10, [("name", "Haverkamp^Ilka")])
    raw = "Haverkamp ".encode(encoding)
    assert dropped("US", raw, patient=patient) is Drop.IDENTITY
    assert release("US", struct.pack("<5H", *range(5)), patient=patient).encoded == struct.pack("<5H", *range(5))
