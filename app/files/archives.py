"""Archives as lists of members that can be opened one by one, in place: zip, tar, and gzip, bzip2 and xz
files.

The bytes decide what an archive is, not its name; Office documents and JAR files are zips without images in
them. A member that must not or cannot be opened carries its reason. Nothing is ever written to disk.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from typing import BinaryIO, Protocol, assert_never

from app.errors import Reason, UnreadableError
from app.files.streams import MAGIC, Codec, InflationLimits, open_inflated, open_slice
from app.files.tars import is_tar_header, read_tar_members
from app.files.zips import find_data, read_zip_members

HEAD_BYTES = 512
# The one member of a file that is compressed, but is not a tar.
CONTENT = "content"


class ArchiveKind(StrEnum):
    """What an archive is by its first bytes; COMPRESSED is a tar or a single file."""

    ZIP = "zip"
    TAR = "tar"
    COMPRESSED = "compressed"
    UNSUPPORTED = "unsupported"


_ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")  # a member, an empty zip, a part of a split one
_UNSUPPORTED_MAGICS = (
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",
    b"MSCF\0\0\0\0",
    b"\x1f\x9d",
)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """What an archive may cost; beyond it, the rest of it is set aside.

    Attributes
    ----------
    depth
        Archives within archives.
    members
        Files in an archive and all archives within it.
    member_bytes, total_bytes
        Inflated size of one member, and of all of them.
    inflation
        How far a compressed stream may grow.
    """

    depth: int = 3
    members: int = 200_000
    member_bytes: int = 16 << 30
    total_bytes: int = 1 << 40
    inflation: InflationLimits = field(default_factory=InflationLimits)

    def refuse_size(self, size: int, stored: int) -> Reason | None:
        """Why something that takes ``stored`` bytes may not have ``size`` bytes when inflated; None where it
        may.
        """
        if size > self.member_bytes:
            return Reason.ARCHIVE_TOO_LARGE
        if size > self.inflation.ratio_from_bytes and size > self.inflation.ratio * stored:
            return Reason.ARCHIVE_RATIO
        return None


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive.

    Attributes
    ----------
    original_name
        As the archive spells it. Where a name comes again, the later one has a NUL and its number behind it:
        an archive may hold two files of one name, and both are candidates.
    size
        Inflated, in bytes; None where only inflating tells.
    offset, stored, codec, crc
        Where it lies and how; ``codec`` None is uncompressed.
    reason
        Why it can't be opened; None where it can.
    """

    original_name: str
    size: int | None
    offset: int = 0
    stored: int = 0
    codec: Codec | None = None
    crc: int | None = None
    reason: Reason | None = None


class Archive(Protocol):
    """An archive that is open; what it reads from stays in the hands of whoever opened it."""

    @property
    def reads_forward(self) -> bool:
        """Whether going through the members reads all bytes of the archive anyway."""

    def members(self) -> Iterator[Member]:
        """All files, in the archive's order, folders left out; raises UnreadableError at damage, after what
        is before.
        """

    def open(self, member: Member) -> BinaryIO:
        """A seekable file; raises UnreadableError, and so does reading it. Good for as long as the archive
        is.
        """


def archive_kind(head: bytes) -> ArchiveKind | None:
    """What ``HEAD_BYTES`` from a file's start show; None where it is no archive, or DICOM whatever its
    preamble says.
    """
    if head[128:132] == b"DICM":
        return None
    if head.startswith(_ZIP_MAGICS):
        return ArchiveKind.ZIP
    if _codec(head) is not None:
        return ArchiveKind.COMPRESSED
    if is_tar_header(head):
        return ArchiveKind.TAR
    if head.startswith(_UNSUPPORTED_MAGICS):
        return ArchiveKind.UNSUPPORTED
    return None


def _codec(head: bytes) -> Codec | None:
    for codec, magic in MAGIC.items():
        if head.startswith(magic) and (codec is not Codec.BZIP2 or head[4:10] in (b"1AY&SY", b"\x17rE8P\x90")):
            return codec
    return None


def open_archive(file: BinaryIO, kind: ArchiveKind, limits: ArchiveLimits) -> Archive:
    """Open the archive that ``file`` is.

    Raises UnreadableError: ARCHIVE_DAMAGED, ARCHIVE_UNSUPPORTED, or a limit's reason.
    """
    match kind:
        case ArchiveKind.ZIP:
            return _Zip(file, limits)
        case ArchiveKind.TAR:
            return _Tar(file, limits)
        case ArchiveKind.COMPRESSED:
            return _open_compressed(file, limits)
        case ArchiveKind.UNSUPPORTED:
            raise UnreadableError(Reason.ARCHIVE_UNSUPPORTED)
        case _:
            assert_never(kind)


def _open_compressed(file: BinaryIO, limits: ArchiveLimits) -> Archive:
    file.seek(0)
    codec = _codec(file.read(HEAD_BYTES))
    if codec is None:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    content = open_inflated(file, codec, limits=limits.inflation)
    if is_tar_header(content.read(HEAD_BYTES)):
        return _Tar(content, limits)
    return _Single(content)


class _NameCounter:
    """Counts how often a name came, for ``Member.original_name``."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def unique(self, name: str) -> str:
        if name in self._seen:
            name = next(f"{name}\0{number}" for number in count(2) if f"{name}\0{number}" not in self._seen)
        self._seen.add(name)
        return name


class _Zip:
    reads_forward = False

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._file, self._limits = file, limits

    def members(self) -> Iterator[Member]:
        names = _NameCounter()
        for entry in read_zip_members(self._file):
            reason = entry.reason or self._limits.refuse_size(entry.size, entry.stored)
            codec = Codec.DEFLATE if entry.is_deflated else None
            name = names.unique(entry.name)
            yield Member(name, entry.size, entry.header_offset, entry.stored, codec, entry.crc, reason)

    def open(self, member: Member) -> BinaryIO:
        if member.reason is not None or member.size is None:
            raise UnreadableError(member.reason or Reason.ARCHIVE_DAMAGED)
        start = find_data(self._file, member.offset)
        if member.codec is None:
            return open_slice(self._file, start, member.size, member.crc)
        return open_inflated(
            self._file,
            member.codec,
            start=start,
            length=member.stored,
            size=member.size,
            crc=member.crc,
            limits=self._limits.inflation,
        )


class _Tar:
    reads_forward = True

    def __init__(self, file: BinaryIO, limits: ArchiveLimits) -> None:
        self._file, self._limits = file, limits

    def members(self) -> Iterator[Member]:
        names = _NameCounter()
        for entry in read_tar_members(self._file):
            reason = entry.reason or self._limits.refuse_size(entry.size, entry.size)
            yield Member(names.unique(entry.name), entry.size, entry.offset, entry.size, reason=reason)

    def open(self, member: Member) -> BinaryIO:
        if member.reason is not None or member.size is None:
            raise UnreadableError(member.reason or Reason.ARCHIVE_DAMAGED)
        return open_slice(self._file, member.offset, member.size)


class _Single:
    reads_forward = True

    def __init__(self, content: BinaryIO) -> None:
        self._content = content

    def members(self) -> Iterator[Member]:
        yield Member(CONTENT, None)

    def open(self, member: Member) -> BinaryIO:  # noqa: ARG002 - there is one only
        # A file of its own over the same content: closing it leaves the archive open.
        size = self._content.seek(0, io.SEEK_END)
        return open_slice(self._content, 0, size)
