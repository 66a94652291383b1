"""The zip writer: any reader accepts it, and large entries and archives use ZIP64 exactly where the format needs it."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bundle.verify_zip import ZipFormError, ZipReader
from app.bundle.zip_writer import ABSENT32, HELD_BYTES, ZipWriter


def write(path: Path, entries: dict[str, list[bytes]], announced: int | None = None) -> bytes:
    with path.open("wb") as file:
        writer = ZipWriter(file)
        for name, chunks in entries.items():
            writer.add(name, chunks, sum(map(len, chunks)) if announced is None else announced)
        writer.finish()
    return path.read_bytes()


def read(path: Path) -> tuple[dict[str, bytes], str]:
    with path.open("rb", buffering=0) as file:
        reader = ZipReader(file, path.stat().st_size)
        found = {entry.name: b"".join(map(bytes, reader.chunks(entry))) for entry in reader.entries}
        return found, reader.whole_digest()


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,4}/[a-z0-9]{1,6}\.dcm", fullmatch=True),
        st.lists(st.binary(max_size=50), max_size=4),
        min_size=1,
        max_size=8,
    )
)
def test_every_reader_gets_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, entries: dict[str, list[bytes]]
) -> None:
    path = tmp_path_factory.mktemp("zip") / "x.zip"
    write(path, entries)
    contents = {name: b"".join(chunks) for name, chunks in entries.items()}
    assert read(path)[0] == contents
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(contents)
        assert {name: archive.read(name) for name in contents} == contents


def test_how_an_entry_is_cut_into_chunks_does_not_show(tmp_path: Path) -> None:
    content = bytes(range(256)) * (HELD_BYTES // 128)
    whole = write(tmp_path / "a.zip", {"d/one": [content], "d/two": [b"x"]})
    pieces = [content[start : start + 100_000] for start in range(0, len(content), 100_000)]
    assert write(tmp_path / "b.zip", {"d/one": pieces, "d/two": [b"", b"x"]}) == whole
    assert read(tmp_path / "a.zip")[0]["d/one"] == content


def test_an_entry_announced_as_large_is_sound_even_when_small(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    write(path, {"d/one": [b"abc"], "d/two": [b"defg"]}, announced=5 << 30)
    assert read(path)[0] == {"d/one": b"abc", "d/two": b"defg"}
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None


class SparseFile(io.RawIOBase):
    """A file that keeps small writes and only counts large ones: more than 4 GiB without a disk."""

    def __init__(self) -> None:
        self.kept: dict[int, bytes] = {}
        self.position = 0

    def write(self, data: bytes) -> int:  # type: ignore[override]
        if len(data) < 1 << 20:
            self.kept[self.position] = bytes(data)
        self.position += len(data)
        return len(data)

    def writelines(self, lines: list[bytes]) -> None:  # type: ignore[override]
        for line in lines:
            self.write(line)

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = offset
        return offset


def test_beyond_four_gib_sizes_and_offsets_stand_in_zip64_records() -> None:
    file = SparseFile()
    writer = ZipWriter(file)  # type: ignore[arg-type]  # all of BinaryIO that is used
    chunk = bytes(64 << 20)
    size = writer.add("d/large", [chunk] * 65, 65 * len(chunk)).size
    assert size > ABSENT32
    writer.add("d/small", [b"abc"], 3)
    writer.finish()
    local = file.kept[0]
    assert struct.unpack_from("<LL", local, 18) == (ABSENT32, ABSENT32)
    assert struct.unpack_from("<HHQQ", local, 30 + 7) == (1, 16, size, size)
    second = 30 + 7 + 20 + size
    directory_offset = second + 30 + 7 + 3
    directory = file.kept[directory_offset]
    assert struct.unpack_from("<HHQQ", directory, 46 + 7) == (1, 16, size, size)
    assert struct.unpack_from("<HHQ", directory, 2 * (46 + 7) + 20) == (1, 8, second)
    end = file.kept[directory_offset + len(directory)]
    assert end[:4] == b"PK\6\6"
    assert struct.unpack_from("<4Q", end, 24) == (2, 2, len(directory), directory_offset)
    assert end[-22:-18] == b"PK\5\6"


def test_an_entry_larger_than_announced_is_an_error() -> None:
    writer = ZipWriter(SparseFile())  # type: ignore[arg-type]  # all of BinaryIO that is used
    chunk = bytes(64 << 20)
    with pytest.raises(ValueError, match="larger than announced"):
        writer.add("d/large", [chunk] * 65, 1000)


def test_reading_stops_at_a_wrong_checksum(tmp_path: Path) -> None:
    content = bytearray(write(tmp_path / "x.zip", {"d/one": [b"abc"]}))
    content[30 + 5] ^= 1
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ZipFormError, match="zip-checksum"):
        read(tmp_path / "x.zip")
