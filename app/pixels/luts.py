"""Lookup tables of a header: modality, VOI and palette colour, plain and segmented; PS3.3 C.11.1, C.11.2, C.7.9.

Damage is no error here: a table that makes no sense is no table, and the image is shown without it.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.dicom.tokens import Element

LUT_DESCRIPTOR, LUT_DATA = 0x00283002, 0x00283006
_PALETTE_DESCRIPTORS = (0x00281101, 0x00281102, 0x00281103)
_PALETTE_DATA = (0x00281201, 0x00281202, 0x00281203)
_SEGMENTED_PALETTE_DATA = (0x00281221, 0x00281222, 0x00281223)
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2
# No sound table is longer: one of 65,536 entries, each in a segment of its own.
_MOST_SEGMENTS = 1 << 17


@dataclass(frozen=True, slots=True)
class Lut:
    """A table of ``uint16`` entries, kept as bytes so that it can be compared and hashed.

    The input ``first`` and all below give the first entry; everything beyond the end gives the last. An entry has
    ``bits`` significant bits.
    """

    first: int
    bits: int
    entries: bytes = field(repr=False)

    @property
    def values(self) -> NDArray[np.uint16]:
        """The entries, at least one."""
        return np.frombuffer(self.entries, np.uint16)

    def positions(self, inputs: NDArray[Any]) -> NDArray[np.intp]:
        """Which entry stands for each input, of the same shape; NaN counts as 0."""
        last = len(self.entries) // 2 - 1
        found: NDArray[np.intp] = np.clip(np.nan_to_num(np.rint(inputs)) - self.first, 0, last).astype(np.intp)
        return found

    def to_8_bit(self) -> NDArray[np.uint8]:
        """The entries as 0 to 255."""
        top = (1 << self.bits) - 1
        return np.rint(np.minimum(self.values, top) * (255 / top)).astype(np.uint8)


def lut_of_item(item: Mapping[int, Element], *, input_is_signed: bool) -> Lut | None:
    """The table of an item of Modality LUT Sequence or VOI LUT Sequence; None where it makes no sense."""
    return _lut(item.get(LUT_DESCRIPTOR), item.get(LUT_DATA), input_is_signed)


def palette_of(elements: Mapping[int, Element], *, input_is_signed: bool) -> tuple[Lut, Lut, Lut] | None:
    """The tables for red, green and blue; None where one of them is missing or makes no sense."""
    segmented = _PALETTE_DATA[0] not in elements
    channels = []
    for descriptor, data in zip(
        _PALETTE_DESCRIPTORS, _SEGMENTED_PALETTE_DATA if segmented else _PALETTE_DATA, strict=True
    ):
        channel = _lut(elements.get(descriptor), elements.get(data), input_is_signed, segmented=segmented)
        if channel is None:
            return None
        channels.append(channel)
    red, green, blue = channels
    if all(channel.values.max() <= 0xFF for channel in channels):
        # Tables that say 16 bit and hold 8 are common; taken at their word, the image is black.
        red, green, blue = (Lut(channel.first, 8, channel.entries) for channel in channels)
    return red, green, blue


def _lut(
    descriptor: Element | None, data: Element | None, input_is_signed: bool, *, segmented: bool = False
) -> Lut | None:
    if descriptor is None or data is None:
        return None
    if not isinstance(descriptor.value, bytes) or not isinstance(data.value, bytes) or len(descriptor.value) < 6:
        return None
    length, first, bits = struct.unpack_from("<HHH", descriptor.value)
    if first >= 1 << 15 and (descriptor.vr == "SS" or input_is_signed):
        first -= 1 << 16
    length = length or 1 << 16
    if not 1 <= bits <= 16:
        return None
    if segmented:
        entries = _expand(_integers(data.value, 1 if bits <= 8 else 2), length, 1 if bits <= 8 else 2)
    else:
        # 8-bit entries may be packed two to a word (PS3.3 C.7.6.3.1.6) or stand in 16 bits each: the length tells.
        entries = _integers(data.value, 1 if len(data.value) < 2 * length else 2)[:length]
    if len(entries) == 0:
        return None
    bits = max(bits, int(entries.max()).bit_length())
    return Lut(first, bits, entries.astype(np.uint16).tobytes())


def _integers(data: bytes, size: int) -> NDArray[np.uint16]:
    return np.frombuffer(data, "<u2" if size == 2 else "u1", len(data) // size).astype(np.uint16)


def _expand(data: NDArray[np.uint16], length: int, size: int) -> NDArray[np.uint16]:
    """The entries of a segmented table (PS3.3 C.7.9.2), ``length`` at most; what is damaged ends it."""
    expanded: list[int] = []
    # Places to go on reading, innermost last: position and how many segments, None for all.
    pending: list[tuple[int, int | None]] = [(0, None)]
    for _ in range(_MOST_SEGMENTS):
        if not pending or len(expanded) >= length:
            break
        position, remaining = pending.pop()
        if remaining == 0 or position + 2 > len(data):
            continue
        kind, count = int(data[position]), int(data[position + 1])
        position += 2
        target = None
        if kind == _DISCRETE:
            expanded.extend(data[position : position + count].tolist())
            position += count
        elif kind == _LINEAR and expanded and position < len(data) and count:
            steps = np.linspace(expanded[-1], int(data[position]), count + 1)[1:]
            expanded.extend(np.rint(steps).astype(int).tolist())
            position += 1
        elif kind == _INDIRECT and len(pending) < 2:
            words = 4 // size
            if position + words > len(data):
                break
            target = int.from_bytes(data[position : position + words].astype(f"<u{size}").tobytes(), "little")
            position += words
        else:
            break
        pending.append((position, None if remaining is None else remaining - 1))
        if target is not None:
            # The standard counts the offset in bytes; writers count in words of the table, and so do readers.
            pending.append((target, count))
    return np.array(expanded[:length], np.uint16)
