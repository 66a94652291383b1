"""The step ``scan``: one row a file, whatever happens to it."""

import io
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, TypeVar

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from app.catalog.attributes import queryable_attributes, to_json
from app.catalog.geometry import slice_position_mm
from app.catalog.step import scan
from app.catalog.table import file_table, is_complete, list_files
from app.catalog.worker import ArchiveRead, ArchiveTask, FilesRead, FilesTask, read_tasks
from app.dicom.reading import read_header
from app.errors import Reason, UsageError
from app.events import Finished, Note, Progress
from app.files.archives import ArchiveLimits
from app.files.locator import Locator
from app.jobs.executors import ProcessExecutor, SerialExecutor, WorkExecutor
from app.project.folder import Project, create_project
from app.sources.base import Candidate
from tests.factory import ct_series, enhanced_mr, make_study, save, to_bytes, write_pacs_export
from tests.real_data import REAL_FILES, iterate_real_files, needs_real_files

R = TypeVar("R")

CATALOGUE = """
SELECT f.original_locator, f.size, f.mtime_ns, f.verdict, f.reason, i.reason, i.original_sop_instance_uid,
 i.sop_class_uid, i.transfer_syntax_uid, i.instance_number, i.slice_position_mm, s.original_study_uid,
 s.original_series_uid, s.facts, p.original_key, a.original_attributes, a.digest
FROM files f LEFT JOIN instances i ON i.file_id = f.id LEFT JOIN series s ON s.id = i.series_id
LEFT JOIN patients p ON p.id = s.patient_id LEFT JOIN attribute_sets a ON a.id = i.attribute_set_id
ORDER BY f.original_locator"""
IDENTITIES = """
SELECT p.original_key, kind, original_value FROM identities JOIN patients p ON p.id = patient_id ORDER BY 1,
2, 3
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    create_project(tmp_path / "project", "SITE", None)
    with Project(tmp_path / "project") as project:
        yield project


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "source").mkdir()
    return tmp_path / "source"


def run(project: Project, *sources: Path, executor: WorkExecutor | None = None) -> dict[str, int]:
    """Scan to the end; the counts."""
    *_, last = scan(project, sources, executor or SerialExecutor())
    assert isinstance(last, Finished)
    return dict(last.counts)


def catalogue(project: Project) -> list[tuple[Any, ...]]:
    """All that others may depend on."""
    store = project.store
    return [tuple(row) for query in (CATALOGUE, IDENTITIES) for row in store.execute(query)]


def reasons(project: Project, root: Path) -> dict[str, str | None]:
    """By the path in the source, members behind it; None for an instance that counts."""
    found = {}
    for row in list_files(project):
        locator = Locator.from_text(row.original_locator)
        path = Path(locator.original_path).relative_to(root.resolve()).as_posix()
        found["!".join((path, *locator.original_members))] = row.reason
    return found


def ct(number: int = 1, study: int = 1, **attributes: object) -> Dataset:
    """A small CT image; attributes are set or, where None, deleted."""
    dataset = ct_series(make_study(study), slices=number, rows=8, columns=8)[-1]
    for keyword, value in attributes.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def zip_of(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def replace_unnoticed(path: Path, content: bytes) -> None:
    """Other bytes under the same name, size and time: whoever looks at those only doesn't see it."""
    status = path.stat()
    assert len(content) == status.st_size
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


class TestWhatIsFound:
    def test_every_file_is_one_row_and_counts_add_up(self, project: Project, tmp_path: Path) -> None:
        export = write_pacs_export(tmp_path / "pacs", 1, slices=2, size=32)
        counts = run(project, tmp_path / "pacs")
        assert counts["instances"] == export.instances
        assert counts["duplicates"] == export.duplicates
        assert counts["unreadable"] == export.damaged
        assert counts["skipped"] == export.not_dicom + 3  # DICOMDIR, and two archives
        assert counts["patients"] == len(export.identities)
        assert counts["files"] == sum(
            counts[name] for name in ("instances", "duplicates", "conflicts", "skipped", "unreadable")
        )
        assert sum(line.files for line in file_table(project)) == counts["files"]
        assert is_complete(project)

    def test_instance_is_where_it_belongs(self, project: Project, source: Path) -> None:
        dataset = ct(number=3)
        save(dataset, source / "x")
        run(project, source)
        row = project.store.execute(CATALOGUE).fetchone()
        assert row["original_key"] == dataset.PatientID
        assert row["original_study_uid"] == dataset.StudyInstanceUID
        assert row["original_series_uid"] == dataset.SeriesInstanceUID
        assert row["original_sop_instance_uid"] == dataset.SOPInstanceUID
        assert row["sop_class_uid"] == dataset.SOPClassUID
        assert row["transfer_syntax_uid"] == dataset.file_meta.TransferSyntaxUID
        assert (row["instance_number"], row["slice_position_mm"]) == (
            3,
            dataset.ImagePositionPatient[2],
        )
        assert (row["size"], row["mtime_ns"]) == (
            (source / "x").stat().st_size,
            (source / "x").stat().st_mtime_ns,
        )
        assert ("name", str(dataset.PatientName)) in {
            (line["kind"], line["original_value"]) for line in project.store.execute(IDENTITIES)
        }

    def test_slices_of_a_series_share_one_attribute_set(self, project: Project, source: Path) -> None:
        for number, dataset in enumerate(ct_series(make_study(1), slices=5, rows=8, columns=8)):
            save(dataset, source / str(number))
        run(project, source)
        assert project.store.one("SELECT count(*) FROM attribute_sets") == 1

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", Reason.EMPTY_FILE),
            (b"[autorun]", Reason.NOT_DICOM),
            (bytes(128) + b"DICM", Reason.NO_DATASET),
            (b"7z\xbc\xaf\x27\x1c" + bytes(100), Reason.ARCHIVE_UNSUPPORTED),
            (b"PK\3\4" + bytes(100), Reason.ARCHIVE_DAMAGED),
        ],
    )
    def test_file_that_is_no_image_has_its_reason(
        self, content: bytes, reason: Reason, project: Project, source: Path
    ) -> None:
        (source / "x").write_bytes(content)
        run(project, source)
        assert reasons(project, source) == {"x": reason}

    @pytest.mark.parametrize("keyword", ["SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"])
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("", Reason.MISSING_UID),
            ("1\\2", Reason.BAD_UID),
            ("1" * 130, Reason.BAD_UID),
            ("1.02.3", None),
            ("1.2.x", None),
        ],
    )
    @pytest.mark.filterwarnings("ignore:Invalid value for VR UI")
    @pytest.mark.filterwarnings("ignore:The value length")
    def test_uids_are_there_and_usable_as_keys(
        self, keyword: str, value: str, reason: Reason | None, project: Project, source: Path
    ) -> None:
        content = to_bytes(ct())
        dataset = ct()
        old = dataset[keyword].value.encode()
        old += b"\0" * (len(old) % 2)
        new = value.encode() + b"\0" * (len(value) % 2)
        start = content.rindex(old, 0, content.index(b"\x28\x00\x02\x00"))
        patched = content[: start - 2] + len(new).to_bytes(2, "little") + new + content[start + len(old) :]
        (source / "x").write_bytes(patched)
        run(project, source)
        assert reasons(project, source) == {"x": reason}

    def test_damaged_dicomdir_is_no_image(self, project: Project, source: Path) -> None:
        (source / "DICOMDIR").write_bytes(bytes(128) + b"DICMxxxx")
        run(project, source)
        assert reasons(project, source) == {"DICOMDIR": Reason.DICOMDIR}

    def test_files_that_a_dicomdir_names_and_are_not_there_are_noted(self, project: Project, tmp_path: Path) -> None:
        write_pacs_export(tmp_path / "pacs", 1, patients=1, slices=2, size=16)
        shutil.rmtree(next((tmp_path / "pacs" / "PT000000").iterdir()))
        notes = [event for event in scan(project, [tmp_path / "pacs"], SerialExecutor()) if isinstance(event, Note)]
        assert [(note.code, note.ids["files"] != 0) for note in notes] == [("dicomdir-missing-files", True)]

    def test_source_that_does_not_exist_is_refused_before_anything_is_written(self, project: Project) -> None:
        with pytest.raises(UsageError):
            run(project, project.layout.root / "none")
        assert project.store.one("SELECT count(*) FROM runs") == 0

    def test_progress_comes_and_ends_at_the_total(self, project: Project, tmp_path: Path) -> None:
        write_pacs_export(tmp_path / "pacs", 1, patients=1, slices=2, size=16)
        steps = [e for e in scan(project, [tmp_path / "pacs"], SerialExecutor()) if isinstance(e, Progress)]
        last = [step for step in steps if step.unit == "files"][-1]
        assert last.done == last.total == project.store.one("SELECT count(*) FROM files")

    def test_no_original_value_comes_out_as_an_event(self, project: Project, tmp_path: Path) -> None:
        write_pacs_export(tmp_path / "ZZCANARY", 1, slices=2, size=16, canaries=True)
        events = list(scan(project, [tmp_path / "ZZCANARY"], SerialExecutor()))
        assert "ZZCANARY" not in repr(events)
        assert "ZZCANARY" not in repr(list(list_files(project)))


class TestPatients:
    def test_id_and_issuer_make_a_patient(self, project: Project, source: Path) -> None:
        ids = [("A", "X"), ("A", "Y"), (" A ", "X"), ('["A", "X"]', ""), ("A", "")]
        for number, (patient_id, issuer) in enumerate(ids):
            save(ct(study=number, PatientID=patient_id, IssuerOfPatientID=issuer), source / str(number))
        assert run(project, source)["patients"] == 4

    def test_blank_id_is_never_merged(self, project: Project, source: Path) -> None:
        for number, patient_id in enumerate(("", " ", None)):
            save(ct(study=number, PatientID=patient_id), source / str(number))
        assert run(project, source)["patients"] == 3

    def test_id_that_can_not_be_decoded_counts_as_blank(self, project: Project, source: Path) -> None:
        for number in range(2):
            content = to_bytes(ct(study=number, PatientID="ABCD", SpecificCharacterSet="ISO_IR 192"))
            (source / str(number)).write_bytes(content.replace(b"ABCD", b"\xff\xfe\xfd\xfc"))
        assert run(project, source)["patients"] == 2


def attributes_of(dataset: Dataset) -> dict[str, object]:
    return dict(queryable_attributes(read_header(io.BytesIO(to_bytes(dataset)))))


class TestAttributes:
    def test_values_have_the_type_of_the_query(self) -> None:
        found = attributes_of(
            ct(SliceThickness="1.50", SeriesNumber="7", PixelSpacing=["0.5", "0.25"], ProtocolName="12")
        )
        assert found["SliceThickness"] == 1.5
        assert found["SeriesNumber"] == 7
        assert found["PixelSpacing"] == [0.5, 0.25]
        assert found["ProtocolName"] == "12"
        assert found["Rows"] == 8
        assert found["ImageType"] == ["ORIGINAL", "PRIMARY", "AXIAL"]
        assert found["TransferSyntaxUID"] == "1.2.840.10008.1.2.1"

    def test_empty_attributes_are_absent(self) -> None:
        found = attributes_of(ct(SliceThickness=None, ProtocolName="", ImageType=["", ""]))
        assert not {"SliceThickness", "ProtocolName", "ImageType"} & set(found)

    @pytest.mark.parametrize("text", ["nan", "1e999", "0x10", "1_000", "٣", "1,5", "12mm"])
    def test_number_that_is_none_stays_text(self, text: str) -> None:
        dataset = ct(SliceThickness="1234567", SpecificCharacterSet="ISO_IR 192")
        content = to_bytes(dataset).replace(b"1234567 ", text.encode().ljust(8))
        found = queryable_attributes(read_header(io.BytesIO(content)))
        assert found["SliceThickness"] == text
        assert json.loads(to_json(found))

    def test_text_that_can_not_be_decoded_is_absent(self) -> None:
        content = to_bytes(ct(SeriesDescription="ABCD", SpecificCharacterSet="ISO_IR 192"))
        found = queryable_attributes(read_header(io.BytesIO(content.replace(b"ABCD", b"\xff\xfe\xfd\xfc"))))
        assert "SeriesDescription" not in found

    def test_floats_that_are_no_numbers_are_absent(self) -> None:
        assert "SpiralPitchFactor" not in attributes_of(ct(SpiralPitchFactor=math.nan))

    def test_shared_functional_groups_count_as_top_level(self) -> None:
        found = attributes_of(enhanced_mr(make_study(1)))
        assert found["Orientation"] in ("axial", "coronal", "sagittal")
        assert isinstance(found["SliceThickness"], int | float)

    @pytest.mark.parametrize(
        ("cosines", "orientation"),
        [
            ([1, 0, 0, 0, 1, 0], "axial"),
            ([-1, 0, 0, 0, -1, 0], "axial"),
            ([1, 0, 0, 0, 0, -1], "coronal"),
            ([0, 1, 0, 0, 0, -1], "sagittal"),
            ([1, 0, 0, 0, math.cos(0.5), math.sin(0.5)], "axial"),
            ([1, 0, 0, 0, math.cos(0.7), math.sin(0.7)], "oblique"),
            ([1, 0, 0, 1, 0, 0], None),
            ([0, 0, 0, 0, 0, 0], None),
            ([2, 0, 0, 0, 2, 0], None),
        ],
    )
    def test_orientation_is_that_of_the_plane(self, cosines: list[float], orientation: str | None) -> None:
        text = [f"{cosine:.6f}" for cosine in cosines]
        assert attributes_of(ct(ImageOrientationPatient=text)).get("Orientation") == orientation

    def test_frames_in_several_planes_have_no_orientation(self) -> None:
        dataset = enhanced_mr(make_study(1))
        for number, cosines in enumerate(([1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1])):
            plane = Dataset()
            plane.ImageOrientationPatient = cosines
            dataset.PerFrameFunctionalGroupsSequence[number].PlaneOrientationSequence = Sequence([plane])
        shared = dataset.SharedFunctionalGroupsSequence[0]
        if "PlaneOrientationSequence" in shared:
            del shared.PlaneOrientationSequence
        assert "Orientation" not in attributes_of(dataset)

    def test_slice_position_is_measured_along_the_normal(self) -> None:
        dataset = ct(ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImagePositionPatient=[-12.5, 3, 4])
        assert slice_position_mm(read_header(io.BytesIO(to_bytes(dataset)))) == 12.5


class TestRescan:
    def test_unchanged_files_are_not_read_again(self, project: Project, source: Path) -> None:
        save(ct(1), source / "a")
        (source / "b").write_bytes(zip_of({"m": to_bytes(ct(2))}))
        (source / "c").write_bytes(b"junk")
        run(project, source)
        before = catalogue(project)
        for path in source.iterdir():
            replace_unnoticed(path, bytes(path.stat().st_size))
        run(project, source)
        assert catalogue(project) == before

    def test_changed_file_is_read_again(self, project: Project, source: Path) -> None:
        save(ct(1), source / "a")
        run(project, source)
        save(ct(2, study=2, PatientID="LONGER THAN BEFORE"), source / "a")
        counts = run(project, source)
        assert (counts["files"], counts["instances"], counts["patients"], counts["series"]) == (1, 1, 1, 1)
        assert project.store.one("SELECT original_key FROM patients") == "LONGER THAN BEFORE"
        assert project.store.one("SELECT count(*) FROM attribute_sets") == 1

    def test_size_and_time_are_those_of_the_file_that_was_read(self, source: Path) -> None:
        # As a listing on Windows tells them late, or the file has changed since.
        save(ct(1), source / "a")
        (source / "b").write_bytes(zip_of({"m": to_bytes(ct(2))}))
        stale = tuple(Candidate(str(source / name), 1, 1) for name in "ab")
        (read,) = read_tasks(ArchiveLimits(), (FilesTask(1, stale),))
        assert isinstance(read, FilesRead)
        told = [(one.size, one.mtime_ns) for one in read.records] + [(one.size, one.mtime_ns) for one in read.archives]
        assert told == [((source / name).stat().st_size, (source / name).stat().st_mtime_ns) for name in "ab"]

    def test_changed_archive_is_read_again_with_all_members(self, project: Project, source: Path) -> None:
        (source / "a").write_bytes(zip_of({"1": to_bytes(ct(1)), "2": to_bytes(ct(2))}))
        run(project, source)
        (source / "a").write_bytes(zip_of({"3": to_bytes(ct(3))}))
        run(project, source)
        assert reasons(project, source) == {"a": Reason.ARCHIVE, "a!3": None}

    def test_archive_that_became_a_plain_file_loses_its_members(self, project: Project, source: Path) -> None:
        (source / "a").write_bytes(zip_of({"1": to_bytes(ct(1))}))
        run(project, source)
        save(ct(2), source / "a")
        run(project, source)
        assert reasons(project, source) == {"a": None}

    def test_vanished_file_loses_its_rows(self, project: Project, source: Path) -> None:
        save(ct(1), source / "sub" / "a")
        save(ct(1, study=2), source / "b")
        (source / "c").write_bytes(zip_of({"1": to_bytes(ct(1, study=3))}))
        run(project, source)
        shutil.rmtree(source / "sub")
        (source / "c").unlink()
        counts = run(project, source)
        assert (counts["files"], counts["patients"], counts["series"]) == (1, 1, 1)

    def test_other_sources_stay(self, project: Project, tmp_path: Path) -> None:
        for name in ("one", "one more", "two"):
            save(ct(1, study=len(name)), tmp_path / name / "x")
            run(project, tmp_path / name)
        (tmp_path / "one" / "x").unlink()
        run(project, tmp_path / "one")
        assert reasons(project, tmp_path) == {"one more/x": None, "two/x": None}

    def test_source_inside_a_known_one_and_around_it_gives_the_same(self, project: Project, source: Path) -> None:
        save(ct(1), source / "sub" / "a")
        save(ct(2), source / "b")
        run(project, source / "sub")
        run(project, source)
        before = catalogue(project)
        run(project, source / "sub")
        assert catalogue(project) == before
        (source / "sub" / "a").unlink()
        run(project, source / "sub")
        assert reasons(project, source) == {"b": None}

    def test_single_file_as_a_source_is_replaced_and_forgotten(self, project: Project, source: Path) -> None:
        (source / "a.zip").write_bytes(zip_of({"1": to_bytes(ct(1))}))
        (source / "b").write_bytes(b"")
        run(project, source / "a.zip", source / "b")
        (source / "a.zip").write_bytes(b"no archive")
        run(project, source / "a.zip")
        assert reasons(project, source) == {"a.zip": Reason.NOT_DICOM, "b": Reason.EMPTY_FILE}

    def test_file_that_could_not_be_opened_is_tried_again(self, project: Project, source: Path) -> None:
        save(ct(1), source / "a")
        run(project, source)
        project.store.execute("DELETE FROM instances")
        project.store.execute("UPDATE files SET verdict = 'unreadable', reason = 'worker-hung'")
        run(project, source)
        assert reasons(project, source) == {"a": None}

    def test_facts_of_a_series_that_changed_are_derived_anew(self, project: Project, source: Path) -> None:
        for number in (1, 2):
            save(ct(number), source / str(number))
        save(ct(1, study=2), source / "other")
        run(project, source)
        project.store.execute("UPDATE series SET facts = '{}'")
        (source / "2").unlink()
        run(project, source)
        facts = project.store.execute("SELECT facts FROM series ORDER BY facts IS NULL")
        assert [row["facts"] for row in facts] == ["{}", None]


class TestDuplicates:
    def test_same_bytes_count_once(self, project: Project, source: Path) -> None:
        content = to_bytes(ct(1))
        (source / "c").write_bytes(content)
        (source / "a").write_bytes(content)
        (source / "b").write_bytes(zip_of({"m": content, "n": content}))
        counts = run(project, source)
        assert (counts["instances"], counts["duplicates"], counts["conflicts"]) == (1, 3, 0)
        duplicate = Reason.DUPLICATE
        assert reasons(project, source) == {
            "a": None,
            "b": Reason.ARCHIVE,
            "b!m": duplicate,
            "b!n": duplicate,
            "c": duplicate,
        }

    @pytest.mark.parametrize("other", [{"SeriesDescription": "other"}, {"SeriesDescription": "a longer one"}])
    def test_other_bytes_are_a_conflict_of_all(self, other: dict[str, str], project: Project, source: Path) -> None:
        dataset = ct(1, SeriesDescription="first")
        save(dataset, source / "a")
        save(dataset, source / "b")
        for keyword, value in other.items():
            setattr(dataset, keyword, value)
        save(dataset, source / "c")
        counts = run(project, source)
        assert (counts["instances"], counts["duplicates"], counts["conflicts"]) == (0, 0, 3)

    def test_reasons_follow_when_files_come_and_go(self, project: Project, source: Path) -> None:
        content = to_bytes(ct(1, SeriesDescription="first"))
        other = to_bytes(ct(1, SeriesDescription="other"))
        duplicate, conflict = Reason.DUPLICATE, Reason.CONFLICT
        history: list[tuple[dict[str, bytes | None], dict[str, str | None]]] = [
            ({"b": content}, {"b": None}),
            ({"c": content}, {"b": None, "c": duplicate}),
            ({"a": content}, {"a": None, "b": duplicate, "c": duplicate}),
            ({"d": other}, dict.fromkeys("abcd", conflict)),
            ({"d": None}, {"a": None, "b": duplicate, "c": duplicate}),
            ({"a": None}, {"b": None, "c": duplicate}),
            ({"b": other}, {"b": conflict, "c": conflict}),
            ({"b": None}, {"c": None}),
        ]
        for changes, expected in history:
            for name, new in changes.items():
                if new is None:
                    (source / name).unlink()
                else:
                    (source / name).write_bytes(new)
            run(project, source)
            assert reasons(project, source) == expected

    def test_settled_ones_are_not_hashed_again(self, project: Project, source: Path) -> None:
        for name in ("a", "b"):
            save(ct(1), source / name)
        run(project, source)
        replace_unnoticed(source / "b", bytes((source / "b").stat().st_size))
        run(project, source)
        assert reasons(project, source) == {"a": None, "b": Reason.DUPLICATE}

    def test_copy_that_is_damaged_further_down_is_unreadable(self, project: Project, source: Path) -> None:
        content = to_bytes(ct_series(make_study(1), slices=1, rows=256, columns=256)[0])
        save_zip = bytearray(zip_of({"m": content}))
        save_zip[-3000] ^= 0xFF
        (source / "a").write_bytes(save_zip)
        (source / "b").write_bytes(content)
        run(project, source)
        assert reasons(project, source) == {"a": Reason.ARCHIVE, "a!m": Reason.ARCHIVE_DAMAGED, "b": None}


class TestArchives:
    def test_members_that_lead_outside_are_listed_and_nothing_is_written(self, project: Project, source: Path) -> None:
        (source / "a").write_bytes(zip_of({"../evil": to_bytes(ct(1)), "fine": to_bytes(ct(2))}))
        run(project, source)
        assert reasons(project, source) == {
            "a": Reason.ARCHIVE,
            "a!../evil": Reason.MEMBER_PATH_ESCAPES,
            "a!fine": None,
        }
        assert sorted(path.name for path in source.parent.iterdir()) == ["project", "source"]

    def test_limits_have_their_reasons(self, project: Project, source: Path) -> None:
        (source / "a").write_bytes(zip_of({str(number): b"x" for number in range(5)}))
        limits = ArchiveLimits(members=3)
        list(scan(project, [source], SerialExecutor(), limits))
        assert reasons(project, source)["a"] == Reason.ARCHIVE_TOO_MANY_MEMBERS
        assert project.store.one("SELECT verdict FROM files WHERE reason LIKE 'archive%'") == "unreadable"

    @pytest.mark.parametrize("compression", ["", "gz", "bz2", "xz"])
    def test_last_member_of_a_tar_that_was_cut_is_unreadable(
        self, compression: str, project: Project, source: Path
    ) -> None:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=f"w:{compression}") as archive:  # type: ignore[call-overload]
            for number in (1, 2):
                content = to_bytes(ct_series(make_study(number), slices=1, rows=256, columns=256)[0])
                info = tarfile.TarInfo(str(number))
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        whole = buffer.getvalue()
        (source / "a").write_bytes(whole[: len(whole) * 9 // 10] if compression else whole[:200_000])
        run(project, source)
        found = reasons(project, source)
        assert found.pop("a") == Reason.ARCHIVE_DAMAGED
        assert found.get("a!2") in (Reason.ARCHIVE_DAMAGED, None)
        assert [name for name, reason in found.items() if reason is None] in ([], ["a!1"])

    def test_archive_is_read_in_several_calls(self, source: Path) -> None:
        inner = zip_of({str(number): b"x" for number in range(5)})
        (source / "a").write_bytes(zip_of({"1": b"x", "in": inner, "2": b"x", "in2": inner}))
        task = ArchiveTask(1, Candidate(str(source / "a"), 1, 1), 3)
        locators: list[str] = []
        while True:
            (result,) = read_tasks(ArchiveLimits(), (task,))
            assert isinstance(result, ArchiveRead)
            locators += [record.original_locator for record in result.records]
            assert len(result.records) <= 3
            if result.next_start is None:
                break
            task = ArchiveTask(1, task.file, 3, result.next_start, result.spent)
        assert len(locators) == len(set(locators)) == 14


class DyingExecutor:
    """Dies, as a process pool would, over every file whose name has ``killer`` in it."""

    window = 1
    blames_surely = True
    deaths: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        future: Future[R] = Future()
        (task,) = arguments[1]
        if isinstance(task, FilesTask) and any("killer" in file.original_path for file in task.files):
            future.set_exception(BrokenProcessPool())
            return future
        result = function(*arguments)
        records = getattr(result[0], "records", ())  # type: ignore[index]
        if any("killer" in record.original_locator and record.reason is None for record in records):
            future.set_exception(BrokenProcessPool())
        else:
            future.set_result(result)
        return future

    def started(self, future: Future[Any]) -> float | None:
        """Nothing runs while somebody asks."""
        return None

    def stop(self, future: Future[Any]) -> None:
        """Nothing runs that could be stopped."""


class TestWorkersThatDie:
    def test_file_that_kills_its_worker_costs_itself_only(self, project: Project, source: Path) -> None:
        for number in range(20):
            save(ct(number + 1), source / ("killer" if number == 7 else str(number)))
        counts = run(project, source, executor=DyingExecutor())
        assert (counts["instances"], counts["unreadable"]) == (19, 1)
        assert reasons(project, source)["killer"] == Reason.WORKER_CRASHED

    def test_member_that_kills_its_worker_costs_itself_only(self, project: Project, source: Path) -> None:
        slices = ct_series(make_study(1), slices=40, rows=8, columns=8)
        inner = zip_of({"killer 2": to_bytes(slices[38]), "z": to_bytes(slices[39])})
        members = {("killer" if n == 20 else f"{n}"): to_bytes(slices[n]) for n in range(38)}
        (source / "a").write_bytes(zip_of(members | {"inner": inner}))
        counts = run(project, source, executor=DyingExecutor())
        assert (counts["instances"], counts["unreadable"], counts["skipped"]) == (38, 2, 2)
        found = reasons(project, source)
        assert found["a!killer"] == found["a!inner!killer 2"] == Reason.WORKER_CRASHED
        assert found["a"] == found["a!inner"] == Reason.ARCHIVE


class TestInterruption:
    @pytest.fixture
    def export(self, tmp_path: Path) -> Path:
        folder = tmp_path / "pacs"
        write_pacs_export(folder, 1, slices=2, size=16)
        save(ct(1), folder / "conflict 1")
        save(ct(1, SeriesDescription="other"), folder / "conflict 2")
        return folder

    @pytest.fixture
    def undisturbed(self, export: Path, tmp_path: Path) -> list[tuple[Any, ...]]:
        create_project(tmp_path / "undisturbed", "SITE", None)
        with Project(tmp_path / "undisturbed") as project:
            run(project, export)
            return catalogue(project)

    def test_scan_that_is_closed_at_any_event_is_finished_by_the_next(
        self, export: Path, undisturbed: list[tuple[Any, ...]], tmp_path: Path
    ) -> None:
        for stop in range(100):
            create_project(tmp_path / f"p{stop}", "SITE", None)
            with Project(tmp_path / f"p{stop}") as project:
                job = scan(project, [export], SerialExecutor())
                events = [event for _, event in zip(range(stop + 1), job, strict=False)]
                job.close()
                assert is_complete(project) is isinstance(events[-1], Finished)
                if isinstance(events[-1], Finished):
                    return
                run(project, export)
                assert is_complete(project)
                assert catalogue(project) == undisturbed
        pytest.fail("the scan did not end")

    def test_scan_that_is_killed_is_finished_by_the_next(
        self, export: Path, undisturbed: list[tuple[Any, ...]], tmp_path: Path
    ) -> None:
        script = (
            "import sys; from pathlib import Path; from app.project.folder import Project;"
            "from app.catalog.step import scan; from app.jobs.executors import SerialExecutor\n"
            "with Project(Path(sys.argv[1])) as project:\n"
            "    for event in scan(project, [Path(sys.argv[2])], SerialExecutor()):\n"
            "        print(event, flush=True)\n"
            "        if project.store.one('SELECT count(*) FROM files') >= int(sys.argv[3]):\n"
            "            sys.stdin.read()\n"
        )
        for rows in (1, len(undisturbed) // 3):
            root = tmp_path / f"killed {rows}"
            create_project(root, "SITE", None)
            with subprocess.Popen(
                [sys.executable, "-c", script, str(root), str(export), str(rows)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=Path(__file__).parents[2],
            ) as process:
                assert process.stdout is not None
                process.stdout.readline()
                deadline = time.monotonic() + 60
                while not _has_files(root, rows) and time.monotonic() < deadline:
                    process.stdout.readline()
                process.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
            with Project(root) as project:
                run(project, export)
                assert catalogue(project) == undisturbed

    def test_processes_give_the_same_catalogue(
        self, export: Path, undisturbed: list[tuple[Any, ...]], project: Project
    ) -> None:
        with ProcessExecutor(2) as executor:
            run(project, export, executor=executor)
        assert catalogue(project) == undisturbed


def _has_files(root: Path, rows: int) -> bool:
    import sqlite3

    connection = sqlite3.connect(f"file:{root / 'catalog.sqlite'}?mode=ro", uri=True)
    try:
        return bool(connection.execute("SELECT count(*) FROM files").fetchone()[0] >= rows)
    finally:
        connection.close()


@needs_real_files
class TestRealFiles:
    def test_every_real_file_is_accounted_for(self, project: Project) -> None:
        counts = run(project, REAL_FILES)
        on_disk = {str(path.resolve()) for path in iterate_real_files()}
        listed = [Locator.from_text(row.original_locator) for row in list_files(project)]
        assert {locator.original_path for locator in listed} == on_disk
        assert counts["files"] == len(listed) > len(on_disk)
        found = reasons(project, REAL_FILES)
        assert found["zips/corrupt_truncated.zip"] == Reason.ARCHIVE_DAMAGED
        assert found["zips/study_nested_and_traversal.zip!../evil_traversal.dcm"] == Reason.MEMBER_PATH_ESCAPES
        assert found["zips/study_nested_and_traversal.zip!EXPORT/more.zip!deep/CT_small"] == Reason.CONFLICT
        assert found["zips/dupe-positions.zip!CT2.dcm"] is None
        assert found["zips/abd1.zip!adb1_1.dcm"] == Reason.DUPLICATE
        assert found["odd/dup_sop_uid/b_identical_copy.dcm"] == Reason.CONFLICT
        assert found["odd/zero_bytes.dcm"] == Reason.EMPTY_FILE
        assert found["odd/photo.jpg"] == Reason.NOT_DICOM
        assert found["pacs_cd/DICOMDIR"] == Reason.DICOMDIR

    def test_rescan_of_real_files_changes_nothing(self, project: Project) -> None:
        run(project, REAL_FILES)
        before = catalogue(project)
        run(project, REAL_FILES)
        assert catalogue(project) == before
