"""Writes a zip file as a stream of stored entries (PKWARE APPNOTE 6.3), the same bytes on every system.

Why not ``zipfile``: for entries announced as large, Python 3.11.2 and 3.11.4 write different bytes, and it
starts with ZIP64 at 2 GiB where the format needs it at 4; it also seeks back for every entry, and tries to
finish an archive that is being given up on a full disk. Reading is left to others, ``zipfile`` among them.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from isal import isal_zlib

HELD_BYTES = 1 << 20  # an entry up to this size is gathered first, and needs no seeking back
# From here on a size or an offset stands in a ZIP64 record, and this value in its place.
ABSENT32 = 0xFFFFFFFF
ABSENT16 = 0xFFFF
# An announced size above this gets room for ZIP64 lengths in the local header.
ANNOUNCED_LARGE_BYTES = ABSENT32 - (16 << 20)

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_VERSION, _VERSION64 = 20, 45
_MADE_ON_UNIX = 3 << 8  # on every system, or the bytes would tell which
_REGULAR_FILE = 0o100644 << 16
_DATE = (1 << 5) | 1  # 1980-01-01, the earliest that a zip can say; time 0


@dataclass(frozen=True, slots=True)
class WrittenEntry:
    """One entry: ``offset`` of its local header; ``size`` in bytes and CRC-32 of its data."""

    name: bytes
    offset: int
    size: int
    crc: int
    is_large: bool


class ZipWriter:
    """Appends entries to an open, seekable file at position 0; ``finish`` makes it a zip.

    Without ``finish`` the file is no zip, which is right for one that was given up.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._entries: list[WrittenEntry] = []
        self._end = 0

    def add(self, name: str, chunks: Iterable[bytes], announced_size: int) -> WrittenEntry:
        """Write one entry.

        ``name`` is ASCII; ``announced_size`` is an upper bound of the size. Raises ValueError where that was
        wrong and the entry is too large for the header that it got; lets every exception of ``chunks`` and of
        the file through.
        """
        raw_name = name.encode("ascii")
        is_large = announced_size > ANNOUNCED_LARGE_BYTES
        held: list[bytes] = []
        size = crc = 0
        is_begun = False
        for chunk in chunks:
            size += len(chunk)
            crc = isal_zlib.crc32(chunk, crc)
            if not is_begun and size > HELD_BYTES:
                self._file.write(_local_header(raw_name, 0, 0, is_large))
                self._file.writelines(held)
                is_begun = True
            if is_begun:
                self._file.write(chunk)
            else:
                held.append(chunk)
        if size >= ABSENT32 and not is_large:
            raise ValueError("the entry is larger than announced")
        header = _local_header(raw_name, size, crc, is_large)
        end = self._end + len(header) + size
        if is_begun:
            self._file.seek(self._end)
            self._file.write(header)
            self._file.seek(end)
        else:
            self._file.write(header)
            self._file.writelines(held)
        entry = WrittenEntry(raw_name, self._end, size, crc, is_large)
        self._entries.append(entry)
        self._end = end
        return entry

    def finish(self) -> None:
        """Write the directory, sorted by name, and the end record."""
        directory = b"".join(_central_header(entry) for entry in sorted(self._entries, key=lambda one: one.name))
        self._file.write(directory)
        self._file.write(_end_records(len(self._entries), len(directory), self._end))


def _local_header(name: bytes, size: int, crc: int, is_large: bool) -> bytes:
    extra = struct.pack("<HHQQ", 1, 16, size, size) if is_large else b""
    version = _VERSION64 if is_large else _VERSION
    shown = ABSENT32 if is_large else size
    fields = (b"PK\3\4", version, 0, 0, 0, _DATE, crc, shown, shown, len(name), len(extra))
    return _LOCAL.pack(*fields) + name + extra


def _central_header(entry: WrittenEntry) -> bytes:
    large: list[int] = []
    if entry.size >= ABSENT32:
        large += (entry.size, entry.size)
    if entry.offset >= ABSENT32:
        large.append(entry.offset)
    extra = struct.pack(f"<HH{len(large)}Q", 1, 8 * len(large), *large) if large else b""
    version = _VERSION64 if large or entry.is_large else _VERSION
    size, offset = min(entry.size, ABSENT32), min(entry.offset, ABSENT32)
    fields = (b"PK\1\2", _MADE_ON_UNIX | version, version, 0, 0, 0, _DATE, entry.crc, size, size)
    return _CENTRAL.pack(*fields, len(entry.name), len(extra), 0, 0, 0, _REGULAR_FILE, offset) + entry.name + extra


def _end_records(count: int, size: int, offset: int) -> bytes:
    records = b""
    if count >= ABSENT16 or size >= ABSENT32 or offset >= ABSENT32:
        record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
        records = record + struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    short_count = min(count, ABSENT16)
    return records + struct.pack(
        "<4s4H2LH",
        b"PK\5\6",
        0,
        0,
        short_count,
        short_count,
        min(size, ABSENT32),
        min(offset, ABSENT32),
        0,
    )
