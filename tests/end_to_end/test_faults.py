"""What goes wrong around a job: what the user reads, and the state after it. Kills and full disks lie elsewhere."""

import errno
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.bundle.verify import verify_bundle
from app.catalog.step import scan
from app.cli.main import cli
from app.dataset.step import check_dataset
from app.deid.step import prepare
from app.detection.step import detect
from app.errors import ProjectError, Reason, UsageError
from app.events import Job as Steps
from app.jobs.executors import SerialExecutor
from app.pipeline.export import export
from app.project.faults import fault_of
from app.project.folder import Layout, Project
from app.project.sources import is_gone
from app.project.store import Store
from app.review.dump import build_dump
from app.selection.step import select
from app.signoff.step import approve, missing_approvals
from app.text.messages import ERRORS
from tests.end_to_end.interrupted import Job, write_source
from tests.factory import ct_series, make_study, save

INSTANCES = 30


@pytest.fixture
def job(tmp_path: Path) -> Job:
    assert write_source(tmp_path / "source", patients=1, size_px=16) == INSTANCES
    return Job.create(tmp_path / "source", tmp_path / "job")


@pytest.fixture
def project(job: Job) -> Iterator[Project]:
    with Project(job.project) as project:
        yield project


def run(steps: Steps) -> None:
    for _ in steps:
        pass


def run_until(project: Project, job: Job, step: str) -> None:
    """All steps before ``step``."""
    executor = SerialExecutor()
    steps: dict[str, Callable[[], Steps]] = {
        "scan": lambda: scan(project, [job.source], executor),
        "select": lambda: select(project, None, None),
        "detect": lambda: detect(project, executor),
        "prepare": lambda: prepare(project, executor, unattended=True),
        "export": lambda: export(project, job.out, executor, unattended=True),
    }
    for name, make in steps.items():
        if name == step:
            return
        run(make())


def states(project: Project) -> dict[str | None, int]:
    """Reasons of what is held back, and how many instances have them."""
    rows = project.store.execute(
        "SELECT state_reason, count(*) AS n FROM instances WHERE selected = 1 GROUP BY state_reason"
    )
    return {row["state_reason"]: row["n"] for row in rows}


def consign(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments])


# a drive that goes away and returns ----------------------------------------------


@pytest.mark.parametrize("step", ["detect", "prepare", "export"])
def test_drive_that_goes_away_stops_the_step_and_costs_nothing(project: Project, job: Job, step: str) -> None:
    run_until(project, job, step)
    away = job.source.rename(job.source.with_name("away"))
    with pytest.raises(UsageError) as caught:
        run(_only(project, job, step))
    assert (caught.value.code, caught.value.ids) == ("source-gone", {"number": 1})
    assert "Connect its drive again" in ERRORS["source-gone"]
    away.rename(job.source)
    for name in ("detect", "prepare", "export"):
        run(_only(project, job, name))
    assert sum(part.instances for part in verify_bundle([job.out]).parts) == INSTANCES


def _only(project: Project, job: Job, step: str) -> Steps:
    executor = SerialExecutor()
    match step:
        case "detect":
            return detect(project, executor)
        case "prepare":
            return prepare(project, executor, unattended=True)
        case _:
            return export(project, job.out, executor, unattended=True)


def test_drive_that_goes_away_during_a_scan_loses_no_row(project: Project, job: Job) -> None:
    run_until(project, job, "detect")
    for path in job.source.rglob("IM*"):
        os.utime(path, (1, 1))  # so that every file is read again
    steps = scan(project, [job.source], SerialExecutor())
    next(steps)
    away = job.source.rename(job.source.with_name("away"))
    job.source.mkdir()  # the place of the drive stays, and is empty
    with pytest.raises(UsageError, match="source-gone"):
        run(steps)
    job.source.rmdir()
    away.rename(job.source)
    run_until(project, job, "end")
    assert sum(part.instances for part in verify_bundle([job.out]).parts) == INSTANCES


def test_drive_that_is_away_for_a_moment_keeps_nothing_back(
    project: Project, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_until(project, job, "export")

    class Shaky(SerialExecutor):
        tries = 0

        def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
            self.tries += 1
            away = job.source.rename(job.source.with_name("away")) if self.tries == 1 else None
            try:
                return super().submit(function, *arguments)
            finally:
                if away is not None:
                    away.rename(job.source)

    run(export(project, job.out, Shaky(), unattended=True))
    assert states(project) == {None: INSTANCES}
    assert sum(part.instances for part in verify_bundle([job.out]).parts) == INSTANCES


def test_an_empty_place_is_a_drive_that_is_gone(tmp_path: Path) -> None:
    assert is_gone(str(tmp_path / "none"))
    assert is_gone(str(tmp_path))
    (tmp_path / "file").touch()
    assert not is_gone(str(tmp_path))
    assert not is_gone(str(tmp_path / "file"))


# source files ---------------------------------------------------------------------


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"CT", b"MR", 1))


def shrink(path: Path) -> None:
    status = path.stat()
    path.write_bytes(path.read_bytes()[:-100])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def put_a_folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


def lock(path: Path) -> None:
    path.chmod(0)


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (change, Reason.CHANGED_SINCE_SCAN),
        (shrink, Reason.CHANGED_SINCE_SCAN),
        (Path.unlink, Reason.VANISHED),
        (put_a_folder_there, Reason.NOT_A_REGULAR_FILE),
        pytest.param(
            lock,
            Reason.UNREADABLE_IO,
            marks=pytest.mark.skipif(
                sys.platform == "win32" or os.geteuid() == 0,
                reason="root may read all, and Windows has no modes",
            ),
        ),
    ],
)
def test_file_that_changes_under_an_export_is_held_back_alone(
    project: Project, job: Job, harm: Callable[[Path], None], reason: Reason
) -> None:
    run_until(project, job, "export")
    harm(job.source / "P000" / "IM0003")
    run(export(project, job.out, SerialExecutor(), unattended=True))
    assert states(project) == {None: INSTANCES - 1, reason.value: 1}
    report = verify_bundle([job.out])
    assert report.findings == ()
    assert sum(part.instances for part in report.parts) == INSTANCES - 1


# the system -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "no-room"),
        (errno.EDQUOT, "no-room"),
        (errno.EACCES, "no-right"),
        (errno.EROFS, "no-right"),
        (errno.EIO, "no-drive"),
        (errno.ESTALE, "no-drive"),
        (errno.ENOENT, "no-drive"),
    ],
)
def test_what_the_system_refuses_has_a_sentence_that_says_what_to_do(number: int, code: str) -> None:
    fault = fault_of(OSError(number, "ZZCANARY", "/ZZCANARY"))
    assert fault is not None
    assert (fault.code, str(fault)) == (code, code)
    assert "nothing is lost" in ERRORS[code]


def test_a_defect_is_no_fault_of_the_system() -> None:
    assert fault_of(ValueError("x")) is None
    assert fault_of(sqlite3.ProgrammingError("x")) is None
    assert fault_of(OSError(errno.EINVAL, "x")) is None


def test_database_without_room_keeps_what_it_had(tmp_path: Path) -> None:
    store = Store(tmp_path / "catalog.sqlite")
    store.set_meta("kept", "yes")
    store.execute(f"PRAGMA max_page_count = {store.one('PRAGMA page_count') + 1}")
    with pytest.raises(sqlite3.Error) as caught, store.transaction():
        for number in range(100):
            store.set_meta(f"{number}", "x" * 9000)
    fault = fault_of(caught.value)
    assert fault is not None
    assert fault.code == "no-room"
    store.close()
    again = Store(tmp_path / "catalog.sqlite")
    assert (again.get_meta("kept"), again.get_meta("0")) == ("yes", None)
    again.close()


@pytest.mark.parametrize("where", ["header", "middle"])
def test_damaged_database_is_told_and_nothing_is_written(job: Job, where: str) -> None:
    with Project(job.project) as project:
        run_until(project, job, "export")
    catalog = Layout(job.project).catalog
    content = bytearray(catalog.read_bytes())
    start = 0 if where == "header" else 4096
    content[start : start + 40_000] = b"\xa5" * len(content[start : start + 40_000])
    catalog.write_bytes(content)
    result = consign("export", job.project, "--out", job.out, "--unattended", "--workers", "serial")
    assert result.exit_code != 0
    assert ERRORS["database-damaged"] in result.output
    assert not list(job.out.glob("*.zip")) if job.out.exists() else True
    assert catalog.read_bytes() == content


def test_project_that_is_no_longer_there_is_told(job: Job) -> None:
    with pytest.raises(ProjectError, match="not-a-project"), Project(job.project / "gone"):
        pass
    result = consign("prepare", job.project, "--workers", "serial")
    assert ERRORS["nothing-selected"] in result.output


# the clock --------------------------------------------------------------------------


def test_clock_that_is_set_back_changes_nothing_but_the_times(project: Project, job: Job) -> None:
    executor = SerialExecutor()
    run_until(project, job, "prepare")
    run(prepare(project, executor))
    run(check_dataset(project))
    now = datetime(2026, 3, 1, tzinfo=UTC)
    rows = build_dump(project)
    roles = missing_approvals(project, rows)
    for number, role in enumerate(roles):
        approve(project, rows, f"Person {number}", role, now - timedelta(days=900 * number))
    assert missing_approvals(project, rows) == []
    run(export(project, job.out, executor, unattended=False, clock=lambda: datetime(1999, 1, 1, tzinfo=UTC)))
    before = job.bundle()
    # The second export finds parts that were made "in the future", and they are right.
    run(export(project, job.out, executor, unattended=False, clock=lambda: datetime(1980, 1, 1, tzinfo=UTC)))
    assert job.bundle() == before


# paths ------------------------------------------------------------------------------

NAMES = (
    "CON", "nul.dcm", "aux", "IM 1", " leading", "trailing.", "山田太郎.dcm", "Ä́ö\u0308", "🩻", "quote'\"", "a;b|c&d",
    "%41#?", "-rf", "line\nbreak", "tab\t", "ZZCANARY^NAME",
)  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such names")
def test_names_of_any_kind_and_length_are_read_and_told(tmp_path: Path) -> None:
    deep = tmp_path / "source" / "/".join(["long folder name of forty characters ..."] * 40)
    images = ct_series(make_study(3), slices=len(NAMES) + 2, rows=8, columns=8)
    for name, image in zip(NAMES, images, strict=False):
        save(image, tmp_path / "source" / name)
    save(images[-1], deep / ("x" * 250))
    not_text = os.fsdecode(b"\xff\xfe name.dcm")
    save(images[-2], tmp_path / "source" / not_text)
    root = tmp_path / "prüfung 50 % #1?"
    job = Job.create(tmp_path / "source", root)
    result = consign(
        *("run", job.source, "--project", job.project, "--out", job.out, "--site", "SITEA"),
        *("--unattended", "--workers", "serial"),
    )
    assert result.exit_code == 0, result.output
    assert sum(part.instances for part in verify_bundle([job.out]).parts) == len(NAMES) + 2
    listed = tmp_path / "files.csv"
    assert consign("files", job.project, "--csv", listed).exit_code == 0
    assert "山田太郎.dcm" in listed.read_text(encoding="utf-8-sig")
    with Project(job.project) as project, project.reader() as reader:
        assert states(reader) == {None: len(NAMES) + 2}
