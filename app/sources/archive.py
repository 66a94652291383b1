"""Going through an archive and the archives in it, within limits, and from any place on.

Used in a worker. Entries have positions that sort in the order in which they come, so that a huge archive is
read in several calls, each of which goes on where the last one stopped.
"""

import io
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import BinaryIO

from app.errors import Reason, UnreadableError
from app.files.archives import HEAD_BYTES, Archive, ArchiveLimits, Member, archive_kind, open_archive

# A member's number in its archive, below the number of that archive in the one around it, and so on.
Position = tuple[int, ...]
START: Position = (0,)
# What stands for an inner archive as a whole: it comes after all of its members.
WHOLE = 1 << 62


@dataclass(frozen=True, slots=True)
class Spent:
    """What was used of the limits before: members, and their inflated bytes."""

    members: int = 0
    size_bytes: int = 0


NOTHING_SPENT = Spent()


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file in an archive, or an inner archive as a whole (``reason`` ARCHIVE, or why it was not read to its
    end).

    Attributes
    ----------
    file
        Open, at its start; good until the next entry is asked for. None where ``reason`` says why.
    reads_forward
        Whether its archive is read through anyway, so that looking at the entry's last byte costs nothing.
    """

    position: Position
    original_members: tuple[str, ...]
    size: int
    file: BinaryIO | None
    reason: Reason | None
    reads_forward: bool = False


def next_position(position: Position) -> Position:
    """The first position after an entry."""
    if position[-1] == WHOLE:
        position = position[:-1]
    return (*position[:-1], position[-1] + 1)


@dataclass(slots=True)
class ArchiveWalk:
    """One call's way through an archive.

    Attributes
    ----------
    start
        Entries before it are passed over.
    lost
        What crashed or hung a worker: a position stands for the first file there (of an inner archive, its
        first member), a position with WHOLE behind it for all that is there, which is not opened at all.
    spent
        Of the limits, by earlier calls and this one.
    """

    limits: ArchiveLimits
    start: Position = START
    lost: dict[Position, Reason] = field(default_factory=dict)
    spent: Spent = NOTHING_SPENT
    _archive_size: int = 0

    def entries(self, file: BinaryIO) -> Generator[ArchiveEntry, None, None]:
        """All entries from ``start`` on; ``file`` is the open archive.

        Raises UnreadableError where the archive is damaged or beyond a limit, after the entries before that.
        """
        self._archive_size = file.seek(0, io.SEEK_END)
        yield from self._walk(file, (), ())

    def _walk(self, file: BinaryIO, names: tuple[str, ...], parent: Position) -> Generator[ArchiveEntry, None, None]:
        file.seek(0)
        kind = archive_kind(file.read(HEAD_BYTES))
        if kind is None:
            raise UnreadableError(Reason.CHANGED_SINCE_SCAN)
        archive = open_archive(file, kind, self.limits)
        for number, member in enumerate(archive.members()):
            position = (*parent, number)
            if position >= self.start[: len(position)]:
                yield from self._visit(archive, member, (*names, member.original_name), position)

    def _visit(
        self, archive: Archive, member: Member, names: tuple[str, ...], position: Position
    ) -> Generator[ArchiveEntry, None, None]:
        if position >= self.start:
            self._spend(member.size or 0)
        reason = member.reason or self.lost.get((*position, WHOLE))
        if reason is not None:
            yield ArchiveEntry(position, names, member.size or 0, None, reason)
            return
        size = member.size or 0
        try:
            file = archive.open(member)
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            kind = archive_kind(file.read(HEAD_BYTES))
        except UnreadableError as error:
            yield ArchiveEntry(position, names, size, None, error.reason)
            return
        lost = self.lost.get(position)
        if kind is None:
            file.seek(0)
            yield ArchiveEntry(position, names, size, None if lost else file, lost, archive.reads_forward)
            return
        if lost is not None:
            self.lost[*position, 0] = lost
        reason = Reason.ARCHIVE_TOO_DEEP
        if len(names) < self.limits.depth:
            reason = Reason.ARCHIVE
            try:
                yield from self._walk(file, names, position)
            except UnreadableError as error:
                reason = error.reason
        yield ArchiveEntry((*position, WHOLE), names, size, None, reason)

    def _spend(self, size: int) -> None:
        self.spent = Spent(self.spent.members + 1, self.spent.size_bytes + size)
        if self.spent.members > self.limits.members:
            raise UnreadableError(Reason.ARCHIVE_TOO_MANY_MEMBERS)
        if self.spent.size_bytes > self.limits.total_bytes:
            raise UnreadableError(Reason.ARCHIVE_TOO_LARGE)
        inflation = self.limits.inflation
        if self.spent.size_bytes > max(inflation.ratio_from_bytes, inflation.ratio * self._archive_size):
            raise UnreadableError(Reason.ARCHIVE_RATIO)
