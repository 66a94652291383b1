"""The members of a tar file, read one header at a time (POSIX.1-2017 pax, ustar; GNU long names).

Not ``tarfile``: that one reads a pax header of any declared size into memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from app.errors import Reason, UnreadableError
from app.files.names import escapes

BLOCK = 512
# A path, a link's target, or a few extended attributes; what is longer is not a name.
LONGEST_EXTENSION = 1 << 20
# No file is larger; places beyond would be refused by the operating system, each in its own way.
LARGEST_MEMBER = 8 << 40
_FILES = frozenset((b"0", b"\0", b"7"))
_WITHOUT_DATA = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))
_FOLDER, _SPARSE = b"5", b"S"
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"


@dataclass(frozen=True, slots=True)
class TarEntry:
    """A member that is no folder; size and offset of its data in bytes."""

    name: str
    size: int
    offset: int
    reason: Reason | None


@dataclass(slots=True)
class _Extensions:
    """What extended headers say about the member that follows them."""

    name: str | None = None
    size: int | None = None
    is_sparse: bool = False


def is_tar_header(block: bytes) -> bool:
    """Whether 512 bytes are a header: the magic of ustar or GNU, and the checksum."""
    return len(block) >= BLOCK and block[257:262] == b"ustar" and _checksum_holds(block[:BLOCK])


def _checksum_holds(block: bytes) -> bool:
    try:
        declared = _number(block[148:156])
    except UnreadableError:
        return False
    blank = block[:148] + b" " * 8 + block[156:]
    # Some old writers summed signed characters.
    return declared in (sum(blank), sum(byte - 256 if byte > 127 else byte for byte in blank))


def _number(field: bytes) -> int:
    """Octal text, or base 256 where the highest bit is set (GNU)."""
    if field[0] & 0x80:
        value = int.from_bytes(bytes((field[0] & 0x7F,)) + field[1:], "big")
        if field[0] & 0x40:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)  # negative
        return value
    digits = field.partition(b"\0")[0].strip(b" ")
    if digits and not all(0x30 <= digit <= 0x37 for digit in digits):
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    return int(digits or b"0", 8)


def read_tar_members(file: BinaryIO) -> Iterator[TarEntry]:
    """The members in order, going forward through ``file``.

    Raises UnreadableError(ARCHIVE_DAMAGED) at a broken header, and where the file ends without the zero block
    that ends every tar: it was cut then.
    """
    position = 0
    extensions = _Extensions()
    while True:
        file.seek(position)
        block = file.read(BLOCK)
        if len(block) < BLOCK:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        if not any(block):
            return
        if not _checksum_holds(block):
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        kind = block[156:157]
        size = _number(block[124:136])
        position += BLOCK
        if kind in (_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL):
            _read_extension(file, kind, size, extensions)
            position += _padded(size)
            continue
        if kind == _SPARSE:
            position = _skip_sparse_map(file, block, position)
        size = size if extensions.size is None else extensions.size
        if size > LARGEST_MEMBER:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        name = extensions.name if extensions.name is not None else _name(block)
        if not _is_folder(kind, name):
            yield TarEntry(name, size, position, _reason(kind, name, extensions))
        if kind not in _WITHOUT_DATA:
            position += _padded(size)
        extensions = _Extensions()


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _is_folder(kind: bytes, name: str) -> bool:
    return kind == _FOLDER or (kind == b"\0" and name.endswith("/"))


def _reason(kind: bytes, name: str, extensions: _Extensions) -> Reason | None:
    if escapes(name):
        return Reason.MEMBER_PATH_ESCAPES
    if kind == _SPARSE or extensions.is_sparse:
        return Reason.ARCHIVE_UNSUPPORTED
    return None if kind in _FILES else Reason.MEMBER_NOT_A_FILE


def _text(value: bytes) -> str:
    return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _name(block: bytes) -> str:
    name, prefix = _text(block[:100]), _text(block[345:500])
    # GNU's magic is "ustar  ", and its header has other fields in the place of the prefix.
    return f"{prefix}/{name}" if prefix and block[257:263] == b"ustar\0" else name


def _read_extension(file: BinaryIO, kind: bytes, size: int, extensions: _Extensions) -> None:
    if size > LONGEST_EXTENSION:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    content = file.read(size)
    if len(content) < size:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    if kind == _LONG_NAME:
        extensions.name = _text(content)
    elif kind == _PAX:
        for key, value in _pax_records(content):
            if key == b"path":
                extensions.name = _text(value)
            elif key == b"size":
                extensions.size = _decimal(value)
            elif key.startswith(b"GNU.sparse."):
                extensions.is_sparse = True


def _pax_records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """``25 ctime=1084839148.1212\\n``: the length of the whole record, a space, key, equals sign, value."""
    place = 0
    while place < len(content) and content[place] != 0:
        length_text, space, _ = content[place : place + 20].partition(b" ")
        length = _decimal(length_text)
        record = content[place : place + length]
        key, equals, value = record[len(length_text) + 1 : -1].partition(b"=")
        if not space or not equals or len(record) < length or not record.endswith(b"\n"):
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        yield key, value
        place += length


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > 18:
        raise UnreadableError(Reason.ARCHIVE_DAMAGED)
    return int(text)


def _skip_sparse_map(file: BinaryIO, block: bytes, position: int) -> int:
    """Behind an old GNU sparse header stand more map blocks, as long as each one says so."""
    is_extended = block[482]
    while is_extended:
        file.seek(position)
        more = file.read(BLOCK)
        if len(more) < BLOCK:
            raise UnreadableError(Reason.ARCHIVE_DAMAGED)
        is_extended = more[504]
        position += BLOCK
    return position
