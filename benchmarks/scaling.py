"""How much faster two workers are than one: scan, prepare and export of the same instances, in turn.

    OMP_NUM_THREADS=1 python -m benchmarks.scaling /dev/shm/benchmark/large --repeat 3

Needs two cores that nothing else uses. Prints the median of the seconds that people wait, and the ratio once with and
once without the start of the program and of its workers, which a job of any size pays once.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

STEPS = ("scan", "prepare", "export")


def run(*arguments: str | Path) -> float:
    """Run one command of the program; seconds until it has ended."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "app", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def make_searched_project(source: Path, folder: Path) -> Path:
    """A project as it is before *prepare*: scanned, selected, its images looked through."""
    project = folder / "searched"
    run("new", project, "--site", "BENCH")
    run("scan", project, source)
    run("select", project)
    run("images", project, "--detect")
    return project


def time_steps(source: Path, searched: Path, folder: Path, workers: int) -> dict[str, float]:
    """Seconds of each step."""
    lanes = ("--workers", str(workers))
    fresh, project, out = folder / "fresh", folder / "project", folder / "out"
    for one in (fresh, project, out):
        shutil.rmtree(one, ignore_errors=True)
    run("new", fresh, "--site", "BENCH")
    shutil.copytree(searched, project)
    return {
        "scan": run("scan", fresh, source, *lanes),
        "prepare": run("prepare", project, "--unattended", *lanes),
        "export": run("export", project, "--out", out, "--unattended", *lanes),
    }


def time_starts(source: Path, folder: Path, workers: int) -> dict[str, float]:
    """The same for a single instance: what starting takes."""
    one, small = folder / "one", folder / "small"
    searched = small / "searched"
    if not searched.is_dir():
        one.mkdir()
        small.mkdir()
        shutil.copy2(next(path for path in sorted(source.iterdir()) if path.is_file()), one)
        make_searched_project(one, small)
    return time_steps(one, searched, small, workers)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path, help="a folder that benchmarks.generate wrote")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where to work; beside the source, where nothing is given")
    arguments = parser.parse_args()
    folder: Path = arguments.work or arguments.source.parent / "scaling"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    searched = make_searched_project(arguments.source, folder)
    taken: dict[tuple[str, int], list[float]] = defaultdict(list)
    starts: dict[tuple[str, int], list[float]] = defaultdict(list)
    for _ in range(arguments.repeat):
        for workers in (1, 2):
            for step, seconds in time_steps(arguments.source, searched, folder, workers).items():
                taken[step, workers].append(seconds)
            for step, seconds in time_starts(arguments.source, folder, workers).items():
                starts[step, workers].append(seconds)
    print("| step | 1 worker, s | 2 workers, s | faster | faster without the start |\n|---|---:|---:|---:|---:|")
    for step in STEPS:
        one, two = (statistics.median(taken[step, workers]) for workers in (1, 2))
        first, second = (statistics.median(starts[step, workers]) for workers in (1, 2))
        print(f"| {step} | {one:.2f} | {two:.2f} | {one / two:.2f} | {(one - first) / (two - second):.2f} |")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
