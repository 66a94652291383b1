"""Reads a zip file of one strict form, and refuses every byte that this form has no place for.

A zip can hide data before, between and behind its entries, in comments and extra fields, and in entries that
only one of its two lists knows. So nothing is searched for here: the file must be local headers and data
without a gap, then the directory, then its end record, each field as expected (PKWARE APPNOTE 6.3, sections
4.3.7 to 4.3.16).
"""

import hashlib
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO

from isal import isal_zlib

CHUNK_BYTES = 1 << 20
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_ABSENT16, _ABSENT32 = 0xFFFF, 0xFFFFFFFF  # the value stands in a ZIP64 record instead
_ZIP64 = 1
_VERSION, _VERSION64 = 20, 45
_DATE, _TIME = (1 << 5) | 1, 0  # 1980-01-01 00:00
_MADE_ON_UNIX = 3
_REGULAR_FILE = 0o100644 << 16
_MAX_DIRECTORY_BYTES = 256 << 20
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+\Z")


class ZipFormError(Exception):
    """The file is not a zip of the strict form; ``code`` is a finding's code, ``entry`` a name where one is
    known.
    """

    def __init__(self, code: str, entry: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.entry = entry


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """One entry as the directory has it; ``offset`` of its local header; ``size`` and ``crc`` of its data;
    ``version`` 20, or 45 where it uses ZIP64."""

    name: str
    offset: int
    size: int
    crc: int
    version: int


class ZipReader:
    """A sequential reader of a strict zip; also of single small entries, in any order.

    ``entries`` stand in the order of the file's bytes. Raises ZipFormError from the constructor and while
    reading.
    """

    def __init__(self, file: FileIO, size: int) -> None:
        """``file`` is open unbuffered, ``size`` its size in bytes."""
        self._file = file
        self._size = size
        self._directory_offset, directory_end, count = self._read_end()
        self.entries = self._read_directory(directory_end, count)
        self._by_name = {entry.name: entry for entry in self.entries}
        self._data_offsets: dict[str, int] = {}
        self._check_tiling()
        self._buffer = memoryview(bytearray(CHUNK_BYTES))
        self._digest = hashlib.sha256()
        self._digested = 0

    def _read(self, offset: int, length: int, code: str, entry: str = "") -> bytes:
        self._file.seek(offset)
        pieces = []
        while length > 0:
            piece = self._file.read(length)
            if not piece:
                raise ZipFormError(code, entry)
            pieces.append(piece)
            length -= len(piece)
        return b"".join(pieces)

    def _read_end(self) -> tuple[int, int, int]:
        """Where the directory starts and ends, and how many entries it has."""
        if self._size < _END.size:
            raise ZipFormError("zip-end")
        end = self._size - _END.size
        signature, disk, first_disk, here, count, size, offset, comment = _END.unpack(
            self._read(end, _END.size, "zip-end")
        )
        if signature != b"PK\5\6" or comment or disk or first_disk or here != count:
            raise ZipFormError("zip-end")
        directory_end = end
        record_offset = end - _LOCATOR64.size - _END64.size
        if record_offset >= 0:
            tail = self._read(record_offset, end - record_offset, "zip-end")
            if tail[_END64.size :][:4] == b"PK\6\7":
                short = (count, size, offset)
                count, size, offset = self._read_end64(tail, record_offset)
                if short != (min(count, _ABSENT16), min(size, _ABSENT32), min(offset, _ABSENT32)):
                    raise ZipFormError("zip-end")
                directory_end = record_offset
        if offset + size != directory_end or size > _MAX_DIRECTORY_BYTES:
            raise ZipFormError("zip-hidden-bytes")
        return offset, directory_end, count

    @staticmethod
    def _read_end64(tail: bytes, record_offset: int) -> tuple[int, int, int]:
        _, disk, at, disks = _LOCATOR64.unpack(tail[_END64.size :])
        signature, length, made, needed, number, first, here, count, size, offset = _END64.unpack(tail[: _END64.size])
        fixed = (signature, length, made, needed, number, first, disk, disks)
        if fixed != (b"PK\6\6", _END64.size - 12, 45, 45, 0, 0, 0, 1) or at != record_offset or here != count:
            raise ZipFormError("zip-end")
        return count, size, offset

    def _read_directory(self, end: int, count: int) -> tuple[ZipEntry, ...]:
        directory = self._read(self._directory_offset, end - self._directory_offset, "zip-directory")
        entries: list[ZipEntry] = []
        position = 0
        last = ""
        while position < len(directory):
            entry, position = _parse_entry(directory, position)
            if entry.name <= last:
                raise ZipFormError("zip-entry-order", entry.name)
            last = entry.name
            entries.append(entry)
        if len(entries) != count:
            raise ZipFormError("zip-directory")
        return tuple(sorted(entries, key=lambda entry: entry.offset))

    def _check_tiling(self) -> None:
        if not self.entries or self.entries[0].offset:
            raise ZipFormError("zip-hidden-bytes")
        ends = [entry.offset for entry in self.entries[1:]] + [self._directory_offset]
        for entry, end in zip(self.entries, ends, strict=True):
            # Only the local header knows how long its own extra field is.
            extra = self._read(entry.offset + _LOCAL.size - 2, 2, "zip-local-header", entry.name)
            start = entry.offset + _LOCAL.size + len(entry.name) + int.from_bytes(extra, "little")
            if start + entry.size != end:
                raise ZipFormError("zip-hidden-bytes", entry.name)
            self._data_offsets[entry.name] = start

    def chunks(self, entry: ZipEntry) -> Iterator[memoryview]:
        """The data of an entry in views of at most 1 MiB, each valid until the next; the checksum is checked
        at the end.

        Call it for all entries in order: the digest of the whole file is taken on the way.
        """
        yield from self._chunks(entry, digest=True)

    def _chunks(self, entry: ZipEntry, *, digest: bool) -> Iterator[memoryview]:
        position = self._data_offsets[entry.name]
        header = self._read(entry.offset, position - entry.offset, "zip-local-header", entry.name)
        _check_local(header, entry)
        if digest:
            self._add(entry.offset, header)
        end = position + entry.size
        crc = 0
        while position < end:
            # The position is set anew because other parts of the file may have been read in between.
            self._file.seek(position)
            length = self._file.readinto(self._buffer[: min(CHUNK_BYTES, end - position)])
            if not length:
                raise ZipFormError("zip-truncated", entry.name)
            view = self._buffer[:length]
            crc = isal_zlib.crc32(view, crc)
            if digest:
                self._add(position, view)
            position += length
            yield view
        if crc != entry.crc:
            raise ZipFormError("zip-checksum", entry.name)

    def _add(self, offset: int, data: bytes | memoryview) -> None:
        if offset != self._digested:
            raise ValueError("entries are read in the order of the file")
        self._digest.update(data)
        self._digested += len(data)

    def read(self, name: str, limit: int) -> bytes | None:
        """The whole of a small entry; None where there is none of the name; raises above ``limit`` bytes."""
        entry = self._by_name.get(name)
        if entry is None:
            return None
        if entry.size > limit:
            raise ZipFormError("entry-too-large", name)
        return b"".join(bytes(view) for view in self._chunks(entry, digest=False))

    def read_at(self, entry: ZipEntry, offset: int, length: int) -> bytes:
        """``length`` bytes from ``offset`` in the data of an entry; fewer at its end."""
        length = min(length, entry.size - offset)
        return self._read(self._data_offsets[entry.name] + offset, length, "zip-truncated", entry.name)

    def whole_digest(self) -> str:
        """SHA-256 of the whole file, in hex, once all entries were read."""
        self._add(
            self._directory_offset,
            self._read(self._directory_offset, self._size - self._directory_offset, "zip-end"),
        )
        return self._digest.hexdigest()


def _parse_entry(directory: bytes, position: int) -> tuple[ZipEntry, int]:
    if len(directory) - position < _CENTRAL.size:
        raise ZipFormError("zip-directory")
    (
        signature,
        made,
        needed,
        flags,
        method,
        time,
        date,
        crc,
        packed,
        size,
        name_length,
        extra_length,
        comment_length,
        disk,
        internal,
        external,
        offset,
    ) = _CENTRAL.unpack_from(directory, position)
    start = position + _CENTRAL.size
    raw_name = directory[start : start + name_length]
    extra = directory[start + name_length : start + name_length + extra_length]
    end = start + name_length + extra_length
    if signature != b"PK\1\2" or end > len(directory):
        raise ZipFormError("zip-directory")
    name = raw_name.decode("ascii", "replace")
    if not _NAME.match(name):
        raise ZipFormError("zip-entry-name")
    fixed = (flags, method, time, date, comment_length, disk, internal, external)
    # The version follows from the local header, which alone knows whether a large entry was announced.
    if fixed != (0, 0, _TIME, _DATE, 0, 0, 0, _REGULAR_FILE) or made != (_MADE_ON_UNIX << 8 | needed):
        raise ZipFormError("zip-entry-field", name)
    size, packed, offset = _large_fields(size, packed, offset, extra, name)
    if packed != size:
        raise ZipFormError("zip-entry-field", name)
    return ZipEntry(name, offset, size, crc, needed), end


def _large_fields(size: int, packed: int, offset: int, extra: bytes, name: str) -> tuple[int, int, int]:
    """Fill in from the ZIP64 extra field, which holds exactly the values that the record says are absent."""
    absent = [value == _ABSENT32 for value in (size, packed, offset)]
    if not any(absent):
        if extra:
            raise ZipFormError("zip-extra-field", name)
        return size, packed, offset
    expected = 8 * sum(absent)
    if len(extra) != 4 + expected or struct.unpack("<HH", extra[:4]) != (_ZIP64, expected):
        raise ZipFormError("zip-extra-field", name)
    large = iter(struct.unpack(f"<{sum(absent)}Q", extra[4:]))
    size, packed, offset = (
        next(large) if is_absent else value for is_absent, value in zip(absent, (size, packed, offset), strict=True)
    )
    return size, packed, offset


def _check_local(header: bytes, entry: ZipEntry) -> None:
    """Compare a local header with the directory; it ends with the name and perhaps a ZIP64 field."""
    (signature, needed, flags, method, time, date, crc, packed, size, name_length, extra_length) = _LOCAL.unpack_from(
        header
    )
    name = header[_LOCAL.size : _LOCAL.size + name_length]
    extra = header[_LOCAL.size + name_length :]
    large = extra == struct.pack("<HHQQ", _ZIP64, 16, entry.size, entry.size)
    if extra and not large:
        raise ZipFormError("zip-extra-field", entry.name)
    shown_size = _ABSENT32 if large else entry.size
    version = _VERSION64 if large else _VERSION
    fixed = (signature, needed, flags, method, time, date, crc, packed, size, extra_length)
    if fixed != (b"PK\3\4", version, 0, 0, _TIME, _DATE, entry.crc, shown_size, shown_size, len(extra)):
        raise ZipFormError("zip-local-header", entry.name)
    directory_version = _VERSION64 if large or entry.offset >= _ABSENT32 else _VERSION
    if name != entry.name.encode("ascii") or entry.version != directory_version:
        raise ZipFormError("zip-local-header", entry.name)
