"""Covers boxes of an image so that nothing brings back what was there, and proves it on every frame that it writes.

A covered pixel is the darkest value that the image can say, in all bits of its cell and in every sample: no window,
LUT, inversion or unused bit holds anything of the original. Every other pixel decodes to exactly the value that it had.
Each frame that is encoded is decoded again and compared; an image that does not prove right is held back.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from app.dicom.codestreams import FrameSize, clean_frame
from app.dicom.frames import CHUNK_BYTES
from app.dicom.reading import Header, PixelElement
from app.dicom.tokens import Element
from app.dicom.writing import SEQUENCE_END as SEQUENCE_END_BYTES
from app.dicom.writing import encode_fragment
from app.errors import HeldBackError, Reason
from app.pixels.boxes import Box
from app.pixels.codecs import LOSSY_SYNTAXES, Target, choose_target, encode_frame
from app.pixels.luts import palette_of
from app.pixels.reading import ImageDescription, ImageReader, Stored, decode_frame

_PHOTOMETRIC, _PLANAR, _LOSSY = 0x00280004, 0x00280006, 0x00282110
# They would tell of a pixel that is covered now: Smallest and Largest Image Pixel Value, and those of the series.
_EXTREMES = frozenset((0x00280106, 0x00280107, 0x00280108, 0x00280109))
# What an encoder adds to a frame at most: RLE's header and runs, a codestream's markers.
_ENCODED_GROWTH, _ENCODED_EXTRA = 1.25, 8192
_FLOAT_TAGS = (0x7FE00008, 0x7FE00009)


@dataclass(frozen=True, slots=True)
class MaskedImage:
    """A masked image as it is to be written.

    Attributes
    ----------
    header
        The source's, with what masking changes: its transfer syntax is the new one, and ``pixel`` is in no file.
    pixels
        The pixel element's value, frame by frame: native and padded to even length, or items and their delimiter.
    size_limit
        The most bytes that ``pixels`` gives.
    """

    header: Header
    pixels: Iterator[bytes]
    size_limit: int


def mask_image(file: BinaryIO, header: Header, boxes: Sequence[Box]) -> MaskedImage:
    """Cover ``boxes``; the parts of them beyond the matrix do not count.

    Raises
    ------
    UnreadableError
        As ``ImageReader``; while ``pixels`` is consumed, too.
    HeldBackError
        MASK_NOT_PROVEN: a box is for a frame that is not there; or, while ``pixels`` is consumed, a frame that was
        written does not decode to what it should be.
    """
    reader = ImageReader(file, header)
    one = reader.description
    if any(box.frame is not None and box.frame >= one.frames for box in boxes):
        raise HeldBackError(Reason.MASK_NOT_PROVEN)
    original_photometric = header.text(_PHOTOMETRIC).strip().upper()
    target = choose_target(one, original_photometric, is_encapsulated=reader.is_encapsulated)
    writer = _Writer(reader, header, target, tuple(boxes), fill_value(one, header), original_photometric)
    frame_bytes = -(-one.cells * one.bits_allocated // 8)
    if target.is_encapsulated:
        length = None
        limit = one.frames * (int(frame_bytes * _ENCODED_GROWTH) + _ENCODED_EXTRA)
        pixels = writer.encapsulated()
    else:
        bits = {0x7FE00008: 32, 0x7FE00009: 64}.get(one.pixel_tag, one.bits_allocated)
        length = (one.cells * bits * one.frames + 7) // 8
        limit = length + 1
        pixels = writer.native(length)
    return MaskedImage(_masked_header(header, one, target, length), pixels, limit)


def fill_value(one: ImageDescription, header: Header) -> tuple[float, ...]:
    """What a covered pixel holds, by sample: photometric black.

    The value fills its cell: of signed values the sign goes through all unused bits, of others they are zero.
    """
    if one.pixel_tag in _FLOAT_TAGS:
        return (0.0,)
    lowest = -(1 << (one.bits_stored - 1)) if one.is_signed else 0
    highest = (1 << (one.bits_stored - 1)) - 1 if one.is_signed else (1 << one.bits_stored) - 1
    match one.photometric:
        case "MONOCHROME1":
            return (highest,)
        case "PALETTE COLOR":
            return (_darkest_index(header, lowest, highest),)
        case "YBR_FULL" | "YBR_FULL_422" | "YBR_PARTIAL_422" | "YBR_PARTIAL_420":
            half = 1 << (one.bits_stored - 1)
            return (0, half, half)
        case _:
            return (lowest,) * one.samples


def _darkest_index(header: Header, lowest: int, highest: int) -> int:
    palette = palette_of(header.by_tag, input_is_signed=lowest < 0)
    if palette is None:
        return lowest
    indexes = np.arange(max(lowest, -(1 << 15)), min(highest, (1 << 16) - 1) + 1)
    brightness = np.zeros(len(indexes))
    for lut in palette:
        brightness += lut.to_8_bit()[lut.positions(indexes)]
    return int(indexes[int(np.argmin(brightness))])


def cover(values: Stored, boxes: Sequence[Box], frame: int, fill: Sequence[float]) -> Stored:
    """A copy of a frame with the boxes that are meant for it filled."""
    covered = values.copy()
    for box in boxes:
        if box.frame in (None, frame):
            covered[box.top : box.bottom, box.left : box.right] = fill if values.ndim == 3 else fill[0]
    return covered


@dataclass(frozen=True, slots=True)
class _Writer:
    reader: ImageReader
    header: Header
    target: Target
    boxes: tuple[Box, ...]
    fill: tuple[float, ...]
    original_photometric: str

    @property
    def _is_same_encoding(self) -> bool:
        """Whether frames without a mask can stay as they are, byte for byte."""
        one = self.reader.description
        same_syntax = self.target.transfer_syntax_uid == one.transfer_syntax_uid
        planar_kept = one.samples == 1 or one.planar_configuration == 0 or self.target.is_encapsulated
        return same_syntax and self.target.photometric == self.original_photometric and planar_kept

    def _covered(self, index: int) -> tuple[Stored, Stored]:
        values = self.reader.frame(index)
        return values, cover(values, self.boxes, index, self.fill)

    def _is_concerned(self, index: int) -> bool:
        return any(box.frame in (None, index) for box in self.boxes)

    def native(self, length: int) -> Iterator[bytes]:
        one = self.reader.description
        if one.bits_allocated == 1:
            yield from self._bits(length)
            return
        for index in range(one.frames):
            _, covered = self._covered(index)
            content = encode_frame(covered, self.target, one)
            for start in range(0, len(content), CHUNK_BYTES):
                yield content[start : start + CHUNK_BYTES]
        if length & 1:
            yield b"\0"

    def _bits(self, length: int) -> Iterator[bytes]:
        """Cells of one bit: a frame may begin inside a byte, so they are packed over all frames."""
        rest = np.zeros(0, np.uint8)
        for index in range(self.reader.description.frames):
            _, covered = self._covered(index)
            bits = np.concatenate((rest, covered.ravel().astype(np.uint8)))
            whole = len(bits) // 8 * 8
            rest = bits[whole:]
            yield np.packbits(bits[:whole], bitorder="little").tobytes()
        yield np.packbits(rest, bitorder="little").tobytes() + bytes(length & 1)

    def encapsulated(self) -> Iterator[bytes]:
        one = self.reader.description
        yield encode_fragment(
            b""
        )  # an empty offset table is always allowed (PS3.5 Annex A.4), and a stream can say none
        for index in range(one.frames):
            yield encode_fragment(self._encoded(index))
        yield SEQUENCE_END_BYTES

    def _encoded(self, index: int) -> bytes:
        one = self.reader.description
        if self._is_same_encoding and not self._is_concerned(index):
            size = FrameSize(one.rows * one.columns, -(-one.cells * one.bits_allocated // 8))
            return clean_frame(self.reader.encoded_frame(index), one.transfer_syntax_uid, size)
        values, covered = self._covered(index)
        encoded = encode_frame(covered, self.target, one)
        described = replace(one, transfer_syntax_uid=self.target.transfer_syntax_uid, planar_configuration=0)
        again = decode_frame(encoded, self.target.transfer_syntax_uid, described, self.target.photometric)
        if again.dtype != values.dtype or not np.array_equal(again, covered):
            raise HeldBackError(Reason.MASK_NOT_PROVEN)
        return encoded


def _masked_header(header: Header, one: ImageDescription, target: Target, length: int | None) -> Header:
    assert header.pixel is not None
    changed: dict[int, Element] = {_PHOTOMETRIC: _text(_PHOTOMETRIC, target.photometric)}
    if one.samples > 1:
        changed[_PLANAR] = Element(_PLANAR, "US", struct.pack("<H", 0))
    if header.transfer_syntax_uid in LOSSY_SYNTAXES and not header.text(_LOSSY):
        changed[_LOSSY] = _text(_LOSSY, "01")
    kept = {element.tag: element for element in header.elements if element.tag not in _EXTREMES}
    elements = tuple(element for _, element in sorted({**kept, **changed}.items()))
    vr = "OB" if length is None or one.bits_allocated <= 8 else "OW"
    if header.pixel.length is not None and length is not None:
        vr = header.pixel.vr
    return replace(
        header,
        elements=elements,
        by_tag={element.tag: element for element in elements},
        transfer_syntax_uid=target.transfer_syntax_uid,
        pixel=PixelElement(header.pixel.tag, vr, 0, length),
        inflated=None,
    )


def _text(tag: int, text: str) -> Element:
    return Element(tag, "CS", (text + " " * (len(text) & 1)).encode("ascii"))
