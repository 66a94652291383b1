"""Where a file lies: a path on disk, or a member inside (nested) archives; and opening it there."""

import json
from collections import OrderedDict
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO

from app.errors import Reason, UnreadableError
from app.files.archives import HEAD_BYTES, Archive, ArchiveLimits, Member, archive_kind, open_archive
from app.files.regular import open_regular

ARCHIVES_KEPT = 4


@dataclass(frozen=True, slots=True, order=True)
class Locator:
    """An absolute path, and the names to follow inside archives; ``members`` is empty for a plain file.

    Both parts may hold PHI (file names often do): a locator is never logged and never names anything in a
    bundle.
    """

    original_path: str
    original_members: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The form that the catalogue stores."""
        return json.dumps([self.original_path, *self.original_members], ensure_ascii=True)

    @classmethod
    def from_text(cls, text: str) -> "Locator":
        """The inverse of ``to_text``."""
        path, *members = json.loads(text)
        return cls(path, tuple(members))


class _Listing:
    """An open archive whose members are found by name; it is read no further than the name that was asked
    for.
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._unread = archive.members()
        self._by_name: dict[str, Member] = {}

    def open(self, name: str) -> BinaryIO:
        while name not in self._by_name:
            member = next(self._unread, None)
            if member is None:
                raise UnreadableError(Reason.VANISHED)
            self._by_name[member.original_name] = member
        return self._archive.open(self._by_name[name])


class _OpenFile:
    """A file on disk with the archives in it that were opened."""

    def __init__(self, path: str) -> None:
        self.file = open_regular(path)
        self.listings: OrderedDict[tuple[str, ...], _Listing] = OrderedDict()


class ArchiveCache(AbstractContextManager["ArchiveCache"]):
    """Keeps the archives open that were used last, so that going through the members of one reads it once.

    One for each worker. A stream of a member is good until ``ARCHIVES_KEPT`` other archives were opened.
    """

    def __init__(self, limits: ArchiveLimits | None = None) -> None:
        self._limits = limits or ArchiveLimits()
        self._files: OrderedDict[str, _OpenFile] = OrderedDict()

    def open_member(self, path: str, members: tuple[str, ...]) -> BinaryIO:
        """A member of the archive at ``path``; raises UnreadableError."""
        if len(members) > self._limits.depth:
            raise UnreadableError(Reason.ARCHIVE_TOO_DEEP)
        opened = self._files.get(path)
        if opened is None:
            opened = self._files[path] = _OpenFile(path)
        self._files.move_to_end(path)
        while len(self._files) > ARCHIVES_KEPT:
            self._files.popitem(last=False)[1].file.close()
        return self._listing(opened, members[:-1]).open(members[-1])

    def _listing(self, opened: _OpenFile, members: tuple[str, ...]) -> _Listing:
        listing = opened.listings.get(members)
        if listing is None:
            file = self._listing(opened, members[:-1]).open(members[-1]) if members else opened.file
            file.seek(0)
            kind = archive_kind(file.read(HEAD_BYTES))
            if kind is None:
                raise UnreadableError(Reason.CHANGED_SINCE_SCAN)
            listing = opened.listings[members] = _Listing(open_archive(file, kind, self._limits))
        opened.listings.move_to_end(members)
        while len(opened.listings) > ARCHIVES_KEPT:
            opened.listings.popitem(last=False)
        return listing

    def close(self) -> None:
        """Close everything; the cache can be used again."""
        while self._files:
            self._files.popitem()[1].file.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_locator(locator: Locator, cache: ArchiveCache) -> BinaryIO:
    """Open a file for reading, wherever it lies; seekable.

    Raises
    ------
    UnreadableError
        The file is gone, is no regular file, or its archive is damaged or beyond a limit. Reading a member
        raises it too, where its bytes turn out to be damaged (a plain file raises OSError).
    """
    if not locator.original_members:
        return open_regular(locator.original_path)
    return cache.open_member(locator.original_path, locator.original_members)
