"""Frames come as they were stored, and no codec gets to say anything but pixels."""

import io
import struct
import warnings
from typing import Any

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array

from app.dicom.reading import read_header
from app.errors import FileError, HeldBackError, Reason, UnreadableError
from app.pixels.reading import ImageReader, Stored, can_decode
from tests import factory
from tests.real_data import REAL_FILES, iterate_real_files, needs_real_files
from tests.unit.pixel_case import COLUMNS, KINDS, ROWS, frames_of, image

LOSSLESS = [uids.RLELossless, uids.JPEGLSLossless, uids.JPEG2000Lossless]
NATIVE = [
    uids.ImplicitVRLittleEndian,
    uids.ExplicitVRLittleEndian,
    uids.DeflatedExplicitVRLittleEndian,
]
# Where pydicom and this reader differ, and which of them dcmtk and gdcm agree with: this one.
OTHERWISE_IN_PYDICOM = frozenset(("rtdose_expb.dcm",))  # big endian words of 16 bits in cells of 32
# What only one of them reads; the others are damaged, or say nothing of their transfer syntax.
UNREAD = frozenset(
    (
        "JPEG2000-embedded-sequence-delimiter.dcm",  # a codestream of random bytes
        "meta_missing_tsyntax.dcm",  # no Rows, no Columns
        "nested_priv_SQ.dcm",  # no Rows, no Columns
        "1009.dcm",  # a third of the pixels that three samples need
        "us_multiframe_jpegxl.dcm",  # JPEG XL
    )
)


def values_of(dataset: Dataset) -> Stored:
    """What was put into an uncompressed image."""
    kind = f"<{'i' if dataset.PixelRepresentation else 'u'}{dataset.BitsAllocated // 8}"
    shape = (-1, ROWS, COLUMNS, 3) if dataset.SamplesPerPixel == 3 else (-1, ROWS, COLUMNS)
    values: Stored = np.frombuffer(dataset.PixelData, kind).reshape(shape)
    return values


def reader_of(content: bytes) -> ImageReader:
    file = io.BytesIO(content)
    return ImageReader(file, read_header(file))


def reason_of(content: bytes, frame: int = 0) -> Reason:
    with pytest.raises(FileError) as refused:
        reader_of(content).frame(frame)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    return refused.value.reason


def compressed(encoded: bytes | bytearray, syntax: uids.UID, like: Dataset) -> bytes:
    """A file with one frame that is already encoded."""
    factory.compress(like, lambda _: bytes(encoded), syntax)
    return factory.to_bytes(like)


@pytest.mark.parametrize(("photometric", "dtype", "stored"), KINDS)
@pytest.mark.parametrize("syntax", [*NATIVE, *LOSSLESS])
def test_frames_are_what_was_stored(photometric: str, dtype: str, stored: int | None, syntax: uids.UID) -> None:
    dataset = image(photometric, dtype, stored=stored, frames=2)
    values = values_of(dataset)
    if syntax in LOSSLESS:
        try:
            dataset.compress(syntax)
        except ValueError:
            pytest.skip("the standard has no such image in this transfer syntax")
    frames = frames_of(factory.to_bytes(dataset, syntax))
    assert np.array_equal(np.stack(frames), values)
    assert frames[0].dtype == values.dtype
    assert frames[0].flags.writeable


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_bits_above_bits_stored_are_seen(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u2")
    values = values_of(dataset)
    dataset.compress(syntax)
    dataset.BitsStored, dataset.HighBit = 12, 11  # as old archives do, which keep overlays in the rest
    assert np.array_equal(frames_of(factory.to_bytes(dataset)), values)


@pytest.mark.parametrize("syntax", [uids.JPEGLossless, uids.JPEGLosslessSV1])
def test_bits_above_bits_stored_are_seen_in_lossless_jpeg(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u2")
    values = values_of(dataset)
    dataset.BitsStored, dataset.HighBit = 12, 11
    content = compressed(imagecodecs.ljpeg_encode(values[0], bitspersample=16), syntax, dataset)
    assert np.array_equal(frames_of(content), values)


def test_twelve_bit_jpeg() -> None:
    dataset = image("MONOCHROME2", "u2", stored=12)
    smooth = np.add.outer(np.arange(ROWS), np.arange(COLUMNS)).astype(np.uint16) * 40
    encoded = imagecodecs.jpeg_encode(smooth, bitspersample=12, level=100)
    (frame,) = frames_of(compressed(encoded, uids.JPEGExtended12Bit, dataset))
    assert np.abs(frame.astype(int) - smooth).max() < 10


def test_planes_become_pixels() -> None:
    dataset = image("RGB", "u1", frames=2)
    values = values_of(dataset)
    dataset.PlanarConfiguration, dataset.PixelData = 1, values.transpose(0, 3, 1, 2).tobytes()
    assert np.array_equal(frames_of(factory.to_bytes(dataset)), values)


def test_shared_colour_is_spread_over_both_pixels() -> None:
    dataset = image("YBR_FULL_422", "u1")
    dataset.PixelData = bytes((10, 20, 100, 200)) * (ROWS * COLUMNS // 2)
    (frame,) = frames_of(factory.to_bytes(dataset))
    assert frame[5, :2].tolist() == [[10, 100, 200], [20, 100, 200]]


@pytest.mark.parametrize("dtype", ["u1", "u2", "i2"])
def test_big_endian(dtype: str) -> None:
    dataset = image("MONOCHROME2", dtype)
    values = values_of(dataset)
    dataset.PixelData = (values.byteswap() if dtype != "u1" else values.view("u2").byteswap()).tobytes()
    dataset["PixelData"].VR = "OW"
    assert np.array_equal(frames_of(factory.to_bytes(dataset, uids.ExplicitVRBigEndian)), values)


def test_frames_of_one_bit_begin_inside_bytes() -> None:
    bits = np.random.default_rng(1).integers(0, 2, (3, 5, 7)).astype(np.uint8)
    dataset = image("MONOCHROME2", "u1", frames=3, Rows=5, Columns=7, BitsAllocated=1, BitsStored=1, HighBit=0)
    dataset.PixelData = np.packbits(bits, bitorder="little").tobytes()
    assert np.array_equal(frames_of(factory.to_bytes(dataset)), bits)


@pytest.mark.parametrize(("keyword", "dtype"), [("FloatPixelData", "<f4"), ("DoubleFloatPixelData", "<f8")])
def test_floating_point_pixels(keyword: str, dtype: str) -> None:
    values = np.random.default_rng(4).normal(size=(ROWS, COLUMNS)).astype(dtype)
    values[3] = np.nan
    dataset = image("MONOCHROME2", "u2")
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = values.itemsize * 8
    setattr(dataset, keyword, values.tobytes())
    (frame,) = frames_of(factory.to_bytes(dataset))
    assert frame.dtype == values.dtype
    assert frame.tobytes() == values.tobytes()


def test_a_frame_is_read_without_the_others() -> None:
    dataset = image("MONOCHROME2", "u2", frames=200)
    file = CountingFile(factory.to_bytes(dataset))
    reader = ImageReader(file, read_header(file))
    file.bytes_read = 0
    reader.frame(150)
    assert file.bytes_read == ROWS * COLUMNS * 2


class CountingFile(io.BytesIO):
    """Counts what is read."""

    bytes_read = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.bytes_read += len(content)
        return content


def test_there_is_no_frame_behind_the_last() -> None:
    reader = reader_of(factory.to_bytes(image("MONOCHROME2", "u1", frames=2)))
    for index in (-1, 2):
        with pytest.raises(IndexError):
            reader.frame(index)


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("1.2.840.10008.1.2.4.102", Reason.VIDEO),
        ("1.2.840.10008.1.2.4.107", Reason.VIDEO),
        ("1.2.840.10008.1.2.4.110", Reason.UNSUPPORTED_TRANSFER_SYNTAX),
        ("1.2.840.10008.1.2.4.92", Reason.UNSUPPORTED_TRANSFER_SYNTAX),
    ],
)
def test_what_no_codec_reads_is_held_back(syntax: str, reason: Reason) -> None:
    assert not can_decode(syntax)
    dataset = image("MONOCHROME2", "u1")
    dataset.compress(uids.RLELossless)
    # pydicom does not write them all; the padding keeps the length.
    uid = b"\x55\x49\x18\x00" + syntax.encode().ljust(24, b"\0")
    content = factory.to_bytes(dataset)
    start = content.index(b"UI\x14\x001.2.840.10008.1.2.5")
    grown = content[:start] + uid + content[start + 4 + 20 :]
    length_at = grown.index(b"UL\x04\x00") + 4
    (length,) = struct.unpack_from("<L", grown, length_at)
    content = grown[:length_at] + struct.pack("<L", length + 4) + grown[length_at + 4 :]
    with pytest.raises(HeldBackError) as held:
        reader_of(content)
    assert held.value.reason is reason


def test_object_without_pixels_has_no_frames() -> None:
    dataset = image("MONOCHROME2", "u1")
    del dataset.PixelData
    with pytest.raises(HeldBackError) as held:
        reader_of(factory.to_bytes(dataset))
    assert held.value.reason is Reason.NO_PIXELS


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_few_bytes_cannot_claim_gigabytes(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u1")
    dataset.compress(syntax)
    dataset.Rows = dataset.Columns = 5_000
    assert reason_of(factory.to_bytes(dataset)) is Reason.BAD_CODESTREAM
    dataset.Rows = dataset.Columns = 60_000
    assert reason_of(factory.to_bytes(dataset)) is Reason.FRAME_TOO_LARGE


def test_native_pixels_cannot_claim_more_than_there_are() -> None:
    dataset = image("MONOCHROME2", "u1")
    dataset.Rows = 20_000
    assert reason_of(factory.to_bytes(dataset)) is Reason.PIXEL_LENGTH


@pytest.mark.parametrize("syntax", [uids.JPEGLSLossless, uids.JPEG2000Lossless])
def test_codestream_that_lies_another_way_than_the_header_says_is_refused(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u1")
    dataset.compress(syntax)
    dataset.Rows, dataset.Columns = COLUMNS, ROWS
    assert reason_of(factory.to_bytes(dataset)) is Reason.BAD_CODESTREAM


def test_second_frame_header_is_refused() -> None:
    dataset = image("MONOCHROME2", "u1")
    encoded = imagecodecs.jpeg_encode(values_of(dataset)[0])
    start = encoded.index(b"\xff\xc0")
    twice = encoded[: start + 13] + b"\0" + encoded[start : start + 13] + encoded[start + 13 :]
    assert reason_of(compressed(twice, uids.JPEGBaseline8Bit, dataset)) is Reason.BAD_CODESTREAM


@pytest.mark.parametrize("syntax", [uids.JPEGLSLossless, uids.JPEG2000Lossless, uids.RLELossless])
def test_cut_frame_is_refused(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u2")
    dataset.compress(syntax)
    encoded = reader_of(factory.to_bytes(dataset)).encoded_frame(0)
    for length in (2, 3, 70, len(encoded) // 2):
        again = image("MONOCHROME2", "u2")
        assert reason_of(compressed(encoded[:length], syntax, again)) in (Reason.BAD_CODESTREAM, Reason.BAD_FRAGMENTS)


@pytest.mark.parametrize(
    "header",
    [
        (2, 64, 60_000),  # beyond the frame
        (2, 64, 64),
        (1, 64),  # a plane is missing
        (15, *range(64, 79)),
        (0,),
    ],
)
def test_rle_header_that_makes_no_sense_is_refused(header: tuple[int, ...]) -> None:
    dataset = image("MONOCHROME2", "u2")
    dataset.compress(uids.RLELossless)
    encoded = reader_of(factory.to_bytes(dataset)).encoded_frame(0)
    broken = struct.pack("<16L", *header, *bytes(16 - len(header))) + encoded[64:]
    assert reason_of(compressed(broken, uids.RLELossless, image("MONOCHROME2", "u2"))) is Reason.BAD_CODESTREAM


@pytest.mark.parametrize("syntax", [*LOSSLESS, uids.JPEGBaseline8Bit])
def test_damage_raises_nothing_but_a_reason(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u1")
    if syntax == uids.JPEGBaseline8Bit:
        factory.compress_jpeg(dataset)
    else:
        dataset.compress(syntax)
    encoded = bytearray(reader_of(factory.to_bytes(dataset)).encoded_frame(0))
    random = np.random.default_rng(7)
    for _ in range(40):
        damaged = encoded.copy()
        for position in random.integers(0, len(encoded), 3):
            damaged[position] = random.integers(0, 256)
        content = compressed(bytes(damaged), syntax, image("MONOCHROME2", "u1"))
        try:
            (frame,) = frames_of(content)
        except UnreadableError as error:
            assert error.reason in (Reason.BAD_CODESTREAM, Reason.BAD_FRAGMENTS)
        else:
            assert frame.shape == (ROWS, COLUMNS)


def test_frames_that_are_missing_are_noticed() -> None:
    dataset = image("MONOCHROME2", "u1", frames=2)
    dataset.compress(uids.JPEGLSLossless)
    dataset.NumberOfFrames = 3
    assert reason_of(factory.to_bytes(dataset)) is Reason.BAD_FRAGMENTS


@pytest.mark.parametrize("more", [{"BitsAllocated": 12}, {"SamplesPerPixel": 2}, {"BitsStored": 9}])
def test_description_that_no_image_has_is_refused(more: dict[str, Any]) -> None:
    assert reason_of(factory.to_bytes(image("MONOCHROME2", "u1", **more))) is Reason.PIXEL_LENGTH


@needs_real_files
def test_public_images_are_read_as_pydicom_reads_them() -> None:
    read, unread = 0, set()
    for path in iterate_real_files():
        with path.open("rb") as file:
            try:
                header = read_header(file)
            except FileError:
                continue
            if header.pixel is None:
                continue
            try:
                reader = ImageReader(file, header)
                index = reader.description.frames - 1
                ours = reader.frame(index)
            except FileError:
                unread.add(path.name)
                continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = pixel_array(dcmread(path, force=True), index=index, raw=True)
        except (AttributeError, NotImplementedError, RuntimeError):
            continue  # no transfer syntax, 12-bit JPEG, Deflated Image Frame
        read += 1
        assert np.array_equal(ours, theirs) is (path.name not in OTHERWISE_IN_PYDICOM), path.relative_to(REAL_FILES)
    assert unread == UNREAD
    assert read >= 175
