"""What sources list, what they set aside, and how archives are gone through."""

import io
import os
import sys
import zipfile
from pathlib import Path

import pytest
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from app.errors import Reason, UnreadableError, UsageError
from app.files.archives import ArchiveLimits
from app.sources.archive import START, WHOLE, ArchiveEntry, ArchiveWalk, Position, next_position
from app.sources.base import Candidate, SetAside, SourceKind
from app.sources.dicomdir import count_missing_files
from app.sources.folder import open_sources
from tests.real_data import REAL_FILES, needs_real_files

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")


def listing(path: Path, left_out: Path | None = None) -> dict[str, Reason | None]:
    """Names below ``path`` in the order of the walk, with why they are set aside."""
    (source,) = open_sources([path], left_out or path / "nothing")
    root = path.resolve()
    return {
        Path(entry.original_path).relative_to(root).as_posix(): getattr(entry, "reason", None)
        for entry in source.walk()
    }


class TestFolders:
    def test_every_file_is_a_candidate_in_the_order_of_names(self, tmp_path: Path) -> None:
        for name in ("b/IM2", "b/.hidden", "a.exe", "c", "b/a/x ü 山.dcm", "B"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"12345")
        assert list(listing(tmp_path)) == ["B", "a.exe", "b/.hidden", "b/IM2", "b/a/x ü 山.dcm", "c"]

    def test_size_and_time_are_those_of_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"12345")
        os.utime(tmp_path / "x", ns=(1, 1_700_000_000_123_456_700))
        (source,) = open_sources([tmp_path], tmp_path / "nothing")
        path = str(tmp_path.resolve() / "x")
        assert list(source.walk()) == [Candidate(path, 5, (tmp_path / "x").stat().st_mtime_ns)]

    @needs_posix
    def test_links_and_special_files_are_set_aside_and_a_circle_ends(self, tmp_path: Path) -> None:
        folder = tmp_path / "in"
        folder.mkdir()
        (tmp_path / "outside").write_bytes(b"x")
        (folder / "circle").symlink_to(folder)
        (folder / "dangling").symlink_to(tmp_path / "none")
        (folder / "out").symlink_to(tmp_path / "outside")
        os.mkfifo(folder / "pipe")
        assert listing(folder) == {
            "circle": Reason.LINK,
            "dangling": Reason.LINK,
            "out": Reason.LINK,
            "pipe": Reason.NOT_A_REGULAR_FILE,
        }

    @needs_posix
    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may list everything")
    def test_folder_that_can_not_be_listed_is_counted_and_the_walk_goes_on(self, tmp_path: Path) -> None:
        (tmp_path / "closed").mkdir(mode=0)
        (tmp_path / "x").write_bytes(b"")
        try:
            assert listing(tmp_path) == {"closed": Reason.UNREADABLE_IO, "x": None}
        finally:
            (tmp_path / "closed").chmod(0o700)

    def test_folder_that_vanishes_during_the_walk_is_counted(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"")
        (tmp_path / "b").mkdir()
        (source,) = open_sources([tmp_path], tmp_path / "nothing")
        walk = source.walk()
        next(walk)
        (tmp_path / "b").rmdir()
        assert [getattr(entry, "reason", None) for entry in walk] == [Reason.UNREADABLE_IO]

    def test_a_very_deep_tree_is_walked(self, tmp_path: Path) -> None:
        deepest = tmp_path.joinpath(*["d"] * 400)
        deepest.mkdir(parents=True)
        (deepest / "x").write_bytes(b"")
        assert len(listing(tmp_path)) == 1

    def test_the_projects_own_folder_is_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "project").mkdir()
        (tmp_path / "project" / "secret.key").write_bytes(b"")
        (tmp_path / "project 2").write_bytes(b"")
        assert list(listing(tmp_path, left_out=tmp_path / "project")) == ["project 2"]

    def test_what_was_deleted_from_a_drive_is_set_aside_unread(self, tmp_path: Path) -> None:
        for name in (
            "$RECYCLE.BIN/S-1-5-21-1/$R1.dcm",
            ".Trash-1000/files/IM1",
            "in/$RECYCLE.BIN/IM2",
            "$recycle.bin.dcm",
        ):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"12345")
        assert listing(tmp_path) == {
            "$RECYCLE.BIN": Reason.DELETED,
            ".Trash-1000": Reason.DELETED,
            "$recycle.bin.dcm": None,
            "in/$RECYCLE.BIN/IM2": None,
        }
        assert list(listing(tmp_path / "$RECYCLE.BIN")) == ["S-1-5-21-1/$R1.dcm"]  # who names it means it


class TestOpening:
    def test_path_that_does_not_exist_is_a_mistake_of_the_caller(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError) as caught:
            open_sources([tmp_path, tmp_path / "none"], tmp_path)
        assert (caught.value.code, caught.value.ids) == ("source-not-found", {"number": 2})

    def test_single_file_is_a_source(self, tmp_path: Path) -> None:
        (tmp_path / "x.zip").write_bytes(b"1")
        (source,) = open_sources([tmp_path / "x.zip"], tmp_path)
        assert source.kind is SourceKind.FILE
        assert [Path(entry.original_path).name for entry in source.walk()] == ["x.zip"]

    @needs_posix
    def test_single_file_that_became_a_pipe_is_set_aside(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(b"")
        (source,) = open_sources([tmp_path / "x"], tmp_path)
        (tmp_path / "x").unlink()
        os.mkfifo(tmp_path / "x")
        assert [entry.reason for entry in source.walk() if isinstance(entry, SetAside)] == [Reason.NOT_A_REGULAR_FILE]

    @pytest.mark.parametrize("named", [".", "dicomdir"])
    def test_medium_is_its_folder(self, named: str, tmp_path: Path) -> None:
        (tmp_path / "dicomdir").write_bytes(b"")
        (source,) = open_sources([tmp_path / named], tmp_path / "nothing")
        assert (source.kind, source.original_root) == (SourceKind.MEDIUM, str(tmp_path.resolve()))

    def test_source_within_another_is_part_of_it(self, tmp_path: Path) -> None:
        (tmp_path / "a" / "b").mkdir(parents=True)
        (tmp_path / "a" / "x").write_bytes(b"")
        (tmp_path / "ab").mkdir()
        paths = [tmp_path / "a" / "b", tmp_path / "a" / "x", tmp_path / "a", tmp_path / "a", tmp_path / "ab"]
        roots = [source.original_root for source in open_sources(paths, tmp_path / "nothing")]
        assert roots == [str(tmp_path.resolve() / "a"), str(tmp_path.resolve() / "ab")]


def dicomdir(references: list[list[str]], transfer_syntax_uid: str = ExplicitVRLittleEndian) -> io.BytesIO:
    dataset = Dataset()
    dataset.FileSetID = "X"
    dataset.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 100
    dataset.DirectoryRecordSequence = []
    for reference in references:
        record = Dataset()
        # Every record points at itself: whoever follows offsets walks in a circle.
        record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 100
        record.RecordInUseFlag = 0xFFFF
        record.DirectoryRecordType = "IMAGE"
        with disable_value_validation():
            record.ReferencedFileID = reference
        dataset.DirectoryRecordSequence.append(record)
    dataset.file_meta = meta = Dataset()  # type: ignore[assignment]  # dcmwrite completes it
    meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    meta.TransferSyntaxUID = transfer_syntax_uid
    buffer = DicomBytesIO()
    with disable_value_validation():
        dcmwrite(buffer, dataset, enforce_file_format=True)
    return io.BytesIO(buffer.getvalue())


class TestDicomdir:
    @pytest.fixture
    def medium(self, tmp_path: Path) -> Path:
        for name in ("DICOM/IM1", "dicom2/im2", "DICOM3/IM3.;1", "outside"):
            (tmp_path / "medium" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "medium" / name).write_bytes(b"")
        (tmp_path / "outside").write_bytes(b"")
        return tmp_path / "medium"

    @pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
    def test_files_that_are_not_there_are_counted(self, syntax: str, medium: Path) -> None:
        references = [["DICOM", "IM1"], ["DICOM", "IM9"], ["NONE", "IM1"], ["OUTSIDE"]]
        assert count_missing_files(dicomdir(references, syntax), str(medium)) == 2

    def test_names_are_found_in_any_case_and_with_a_version(self, medium: Path) -> None:
        references = [["DICOM2", "IM2"], ["DICOM3", "IM3"], ["dicom", "im1"]]
        assert count_missing_files(dicomdir(references), str(medium)) == 0

    @pytest.mark.parametrize(
        "reference", [["..", "outside"], ["DICOM", "..", "..", "outside"], ["../outside"], ["a"] * 9]
    )
    def test_path_that_leads_outside_counts_as_missing(self, reference: list[str], medium: Path) -> None:
        assert count_missing_files(dicomdir([reference]), str(medium)) == 1

    def test_damaged_one_is_unreadable(self, medium: Path) -> None:
        whole = dicomdir([["DICOM", "IM1"]]).getvalue()
        with pytest.raises(UnreadableError):
            count_missing_files(io.BytesIO(whole[:-10]), str(medium))

    @needs_real_files
    def test_real_media_are_compared_with_their_files(self) -> None:
        folder = REAL_FILES / "dicomdir_3patients"
        with (folder / "DICOMDIR").open("rb") as file:
            assert count_missing_files(file, str(folder)) == 0
        with (REAL_FILES / "pacs_cd" / "DICOMDIR").open("rb") as file:
            assert count_missing_files(file, str(REAL_FILES / "pacs_cd")) == 1


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


NESTED = zip_of(
    {
        "1": b"one",
        "a.zip": zip_of({"2": b"two", "b.zip": zip_of({"3": b"three", "4": b"four"}), "5": b"five"}),
        "../6": b"",
        "7": b"seven",
    }
)
NESTED_NAMES: list[tuple[str, ...]] = [
    ("1",),
    ("a.zip", "2"),
    ("a.zip", "b.zip", "3"),
    ("a.zip", "b.zip", "4"),
    ("a.zip", "b.zip"),
    ("a.zip", "5"),
    ("a.zip",),
    ("../6",),
    ("7",),
]


def entries(content: bytes, walk: ArchiveWalk | None = None) -> list[ArchiveEntry]:
    return list((walk or ArchiveWalk(ArchiveLimits())).entries(io.BytesIO(content)))


def reasons(content: bytes, limits: ArchiveLimits) -> tuple[list[Reason | None], Reason | None]:
    """The entries' reasons, and the whole archive's."""
    found: list[Reason | None] = []
    try:
        found.extend(entry.reason for entry in ArchiveWalk(limits).entries(io.BytesIO(content)))
    except UnreadableError as error:
        return found, error.reason
    return found, None


class TestArchiveWalk:
    def test_every_member_comes_once_and_inner_archives_after_theirs(self) -> None:
        found = entries(NESTED)
        assert [entry.original_members for entry in found] == NESTED_NAMES
        assert {e.original_members: e.reason for e in found if e.file is None} == {
            ("a.zip", "b.zip"): Reason.ARCHIVE,
            ("a.zip",): Reason.ARCHIVE,
            ("../6",): Reason.MEMBER_PATH_ESCAPES,
        }

    def test_positions_rise(self) -> None:
        positions = [entry.position for entry in entries(NESTED)]
        assert positions == sorted(set(positions))

    @pytest.mark.parametrize("stop", range(len(NESTED_NAMES)))
    def test_walk_goes_on_where_it_stopped(self, stop: int) -> None:
        first = ArchiveWalk(ArchiveLimits())
        entry = START
        for number, found in enumerate(first.entries(io.BytesIO(NESTED))):
            if number == stop:
                entry = found.position
                break
        rest = ArchiveWalk(ArchiveLimits(), next_position(entry), spent=first.spent)
        assert [e.original_members for e in entries(NESTED, rest)] == NESTED_NAMES[stop + 1 :]
        whole = ArchiveWalk(ArchiveLimits())
        entries(NESTED, whole)
        assert rest.spent == whole.spent

    def test_lost_entry_is_not_opened_again(self) -> None:
        lost: dict[Position, Reason] = {(1, 1, 0): Reason.WORKER_CRASHED}
        found = {e.original_members: e for e in entries(NESTED, ArchiveWalk(ArchiveLimits(), lost=lost))}
        assert found["a.zip", "b.zip", "3"].file is None
        assert found["a.zip", "b.zip", "3"].reason is Reason.WORKER_CRASHED
        assert found["a.zip", "b.zip", "4"].reason is None

    def test_lost_archive_costs_its_first_file_and_then_itself(self) -> None:
        first: dict[Position, Reason] = {(1,): Reason.WORKER_HUNG}
        found = {e.original_members: e.reason for e in entries(NESTED, ArchiveWalk(ArchiveLimits(), lost=first))}
        assert [names for names, reason in found.items() if reason is Reason.WORKER_HUNG] == [("a.zip", "2")]
        whole: dict[Position, Reason] = {(1, WHOLE): Reason.WORKER_HUNG}
        found = {e.original_members: e.reason for e in entries(NESTED, ArchiveWalk(ArchiveLimits(), lost=whole))}
        assert found == {
            ("1",): None,
            ("a.zip",): Reason.WORKER_HUNG,
            ("../6",): Reason.MEMBER_PATH_ESCAPES,
            ("7",): None,
        }

    def test_archives_too_deep_are_listed_and_not_opened(self) -> None:
        found = {e.original_members: e.reason for e in entries(NESTED, ArchiveWalk(ArchiveLimits(depth=2)))}
        assert found["a.zip", "b.zip"] is Reason.ARCHIVE_TOO_DEEP
        assert found["a.zip",] is Reason.ARCHIVE
        assert ("a.zip", "b.zip", "3") not in found

    def test_members_are_counted_through_all_archives(self) -> None:
        found, reason = reasons(NESTED, ArchiveLimits(members=4))
        # Two files, and the two inner archives that were broken off.
        assert found == [None, None, Reason.ARCHIVE_TOO_MANY_MEMBERS, Reason.ARCHIVE_TOO_MANY_MEMBERS]
        assert reason is Reason.ARCHIVE_TOO_MANY_MEMBERS

    def test_sizes_are_counted_together(self) -> None:
        found, reason = reasons(zip_of({"1": bytes(600), "2": bytes(600)}), ArchiveLimits(total_bytes=1000))
        assert (found, reason) == ([None], Reason.ARCHIVE_TOO_LARGE)

    def test_many_small_bombs_are_one(self) -> None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(30):
                archive.writestr(str(number), bytes(2 << 20))
        found, reason = reasons(buffer.getvalue(), ArchiveLimits())
        assert reason is Reason.ARCHIVE_RATIO
        assert len(found) < 30

    def test_damaged_inner_archive_costs_itself_only(self) -> None:
        inner = zip_of({"2": b"two"})
        found = {e.original_members: e.reason for e in entries(zip_of({"cut": inner[:-30], "whole": inner}))}
        assert found == {
            ("cut",): Reason.ARCHIVE_DAMAGED,
            ("whole", "2"): None,
            ("whole",): Reason.ARCHIVE,
        }
