import io
import struct

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames, parse_basic_offsets

from app.dicom import frames
from app.dicom.frames import frame_size, native_length, read_encapsulated, read_native
from app.dicom.reading import Header, read_header
from app.errors import Reason, UnreadableError
from tests.factory import make_study, set_pixels, to_bytes, us_cine
from tests.unit.deid_case import ct_image

TOKEN = b"ZZCANARYSECRET"


def opened(content: bytes) -> tuple[io.BytesIO, Header]:
    file = io.BytesIO(content)
    return file, read_header(file)


def native(content: bytes) -> bytes:
    file, header = opened(content)
    assert header.pixel is not None
    return b"".join(read_native(file, header, header.pixel))


def encapsulated(content: bytes) -> bytes:
    file, header = opened(content)
    assert header.pixel is not None
    return b"".join(read_encapsulated(file, header, header.pixel))


def jpeg_cine(count: int = 3, *, has_table: bool = True, fragments: int = 1, comment: bytes = b"") -> Dataset:
    """A grey cine in JPEG; each frame has a comment of its own."""
    dataset = us_cine(make_study(5), frames=count, rows=32, columns=32)
    pixels = np.random.default_rng(1).integers(0, 255, (count, 32, 32), dtype=np.uint8)
    set_pixels(dataset, pixels, bits_stored=8)
    if "PlanarConfiguration" in dataset:
        del dataset.PlanarConfiguration
    encoded = []
    for frame in pixels:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", comment=comment)
        encoded.append(buffer.getvalue())
    dataset.PixelData = encapsulate(encoded, fragments_per_frame=fragments, has_bot=has_table)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = uids.JPEGBaseline8Bit
    return dataset


def pictures(value: bytes, count: int) -> list[bytes]:
    return [Image.open(io.BytesIO(frame)).tobytes() for frame in generate_frames(value, number_of_frames=count)]


def assert_refused(content: bytes, reason: Reason) -> None:
    file, header = opened(content)
    assert header.pixel is not None
    read = read_native if header.pixel.length is not None else read_encapsulated
    with pytest.raises(UnreadableError) as refused:
        b"".join(read(file, header, header.pixel))
    assert refused.value.reason is reason


def test_native_pixels_are_bit_identical() -> None:
    dataset = ct_image()
    assert native(to_bytes(dataset)) == dataset.PixelData


def test_bytes_behind_the_image_are_left_behind() -> None:
    dataset = ct_image()
    image = dataset.PixelData
    dataset.PixelData = image + TOKEN
    assert native(to_bytes(dataset)) == image


def test_odd_length_is_padded_by_a_zero() -> None:
    dataset = ct_image()
    set_pixels(dataset, np.full((3, 3), 7, np.uint8), bits_stored=8)
    dataset.PixelData = b"\x07" * 9 + b"X"
    assert native(to_bytes(dataset)) == b"\x07" * 9 + b"\0"


def test_pixels_shorter_than_the_image_are_refused() -> None:
    dataset = ct_image()
    dataset.PixelData = dataset.PixelData[:-2]
    assert_refused(to_bytes(dataset), Reason.PIXEL_LENGTH)


@pytest.mark.parametrize("keyword", ["Rows", "Columns", "BitsAllocated"])
def test_image_without_its_dimensions_is_refused(keyword: str) -> None:
    dataset = ct_image()
    del dataset[keyword]
    assert_refused(to_bytes(dataset), Reason.PIXEL_LENGTH)


def test_length_counts_samples_frames_and_single_bits() -> None:
    dataset = us_cine(make_study(5), frames=2, rows=8, columns=8)
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames, dataset.SamplesPerPixel = 5, 7, 3, 1
    dataset.BitsAllocated, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.PixelData = bytes(14)
    _, header = opened(to_bytes(dataset))
    assert header.pixel is not None
    assert native_length(header, header.pixel) == 14  # 105 bits


def test_subsampled_colour_has_two_samples_a_pixel() -> None:
    dataset = us_cine(make_study(5), frames=1, rows=8, columns=8)
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "YBR_FULL_422", 3
    dataset.PixelData = bytes(128)
    dataset.NumberOfFrames = 1
    _, header = opened(to_bytes(dataset, uids.ExplicitVRLittleEndian))
    assert header.pixel is not None
    assert native_length(header, header.pixel) == 128


def test_big_endian_words_become_little_endian() -> None:
    dataset = ct_image()
    image = dataset.PixelData
    dataset.PixelData = np.frombuffer(image, "<u2").astype(">u2").tobytes()
    dataset["PixelData"].VR = "OW"
    assert native(to_bytes(dataset, uids.ExplicitVRBigEndian)) == image


def test_short_reads_do_not_split_words() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(size if size is None or size < 0 else min(size, 3))

    dataset = ct_image()
    image = dataset.PixelData
    dataset.PixelData = np.frombuffer(image, "<u2").astype(">u2").tobytes()
    dataset["PixelData"].VR = "OW"
    content = to_bytes(dataset, uids.ExplicitVRBigEndian)
    _, header = opened(content)
    assert header.pixel is not None
    assert b"".join(read_native(Slow(content), header, header.pixel)) == image


def test_file_cut_while_it_is_read_is_refused() -> None:
    content = to_bytes(ct_image())
    _, header = opened(content)
    assert header.pixel is not None
    with pytest.raises(UnreadableError) as refused:
        b"".join(read_native(io.BytesIO(content[:-10]), header, header.pixel))
    assert refused.value.reason is Reason.TRUNCATED_PIXELS


@pytest.mark.parametrize(("has_table", "fragments"), [(True, 1), (False, 1), (True, 3), (False, 3)])
def test_frames_decode_to_the_same_pictures_without_their_comments(has_table: bool, fragments: int) -> None:
    dataset = jpeg_cine(has_table=has_table, fragments=fragments, comment=TOKEN)
    value = encapsulated(to_bytes(dataset))
    assert TOKEN in dataset.PixelData
    assert TOKEN not in value
    assert pictures(value, 3) == pictures(dataset.PixelData, 3)


def test_offset_table_says_where_the_cleaned_frames_are() -> None:
    value = encapsulated(to_bytes(jpeg_cine(comment=TOKEN)))
    offsets = parse_basic_offsets(value)
    assert len(offsets) == 3
    first = 8 + 4 * len(offsets)
    for offset in offsets:
        start = first + offset
        assert value[start : start + 4] == b"\xfe\xff\x00\xe0"
        assert value[start + 8 : start + 10] == b"\xff\xd8"


def test_offset_table_stays_empty_where_the_source_had_none() -> None:
    value = encapsulated(to_bytes(jpeg_cine(has_table=False)))
    assert value[:8] == b"\xfe\xff\x00\xe0\0\0\0\0"


def test_offset_table_holds_nothing_of_the_source() -> None:
    dataset = jpeg_cine(count=1)
    table = bytes.fromhex("feff00e0") + struct.pack("<L", 16) + TOKEN + b"\0\0"
    dataset.PixelData = table + dataset.PixelData[12:]
    value = encapsulated(to_bytes(dataset))
    assert TOKEN not in value
    assert parse_basic_offsets(value) == [0]


def test_long_stream_is_not_held_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "OFFSET_TABLE_BYTES", 100)
    dataset = jpeg_cine(comment=TOKEN)
    value = encapsulated(to_bytes(dataset))
    assert value[:8] == b"\xfe\xff\x00\xe0\0\0\0\0"
    assert pictures(value, 3) == pictures(dataset.PixelData, 3)


def test_fragments_of_a_clean_frame_stay_as_they_are() -> None:
    dataset = jpeg_cine()
    once = encapsulated(to_bytes(dataset))
    dataset.PixelData = once
    assert encapsulated(to_bytes(dataset)) == once


def test_bytes_behind_the_delimiter_are_left_behind() -> None:
    content = to_bytes(jpeg_cine())
    assert encapsulated(content + TOKEN) == encapsulated(content)


def test_rle_frames_decode_to_the_same_pixels() -> None:
    dataset = ct_image()
    expected = dataset.pixel_array.copy()
    dataset.compress(uids.RLELossless, generate_instance_uid=False)
    value = encapsulated(to_bytes(dataset))
    dataset.PixelData = value
    assert np.array_equal(dcmread(io.BytesIO(to_bytes(dataset))).pixel_array, expected)


def test_frame_count_other_than_the_fragments_is_refused() -> None:
    dataset = jpeg_cine(has_table=False)
    dataset.NumberOfFrames = 5
    assert_refused(to_bytes(dataset), Reason.BAD_FRAGMENTS)


def test_cut_fragments_are_refused() -> None:
    content = to_bytes(jpeg_cine())
    assert_refused(content[:-8], Reason.TRUNCATED_PIXELS)
    assert_refused(content[:-500], Reason.TRUNCATED_PIXELS)


def test_pixel_element_without_a_fragment_is_refused() -> None:
    dataset = jpeg_cine(count=1)
    dataset.PixelData = bytes.fromhex("feff00e000000000")
    assert_refused(to_bytes(dataset), Reason.BAD_FRAGMENTS)


def test_frame_that_is_no_image_is_refused() -> None:
    dataset = jpeg_cine(count=1)
    dataset.PixelData = encapsulate([TOKEN * 4])
    assert_refused(to_bytes(dataset), Reason.BAD_CODESTREAM)


def test_size_of_a_frame_follows_from_the_header() -> None:
    _, header = opened(to_bytes(jpeg_cine()))
    assert (frame_size(header).cells, frame_size(header).length) == (1024, 1024)
    dataset = jpeg_cine()
    del dataset.Rows
    _, without = opened(to_bytes(dataset))
    with pytest.raises(UnreadableError):
        frame_size(without)


def test_number_whose_bytes_are_digits_is_still_a_number() -> None:
    dataset = ct_image()
    dataset.Rows = 0x3031
    assert_refused(to_bytes(dataset), Reason.PIXEL_LENGTH)


def test_number_in_another_vr_does_not_count() -> None:
    """The rules drop it, so what leaves says something else: nobody would read the pixels alike."""
    dataset = ct_image()
    content = to_bytes(dataset)
    at = content.index(b"\x28\x00\x10\x00US")
    assert_refused(content[: at + 4] + b"SS" + content[at + 6 :], Reason.PIXEL_LENGTH)


def test_floats_with_the_bits_of_another_type_are_refused() -> None:
    dataset = ct_image()
    dataset.FloatPixelData = bytes(4 * 16 * 16)
    del dataset.PixelData
    assert_refused(to_bytes(dataset), Reason.PIXEL_LENGTH)
