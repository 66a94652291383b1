"""A Dask cluster on localhost, for the tests: ``python -m tests.contracts.cluster WORKERS``.

Prints its address, and ends with its standard input. A program of its own, because the tests turn warnings into
errors, and those of Dask would keep its nannies from restarting workers.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Start, tell, wait."""
    from dask import config
    from distributed import LocalCluster

    # A batch that kills its worker is not given three more: no test depends on how many they are.
    config.set({"distributed.scheduler.allowed-failures": 0})
    with LocalCluster(
        n_workers=int(sys.argv[1]),
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()


@contextmanager
def running_cluster(workers: int) -> Iterator[str]:
    """The address of a cluster, as ``--workers`` takes it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.contracts.cluster", str(workers)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("tcp://"), "the cluster did not start"
        try:
            yield address.replace("tcp://", "dask://", 1)
        finally:
            process.communicate()  # closes its standard input, and waits


if __name__ == "__main__":
    main()
