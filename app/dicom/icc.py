"""Rebuilds an ICC profile from its numbers alone: its texts name people, devices, sites and days (ICC.1:2022)."""

import struct

_HEADER_BYTES = 128
_MAX_BYTES = 4 << 20
_MAX_TAGS = 64
# Colorant matrix, curves, tables, white point, adaptation; of these types only, all of them numbers.
_KEPT_TAGS = frozenset(
    (b"rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt bkpt chad A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt lumi D2B0 B2D0").split()
)
_KEPT_TYPES = frozenset((b"XYZ ", b"curv", b"para", b"sf32", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet"))
_TEXT = b"De-identified"


def clean_profile(profile: bytes) -> bytes | None:
    """The same colours under a description of ours; None where it is not a profile that is understood.

    Of the header only size, version, class, colour spaces, intent and illuminant are kept (ICC.1 section 7.2).
    """
    if not _HEADER_BYTES + 4 <= len(profile) <= _MAX_BYTES or profile[36:40] != b"acsp":
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
            tags[name] = data[:4] + bytes(4) + data[8:]
    return _assemble(profile, tags)


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
