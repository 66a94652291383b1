"""Reading against its referee, pydicom, and against damage that pydicom does not see."""

import io
import struct
import warnings
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pydicom
import pytest
from pydicom.charset import convert_encodings, decode_bytes
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from app.dicom.reading import _ENCODINGS, Header, decode_text, read_header
from app.dicom.tokens import Element, Limits
from app.errors import Reason, UnreadableError
from tests.real_data import iterate_real_files, needs_real_files

SYNTAXES: list[UID] = [
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
]


def make_dataset(syntax: UID = ExplicitVRLittleEndian) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = syntax
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3.4")
    dataset = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = UID("1.2.3.4")
    dataset.PatientName = "Doe^Jane"
    dataset.ImagePositionPatient = [1.5, -2, 3]
    dataset.Rows = 2
    dataset.Columns = 3
    dataset.BitsAllocated = 16
    dataset.PixelRepresentation = 1
    dataset.SmallestImagePixelValue = -5
    inner = Dataset()
    inner.CodeValue = "T-D4000"
    inner.CodingSchemeDesignator = "SRT"
    outer = Dataset()
    outer.AnatomicRegionModifierSequence = Sequence([inner, Dataset()])
    outer.CodeMeaning = "Abdomen"
    dataset.AnatomicRegionSequence = Sequence([outer, outer])
    dataset.PixelData = struct.pack("<6h", *range(6))
    return dataset


def to_bytes(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def read(data: bytes, limits: Limits | None = None) -> Header:
    return read_header(io.BytesIO(data), limits or Limits())


def reason_of(data: bytes, limits: Limits | None = None) -> Reason:
    with pytest.raises(UnreadableError) as caught:
        read(data, limits)
    return caught.value.reason


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_all_encodings_give_the_same_elements(syntax: UID) -> None:
    plain = read(to_bytes(make_dataset()))
    header = read(to_bytes(make_dataset(syntax)))
    assert header.elements == plain.elements
    assert header.transfer_syntax_uid == syntax
    assert header.pixel is not None
    assert header.pixel.length == 12


def test_open_ended_sequences_give_the_same_elements() -> None:
    dataset = make_dataset()
    plain = read(to_bytes(dataset)).elements
    for item in (dataset, *dataset.AnatomicRegionSequence):
        for element in item:
            if element.VR == "SQ":
                element.is_undefined_length = True
                for child in element.value:
                    child.is_undefined_length_sequence_item = True
    assert read(to_bytes(dataset)).elements == plain


@pytest.mark.parametrize("cut", range(132, 500, 7))
def test_a_cut_file_is_never_read_as_whole(cut: int) -> None:
    data = to_bytes(make_dataset())
    assert cut < len(data)
    try:
        header = read(data[:cut])
    except UnreadableError:
        return
    assert header.pixel is None  # cut between two elements: what is missing are the pixels, and that is seen later


def test_length_beyond_the_end_is_refused() -> None:
    data = bytearray(to_bytes(make_dataset()))
    at = data.index(b"\x10\0\x10\0PN")
    data[at + 6 : at + 8] = b"\xf0\xff"
    assert reason_of(bytes(data)) is Reason.TRUNCATED_HEADER


def test_stray_delimiter_is_refused() -> None:
    data = to_bytes(make_dataset())
    at = data.index(b"\x10\0\x10\0PN")
    assert reason_of(data[:at] + b"\xfe\xff\x0d\xe0\0\0\0\0" + data[at:]) is Reason.BAD_SEQUENCE


def test_tags_that_do_not_rise_are_refused() -> None:
    data = to_bytes(make_dataset())
    at = data.index(b"\x10\0\x10\0PN")
    assert reason_of(data[:at] + b"\x08\0\x05\0CS\0\0" + data[at:]) is Reason.TAGS_NOT_RISING


def test_inner_length_that_leaves_its_item_is_refused() -> None:
    data = bytearray(to_bytes(make_dataset()))
    at = data.index(b"\x08\0\x04\x01LO")
    data[at + 7] = 1
    assert reason_of(bytes(data)) is Reason.BAD_SEQUENCE


def test_nesting_beyond_the_limit_is_refused() -> None:
    inner = Dataset()
    for _ in range(12):
        outer = Dataset()
        outer.AnatomicRegionSequence = Sequence([inner])
        inner = outer
    dataset = make_dataset()
    dataset.AnatomicRegionSequence = Sequence([inner])
    data = to_bytes(dataset)
    assert read(data)
    assert reason_of(data, Limits(depth=5)) is Reason.TOO_DEEP


def test_three_hundred_open_sequences_are_refused_at_once() -> None:
    head = to_bytes(make_dataset())
    at = head.index(b"\x08\0\x18\x22SQ")
    bomb = b"\x08\0\x18\x22SQ\0\0\xff\xff\xff\xff\xfe\xff\0\xe0\xff\xff\xff\xff" * 300
    assert reason_of(head[:at] + bomb) is Reason.TOO_DEEP


def test_element_count_is_limited() -> None:
    assert reason_of(to_bytes(make_dataset()), Limits(elements=10)) is Reason.TOO_MANY_ELEMENTS


def test_deflate_bomb_is_refused() -> None:
    head = to_bytes(make_dataset(DeflatedExplicitVRLittleEndian))
    meta_end = head.index(b"1.2.840.10008.1.2.1.99") + len("1.2.840.10008.1.2.1.99")
    data = head[: read_meta_end(head, meta_end)]
    deflater = zlib.compressobj(9, wbits=-15)
    data += deflater.compress(bytes(40 << 20)) + deflater.flush()
    assert reason_of(data, Limits(inflated_bytes=1 << 20)) is Reason.INFLATES_TOO_FAR


def read_meta_end(data: bytes, _: int) -> int:
    (length,) = struct.unpack_from("<L", data, 140)
    return 144 + int(length)


def test_pixels_cut_short_are_reported() -> None:
    assert reason_of(to_bytes(make_dataset())[:-4]) is Reason.TRUNCATED_PIXELS


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.EMPTY_FILE),
        (b"hello, world, this is text", Reason.NOT_DICOM),
        (bytes(128) + b"DICM", Reason.NO_DATASET),
        (b"\xff\xd8\xff\xe0" + bytes(300), Reason.NOT_DICOM),
        (b"MZ" + bytes(400), Reason.NOT_DICOM),
    ],
)
def test_other_files_are_told_apart(data: bytes, reason: Reason) -> None:
    assert reason_of(data) is reason


def test_dataset_without_preamble_and_meta_is_read() -> None:
    dataset = make_dataset()
    data = to_bytes(dataset)
    header = read(data[read_meta_end(data, 0) :])
    assert header.text(0x00100010) == "Doe^Jane"
    assert not header.has_meta


def test_standard_attribute_stored_as_unknown_gets_its_vr() -> None:
    data = to_bytes(make_dataset())
    at = data.index(b"\x10\0\x10\0PN")
    (length,) = struct.unpack_from("<H", data, at + 6)
    unknown = b"\x10\0\x10\0UN\0\0" + struct.pack("<L", length) + data[at + 8 :]
    elements = {element.tag: element for element in read(data[:at] + unknown).elements}
    assert elements[0x00100010] == Element(0x00100010, "PN", b"Doe^Jane")


def test_text_that_is_not_in_its_character_set_is_refused() -> None:
    assert decode_text("Müller ".encode(), ("ISO_IR 192",)) == "Müller"
    with pytest.raises(UnreadableError):
        decode_text("Müller".encode("latin-1"), ("ISO_IR 192",))
    with pytest.raises(UnreadableError):
        decode_text(b"M\xfcller", ())


@pytest.mark.parametrize("term", _ENCODINGS)
def test_text_of_one_character_set_reads_as_pydicom_reads_it(term: str) -> None:
    (encoding,) = convert_encodings([term])
    samples = [bytes((byte,)) for byte in range(128, 256)] + ["Müller^Øß é".encode(encoding, "ignore"), b"\xef\xbf\xbd"]
    readable = 0
    for sample in samples:
        try:
            expected = decode_bytes(sample, [encoding], set())
        except (UserWarning, UnicodeError):
            expected = ""
        if not expected or "\ufffd" in expected:
            with pytest.raises(UnreadableError):
                decode_text(sample, (term,))
            continue
        readable += 1
        assert decode_text(sample, (term,)) == expected.rstrip(" \0")
    assert readable


@needs_real_files
def test_real_files_read_as_pydicom_reads_them() -> None:
    compared = 0
    for path in iterate_real_files():
        try:
            with path.open("rb") as file:
                header = read_header(file)
        except UnreadableError:
            continue
        if path.name == "no_preamble_dicm_in_data":
            continue  # pydicom takes the letters DICM in a value for the end of a preamble
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = raw_elements(pydicom.dcmread(path, force=True, stop_before_pixels=True), top=True)
        assert comparable(header.elements, big=not header.encoding.little_endian) == expected, path.name
        compared += 1
    assert compared > 200


def comparable(elements: Iterable[Element], *, big: bool) -> list[Any]:
    return [
        (
            tag,
            [comparable(item, big=big) for item in value] if isinstance(value, tuple) else len(value) if big else value,
        )
        for tag, _, value in elements
        if tag & 0xFFFF and tag != 0x00080005  # pydicom decodes the character set while reading
    ]


def raw_elements(dataset: Dataset, *, top: bool) -> list[Any]:
    """pydicom's view in the same form: tags, raw bytes, items."""
    little = dataset.original_encoding[1] is not False
    found: list[Any] = []
    for tag in sorted(dataset._dict):
        if (tag >= 0x7FE00008 and top) or not tag & 0xFFFF or tag == 0x00080005:
            continue
        raw = dataset.get_item(tag)
        if isinstance(raw, pydicom.dataelem.RawDataElement) and raw.VR not in ("SQ", None, "UN"):
            value = raw.value or b""
            found.append((int(tag), value if little else len(value)))
            continue
        original = raw.value if isinstance(raw, pydicom.dataelem.RawDataElement) else None
        element = dataset[tag]
        if element.VR == "SQ":
            found.append((int(tag), [raw_elements(item, top=False) for item in element.value]))
        else:
            # What pydicom has converted while reading can't be compared as bytes; its place still is.
            value = original if original is not None else ANY
            found.append((int(tag), value if little or value is ANY else len(value)))
    return found


@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_bigendian.dcm", "rtplan.dcm", "image_dfl.dcm", "JPEG2000.dcm"]
)
def test_pydicoms_own_files_are_read(name: str) -> None:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    with Path(path).open("rb") as file:
        assert read_header(file).elements
