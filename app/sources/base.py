"""What a source gives: files to read, and entries that are set aside without being opened."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.errors import Reason


class SourceKind(StrEnum):
    """What a person named as a source."""

    FOLDER = "folder"
    MEDIUM = "medium"  # a folder with a DICOMDIR in it
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A regular file on disk, whatever its name; size in bytes. An archive is one candidate."""

    original_path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """A link, a pipe, a device, or a folder that can't be listed."""

    original_path: str
    size: int
    mtime_ns: int
    reason: Reason


class Source(Protocol):
    """A place with files."""

    @property
    def kind(self) -> SourceKind:
        """What it is."""

    @property
    def original_root(self) -> str:
        """The absolute path that a person named; every path of ``walk`` is this one or below it."""

    def walk(self) -> Iterator[Candidate | SetAside]:
        """Everything in it, in an order that depends on names only; raises nothing."""
