"""Boxes are covered for good, and nothing else changes: every photometric interpretation, every encoding."""

import io
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.pixels.utils import pixel_array
from pydicom.tag import Tag

from app.dicom.codestreams import DEFLATED_IMAGE_FRAME, FrameSize, clean_frame
from app.dicom.reading import Header, read_header
from app.dicom.tokens import Element
from app.dicom.writing import encode_element, encode_file_head, encode_pixel_header, encode_sequence
from app.errors import FileError, HeldBackError, Reason, UnreadableError
from app.pixels.boxes import Box
from app.pixels.masking import mask_image
from app.pixels.reading import ImageReader, Stored
from tests import factory
from tests.real_data import iterate_real_files, needs_real_files

ROWS, COLUMNS = 40, 48  # OpenJPEG refuses less
STUDY = factory.make_study(5)
BOXES = (Box(2, 3, 6, 9), Box(0, 0, 1, 500))
MOST_CELLS = 4_000_000  # of a public image: larger ones only take longer


def encode(elements: Sequence[Element]) -> bytes:
    return b"".join(
        encode_element(one.tag, one.vr, one.value)
        if isinstance(one.value, bytes)
        else encode_sequence(one.tag, [encode(item) for item in one.value])
        for one in elements
    )


def masked_file(content: bytes, boxes: Sequence[Box]) -> tuple[Header, bytes]:
    """The masked image as a file of its own, the rest of its header as it was."""
    file = io.BytesIO(content)
    header = read_header(file)
    masked = mask_image(file, header, boxes)
    pixels = b"".join(masked.pixels)
    assert len(pixels) <= masked.size_limit
    pixel = masked.header.pixel
    assert pixel is not None
    length = None if pixel.length is None else pixel.length + (pixel.length & 1)
    head = encode_file_head("1.2.840.10008.5.1.4.1.1.7", "1.2.3", masked.header.transfer_syntax_uid)
    start = encode_pixel_header(pixel.tag, pixel.vr, length)
    return masked.header, head + encode(masked.header.elements) + start + pixels


def frames_of(content: bytes) -> list[Stored]:
    file = io.BytesIO(content)
    return list(ImageReader(file, read_header(file)).frames())


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


def image(photometric: str, dtype: str, *, stored: int | None = None, frames: int = 1, **more: Any) -> Dataset:
    """A noise image."""
    (dataset,) = factory.ct_series(STUDY, slices=1, rows=ROWS, columns=COLUMNS)
    samples = 3 if photometric[:3] in ("RGB", "YBR") else 1
    kind = np.dtype(dtype)
    bits = stored or kind.itemsize * 8
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if kind.kind == "i" else (0, (1 << bits) - 1)
    shape = (frames, ROWS, COLUMNS, samples) if samples == 3 else (frames, ROWS, COLUMNS)
    values = np.random.default_rng(3).integers(low, high, shape, endpoint=True).astype(kind)
    dataset.PhotometricInterpretation = photometric
    dataset.SamplesPerPixel = samples
    if samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = kind.itemsize * 8, bits, bits - 1
    dataset.PixelRepresentation = int(kind.kind == "i")
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW" if kind.itemsize > 1 else "OB"
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return dataset


KINDS = [
    ("MONOCHROME2", "u1", None),
    ("MONOCHROME1", "u1", None),
    ("MONOCHROME2", "u2", 12),
    ("MONOCHROME1", "u2", 10),
    ("MONOCHROME2", "i2", None),
    ("RGB", "u1", None),
    ("YBR_FULL", "u1", None),
    ("PALETTE COLOR", "u1", None),
]


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
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = values.tobytes()
    dataset.SOPClassUID = uids.ParametricMapStorage
    (frame,) = check(factory.to_bytes(dataset))
    assert frame[3, 4] == 0


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


def real_images() -> Iterator[tuple[str, bytes]]:
    for path in iterate_real_files():
        content = path.read_bytes()
        try:
            file = io.BytesIO(content)
            one = ImageReader(file, read_header(file)).description
            if one.cells * one.frames <= MOST_CELLS:
                frames_of(content)
                yield path.name, content
        except FileError:
            continue


@needs_real_files
def test_public_images_of_every_transfer_syntax_are_masked_right_and_read_by_pydicom() -> None:
    syntaxes = set()
    for name, content in real_images():
        rows, columns = frames_of(content)[0].shape[:2]
        boxes = [Box(1, 1, max(2, rows // 3), max(2, columns // 2)), Box(0, 0, 1, 1, frame=0)]
        check(content, boxes)
        header, result = masked_file(content, boxes)
        syntaxes.add(read_header(io.BytesIO(content)).transfer_syntax_uid)
        assert header.pixel is not None
        if header.pixel.tag == Tag("PixelData") and header.transfer_syntax_uid != DEFLATED_IMAGE_FRAME:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of the files' character sets
                seen = pixel_array(dcmread(io.BytesIO(result)), index=0, raw=True)
            assert np.array_equal(seen, frames_of(result)[0]), name
    assert len(syntaxes) >= 15
