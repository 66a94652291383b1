"""What the separate reader is told about a part, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass

Fault = tuple[str, str]
"""The code of a finding and the file of the part that it is about, for those who don't know which part it is."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be so.

    ``part`` is a zip's file name, ``entry`` the name of a file in it (without the base folder), ``path`` a
    place in a DICOM header; both '' where the finding is about more. Each of them is a released name, no PHI.
    """

    code: str
    part: str
    entry: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the writer of a part took on the way from the source, by name within the bag: SHA-256 and CRC-32 of whole
    instances, SHA-256 of their pixels and of the bag's own files.
    """

    payload: Mapping[str, str]
    checksums: Mapping[str, int]
    pixels: Mapping[str, str]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PartReport:
    """What a part is, as far as it could be read. ``size`` in bytes; ``shared`` are digests of what all parts
    repeat.
    """

    name: str
    size: int
    sha256: str
    group: str
    number: int
    count: int
    instances: int
    shared: tuple[str, ...]
    unattended: bool
    findings: tuple[Finding, ...]
