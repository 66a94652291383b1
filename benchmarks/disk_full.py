"""The real job on disks that are too small, at ten levels, for the project and for the bundle; then with room.

Needs Linux and the right to mount: each disk is a tmpfs of its own. At each level the command must end with a sentence
that says what to do, leave no half file under a final name, and come to the very same bundle once the disk is enlarged.
Ends with 1 where it does not.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import ConsignError
from tests.end_to_end.interrupted import Job, write_source

LEVELS = 10
AMPLE = "512m"


@contextmanager
def disk(place: Path, size: str) -> Iterator[None]:
    """A file system of its own, of so many bytes."""
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def enlarge(place: Path) -> None:
    """Make room."""
    subprocess.run(["mount", "-o", f"remount,size={AMPLE}", place], check=True)


def try_level(folder: Path, source: Path, undisturbed: Job, *, project: str, out: str) -> tuple[str, list[str]]:
    """What the command says on disks of these sizes, and what is wrong afterwards."""
    with disk(folder / "site", project), disk(folder / "out", out):
        try:
            job = Job.create(source, folder / "site" / "job", undisturbed.secret)
        except OSError:
            return "no room for an empty project", []
        except ConsignError as error:
            return error.code, []
        job = Job(source, job.project, folder / "out" / "bundle")
        with job.started() as process:
            output, errors = process.communicate(timeout=600)
        expected = undisturbed.bundle()
        there = {path.name: path.read_bytes() for path in job.out.glob("*.zip")} if job.out.exists() else {}
        problems = [f"half {name}" for name, content in there.items() if expected.get(name) != content]
        problems += ["traceback"] if "Traceback" in output + errors else []
        said = next((line for line in output.splitlines() if '"error"' in line), "")
        if process.returncode == 0:
            said = "there was room"
        elif not any(code in said for code in ("no-room", "disk-full")):
            problems.append("no sentence about the disk")
        enlarge(folder / "site")
        enlarge(folder / "out")
        job.finish()
        if job.bundle() != expected:
            problems.append("another bundle after room was made")
        if job.counts() != undisturbed.counts():
            problems.append("rows are missing or double")
        problems += job.leftovers()
        return said, problems


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=10, help="30 instances each")
    arguments = parser.parse_args()
    if os.geteuid() != 0:
        parser.error("each disk is mounted, which takes root")
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_source(folder / "source", arguments.patients)
        undisturbed = Job.create(folder / "source", folder / "undisturbed")
        undisturbed.finish()
        needed = {
            "project": sum(path.stat().st_size for path in undisturbed.project.rglob("*") if path.is_file()),
            "out": sum(map(len, undisturbed.bundle().values())),
        }
        for which, size in needed.items():
            for level in range(1, LEVELS + 1):
                sizes = {"project": AMPLE, "out": AMPLE} | {which: str(size * level // LEVELS)}
                place = folder / f"{which} {level}"
                said, problems = try_level(place, folder / "source", undisturbed, **sizes)
                wrong += bool(problems)
                print(f"{which} {level * 100 // LEVELS} %: {said} {problems or ''}", flush=True)
    print(f"{wrong} of {2 * LEVELS} levels with something wrong")
    return min(1, wrong)


if __name__ == "__main__":
    sys.exit(main())
