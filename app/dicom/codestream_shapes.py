"""What a compressed frame says of itself, before anything is decoded: a header may lie, and memory is at stake."""

import struct
from dataclasses import dataclass

from app.dicom.codestreams import codestream_of
from app.errors import Reason, UnreadableError

# ITU-T T.81 Table B.1: frame headers, without DHT, JPG and DAC, which lie among them; T.87: SOF55.
_FRAME_HEADERS = frozenset((*range(0xC0, 0xD0), 0xF7)) - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class CodestreamShape:
    """Rows, columns and samples of a codestream; ``precision`` in bits a sample."""

    rows: int
    columns: int
    samples: int
    precision: int


def shape_of(frame: bytes) -> CodestreamShape:
    """The shape of a JPEG, JPEG-LS or JPEG 2000 frame. Raises UnreadableError(BAD_CODESTREAM) where it has none."""
    try:
        return _shape_of_jpeg(frame) if frame[:2] == b"\xff\xd8" else _shape_of_jpeg_2000(codestream_of(frame))
    except (IndexError, struct.error):
        raise UnreadableError(Reason.BAD_CODESTREAM) from None


def _shape_of_jpeg(frame: bytes) -> CodestreamShape:
    position = 2
    while frame[position] == 0xFF:
        marker = frame[position + 1]
        if marker == 0xFF:  # a fill byte, T.81 section B.1.1.2
            position += 1
            continue
        if marker in _FRAME_HEADERS:
            precision, rows, columns, samples = struct.unpack_from(">BHHB", frame, position + 4)
            return CodestreamShape(rows, columns, samples, precision)
        (length,) = struct.unpack_from(">H", frame, position + 2)
        position += 2 + length
    raise UnreadableError(Reason.BAD_CODESTREAM)


def _shape_of_jpeg_2000(codestream: bytes) -> CodestreamShape:
    """ITU-T T.800 section A.5.1: SIZ follows SOC at once; the image area is what lies beyond its offset."""
    if codestream[:4] != b"\xff\x4f\xff\x51":
        raise UnreadableError(Reason.BAD_CODESTREAM)
    right, bottom, left, top = struct.unpack_from(">4L", codestream, 8)
    (samples,) = struct.unpack_from(">H", codestream, 40)
    return CodestreamShape(bottom - top, right - left, samples, (codestream[42] & 0x7F) + 1)
