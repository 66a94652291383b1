"""What runs in a worker: opening files, reading headers, hashing. No database; everything returned is plain
data.

A task is one item of the pump. It stops by itself after ``TASK_SECONDS`` and returns what is left, so that a
batch that takes longer than that by much is known to hang.
"""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePath, PureWindowsPath
from typing import BinaryIO, assert_never

from app.catalog.attributes import instance_number, patient_key
from app.catalog.geometry import acquired_s, frame_positions_mm, pixel_fault, slice_position_mm, volume_key
from app.catalog.repeats import Repeats
from app.dicom.reading import Header, read_header
from app.dicom.runs import HeaderMemory
from app.errors import Reason, UnreadableError
from app.files.archives import HEAD_BYTES, ArchiveLimits, archive_kind
from app.files.locator import ArchiveCache, Locator, open_locator
from app.files.regular import open_regular
from app.sources.archive import NOTHING_SPENT, START, ArchiveEntry, ArchiveWalk, Position, Spent, next_position
from app.sources.base import Candidate
from app.sources.dicomdir import count_missing_files, is_dicomdir_name

# Twice what PS3.5 section 9.1 allows: writers go beyond it.
MAX_ORIGINAL_UID_LENGTH = 128

TASK_SECONDS = 20.0
HASH_BYTES = 1 << 20

INSTANCE, SKIPPED, UNREADABLE = "instance", "skipped", "unreadable"
# Reasons that say what a file is; all others say that it can't be trusted.
_NOT_IMAGING = frozenset(
    (
        Reason.NOT_DICOM,
        Reason.EMPTY_FILE,
        Reason.DICOMDIR,
        Reason.ARCHIVE,
        Reason.NOT_A_REGULAR_FILE,
        Reason.LINK,
        Reason.DELETED,
        Reason.MEMBER_PATH_ESCAPES,
        Reason.MEMBER_NOT_A_FILE,
    )
)


@dataclass(frozen=True, slots=True)
class InstanceRecord:
    """What the catalogue keeps of an instance; names as in its tables."""

    original_patient_key: str
    original_study_uid: str
    original_series_uid: str
    original_sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    slice_position_mm: float | None
    volume_key: str
    acquired_s: float | None
    frame_positions_mm: str | None  # JSON
    pixel_fault: Reason | None
    original_attributes: str  # JSON
    original_identities: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FileRecord:
    """One file or member; ``instance`` where it is one, else ``reason``.

    ``original_series`` are the study and series UID of a file that can't be used although its header was read.
    """

    original_locator: str
    size: int
    mtime_ns: int
    reason: Reason | None
    instance: InstanceRecord | None = None
    original_series: tuple[str, str] | None = None

    @property
    def verdict(self) -> str:
        """The word of the files table."""
        if self.reason is None:
            return INSTANCE
        return SKIPPED if self.reason in _NOT_IMAGING else UNREADABLE


@dataclass(frozen=True, slots=True)
class FilesTask:
    """Files on disk to read; ``source_id`` is for whoever gave the task."""

    source_id: int
    files: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class FilesRead:
    """``archives`` were found among the files and wait for an ArchiveTask; ``left`` were not read for lack of
    time.
    """

    records: tuple[FileRecord, ...]
    archives: tuple[Candidate, ...]
    left: tuple[Candidate, ...]
    missing_files: int  # named by a DICOMDIR, and not on its medium


@dataclass(frozen=True, slots=True)
class ArchiveTask:
    """At most ``steps`` entries of an archive from ``start`` on; see ``sources.archive.ArchiveWalk``."""

    source_id: int
    file: Candidate
    steps: int
    start: Position = START
    spent: Spent = NOTHING_SPENT
    lost: tuple[tuple[Position, Reason], ...] = ()


@dataclass(frozen=True, slots=True)
class ArchiveRead:
    """``next_start`` is None at the end, and ``reason`` then says ARCHIVE, or why the archive was not read to
    its end.
    """

    records: tuple[FileRecord, ...]
    next_start: Position | None
    spent: Spent
    reason: Reason = Reason.ARCHIVE


Task = FilesTask | ArchiveTask


def read_tasks(limits: ArchiveLimits, tasks: tuple[Task, ...]) -> tuple[FilesRead | ArchiveRead, ...]:
    """Do the tasks; what can't be read becomes a record with its reason."""
    return tuple(_read_task(limits, task) for task in tasks)


def _read_task(limits: ArchiveLimits, task: Task) -> FilesRead | ArchiveRead:
    match task:
        case FilesTask():
            return _read_files(task)
        case ArchiveTask():
            return _read_archive(task, limits)
        case _:
            assert_never(task)


def _read_files(task: FilesTask) -> FilesRead:
    deadline = time.monotonic() + TASK_SECONDS
    records: list[FileRecord] = []
    archives: list[Candidate] = []
    missing_files = 0
    repeats, memory = Repeats(), HeaderMemory()
    for done, candidate in enumerate(task.files):
        if done and time.monotonic() > deadline:
            return FilesRead(tuple(records), tuple(archives), task.files[done:], missing_files)
        locator = Locator(candidate.original_path).to_text()
        instance, series, looked_at = None, None, candidate
        try:
            with open_regular(candidate.original_path) as file:
                looked_at = _as_opened(candidate, file)
                is_archive = archive_kind(file.read(HEAD_BYTES)) is not None
                if is_archive:
                    archives.append(looked_at)
                    continue
                instance, reason = _read_instance(file, candidate.original_path, repeats, memory)
                series = _series_of_damaged(file, reason)
                if reason is Reason.DICOMDIR:
                    missing_files += _missing_files(file, candidate.original_path)
        except UnreadableError as error:
            reason = error.reason
        except OSError:
            reason = Reason.UNREADABLE_IO
        records.append(FileRecord(locator, looked_at.size, looked_at.mtime_ns, reason, instance, series))
    return FilesRead(tuple(records), tuple(archives), (), missing_files)


def _as_opened(candidate: Candidate, file: BinaryIO) -> Candidate:
    """Size and time as the file itself tells them, for that is what an export compares with.

    A folder's listing may lag behind: NTFS updates it for the name that a file was written under, and late.
    """
    status = os.fstat(file.fileno())
    return Candidate(candidate.original_path, status.st_size, status.st_mtime_ns)


def _missing_files(file: BinaryIO, path: str) -> int:
    if not is_dicomdir_name(PurePath(path).name):
        return 0  # a copy that was put aside: its files are elsewhere
    try:
        return count_missing_files(file, str(PurePath(path).parent))
    except UnreadableError:
        return 0


def _read_archive(task: ArchiveTask, limits: ArchiveLimits) -> ArchiveRead:
    began = time.monotonic()
    records: list[FileRecord] = []
    repeats, memory = Repeats(), HeaderMemory()
    walk = ArchiveWalk(limits, task.start, dict(task.lost), task.spent)
    deadline = None
    try:
        with open_regular(task.file.original_path) as file, closing(walk.entries(file)) as entries:
            for entry in entries:
                now = time.monotonic()
                # Getting to the start of a compressed stream's rest costs as much as what was read before:
                # the time to go on grows with it, so that all calls together read the stream a few times
                # only.
                deadline = deadline or now + max(TASK_SECONDS, 3 * (now - began))
                records.append(_read_entry(entry, task.file, repeats, memory))
                if len(records) >= task.steps or now > deadline:
                    return ArchiveRead(tuple(records), next_position(entry.position), walk.spent)
    except UnreadableError as error:
        return ArchiveRead(tuple(records), None, walk.spent, error.reason)
    except OSError:
        return ArchiveRead(tuple(records), None, walk.spent, Reason.UNREADABLE_IO)
    return ArchiveRead(tuple(records), None, walk.spent)


def _read_entry(entry: ArchiveEntry, archive: Candidate, repeats: Repeats, memory: HeaderMemory) -> FileRecord:
    locator = Locator(archive.original_path, entry.original_members).to_text()
    instance, reason, series = None, entry.reason, None
    if entry.file is not None:
        try:
            instance, reason = _read_instance(entry.file, entry.original_members[-1], repeats, memory)
            series = _series_of_damaged(entry.file, reason)
            if entry.reads_forward and entry.size:
                # The next member lies behind this one's last byte, so whether this one is whole costs
                # nothing.
                entry.file.seek(entry.size - 1)
                entry.file.read(1)
        except UnreadableError as error:
            instance, reason = None, error.reason
    return FileRecord(locator, entry.size, archive.mtime_ns, reason, instance, series)


def _read_instance(
    file: BinaryIO, name: str, repeats: Repeats, memory: HeaderMemory
) -> tuple[InstanceRecord | None, Reason | None]:
    """The record of an instance, or why there is none; raises OSError."""
    file.seek(0)
    try:
        header = read_header(file, memory=memory)
        return _instance(header, pixel_fault(file, header), repeats), None
    except UnreadableError as error:
        # A DICOMDIR that can't be read is still no image.
        if error.reason is not Reason.EMPTY_FILE and is_dicomdir_name(PureWindowsPath(name).name):
            return None, Reason.DICOMDIR
        return None, error.reason


def _series_of_damaged(file: BinaryIO, reason: Reason | None) -> tuple[str, str] | None:
    """Study and series UID of a file whose pixels are cut short, so that its series can be told what it lacks."""
    if reason is not Reason.TRUNCATED_PIXELS:
        return None
    try:
        header = read_header(file, whole_pixels=False)
        return _uid(header, 0x0020000D), _uid(header, 0x0020000E)
    except UnreadableError:
        return None


def _instance(header: Header, fault: Reason | None, repeats: Repeats) -> InstanceRecord:
    study_uid, series_uid = _uid(header, 0x0020000D), _uid(header, 0x0020000E)
    return InstanceRecord(
        original_patient_key=patient_key(header, study_uid),
        original_study_uid=study_uid,
        original_series_uid=series_uid,
        original_sop_instance_uid=_uid(header, 0x00080018),
        sop_class_uid=_uid(header, 0x00080016),
        transfer_syntax_uid=header.transfer_syntax_uid,
        instance_number=instance_number(header),
        slice_position_mm=slice_position_mm(header),
        volume_key=volume_key(header),
        acquired_s=acquired_s(header),
        frame_positions_mm=frame_positions_mm(header),
        pixel_fault=fault,
        original_attributes=repeats.attributes(header),
        original_identities=repeats.identities(header),
    )


def _uid(header: Header, tag: int) -> str:
    uid = header.text(tag).strip()
    if not uid:
        raise UnreadableError(Reason.MISSING_UID)
    # Too long, or letters in it: still one of a kind, and nothing of it leaves. What could break a key is refused.
    if len(uid) > MAX_ORIGINAL_UID_LENGTH or not (uid.isascii() and uid.isprintable()) or "\\" in uid:
        raise UnreadableError(Reason.BAD_UID)
    return uid


@dataclass(frozen=True, slots=True)
class HashTask:
    """Files whose bytes are to be compared: (id of the files row, locator), in the order of locators."""

    files: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """SHA-256 of a whole file, or why it could not be read to its end."""

    file_id: int
    sha256: bytes | Reason


def hash_tasks(limits: ArchiveLimits, tasks: tuple[HashTask, ...]) -> tuple[Digest, ...]:
    """Hash all files of the tasks."""
    with ArchiveCache(limits) as cache:
        return tuple(Digest(file_id, _hash(locator, cache)) for task in tasks for file_id, locator in task.files)


def _hash(locator: str, cache: ArchiveCache) -> bytes | Reason:
    digest = hashlib.sha256()
    try:
        with open_locator(Locator.from_text(locator), cache) as file:
            for chunk in _chunks(file):
                digest.update(chunk)
    except UnreadableError as error:
        return error.reason
    except OSError:
        return Reason.UNREADABLE_IO
    return digest.digest()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(HASH_BYTES):
        yield chunk
