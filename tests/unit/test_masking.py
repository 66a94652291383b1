"""Boxes are covered for good, and nothing else changes: every photometric interpretation, every encoding."""

import io
import warnings
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom import uid as uids
from pydicom.encaps import encapsulate, generate_frames, parse_basic_offsets
from pydicom.pixels.utils import pixel_array
from pydicom.tag import Tag

from app.dicom.codestreams import DEFLATED_IMAGE_FRAME, FrameSize, clean_frame
from app.dicom.reading import read_header
from app.errors import FileError, HeldBackError, Reason, UnreadableError
from app.pixels.boxes import Box
from app.pixels.masking import cover, is_covered
from app.pixels.reading import ImageReader, Stored
from tests import factory
from tests.real_data import needs_real_files
from tests.unit.pixel_case import COLUMNS, KINDS, ROWS, frames_of, image, masked_file, real_images

BOXES = (Box(2, 3, 6, 9), Box(0, 0, 1, 500))


def inside(boxes: Sequence[Box], shape: tuple[int, ...], frame: int) -> np.ndarray[Any, Any]:
    area = np.zeros(shape[:2], bool)
    for box in boxes:
        if box.frame in (None, frame):
            area[box.top : box.bottom, box.left : box.right] = True
    return area


def check(content: bytes, boxes: Sequence[Box] = BOXES) -> list[Stored]:
    """Mask, read back, compare with the source; returns the masked frames."""
    before = frames_of(content)
    _, result = masked_file(content, boxes)
    after = frames_of(result)
    assert len(after) == len(before)
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        area = inside(boxes, old.shape, index)
        assert old.dtype == new.dtype
        assert np.array_equal(new[~area], old[~area]), "outside of the boxes nothing changes"
        assert len(np.unique(new[area].reshape(-1, old.shape[2] if old.ndim == 3 else 1), axis=0)) <= 1, "solid"
    return after


@pytest.mark.parametrize(("photometric", "dtype", "stored"), KINDS)
@pytest.mark.parametrize(
    "syntax", [uids.ExplicitVRLittleEndian, uids.ImplicitVRLittleEndian, uids.DeflatedExplicitVRLittleEndian]
)
def test_native_images(photometric: str, dtype: str, stored: int | None, syntax: uids.UID) -> None:
    content = factory.to_bytes(image(photometric, dtype, stored=stored, frames=3), syntax)
    check(content, (*BOXES, Box(8, 8, 9, 9, frame=1)))
    header, _ = masked_file(content, BOXES)
    assert header.transfer_syntax_uid == uids.ExplicitVRLittleEndian


@pytest.mark.parametrize(("photometric", "dtype", "stored"), KINDS)
@pytest.mark.parametrize("syntax", [uids.RLELossless, uids.JPEGLSLossless, uids.JPEG2000Lossless])
def test_losslessly_compressed_images_keep_their_transfer_syntax(
    photometric: str, dtype: str, stored: int | None, syntax: uids.UID
) -> None:
    dataset = image(photometric, dtype, stored=stored, frames=3)
    try:
        dataset.compress(syntax, encoding_plugin="")
    except ValueError:
        pytest.skip("the standard has no such image in this transfer syntax")
    content = factory.to_bytes(dataset)
    check(content, (*BOXES, Box(8, 8, 9, 9, frame=1)))
    header, result = masked_file(content, [Box(1, 1, 4, 4, frame=2)])
    assert header.transfer_syntax_uid == syntax
    source, masked = io.BytesIO(content), io.BytesIO(result)
    old, new = ImageReader(source, read_header(source)), ImageReader(masked, read_header(masked))
    size = FrameSize(ROWS * COLUMNS, old.description.cells * old.description.bits_allocated // 8)
    untouched = clean_frame(old.encoded_frame(0), str(syntax), size)
    assert new.encoded_frame(0).rstrip(b"\0") == untouched.rstrip(b"\0"), "a frame without a mask is not encoded again"


@pytest.mark.parametrize("syntax", [uids.RLELossless, uids.JPEGLSLossless, uids.JPEG2000Lossless])
def test_offset_table_is_right_where_the_source_has_one(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u1", frames=3)
    dataset.compress(syntax)
    content = factory.to_bytes(dataset)
    _, result = masked_file(content, BOXES)
    masked = dcmread(io.BytesIO(result))
    offsets = parse_basic_offsets(masked.PixelData)
    assert len(offsets) == 3
    assert [masked.PixelData[8 + 12 + offset :][:4] for offset in offsets] == [b"\xfe\xff\x00\xe0"] * 3
    frames = list(generate_frames(masked.PixelData, number_of_frames=3))
    file = io.BytesIO(result)
    reader = ImageReader(file, read_header(file))
    assert [reader.encoded_frame(index) for index in range(3)] == frames


def test_lossy_jpeg_becomes_lossless_and_still_says_that_it_was_lossy() -> None:
    dataset = image("MONOCHROME2", "u1")
    factory.compress_jpeg(dataset)
    check(factory.to_bytes(dataset))
    header, _ = masked_file(factory.to_bytes(dataset), BOXES)
    assert header.transfer_syntax_uid == uids.JPEGLSLossless
    assert header.text(0x00282110) == "01"


@pytest.mark.parametrize(
    ("photometric", "dtype", "stored", "black"),
    [
        ("MONOCHROME2", "u2", 12, 0),
        ("MONOCHROME1", "u2", 12, 4095),
        ("MONOCHROME2", "i2", 12, -2048),
        ("MONOCHROME1", "i2", 12, 2047),
        ("RGB", "u1", None, [0, 0, 0]),
        ("YBR_FULL", "u1", None, [0, 128, 128]),
    ],
)
def test_covered_pixels_are_black(photometric: str, dtype: str, stored: int | None, black: int | list[int]) -> None:
    (frame,) = check(factory.to_bytes(image(photometric, dtype, stored=stored)))
    assert frame[3, 4].tolist() == black


def test_palette_image_is_covered_with_its_darkest_colour() -> None:
    dataset = image("PALETTE COLOR", "u1")
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        table = np.full(256, 60000, np.uint16)
        table[77] = 100
        setattr(dataset, f"{colour}PaletteColorLookupTableData", table.tobytes())
    (frame,) = check(factory.to_bytes(dataset))
    assert frame[3, 4] == 77


def test_bits_above_bits_stored_are_cleared_under_the_mask() -> None:
    dataset = image("MONOCHROME2", "u2", stored=12)
    values = np.frombuffer(dataset.PixelData, np.uint16) | 0xF000  # an overlay, as old archives keep it
    dataset.PixelData = values.tobytes()
    (frame,) = check(factory.to_bytes(dataset))
    assert frame[3, 4] == 0
    assert frame[10, 10] & 0xF000 == 0xF000


@pytest.mark.parametrize("syntax", [uids.RLELossless, uids.JPEGLSLossless, uids.JPEG2000Lossless])
def test_bits_above_bits_stored_live_on_outside_of_the_mask_in_every_encoding(syntax: uids.UID) -> None:
    dataset = image("MONOCHROME2", "u2")
    dataset.compress(syntax)
    dataset.BitsStored, dataset.HighBit = 12, 11
    (frame,) = check(factory.to_bytes(dataset))
    assert frame[3, 4] == 0
    assert frame[8:].max() > 0xF000


@pytest.mark.parametrize(
    ("photometric", "dtype", "black"),
    [("MONOCHROME1", "u2", 0xFFF0), ("MONOCHROME2", "i2", -0x8000), ("MONOCHROME1", "i2", 0x7FF0)],
)
def test_black_stands_where_high_bit_says(photometric: str, dtype: str, black: int) -> None:
    (frame,) = check(factory.to_bytes(image(photometric, dtype, BitsStored=12, HighBit=15)))
    assert frame[3, 4] == black


def test_one_bit_images_are_packed_over_frame_borders() -> None:
    dataset = image("MONOCHROME2", "u1", frames=3)
    dataset.Rows, dataset.Columns = 5, 7
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 1, 0
    bits = np.random.default_rng(1).integers(0, 2, 105).astype(np.uint8)
    dataset.PixelData = np.packbits(bits, bitorder="little").tobytes()
    frames = check(factory.to_bytes(dataset), [Box(1, 1, 3, 4)])
    assert np.array_equal(np.stack(frames)[:, 4], bits.reshape(3, 5, 7)[:, 4])


def test_colour_that_neighbours_share_is_not_changed_beside_the_mask() -> None:
    dataset = image("YBR_FULL_422", "u1")
    dataset.PixelData = np.random.default_rng(2).integers(0, 256, ROWS * COLUMNS * 2).astype(np.uint8).tobytes()
    content = factory.to_bytes(dataset)
    check(content, [Box(2, 3, 6, 8)])  # its edges cut through pairs
    header, _ = masked_file(content, BOXES)
    assert header.text(0x00280004) == "YBR_FULL"


def test_colour_of_a_lossy_ultrasound_stays_as_it_was_decoded_in_the_encoding_that_ultrasound_allows() -> None:
    dataset = image("RGB", "u1")
    factory.compress_jpeg(dataset)
    (frame,) = check(factory.to_bytes(dataset))
    assert frame[3, 4].tolist() == [0, 128, 128]
    header, _ = masked_file(factory.to_bytes(dataset), BOXES)
    assert header.transfer_syntax_uid == uids.RLELossless
    assert header.text(0x00280004) == "YBR_FULL"
    assert header.integer(0x00280006) == 1


def test_colour_range_that_no_full_resolution_has_is_held_back() -> None:
    dataset = image("RGB", "u1")
    dataset.compress(uids.RLELossless)
    dataset.PhotometricInterpretation = "YBR_PARTIAL_422"
    with pytest.raises(HeldBackError) as held:
        masked_file(factory.to_bytes(dataset), BOXES)
    assert held.value.reason is Reason.MASK_NOT_PROVEN


def test_deflated_frames_stay_deflated() -> None:
    dataset = image("MONOCHROME2", "u1", frames=2)
    dataset.Rows, dataset.Columns = 5, 7
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 1, 1, 0
    bits = np.random.default_rng(1).integers(0, 2, (2, 35)).astype(np.uint8)
    dataset.PixelData = encapsulate([deflate(np.packbits(one, bitorder="little").tobytes()) for one in bits])
    dataset["PixelData"].VR, dataset["PixelData"].is_undefined_length = "OB", True
    dataset.file_meta.TransferSyntaxUID = uids.JPEGBaseline8Bit
    # pydicom does not know the transfer syntax.
    written = uids.JPEGBaseline8Bit.encode(), DEFLATED_IMAGE_FRAME.encode() + b"\0"
    content = factory.to_bytes(dataset).replace(*written, 1)
    frames = check(content, [Box(1, 1, 3, 4, frame=1)])
    assert np.array_equal(frames[0].ravel(), bits[0])
    header, _ = masked_file(content, [Box(1, 1, 3, 4)])
    assert header.transfer_syntax_uid == DEFLATED_IMAGE_FRAME


def deflate(content: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


def test_big_endian_image() -> None:
    dataset = image("MONOCHROME2", "u2")
    dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    check(factory.to_bytes(dataset, uids.ExplicitVRBigEndian))


def test_planes_become_pixels() -> None:
    dataset = image("RGB", "u1")
    values = np.frombuffer(dataset.PixelData, np.uint8).reshape(ROWS, COLUMNS, 3)
    dataset.PlanarConfiguration, dataset.PixelData = 1, values.transpose(2, 0, 1).tobytes()
    (frame,) = check(factory.to_bytes(dataset))
    assert np.array_equal(frame[8:], values[8:])


def test_float_pixels() -> None:
    dataset = image("MONOCHROME2", "u2")
    values = np.random.default_rng(4).normal(size=(ROWS, COLUMNS)).astype(np.float32)
    values[30] = np.nan
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = values.tobytes()
    dataset.SOPClassUID = uids.ParametricMapStorage
    _, result = masked_file(factory.to_bytes(dataset), BOXES)
    (frame,) = frames_of(result)
    assert frame[3, 4] == 0
    assert frame[7:].tobytes() == values[7:].tobytes()


def test_what_told_of_covered_pixels_goes() -> None:
    dataset = image("MONOCHROME2", "u2", SmallestImagePixelValue=3, LargestImagePixelValue=65000)
    header, _ = masked_file(factory.to_bytes(dataset), BOXES)
    assert not {0x00280106, 0x00280107} & {element.tag for element in header.elements}
    assert header.by_tag.keys() == {element.tag for element in header.elements}


def test_box_for_a_frame_that_is_not_there_is_refused() -> None:
    content = factory.to_bytes(image("MONOCHROME2", "u1", frames=2))
    with pytest.raises(HeldBackError) as held:
        masked_file(content, [Box(0, 0, 2, 2, frame=2)])
    assert held.value.reason is Reason.MASK_NOT_PROVEN


def test_frames_that_are_not_there_are_not_counted_up_to() -> None:
    dataset = image("MONOCHROME2", "u1", frames=2)
    dataset.compress(uids.RLELossless)
    dataset.NumberOfFrames = 999_999_999
    with pytest.raises(UnreadableError) as unreadable:
        masked_file(factory.to_bytes(dataset), BOXES)
    assert unreadable.value.reason is Reason.BAD_FRAGMENTS


def test_mask_beside_the_image_is_refused() -> None:
    with pytest.raises(HeldBackError) as held:
        masked_file(factory.to_bytes(image("MONOCHROME2", "u1")), [Box(ROWS, 0, ROWS + 9, 9)])
    assert held.value.reason is Reason.MASK_NOT_PROVEN


def test_frame_that_is_not_what_it_should_be_is_not_proven() -> None:
    values = np.arange(64, dtype=np.uint16).reshape(8, 8)
    boxes, fill = [Box(2, 2, 4, 4)], np.zeros(1, np.uint16)
    right = cover(values, boxes, fill)
    assert is_covered(values, right, boxes, fill)
    for row, column in ((0, 0), (2, 2), (3, 3), (7, 7)):
        wrong = right.copy()
        wrong[row, column] += 1
        assert not is_covered(values, wrong, boxes, fill)
    assert not is_covered(values, right.astype(np.int16), boxes, fill)
    assert not is_covered(values, values, boxes, fill)


def test_damaged_frame_is_never_passed_on() -> None:
    dataset = image("MONOCHROME2", "u1")
    dataset.compress(uids.JPEG2000Lossless)
    content = factory.to_bytes(dataset)
    start = content.index(b"\xff\x93") + 2
    broken = content[:start] + bytes(20) + content[start + 20 :]
    before = frames_of(content)
    try:
        _, result = masked_file(broken, BOXES)
    except FileError as error:
        assert isinstance(error, UnreadableError | HeldBackError)
    else:  # OpenJPEG mends much; then what it gave is what leaves
        assert len(frames_of(result)) == len(before)


@needs_real_files
def test_public_images_of_every_kind_are_masked_right_and_read_by_pydicom() -> None:
    syntaxes = set()
    for name, content in real_images():
        source = read_header(io.BytesIO(content))
        syntaxes.add(source.transfer_syntax_uid)
        one = ImageReader(io.BytesIO(content), source).description
        boxes = [Box(1, 1, max(2, one.rows // 3), max(2, one.columns // 2)), Box(0, 0, 1, 1, frame=0)]
        frames = check(content, boxes)
        header, result = masked_file(content, boxes)
        assert header.pixel is not None
        if header.pixel.tag == Tag("PixelData") and header.transfer_syntax_uid != DEFLATED_IMAGE_FRAME:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the files' character sets
                seen = pixel_array(dcmread(io.BytesIO(result)), index=0, raw=True)
            assert np.array_equal(seen, frames[0]), name
    assert len(syntaxes) >= 15
