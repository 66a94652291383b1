"""Kills the real job at random moments (SIGKILL to it and all its workers), runs it again, compares the bundles.

For each kill a new project with the secret of an undisturbed one; with ``--chain`` some of them are killed several
times before they may finish. Ends with 1 where a bundle differs, a file is left over, or a row is missing or double.
"""

import argparse
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


def run_until(job: Job, seconds: float) -> str:
    """Kill the job after so many seconds; what it was at, "" where it had ended by itself."""
    with job.started() as process, ThreadPoolExecutor(1) as reader:
        told = reader.submit(lambda: [event.get("step", "") for event in events(process)])
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        ended = process.poll() is not None
        kill_group(process)
        steps = told.result()
    if ended:
        return ""
    return steps[-1] if steps else "start"


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
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
            for _ in range(random.randint(1, arguments.chain)):
                at = run_until(job, random.uniform(0.2, duration))
                if not at:
                    break
                killed[at] += 1
            job.finish()
            problems = [
                *(["bundle"] if job.bundle() != expected else []),
                *(["rows"] if job.counts() != counts else []),
                *job.leftovers(),
            ]
            if problems:
                failures += 1
                print(f"project {projects}: {' '.join(problems)}", flush=True)
    told = ", ".join(f"{count} in {step}" for step, count in sorted(killed.items()))
    print(f"{killed.total()} kills ({told}) of {projects} projects: {failures} differ")
    return min(failures, 1)


if __name__ == "__main__":
    sys.exit(main())
