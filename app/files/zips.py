"""The directory of a zip file, read one entry at a time (PKWARE APPNOTE 6.3.10, sections 4.3 and 4.4).

Not ``zipfile``: that one reads the whole directory into memory before anybody can say that it is too long,
and inflates bzip2 members without a bound.
"""

import io
import stat
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.errors import Reason, UnreadableError
from app.files.names import escapes
from app.files.streams import open_slice

_END = struct.Struct("<4s4H2LH")
_END_64_LOCATOR = struct.Struct("<4sLQL")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT = 0xFFFF
_UNKNOWN_32 = 0xFFFFFFFF
STORED, DEFLATED = 0, 8
MADE_BY_UNIX = 3
FLAG_ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # the member, strongly, the directory
FLAG_UTF8 = 0x0800


@dataclass(frozen=True, slots=True)
class ZipEntry:
    """A file of the directory; sizes and offsets in bytes."""

    name: str
    size: int
    stored: int
    header_offset: int
    is_deflated: bool
    crc: int
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class _Directory:
    start: int
    length: int
    prefix: int  # bytes before the zip itself, as in a self-extracting one


def read_zip_members(file: BinaryIO) -> Iterator[ZipEntry]:
    """The files of a zip in the directory's order; raises UnreadableError(ARCHIVE_DAMAGED) where it is not
    sound.
    """
    try:
        directory = _find_directory(file)
        reader = open_slice(file, directory.start, directory.length)
        left = directory.length
        while left > 0:
            fixed = _ENTRY.unpack(reader.read(_ENTRY.size))
            if fixed[0] != b"PK\x01\x02":
                raise UnreadableError(Reason.ARCHIVE_DAMAGED)
            name, extra, comment = (reader.read(length) for length in fixed[10:13])
            left -= _ENTRY.size + len(name) + len(extra) + len(comment)
            entry = _entry(fixed, name, extra, directory.prefix)
            if entry is not None:
                yield entry
    except struct.error:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED) from None


def _find_directory(file: BinaryIO) -> _Directory:
    size = file.seek(0, io.SEEK_END)
    tail_start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(tail_start)
    tail = file.read(size - tail_start)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    _, disk, _, _, _, length, offset, _ = _END.unpack_from(tail, found)
    end = tail_start + found
    if _UNKNOWN_32 in (length, offset) or disk == 0xFFFF or _has_locator(file, end):
        end, disk, length, offset = _find_directory_64(file, end)
    prefix = end - length - offset
    if disk != 0 or prefix < 0:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    return _Directory(offset + prefix, length, prefix)


def _has_locator(file: BinaryIO, end: int) -> bool:
    file.seek(max(0, end - _END_64_LOCATOR.size))
    return file.read(4) == b"PK\x06\x07"


def _find_directory_64(file: BinaryIO, end: int) -> tuple[int, int, int, int]:
    file.seek(max(0, end - _END_64_LOCATOR.size))
    signature, _, position, _ = _END_64_LOCATOR.unpack(file.read(_END_64_LOCATOR.size))
    if signature != b"PK\x06\x07" or position > end:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    # The locator counts from the zip's own start; the record right before the locator is the one in a
    # prefixed zip.
    for place in (position, max(0, end - _END_64_LOCATOR.size - _END_64.size)):
        file.seek(place)
        signature, _, _, _, disk, _, _, _, length, offset = _END_64.unpack(file.read(_END_64.size))
        if signature == b"PK\x06\x06":
            return place, disk, length, offset
    raise UnreadableError(Reason.ARCHIVE_DAMAGED)


def _entry(fixed: tuple[int, ...], raw_name: bytes, extra: bytes, prefix: int) -> ZipEntry | None:
    _, made_by, _, flags, method, _, _, crc, stored, size, *_, attributes, offset = fixed
    raw_name = raw_name.partition(b"\0")[0]
    # Every byte is a character of cp437, so a wrong guess still gives one name, and the same one each time.
    name = raw_name.decode("utf-8", "surrogateescape") if flags & FLAG_UTF8 else raw_name.decode("cp437")
    if name.endswith(("/", "\\")):
        return None
    size, stored, offset = _extend_64(extra, size, stored, offset)
    reason = None
    mode = attributes >> 16
    if escapes(name):
        reason = Reason.MEMBER_PATH_ESCAPES
    elif made_by >> 8 == MADE_BY_UNIX and stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        reason = Reason.MEMBER_NOT_A_FILE
    elif flags & FLAG_ENCRYPTED:
        reason = Reason.ARCHIVE_ENCRYPTED
    elif method not in (STORED, DEFLATED):
        reason = Reason.ARCHIVE_UNSUPPORTED
    elif method == STORED and size != stored:
        reason = Reason.ARCHIVE_DAMAGED
    return ZipEntry(name, size, stored, offset + prefix, method == DEFLATED, crc, reason)


def _extend_64(extra: bytes, size: int, stored: int, offset: int) -> tuple[int, int, int]:
    """The three values, each from the zip64 field where the entry has no room for it (section 4.5.3)."""
    values = [size, stored, offset]
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            field = extra[place + 4 : place + 4 + length]
            for index, value in enumerate(values):
                if value == _UNKNOWN_32:
                    (values[index],) = struct.unpack_from("<Q", field)
                    field = field[8:]
        place += 4 + length
    return values[0], values[1], values[2]


def find_data(file: BinaryIO, header_offset: int) -> int:
    """Where a member's bytes begin; raises UnreadableError where there is no member."""
    if header_offset >= file.seek(0, io.SEEK_END):
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    file.seek(header_offset)
    header = file.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    *_, name_length, extra_length = _LOCAL.unpack(header)
    return header_offset + _LOCAL.size + int(name_length) + int(extra_length)
