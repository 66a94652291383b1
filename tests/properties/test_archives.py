"""What must hold for archives of any content, and for any bytes that call themselves an archive."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import UnreadableError
from app.files.archives import HEAD_BYTES, ArchiveLimits, archive_kind, open_archive
from app.files.locator import Locator
from app.files.names import escapes
from app.sources.archive import ArchiveWalk, next_position

names = st.text(st.characters(blacklist_characters="\0/\\", blacklist_categories=["Cs", "Cc"]), min_size=1)
contents = st.dictionaries(
    names.filter(lambda name: not escapes(name)), st.binary(max_size=3000), min_size=1, max_size=6
)


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tar_of(members: dict[str, bytes], tar_format: int = tarfile.PAX_FORMAT) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tar_format) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVERS: list[Callable[[dict[str, bytes]], bytes]] = [
    zip_of,
    lambda members: zip_of(members, zipfile.ZIP_STORED),
    tar_of,
    lambda members: tar_of(members, tarfile.GNU_FORMAT),
    lambda members: gzip.compress(tar_of(members), 1),
    lambda members: bz2.compress(tar_of(members)),
    lambda members: lzma.compress(tar_of(members), preset=0),
]
archivers = st.sampled_from(ARCHIVERS)


def read_all(content: bytes) -> dict[str, bytes]:
    file = io.BytesIO(content)
    kind = archive_kind(content[:HEAD_BYTES])
    if kind is None:
        return {}
    archive = open_archive(file, kind, ArchiveLimits())
    found = {}
    for member in archive.members():
        if member.reason is None:
            with archive.open(member) as opened:
                found[member.original_name] = opened.read()
    return found


@given(contents, archivers)
def test_what_the_standard_library_packs_comes_out_again(
    members: dict[str, bytes], archiver: Callable[[dict[str, bytes]], bytes]
) -> None:
    assert read_all(archiver(members)) == members


@given(st.data())
@settings(max_examples=300)
def test_damage_gives_right_bytes_or_its_reason(data: st.DataObject) -> None:
    content = bytearray(data.draw(archivers)(data.draw(contents)))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    try:
        read_all(bytes(content))
    except UnreadableError:
        return


@given(st.sampled_from([b"PK\3\4", b"\x1f\x8b\x08", b"BZh91AY&SY", b"\xfd7zXZ\0"]), st.binary(max_size=2000))
@settings(max_examples=300)
def test_junk_behind_a_magic_is_an_archive_with_a_reason_or_with_members(magic: bytes, junk: bytes) -> None:
    try:
        read_all(magic + junk)
    except UnreadableError:
        return


@given(contents, contents, st.data())
def test_walk_may_stop_and_go_on_anywhere(
    outer: dict[str, bytes], inner: dict[str, bytes], data: st.DataObject
) -> None:
    archive = io.BytesIO(zip_of(outer | {"an inner archive": tar_of(inner)}))
    whole = list(ArchiveWalk(ArchiveLimits()).entries(archive))
    stop = data.draw(st.sampled_from(whole)).position
    rest = ArchiveWalk(ArchiveLimits(), next_position(stop)).entries(archive)
    expected = [entry.original_members for entry in whole if entry.position > stop]
    assert [entry.original_members for entry in rest] == expected


@given(st.text(), st.lists(st.text()))
def test_locator_comes_back_from_its_text(path: str, members: list[str]) -> None:
    locator = Locator(path, tuple(members))
    assert Locator.from_text(locator.to_text()) == locator
