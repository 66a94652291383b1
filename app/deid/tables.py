"""Binary tables whose length other attributes state: what lies beyond it, no viewer shows, and anything could be in it.

PS3.3 sections C.7.6.3.1.5 and C.7.9 (palettes), C.11.1.1 (lookup tables), C.10.9 (waveforms).
"""

import struct
from collections.abc import Iterable, Sequence

from app.dicom.tokens import Element

_LUT_DATA, _LUT_DESCRIPTOR = 0x00283006, 0x00283002
_DESCRIPTORS = {
    _LUT_DATA: _LUT_DESCRIPTOR,
    0x00281200: 0x00281100,
    0x00281201: 0x00281101,
    0x00281202: 0x00281102,
    0x00281203: 0x00281103,
    0x00281204: 0x00281101,  # alpha has the descriptor of red
    0x00281408: 0x00281407,
}
_SEGMENTED = {
    0x00281221: 0x00281101,
    0x00281222: 0x00281102,
    0x00281223: 0x00281103,
    0x00281224: 0x00281101,
}
_WAVEFORM_DATA, _CHANNELS, _SAMPLES, _SAMPLE_BITS = 0x54001010, 0x003A0005, 0x003A0010, 0x54001004

# The attributes that ``fit_table`` judges.
DESCRIBED = frozenset((*_DESCRIPTORS, *_SEGMENTED, _WAVEFORM_DATA))


def fit_table(element: Element, siblings: Iterable[Element]) -> Element | None:
    """The element as long as ``siblings`` (the dataset that it stands in) say; None where it is shorter or unclear."""
    tag, _, value = element
    if not isinstance(value, bytes) or not value:
        return element
    if tag in _SEGMENTED:
        return element if _is_segmented_palette(value, _descriptor(siblings, _SEGMENTED[tag])) else None
    lengths = _waveform_lengths(siblings) if tag == _WAVEFORM_DATA else _table_lengths(siblings, _DESCRIPTORS[tag])
    if len(value) in lengths:
        return element
    shorter = [length for length in lengths if length < len(value)]
    # Which of two layouts was meant, only the exact length tells: the longer one keeps all entries of either.
    return element._replace(value=value[: max(shorter)]) if shorter else None


def _number(siblings: Iterable[Element], tag: int, layout: str) -> int:
    for element in siblings:
        if element.tag == tag and isinstance(element.value, bytes) and len(element.value) == struct.calcsize(layout):
            return int(struct.unpack(layout, element.value)[0])
    return 0


def _descriptor(siblings: Iterable[Element], tag: int) -> tuple[int, int] | None:
    """Entries and bits of an entry; 0 entries mean 65536."""
    for element in siblings:
        if element.tag == tag and isinstance(element.value, bytes) and len(element.value) == 6:
            entries, _, bits = struct.unpack("<HHH", element.value)
            return (entries or 1 << 16), bits
    return None


def _table_lengths(siblings: Iterable[Element], tag: int) -> frozenset[int]:
    descriptor = _descriptor(siblings, tag)
    if descriptor is None:
        return frozenset()
    entries, bits = descriptor
    wide = entries * 2
    # Entries of eight bits stand alone or in words of their own; both are seen.
    return frozenset((entries + (entries & 1), wide)) if bits <= 8 else frozenset((wide,))


def _waveform_lengths(siblings: Iterable[Element]) -> frozenset[int]:
    samples = _number(siblings, _CHANNELS, "<H") * _number(siblings, _SAMPLES, "<L")
    length = samples * _number(siblings, _SAMPLE_BITS, "<H") // 8
    return frozenset((length + (length & 1),)) if length else frozenset()


def _is_segmented_palette(value: bytes, descriptor: tuple[int, int] | None) -> bool:
    """Whether the segments make as many entries as the descriptor says, and end with the value (PS3.3 C.7.9.2)."""
    if descriptor is None:
        return False
    wanted, bits = descriptor
    if bits <= 8:
        # Padded to whole words by a zero, which alone is no segment.
        return wanted in (_count_entries(value), _count_entries(value[:-1]) if value[-1] == 0 else None)
    return len(value) % 2 == 0 and _count_entries(struct.unpack(f"<{len(value) // 2}H", value)) == wanted


def _count_entries(words: Sequence[int]) -> int | None:
    """The entries that all segments make; None where they do not end with the last word."""
    counts: dict[int, int] = {}  # by the segment's first word
    position = 0
    while position + 2 <= len(words):
        kind, length = words[position], words[position + 1]
        match kind:
            case 0:  # discrete: so many values
                counts[position], size = length, 2 + length
            case 1:  # linear: so many steps to one value
                counts[position], size = length, 3
            case 2 if position + 4 <= len(words):  # indirect: so many segments, from a byte offset in two words
                first = (words[position + 2] | words[position + 3] << 16) // 2
                repeated = [count for start, count in counts.items() if start >= first][:length]
                if first not in counts or len(repeated) != length:
                    return None
                counts[position], size = sum(repeated), 4
            case _:
                return None
        position += size
    return sum(counts.values()) if position == len(words) else None
