"""Where functions run: in this process, in spawned processes, or on a Dask cluster."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Protocol, TypeVar

from app.errors import UsageError

R = TypeVar("R")


class WorkExecutor(Protocol):
    """What the pump needs of an executor."""

    @property
    def window(self) -> int:
        """How many batches may be under way at once."""

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Start ``function(*arguments)`` somewhere."""

    def restart(self) -> None:
        """Kill whatever runs and start anew: a worker died or hangs."""


class SerialExecutor(AbstractContextManager["SerialExecutor"]):
    """Runs everything at once in this process: for tests, debugging and profiling. Cannot survive a crash or a hang."""

    window = 1

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Run now; the future is finished when this returns."""
        future: Future[R] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - the future carries it to whoever asks, as in any executor
            future.set_exception(error)
        return future

    def restart(self) -> None:
        """Nothing to restart."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to shut down."""


class ProcessExecutor(AbstractContextManager["ProcessExecutor"]):
    """Spawned processes: the same on Windows, macOS and Linux, and nothing of this process is inherited."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._pool = self._new_pool()

    @property
    def window(self) -> int:
        """Enough that no worker waits for the next batch, few enough that results do not pile up."""
        return self._workers * 2

    def _new_pool(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers, mp_context=multiprocessing.get_context("spawn"), initializer=_ignore_interrupts
        )

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Queue for the next free process."""
        return self._pool.submit(function, *arguments)

    def restart(self) -> None:
        """Kill the processes, which may hang in foreign code, and start new ones."""
        self._kill()
        self._pool = self._new_pool()

    def _kill(self) -> None:
        # The documented way to stop a pool waits for its tasks; a hung one never ends.
        processes = list((getattr(self._pool, "_processes", None) or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.kill()
        for process in processes:
            process.join()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        else:
            self._kill()


class DaskExecutor(AbstractContextManager["DaskExecutor"]):
    """A Dask cluster that is already there, reached by ``dask://HOST:PORT``; its workers see the same file paths."""

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise UsageError("dask-not-installed") from error
        try:
            self._client = Client(address.replace("dask://", "tcp://", 1), timeout="10s")
        except (OSError, TimeoutError) as error:
            raise UsageError("dask-not-reached") from error
        self._executor: Executor = self._client.get_executor(pure=False, retries=0)

    @property
    def window(self) -> int:
        """Two batches for each thread of the cluster."""
        threads: dict[str, int] = self._client.nthreads()
        return max(2, 2 * sum(threads.values()))

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Send to the cluster."""
        return self._executor.submit(function, *arguments)

    def restart(self) -> None:
        """Restart the cluster's workers."""
        self._client.restart()
        self._executor = self._client.get_executor(pure=False, retries=0)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def _ignore_interrupts() -> None:
    # Ctrl-C reaches every process of the terminal; only the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def open_executor(workers: str) -> SerialExecutor | ProcessExecutor | DaskExecutor:
    """``serial``, a number of processes, ``auto`` (one a core, at most 8) or ``dask://HOST:PORT``.

    Raises UsageError for anything else.
    """
    if workers == "serial":
        return SerialExecutor()
    if workers.startswith("dask://"):
        return DaskExecutor(workers)
    if workers == "auto":
        return ProcessExecutor(min(os.cpu_count() or 1, 8))
    if workers.isdecimal() and 1 <= int(workers) <= 61:  # Windows waits for at most 61 processes
        return ProcessExecutor(int(workers))
    raise UsageError("bad-workers")
