"""Opening files where they lie: on disk, in archives, in archives within archives."""

import bz2
import gzip
import io
import lzma
import os
import random
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import Reason, UnreadableError
from app.files.archives import CONTENT, ArchiveLimits, Member, archive_kind, open_archive
from app.files.locator import ARCHIVES_KEPT, ArchiveCache, Locator, open_locator
from app.files.streams import Codec, InflationLimits, open_inflated

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")

# Text that does not compress well, so that no test meets the limit on ratios by accident.
NOISE = random.Random(1).randbytes(300_000)


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


def read(path: Path, *members: str, limits: ArchiveLimits | None = None) -> bytes:
    with ArchiveCache(limits) as cache, open_locator(Locator(str(path), members), cache) as file:
        return file.read()


def members_of(content: bytes, limits: ArchiveLimits | None = None) -> list[Member]:
    file = io.BytesIO(content)
    kind = archive_kind(content[:512])
    assert kind is not None
    return list(open_archive(file, kind, limits or ArchiveLimits()).members())


def reasons_of(content: bytes) -> dict[str, Reason | None]:
    return {member.original_name: member.reason for member in members_of(content)}


def reason_of(path: Path, *members: str, limits: ArchiveLimits | None = None) -> Reason:
    with pytest.raises(UnreadableError) as caught:
        read(path, *members, limits=limits)
    return caught.value.reason


class TestLocator:
    @pytest.mark.parametrize(
        "locator",
        [
            Locator("/a b/ü 山.dcm"),
            Locator("C:\\x\\y.zip", ("in/ner.zip", 'quo"te', "nul\0 2")),
            Locator("/not\udcff utf-8", ("\udcfe",)),
        ],
    )
    def test_text_form_is_ascii_and_comes_back(self, locator: Locator) -> None:
        assert locator.to_text().isascii()
        assert Locator.from_text(locator.to_text()) == locator


class TestPlainFiles:
    def test_regular_file_is_read(self, tmp_path: Path) -> None:
        path = tmp_path / "path with ü 山"
        path.write_bytes(b"content")
        assert read(path) == b"content"

    def test_missing_file_has_vanished(self, tmp_path: Path) -> None:
        assert reason_of(tmp_path / "none") is Reason.VANISHED

    def test_folder_is_not_opened(self, tmp_path: Path) -> None:
        assert reason_of(tmp_path) is Reason.NOT_A_REGULAR_FILE

    def test_path_that_no_system_takes_is_unreadable(self, tmp_path: Path) -> None:
        assert reason_of(tmp_path / "a\0b") is Reason.UNREADABLE_IO

    @needs_posix
    def test_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_bytes(b"x")
        (tmp_path / "link").symlink_to(tmp_path / "file")
        assert reason_of(tmp_path / "link") is Reason.LINK

    @needs_posix
    def test_pipe_is_not_opened_and_does_not_block(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        assert reason_of(tmp_path / "pipe") is Reason.NOT_A_REGULAR_FILE

    @needs_posix
    def test_device_is_not_opened(self) -> None:
        assert reason_of(Path("/dev/null")) is Reason.NOT_A_REGULAR_FILE


ARCHIVERS: dict[str, Callable[[dict[str, bytes]], bytes]] = {
    "zip": zip_of,
    "zip stored": lambda members: zip_of(members, zipfile.ZIP_STORED),
    "tar": tar_of,
    "tar gnu": lambda members: tar_of(members, tarfile.GNU_FORMAT),
    "tar ustar": lambda members: tar_of(members, tarfile.USTAR_FORMAT),
    "tar.gz": lambda members: gzip.compress(tar_of(members)),
    "tar.bz2": lambda members: bz2.compress(tar_of(members)),
    "tar.xz": lambda members: lzma.compress(tar_of(members)),
}


class TestArchives:
    @pytest.mark.parametrize("archiver", ARCHIVERS.values(), ids=ARCHIVERS.keys())
    def test_members_are_listed_in_order_and_read_in_any(
        self, archiver: Callable[[dict[str, bytes]], bytes], tmp_path: Path
    ) -> None:
        members = {"b/2": NOISE, "a/ü 山": b"small", "empty": b"", "./c": NOISE[:70_000]}
        path = tmp_path / "named.anything"
        path.write_bytes(archiver(members))
        assert [member.original_name for member in members_of(path.read_bytes())] == list(members)
        with ArchiveCache() as cache:
            for name in [*members, *reversed(members)]:
                with open_locator(Locator(str(path), (name,)), cache) as file:
                    assert file.read() == members[name]

    @pytest.mark.parametrize("archiver", ARCHIVERS.values(), ids=ARCHIVERS.keys())
    def test_member_can_be_read_in_pieces(self, archiver: Callable[[dict[str, bytes]], bytes], tmp_path: Path) -> None:
        path = tmp_path / "x"
        path.write_bytes(archiver({"before": NOISE[:1000], "m": NOISE}))
        with ArchiveCache() as cache, open_locator(Locator(str(path), ("m",)), cache) as file:
            assert file.seek(0, os.SEEK_END) == len(NOISE)
            assert file.read(1) == b""
            for start in (250_000, 10, 299_990, 0):
                assert file.seek(start) == start
                assert file.read(20) == NOISE[start : start + 20]
                assert file.tell() == min(start + 20, len(NOISE))

    @pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
    def test_single_compressed_file_has_one_member(self, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(compress(NOISE))
        assert read(tmp_path / "x", CONTENT) == NOISE

    @pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
    def test_streams_that_are_joined_are_one_file(self, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(compress(NOISE) + compress(b"more") + b"\0" * 512)
        assert read(tmp_path / "x", CONTENT) == NOISE + b"more"

    def test_nested_archives_are_read_in_place(self, tmp_path: Path) -> None:
        innermost = zip_of({"deep": NOISE})
        path = tmp_path / "x"
        path.write_bytes(zip_of({"a.tgz": gzip.compress(tar_of({"b": innermost}))}))
        before = sorted(tmp_path.iterdir())
        assert read(path, "a.tgz", "b", "deep") == NOISE
        assert sorted(tmp_path.iterdir()) == before

    def test_archives_nested_too_deep_are_not_opened(self, tmp_path: Path) -> None:
        content = b"x"
        for _ in range(4):
            content = zip_of({"m": content})
        (tmp_path / "x").write_bytes(content)
        assert reason_of(tmp_path / "x", "m", "m", "m", "m") is Reason.ARCHIVE_TOO_DEEP

    def test_cache_closes_archives_that_were_not_used_lately(self, tmp_path: Path) -> None:
        paths = [tmp_path / str(number) for number in range(ARCHIVES_KEPT + 2)]
        with ArchiveCache() as cache:
            for _ in range(2):
                for path in paths:
                    path.write_bytes(zip_of({"m": path.name.encode()}))
                    with open_locator(Locator(str(path), ("m",)), cache) as file:
                        assert file.read() == path.name.encode()

    def test_member_that_is_gone_has_vanished(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(zip_of({"m": b""}))
        assert reason_of(tmp_path / "x", "other") is Reason.VANISHED

    def test_file_that_is_no_archive_any_more_has_changed(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"text")
        assert reason_of(tmp_path / "x", "m") is Reason.CHANGED_SINCE_SCAN

    def test_two_members_of_one_name_are_both_found(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w") as archive:
            warnings.simplefilter("ignore")
            for content in ("1", "2", "3"):
                archive.writestr("same", content)
        (tmp_path / "x").write_bytes(buffer.getvalue())
        names = [member.original_name for member in members_of(buffer.getvalue())]
        assert [read(tmp_path / "x", name) for name in names] == [b"1", b"2", b"3"]

    def test_zip64_sizes_and_directory_are_understood(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        with (
            zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("m", "w", force_zip64=True) as file,
        ):
            file.write(NOISE)
        content = buffer.getvalue()
        end = content.rindex(b"PK\5\6")
        count, length, offset = struct.unpack_from("<HLL", content, end + 10)
        record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, length, offset)
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
        last = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        (tmp_path / "x").write_bytes(content[:end] + record + locator + last)
        assert zipfile.ZipFile(tmp_path / "x").read("m") == NOISE
        assert read(tmp_path / "x", "m") == NOISE

    def test_directory_entries_with_zip64_fields_are_understood(self) -> None:
        content = bytearray(zip_of({"m": b"abc"}, zipfile.ZIP_STORED))
        entry = content.rindex(b"PK\1\2")
        extra = struct.pack("<HHQQ", 1, 16, 3, 3)
        struct.pack_into("<LL", content, entry + 20, 0xFFFFFFFF, 0xFFFFFFFF)
        struct.pack_into("<H", content, entry + 30, len(extra))
        content[entry + 47 : entry + 47] = extra
        end = content.rindex(b"PK\5\6")
        struct.pack_into("<L", content, end + 12, end - entry)
        assert [(member.size, member.stored) for member in members_of(bytes(content))] == [(3, 3)]

    @pytest.mark.parametrize("tar_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
    def test_long_names_in_a_tar_are_whole(self, tar_format: int) -> None:
        name = "folder/" * 60 + "ü.dcm"
        assert [m.original_name for m in members_of(tar_of({name: b"x", "y": b""}, tar_format))] == [name, "y"]

    def test_names_that_are_not_utf8_differ_and_are_found_again(self, tmp_path: Path) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
            for name in ("a\xe9", "a\xe8"):
                info = tarfile.TarInfo(name)
                info.size = 2
                archive.addfile(info, io.BytesIO(name.encode("utf-16-le")[:2]))
        (tmp_path / "x").write_bytes(buffer.getvalue())
        names = [member.original_name for member in members_of(buffer.getvalue())]
        assert len(set(names)) == 2
        for name in names:
            assert read(tmp_path / "x", *Locator.from_text(Locator("", (name,)).to_text()).original_members)


class TestWhatIsNoArchive:
    def test_dicom_with_an_archive_in_its_preamble_is_dicom(self) -> None:
        preamble = zip_of({"m": b""})[:64].ljust(128, b"\0")
        assert archive_kind(preamble + b"DICM" + bytes(400)) is None

    def test_the_word_ustar_alone_makes_no_tar(self) -> None:
        assert archive_kind(b"x" * 257 + b"ustar\0" + b"x" * 300) is None

    @pytest.mark.parametrize("content", [b"", b"PK", b"BZhave a nice day", b"text"])
    def test_short_or_other_content_is_none(self, content: bytes) -> None:
        assert archive_kind(content) is None

    @pytest.mark.parametrize("magic", [b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x00", b"\x28\xb5\x2f\xfd"])
    def test_archives_that_we_can_not_read_say_so(self, magic: bytes, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(magic + bytes(100))
        assert reason_of(tmp_path / "x", "m") is Reason.ARCHIVE_UNSUPPORTED


class TestMembersSetAside:
    @pytest.mark.parametrize(
        "name", ["../up", "a/../../up", "/absolute", "\\absolute", "C:/drive", "c:drive", "..\\up", "//host/share"]
    )
    @pytest.mark.parametrize("archiver", [zip_of, tar_of])
    def test_names_that_lead_outside_are_listed_and_not_opened(
        self, archiver: Callable[[dict[str, bytes]], bytes], name: str, tmp_path: Path
    ) -> None:
        content = archiver({name: b"evil", "fine..name/x": b""})
        assert list(reasons_of(content).values()) == [Reason.MEMBER_PATH_ESCAPES, None]
        (tmp_path / "x").write_bytes(content)
        (name_as_listed, _) = reasons_of(content)
        assert reason_of(tmp_path / "x", name_as_listed) is Reason.MEMBER_PATH_ESCAPES

    def test_links_and_devices_in_a_tar_are_no_files(self) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE):
                info = tarfile.TarInfo(f"kind {kind!r}")
                info.type = kind
                info.linkname = "/etc/passwd"
                archive.addfile(info)
        assert list(reasons_of(buffer.getvalue()).values()) == [Reason.MEMBER_NOT_A_FILE] * 4

    def test_link_in_a_zip_is_no_file(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            info = zipfile.ZipInfo("link")
            info.create_system = 3
            info.external_attr = 0o120777 << 16
            archive.writestr(info, "/etc/passwd")
            archive.writestr("folder/", "")
        assert reasons_of(buffer.getvalue()) == {"link": Reason.MEMBER_NOT_A_FILE}

    def test_encrypted_member_says_so(self) -> None:
        content = bytearray(zip_of({"m": b"x"}))
        content[content.rindex(b"PK\1\2") + 8] |= 1
        assert reasons_of(bytes(content)) == {"m": Reason.ARCHIVE_ENCRYPTED}

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_methods_without_a_bound_are_not_read(self, method: int) -> None:
        assert reasons_of(zip_of({"m": NOISE}, method)) == {"m": Reason.ARCHIVE_UNSUPPORTED}

    def test_sparse_files_in_a_tar_are_not_read(self) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            info = tarfile.TarInfo("m")
            info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
            archive.addfile(info)
            archive.addfile(tarfile.TarInfo("n"))
        assert reasons_of(buffer.getvalue()) == {"m": Reason.ARCHIVE_UNSUPPORTED, "n": None}


class TestDamage:
    def test_zip_that_was_cut_is_damaged(self, tmp_path: Path) -> None:
        content = zip_of({"m": NOISE})
        (tmp_path / "x").write_bytes(content[: len(content) // 2])
        assert reason_of(tmp_path / "x", "m") is Reason.ARCHIVE_DAMAGED

    @pytest.mark.parametrize("name", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
    def test_tar_that_was_cut_gives_what_is_before(self, name: str, tmp_path: Path) -> None:
        content = ARCHIVERS[name]({"first": b"whole", "m": NOISE, "last": b""})
        (tmp_path / "x").write_bytes(content[: len(content) // 2])
        if name != "tar.bz2":  # bzip2 gives nothing of a block that is not whole
            assert read(tmp_path / "x", "first") == b"whole"
        assert reason_of(tmp_path / "x", "m") is Reason.ARCHIVE_DAMAGED
        assert reason_of(tmp_path / "x", "last") is Reason.ARCHIVE_DAMAGED

    def test_tar_without_its_end_is_damaged(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(tar_of({"m": b"x" * 512})[: 2 * 512])
        assert read(tmp_path / "x", "m") == b"x" * 512
        assert reason_of(tmp_path / "x", "other") is Reason.ARCHIVE_DAMAGED

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_changed_byte_in_a_zip_member_is_noticed(self, method: int, tmp_path: Path) -> None:
        content = bytearray(zip_of({"m": NOISE}, method))
        content[150_000] ^= 1
        (tmp_path / "x").write_bytes(content)
        assert reason_of(tmp_path / "x", "m") is Reason.ARCHIVE_DAMAGED

    @pytest.mark.parametrize("declared", [len(NOISE) - 1, len(NOISE) + 1])
    def test_zip_member_of_another_size_than_declared_is_damaged(self, declared: int, tmp_path: Path) -> None:
        content = bytearray(zip_of({"m": NOISE}))
        struct.pack_into("<L", content, content.rindex(b"PK\1\2") + 24, declared)
        (tmp_path / "x").write_bytes(content)
        assert reason_of(tmp_path / "x", "m") is Reason.ARCHIVE_DAMAGED

    @pytest.mark.parametrize("size", [1 << 44, 1 << 70])
    def test_tar_member_larger_than_any_file_is_damage(self, size: int) -> None:
        info = tarfile.TarInfo("x")
        info.size = size
        with pytest.raises(UnreadableError) as caught:
            members_of(info.tobuf(tarfile.GNU_FORMAT))
        assert caught.value.reason is Reason.ARCHIVE_DAMAGED

    @pytest.mark.parametrize("offset", [1 << 40, (1 << 64) - 1])
    def test_zip_member_beyond_the_end_is_damage(self, offset: int, tmp_path: Path) -> None:
        content = bytearray(zip_of({"m": b"abc"}))
        entry = content.rindex(b"PK\1\2")
        extra = struct.pack("<HHQ", 1, 8, offset)
        struct.pack_into("<H", content, entry + 30, len(extra))
        struct.pack_into("<L", content, entry + 42, 0xFFFFFFFF)
        content[entry + 47 : entry + 47] = extra
        end = content.rindex(b"PK\5\6")
        struct.pack_into("<L", content, end + 12, end - entry)
        (tmp_path / "x").write_bytes(content)
        assert reason_of(tmp_path / "x", "m") is Reason.ARCHIVE_DAMAGED

    def test_pax_header_of_absurd_size_is_not_read(self) -> None:
        info = tarfile.TarInfo("x")
        info.type, info.size = tarfile.XHDTYPE, 1 << 40
        with pytest.raises(UnreadableError) as caught:
            members_of(info.tobuf(tarfile.GNU_FORMAT))
        assert caught.value.reason is Reason.ARCHIVE_DAMAGED


class TestBombs:
    def test_zip_member_that_inflates_too_far_is_not_opened(self) -> None:
        content = zip_of({"bomb": bytes(50 << 20), "fine": b"x"})
        assert reasons_of(content) == {"bomb": Reason.ARCHIVE_RATIO, "fine": None}

    def test_zip_member_that_hides_its_size_is_stopped(self, tmp_path: Path) -> None:
        content = bytearray(zip_of({"bomb": bytes(50 << 20)}))
        struct.pack_into("<L", content, content.rindex(b"PK\1\2") + 24, 1000)
        (tmp_path / "x").write_bytes(content)
        assert reason_of(tmp_path / "x", "bomb") is Reason.ARCHIVE_DAMAGED

    @pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
    def test_compressed_bomb_is_stopped(self, compress: Callable[[bytes], bytes], tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(compress(bytes(100 << 20)))
        assert reason_of(tmp_path / "x", CONTENT) is Reason.ARCHIVE_RATIO

    def test_stream_beyond_the_size_limit_is_stopped(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(gzip.compress(NOISE))
        limits = ArchiveLimits(inflation=InflationLimits(size_bytes=1000))
        assert reason_of(tmp_path / "x", CONTENT, limits=limits) is Reason.ARCHIVE_TOO_LARGE

    def test_member_beyond_the_size_limit_is_not_opened(self) -> None:
        limits = ArchiveLimits(member_bytes=1000)
        for content in (zip_of({"m": NOISE}), tar_of({"m": NOISE})):
            assert [m.reason for m in members_of(content, limits)] == [Reason.ARCHIVE_TOO_LARGE]


class TestInflatedStreams:
    def test_any_place_of_a_long_stream_is_read_right(self) -> None:
        # 60 MB with a mark every 4 bytes: many checkpoints are passed, forward and backward.
        content = b"".join(struct.pack("<L", number * 2654435761 & 0xFFFFFFFF) for number in range(15 << 20))
        base = io.BytesIO(gzip.compress(content, 1))
        places = [random.Random(2).randrange(len(content) - 100) for _ in range(30)]
        with open_inflated(base, Codec.GZIP, limits=InflationLimits()) as file:
            for place in places:
                file.seek(place)
                assert file.read(100) == content[place : place + 100]
            assert file.seek(0, os.SEEK_END) == len(content)
            file.seek(-100, os.SEEK_END)
            assert file.read() == content[-100:]

    def test_checksum_holds_across_jumps(self) -> None:
        content = random.Random(3).randbytes(20 << 20)
        compressor = zlib.compressobj(1, zlib.DEFLATED, -15)
        packed = compressor.compress(content) + compressor.flush()
        with open_inflated(
            io.BytesIO(packed),
            Codec.DEFLATE,
            length=len(packed),
            size=len(content),
            crc=zlib.crc32(content),
            limits=InflationLimits(),
        ) as file:
            file.seek(15 << 20)
            file.read(10)
            file.seek(9 << 20)
            assert file.read() == content[9 << 20 :]
