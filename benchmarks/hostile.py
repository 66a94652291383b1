"""The corpus of bad files, the heavy ones with it: what becomes of each, seconds of each, memory of program and worker.

The whole job runs once over all of them, by the real command with two workers; then each file by itself through all
steps in a process of its own, for its CPU time and the most memory that the process had. Ends with 1 where an outcome
is another one, a token is found, or a figure is beyond its bound.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from app.bundle.verify import verify_bundle
from app.catalog.step import STEPS_PER_TASK
from app.catalog.worker import ArchiveTask, FilesRead, FilesTask, read_tasks
from app.deid.release import Releaser
from app.detection.worker import DetectContext, DetectItem, look_through
from app.errors import FileError
from app.files.archives import ArchiveLimits
from app.files.locator import Locator
from app.logs import quieten_libraries
from app.sources.base import Candidate
from tests.canaries import find_tokens
from tests.canaries.mint import Mint
from tests.hostile.corpus import write_bad_files
from tests.hostile.run import run_watched
from tests.unit.deid_case import CLEAR, PATIENT, make_recipe

MOST_SECONDS, MOST_WORKER_BYTES, MOST_PROGRAM_BYTES = 5.0, 1_000_000_000, 300_000_000


def go_through(path: str, told: Any) -> None:
    """Scan, look, prepare and release one file; tells the CPU seconds of each step."""
    quieten_libraries()
    steps = {"scan": scan, "detect": detect, "release": release}
    seconds = {}
    for name, step in steps.items():
        began = time.process_time()
        step(path)
        seconds[name] = time.process_time() - began
    told.send(seconds)


def scan(path: str) -> None:
    """As a worker of *scan* does."""
    status = Path(path).stat()
    limits, file = ArchiveLimits(), Candidate(path, status.st_size, status.st_mtime_ns)
    (result,) = read_tasks(limits, (FilesTask(1, (file,)),))
    if isinstance(result, FilesRead) and result.archives:
        read_tasks(limits, (ArchiveTask(1, file, STEPS_PER_TASK),))


def detect(path: str) -> None:
    """As a worker of *detect* does."""
    look_through(DetectContext(("glyphs",), ()), (DetectItem(1, Locator(path).to_text()),))


def release(path: str) -> None:
    """As workers of *prepare* and of *export* do."""
    try:
        releaser = Releaser(make_recipe(), PATIENT)
        with Path(path).open("rb") as file:
            releaser.survey(file, CLEAR)
            for _ in releaser.release(file, CLEAR).pixels:
                pass
    except FileError:
        return


def measure(path: Path) -> tuple[dict[str, float], int]:
    """CPU seconds by step, and the most memory of the process."""
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=go_through, args=(str(path), there))
    process.start()
    most = 0
    while not here.poll(0.02) and process.is_alive():
        try:
            most = max(most, psutil.Process(process.pid).memory_info().rss)
        except psutil.Error:
            break
    if not here.poll(0):
        return {"died": float("inf")}, most
    seconds = here.recv()
    process.join()
    return seconds, most


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", action="store_true", help="also measure each file by itself")
    arguments = parser.parse_args()
    mint = Mint()
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        expected = write_bad_files(folder / "bad", mint, heavy=True)
        run = run_watched(folder / "bad", folder)
        for file, outcome in expected.items():
            if run.outcomes.get(file) != outcome:
                wrong += 1
                print(f"{file}: {run.outcomes.get(file)} instead of {outcome}")
        leaks = [place for place, content in run.leavings() if find_tokens(content, mint.tokens)]
        findings = len(verify_bundle([run.out]).findings)
        print(f"{len(expected)} bad files, {wrong} with another outcome, {len(leaks)} leaks, {findings} findings")
        print(
            f"exit code {run.code}, {run.seconds:.0f} s, most memory: program {run.program_bytes / 1e6:.0f} MB, ",
            end="",
        )
        print(f"worker {run.worker_bytes / 1e6:.0f} MB")
        wrong += len(leaks) + findings + (run.code != 0)
        wrong += run.program_bytes > MOST_PROGRAM_BYTES or run.worker_bytes > MOST_WORKER_BYTES
        if arguments.each:
            wrong += measure_each(folder / "bad", [name for name in expected if not name.startswith("special")])
    return min(wrong, 1)


def measure_each(folder: Path, names: list[str]) -> int:
    """Print the slowest and the largest; how many are beyond the bounds."""
    figures = []
    for name in names:
        for path in folder.glob(f"{name}/*"):
            seconds, most = measure(path)
            figures.append((max(seconds.values()), most, name, seconds))
    for slowest, most, name, seconds in sorted(figures, reverse=True)[:8]:
        told = ", ".join(f"{step} {value:.2f}" for step, value in seconds.items())
        print(f"{name}: {slowest:.2f} s ({told}), {most / 1e6:.0f} MB")
    _, most, name, _ = max(figures, key=lambda one: one[1])
    print(f"the largest: {name}, {most / 1e6:.0f} MB")
    return sum(slowest > MOST_SECONDS or most > MOST_WORKER_BYTES for slowest, most, _, _ in figures)


if __name__ == "__main__":
    sys.exit(main())
