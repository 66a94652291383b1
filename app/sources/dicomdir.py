"""DICOMDIR, the table of contents of a medium (PS3.10 section 8, PS3.3 Annex F).

A medium is read as the folder that it is: every file on it is a candidate, whether the DICOMDIR names it or
not. The records serve for one thing only, to count the files that should be there and are not. Records are
taken in the order of the file; their offsets, which can form a circle, are not followed, and no path leads
out of the medium.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

from app.dicom.tokens import (
    DEFAULT_LIMITS,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    Element,
    Encoding,
    Tokenizer,
)
from app.errors import Reason, UnreadableError
from app.files.regular import system_path

LARGEST_BYTES = 64 << 20
META_START = 132
META_GROUP = 0x0002
TRANSFER_SYNTAX_UID = 0x00020010
DIRECTORY_RECORD_SEQUENCE = 0x00041220
RECORD_IN_USE_FLAG = 0x00041410
REFERENCED_FILE_ID = 0x00041500
INACTIVE = b"\0\0"
MOST_COMPONENTS = 8  # PS3.10 section 8.2

_ENCODINGS: dict[bytes, Encoding] = {
    b"1.2.840.10008.1.2": IMPLICIT_LITTLE,
    b"1.2.840.10008.1.2.2": EXPLICIT_BIG,
}


def is_dicomdir_name(name: str) -> bool:
    """Whether a file has the name of a DICOMDIR, in any case, perhaps with ISO 9660's version."""
    return _plain(name) == "dicomdir"


def _plain(name: str) -> str:
    # Without Rock Ridge or Joliet, some systems show "IM0001.;1" for what the DICOMDIR calls IM0001.
    return name.partition(";")[0].rstrip(".").casefold()


def count_missing_files(file: BinaryIO, folder: str) -> int:
    """How many of the files that the records of a DICOMDIR name are not below ``folder``, where it lies.

    A name that leads outside counts as missing and is not looked at. Raises UnreadableError where the
    DICOMDIR is damaged, OSError where it can't be read.
    """
    names: dict[str, dict[str, str]] = {}
    return sum(not _is_there(folder, components, names) for components in _referenced_files(file))


def _referenced_files(file: BinaryIO) -> Iterator[list[str]]:
    for record in _records(file):
        values = {element.tag: element.value for element in record}
        reference = values.get(REFERENCED_FILE_ID)
        if isinstance(reference, bytes) and reference.strip(b" \0") and values.get(RECORD_IN_USE_FLAG) != INACTIVE:
            # CS, so ASCII; what is not will simply not be found.
            yield [part.strip(" \0") for part in reference.decode("latin-1").split("\\")]


def _records(file: BinaryIO) -> tuple[tuple[Element, ...], ...]:
    file.seek(0)
    data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise UnreadableError(Reason.HEADER_TOO_LARGE)
    tokenizer = Tokenizer(data, EXPLICIT_LITTLE, DEFAULT_LIMITS, complete=True)
    meta, _, start = tokenizer.read_dataset(META_START, only_group=META_GROUP)
    syntax = next((element.value for element in meta if element.tag == TRANSFER_SYNTAX_UID), b"")
    encoding = _ENCODINGS.get(syntax.rstrip(b" \0"), EXPLICIT_LITTLE) if isinstance(syntax, bytes) else EXPLICIT_LITTLE
    elements, _, _ = Tokenizer(data, encoding, DEFAULT_LIMITS, complete=True).read_dataset(start)
    value = next((element.value for element in elements if element.tag == DIRECTORY_RECORD_SEQUENCE), ())
    return value if isinstance(value, tuple) else ()


def _is_there(folder: str, components: list[str], names: dict[str, dict[str, str]]) -> bool:
    if len(components) > MOST_COMPONENTS or any(_leads_elsewhere(part) for part in components):
        return False
    for part in components:
        if folder not in names:
            names[folder] = _list_names(folder)
        name = names[folder].get(_plain(part))
        if name is None:
            return False
        folder = os.path.join(folder, name)  # noqa: PTH118 - paths of a source are text
    return True


def _leads_elsewhere(component: str) -> bool:
    return component in ("", ".", "..") or any(character in component for character in "/\\:\0")


def _list_names(folder: str) -> dict[str, str]:
    try:
        return {_plain(name): name for name in os.listdir(system_path(folder))}  # noqa: PTH208 - text paths
    except OSError:
        return {}
