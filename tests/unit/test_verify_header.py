"""What the separate reader accepts of one header, element by element."""

import contextlib
import math
import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from app.bundle.release import ValueRow
from app.bundle.tables import encode_values
from app.bundle.verify_header import HeaderFormError, HeaderWalker, MoreBytesNeededError, WalkedHeader
from app.bundle.verify_text import IdentifierSearch
from app.bundle.verify_values import ApprovedValues, Owner
from tests.unit.bundle_project import RULES_CSV, encode_header, make_dataset, native, value_rows

CODE = "SITEA-AAAAAA"
OWNER = Owner(CODE, None)


def approve(*more: ValueRow) -> ApprovedValues:
    return ApprovedValues(encode_values([*value_rows(), *more]), RULES_CSV)


def row(path: str, vr: str, fold: str = "", value: str = "", low: str = "", high: str = "") -> ValueRow:
    return ValueRow(path, vr, fold, value, low, high, 1, 1)


def sound_file() -> bytes:
    header, pixels = native(make_dataset(CODE, 4, 7), b"\0" * 80_000)
    return header + pixels


def walk(content: bytes, *more: ValueRow, owner: Owner = OWNER) -> WalkedHeader:
    return HeaderWalker(approve(*more)).walk(content, len(content), owner)


def findings(change: Callable[[Dataset], None], *more: ValueRow) -> list[tuple[str, str]]:
    data = make_dataset(CODE, 4, 7)
    change(data)
    return walk(encode_header(data), *more).findings


def element(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def long_element(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    return struct.pack("<HH2sHL", tag >> 16, tag & 0xFFFF, vr, 0, len(value) if length is None else length) + value


def before_pixels(inserted: bytes) -> bytes:
    """A file with something between Pixel Representation and Pixel Data."""
    content = sound_file()
    place = content.index(struct.pack("<HH2s", 0x7FE0, 0x0010, b"OW"))
    return content[:place] + inserted + content[place:]


def refused(content: bytes, *more: ValueRow) -> str:
    with pytest.raises(HeaderFormError) as caught:
        walk(content, *more)
    return caught.value.code


def test_a_sound_header_has_no_finding() -> None:
    header = walk(sound_file())
    assert header.findings == []
    assert header.pixel_length == 80_000


@pytest.mark.parametrize("size", [10, 140, 300, 500, 700])
def test_a_header_cut_at_the_first_read_asks_for_more(size: int) -> None:
    content = sound_file()
    with pytest.raises(MoreBytesNeededError) as caught:
        HeaderWalker(approve()).walk(content[:size], len(content), OWNER)
    assert size < caught.value.needed <= len(content)


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("SeriesDescription", "Thorax of Jane", "value-not-approved"),
        ("StudyDate", "20210101", "value-not-approved"),
        ("StudyDate", "2020-3-1", "value-not-approved"),
        ("StudyTime", "233000", "value-not-approved"),
        ("AccessionNumber", "A123", "value-not-approved"),
        ("PatientID", "SITEA-BBBBBB", "value-not-approved"),
        ("PatientName", "Doe^Jane", "value-not-approved"),
        ("SliceThickness", "1.5", "value-not-approved"),
        ("SOPInstanceUID", "1.2.3.4", "value-not-approved"),
        ("Rows", 300, "value-not-approved"),
        ("StationName", "CT1", "element-not-listed"),
        ("PatientAddress", "somewhere", "element-not-listed"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_what_was_not_approved_is_found(keyword: str, value: object, code: str) -> None:
    assert findings(lambda data: setattr(data, keyword, value)) == [(code, keyword)]


@pytest.mark.parametrize("keyword", ["PatientAge", "StationName", "ReferringPhysicianName"])
def test_an_emptied_attribute_of_the_standard_is_no_finding(keyword: str) -> None:
    assert findings(lambda data: setattr(data, keyword, "")) == []


def test_a_value_is_approved_for_its_path_only() -> None:
    def change(data: Dataset) -> None:
        data.ReferencedImageSequence[0].SeriesDescription = "Thorax nativ für Lunge"

    assert findings(change) == [("element-not-listed", "ReferencedImageSequence.SeriesDescription")]


def test_an_unlisted_sequence_is_found_and_so_is_what_is_in_it() -> None:
    def change(data: Dataset) -> None:
        item = Dataset()
        item.StationName = "CT1"
        data.RequestAttributesSequence = [item]

    assert findings(change) == [
        ("element-not-listed", "RequestAttributesSequence"),
        ("element-not-listed", "RequestAttributesSequence.StationName"),
    ]


def test_sequences_of_undefined_length_are_walked_too() -> None:
    def change(data: Dataset) -> None:
        data["ReferencedImageSequence"].is_undefined_length = True
        data.ReferencedImageSequence[0].is_undefined_length_sequence_item = True
        data.ReferencedImageSequence[0].ReferencedSOPInstanceUID = "1.2.3"

    path = "ReferencedImageSequence.ReferencedSOPInstanceUID"
    assert findings(change) == [("value-not-approved", path)]


def test_a_private_element_needs_its_creator_and_its_own_row() -> None:
    creator = row("(00E1,00xx)[ELSCINT1]", "LO", value="ELSCINT1")
    value = row("(00E1,xx21)[ELSCINT1]", "DS", "number", low="0.5", high="2.5")

    def change(data: Dataset) -> None:
        data.private_block(0x00E1, "ELSCINT1", create=True).add_new(0x21, "DS", "1.5")

    assert findings(change, creator, value) == []
    # The creator's name may say anything: a finding names the tag alone.
    assert findings(change) == [("element-not-listed", "(00E1,00xx)"), ("element-not-listed", "(00E1,xx21)")]
    orphan = element(0x70E11021, b"DS", b"1.5 ")
    assert refused(before_pixels(orphan)) == "private-creator"


def test_text_that_is_no_utf8_is_found() -> None:
    content = sound_file().replace("nativ für".encode(), b"nativ f\xff\xfe ")
    assert ("bad-text", "SeriesDescription") in walk(content).findings


def test_another_character_set_is_found() -> None:
    data = make_dataset(CODE, 4, 7)
    data.SpecificCharacterSet = "ISO_IR 100"
    codes = [code for code, _ in walk(encode_header(data)).findings]
    assert "character-set" in codes


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda content: b"x" + content[1:], "preamble"),
        (lambda content: content[:128] + b"DICX" + content[132:], "preamble"),
        (lambda content: content[:140] + b"\xff" + content[141:], "file-meta"),
        (lambda content: content.replace(b"\x02\0\x13\0SH", b"\x02\0\x16\0AE"), "file-meta"),
        (lambda content: content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.2\0"), "transfer-syntax"),
        (lambda content: content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2\0\0\0"), "transfer-syntax"),
        (lambda content: content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0"), "pixel-element"),
        (lambda content: content + b"\0\0", "bytes-after-pixels"),
        (lambda content: content[:-2], "bytes-after-pixels"),
        (lambda content: content[:700], "bad-element"),
        (lambda content: content.replace(b"\x28\0\x10\0US\2\0", b"\x28\0\x10\0US\3\0"), "bad-element"),
        (lambda content: content.replace(b"\x28\0\x10\0US\2\0", b"\x28\0\x10\0XX\2\0"), "bad-element"),
        (lambda content: content.replace(b"\x28\0\x11\0US", b"\x28\0\x10\0US"), "tags-not-rising"),
        (lambda content: content.replace(b"\xfe\xff\0\xe0", b"\xfe\xff\1\xe0"), "bad-sequence"),
        (lambda content: content.replace(b"\xe0\x7f\x10\0OW\0\0", b"\xe0\x7f\x10\0UN\0\0"), "bad-element"),
        (lambda content: content.replace(b"\xe0\x7f\x10\0OW\0\0", b"\xe0\x7f\x10\0OD\0\0"), "pixel-element"),
    ],
)
def test_a_broken_structure_is_refused(change: Callable[[bytes], bytes], code: str) -> None:
    content = change(sound_file())
    assert content != sound_file()
    assert refused(content) == code


def test_reserved_bytes_hide_nothing() -> None:
    content = sound_file().replace(b"\x08\0\x40\x11SQ\0\0", b"\x08\0\x40\x11SQhi")
    assert refused(content) == "bad-element"


def test_nesting_has_a_limit() -> None:
    nested = b""
    for _ in range(80):
        nested = long_element(0x00081140, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(nested)) + nested)
    content = sound_file()
    place = content.index(b"\x08\0\x40\x11SQ")
    assert refused(content[:place] + nested + content[place:]) == "too-deep"


def test_a_group_length_is_not_listed() -> None:
    place = sound_file().index(b"\x08\0\x05\0CS")
    content = sound_file()[:place] + element(0x00080000, b"UL", b"\0\0\0\0") + sound_file()[place:]
    assert [code for code, _ in walk(content).findings] == ["element-not-listed"]


def test_pixel_data_in_a_sequence_is_an_element_like_any_other() -> None:
    item = long_element(0x7FE00010, b"OW", b"\0\0")
    icon = long_element(0x00880200, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(item)) + item)
    assert walk(before_pixels(icon)).findings == [
        ("element-not-listed", "IconImageSequence"),
        ("element-not-listed", "IconImageSequence.PixelData"),
    ]


@pytest.mark.parametrize(
    ("vr", "layout", "numbers", "is_approved"),
    [
        (b"FD", "<2d", (0.5, 1.0), True),
        (b"FD", "<2d", (0.5, 1.01), False),
        (b"FD", "<2d", (0.5, math.nan), True),
        (b"FD", "<d", (math.inf,), True),
        (b"FL", "<f", (1.0,), False),  # the VR was not approved
    ],
)
def test_numbers_stay_in_their_range(vr: bytes, layout: str, numbers: tuple[float, ...], is_approved: bool) -> None:
    approved = row("ExposureTimeInms", "FD", "number", low="0.5", high="1.0")
    content = sound_file()
    value = element(0x00189328, vr, struct.pack(layout, *numbers))
    place = content.index(b"\x20\0\x0d\0UI")
    found = walk(content[:place] + value + content[place:], approved).findings
    assert (found == []) is is_approved


def test_a_message_in_the_bits_of_not_a_number_is_found() -> None:
    approved = row("ExposureTimeInms", "FD", "number", low="0.5", high="1.0")
    content = sound_file()
    place = content.index(b"\x20\0\x0d\0UI")
    value = element(0x00189328, b"FD", b"JANEDO\xf8\x7f")
    found = walk(content[:place] + value + content[place:], approved).findings
    assert found == [("value-not-approved", "ExposureTimeInms")]


def test_a_number_that_got_its_own_row_is_approved_as_it_stands() -> None:
    approved = row("ExposureTimeInms", "FD", "", "12345.0")
    content = sound_file()
    place = content.index(b"\x20\0\x0d\0UI")
    value = element(0x00189328, b"FD", struct.pack("<d", 12345.0))
    assert walk(content[:place] + value + content[place:], approved).findings == []


@given(st.data())
@settings(max_examples=300)
def test_no_damage_makes_anything_but_a_finding(data: st.DataObject) -> None:
    content = bytearray(sound_file()[:1200])
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(132, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(HeaderFormError, MoreBytesNeededError):
        HeaderWalker(approve()).walk(bytes(content), 81_000, OWNER)


@given(st.binary(min_size=1, max_size=12).map(lambda token: token.strip(b" \0")).filter(bool))
@settings(max_examples=200)
def test_a_token_in_a_text_is_never_approved(token: bytes) -> None:
    content = sound_file()
    place = content.index(b"\x08\0\x3e\x10LO")
    old_length = int.from_bytes(content[place + 6 : place + 8], "little")
    padded = token + b" " * (len(token) % 2)
    changed = content[:place] + element(0x0008103E, b"LO", padded) + content[place + 8 + old_length :]
    assert [code for code, _ in walk(changed).findings] in (["value-not-approved"], ["bad-text"])


# identifiers ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("identifier", "text", "is_found"),
    [
        ("DOE^JANE", "scan of jane", True),
        ("Müller", "MULLER thorax", True),
        ("Long", "longitudinal", False),
        ("12345", "id 12345.", True),
        ("12345", "9123456", False),
        ("Ann", "ann", False),
        ("St. Mary's", "at st. mary's today", True),
    ],
)
def test_identifiers_are_found_as_whole_words(identifier: str, text: str, is_found: bool) -> None:
    assert IdentifierSearch.of_patient([identifier]).is_in(text) is is_found


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-16-le", "utf-16-be"])
def test_long_identifiers_are_found_in_bytes_of_any_encoding(encoding: str) -> None:
    search = IdentifierSearch.of_patient(["Mustermann"])
    assert search.is_in_bytes(b"\1\2\3\4" + " Mustermann ".encode(encoding))
    assert not search.is_in_bytes(b"\1\2\3\4" + " Musterfrau ".encode(encoding))


def test_an_approved_text_with_the_patients_own_name_is_found() -> None:
    owner = Owner(CODE, IdentifierSearch.of_patient(["LUNGE^X"]))
    assert walk(sound_file(), owner=owner).findings == [("original-identifier", "SeriesDescription")]


@pytest.mark.parametrize(
    ("identifier", "text", "is_found"),
    [
        ("DOE^JANE", "scan of jane doe", True),
        ("DOE^JANE", "jane", False),
        ("TEST^Compression", "lossy compression", False),
        ("MRN-0012345", "see mrn-0012345", True),
        ("1984", "1984", False),
        ("20200131", "version 20200131", False),
        ("31.01.2020", "31.01.2020", False),
    ],
)
def test_whose_a_text_is_unknown_only_whole_names_and_long_ids_count(
    identifier: str, text: str, is_found: bool
) -> None:
    assert IdentifierSearch.of_anybody([identifier]).is_in(text) is is_found


def test_bytes_in_place_of_approved_numbers_are_found() -> None:
    approved = row("ModalityLUTSequence.LUTData", "US", "number", low="0", high="9")
    item = element(0x00283006, b"US", b"\5\0")
    other = long_element(0x00283006, b"OW", b"JANE")

    def sequence(content: bytes) -> bytes:
        return before_pixels(
            long_element(0x00283000, b"SQ", struct.pack("<HHL", 0xFFFE, 0xE000, len(content)) + content)
        )

    assert walk(sequence(item), approved).findings == []
    assert walk(sequence(other), approved).findings == [("vr-not-approved", "ModalityLUTSequence.LUTData")]
