"""Walks through the header of a released file, element by element, and accepts one form only.

Explicit VR little endian (PS3.5 section 7.1.2), an empty preamble, a File Meta of seven known elements
(PS3.10 section 7.1), tags that rise, lengths that are covered and even, nothing behind the pixel element.
Whatever departs from it is a finding; values are judged by ``verify_values``.
"""

import re
import struct
from dataclasses import dataclass, field
from functools import lru_cache

from app.bundle.verify_repeats import CHARACTER_SET, Repeats, Walked, may_repeat
from app.bundle.verify_values import ApprovedValues, Node, Owner
from app.dicom.dictionary import transfer_syntaxes

UNDEFINED = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXEL_VRS = {0x7FE00008: ("OF",), 0x7FE00009: ("OD",), 0x7FE00010: ("OB", "OW")}
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SV UC UR UT UV".split())
_VR_NAMES = {vr: vr.decode("ascii") for vr in _SHORT_VRS | _LONG_VRS}
_MAX_DEPTH = 64
_MOST_METAS = 64
_INSTANCE_UID = 0x00020003
_META_TAGS = {
    0x00020001: b"OB",
    0x00020002: b"UI",
    0x00020003: b"UI",
    0x00020010: b"UI",
    0x00020012: b"UI",
    0x00020013: b"SH",
}
_UID = re.compile(r"(?=.{1,64}\Z)(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+\Z")
_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
# Implicit, Papyrus 3, deflated, big endian: native pixels in other encodings than that of a released file.
_OTHER_NATIVE = frozenset(("1.2.840.10008.1.2", "1.2.840.10008.1.20", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"))
_element = struct.Struct("<HH2sH").unpack_from
_long_length = struct.Struct("<L").unpack_from
_item = struct.Struct("<HHL").unpack_from

# Top-level elements that other files of the bundle are compared with.
PATIENT_ID = 0x00100020
SOP_CLASS_UID, SOP_INSTANCE_UID, STUDY_UID, SERIES_UID = 0x00080016, 0x00080018, 0x0020000D, 0x0020000E
MODALITY, BODY_PART, SERIES_DESCRIPTION = 0x00080060, 0x00180015, 0x0008103E
SAMPLES, PHOTOMETRIC, FRAMES, ROWS, COLUMNS, BITS_ALLOCATED = (
    0x00280002,
    0x00280004,
    0x00280008,
    0x00280010,
    0x00280011,
    0x00280100,
)
_COMPARED = frozenset(
    (
        PATIENT_ID,
        SOP_CLASS_UID,
        SOP_INSTANCE_UID,
        STUDY_UID,
        SERIES_UID,
        MODALITY,
        BODY_PART,
        SERIES_DESCRIPTION,
        SAMPLES,
        PHOTOMETRIC,
        FRAMES,
        ROWS,
        COLUMNS,
        BITS_ALLOCATED,
    )
)


@lru_cache(maxsize=256)
def _is_encapsulated(uid: str) -> bool | None:
    """Whether a transfer syntax encapsulates frames; None for what is not explicit VR little endian."""
    if uid in _OTHER_NATIVE or uid not in transfer_syntaxes():
        return None
    return uid != _EXPLICIT_VR_LITTLE_ENDIAN


class HeaderFormError(Exception):
    """The structure is broken, so that nothing behind it can be judged; ``code`` is a finding's code."""

    def __init__(self, code: str, path: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.path = path


class MoreBytesNeededError(Exception):
    """The header goes on behind the bytes at hand."""

    def __init__(self, needed: int) -> None:
        super().__init__()
        self.needed = needed


@dataclass(slots=True)
class WalkedHeader:
    """What a header said.

    ``pixel_offset`` and ``pixel_length`` in bytes of the file, None without pixel element; the length is
    ``UNDEFINED`` for encapsulated frames. ``values`` are the compared top-level elements, without padding.
    ``findings`` are pairs of code and path.
    """

    meta: dict[int, str] = field(default_factory=dict)
    values: dict[int, bytes] = field(default_factory=dict)
    pixel_offset: int | None = None
    pixel_length: int = 0
    findings: list[tuple[str, str]] = field(default_factory=list)

    def text(self, tag: int) -> str:
        """A compared element's text; '' where it is absent."""
        return self.values.get(tag, b"").decode("utf-8", "replace")

    def unsigned(self, tag: int) -> int | None:
        """A compared US element's value."""
        raw = self.values.get(tag, b"")
        return int.from_bytes(raw, "little") if len(raw) == 2 else None


@dataclass(frozen=True, slots=True)
class _Meta:
    """A sound File Meta, to be recognised where nothing but the SOP Instance UID is another.

    ``before`` are the file's bytes up to that UID's value, ``after`` those from ``after_start`` to the dataset.
    """

    before: bytes
    after_start: int
    after: bytes
    values: dict[int, str]


class HeaderWalker:
    """Walks headers of one release; one object for all of them, because headers and approved values repeat."""

    def __init__(self, approved: ApprovedValues) -> None:
        self._approved = approved
        self._repeats = Repeats()
        self._metas: dict[bytes, _Meta] = {}  # by the element that says how long the File Meta is

    def walk(self, data: bytes, size: int, owner: Owner) -> WalkedHeader:
        """Walk a file's header. ``data`` are the first of its ``size`` bytes.

        Raises HeaderFormError, and MoreBytesNeededError where ``data`` is too short and not the whole file.
        """
        walk = _Walk(self._approved, data, size, owner)
        known = self._metas.get(data[132:144])
        start = walk.take_meta(known) if known is not None else None
        if start is None:
            start = walk.read_meta()
            if walk.meta is not None and len(self._metas) < _MOST_METAS:
                self._metas[data[132:144]] = walk.meta
        self._repeats.begin(owner)
        walk.read_dataset(start, self._repeats)
        return walk.result


class _Walk:
    """The state of one walk."""

    def __init__(self, approved: ApprovedValues, data: bytes, size: int, owner: Owner) -> None:
        self._approved = approved
        self._data = data
        self._size = size
        self._owner = owner
        self._is_utf8 = False
        self._creators: dict[int, str] = {}  # of the top level
        self.result = WalkedHeader()
        self.meta: _Meta | None = None  # set where a File Meta was read that may be recognised again

    def take_meta(self, known: _Meta) -> int | None:
        """Take the File Meta where it is a known one but for the SOP Instance UID; where the dataset starts."""
        data = self._data
        start, end = known.after_start, known.after_start + len(known.after)
        if end > len(data) or not data.startswith(known.before) or data[start:end] != known.after:
            return None
        uid = data[len(known.before) : start].rstrip(b"\0").decode("latin-1")
        if _UID.match(uid) is None:
            return None
        self.result.meta.update(known.values)
        self.result.meta[_INSTANCE_UID] = uid
        return end

    def _need(self, end: int, path: str = "") -> None:
        if end > len(self._data):
            if end > self._size:
                raise HeaderFormError("header-truncated", path)
            raise MoreBytesNeededError(end)

    def read_meta(self) -> int:
        """Read preamble and File Meta; where the dataset starts."""
        self._need(144)
        data = self._data
        if data[:132] != bytes(128) + b"DICM":
            raise HeaderFormError("preamble")
        group, element, vr, length = _element(data, 132)
        if (group, element, vr, length) != (2, 0, b"UL", 4):
            raise HeaderFormError("file-meta")
        (meta_length,) = _long_length(data, 140)
        end = 144 + meta_length
        self._need(end)
        position, last = 144, 0
        uid = None
        while position < end:
            start = position + 8
            position, last = self._read_meta_element(position, end, last)
            if last == _INSTANCE_UID:
                uid = start, position
        if not self.result.meta.keys() >= _META_TAGS.keys() - {0x00020013}:
            raise HeaderFormError("file-meta")
        if uid is not None:
            self.meta = _Meta(data[: uid[0]], uid[1], data[uid[1] : end], dict(self.result.meta))
        return int(end)

    def _read_meta_element(self, position: int, end: int, last: int) -> tuple[int, int]:
        if position + 12 > end:
            raise HeaderFormError("file-meta")
        group, element, vr, length = _element(self._data, position)
        tag = group << 16 | element
        if _META_TAGS.get(tag) != vr or tag <= last:
            raise HeaderFormError("file-meta")
        start = position + 8
        if vr == b"OB":
            if length:
                raise HeaderFormError("file-meta")
            (length,) = _long_length(self._data, start)
            start += 4
        value = self._data[start : start + length]
        if start + length > end or length % 2:
            raise HeaderFormError("file-meta")
        if tag == 0x00020001:
            is_sound = value == b"\0\1"
        elif vr == b"UI":
            is_sound = _UID.match(value.rstrip(b"\0").decode("latin-1")) is not None
        else:
            is_sound = value.isascii() and len(value) <= 16
        if not is_sound:
            raise HeaderFormError("file-meta")
        self.result.meta[tag] = value.rstrip(b" \0").decode("ascii", "replace")
        return start + length, tag

    def read_dataset(self, start: int, repeats: Repeats) -> None:
        """Read the dataset up to the pixel element's value, or to the end of the file; what ``repeats`` knows is not
        judged again.
        """
        is_encapsulated = _is_encapsulated(self.result.meta[0x00020010])
        if is_encapsulated is None:
            raise HeaderFormError("transfer-syntax")
        if self._size == start:
            raise HeaderFormError("header-truncated")
        self._top_level(start, repeats)
        result = self.result
        if result.pixel_offset is None:
            return
        if (result.pixel_length == UNDEFINED) != is_encapsulated:
            raise HeaderFormError("pixel-element")
        if result.pixel_length != UNDEFINED and result.pixel_offset + result.pixel_length != self._size:
            raise HeaderFormError("bytes-after-pixels")

    def _top_level(self, position: int, repeats: Repeats) -> None:
        data, size, result = self._data, self._size, self.result
        stretches = repeats.stretches
        walked: list[Walked] = []
        repeated = 0
        last = -1
        while position < size:
            stretch = stretches.get(data[position : position + 4])
            if (
                stretch is not None
                and stretch.is_utf8 == self._is_utf8
                and stretch.first_tag > last
                and data.startswith(stretch.raw, position)
            ):
                result.values.update(stretch.values)
                repeated += stretch.count
                last = stretch.last_tag
                position += len(stretch.raw)
                continue
            start, was_utf8, findings = position, self._is_utf8, len(result.findings)
            position, tag = self._elements(
                start, size, self._approved.root, 0, is_delimited=False, last=last, is_one_enough=True
            )
            if result.pixel_offset is None:
                may_be_kept = may_repeat(tag) and len(result.findings) == findings
                walked.append(Walked(tag, start, position, was_utf8, may_be_kept, result.values.get(tag)))
            last = tag
        repeats.finish(data, walked, repeated)

    def _elements(
        self,
        position: int,
        end: int,
        parent: Node,
        depth: int,
        *,
        is_delimited: bool,
        last: int = -1,
        is_one_enough: bool = False,
    ) -> tuple[int, int]:
        """Read elements up to ``end``, or to an item's delimiter, or only one; where they end, and the last one's tag.

        ``last`` is the tag of the element before.
        """
        data = self._data
        children = parent.children
        creators: dict[int, str] = self._creators if depth == 0 else {}
        while position < end:
            if position + 12 > len(data):
                self._need(position + 8, parent.label)
            group, number, raw_vr, length = _element(data, position)
            tag = group << 16 | number
            if tag == _ITEM_END and is_delimited and raw_vr == b"\0\0" and not length:
                return position + 8, last
            if tag <= last:
                raise HeaderFormError("tags-not-rising", parent.label)
            last = tag
            start = position + 8
            if raw_vr not in _SHORT_VRS:
                start, length = self._long(start, end, raw_vr, length)
            node = children.get(tag) if not group & 1 else None
            if node is None:
                node = self._new_node(parent, tag, raw_vr, data[start : start + length], creators)
            if raw_vr == b"SQ":
                position = self._sequence(start, length, end, node, depth)
                if is_one_enough:
                    break
                continue
            if tag in _PIXEL_VRS and depth == 0:
                return self._pixels(tag, raw_vr, start, length), tag
            position = start + length
            if position > end or length & 1:
                raise HeaderFormError("bad-element", node.label)
            if position > len(data):
                self._need(position, node.label)
            self._leaf(node, tag, _VR_NAMES[raw_vr], data[start:position])
            if is_one_enough:
                break
        if is_delimited:
            raise HeaderFormError("bad-sequence", parent.label)
        return position, last

    def _leaf(self, node: Node, tag: int, vr: str, value: bytes) -> None:
        if node.is_top_level and tag in _COMPARED:
            self.result.values[tag] = value if vr == "US" else value.rstrip(b" \0")
        if tag == CHARACTER_SET:
            if not node.is_top_level or value.rstrip(b" ") not in (b"", b"ISO_IR 192"):
                self.result.findings.append(("character-set", node.label))
            self._is_utf8 = bool(value)
        code = self._approved.check(node, vr, value, self._is_utf8, self._owner)
        if code is not None:
            self.result.findings.append((code, node.label))

    def _long(self, start: int, end: int, raw_vr: bytes, reserved: int) -> tuple[int, int]:
        """Where the value of an element with a 32-bit length starts, and the length."""
        if reserved or (raw_vr not in _LONG_VRS and raw_vr != b"SQ") or start + 4 > end:
            raise HeaderFormError("bad-element")
        self._need(start + 4)
        (length,) = _long_length(self._data, start)
        return start + 4, length

    def _new_node(self, parent: Node, tag: int, raw_vr: bytes, value: bytes, creators: dict[int, str]) -> Node:
        """The node of an element not met before, or of a private one, which has its creator's name in it."""
        group, number = tag >> 16, tag & 0xFFFF
        if not group & 1:
            return self._approved.child(parent, tag, None)
        if 0x10 <= number <= 0xFF:
            # Where the bytes at hand end within it, the walk starts again with more of them.
            creator = value.rstrip(b" \0").decode("latin-1")
            if raw_vr != b"LO" or not creator:
                raise HeaderFormError("private-creator", parent.label)
            creators[group << 8 | number] = creator
            return self._approved.child(parent, tag, creator)
        found = creators.get(group << 8 | number >> 8)
        if found is None:
            raise HeaderFormError("private-creator", parent.label)
        return self._approved.child(parent, tag, found)

    def _sequence(self, position: int, length: int, end: int, node: Node, depth: int) -> int:
        if depth >= _MAX_DEPTH:
            raise HeaderFormError("too-deep", node.label)
        stop = end if length == UNDEFINED else position + length
        if stop > end:
            raise HeaderFormError("bad-sequence", node.label)
        if length and not node.is_sequence_listed:
            self.result.findings.append(("element-not-listed", node.label))
        while position < stop:
            self._need(position + 8, node.label)
            group, number, item_length = _item(self._data, position)
            tag = group << 16 | number
            position += 8
            if tag == _SEQUENCE_END and length == UNDEFINED and item_length == 0:
                return position
            if tag != _ITEM:
                raise HeaderFormError("bad-sequence", node.label)
            if item_length == UNDEFINED:
                position, _ = self._elements(position, stop, node, depth + 1, is_delimited=True)
            else:
                if position + item_length > stop:
                    raise HeaderFormError("bad-sequence", node.label)
                position, _ = self._elements(position, position + item_length, node, depth + 1, is_delimited=False)
        if length == UNDEFINED:
            raise HeaderFormError("bad-sequence", node.label)
        return position

    def _pixels(self, tag: int, raw_vr: bytes, start: int, length: int) -> int:
        if raw_vr.decode("ascii", "replace") not in _PIXEL_VRS[tag] or (length != UNDEFINED and length & 1):
            raise HeaderFormError("pixel-element")
        self.result.pixel_offset = start
        self.result.pixel_length = length
        return self._size
