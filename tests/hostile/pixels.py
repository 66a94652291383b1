"""Bad pixels: cut, of the wrong length, in codestreams that promise gigabytes, in fragments that lie."""

import struct

import numpy as np
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

from tests.canaries.instances import jpeg2000_with_comment, jpeg_with_segments
from tests.canaries.mint import Mint
from tests.factory import compress, set_pixels, to_bytes
from tests.hostile.pieces import (
    PIXEL_DATA,
    SEQUENCE_END,
    SIDE,
    UNDEFINED,
    element,
    encapsulated,
    insert_before,
    item,
    jpeg,
    jpeg_2000,
    picture,
    place_of,
    replace_element,
    sound,
    sound_bytes,
    with_transfer_syntax,
    without_pixels,
)

HUGE = 60_000
_JPEG, _JPEG_2000, _RLE = uids.JPEGBaseline8Bit, uids.JPEG2000Lossless, uids.RLELossless
# A byte of Pixel Data's own header, behind which its length stands.
_LENGTH_AT = 8


def _with_pixel_length(content: bytes, length: int) -> bytes:
    at = place_of(content, PIXEL_DATA) + _LENGTH_AT
    return content[:at] + struct.pack("<L", length) + content[at + 4 :]


def _with_number(content: bytes, tag: int, number: int) -> bytes:
    return replace_element(content, tag, element(tag, b"US", struct.pack("<H", number)))


# native -------------------------------------------------------------------------


def cut_in_the_pixels(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place)[:-700]


def cut_by_one_byte(mint: Mint, place: str) -> bytes:
    return sound_bytes(mint, place)[:-1]


def pixels_too_short_for_the_image(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    return _with_pixel_length(content, SIDE * SIDE)[: -SIDE * SIDE]


def pixels_longer_than_the_image(mint: Mint, place: str) -> bytes:
    content = sound_bytes(mint, place)
    token = mint.text(f"{place}: tail").encode()
    return _with_pixel_length(content, 2 * SIDE * SIDE + len(token)) + token


def pixels_of_four_gigabytes(mint: Mint, place: str) -> bytes:
    return _with_pixel_length(sound_bytes(mint, place), 0xFFFFFFFE)


def pixels_of_odd_length(mint: Mint, place: str) -> bytes:
    return _with_pixel_length(sound_bytes(mint, place), 2 * SIDE * SIDE - 1)[:-1]


def no_pixels_at_all(mint: Mint, place: str) -> bytes:
    return _with_pixel_length(sound_bytes(mint, place), 0)[: -2 * SIDE * SIDE]


def image_of_no_rows(mint: Mint, place: str) -> bytes:
    return _with_number(sound_bytes(mint, place), 0x00280010, 0)


def image_of_65535_squared(mint: Mint, place: str) -> bytes:
    content = _with_number(sound_bytes(mint, place), 0x00280010, 65535)
    return _with_number(content, 0x00280011, 65535)


def sixty_thousand_samples(mint: Mint, place: str) -> bytes:
    return _with_number(sound_bytes(mint, place), 0x00280002, HUGE)


def seven_bits_allocated(mint: Mint, place: str) -> bytes:
    return _with_number(sound_bytes(mint, place), 0x00280100, 7)


def more_bits_stored_than_allocated(mint: Mint, place: str) -> bytes:
    return _with_number(sound_bytes(mint, place), 0x00280101, 17)


def high_bit_beyond_the_cell(mint: Mint, place: str) -> bytes:
    return _with_number(sound_bytes(mint, place), 0x00280102, 60)


def billion_frames(mint: Mint, place: str) -> bytes:
    return to_bytes(sound(mint, place, NumberOfFrames="1000000000"))


def minus_one_frames(mint: Mint, place: str) -> bytes:
    return to_bytes(sound(mint, place, NumberOfFrames="-1"))


def writing_above_the_stored_bits(mint: Mint, place: str) -> bytes:
    """A token in the four high bits that no viewer shows."""
    dataset = sound(mint, place)
    cells = np.frombuffer(dataset.PixelData, np.uint16).copy() & 0x0FFF
    token = mint.text(f"{place}: high bits").encode()
    nibbles = np.frombuffer(token, np.uint8)
    cells[: 2 * len(token) : 2] |= (nibbles >> 4).astype(np.uint16) << 12
    cells[1 : 2 * len(token) : 2] |= (nibbles & 15).astype(np.uint16) << 12
    dataset.PixelData = cells.tobytes()
    return to_bytes(dataset)


def pixel_data_twice(mint: Mint, place: str) -> bytes:
    floats = element(0x7FE00008, b"OF", bytes(4 * SIDE * SIDE))
    return insert_before(sound_bytes(mint, place), PIXEL_DATA, floats)


def pixel_data_inside_a_sequence(mint: Mint, place: str) -> bytes:
    inner = item(element(PIXEL_DATA, b"OB", mint.text(f"{place}: inner").encode()))
    return insert_before(sound_bytes(mint, place), 0x00100010, element(0x00082218, b"SQ", inner))


# a few bytes that promise gigabytes ---------------------------------------------------


def rle_of_60000_squared(mint: Mint, place: str) -> bytes:
    frame = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\0" * 20
    return encapsulated(mint, place, _RLE, frame, HUGE, HUGE)


def jpeg_of_60000_squared(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, _with_jpeg_size(jpeg(), HUGE), HUGE, HUGE)


def jpeg_2000_of_60000_squared(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG_2000, _with_jpeg_2000_size(jpeg_2000(), HUGE), HUGE, HUGE)


def jpeg_ls_of_60000_squared(mint: Mint, place: str) -> bytes:
    frame = b"\xff\xd8\xff\xf7" + struct.pack(">HBHHBBBB", 11, 8, HUGE, HUGE, 1, 1, 0x11, 0)
    frame += b"\xff\xda\0\x08\x01\x01\0\0\0\0" + b"\0" * 40 + b"\xff\xd9"
    return encapsulated(mint, place, uids.JPEGLSLossless, frame, HUGE, HUGE)


def htj2k_of_60000_squared(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, uids.HTJ2KLossless, _with_jpeg_2000_size(jpeg_2000(), HUGE), HUGE, HUGE)


def jpeg_of_5000_squared(mint: Mint, place: str) -> bytes:
    """Large, but no larger than a picture may be."""
    return encapsulated(mint, place, _JPEG, _with_jpeg_size(jpeg(), 5000), 5000, 5000)


def jpeg_2000_of_10000_squared(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG_2000, _with_jpeg_2000_size(jpeg_2000(), 10_000), 10_000, 10_000)


def jpeg_larger_than_its_header(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, _with_jpeg_size(jpeg(), HUGE), SIDE, SIDE)


def jpeg_2000_larger_than_its_header(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG_2000, _with_jpeg_2000_size(jpeg_2000(), HUGE), SIDE, SIDE)


def jpeg_2000_of_a_billion_tiles(mint: Mint, place: str) -> bytes:
    frame = bytearray(jpeg_2000())
    struct.pack_into(">LL", frame, 24, 1, 1)  # tiles of one cell: ITU-T T.800 section A.5.1
    return encapsulated(mint, place, _JPEG_2000, bytes(frame), SIDE, SIDE)


def jpeg_2000_of_16384_components(mint: Mint, place: str) -> bytes:
    frame = bytearray(jpeg_2000())
    struct.pack_into(">H", frame, 40, 16384)
    return encapsulated(mint, place, _JPEG_2000, bytes(frame), SIDE, SIDE)


def _with_jpeg_size(frame: bytes, side: int) -> bytes:
    at = frame.index(b"\xff\xc0") + 5
    return frame[:at] + struct.pack(">HH", side, side) + frame[at + 4 :]


def _with_jpeg_2000_size(frame: bytes, side: int) -> bytes:
    changed = bytearray(frame)
    struct.pack_into(">LL", changed, 8, side, side)
    struct.pack_into(">LL", changed, 24, side, side)
    return bytes(changed)


# codestreams that are damaged -----------------------------------------------------------


def rle_with_offsets_beyond_the_end(mint: Mint, place: str) -> bytes:
    frame = struct.pack("<16L", 1, 1 << 30, *[0] * 14) + b"\x81\0" * 20
    return encapsulated(mint, place, _RLE, frame, SIDE, SIDE)


def rle_of_sixty_segments(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _RLE, struct.pack("<16L", 60, *[64] * 15) + b"\x81\0" * 20, SIDE, SIDE)


def rle_with_writing_behind_the_runs(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: behind").encode()
    frame = struct.pack("<16L", 1, 64, *[0] * 14) + b"\x81\0" * (SIDE * SIDE // 128) + token
    return encapsulated(mint, place, _RLE, frame, SIDE, SIDE)


def jpeg_cut_in_its_scan(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, jpeg()[:-60], SIDE, SIDE)


def jpeg_with_two_images(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, jpeg()[:-2] + jpeg()[2:], SIDE, SIDE)


def jpeg_of_nonsense(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, b"\xff\xd8\xff\xe0\0\x03" + b"\xff" * 500, SIDE, SIDE)


def jpeg_segment_beyond_the_end(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, b"\xff\xd8\xff\xfe\xff\xff" + jpeg()[2:], SIDE, SIDE)


def jpeg_with_a_thumbnail_and_comments(mint: Mint, place: str) -> bytes:
    texts = [mint.text(f"{place}: segment {number}").encode() for number in range(5)]
    frame = jpeg_with_segments(jpeg(), texts) + mint.text(f"{place}: behind").encode()
    return encapsulated(mint, place, _JPEG, frame, SIDE, SIDE)


def jpeg_2000_with_a_comment(mint: Mint, place: str) -> bytes:
    frame = jpeg2000_with_comment(jpeg_2000(), mint.text(f"{place}: COM").encode())
    return encapsulated(mint, place, _JPEG_2000, frame, SIDE, SIDE)


def jpeg_2000_cut(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG_2000, jpeg_2000()[:-30], SIDE, SIDE)


def jpeg_2000_with_an_endless_tile(mint: Mint, place: str) -> bytes:
    frame = jpeg_2000()
    at = frame.index(b"\xff\x90") + 6
    return encapsulated(mint, place, _JPEG_2000, frame[:at] + b"\xff\xff\xff\xf0" + frame[at + 4 :], SIDE, SIDE)


def jpeg_2000_that_is_a_jpeg(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG_2000, jpeg(), SIDE, SIDE)


def video_of_nonsense(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, uids.MPEG2MPML, mint.text(f"{place}: stream").encode() * 9, SIDE, SIDE)


# fragments --------------------------------------------------------------------------------


def _fragments(mint: Mint, place: str, value: bytes) -> bytes:
    content = without_pixels(encapsulated(mint, place, _JPEG, jpeg(), SIDE, SIDE))
    return content + element(PIXEL_DATA, b"OB", value, UNDEFINED)


def _even(frame: bytes) -> bytes:
    return frame + b"\0" * (len(frame) % 2)


def cut_in_a_fragment(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, jpeg(), SIDE, SIDE)[:-100]


def cut_before_the_last_delimiter(mint: Mint, place: str) -> bytes:
    return encapsulated(mint, place, _JPEG, jpeg(), SIDE, SIDE)[:-8]


def fragment_beyond_the_end(mint: Mint, place: str) -> bytes:
    return _fragments(mint, place, item() + item(_even(jpeg()), 0x7FFFFFF0) + item(tag=SEQUENCE_END))


def fragments_without_an_offset_table(mint: Mint, place: str) -> bytes:
    return _fragments(mint, place, item(tag=SEQUENCE_END))


def something_else_between_the_fragments(mint: Mint, place: str) -> bytes:
    stray = element(0x00100010, b"PN", mint.text(f"{place}: stray").encode())
    return _fragments(mint, place, item() + stray + item(_even(jpeg())) + item(tag=SEQUENCE_END))


def offsets_beyond_the_fragments(mint: Mint, place: str) -> bytes:
    table = item(struct.pack("<L", 1 << 30))
    return _fragments(mint, place, table + item(_even(jpeg())) + item(tag=SEQUENCE_END))


def writing_in_the_offset_table(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: table").encode()
    return _fragments(mint, place, item(token + b"  ") + item(_even(jpeg())) + item(tag=SEQUENCE_END))


def fragment_of_writing(mint: Mint, place: str) -> bytes:
    token = mint.text(f"{place}: fragment").encode()
    return _fragments(mint, place, item() + item(_even(jpeg())) + item(token) + item(tag=SEQUENCE_END))


def hundred_thousand_empty_fragments(mint: Mint, place: str) -> bytes:
    return _fragments(mint, place, item() + item() * 100_000 + item(_even(jpeg())) + item(tag=SEQUENCE_END))


def more_frames_than_fragments(mint: Mint, place: str) -> bytes:
    dataset = _two_frames(mint, place)
    dataset.NumberOfFrames = 90
    return to_bytes(dataset)


def fewer_frames_than_fragments(mint: Mint, place: str) -> bytes:
    dataset = _two_frames(mint, place)
    dataset.NumberOfFrames = 1
    return to_bytes(dataset)


def _two_frames(mint: Mint, place: str) -> Dataset:
    dataset = sound(mint, place)
    set_pixels(dataset, np.stack([picture(), picture()]), bits_stored=8)
    compress(dataset, lambda _: _even(jpeg()), _JPEG)
    dataset.PixelData = encapsulate([_even(jpeg())] * 2)
    return dataset


def native_that_says_jpeg(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(sound_bytes(mint, place), _JPEG)


def jpeg_that_says_native(mint: Mint, place: str) -> bytes:
    content = encapsulated(mint, place, _JPEG, jpeg(), SIDE, SIDE)
    return with_transfer_syntax(content, uids.ExplicitVRLittleEndian)


def jpeg_that_says_rle(mint: Mint, place: str) -> bytes:
    return with_transfer_syntax(encapsulated(mint, place, _JPEG, jpeg(), SIDE, SIDE), _RLE)
