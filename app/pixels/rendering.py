"""From stored pixel values to what eyes and text detectors see: 8 bit grey or colour.

The pipeline of PS3.4 N.2: modality transformation, then a window or VOI LUT, then the photometric interpretation.
Whatever a header says, something is shown: what makes no sense in it is left out, down to the full range of the values.
A table over all possible stored values does the work wherever there are at most 16 bits, so that a window can be
dragged: computing it costs less than computing each pixel.
"""

from functools import lru_cache
from typing import Any, assert_never

import numpy as np
from numpy.typing import NDArray

from app.pixels.looks import (
    FULL_RANGE,
    Look,
    VoiFunction,
    Window,
    WindowName,
    WindowPreset,
    look_of,
    window_presets,
)

__all__ = [
    "FULL_RANGE",
    "Image",
    "Look",
    "Stored",
    "VoiFunction",
    "Window",
    "WindowName",
    "WindowPreset",
    "default_window",
    "detection_windows",
    "full_window",
    "look_of",
    "render",
    "render_for_detection",
    "window_presets",
]

Stored = NDArray[Any]
"""One frame as it is stored: rows x columns, or rows x columns x samples; integers or floats."""
Image = NDArray[np.uint8]
"""Rendered: rows x columns grey, or rows x columns x 3 RGB."""

_CELL_TYPES = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_SIGNED_CELL_TYPES = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
# What a window may cut off at an end of the full range, as a part of it, and still be no picture of its own.
_SAME_RANGE = 0.025


def render(stored: Stored, look: Look, window: Window | None = None, *, invert: bool = False) -> Image:
    """A frame as grey or RGB; raises nothing, whatever the header said.

    Parameters
    ----------
    stored
        One frame with at least one pixel. Colour is rows x columns x samples, and 4:2:2 is already spread out.
    window
        None for what the file wants: its VOI LUT, its first window, else the full range. Colour has none.
    invert
        Bright for dark.
    """
    stored = _native(stored)
    cell_bits = 8 * stored.dtype.itemsize
    has_tables = stored.dtype.kind in "iu" and cell_bits <= 16
    if stored.ndim == 3:
        image = _colour(stored, look)
        return _inverted(image) if invert else image
    if look.palette is not None and has_tables:
        image = _take(_palette_table(look, cell_bits), stored)
        return _inverted(image) if invert else image
    if window is None and look.voi_lut is None:
        window = default_window(stored, look)
    elif window is not None and not window.is_usable:
        window = full_window(stored, look)
    inverted = invert != look.is_inverted
    if has_tables:
        return _take(_grey_table(look, window, inverted, cell_bits), stored)
    return _grey(_modality_values(stored, look), look, window, inverted)


def default_window(stored: Stored, look: Look) -> Window:
    """The window that ``render`` uses by itself; where a VOI LUT is used, the range of that."""
    if look.voi_lut is not None:
        return _window_between(look.voi_lut.first, look.voi_lut.first + len(look.voi_lut.values) - 1)
    if look.windows:
        return look.windows[0]
    if look.bits_stored <= 8 and stored.dtype.kind in "iu" and _has_plain_values(look):
        # 8 bits and no window: they are brightness already (secondary captures, ultrasound).
        lowest = -(1 << look.bits_stored - 1) if look.is_signed else 0
        return _window_between(lowest, lowest + (1 << look.bits_stored) - 1)
    return full_window(stored, look)


def full_window(stored: Stored, look: Look) -> Window:
    """From the lowest to the highest value of a frame; of width 0 where all are equal."""
    return _window_between(*_span(_native(stored), look))


def detection_windows(stored: Stored, look: Look) -> tuple[Window | None, ...]:
    """Through which windows text of a frame can be seen, one or two; none for colour, which has no windows.

    The file's own window (None is its VOI LUT), where writing may be saturated together with what is behind it; then
    the full range, where writing at the end of 16 bits stands out and all else is dark. A file without a window gets a
    narrow one, around most of its values. A window that cuts nothing off is left out.
    """
    stored = _native(stored)
    if stored.ndim == 3 or look.palette is not None:
        return ()
    full = full_window(stored, look)
    if look.voi_lut is not None:
        return None, full
    first = look.windows[0] if look.windows else full
    if not look.windows and look.bits_stored > 8:
        first = _narrow_window(stored, look)
    return (full,) if _leaves_out_nothing(first, full) else (first, full)


def render_for_detection(
    stored: Stored, look: Look, windows: tuple[Window | None, ...] | None = None
) -> tuple[Image, ...]:
    """The pictures in which text of a frame can be seen: one or two, and one more for bits that no viewer shows.

    Parameters
    ----------
    windows
        Of ``detection_windows``, to see the frames of a stack alike; None for what suits this frame.

    Overlays in unused bits are a picture of their own, the last: they leave with the pixels.
    """
    stored = _native(stored)
    if windows is None:
        windows = detection_windows(stored, look)
    hidden = _render_unused_bits(stored, look)
    seen = [render(stored, look, window) for window in windows or (None,)]
    return (*seen,) if hidden is None else (*seen, hidden)


def _take(table: NDArray[np.uint8], stored: Stored) -> Image:
    image: Image = np.take(table, _cells(stored), axis=0)
    return image


def _inverted(image: Image) -> Image:
    return np.bitwise_not(image)


def _native(stored: Stored) -> Stored:
    if stored.ndim == 3 and stored.shape[2] < 3:
        stored = stored[:, :, 0]  # one sample, or a number of samples that no colour has
    if stored.dtype.kind == "b":
        return stored.view(np.uint8)
    return stored if stored.dtype.isnative else stored.astype(stored.dtype.newbyteorder("="))


def _has_plain_values(look: Look) -> bool:
    return look.modality_lut is None and look.slope == 1 and look.intercept == 0


def _window_between(low: float, high: float) -> Window:
    return Window((low + high) / 2, high - low, VoiFunction.LINEAR_EXACT)


def _leaves_out_nothing(window: Window, full: Window) -> bool:
    """Whether all that is seen through a window is seen over the full range too, with as much contrast."""
    reach = window.width / 2 + _SAME_RANGE * full.width
    return (
        window.center - reach <= full.center - full.width / 2 and window.center + reach >= full.center + full.width / 2
    )


def _narrow_window(stored: Stored, look: Look) -> Window:
    """Between the outermost hundredths of the values, the lowest and the highest value not counted.

    Those are background, padding and writing, and there can be much of them.
    """
    full = full_window(stored, look)
    values = _modality_values(stored[::4, ::4], look)  # sample enough for a percentile
    low, high = full.center - full.width / 2, full.center + full.width / 2
    between = values[(values > low) & (values < high)]
    if between.size == 0:
        return full
    low, high = np.percentile(between, (1, 99))
    return _window_between(float(low), float(high)) if high > low else full


def _place(look: Look, cell_bits: int) -> tuple[int, int]:
    """How many bits of a cell are the value, and how many are below it; sane whatever the header says."""
    bits = min(max(look.bits_stored, 1), cell_bits)
    return bits, min(max(look.high_bit + 1 - bits, 0), cell_bits - bits)


def _cells(stored: Stored) -> NDArray[Any]:
    return stored.view(_CELL_TYPES[stored.dtype.itemsize])


def _fits(stored: Stored, look: Look) -> bool:
    """Whether the array's numbers are the values: nothing stands in bits that are not theirs."""
    bits, below = _place(look, 8 * stored.dtype.itemsize)
    if below or stored.size == 0:
        return False
    if look.is_signed:
        numbers = stored.view(_SIGNED_CELL_TYPES[stored.dtype.itemsize])
        return -(1 << bits - 1) <= int(numbers.min()) and int(numbers.max()) < 1 << bits - 1
    return int(_cells(stored).max()) < 1 << bits


def _integer_values(stored: Stored, look: Look) -> NDArray[Any]:
    """The values of integer cells, without what else is in them."""
    size = stored.dtype.itemsize
    if _fits(stored, look):
        return stored.view(_SIGNED_CELL_TYPES[size]) if look.is_signed else _cells(stored)
    bits, below = _place(look, 8 * size)
    # Shifting up throws away what is above; shifting down again repeats the sign.
    lifted = _cells(stored) << np.uint8(8 * size - bits - below)
    lifted = lifted.view(_SIGNED_CELL_TYPES[size]) if look.is_signed else lifted
    values: NDArray[Any] = lifted >> lifted.dtype.type(8 * size - bits)
    return values


def _to_modality(values: NDArray[Any], look: Look) -> NDArray[np.float64]:
    if look.modality_lut is not None:
        return look.modality_lut.values[look.modality_lut.positions(values)].astype(np.float64)
    with np.errstate(all="ignore"):
        result: NDArray[np.float64] = values * np.float64(look.slope) + look.intercept
    return result


def _modality_values(stored: Stored, look: Look) -> NDArray[np.float64]:
    if stored.dtype.kind not in "iu":
        return _to_modality(stored.astype(np.float64), look)
    return _to_modality(_integer_values(stored, look), look)


def _span(stored: Stored, look: Look) -> tuple[float, float]:
    """The lowest and the highest value of a frame after the modality transformation."""
    if stored.dtype.kind in "iu" and look.modality_lut is None:
        values = _integer_values(stored, look)  # the ends are enough, and much faster
        ends = _to_modality(np.array((values.min(), values.max())), look)
    else:
        ends = _modality_values(stored, look)
    finite = ends[np.isfinite(ends)]
    return (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)


def _grey(values: NDArray[np.float64], look: Look, window: Window | None, inverted: bool) -> Image:
    """Brightness of values after the modality transformation; through the VOI LUT where there is no window."""
    if window is not None:
        grey = np.rint(_through_window(values, window) * 255).astype(np.uint8)
    else:
        assert look.voi_lut is not None
        grey = look.voi_lut.to_8_bit()[look.voi_lut.positions(values)]
    return _inverted(grey) if inverted else grey


def _through_window(values: NDArray[np.float64], window: Window) -> NDArray[np.float64]:
    """From 0 to 1 (PS3.3 C.11.2.1.2 and C.11.2.1.3); NaN is dark."""
    center, width = window.center, window.width
    with np.errstate(all="ignore"):
        match window.function:
            case VoiFunction.LINEAR if width > 1:
                level = (values - (center - 0.5)) / (width - 1) + 0.5
            case VoiFunction.LINEAR if width == 1:
                level = (values > center - 0.5).astype(np.float64)
            # A LINEAR window narrower than 1 is against the standard and common where values are fractions.
            case VoiFunction.LINEAR | VoiFunction.LINEAR_EXACT:
                level = (values - center) / width + 0.5 if width > 0 else np.zeros_like(values)
            case VoiFunction.SIGMOID:
                level = 1 / (1 + np.exp(-4 * (values - center) / width)) if width > 0 else np.zeros_like(values)
            case _:
                assert_never(window.function)
    clipped: NDArray[np.float64] = np.clip(np.nan_to_num(level, nan=0.0), 0, 1)
    return clipped


def _possible_values(look: Look, bits: int) -> NDArray[np.int64]:
    """The value of every bit pattern, counted up."""
    values = np.arange(1 << bits)
    if look.is_signed:
        values[1 << bits - 1 :] -= 1 << bits
    return values


def _spread(table: NDArray[np.uint8], look: Look, cell_bits: int) -> NDArray[np.uint8]:
    """A table by value made one by cell: whatever stands in the other bits, the entry is the same."""
    bits, below = _place(look, cell_bits)
    repeated = np.repeat(table, 1 << below, axis=0) if below else table
    return np.concatenate([repeated] * (1 << cell_bits - bits - below))


@lru_cache(maxsize=32)
def _grey_table(look: Look, window: Window | None, inverted: bool, cell_bits: int) -> NDArray[np.uint8]:
    bits, _ = _place(look, cell_bits)
    values = _to_modality(_possible_values(look, bits), look)
    return _spread(_grey(values, look, window, inverted), look, cell_bits)


@lru_cache(maxsize=8)
def _palette_table(look: Look, cell_bits: int) -> NDArray[np.uint8]:
    assert look.palette is not None
    bits, _ = _place(look, cell_bits)
    values = _possible_values(look, bits)
    channels = [channel.to_8_bit()[channel.positions(values)] for channel in look.palette]
    return _spread(np.stack(channels, axis=1), look, cell_bits)


def _render_unused_bits(stored: Stored, look: Look) -> Image | None:
    """A picture of the bits beside the values; None where they hold nothing, or the sign again."""
    if stored.dtype.kind not in "iu" or _fits(stored, look):
        return None
    bits, below = _place(look, 8 * stored.dtype.itemsize)
    cells = _cells(stored)
    unused = cells & cells.dtype.type(~(((1 << bits) - 1) << below) & ((1 << 8 * stored.dtype.itemsize) - 1))
    lowest, highest = int(unused.min()), int(unused.max())
    if lowest == highest:
        return None
    grey: Image = np.rint((unused - unused.dtype.type(lowest)) * (255 / (highest - lowest))).astype(np.uint8)
    return grey if grey.ndim == 2 else grey[:, :, :3]


def _colour(stored: Stored, look: Look) -> Image:
    """RGB of 8 bits from three samples or more."""
    samples = stored[:, :, 1:4] if look.photometric == "ARGB" and stored.shape[2] > 3 else stored[:, :, :3]
    image = _to_8_bit(samples, look)
    match look.photometric:
        case "YBR_FULL" | "YBR_FULL_422" | "YBR_FULL_420":
            return _rgb_of_ybr(image)
        case "YBR_PARTIAL_420" | "YBR_PARTIAL_422":
            return _rgb_of_ybr(_full_of_partial(image))
        case _:  # RGB, and YBR_ICT and YBR_RCT, which a JPEG 2000 decoder turns into RGB itself
            return image


def _to_8_bit(samples: Stored, look: Look) -> Image:
    image: Image
    if samples.dtype.kind not in "iu":
        window = _window_between(*_span(samples, look))
        return np.rint(_through_window(samples.astype(np.float64), window) * 255).astype(np.uint8)
    cells = np.ascontiguousarray(_cells(samples))
    bits, below = _place(look, 8 * cells.dtype.itemsize)
    if bits == 8 and cells.dtype.itemsize == 1:
        image = cells
        return image
    top = (1 << bits) - 1
    image = np.rint(((cells >> cells.dtype.type(below)) & cells.dtype.type(top)) * (255 / top)).astype(np.uint8)
    return image


def _full_of_partial(image: Image) -> Image:
    """YBR_PARTIAL uses 16 to 235 for Y and 16 to 240 for Cb and Cr (PS3.3 C.7.6.3.1.2)."""
    scale = np.array((255 / 219, 255 / 224, 255 / 224))
    offset = np.array((16, 128, 128))
    full: Image = np.clip(np.rint((image - offset) * scale + np.array((0, 128, 128))), 0, 255).astype(np.uint8)
    return full


# PS3.3 C.7.6.3.1.2, solved for R, G and B; in 64ths of a level, so that two roundings of green do not add up.
_CHROMA = np.arange(256) - 128
_RED_OF_CR = np.rint(64 * 1.402 * _CHROMA).astype(np.int16)
_GREEN_OF_CB = np.rint(64 * -0.344136 * _CHROMA).astype(np.int16)
_GREEN_OF_CR = np.rint(64 * -0.714136 * _CHROMA).astype(np.int16)
_BLUE_OF_CB = np.rint(64 * 1.772 * _CHROMA).astype(np.int16)


def _rgb_of_ybr(image: Image) -> Image:
    # In int16 through tables: a third of the time of the matrix product in floats.
    luma = (image[:, :, 0].astype(np.int16) << 6) + np.int16(32)
    blue, red = image[:, :, 1], image[:, :, 2]
    rgb = np.empty(image.shape, np.uint8)
    green_chroma = np.take(_GREEN_OF_CB, blue) + np.take(_GREEN_OF_CR, red)
    for channel, chroma in enumerate((np.take(_RED_OF_CR, red), green_chroma, np.take(_BLUE_OF_CB, blue))):
        rgb[:, :, channel] = np.clip((luma + chroma) >> 6, 0, 255)
    return rgb
