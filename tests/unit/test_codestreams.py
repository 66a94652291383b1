import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from pydicom import uid as uids
from pydicom.encaps import generate_frames

from app.dicom.codestreams import DEFLATED_IMAGE_FRAME, FrameSize, clean_frame, is_supported, starts_frame
from app.errors import Reason, UnreadableError
from tests.factory import set_pixels
from tests.unit.deid_case import ct_image

TOKEN = b"ZZCANARYSECRET"
NOISE = np.random.default_rng(3).integers(0, 255, (24, 32), dtype=np.uint8)
SMOOTH = np.add.outer(np.arange(24), np.arange(32)).astype(np.uint8)
SIZE = FrameSize(24 * 32, 24 * 32)
JPEG, JPEG_2000, RLE = str(uids.JPEGBaseline8Bit), str(uids.JPEG2000Lossless), str(uids.RLELossless)


def jpeg(**options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def jpeg_2000(*, jp2: bool = False) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, "JPEG2000", no_jp2=not jp2, irreversible=False, tile_size=(16, 16))
    return buffer.getvalue()


def rle(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    dataset = ct_image()
    set_pixels(dataset, image, bits_stored=8)
    dataset.compress(uids.RLELossless, generate_instance_uid=False)
    (frame,) = generate_frames(dataset.PixelData, number_of_frames=1)
    return frame


def decoded(frame: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(frame)))


def scan_of(frame: bytes) -> bytes:
    start = frame.index(b"\xff\xda")
    return frame[start : frame.rindex(b"\xff\xd9")]


def segment(marker: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def insert(frame: bytes, *pieces: bytes) -> bytes:
    return frame[:2] + b"".join(pieces) + frame[2:]


def assert_refused(frame: bytes, transfer_syntax_uid: str, size: FrameSize = SIZE) -> None:
    with pytest.raises(UnreadableError) as refused:
        clean_frame(frame, transfer_syntax_uid, size)
    assert refused.value.reason is Reason.BAD_CODESTREAM


def test_jpeg_comments_and_application_segments_go_and_no_coefficient_changes() -> None:
    frame = insert(
        jpeg(quality=80, comment=TOKEN),
        segment(0xE1, b"Exif\0\0" + TOKEN),
        segment(0xED, TOKEN),
        segment(0xFE, TOKEN),
    )
    cleaned = clean_frame(frame, JPEG, SIZE)
    assert TOKEN not in cleaned
    assert scan_of(cleaned) == scan_of(frame)
    assert np.array_equal(decoded(cleaned), decoded(frame))


def test_jpeg_too_short_for_its_blocks_is_refused() -> None:
    assert_refused(jpeg(), JPEG, FrameSize(10_000 * 10_000, 10_000 * 10_000))


def test_progressive_and_optimised_jpeg_come_through() -> None:
    frame = jpeg(progressive=True, optimize=True)
    assert np.array_equal(decoded(clean_frame(frame, JPEG, SIZE)), decoded(frame))


def test_jpeg_without_anything_to_take_out_is_the_same_object() -> None:
    frame = clean_frame(jpeg(), JPEG, SIZE)
    assert clean_frame(frame, JPEG, SIZE) is frame
    padded = frame + b"\0"
    assert clean_frame(padded, JPEG, SIZE) is padded


def test_bytes_behind_the_end_of_a_jpeg_go() -> None:
    assert clean_frame(jpeg() + TOKEN, JPEG, SIZE).endswith(b"\xff\xd9")


def test_second_image_behind_a_jpeg_goes() -> None:
    first = clean_frame(jpeg(), JPEG, SIZE)
    assert clean_frame(first + jpeg(comment=TOKEN), JPEG, SIZE) == first


def test_colour_transform_of_the_adobe_segment_stays_and_its_rest_goes() -> None:
    adobe = segment(0xEE, b"Adobe" + b"\x00\x65SM\x49\x54\x01")
    cleaned = clean_frame(insert(jpeg(), adobe), JPEG, SIZE)
    assert b"Adobe\x00\x64\0\0\0\0\x01" in cleaned
    assert b"SMIT" not in cleaned


def test_thumbnail_of_the_jfif_segment_goes() -> None:
    jfif = segment(0xE0, b"JFIF\0\x01\x02\x01\x00\x48\x00\x48\x02\x02" + TOKEN[:12])
    frame = jpeg()
    cleaned = clean_frame(frame[:2] + jfif + frame[20:], JPEG, SIZE)
    assert TOKEN[:12] not in cleaned
    assert np.array_equal(decoded(cleaned), decoded(frame))


def test_bytes_between_segments_are_refused() -> None:
    assert_refused(insert(jpeg(), TOKEN), JPEG)


@pytest.mark.parametrize("marker", [0xDB, 0xC4, 0xC0, 0xDA, 0xDD])
def test_segment_longer_than_what_it_holds_is_refused(marker: int) -> None:
    frame = jpeg() if marker != 0xDD else insert(jpeg(), segment(0xDD, b"\0\0"))
    start = frame.index(bytes((0xFF, marker)))
    (length,) = struct.unpack_from(">H", frame, start + 2)
    longer = frame[: start + 2] + struct.pack(">H", length + 14) + frame[start + 4 : start + 2 + length] + TOKEN
    assert_refused(longer + frame[start + 2 + length :], JPEG)


@pytest.mark.parametrize("frame", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", jpeg()[:-30], jpeg()[:100], b"\0" * 64])
def test_cut_jpeg_is_refused(frame: bytes) -> None:
    assert_refused(frame, JPEG)


def test_unknown_jpeg_segment_is_refused() -> None:
    assert_refused(insert(jpeg(), segment(0xF0, TOKEN)), JPEG)


def test_mapping_table_of_jpeg_ls_is_refused() -> None:
    frame = b"\xff\xd8" + segment(0xF8, b"\x02" + TOKEN) + b"\xff\xd9"
    assert_refused(frame, str(uids.JPEGLSLossless))


def test_jpeg_2000_comments_go_and_the_image_stays() -> None:
    frame = jpeg_2000()
    size_end = 4 + struct.unpack_from(">H", frame, 4)[0]
    commented = frame[:size_end] + struct.pack(">HHH", 0xFF64, 4 + len(TOKEN), 1) + TOKEN + frame[size_end:]
    cleaned = clean_frame(commented, JPEG_2000, SIZE)
    assert TOKEN not in cleaned
    assert b"OpenJPEG" in frame
    assert b"OpenJPEG" not in cleaned
    assert np.array_equal(decoded(cleaned), NOISE)


def test_comment_in_a_tile_header_is_blanked_and_lengths_stay_true() -> None:
    frame = clean_frame(jpeg_2000(), JPEG_2000, SIZE)
    comment = struct.pack(">HHH", 0xFF64, 4 + len(TOKEN), 1) + TOKEN
    start = frame.index(b"\xff\x90")
    (length,) = struct.unpack_from(">L", frame, start + 6)
    head = frame[start : start + 6] + struct.pack(">L", length + len(comment)) + frame[start + 10 : start + 12]
    commented = frame[:start] + head + comment + frame[start + 12 :]
    cleaned = clean_frame(commented, JPEG_2000, SIZE)
    assert TOKEN not in cleaned
    assert len(cleaned) == len(commented)
    assert np.array_equal(decoded(cleaned), NOISE)


def test_empty_comment_in_a_tile_header_does_no_harm() -> None:
    frame = clean_frame(jpeg_2000(), JPEG_2000, SIZE)
    start = frame.index(b"\xff\x90")
    (length,) = struct.unpack_from(">L", frame, start + 6)
    head = frame[start : start + 6] + struct.pack(">L", length + 4) + frame[start + 10 : start + 12]
    assert_refused(frame[:start] + head + b"\xff\x64\0\1" + frame[start + 12 :], JPEG_2000)


def test_codestream_is_taken_out_of_a_jp2_file() -> None:
    boxed = jpeg_2000(jp2=True)
    cleaned = clean_frame(boxed, JPEG_2000, SIZE)
    assert cleaned.startswith(b"\xff\x4f\xff\x51")
    assert np.array_equal(decoded(cleaned), NOISE)


def test_bytes_behind_the_end_of_a_jpeg_2000_codestream_go() -> None:
    assert TOKEN not in clean_frame(jpeg_2000() + TOKEN, JPEG_2000, SIZE)


@pytest.mark.parametrize("length", [0, 4, 60, 150, 400])
def test_cut_jpeg_2000_is_refused(length: int) -> None:
    assert_refused(jpeg_2000()[:length], JPEG_2000)


@pytest.mark.parametrize("image", [NOISE, SMOOTH, np.zeros((24, 32), np.uint8)])
def test_rle_stays_as_it_is(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    frame = rle(image)
    assert clean_frame(frame, RLE, SIZE) is frame


def test_bytes_behind_the_last_run_of_rle_go() -> None:
    frame = rle(SMOOTH)
    assert clean_frame(frame + TOKEN, RLE, SIZE) == frame


def test_bytes_between_rle_segments_go_and_offsets_stay_true() -> None:
    one = rle(SMOOTH)[64:]
    header = struct.pack("<16L", 2, 64, 64 + len(one) + len(TOKEN), *bytes(13))
    cleaned = clean_frame(header + one + TOKEN + one, RLE, FrameSize(SIZE.cells, 2 * SIZE.cells))
    assert cleaned == struct.pack("<16L", 2, 64, 64 + len(one), *bytes(13)) + one + one


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        rle(NOISE)[:-40],
        struct.pack("<16L", 1, 80, *bytes(14)) + bytes(2000),
        struct.pack("<16L", 1, 64, 0x4A4F484E, *bytes(13)) + rle(NOISE)[64:],
        struct.pack("<16L", 0xFFFFFFFF, 64, *bytes(14)),
        struct.pack("<16L", 2, 64, 64, *bytes(13)) + bytes(2000),
    ],
)
def test_damaged_rle_is_refused(frame: bytes) -> None:
    assert_refused(frame, RLE)


def test_rle_with_more_planes_than_the_image_is_refused() -> None:
    assert_refused(rle(NOISE), RLE, FrameSize(SIZE.cells, 3 * SIZE.cells))


def deflate(content: bytes) -> bytes:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflater.compress(content) + deflater.flush()


def test_deflated_frame_is_the_image_and_nothing_more() -> None:
    frame = deflate(NOISE.tobytes())
    assert clean_frame(frame, DEFLATED_IMAGE_FRAME, SIZE) is frame
    assert clean_frame(frame + TOKEN, DEFLATED_IMAGE_FRAME, SIZE) == frame
    assert_refused(deflate(NOISE.tobytes() + TOKEN), DEFLATED_IMAGE_FRAME)
    assert_refused(deflate(NOISE.tobytes()[:-1]), DEFLATED_IMAGE_FRAME)
    assert_refused(frame[:-5], DEFLATED_IMAGE_FRAME)
    assert_refused(TOKEN, DEFLATED_IMAGE_FRAME)


def test_deflate_bomb_is_refused_without_inflating_it() -> None:
    assert_refused(deflate(bytes(64 << 20)), DEFLATED_IMAGE_FRAME)


def test_syntax_that_can_not_be_cleaned_is_not_supported() -> None:
    assert not is_supported(str(uids.MPEG2MPML))
    with pytest.raises(UnreadableError) as refused:
        clean_frame(b"\0", str(uids.MPEG2MPML), SIZE)
    assert refused.value.reason is Reason.UNSUPPORTED_TRANSFER_SYNTAX


def test_first_fragment_of_a_frame_is_told_from_the_next_ones() -> None:
    assert starts_frame(jpeg()[:8], JPEG)
    assert starts_frame(jpeg_2000()[:8], JPEG_2000)
    assert starts_frame(jpeg_2000(jp2=True)[:8], JPEG_2000)
    assert not starts_frame(jpeg()[200:208], JPEG)
