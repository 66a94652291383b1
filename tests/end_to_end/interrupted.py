"""The real command line on a synthetic export, interrupted from outside; for the tests and benchmarks/kill_test.py."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.project.folder import Layout, create_project
from tests.factory import ct_series, make_study, mr_series, save

ROOT = Path(__file__).resolve().parents[2]
SLICES_CT, SLICES_MR = 24, 6
PROTOCOL = """id = "interrupted"
title = "Interrupted"
contact = "nobody"
[selection]
where = 'Modality in ("CT", "MR")'
[deidentification]
clean_pixel_data = true
clean_descriptors = true
retain_modified_dates = true
retain_patient_characteristics = true
dates = "shifted"
[images]
detectors = ["glyphs"]
[bundle]
part_size_mb = 1
"""


def write_source(folder: Path, patients: int, size_px: int = 64) -> int:
    """A CT and an MR series for each patient; returns the number of instances."""
    count = 0
    for number in range(patients):
        study = make_study(number, description="Thorax")
        series = (
            *ct_series(study, slices=SLICES_CT, rows=size_px, columns=size_px),
            *mr_series(study, slices=SLICES_MR, rows=size_px, columns=size_px),
        )
        for index, dataset in enumerate(series):
            save(dataset, folder / f"P{number:03}" / f"IM{index:04}")
        count += len(series)
    return count


@dataclass(frozen=True, slots=True)
class Job:
    """One project and its bundle, of a source that several share."""

    source: Path
    project: Path
    out: Path
    workers: str = "2"

    @classmethod
    def create(cls, source: Path, folder: Path, secret: Path | None = None) -> "Job":
        """A new project in ``folder``, with the secret of another one where that is given."""
        job = cls(source, folder / "project", folder / "out")
        folder.mkdir(parents=True)
        protocol = folder / "protocol.toml"
        protocol.write_text(PROTOCOL, encoding="utf-8")
        create_project(job.project, "SITEA", protocol)
        if secret is not None:
            shutil.copyfile(secret, Layout(job.project).secret_key)
        return job

    @property
    def secret(self) -> Path:
        """Its key file."""
        return Layout(self.project).secret_key

    @contextmanager
    def started(self) -> Iterator["subprocess.Popen[str]"]:
        """The command, running as a process group of its own, its events as JSON lines on stdout."""
        command = [sys.executable, "-m", "app", "run", str(self.source), "--site", "SITEA", "--unattended", "--json"]
        places = ["--project", str(self.project), "--out", str(self.out), "--workers", self.workers]
        with subprocess.Popen(
            [*command, *places],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                kill_group(process)

    def finish(self) -> None:
        """Run the command to its end."""
        with self.started() as process:
            output, errors = process.communicate(timeout=120)
            assert process.returncode == 0, output[-2000:] + errors

    def bundle(self) -> dict[str, bytes]:
        """All files of the bundle."""
        return {path.name: path.read_bytes() for path in sorted(self.out.iterdir())}

    def leftovers(self) -> list[str]:
        """Temporary files in project or bundle."""
        return sorted(
            str(path.relative_to(folder))
            for folder in (self.project, self.out)
            for path in folder.rglob("*")
            if path.suffix in (".part", ".at") or path.parent == Layout(self.project).tmp
        )

    def counts(self) -> dict[str, int]:
        """How many rows there are of what must neither be lost nor be there twice."""
        questions = {
            "files": "SELECT count(*) FROM files",
            "instances": "SELECT count(*) FROM instances",
            "uids": "SELECT count(DISTINCT original_sop_instance_uid) FROM instances",
            "prepared": "SELECT count(*) FROM instances WHERE state = 'prepared'",
            "patients": "SELECT count(*) FROM patients",
            "series": "SELECT count(*) FROM series",
            "crosswalk": "SELECT count(*) FROM crosswalk",
            "values": "SELECT sum(count) FROM released_values",
            "parts": "SELECT count(*) FROM parts",
        }
        with closing(sqlite3.connect(Layout(self.project).catalog)) as database:
            return {name: database.execute(sql).fetchone()[0] for name, sql in questions.items()}


def events(process: "subprocess.Popen[str]") -> Iterator[dict[str, Any]]:
    """What the command tells, as it tells it."""
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def kill_group(process: "subprocess.Popen[str]") -> None:
    """SIGKILL to the command and all its workers; on Windows to the command alone."""
    if sys.platform == "win32":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def children_of(process: "subprocess.Popen[str]") -> list[int]:
    """The process ids of a command's workers and helpers (Linux)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text("ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process.pid:
            found.append(int(status.parent.name))
    return found
