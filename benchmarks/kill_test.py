"""Kills the real job at random moments (SIGKILL to it and all its workers), runs it again, compares the bundles.

For each kill a new project with the secret of an undisturbed one; with ``--chain`` some of them are killed several
times before they may finish. ``--writing`` of the kills wait until a part is being written. Ends with 1 where a file
under a final name is not whole right after a kill, or in the end a bundle differs, a file is left over, or a row is
missing or double.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from random import Random

from tests.end_to_end.interrupted import Job, events, kill_group, write_source

# Long enough to come to the middle of a part, short enough that the part is still being written.
LONGEST_WRITING_SECONDS = 0.15
WRITING = "export, writing"


def run_until(job: Job, seconds: float, *, writing: bool) -> str:
    """Kill the job after so many seconds, or so many after it began to write a part; what it was at.

    "" where it had ended by itself.
    """
    with job.started() as process, ThreadPoolExecutor(1) as reader:
        told = reader.submit(lambda: [event.get("step", "") for event in events(process)])
        if writing:
            while process.poll() is None and not is_writing(job):
                time.sleep(0.005)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        ended = process.poll() is not None
        kill_group(process)
        process.wait()
        steps = told.result()
    if ended:
        return ""
    if is_writing(job):
        return WRITING
    return steps[-1] if steps else "start"


def is_writing(job: Job) -> bool:
    """Whether a part stands there under its temporary name, begun and not put in place."""
    with suppress(FileNotFoundError):  # put in place just now
        return any(part.stat().st_size for part in job.out.glob("*.part"))
    return False


def half_files(job: Job, expected: dict[str, bytes]) -> list[str]:
    """Files that have their final name and are not what an undisturbed run writes."""
    there = {path.name: path.read_bytes() for path in job.out.glob("*.zip")} if job.out.exists() else {}
    return [name for name, content in there.items() if expected.get(name) != content]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--writing", type=int, default=0, help="so many of them while a part is written")
    parser.add_argument("--chain", type=int, default=3, help="at most so many kills of one project")
    parser.add_argument("--patients", type=int, default=10, help="30 instances each")
    parser.add_argument("--size", type=int, default=64, help="rows and columns of an image")
    parser.add_argument("--workers", default="2")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    random = Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        instances = write_source(folder / "source", arguments.patients, arguments.size)
        undisturbed = Job.create(folder / "source", folder / "undisturbed")
        began = time.monotonic()
        undisturbed.finish()
        duration = time.monotonic() - began
        expected, counts = undisturbed.bundle(), undisturbed.counts()
        size = sum(map(len, expected.values()))
        print(f"{instances} instances, {len(expected)} files, {size} bytes, {duration:.1f} s undisturbed", flush=True)
        killed: Counter[str] = Counter()
        projects = failures = 0
        while killed.total() < arguments.kills:
            projects += 1
            job = Job.create(folder / "source", folder / str(projects), undisturbed.secret)
            problems = []
            for _ in range(random.randint(1, arguments.chain)):
                missing = arguments.writing - killed[WRITING]
                writing = missing > 0 and random.random() < missing / max(1, arguments.kills - killed.total())
                seconds = random.uniform(0, LONGEST_WRITING_SECONDS) if writing else random.uniform(0.2, duration)
                at = run_until(job, seconds, writing=writing)
                if not at:
                    break
                killed[at] += 1
                problems += half_files(job, expected)
            job.finish()
            problems += [
                *(["bundle"] if job.bundle() != expected else []),
                *(["rows"] if job.counts() != counts else []),
                *job.leftovers(),
            ]
            if problems:
                failures += 1
                print(f"project {projects}: {' '.join(problems)}", flush=True)
            shutil.rmtree(job.project.parent)
    told = ", ".join(f"{count} in {step}" for step, count in sorted(killed.items()))
    print(f"{killed.total()} kills ({told}) of {projects} projects: {failures} differ")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
