"""Folders, media and single files on disk."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.errors import Reason, UsageError
from app.files.regular import irregularity, is_link, plain_path, system_folder, system_path
from app.sources.base import Candidate, SetAside, Source, SourceKind
from app.sources.dicomdir import is_dicomdir_name

# Where Windows, macOS and desktops of Linux keep, on a drive, what people have deleted from it; and Windows its own.
_BINS = ("$recycle.bin", "system volume information", ".trashes", ".trash-")


@dataclass(frozen=True, slots=True)
class FileSource:
    """One file, mostly an archive."""

    original_root: str
    kind: SourceKind = SourceKind.FILE

    def walk(self) -> Iterator[Candidate | SetAside]:
        """The file."""
        try:
            yield _look_at(self.original_root, os.lstat(system_path(self.original_root)))
        except OSError:
            yield SetAside(self.original_root, 0, 0, Reason.UNREADABLE_IO)


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder with all that is below it, but for the folder ``left_out`` (the project's own).

    Of a whole drive, what was deleted is not in it either: whoever deletes a patient's images does not want them here.
    """

    original_root: str
    kind: SourceKind
    left_out: str

    def walk(self) -> Iterator[Candidate | SetAside]:
        """Depth first, names in code point order; only the folders on the way down are in memory."""
        open_folders = [self._list(self.original_root)]
        while open_folders:
            found = next(open_folders[-1], None)
            if found is None:
                open_folders.pop()
            elif isinstance(found, str):
                open_folders.append(self._list(found))
            else:
                yield found

    def _list(self, folder: str) -> Iterator[Candidate | SetAside | str]:
        """The entries of one folder; folders in it as their paths."""
        if os.path.normcase(folder) == os.path.normcase(self.left_out):
            return
        try:
            with os.scandir(system_path(folder)) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError:
            yield SetAside(folder, 0, 0, Reason.UNREADABLE_IO)
            return
        for entry in entries:
            path = os.path.join(folder, entry.name)  # noqa: PTH118 - paths of a source are text
            try:
                status = entry.stat(follow_symlinks=False)
                is_folder = entry.is_dir(follow_symlinks=False)
            except OSError:
                yield SetAside(path, 0, 0, Reason.UNREADABLE_IO)
                continue
            if is_folder and folder == self.original_root and entry.name.casefold().startswith(_BINS):
                yield SetAside(path, 0, 0, Reason.DELETED)
                continue
            # Python 3.11 calls a junction a folder.
            yield path if is_folder and not is_link(status) else _look_at(path, status)


def _look_at(path: str, status: os.stat_result) -> Candidate | SetAside:
    reason = irregularity(status)
    if reason is not None:
        return SetAside(path, 0, status.st_mtime_ns, reason)
    return Candidate(path, status.st_size, status.st_mtime_ns)


def open_sources(paths: Sequence[Path], left_out: Path) -> list[Source]:
    """The sources that a person named; one that lies in another is part of that one.

    A DICOMDIR stands for its folder. Raises UsageError("source-not-found", number=…), counted from 1.
    """
    sources: dict[str, Source] = {}
    for number, path in enumerate(paths, start=1):
        try:
            # Not strict: drives that Windows' mount manager does not know, as of some encrypted containers and memory
            # disks, cannot tell a final path.
            resolved = system_folder(path).resolve()
            resolved.stat()
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            raise UsageError("source-not-found", number=number) from error
        source = _open_source(resolved, left_out)
        sources[source.original_root] = source
    folders = [Path(root) for root, source in sources.items() if source.kind is not SourceKind.FILE]
    return [source for root, source in sources.items() if not any(folder in Path(root).parents for folder in folders)]


def _open_source(path: Path, left_out: Path) -> Source:
    if is_dicomdir_name(path.name) and path.is_file():
        path = path.parent
    if not path.is_dir():
        return FileSource(plain_path(str(path)))
    try:
        is_medium = any(is_dicomdir_name(entry.name) for entry in path.iterdir())
    except OSError:
        is_medium = False
    kind = SourceKind.MEDIUM if is_medium else SourceKind.FOLDER
    return FolderSource(plain_path(str(path)), kind, plain_path(str(left_out.resolve())))
