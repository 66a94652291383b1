"""The whole job over a folder of bad files, watched from outside: memory, time, and all that it leaves behind."""

import csv
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from app.project.folder import Layout

ROOT = Path(__file__).resolve().parents[2]
QUICK_PROTOCOL = ROOT / "tests" / "quick.toml"
WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """What a run did, and what it left."""

    project: Path
    out: Path
    code: int
    said: bytes
    outcomes: Mapping[str, str]
    seconds: float
    program_bytes: int
    worker_bytes: int

    def leavings(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of all that others may see: bundle, decisions, logs, temporary files, the terminal."""
        layout = Layout(self.project)
        yield "what it said", self.said
        for folder in (self.out, layout.tmp, layout.logs, layout.decisions, layout.export):
            for path in sorted(folder.rglob("*")):
                yield "name of a file", str(path.relative_to(folder)).encode()
                if path.is_file():
                    yield path.name, path.read_bytes()


def run_watched(source: Path, folder: Path, workers: int = 2) -> Run:
    """Scan, select, look for text, prepare, export and verify, unattended, by the real command."""
    project, out = folder / "project", folder / "out"
    places = ["--project", project, "--out", out, "--protocol", QUICK_PROTOCOL, "--workers", str(workers)]
    command = [sys.executable, "-m", "app", "run", source, *places, "--site", "SITEA", "--unattended"]
    began = time.monotonic()
    output = folder / "output"
    with output.open("wb") as file:
        process = psutil.Popen(command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT)
        program = worker = 0
        while process.poll() is None:
            program = max(program, _resident(process))
            worker = max([worker, *map(_resident, _children(process))])
            time.sleep(WATCH_SECONDS)
    return Run(
        project=project,
        out=out,
        code=process.returncode,
        said=output.read_bytes(),
        outcomes=_outcomes(project, source, folder / "files.csv"),
        seconds=time.monotonic() - began,
        program_bytes=program,
        worker_bytes=worker,
    )


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return list(process.children(recursive=True))
    return []


def _outcomes(project: Path, source: Path, target: Path) -> dict[str, str]:
    """The outcomes of all files of a folder, without doubles; those of ``special`` by the file."""
    subprocess.run([sys.executable, "-m", "app", "files", project, "--csv", target], cwd=ROOT, check=True)
    found: dict[str, set[str]] = defaultdict(set)
    with target.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            name = Path(row["file"]).relative_to(source.resolve())
            key = name.as_posix() if name.parts[0] == "special" else name.parts[0]
            found[key].add(f"{row['outcome']} {row['reason']}".strip())
    return {name: ", ".join(sorted(outcomes)) for name, outcomes in found.items()}
