"""The instances of the corpus, each with its own ways to carry a token."""

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
from pydicom import uid as uids
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.canaries.mint import Mint
from tests.canaries.planting import (
    add,
    plant_chains,
    plant_each_vr,
    plant_keyword,
    plant_private,
    plant_table,
)
from tests.factory import (
    code,
    compress,
    compress_jpeg,
    cr_image,
    ct_series,
    encode_jpeg,
    encode_jpeg2000,
    mr_series,
    to_bytes,
)

NONSENSE_IN = (
    "Modality", "ImageType", "PhotometricInterpretation", "SliceThickness", "KVP", "PatientAge",
    "AcquisitionDate", "AcquisitionTime", "ConvolutionKernel", "PatientPosition", "FrameOfReferenceUID",
    "SOPClassUID", "PixelSpacing", "InstanceNumber", "Rows", "PatientSex", "RescaleSlope", "ScanOptions",
    "SpecificCharacterSet", "Manufacturer",
)  # fmt: skip


def small_ct(mint: Mint, place: str, rows: int = 48) -> Dataset:
    (dataset,) = ct_series(mint.study(place), slices=1, rows=rows, columns=rows)
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        plant_keyword(dataset, keyword, place, mint)
    # In all of them: what only one patient has is suspicious, and dropped where nobody decides.
    dataset.AnatomicRegionSequence = [code("51185008", "SCT", "Chest")]
    # The factory's time of acquisition adds to the study's.
    dataset.AcquisitionTime = mint.time(f"{place}.AcquisitionTime")
    return dataset


def make_base(mint: Mint, place: str) -> Dataset:
    """A valid CT image with a token wherever there is room for one."""
    dataset = small_ct(mint, place)
    plant_table(dataset, place, mint)
    plant_each_vr(dataset, place, mint)
    plant_chains(dataset, place, mint)
    plant_private(dataset, place, mint)
    dataset.BodyPartExamined = "CHEST"
    # Free text that is partly safe, and names of the patient in other clothes.
    name = str(dataset.PatientName)
    dataset.StudyDescription = f"CT Thorax {mint.text(f'{place}.StudyDescription')}"
    dataset.SeriesDescription = f"axial {name.replace('^', ' ').lower()} 1.0 mm"
    dataset.ProtocolName = f"Thorax_{str(dataset.PatientID).title()}"
    add(dataset, 0x00081090, "LO", mint.text(f"{place}.ManufacturerModelName"))
    return dataset


def _preamble(mint: Mint, place: str) -> bytes:
    return f"{mint.text(f'{place}: preamble')} {mint.day(f'{place}: preamble date')}".encode().ljust(128, b"\0")


def _plant_file_meta(dataset: Dataset, place: str, mint: Mint) -> None:
    meta = dataset.file_meta
    meta.ImplementationVersionName = mint.text(f"{place}: Implementation Version Name")
    meta.ImplementationClassUID = uids.UID(mint.uid(f"{place}: Implementation Class UID"))
    meta.SourceApplicationEntityTitle = mint.text(f"{place}: Source Application Entity Title")
    meta.SendingApplicationEntityTitle = mint.text(f"{place}: Sending Application Entity Title")
    meta.ReceivingApplicationEntityTitle = mint.text(f"{place}: Receiving Application Entity Title")
    meta.PrivateInformationCreatorUID = uids.UID(mint.uid(f"{place}: Private Information Creator UID"))
    meta.PrivateInformation = mint.value("OB", f"{place}: Private Information")


def whole_file(mint: Mint, place: str, dataset: Dataset, transfer_syntax_uid: str | None = None) -> bytes:
    dataset.preamble = _preamble(mint, place)
    _plant_file_meta(dataset, place, mint)
    return to_bytes(dataset, transfer_syntax_uid)


def _with_planes(mint: Mint, place: str) -> Dataset:
    """Overlay, curve, icon and padding: what viewers draw or skip."""
    dataset = small_ct(mint, place)
    overlay = mint.value("OB", f"{place}: overlay data")
    for tag, vr, value in (
        (0x60000010, "US", 16), (0x60000011, "US", 12), (0x60000015, "IS", "1"), (0x60000040, "CS", "G"),
        (0x60000050, "SS", [1, 1]), (0x60000100, "US", 1), (0x60000102, "US", 0), (0x60003000, "OW", overlay),
        (0x60000022, "LO", mint.text(f"{place}: overlay description")),
        (0x60001500, "LO", mint.text(f"{place}: overlay label")),
        (0x60004000, "LT", mint.text(f"{place}: overlay comments")),
        (0x50000005, "US", 1), (0x50000010, "US", 6), (0x50000020, "CS", "POLY"), (0x50000103, "US", 0),
        (0x50002500, "LO", mint.text(f"{place}: curve label")),
        (0x50003000, "OW", mint.value("OB", f"{place}: curve data")),
        (0xFFFCFFFC, "OB", mint.value("OB", f"{place}: data set trailing padding")),
    ):  # fmt: skip
        add(dataset, tag, vr, value)
    icon = Dataset()
    icon.Rows, icon.Columns, icon.SamplesPerPixel, icon.PhotometricInterpretation = 4, 6, 1, "MONOCHROME2"
    icon.BitsAllocated, icon.BitsStored, icon.HighBit, icon.PixelRepresentation = 8, 8, 7, 0
    icon.PixelData = mint.value("OB", f"{place}: icon")
    dataset.IconImageSequence = [icon]
    add(dataset, 0x00282000, "OB", mint.value("OB", f"{place}: ICC profile"))
    return dataset


def _with_nonsense(mint: Mint, place: str, keyword: str) -> bytes:
    """A technical attribute that carries a text, whatever its VR promises; pydicom would not write it."""
    content = to_bytes(small_ct(mint, place, rows=8))
    tag = tag_for_keyword(keyword)
    assert tag is not None
    header = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, dictionary_VR(tag).encode())
    start = content.index(header) + len(header)
    (length,) = struct.unpack_from("<H", content, start)
    value = mint.text(place).encode()
    return content[:start] + struct.pack("<H", len(value)) + value + content[start + 2 + length :]


def jpeg_with_segments(codestream: bytes, texts: Iterable[bytes]) -> bytes:
    """Texts as COM and APPn segments right after the start of a JPEG image."""
    markers = [b"\xff\xfe", *(bytes((0xFF, 0xE0 + number)) for number in (1, 2, 13, 15))]
    segments = [
        markers[index % len(markers)] + (len(text) + 2).to_bytes(2, "big") + text for index, text in enumerate(texts)
    ]
    return codestream[:2] + b"".join(segments) + codestream[2:]


def jpeg2000_with_comment(codestream: bytes, text: bytes) -> bytes:
    """A text as COM segment behind the SIZ segment of a JPEG 2000 codestream."""
    end_of_siz = 4 + int.from_bytes(codestream[4:6], "big")
    segment = b"\xff\x64" + (len(text) + 4).to_bytes(2, "big") + b"\0\1" + text
    return codestream[:end_of_siz] + segment + codestream[end_of_siz:]


def _jpeg(mint: Mint, place: str) -> Dataset:
    dataset = cr_image(mint.study(place), rows=64, columns=56, burned_name=False)
    pixels = (np.frombuffer(dataset.PixelData, np.uint16).reshape(64, 56) >> 4).astype(np.uint8)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelData = 8, 8, 7, pixels.tobytes()
    dataset.WindowCenter, dataset.WindowWidth = 128, 256
    compress_jpeg(dataset)
    texts = [mint.text(f"{place}: segment {number}").encode() for number in range(5)]
    codestream = jpeg_with_segments(encode_jpeg(pixels), texts) + mint.text(f"{place}: behind EOI").encode()
    dataset.PixelData = encapsulate([codestream + b"\0" * (len(codestream) % 2)])
    return dataset


def _jpeg2000(mint: Mint, place: str) -> Dataset:
    (dataset,) = mr_series(mint.study(place), slices=1, rows=64, columns=64)
    comment = mint.text(f"{place}: COM").encode()
    compress(dataset, lambda frame: jpeg2000_with_comment(encode_jpeg2000(frame), comment), uids.JPEG2000Lossless)
    return dataset


def _other_characters(mint: Mint, place: str, character_set: str | list[str]) -> Dataset:
    dataset = small_ct(mint, place, rows=8)
    dataset.SpecificCharacterSet = character_set
    given_name = "김희중" if isinstance(character_set, list) else "Żółć"
    add(dataset, 0x00100010, "PN", f"{mint.text(f'{place}: name')}^{given_name}")
    add(dataset, 0x00081030, "LO", f"CT {mint.text(f'{place}: StudyDescription')}")
    return dataset


def make_instances(mint: Mint) -> Iterator[tuple[str, bytes]]:
    """Places and whole files, the base instance apart."""
    for name, syntax in (
        ("implicit", uids.ImplicitVRLittleEndian),
        ("big endian", uids.ExplicitVRBigEndian),
        ("deflated", uids.DeflatedExplicitVRLittleEndian),
    ):
        dataset = small_ct(mint, name)
        plant_each_vr(dataset, name, mint)
        plant_private(dataset, name, mint)
        dataset.BodyPartExamined = "CHEST"
        yield name, whole_file(mint, name, dataset, syntax)
    makers: Mapping[str, Callable[[Mint, str], Dataset]] = {
        "planes": _with_planes,
        "jpeg": _jpeg,
        "jpeg 2000": _jpeg2000,
        "korean": lambda mint, place: _other_characters(mint, place, ["", "ISO 2022 IR 149"]),
        "polish": lambda mint, place: _other_characters(mint, place, "ISO_IR 192"),
        "encrypted": _encrypted,
    }
    for name, make in makers.items():
        yield name, whole_file(mint, name, make(mint, name))
    for keyword in NONSENSE_IN:
        place = f"nonsense in {keyword}"
        yield place, _with_nonsense(mint, place, keyword)
    trailing = to_bytes(small_ct(mint, "trailing"))
    yield "trailing", trailing + mint.text("trailing: bytes behind the data set").encode()
    yield "cut", to_bytes(small_ct(mint, "cut"))[:-999]
    yield "command group", _with_command_group(mint)


def _encrypted(mint: Mint, place: str) -> Dataset:
    dataset = small_ct(mint, place)
    item = Dataset()
    item.EncryptedContentTransferSyntaxUID = uids.ExplicitVRLittleEndian
    item.EncryptedContent = mint.value("OB", f"{place}.EncryptedContent")
    dataset.EncryptedAttributesSequence = [item]
    return dataset


def _with_command_group(mint: Mint) -> bytes:
    """Attributes of group 0000, which belong into messages, in front of a data set."""
    content = to_bytes(small_ct(mint, "command group"))
    meta_length = int.from_bytes(content[140:144], "little")
    uid = mint.uid("command group: Affected SOP Instance UID").encode()
    uid += b"\0" * (len(uid) % 2)
    element = b"\0\0\0\x10UI" + len(uid).to_bytes(2, "little") + uid
    return content[: 144 + meta_length] + element + content[144 + meta_length :]
