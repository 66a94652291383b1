"""Encodes elements in explicit VR little endian (PS3.5 section 7.1.2), and the head of a file (PS3.10 section 7)."""

import struct
from collections.abc import Iterable
from functools import lru_cache

from app.dicom.tokens import LONG_VRS

_LONG = frozenset(LONG_VRS.split())
_short = struct.Struct("<HH2sH").pack
_long = struct.Struct("<HH2sHL").pack
_item = struct.Struct("<HHL").pack

MAX_SHORT_LENGTH = 0xFFFE
_PREAMBLE = bytes(128) + b"DICM"
SEQUENCE_END = _item(0xFFFE, 0xE0DD, 0)
# Ours, registered under nobody: 2.25 needs no registration (PS3.5 Annex B.2).
IMPLEMENTATION_CLASS_UID = "2.25.215337014562841087734829406142395417683"
IMPLEMENTATION_VERSION_NAME = "CONSIGN"


def encode_element(tag: int, vr: str, value: bytes) -> bytes:
    """One element; ``value`` is padded to even length (UI, OB, UN by NUL, text by space).

    Raises ValueError for a value that the VR's length field can't say.
    """
    if len(value) & 1:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    if vr in _LONG:
        return _long(tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(value)) + value
    if len(value) > MAX_SHORT_LENGTH:
        raise ValueError("too long for a short VR")
    return _short(tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def encode_sequence(tag: int, items: Iterable[bytes]) -> bytes:
    """A sequence of defined length; each item is the bytes of its elements."""
    body = b"".join(_item(0xFFFE, 0xE000, len(item)) + item for item in items)
    return _long(tag >> 16, tag & 0xFFFF, b"SQ", 0, len(body)) + body


def encode_pixel_header(tag: int, vr: str, length: int | None) -> bytes:
    """The pixel element up to its value; ``length`` None for encapsulated frames."""
    return _long(tag >> 16, tag & 0xFFFF, vr.encode(), 0, 0xFFFFFFFF if length is None else length)


def encode_fragment(value: bytes) -> bytes:
    """One item of encapsulated pixel data, padded (PS3.5 Annex A.4)."""
    padded = value + b"\0" if len(value) & 1 else value
    return _item(0xFFFE, 0xE000, len(padded)) + padded


def encode_file_head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """An empty preamble, DICM and a File Meta made from nothing but these."""
    before, after = _around_instance(sop_class_uid, transfer_syntax_uid)
    instance = encode_element(0x00020003, "UI", sop_instance_uid.encode("ascii"))
    length = len(before) + len(instance) + len(after)
    group_length = encode_element(0x00020000, "UL", struct.pack("<L", length))
    return b"".join((_PREAMBLE, group_length, before, instance, after))


@lru_cache(maxsize=64)
def _around_instance(sop_class_uid: str, transfer_syntax_uid: str) -> tuple[bytes, bytes]:
    """What stands before and behind the SOP Instance UID in File Meta."""
    before = encode_element(0x00020001, "OB", b"\0\1") + encode_element(0x00020002, "UI", sop_class_uid.encode("ascii"))
    after = (
        encode_element(0x00020010, "UI", transfer_syntax_uid.encode("ascii")),
        encode_element(0x00020012, "UI", IMPLEMENTATION_CLASS_UID.encode("ascii")),
        encode_element(0x00020013, "SH", IMPLEMENTATION_VERSION_NAME.encode("ascii")),
    )
    return before, b"".join(after)
