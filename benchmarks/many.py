"""Runs the whole job on many small instances, to see that memory does not grow with their number.

    OMP_NUM_THREADS=1 python -m benchmarks.many /dev/shm/many                  # 10,000, then 100,000: an hour of CPU

Prints CPU seconds for 1,000 instances and the highest resident memory of any process, for each step and each number.
The instances are those of ``benchmarks.generate``, again and again under other UIDs.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.compare import Measurement, count_files, measure
from benchmarks.generate import SMALL_PX, write_instances

MADE = 5000
# The factory's root of UIDs; the number behind it is no leading zero, and of the same length for each copy.
ROOT = b"1.2.826.0.1.3680043.8.498."
FIRST_COPY = 500


def write_many(folder: Path, count: int) -> None:
    """Write ``count`` instances, ``MADE`` in a folder, as far as they are not there."""
    if not (folder / "0").is_dir():
        write_instances(folder / "0", min(count, MADE), SMALL_PX, seed=2)
    originals = sorted((folder / "0").iterdir())
    for copy in range(1, -(-count // MADE)):
        target = folder / str(copy)
        if target.is_dir():
            continue
        target.mkdir()
        root = ROOT.replace(b"498", str(FIRST_COPY + copy).encode())
        for original in originals[: count - copy * MADE]:
            (target / original.name).write_bytes(original.read_bytes().replace(ROOT, root))


def run_job(source: Path, work: Path, workers: str) -> list[Measurement]:
    """All steps, each a program of its own."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    project, out = work / "project", work / "out"
    consign = [sys.executable, "-m", "app"]
    lanes = ["--workers", workers]
    subprocess.run([*consign, "new", project, "--site", "BENCH"], check=True, stdout=subprocess.DEVNULL)
    done = [
        measure("scan", [*consign, "scan", project, source, *lanes]),
        measure("select", [*consign, "select", project]),
        measure("images --detect", [*consign, "images", project, "--detect", *lanes]),
        measure("prepare", [*consign, "prepare", project, "--unattended", *lanes]),
        measure("export", [*consign, "export", project, "--out", out, "--unattended", *lanes]),
        measure("verify", [*consign, "verify", out]),
    ]
    shutil.rmtree(work)
    return done


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--instances", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--workers", default="serial")
    arguments = parser.parse_args()
    print("| instances | step | CPU s for 1,000 | peak memory, MB |\n|---:|---|---:|---:|")
    for count in arguments.instances:
        source = arguments.folder / str(count)
        write_many(source, count)
        if count_files(source) != count:
            sys.exit(f"{source} holds {count_files(source)} files")
        for one in run_job(source, arguments.folder / "work", arguments.workers):
            figures = f"{one.cpu_s / count * 1000:.2f} | {one.peak_bytes / 1e6:.0f}"
            print(f"| {count} | {one.tool} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
