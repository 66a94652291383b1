"""Bits of a cell beside the stored value (PS3.5 section 8.1.1): old devices kept overlays there, and anything fits in.

No reader that follows the standard looks at them, so clearing them changes no image. They stay where they repeat the
sign, and in cells that hold the padding value, which some devices write over all bits.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from app.dicom.reading import Header, integer_of
from app.dicom.tokens import Element

_PIXEL_DATA = 0x7FE00010
_ALLOCATED, _STORED, _HIGH_BIT, _REPRESENTATION = 0x00280100, 0x00280101, 0x00280102, 0x00280103
_PADDING, _PADDING_LIMIT = 0x00280120, 0x00280121
_TAGS = (_ALLOCATED, _STORED, _HIGH_BIT, _REPRESENTATION, _PADDING, _PADDING_LIMIT)


@dataclass(frozen=True, slots=True)
class UnusedBits:
    """Of cells of ``bytes_a_cell`` bytes: the lowest ``stored`` bits are the value, the others are not used."""

    bytes_a_cell: int
    stored: int
    is_signed: bool
    padding: tuple[int, ...]

    @property
    def _mask(self) -> int:
        return (1 << 8 * self.bytes_a_cell) - (1 << self.stored)

    def cleared(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Little endian chunks of whole cells without what stands in unused bits: mostly as they came."""
        words = int.from_bytes(self._mask.to_bytes(self.bytes_a_cell, "little") * (8 // self.bytes_a_cell), "little")
        for chunk in chunks:
            whole = len(chunk) // 8 * 8
            seen = int(np.bitwise_or.reduce(np.frombuffer(chunk, "<u8", whole // 8), initial=0))
            rest = int.from_bytes(chunk[whole:], "little")
            yield self._clear(chunk) if (seen | rest) & words else chunk

    def _clear(self, chunk: bytes) -> bytes:
        cells = np.frombuffer(chunk, f"<u{self.bytes_a_cell}", len(chunk) // self.bytes_a_cell)
        in_order = (cells & self._mask) == 0
        if self.is_signed:
            in_order |= (cells | ((1 << self.stored - 1) - 1)) == (1 << 8 * self.bytes_a_cell) - 1
        for value in self.padding:
            in_order |= cells == value
        if in_order.all():
            return chunk
        cleared = cells & ~np.array(self._mask, cells.dtype)
        return np.where(in_order, cells, cleared).astype(cells.dtype).tobytes() + chunk[cells.nbytes :]


def unused_bits(header: Header, pixel_tag: int) -> UnusedBits | None:
    """The unused bits of a header's native pixels; None where there are none, or not above the value."""
    return header.follow(_unused_bits, _TAGS) if pixel_tag == _PIXEL_DATA else None


def _unused_bits(elements: tuple[Element | None, ...]) -> UnusedBits | None:
    allocated, stored, high_bit, representation = map(integer_of, elements[:4])
    if allocated not in (8, 16, 32) or not stored or stored >= allocated or high_bit not in (None, stored - 1):
        return None
    padding = []
    for element in elements[4:]:
        if element is not None and isinstance(element.value, bytes) and len(element.value) == 2:
            signed = int.from_bytes(element.value, "little", signed=representation == 1)
            padding.append(signed & (1 << allocated) - 1)
    return UnusedBits(allocated // 8, stored, representation == 1, tuple(padding))
