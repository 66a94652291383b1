"""Cuts the bytes of a dataset into elements, strictly.

Why our own: pydicom accepts much damage without a word (cut values, lengths beyond the end, everything after a stray
delimiter lost), and most of its time goes into building objects that a copied element never needs. Here every length
must be covered by bytes, tags must rise, and the last byte must be consumed, or the dataset is refused. pydicom stays
the referee: a differential test proves both equal on every file that both accept.

PS3.5 section 7 (data elements, sequences), Annex A (encodings).
"""

import struct
from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from app.dicom.dictionary import find_attribute
from app.errors import Reason, UnreadableError

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
PIXEL_TAGS = frozenset((0x7FE00008, 0x7FE00009, 0x7FE00010))

SHORT_VRS = "AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US"
LONG_VRS = "OB OD OF OL OV OW SQ SV UC UN UR UT UV"
_SHORT = {vr.encode(): vr for vr in SHORT_VRS.split()}
_LONG = {vr.encode(): vr for vr in LONG_VRS.split()}
KNOWN_VRS = frozenset((*_SHORT.values(), *_LONG.values()))

# Word size to swap by, for values of big endian files; text and OB are bytes (PS3.5 section 7.3).
SWAP_SIZES = {
    "US": 2,
    "SS": 2,
    "OW": 2,
    "AT": 2,
    "UL": 4,
    "SL": 4,
    "FL": 4,
    "OF": 4,
    "OL": 4,
} | dict.fromkeys(("FD", "OD", "OV", "SV", "UV"), 8)


class Element(NamedTuple):
    """One element. ``value`` is little endian bytes as in the file, or for SQ a tuple of items.

    ``vr`` is two letters, or an ambiguous entry of the dictionary (``US or SS``) that ``reading`` resolves.
    """

    tag: int
    vr: str
    value: "bytes | Items"


Items = tuple[tuple[Element, ...], ...]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a header may cost; beyond it, the file is set aside.

    Attributes
    ----------
    depth
        Sequences within sequences. The deepest of real objects here have 9.
    elements
        Elements and items altogether.
    header_bytes
        Bytes before Pixel Data.
    inflated_bytes
        A deflated dataset's size once inflated.
    """

    depth: int = 32
    elements: int = 2_000_000
    header_bytes: int = 64 << 20
    inflated_bytes: int = 256 << 20


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a dataset is written."""

    explicit: bool
    little_endian: bool


EXPLICIT_LITTLE = Encoding(explicit=True, little_endian=True)
IMPLICIT_LITTLE = Encoding(explicit=False, little_endian=True)
EXPLICIT_BIG = Encoding(explicit=True, little_endian=False)


class IncompleteError(Exception):
    """The buffer ends before the element does; at least ``needed`` bytes from its start are wanted."""

    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


class PixelStart(NamedTuple):
    """Where a top-level pixel element begins; ``length`` is None when it is encapsulated."""

    tag: int
    vr: str
    value_offset: int
    length: int | None


@lru_cache(maxsize=1 << 14)
def dictionary_vr(tag: int) -> str:
    """The VR of PS3.6, which may be ambiguous; ``UN`` for what it does not know, LO for private creators."""
    if (tag >> 16) & 1:
        return "LO" if 0x10 <= tag & 0xFFFF <= 0xFF else "UN"
    if tag & 0xFFFF == 0:
        return "UL"
    attribute = find_attribute(tag)
    return attribute.vr if attribute is not None else "UN"


def swap_words(value: bytes, vr: str) -> bytes:
    """A big endian value in little endian order. Raises UnreadableError where it is not whole words."""
    size = SWAP_SIZES.get(vr, 1)
    if size == 1:
        return value
    if len(value) % size:
        raise UnreadableError(Reason.BAD_ELEMENT)
    swapped = bytearray(len(value))
    for byte in range(size):
        swapped[byte::size] = value[size - 1 - byte :: size]
    return bytes(swapped)


_Unpackers = tuple[
    Callable[..., tuple[int, int, bytes, int]], Callable[..., tuple[int, int, int]], Callable[..., tuple[int]]
]


def _unpackers(order: str) -> _Unpackers:
    """For an explicit element with a short VR, an implicit one (or an item), and a length."""
    layouts = ("HH2sH", "HHL", "L")
    short, implicit, length = (struct.Struct(order + layout).unpack_from for layout in layouts)
    return short, implicit, length


_UNPACKERS = {True: _unpackers("<"), False: _unpackers(">")}


class Tokenizer:
    """Cuts one buffer; an instance lives for one dataset.

    Parameters
    ----------
    buffer
        The dataset's bytes, or the beginning of them.
    complete
        Whether nothing follows ``buffer``. If not, running out of bytes raises IncompleteError, else UnreadableError.
    """

    def __init__(self, buffer: bytes, encoding: Encoding, limits: Limits, *, complete: bool) -> None:
        self.buffer = buffer
        self.encoding = encoding
        self._limits = limits
        self._complete = complete
        self.budget = limits.elements  # elements and items that may still come
        self.is_ambiguous = False  # whether a VR of the dictionary was met that its bytes do not settle
        self._unpack_short, self._unpack_implicit, self._unpack_length = _UNPACKERS[encoding.little_endian]

    def read_dataset(
        self, start: int, *, only_group: int | None = None
    ) -> tuple[list[Element], PixelStart | None, int]:
        """Top-level elements from ``start`` up to a pixel element or the end.

        Returns them, the pixel element if there is one, and the offset where reading stopped. With ``only_group`` it
        stops before the first element of another group (File Meta).
        """
        return self._read(start, len(self.buffer), 0, self.encoding.explicit, only_group)

    def read_until(
        self, start: int, last: int, stops: Container[bytes]
    ) -> tuple[list[Element], PixelStart | None, int]:
        """As ``read_dataset``, but behind the first element it stops before each whose tag's bytes are in ``stops``.

        ``last`` is the tag of the element before ``start``, or -1.
        """
        return self._read(start, len(self.buffer), 0, self.encoding.explicit, None, last, stops)

    def read_short(self, position: int, last: int) -> Element | None:
        """The top-level element at ``position`` where it is of the most usual form and beyond doubt, else None.

        That is explicit VR little endian, a short VR, behind the tag ``last``, and whole.
        """
        buffer = self.buffer
        start = position + 8
        if not self.encoding.explicit or start > len(buffer):
            return None
        group, number, raw_vr, length = self._unpack_short(buffer, position)
        vr = _SHORT.get(raw_vr)
        tag = group << 16 | number
        end = start + length
        if vr is None or tag <= last or group >= 0x7FE0 or end > len(buffer) or self.budget < 1:
            return None
        self.budget -= 1
        return Element(tag, vr, buffer[start:end])

    def count_repeated(self, last: int, first: int, size: int, *, is_ambiguous: bool) -> None:
        """Count elements that are known to stand at some place as if they had been cut there.

        ``first`` is the tag of the first of them, ``last`` that of the element before, ``size`` the elements and items
        at all depths. Raises UnreadableError as reading would.
        """
        if first <= last:
            raise UnreadableError(Reason.TAGS_NOT_RISING)
        self.budget -= size
        if self.budget < 0:
            raise UnreadableError(Reason.TOO_MANY_ELEMENTS)
        self.is_ambiguous |= is_ambiguous

    def _read(  # noqa: PLR0915 - the hot loop: calls would double its cost
        self,
        position: int,
        end: int,
        depth: int,
        explicit: bool,
        only_group: int | None,
        last: int = -1,
        stops: Container[bytes] | None = None,
    ) -> tuple[list[Element], PixelStart | None, int]:
        buffer = self.buffer
        unpack_short, unpack_implicit, unpack_length = (
            self._unpack_short,
            self._unpack_implicit,
            self._unpack_length,
        )
        short_vrs, long_vrs = _SHORT, _LONG
        little = self.encoding.little_endian
        elements: list[Element] = []
        append = elements.append
        top = depth == 0
        while position < end:
            if stops is not None and elements and buffer[position : position + 4] in stops:
                return elements, None, position
            if position + 8 > end:
                self._out_of_bytes(position + 8, top)
            start = position
            if explicit:
                group, number, raw_vr, length = unpack_short(buffer, position)
                tag = group << 16 | number
                if only_group is not None and group != only_group:
                    return elements, None, start
                if group == 0xFFFE:
                    raise UnreadableError(Reason.BAD_SEQUENCE)
                vr = short_vrs.get(raw_vr)
                position += 8
                if vr is None:
                    vr = long_vrs.get(raw_vr)
                    if vr is None:
                        raise UnreadableError(Reason.BAD_ELEMENT)
                    if length:  # the reserved bytes
                        raise UnreadableError(Reason.BAD_ELEMENT)
                    if position + 4 > end:
                        self._out_of_bytes(position + 4, top)
                    (length,) = unpack_length(buffer, position)
                    position += 4
            else:
                group, number, length = unpack_implicit(buffer, position)
                tag = group << 16 | number
                if group == 0xFFFE:
                    raise UnreadableError(Reason.BAD_SEQUENCE)
                vr = dictionary_vr(tag)
                position += 8
                if length == UNDEFINED and vr == "UN":
                    vr = "SQ"
                elif len(vr) > 2:
                    self.is_ambiguous = True
            if tag <= last:
                raise UnreadableError(Reason.TAGS_NOT_RISING)
            last = tag
            self.budget -= 1
            if self.budget < 0:
                raise UnreadableError(Reason.TOO_MANY_ELEMENTS)

            if top and tag in PIXEL_TAGS:
                return elements, PixelStart(tag, vr, position, None if length == UNDEFINED else length), start

            if length == UNDEFINED:
                if (
                    vr == "UN"
                ):  # PS3.5 section 6.2.2 Note 4: a sequence in implicit little endian, whatever is around it
                    items, position = self._read_items(position, end, None, depth + 1, False, top)
                elif vr == "SQ":
                    items, position = self._read_items(position, end, None, depth + 1, explicit, top)
                elif tag in PIXEL_TAGS:
                    element, position = self._read_fragments(tag, vr, position, end, top)
                    append(element)
                    continue
                else:
                    raise UnreadableError(Reason.BAD_ELEMENT)
                append(Element(tag, "SQ", items))
                continue

            value_end = position + length
            if value_end > end:
                self._out_of_bytes(value_end, top)
            if vr == "SQ":
                items, _ = self._read_items(position, value_end, value_end, depth + 1, explicit, False)
                append(Element(tag, "SQ", items))
            elif vr == "UN" and explicit and (known := dictionary_vr(tag)) != "UN":
                append(self._read_unknown(tag, known, position, value_end, depth))
            elif little:
                append(Element(tag, vr, buffer[position:value_end]))
            else:
                append(Element(tag, vr, swap_words(buffer[position:value_end], vr)))
            position = value_end
        return elements, None, position

    def _read_unknown(self, tag: int, vr: str, position: int, end: int, depth: int) -> Element:
        # A standard attribute that passed through a system which did not know it: implicit little endian inside.
        if vr == "SQ":
            if not self.encoding.little_endian:
                raise UnreadableError(Reason.BAD_ELEMENT)
            items, _ = self._read_items(position, end, end, depth + 1, False, False)
            return Element(tag, vr, items)
        self.is_ambiguous |= len(vr) > 2
        return Element(tag, vr, self.buffer[position:end])

    def _read_items(
        self, position: int, end: int, stop: int | None, depth: int, explicit: bool, top: bool
    ) -> tuple[Items, int]:
        """Items up to ``stop``, or to the sequence delimiter where ``stop`` is None."""
        if depth > self._limits.depth:
            raise UnreadableError(Reason.TOO_DEEP)
        items: list[tuple[Element, ...]] = []
        while position != stop:
            tag, length, position = self._item_header(position, end, top)
            if tag == SEQUENCE_END and stop is None:
                if length:
                    raise UnreadableError(Reason.BAD_SEQUENCE)
                return tuple(items), position
            if tag != ITEM:
                raise UnreadableError(Reason.BAD_SEQUENCE)
            if length == UNDEFINED:
                elements, position = self._read_open_item(position, end, depth, explicit, top)
            else:
                item_end = position + length
                if item_end > end:
                    self._out_of_bytes(item_end, top)
                elements, _, _ = self._read(
                    position, item_end, depth, self._is_explicit(position, item_end, explicit), None
                )
                position = item_end
            items.append(tuple(elements))
        return tuple(items), position

    def _read_open_item(
        self, position: int, end: int, depth: int, explicit: bool, top: bool
    ) -> tuple[list[Element], int]:
        elements: list[Element] = []
        explicit = self._is_explicit(position, end, explicit)
        last = -1
        while True:
            if position + 8 > end:
                self._out_of_bytes(position + 8, top)
            group, number, length = self._unpack_implicit(self.buffer, position)
            if group == 0xFFFE:
                if group << 16 | number != ITEM_END or length:
                    raise UnreadableError(Reason.BAD_SEQUENCE)
                return elements, position + 8
            # One element at a time: where the item ends is known only when its delimiter is met.
            element, position = self._read_one(position, end, depth, explicit, top)
            if element.tag <= last:
                raise UnreadableError(Reason.TAGS_NOT_RISING)
            last = element.tag
            elements.append(element)

    def _read_fragments(self, tag: int, vr: str, position: int, end: int, top: bool) -> tuple[Element, int]:
        """An encapsulated pixel element inside an item (an icon's); the value is its fragments as they stand."""
        start = position
        while True:
            item_tag, length, position = self._item_header(position, end, top)
            if item_tag == SEQUENCE_END and length == 0:
                return Element(tag, vr, self.buffer[start : position - 8]), position
            if item_tag != ITEM or length == UNDEFINED:
                raise UnreadableError(Reason.BAD_FRAGMENTS)
            position += length
            if position > end:
                self._out_of_bytes(position, top)

    def _read_one(self, position: int, end: int, depth: int, explicit: bool, top: bool) -> tuple[Element, int]:
        value_start, vr, length, tag = self._element_header(position, end, explicit, top)
        if length == UNDEFINED:
            if tag in PIXEL_TAGS:
                return self._read_fragments(tag, vr, value_start, end, top)
            if vr not in ("SQ", "UN"):
                raise UnreadableError(Reason.BAD_ELEMENT)
            items, position = self._read_items(value_start, end, None, depth + 1, explicit and vr == "SQ", top)
            self.budget -= 1
            return Element(tag, "SQ", items), position
        value_end = value_start + length
        if value_end > end:
            self._out_of_bytes(value_end, top)
        elements, _, _ = self._read(position, value_end, depth, explicit, None)
        return elements[0], value_end

    def _element_header(self, position: int, end: int, explicit: bool, top: bool) -> tuple[int, str, int, int]:
        if explicit:
            group, number, raw_vr, length = self._unpack_short(self.buffer, position)
            tag = group << 16 | number
            if raw_vr in _SHORT:
                return position + 8, _SHORT[raw_vr], length, tag
            if raw_vr not in _LONG or length:
                raise UnreadableError(Reason.BAD_ELEMENT)
            if position + 12 > end:
                self._out_of_bytes(position + 12, top)
            (length,) = self._unpack_length(self.buffer, position + 8)
            return position + 12, _LONG[raw_vr], length, tag
        group, number, length = self._unpack_implicit(self.buffer, position)
        tag = group << 16 | number
        return position + 8, dictionary_vr(tag), length, tag

    def _is_explicit(self, position: int, end: int, explicit: bool) -> bool:
        # Some writers put implicit items into explicit files; the two letters of the VR tell (pydicom does the same).
        if not explicit or position + 8 > end:
            return explicit
        group, _, raw_vr, _ = self._unpack_short(self.buffer, position)
        return group == 0xFFFE or raw_vr in _SHORT or raw_vr in _LONG

    def _item_header(self, position: int, end: int, top: bool) -> tuple[int, int, int]:
        if position + 8 > end:
            self._out_of_bytes(position + 8, top)
        group, number, length = self._unpack_implicit(self.buffer, position)
        self.budget -= 1
        if self.budget < 0:
            raise UnreadableError(Reason.TOO_MANY_ELEMENTS)
        return group << 16 | number, length, position + 8

    def _out_of_bytes(self, needed: int, top: bool) -> None:
        # Inside something of declared length there is nothing to wait for: the inner length is wrong.
        if top and not self._complete:
            raise IncompleteError(needed)
        raise UnreadableError(Reason.TRUNCATED_HEADER if top else Reason.BAD_SEQUENCE)
