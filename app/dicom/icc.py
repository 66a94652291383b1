"""Rebuilds an ICC profile from its numbers alone: its texts name people, devices, sites and days (ICC.1:2022)."""

import struct
from itertools import pairwise

_HEADER_BYTES = 128
_MAX_BYTES = 4 << 20
_MAX_TAGS = 64
# Colorant matrix, curves, tables, white point, adaptation; of these types only, all of them numbers.
_KEPT_TAGS = frozenset(
    (b"rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt bkpt chad A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt lumi D2B0 B2D0").split()
)
_CLASSES = frozenset(b"scnr mntr prtr spac link abst nmcl".split())
_SPACES = frozenset((b"XYZ ", b"Lab ", b"Luv ", b"YCbr", b"Yxy ", b"RGB ", b"GRAY", b"HSV ", b"HLS ", b"CMYK", b"CMY "))
_KEPT_TYPES = frozenset((b"XYZ ", b"curv", b"para", b"sf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet"))
_TEXT = b"De-identified"
_LARGEST_FIXED = 4096 << 16  # s15Fixed16Number: white is 1, a luminance some hundreds, four letters more than 8192


def clean_profile(profile: bytes) -> bytes | None:
    """The same colours under a description of ours; None where it is not a profile that is understood.

    Of the header only size, version, class, colour spaces, intent and illuminant are kept (ICC.1 section 7.2).
    """
    if not _HEADER_BYTES + 4 <= len(profile) <= _MAX_BYTES or profile[36:40] != b"acsp":
        return None
    if profile[12:16] not in _CLASSES or not {profile[16:20], profile[20:24]} <= _SPACES:
        return None
    (count,) = struct.unpack_from(">L", profile, _HEADER_BYTES)
    if count > _MAX_TAGS or _HEADER_BYTES + 4 + 12 * count > len(profile):
        return None
    version4 = profile[8] >= 4
    tags: dict[bytes, bytes] = {b"desc": _description(version4), b"cprt": _text(version4)}
    for index in range(count):
        name, offset, size = struct.unpack_from(">4sLL", profile, _HEADER_BYTES + 4 + 12 * index)
        data = profile[offset : offset + size]
        if len(data) != size:
            return None
        if name in _KEPT_TAGS and data[:4] in _KEPT_TYPES:
            exact = _exact_size(data)
            if exact > size or not _are_colour_numbers(data[:exact]):
                return None
            tags[name] = data[:4] + bytes(4) + data[8:exact]
    return _assemble(profile, tags)


def _exact_size(data: bytes) -> int:
    """How many bytes of a tag its type needs (ICC.1 section 10), where the type tells it simply."""
    kind = data[:4]
    if kind == b"XYZ ":
        return 20
    if kind == b"sf32":
        return 44  # the only use is a matrix of nine
    if kind == b"curv" and len(data) >= 12:
        (count,) = struct.unpack_from(">L", data, 8)
        return 12 + 2 * int(count)
    if kind == b"para" and len(data) >= 12:
        (function,) = struct.unpack_from(">H", data, 8)
        return 12 + 4 * {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}.get(int(function), 1 << 20)
    return len(data) if len(data) >= 12 else 1 << 20


def _are_colour_numbers(data: bytes) -> bool:
    """Whether fixed-point numbers are of a colour's size, and a tone curve runs one way: text does neither."""
    match data[:4]:
        case b"XYZ " | b"sf32" | b"para":
            numbers = struct.unpack(f">{len(data) // 4 - 2}l", data[8:])[data[:4] == b"para" :]
            return all(abs(number) <= _LARGEST_FIXED for number in numbers)
        case b"curv":
            curve = struct.unpack(f">{len(data) // 2 - 6}H", data[12:])
            rising = all(low <= high for low, high in pairwise(curve))
            return rising or all(low >= high for low, high in pairwise(curve))
        case _:
            return True


def _assemble(profile: bytes, tags: dict[bytes, bytes]) -> bytes:
    table: list[bytes] = []
    body = b""
    start = _HEADER_BYTES + 4 + 12 * len(tags)
    for name, data in sorted(tags.items()):
        table.append(struct.pack(">4sLL", name, start + len(body), len(data)))
        body += data + bytes(-len(data) % 4)
    header = bytearray(_HEADER_BYTES)
    header[0:4] = struct.pack(">L", start + len(body))
    header[8:24] = profile[8:24]  # version, class, colour space, connection space
    header[36:40] = b"acsp"
    header[64:80] = profile[64:80]  # intent, illuminant
    return bytes(header) + struct.pack(">L", len(tags)) + b"".join(table) + body


def _text(version4: bool) -> bytes:
    return _localized() if version4 else b"text" + bytes(4) + _TEXT + b"\0"


def _description(version4: bool) -> bytes:
    if version4:
        return _localized()
    # textDescriptionType: ASCII, then empty Unicode and ScriptCode parts (ICC.1:2001-04 section 6.5.17)
    return b"desc" + bytes(4) + struct.pack(">L", len(_TEXT) + 1) + _TEXT + b"\0" + bytes(8 + 3 + 67)


def _localized() -> bytes:
    text = _TEXT.decode().encode("utf-16-be")
    return b"mluc" + bytes(4) + struct.pack(">LL2s2sLL", 1, 12, b"en", b"US", len(text), 28) + text
