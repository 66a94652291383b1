"""How a masked image is written again: transfer syntax by transfer syntax.

| source | masked |
|---|---|
| uncompressed, deflated, big endian | Explicit VR Little Endian, as everything native that leaves |
| RLE, JPEG-LS Lossless, JPEG 2000 Lossless | the same |
| anything else | JPEG-LS Lossless; JPEG 2000 Lossless for signed values; both lossless from the decoded values |
| what neither can say: one bit, 32 bits, values beyond Bits Stored | Explicit VR Little Endian |

JPEG-LS, because the values of a decoded JPEG may stay in YBR_FULL there (PS3.5 Table 8.2.3-1), so that nothing outside
of a mask changes, because every toolkit reads it, and because it is several times faster than JPEG 2000.
"""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydicom.pixels.encoders.base import ENCODING_PROFILES, get_encoder
from pydicom.uid import JPEG2000Lossless, JPEGLSLossless, RLELossless

from app.errors import HeldBackError, Reason
from app.pixels.reading import ImageDescription, Stored

EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_JPEG_LS, _JPEG_2000, _RLE = str(JPEGLSLossless), str(JPEG2000Lossless), str(RLELossless)
_KEPT = frozenset((_JPEG_LS, _JPEG_2000, _RLE))
# JPEG Baseline and Extended, JPEG-LS near-lossless, JPEG 2000, HTJ2K
LOSSY_SYNTAXES = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in ("50", "51", "81", "91", "203"))


@dataclass(frozen=True, slots=True)
class Target:
    """What a masked image is written as; ``photometric`` is what its header says then."""

    transfer_syntax_uid: str
    photometric: str

    @property
    def is_encapsulated(self) -> bool:
        """Whether its frames are encoded one by one."""
        return self.transfer_syntax_uid != EXPLICIT_VR_LITTLE_ENDIAN


def choose_target(one: ImageDescription, original_photometric: str, *, is_encapsulated: bool) -> Target:
    """The target for an image; ``original_photometric`` is the header's, before decoding."""
    subsampled = original_photometric in ("YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
    photometric = "YBR_FULL" if subsampled else one.photometric
    # What a lossy decoder gives back may overshoot Bits Stored, which no encoder takes.
    overshoots = one.transfer_syntax_uid in LOSSY_SYNTAXES and one.bits_stored < one.bits_allocated
    if is_encapsulated and not overshoots:
        syntax = one.transfer_syntax_uid
        if syntax not in _KEPT:
            syntax = _JPEG_2000 if one.is_signed else _JPEG_LS
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
    if not target.is_encapsulated:
        return np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    options: dict[str, Any] = {
        "number_of_frames": 1,
        "rows": one.rows,
        "columns": one.columns,
        "samples_per_pixel": one.samples,
        "photometric_interpretation": target.photometric,
        "bits_allocated": one.bits_allocated,
        "bits_stored": one.bits_stored,
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
