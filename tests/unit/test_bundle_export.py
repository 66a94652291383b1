"""The export job: whole, the same bytes every time, resumable, and clear about what went wrong."""

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import bagit
import pytest

from app.bundle.step import export
from app.bundle.verify import verify_bundle
from app.errors import BundleError, ReleaseBlockedError, UsageError
from app.events import Finished, Note, Progress
from app.jobs.executors import ProcessExecutor, SerialExecutor
from app.project.folder import Project
from tests.unit.bundle_project import (
    CODES,
    contents_of,
    make_project,
    make_release,
    misbehave,
    read_entries,
    run_export,
)

PARTS = [f"SITEA-lung-1-part-00{number}.zip" for number in (1, 2, 3)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    # 1 MB holds 11 of these instances: patient 2 (code A...) 8, patient 3 (B...) 9, patient 1 (C...) 2.
    return make_project(tmp_path / "site", {1: 2, 2: 8, 3: 9})


def notes(events: list[object]) -> list[str]:
    return [event.code for event in events if isinstance(event, Note)]


def test_the_bundle_is_whole_and_verifies(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    events = run_export(root, out)
    assert sorted(contents_of(out)) == sorted([*PARTS[:2], "SHA256SUMS", "report.html", "verify.py"])
    report = verify_bundle([out])
    assert report.findings == ()
    assert [part.instances for part in report.parts] == [8, 11]
    assert isinstance(events[-1], Finished)
    assert events[-1].counts["instances"] == 19
    progress = [event for event in events if isinstance(event, Progress)]
    assert [(event.done, event.total) for event in progress] == [(0, 19), (8, 19), (19, 19)]


def test_patients_stand_in_order_of_their_codes_under_released_names(root: Path, tmp_path: Path) -> None:
    run_export(root, tmp_path / "out")
    names = [name for part in PARTS[:2] for name in read_entries(tmp_path / "out" / part) if name.startswith("data/")]
    patients = [name.split("/")[1] for name in names]
    assert patients == sorted(patients)
    assert set(patients) == set(CODES.values())


def test_usual_tools_accept_a_part(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_export(root, out)
    for part in PARTS[:2]:
        with zipfile.ZipFile(out / part) as archive:
            assert archive.testzip() is None
            archive.extractall(tmp_path / "extracted")
        bag = bagit.Bag(str(tmp_path / "extracted" / Path(part).stem))
        assert bag.validate()
        assert bag.info["Bag-Group-Identifier"] == "SITEA-lung-1"
        if unzip := shutil.which("unzip"):
            subprocess.run([unzip, "-tq", out / part], check=True, capture_output=True)
    if sha256sum := shutil.which("sha256sum"):
        subprocess.run([sha256sum, "-c", "--strict", "SHA256SUMS"], check=True, cwd=out, capture_output=True)


def test_same_inputs_are_same_bytes_wherever_and_with_however_many_workers(root: Path, tmp_path: Path) -> None:
    run_export(root, tmp_path / "first")
    with ProcessExecutor(2) as executor:
        run_export(root, tmp_path / "elsewhere" / "second", executor=executor)
    assert contents_of(tmp_path / "first") == contents_of(tmp_path / "elsewhere" / "second")


def test_a_finished_export_is_not_built_again(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_export(root, out)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.zip")}
    events = run_export(root, out)
    assert {path: path.stat().st_mtime_ns for path in out.glob("*.zip")} == before
    assert isinstance(events[-1], Finished)
    assert events[-1].counts["reused_parts"] == 2


def test_an_interrupted_export_ends_with_the_same_bytes(root: Path, tmp_path: Path) -> None:
    run_export(root, tmp_path / "undisturbed")
    out = tmp_path / "out"
    with Project(root) as project:
        job = export(project, out, SerialExecutor(), make_release())
        while not (out / PARTS[0]).exists():
            next(job)
        job.close()
    assert not (out / "SHA256SUMS").exists()
    (out / f"{PARTS[1]}.0123abcd.part").write_bytes(b"half a part")
    events = run_export(root, out)
    assert "leftover-removed" in notes(list(events))
    assert contents_of(out) == contents_of(tmp_path / "undisturbed")


def test_a_kill_between_rename_and_row_is_made_good(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_export(root, out)
    before = contents_of(out)
    with Project(root) as project:
        project.store.execute("DELETE FROM parts WHERE number = 2")
    (out / "SHA256SUMS").unlink()
    run_export(root, out)
    assert contents_of(out) == before


def test_a_damaged_part_is_built_again(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_export(root, out)
    before = contents_of(out)
    content = bytearray((out / PARTS[0]).read_bytes())
    content[5000] ^= 1
    (out / PARTS[0]).write_bytes(content)
    run_export(root, out)
    assert contents_of(out) == before


def test_another_recipe_builds_every_part_anew(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_export(root, out)
    events = run_export(root, out, make_release(digest="recipe-2"))
    assert isinstance(events[-1], Finished)
    assert events[-1].counts["reused_parts"] == 0


def test_parts_that_the_plan_no_longer_has_are_removed(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_export(root, out)
    with Project(root) as project:
        project.store.execute("UPDATE instances SET selected = 0 WHERE series_id IN (4, 5)")
    events = run_export(root, out)
    assert "stale-part-removed" in notes(list(events))
    assert [path.name for path in sorted(out.glob("*.zip"))] == PARTS[:1]
    assert verify_bundle([out]).findings == ()


@pytest.mark.parametrize(("behaviour", "reason"), [("vanished", "vanished"), ("truncated", "changed-since-scan")])
def test_a_source_that_changed_is_held_back_and_the_rest_leaves(
    root: Path, tmp_path: Path, behaviour: str, reason: str
) -> None:
    with Project(root) as project:
        for number in (3, 4, 15):
            misbehave(project, number, behaviour)
    events = run_export(root, tmp_path / "out")
    assert isinstance(events[-1], Finished)
    assert (events[-1].counts["instances"], events[-1].counts["held_back"]) == (16, 3)
    with Project(root) as project:
        rows = project.store.execute("SELECT id, state_reason FROM instances WHERE state = 'held-back' ORDER BY id")
        assert [tuple(row) for row in rows] == [(3, reason), (4, reason), (15, reason)]
    assert verify_bundle([tmp_path / "out"]).findings == ()
    assert not list((tmp_path / "out").glob("*.part"))


def test_when_all_sources_are_gone_nothing_is_exported(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        for number in range(1, 20):
            misbehave(project, number, "vanished")
    with pytest.raises(ReleaseBlockedError, match="nothing-to-export"):
        run_export(root, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_instance_that_kills_its_worker_is_held_back(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        misbehave(project, 5, "crash")
    with ProcessExecutor(2) as executor:
        run_export(root, tmp_path / "out", executor=executor)
    with Project(root) as project:
        rows = project.store.execute("SELECT id, state_reason FROM instances WHERE state = 'held-back'")
        assert [tuple(row) for row in rows] == [(5, "worker-crashed")]
    assert verify_bundle([tmp_path / "out"]).findings == ()


def test_an_unapproved_value_stops_the_export_without_a_final_name(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        misbehave(project, 5, "unapproved")
        with pytest.raises(BundleError) as caught:
            list(export(project, tmp_path / "out", SerialExecutor(), make_release()))
    assert caught.value.code == "verification-failed"
    assert caught.value.ids["part"] == 1
    assert list((tmp_path / "out").iterdir()) == []
    assert "somebody" not in str(caught.value)


def test_an_odd_file_is_held_back_alone_and_named(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        misbehave(project, 5, "short-pixels")
    events = run_export(root, tmp_path / "out")
    notes = [event.ids.get("finding") for event in events if isinstance(event, Note)]
    assert notes == ["pixel-length", None]
    with Project(root) as project:
        rows = project.store.execute("SELECT id, state_reason FROM instances WHERE state = 'held-back'")
        assert [tuple(row) for row in rows] == [(5, "not-verified")]
    assert verify_bundle([tmp_path / "out"]).findings == ()


def test_a_finding_is_named_before_the_export_stops(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        misbehave(project, 5, "unapproved")
        job = export(project, tmp_path / "out", SerialExecutor(), make_release())
        found = []
        with pytest.raises(BundleError):
            for event in job:
                found.append(event)
    note = next(event for event in found if isinstance(event, Note))
    assert (note.ids["finding"], note.ids["path"]) == ("value-not-approved", "SeriesDescription")


def test_an_original_identifier_stops_the_export(root: Path, tmp_path: Path) -> None:
    release = make_release(identifiers=lambda patient: ("LUNGE^NATIV",))
    with pytest.raises(BundleError, match="verification-failed"):
        run_export(root, tmp_path / "out", release)


def test_a_full_disk_is_said_and_leaves_no_half_part(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        misbehave(project, 5, "full-disk")
    with pytest.raises(ReleaseBlockedError, match="disk-full"):
        run_export(root, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_too_little_space_is_said_before_anything_is_written(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        project.store.execute("UPDATE instances SET released_size = ?", (1 << 50,))
    with pytest.raises(ReleaseBlockedError, match="disk-full") as caught:
        run_export(root, tmp_path / "out")
    assert int(caught.value.ids["needed_mb"]) > 1 << 30


@pytest.mark.parametrize(
    "name", ["SHA256SUMS", "report.html", "verify.py", PARTS[1], "Report.HTML", "sha256sums", PARTS[1].swapcase()]
)
def test_files_of_somebody_else_are_never_overwritten(root: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / name).write_text("mine")
    with pytest.raises(UsageError, match="out-has-foreign-files"):
        run_export(root, out)
    assert (out / name).read_text() == "mine"


def test_other_files_in_the_folder_stay(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    run_export(root, out)
    assert (out / "notes.txt").read_text() == "mine"


def test_a_patient_larger_than_a_part_is_split_over_parts(tmp_path: Path) -> None:
    root = make_project(tmp_path / "site", {1: 25})
    run_export(root, tmp_path / "out")
    report = verify_bundle([tmp_path / "out"])
    assert report.findings == ()
    assert [part.instances for part in report.parts] == [11, 11, 3]


def test_encapsulated_and_pixelless_instances_come_through(root: Path, tmp_path: Path) -> None:
    with Project(root) as project:
        misbehave(project, 3, "jpeg")
        misbehave(project, 4, "no-pixels")
    run_export(root, tmp_path / "out")
    assert verify_bundle([tmp_path / "out"]).findings == ()


def test_the_sign_off_and_the_card_say_that_nobody_looked(root: Path, tmp_path: Path) -> None:
    from app.bundle.sign_off import SignOffRecord

    record = SignOffRecord((), unattended=True, digest="")
    run_export(root, tmp_path / "out", make_release(sign_off=record))
    entries = read_entries(tmp_path / "out" / PARTS[0])
    for name in ("signoff.json", "dataset-card.json"):
        content = json.loads(entries[f"metadata/{name}"])
        review = content.get("review", content)
        assert review["unattended"] is True
        assert review["statement"].startswith("NO PERSON REVIEWED THIS")
    assert verify_bundle([tmp_path / "out"]).parts[0].unattended


def test_part_sizes_stay_below_the_protocols(root: Path, tmp_path: Path) -> None:
    run_export(root, tmp_path / "out")
    assert all(path.stat().st_size <= 1_000_000 for path in (tmp_path / "out").glob("*.zip"))
