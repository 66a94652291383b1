"""Frames as arrays of stored values, one at a time.

pydicom's decoders do the work, with codecs that carry no GPL part (gdcm, OpenJPEG, CharLS). What they raise is never
let through: their messages may quote the file. A codestream is asked for its size first, so that no few bytes can claim
gigabytes.

Stored values are all bits of a cell. Decoders like to clear what lies above Bits Stored, and writing can hide there.
"""

import io
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from app.dicom.codestream_shapes import shape_of
from app.dicom.codestreams import DEFLATED_IMAGE_FRAME, FrameSize, clean_frame, rle_segments
from app.dicom.dictionary import uid_of
from app.dicom.frames import Fragment, find_fragments, group_frames, native_length, number_of_frames
from app.dicom.reading import Header, PixelElement
from app.dicom.tokens import swap_words
from app.errors import HeldBackError, Reason, UnreadableError

if TYPE_CHECKING:
    from pydicom.pixels.decoders.base import Decoder

Stored = NDArray[Any]
"""Stored values: rows x columns, or rows x columns x samples."""

# A frame that is larger is no picture that an ordinary PC can look at: detectors take some 25 bytes a pixel. Stitched
# radiographs of legs and spines have up to 30 million.
MAX_FRAME_PIXELS = 1 << 25

_ROWS, _COLUMNS, _SAMPLES, _PHOTOMETRIC, _PLANAR = 0x00280010, 0x00280011, 0x00280002, 0x00280004, 0x00280006
_ALLOCATED, _STORED, _HIGH_BIT, _REPRESENTATION = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_FLOAT, _DOUBLE = 0x7FE00008, 0x7FE00009
_NATIVE = frozenset(
    map(
        uid_of,
        "ImplicitVRLittleEndian ExplicitVRLittleEndian ExplicitVRBigEndian DeflatedExplicitVRLittleEndian".split(),
    )
)
# MPEG-2, MPEG-4, HEVC, whole or in fragments (PS3.6 Table A-1).
_VIDEO = frozenset(f"1.2.840.10008.1.2.4.{number}{suffix}" for number in range(100, 109) for suffix in ("", ".1"))
# PS3.5 section G.3.1: a run of two bytes stands for 128 at most.
_RLE_GROWTH = 64
# One decoder for each, so that a frame is decoded alike everywhere; pydicom would try another where one fails.
_PLUGINS = {
    uid_of(keyword): plugin
    for plugin, keywords in (
        ("gdcm", "JPEGBaseline8Bit JPEGExtended12Bit JPEGLossless JPEGLosslessSV1"),
        ("pyjpegls", "JPEGLSLossless JPEGLSNearLossless"),
        ("pylibjpeg", "JPEG2000Lossless JPEG2000 HTJ2KLossless HTJ2KLosslessRPCL HTJ2K RLELossless"),
    )
    for keyword in keywords.split()
}
_JPEG_EXTENDED, _RLE = uid_of("JPEGExtended12Bit"), uid_of("RLELossless")
_YBR_FULL_422 = "YBR_FULL_422"
# The transformation is part of the codestream: what a decoder gives back is RGB.
_DECODED_TO_RGB = frozenset(("YBR_RCT", "YBR_ICT"))


@dataclass(frozen=True, slots=True)
class ImageDescription:
    """What the header says of the pixels, checked (PS3.3 C.7.6.3).

    ``photometric`` is that of the values that ``ImageReader.frame`` gives: RGB where decoding undoes a transformation.
    """

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    is_signed: bool
    photometric: str
    planar_configuration: int
    transfer_syntax_uid: str
    pixel_tag: int

    @property
    def cells(self) -> int:
        """Stored values in a frame, subsampling undone."""
        return self.rows * self.columns * self.samples

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values of a frame."""
        if self.pixel_tag == _FLOAT:
            return np.dtype("<f4")
        if self.pixel_tag == _DOUBLE:
            return np.dtype("<f8")
        size = max(1, self.bits_allocated // 8)
        return np.dtype(f"<{'i' if self.is_signed else 'u'}{size}")

    @property
    def frame_bits(self) -> int:
        """Of one frame, not padded and subsampling undone."""
        return self.cells * self.bits_allocated

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """Rows and columns, and samples where there are several."""
        return (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)


@lru_cache
def _decoder_of(transfer_syntax_uid: str) -> "Decoder":
    # pydicom's decoders take half a second to load, and native pixels need none.
    from pydicom.pixels.decoders.base import get_decoder  # noqa: PLC0415

    return get_decoder(transfer_syntax_uid)


def can_decode(transfer_syntax_uid: str) -> bool:
    """Whether frames of this transfer syntax can be looked at here."""
    if transfer_syntax_uid in _NATIVE or transfer_syntax_uid == DEFLATED_IMAGE_FRAME:
        return True
    plugin = _PLUGINS.get(transfer_syntax_uid)
    return plugin is not None and plugin in _decoder_of(transfer_syntax_uid).available_plugins


class ImageReader:
    """The frames of one open file.

    Raises
    ------
    UnreadableError
        PIXEL_LENGTH, BAD_FRAGMENTS, TRUNCATED_PIXELS: the header or the pixels are damaged.
    HeldBackError
        NO_PIXELS, VIDEO, UNSUPPORTED_TRANSFER_SYNTAX, FRAME_TOO_LARGE: there is nothing that can be looked at here.
    """

    def __init__(self, file: BinaryIO, header: Header) -> None:
        if header.pixel is None:
            raise HeldBackError(Reason.NO_PIXELS)
        if header.transfer_syntax_uid in _VIDEO:
            raise HeldBackError(Reason.VIDEO)
        if not can_decode(header.transfer_syntax_uid):
            raise HeldBackError(Reason.UNSUPPORTED_TRANSFER_SYNTAX)
        self._file, self._header, self._pixel = file, header, header.pixel
        self.description = _describe(header, header.pixel)
        if self.description.rows * self.description.columns > MAX_FRAME_PIXELS:
            raise HeldBackError(Reason.FRAME_TOO_LARGE)
        if (header.pixel.length is None) is (header.transfer_syntax_uid in _NATIVE):
            raise UnreadableError(Reason.BAD_FRAGMENTS)
        if header.pixel.length is not None:
            native_length(header, header.pixel)

    @property
    def _original_photometric(self) -> str:
        """The header's, also where decoding undoes its transformation."""
        return self._header.text(_PHOTOMETRIC).strip().upper()

    @property
    def has_offset_table(self) -> bool:
        """Whether the file says where its frames begin."""
        return self.is_encapsulated and self._fragments[0].length > 0

    @property
    def is_encapsulated(self) -> bool:
        """Whether frames stand in the file one by one, each encoded."""
        return self._pixel.length is None

    def frames(self) -> Iterator[Stored]:
        """All frames in order."""
        return (self.frame(index) for index in range(self.description.frames))

    def frame(self, index: int) -> Stored:
        """One frame, writable, counted from 0.

        Raises UnreadableError (BAD_CODESTREAM, TRUNCATED_PIXELS), IndexError where there is no such frame.
        """
        if not 0 <= index < self.description.frames:
            raise IndexError
        one, photometric = self.description, self._original_photometric
        if self.is_encapsulated:
            return decode_frame(self.encoded_frame(index), one.transfer_syntax_uid, one, photometric)
        return unpack(self.native_bytes(index), one, photometric, index * _native_bits(one, photometric) % 8)

    def encoded_length(self, index: int) -> int:
        """How many bytes ``encoded_frame`` gives."""
        return sum(fragment.length for fragment in self._groups[index])

    def encoded_frame(self, index: int) -> bytes:
        """The bytes of an encapsulated frame as they are in the file, its fragments joined."""
        parts = []
        for fragment in self._groups[index]:
            self._file.seek(fragment.offset)
            part = self._file.read(fragment.length)
            if len(part) != fragment.length:
                raise UnreadableError(Reason.TRUNCATED_PIXELS)
            parts.append(part)
        return b"".join(parts)

    @cached_property
    def _fragments(self) -> tuple[Fragment, list[Fragment]]:
        return find_fragments(self._file, self._pixel, self._file.seek(0, io.SEEK_END))

    @cached_property
    def _groups(self) -> list[list[Fragment]]:
        table, fragments = self._fragments
        frames = number_of_frames(self._header)
        return group_frames(self._file, table, fragments, frames, self._header.transfer_syntax_uid)

    def native_bytes(self, index: int) -> bytes:
        """The bytes of a native frame, little endian; of one bit a cell: from the first byte that has a bit of it."""
        bits = _native_bits(self.description, self._original_photometric)
        start, end = index * bits // 8, -(-(index + 1) * bits // 8)
        swap = not self._header.encoding.little_endian and self._pixel.vr in ("OW", "OF", "OD")
        # Whole words, of the largest size. OW is words of 16 bits also where cells have 32, as in dcmtk and gdcm
        # (PS3.5 section 7.3); pydicom takes the cell.
        first = start & ~7 if swap else start
        last = -(-end // 8) * 8 if swap else end
        stream: BinaryIO = self._file if self._header.inflated is None else io.BytesIO(self._header.inflated)
        stream.seek(self._pixel.offset + first)
        assert self._pixel.length is not None
        content = stream.read(min(last, self._pixel.length) - first)
        if len(content) < end - first:
            raise UnreadableError(Reason.TRUNCATED_PIXELS)
        if swap:
            content = swap_words(content[: len(content) & ~1], self._pixel.vr)
        return content[start - first : end - first]


def _describe(header: Header, pixel: PixelElement) -> ImageDescription:
    rows, columns, samples = header.integer(_ROWS), header.integer(_COLUMNS), header.integer(_SAMPLES) or 1
    allocated = {_FLOAT: 32, _DOUBLE: 64}.get(pixel.tag) or header.integer(_ALLOCATED)
    if not rows or not columns or allocated not in (1, 8, 16, 32, 64) or samples not in (1, 3, 4):
        raise UnreadableError(Reason.PIXEL_LENGTH)
    stored = header.integer(_STORED) or allocated
    if not 0 < stored <= allocated:
        raise UnreadableError(Reason.PIXEL_LENGTH)
    photometric = header.text(_PHOTOMETRIC).strip().upper()
    high_bit = header.integer(_HIGH_BIT)
    if high_bit is not None and high_bit >= allocated:
        raise UnreadableError(Reason.PIXEL_LENGTH)
    return ImageDescription(
        rows=rows,
        columns=columns,
        samples=samples,
        frames=number_of_frames(header),
        bits_allocated=allocated,
        bits_stored=stored,
        high_bit=stored - 1 if high_bit is None else high_bit,
        is_signed=header.integer(_REPRESENTATION) == 1 and allocated > 1 and pixel.tag not in (_FLOAT, _DOUBLE),
        photometric="RGB" if photometric in _DECODED_TO_RGB else photometric,
        planar_configuration=header.integer(_PLANAR) or 0,
        transfer_syntax_uid=header.transfer_syntax_uid,
        pixel_tag=pixel.tag,
    )


def _native_bits(one: ImageDescription, photometric: str) -> int:
    """Of a frame as it stands in the file."""
    samples = 2 if photometric == _YBR_FULL_422 else one.samples
    return one.rows * one.columns * samples * one.bits_allocated


def unpack(content: bytes, one: ImageDescription, photometric: str, first_bit: int = 0) -> Stored:
    """A native frame, little endian, as an array; ``photometric`` is the header's.

    ``first_bit`` is where a frame of one bit a cell begins in its first byte.
    """
    if one.bits_allocated == 1:
        # PS3.5 section 8.1.1: the first cell is the least significant bit of the first byte.
        bits = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")
        return _shape(bits[first_bit : first_bit + one.cells], one)
    values: Stored = np.frombuffer(content, one.dtype)
    if photometric == _YBR_FULL_422:
        return _expand_422(values, one)
    return _shape(values, one).copy()


def _shape(values: Stored, one: ImageDescription) -> Stored:
    if one.samples == 1:
        return values.reshape(one.rows, one.columns)
    if one.planar_configuration == 1:
        return np.ascontiguousarray(values.reshape(one.samples, one.rows, one.columns).transpose(1, 2, 0))
    return values.reshape(one.rows, one.columns, one.samples)


def _expand_422(values: Stored, one: ImageDescription) -> Stored:
    """Y1 Y2 Cb Cr of two neighbours (PS3.3 C.7.6.3.1.2), each with the colour that they share."""
    if one.columns % 2:
        raise UnreadableError(Reason.PIXEL_LENGTH)
    pairs = values.reshape(one.rows, one.columns // 2, 4)
    expanded = np.empty((one.rows, one.columns, 3), values.dtype)
    expanded[:, 0::2, 0], expanded[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    expanded[..., 1], expanded[..., 2] = pairs[..., 2].repeat(2, axis=1), pairs[..., 3].repeat(2, axis=1)
    return expanded


def _inflate(encoded: bytes, length: int) -> bytes:
    """Raises UnreadableError(BAD_CODESTREAM); never inflates further than the frame is long."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(encoded, length + 1)
    except zlib.error:
        raise UnreadableError(Reason.BAD_CODESTREAM) from None
    if len(content) < length:
        raise UnreadableError(Reason.BAD_CODESTREAM)
    return content[:length]


def decode_frame(encoded: bytes, transfer_syntax_uid: str, one: ImageDescription, photometric: str) -> Stored:
    """One compressed frame; ``photometric`` is that of the codestream, as a header says it.

    Raises UnreadableError(BAD_CODESTREAM), whatever the codec says of it.
    """
    if transfer_syntax_uid == DEFLATED_IMAGE_FRAME:
        return unpack(_inflate(encoded, -(-_native_bits(one, photometric) // 8)), one, photometric)
    encoded, precision = _checked(encoded, transfer_syntax_uid, one)
    decoder = _decoder_of(transfer_syntax_uid)
    options: dict[str, Any] = {
        "number_of_frames": 1,
        "rows": one.rows,
        "columns": one.columns,
        "samples_per_pixel": one.samples,
        "photometric_interpretation": photometric,
        "bits_allocated": one.bits_allocated,
        "bits_stored": precision,  # or else what is in the bits above is cleared
        "pixel_representation": int(one.is_signed),
        "planar_configuration": one.planar_configuration,
        "pixel_keyword": "PixelData",
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if transfer_syntax_uid == _JPEG_EXTENDED and precision == 12 and one.samples == 1:
                # gdcm stops at some of them, and Pillow has no twelve bits.
                decoded: Stored = imagecodecs.jpeg_decode(encoded, bitspersample=12)
            else:
                from pydicom.encaps import encapsulate  # noqa: PLC0415 - as above

                decoded, _ = decoder.as_array(
                    encapsulate([encoded]), index=0, raw=True, decoding_plugin=_PLUGINS[transfer_syntax_uid], **options
                )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException:  # noqa: BLE001 - a codec raises anything, and its text may quote the file; Rust panics
        raise UnreadableError(Reason.BAD_CODESTREAM) from None
    # A codestream of 8 bits in cells of 16 is decoded to bytes.
    values: Stored = np.array(decoded, one.dtype)
    if values.shape != one.frame_shape or not np.array_equal(values, decoded):
        raise UnreadableError(Reason.BAD_CODESTREAM)
    return values


def _checked(encoded: bytes, transfer_syntax_uid: str, one: ImageDescription) -> tuple[bytes, int]:
    """A frame that a decoder may get, and its precision in bits: of the header's size, whole, and nothing but image.

    gdcm ends the process at a second frame header, CharLS takes its time with a cut scan; and what is taken out here is
    taken out of what leaves, too.
    """
    size = FrameSize(one.rows * one.columns, -(-one.frame_bits // 8))
    if transfer_syntax_uid == _RLE:
        if len(encoded) * _RLE_GROWTH < size.length:
            raise UnreadableError(Reason.BAD_CODESTREAM)
        rle_segments(encoded, size)  # its runs are many, and the decoder counts them itself
        return encoded, one.bits_allocated
    shape = shape_of(encoded)
    if (shape.rows, shape.columns, shape.samples) != (one.rows, one.columns, one.samples):
        raise UnreadableError(Reason.BAD_CODESTREAM)
    if shape.precision > max(8, one.bits_allocated):
        raise UnreadableError(Reason.BAD_CODESTREAM)
    return clean_frame(encoded, transfer_syntax_uid, size), min(shape.precision, one.bits_allocated)
