"""How a masked image is written again: transfer syntax by transfer syntax.

| source | masked |
|---|---|
| uncompressed, deflated, big endian | Explicit VR Little Endian, as everything native that leaves |
| RLE, JPEG-LS Lossless, JPEG 2000 Lossless, Deflated Image Frame | the same |
| any other: JPEG, JPEG Lossless, JPEG-LS Near-lossless, JPEG 2000, HTJ2K | JPEG-LS Lossless |
| of those, signed values | JPEG 2000 Lossless |
| of those, YBR_FULL, as a JPEG with subsampled colour is decoded | RLE Lossless |
| of those, what none of these can say: one bit, 32 bits, four samples | Explicit VR Little Endian |

All are lossless from the decoded values, in their colour space, so that nothing outside of a mask changes. JPEG-LS,
because every toolkit reads it and it is several times faster than JPEG 2000. But it says nothing of a sign, and
toolkits differ where Bits Stored do not fill the cell. RLE, because ultrasound, where most masks are, may be YBR_FULL
in no other encoding (PS3.3 C.8.5.6.1.2); it takes 1.7 times the room of JPEG-LS on the public images.

A frame is encoded with a precision of Bits Stored, or of the whole cell where something stands above them: overlays of
old archives, or what a lossy decoder overshot.
"""

import warnings
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.pixels.encoders.base import ENCODING_PROFILES, get_encoder
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from app.dicom.codestreams import DEFLATED_IMAGE_FRAME
from app.errors import HeldBackError, Reason
from app.pixels.reading import ImageDescription, Stored

EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_JPEG_LS, _JPEG_2000, _RLE = str(JPEGLSLossless), str(JPEG2000Lossless), str(RLELossless)
_KEPT = frozenset((_JPEG_LS, _JPEG_2000, _RLE))
# JPEG Baseline and Extended, JPEG-LS near-lossless, JPEG 2000, HTJ2K
LOSSY_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in ("50", "51", "81", "91", "203"))
_SUBSAMPLED = frozenset(("YBR_FULL_422", "YBR_FULL_420"))
# A range that no photometric interpretation with full resolution has (retired, PS3.3 C.7.6.3.1.2).
_PARTIAL = frozenset(("YBR_PARTIAL_422", "YBR_PARTIAL_420"))


@dataclass(frozen=True, slots=True)
class Target:
    """What a masked image is written as; ``photometric`` is what its header says then."""

    transfer_syntax_uid: str
    photometric: str

    @property
    def is_encapsulated(self) -> bool:
        """Whether its frames are encoded one by one."""
        return self.transfer_syntax_uid != EXPLICIT_VR_LITTLE_ENDIAN

    @property
    def planar_configuration(self) -> int:
        """By plane in RLE (PS3.5 section G.2), by pixel in all else that we write."""
        return int(self.transfer_syntax_uid == _RLE)


def choose_target(one: ImageDescription, original_photometric: str, *, is_encapsulated: bool) -> Target:
    """The target for an image; ``original_photometric`` is the header's, before decoding.

    Raises HeldBackError(MASK_NOT_PROVEN) where no header could say what the decoded values are.
    """
    if original_photometric in _PARTIAL:
        raise HeldBackError(Reason.MASK_NOT_PROVEN)
    photometric = "YBR_FULL" if original_photometric in _SUBSAMPLED else one.photometric
    syntax = one.transfer_syntax_uid
    if not is_encapsulated:
        return Target(EXPLICIT_VR_LITTLE_ENDIAN, photometric)
    if syntax == DEFLATED_IMAGE_FRAME:
        return Target(syntax, photometric)
    if syntax not in _KEPT:
        syntax = _JPEG_2000 if one.is_signed else _RLE if photometric == "YBR_FULL" else _JPEG_LS
    if syntax == _JPEG_2000 and original_photometric == "YBR_RCT":
        photometric = "YBR_RCT"
    if _can_encode(syntax, one, photometric):
        return Target(syntax, photometric)
    return Target(EXPLICIT_VR_LITTLE_ENDIAN, photometric)


def _can_encode(syntax: str, one: ImageDescription, photometric: str) -> bool:
    return one.samples in (1, 3) and any(
        photometric == allowed
        and one.samples == samples
        and int(one.is_signed) in signs
        and one.bits_allocated in allocated
        and one.bits_stored in stored
        for allowed, samples, signs, allocated, stored in _profile(syntax)
    )


def _profile(syntax: str) -> tuple[tuple[str, int, Any, Any, Any], ...]:
    """What the standard allows (PS3.5 section 8.2), as pydicom has it."""
    return tuple(next(rows for uid, rows in ENCODING_PROFILES.items() if str(uid) == syntax))


def encode_frame(values: Stored, target: Target, one: ImageDescription) -> bytes:
    """One frame, losslessly. Raises HeldBackError(MASK_NOT_PROVEN), whatever the codec says of it."""
    if target.transfer_syntax_uid == EXPLICIT_VR_LITTLE_ENDIAN:
        return pack(values, one)
    if target.transfer_syntax_uid == DEFLATED_IMAGE_FRAME:
        deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        return deflater.compress(pack(values, one)) + deflater.flush()
    options: dict[str, Any] = {
        "number_of_frames": 1,
        "rows": one.rows,
        "columns": one.columns,
        "samples_per_pixel": one.samples,
        "photometric_interpretation": target.photometric,
        "bits_allocated": one.bits_allocated,
        "bits_stored": _precision(values, one),
        "pixel_representation": int(one.is_signed),
        "planar_configuration": 0,
    }
    if target.transfer_syntax_uid == _JPEG_2000:
        options["use_mct"] = target.photometric == "YBR_RCT"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return bytes(get_encoder(target.transfer_syntax_uid).encode(np.ascontiguousarray(values), **options))
    except Exception:  # noqa: BLE001 - a codec raises anything, and its text may quote the image
        raise HeldBackError(Reason.MASK_NOT_PROVEN) from None


def pack(values: Stored, one: ImageDescription) -> bytes:
    """A frame as native pixel data, little endian and not padded (PS3.5 section 8.1.1)."""
    if one.bits_allocated == 1:
        return np.packbits(values.ravel(), bitorder="little").tobytes()
    return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()


def _precision(values: Stored, one: ImageDescription) -> int:
    """Bits of a sample that hold all values, and so many that nothing is decoded to cells of another size."""
    low, high = (-1 << one.bits_stored - 1, 1 << one.bits_stored - 1) if one.is_signed else (0, 1 << one.bits_stored)
    fits = low <= int(values.min()) and int(values.max()) < high
    return max(one.bits_stored, one.bits_allocated - 7) if fits else one.bits_allocated
