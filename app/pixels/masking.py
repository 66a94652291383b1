"""Covers boxes of an image so that nothing brings back what was there, and proves it on every frame that it writes.

A covered pixel is the darkest value that the image can say, in all bits of its cell and in every sample: no window,
LUT, inversion or unused bit holds anything of the original. Every other pixel decodes to exactly the value that it had.
Each frame that is written is decoded again and compared; an image that does not prove right is held back.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.dicom.codestreams import DEFLATED_IMAGE_FRAME, FrameSize, clean_frame
from app.dicom.frames import CHUNK_BYTES, OFFSET_TABLE_BYTES
from app.dicom.reading import Header, PixelElement
from app.dicom.tokens import Element
from app.dicom.writing import SEQUENCE_END as SEQUENCE_END_BYTES
from app.dicom.writing import encode_fragment
from app.errors import HeldBackError, Reason
from app.pixels.boxes import Box
from app.pixels.codecs import LOSSY_SYNTAXES, Target, choose_target, encode_frame, pack
from app.pixels.edits import PixelEdit
from app.pixels.luts import palette_of
from app.pixels.reading import ImageDescription, ImageReader, Stored, decode_frame, unpack

_PHOTOMETRIC, _PLANAR, _LOSSY = 0x00280004, 0x00280006, 0x00282110
# Smallest and Largest Image Pixel Value and those of the series would tell of a pixel that is covered now; Extended
# Offset Table, its lengths, and Encapsulated Pixel Data Value Total Length are of the frames that were.
_UNTRUE = frozenset((0x00280106, 0x00280107, 0x00280108, 0x00280109, 0x7FE00001, 0x7FE00002, 0x7FE00003))
# What an encoder adds to a frame at most: RLE's header and runs, a codestream's markers.
_ENCODED_GROWTH, _ENCODED_EXTRA = 1.25, 8192
# An item's header and padding, and its entry in the offset table; a delimiter and the table's own header of all.
_ITEM_EXTRA = 64
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


def mask_image(file: BinaryIO, header: Header, boxes: Sequence[Box], edit: PixelEdit | None = None) -> MaskedImage:
    """Cover ``boxes``, after an ``edit`` of single pixels; the parts of boxes beyond the matrix do not count.

    Raises
    ------
    UnreadableError
        As ``ImageReader``; while ``pixels`` is consumed, too.
    HeldBackError
        As ``ImageReader``. MASK_NOT_PROVEN: a box is for a frame that is not there, nothing is to be changed, or an
        edit is for another kind of image; or, while ``pixels`` is consumed, a frame that was written does not decode to
        what it should be.
    """
    reader = ImageReader(file, header)
    one = reader.description
    clipped = tuple(part for box in boxes if (part := box.clipped(one.rows, one.columns)) is not None)
    if edit is not None and (one.frames != 1 or one.samples != 1 or one.bits_allocated < 8):
        raise HeldBackError(Reason.MASK_NOT_PROVEN)
    if (not clipped and edit is None) or any(box.frame is not None and box.frame >= one.frames for box in boxes):
        raise HeldBackError(Reason.MASK_NOT_PROVEN)
    original_photometric = header.text(_PHOTOMETRIC).strip().upper()
    target = choose_target(one, original_photometric, is_encapsulated=reader.is_encapsulated)
    fill = np.array(fill_value(one, header), np.uint8 if one.bits_allocated == 1 else one.dtype)
    writer = _Writer(reader, target, clipped, fill, original_photometric, edit)
    if reader.is_encapsulated:
        reader.encoded_length(0)  # raises where NumberOfFrames promises more than there is
    if target.is_encapsulated:
        limit = sum(map(writer.length_limit, range(one.frames)))
        return MaskedImage(_masked_header(header, one, target, None), writer.encapsulated(limit), limit)
    length = (one.frame_bits * one.frames + 7) // 8
    return MaskedImage(_masked_header(header, one, target, length), writer.native(length), length + 1)


def fill_value(one: ImageDescription, header: Header) -> tuple[float, ...]:
    """What the cell of a covered pixel holds, by sample: photometric black.

    The value fills its cell: of signed values the sign goes through all unused bits, of others they are zero. Floating
    point pixels get 0: their lowest value would stretch every window that is taken from the values.
    """
    if one.pixel_tag in _FLOAT_TAGS:
        return (0,)
    # Bits Stored may end below the top of the cell, and begin above its bottom (PS3.5 section 8.1.1).
    below = min(max(one.high_bit + 1 - one.bits_stored, 0), one.bits_allocated - one.bits_stored)
    lowest = -(1 << one.bits_stored - 1) if one.is_signed else 0
    highest = lowest + (1 << one.bits_stored) - 1
    match one.photometric:
        case "MONOCHROME1":
            return (highest << below,)
        case "PALETTE COLOR":
            return (_darkest_index(header, lowest, highest) << below,)
        case "YBR_FULL" | "YBR_FULL_422" | "YBR_FULL_420":
            half = (lowest + (1 << one.bits_stored - 1)) << below
            return (lowest << below, half, half)
        case "CMYK":
            return (lowest << below,) * 3 + (highest << below,)
        case _:
            return (lowest << below,) * one.samples


def _darkest_index(header: Header, lowest: int, highest: int) -> int:
    palette = palette_of(header.by_tag, input_is_signed=lowest < 0)
    if palette is None:
        return lowest
    indexes = np.arange(max(lowest, -(1 << 15)), min(highest, (1 << 16) - 1) + 1)
    brightness = np.zeros(len(indexes))
    for lut in palette:
        brightness += lut.to_8_bit()[lut.positions(indexes)]
    return int(indexes[int(np.argmin(brightness))])


def cover(values: Stored, boxes: Sequence[Box], fill: NDArray[Any]) -> Stored:
    """A copy of a frame with boxes filled."""
    covered = values.copy()
    for box in boxes:
        covered[box.top : box.bottom, box.left : box.right] = fill
    return covered


def is_covered(values: Stored, written: Stored, boxes: Sequence[Box], fill: NDArray[Any]) -> bool:
    """Whether ``written`` is ``values`` bit for bit, but for the boxes, which hold nothing else than ``fill``."""
    if written.shape != values.shape or written.dtype != values.dtype:
        return False
    restored = written.copy()
    for box in boxes:
        area = slice(box.top, box.bottom), slice(box.left, box.right)
        if not bool((written[area] == fill).all()):
            return False
        restored[area] = values[area]
    return restored.tobytes() == values.tobytes()


@dataclass(frozen=True, slots=True)
class _Writer:
    reader: ImageReader
    target: Target
    boxes: tuple[Box, ...]
    fill: NDArray[Any]
    original_photometric: str
    edit: PixelEdit | None = None

    def _frame(self, index: int) -> Stored:
        """A frame as it leaves, but for the boxes."""
        values = self.reader.frame(index)
        if self.edit is None:
            return values
        try:
            return self.edit.apply(values)
        except ValueError:
            raise HeldBackError(Reason.MASK_NOT_PROVEN) from None

    @property
    def _is_same_encoding(self) -> bool:
        """Whether frames without a mask can stay as they are, but for what ``clean_frame`` takes out."""
        one, target = self.reader.description, self.target
        if self.edit is not None:
            return False
        if target.transfer_syntax_uid == DEFLATED_IMAGE_FRAME and one.planar_configuration != 0:
            return False
        return target == Target(one.transfer_syntax_uid, self.original_photometric)

    def _boxes_of(self, index: int) -> tuple[Box, ...]:
        return tuple(box for box in self.boxes if box.frame in (None, index))

    def length_limit(self, index: int) -> int:
        """The most bytes that a frame is encoded to."""
        if self._is_same_encoding and not self._boxes_of(index):
            return self.reader.encoded_length(index) + _ITEM_EXTRA
        return int(self.reader.description.frame_bits / 8 * _ENCODED_GROWTH) + _ENCODED_EXTRA

    def native(self, length: int) -> Iterator[bytes]:
        """Frames packed one behind the other; of one bit a cell, a frame may begin inside a byte."""
        one = self.reader.description
        rest = np.zeros(0, np.uint8)
        for index in range(one.frames):
            values, boxes = self._frame(index), self._boxes_of(index)
            covered = cover(values, boxes, self.fill)
            content = pack(covered, one)
            self._prove(values, unpack(content, self._written, self.target.photometric), boxes)
            if one.bits_allocated == 1:
                bits = np.concatenate((rest, covered.ravel()))
                whole = len(bits) // 8 * 8
                rest = bits[whole:]
                content = np.packbits(bits[:whole], bitorder="little").tobytes()
            for start in range(0, len(content), CHUNK_BYTES):
                yield content[start : start + CHUNK_BYTES]
        yield np.packbits(rest, bitorder="little").tobytes() + bytes(length & 1)

    def encapsulated(self, limit: int) -> Iterator[bytes]:
        """Items; an offset table where the source has one and the frames can be held, as ``app.dicom.frames`` does."""
        items = map(encode_fragment, map(self._encoded, range(self.reader.description.frames)))
        if limit <= OFFSET_TABLE_BYTES and self.reader.has_offset_table:
            kept = list(items)
            offsets = [0, *accumulate(map(len, kept[:-1]))]
            yield encode_fragment(struct.pack(f"<{len(offsets)}L", *offsets))
            yield from kept
        else:
            yield encode_fragment(b"")  # always allowed (PS3.5 Annex A.4), and all that a stream can say
            yield from items
        yield SEQUENCE_END_BYTES

    def _encoded(self, index: int) -> bytes:
        one, boxes = self.reader.description, self._boxes_of(index)
        if self._is_same_encoding and not boxes:
            size = FrameSize(one.rows * one.columns, -(-one.frame_bits // 8))
            return clean_frame(self.reader.encoded_frame(index), one.transfer_syntax_uid, size)
        values = self._frame(index)
        encoded = encode_frame(cover(values, boxes, self.fill), self.target, one)
        again = decode_frame(encoded, self.target.transfer_syntax_uid, self._written, self.target.photometric)
        self._prove(values, again, boxes)
        if len(encoded) + _ITEM_EXTRA > self.length_limit(index):
            raise HeldBackError(Reason.MASK_NOT_PROVEN)
        return encoded

    @property
    def _written(self) -> ImageDescription:
        """Of the frames as they are written."""
        return replace(self.reader.description, planar_configuration=0)

    def _prove(self, values: Stored, written: Stored, boxes: tuple[Box, ...]) -> None:
        if not is_covered(values, written, boxes, self.fill):
            raise HeldBackError(Reason.MASK_NOT_PROVEN)


def _masked_header(header: Header, one: ImageDescription, target: Target, length: int | None) -> Header:
    assert header.pixel is not None
    changed: dict[int, Element] = {_PHOTOMETRIC: _text(_PHOTOMETRIC, target.photometric)}
    if one.samples > 1:
        changed[_PLANAR] = Element(_PLANAR, "US", struct.pack("<H", target.planar_configuration))
    if header.transfer_syntax_uid in LOSSY_SYNTAXES and not header.text(_LOSSY):
        changed[_LOSSY] = _text(_LOSSY, "01")
    kept = {element.tag: element for element in header.elements if element.tag not in _UNTRUE}
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
