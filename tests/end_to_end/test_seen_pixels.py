"""Pixels leave as they were when text was looked for in them, or not at all; the bundle is the same without knowing."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from app.bundle.verify import verify_bundle
from app.catalog.step import scan
from app.deid.step import prepare
from app.detection.step import detect
from app.errors import Reason
from app.jobs.executors import SerialExecutor
from app.pipeline.export import export
from app.project.folder import Project
from app.selection.step import select
from tests.end_to_end import interrupted
from tests.end_to_end.interrupted import SLICES_CT, SLICES_MR, write_source


@pytest.fixture
def job(tmp_path: Path) -> interrupted.Job:
    write_source(tmp_path / "source", patients=1, size_px=16)
    return interrupted.Job.create(tmp_path / "source", tmp_path / "job")


@pytest.fixture
def project(job: interrupted.Job) -> Iterator[Project]:
    with Project(job.project) as project:
        executor = SerialExecutor()
        list(scan(project, [job.source], executor))
        list(select(project, None, None))
        list(detect(project, executor))
        list(prepare(project, executor, unattended=True))
        yield project


def released(job: interrupted.Job) -> int:
    report = verify_bundle([job.out])
    assert report.findings == ()
    return sum(part.instances for part in report.parts)


def parts(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(out.glob("*.zip"))}


def test_what_was_looked_through_is_what_pixel_data_holds(project: Project) -> None:
    rows = project.store.execute(
        "SELECT f.original_locator, d.sha256 FROM pixel_digests d JOIN instances i ON i.id = d.instance_id "
        "JOIN files f ON f.id = i.file_id"
    ).fetchall()
    assert len(rows) == SLICES_CT + SLICES_MR
    for locator, sha256 in rows:
        pixels = pydicom.dcmread(locator.strip('[]"')).PixelData
        assert hashlib.sha256(pixels).hexdigest() == sha256


def test_pixels_that_changed_stay_until_they_were_looked_through_again(project: Project, job: interrupted.Job) -> None:
    path = next(job.source.rglob("IM0002"))
    before, content = path.stat(), bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    list(export(project, job.out, SerialExecutor(), unattended=True))
    held_back = project.store.execute("SELECT state_reason FROM instances WHERE state = 'held-back'").fetchall()
    assert [row["state_reason"] for row in held_back] == [Reason.IMAGE_NOT_CHECKED]
    assert released(job) == SLICES_CT + SLICES_MR - 1
    for step in (detect(project, SerialExecutor()), prepare(project, SerialExecutor(), unattended=True)):
        list(step)
    list(export(project, job.out, SerialExecutor(), unattended=True))
    assert released(job) == SLICES_CT + SLICES_MR


def test_bundle_is_the_same_where_nobody_knows_them(project: Project, job: interrupted.Job, tmp_path: Path) -> None:
    list(export(project, job.out, SerialExecutor(), unattended=True))
    project.store.execute("DELETE FROM pixel_digests")
    list(export(project, tmp_path / "again", SerialExecutor(), unattended=True))
    assert parts(job.out) == parts(tmp_path / "again")
