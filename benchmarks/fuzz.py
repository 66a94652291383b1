"""The whole job on files that were changed at random, some thousand to a project: ``--count 20000``.

Each file follows from its seed (``tests.hostile.fuzzing``). Ends with 1 where the program failed, a worker was lost, a
file is not accounted for, a token is found in anything that was left, the bundle does not verify, or reading a file
takes more than five seconds of CPU.
"""

import argparse
import io
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from app.bundle.verify import verify_bundle
from app.deid.release import Releaser
from app.errors import FileError
from tests.canaries import find_tokens
from tests.hostile.fuzzing import base_tokens, fuzzed
from tests.hostile.run import run_watched
from tests.unit.deid_case import CLEAR, PATIENT, make_recipe

MOST_SECONDS = 5.0
PROJECT_FILES = 2000


def write_files(folder: Path, seeds: range) -> float:
    """Write the files of the seeds; returns the CPU seconds that the slowest takes to be read and released."""
    releaser = Releaser(make_recipe(), PATIENT)
    slowest = 0.0
    for seed in seeds:
        content = fuzzed(seed)
        path = folder / f"{seed}" / "IM1"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        began = time.process_time()
        try:
            for _ in releaser.release(io.BytesIO(content), CLEAR).pixels:
                pass
        except FileError:
            pass
        slowest = max(slowest, time.process_time() - began)
    return slowest


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--first", type=int, default=1_000_000, help="the first seed")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    tokens = base_tokens()
    outcomes: Counter[str] = Counter()
    wrong, slowest, program, worker = 0, 0.0, 0, 0
    for first in range(arguments.first, arguments.first + arguments.count, PROJECT_FILES):
        seeds = range(first, min(first + PROJECT_FILES, arguments.first + arguments.count))
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            slowest = max(slowest, write_files(folder / "files", seeds))
            run = run_watched(folder / "files", folder, arguments.workers)
            leaks = {name: found for name, content in run.leavings() if (found := find_tokens(content, tokens))}
            findings = verify_bundle([run.out]).findings if run.out.exists() else ("no bundle",)
        lost = [seed for seed, outcome in run.outcomes.items() if "worker" in outcome]
        outcomes.update(run.outcomes.values())
        program, worker = max(program, run.program_bytes), max(worker, run.worker_bytes)
        missing = len(seeds) - len(run.outcomes)
        if run.code or leaks or findings or lost or missing:
            wrong += 1
            print(f"seeds from {first}: code {run.code}, lost {lost}, missing {missing}, leaks {leaks}, {findings}")
            print(run.said[-500:].decode(errors="replace"))
        print(f"{outcomes.total()} files, {run.seconds:.0f} s", flush=True)
    for outcome, count in outcomes.most_common():
        print(f"{count:7} {outcome}")
    print(
        f"{outcomes.total()} files, {wrong} projects with something wrong, slowest to read {slowest:.2f} s CPU, ",
        end="",
    )
    print(f"most memory: program {program / 1e6:.0f} MB, worker {worker / 1e6:.0f} MB")
    return min(1, wrong + (slowest > MOST_SECONDS))


if __name__ == "__main__":
    sys.exit(main())
