"""Where functions run: in this process, in spawned processes, or on a Dask cluster."""

import gc
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, suppress
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar

from app.errors import UsageError
from app.jobs.processes import END_SECONDS, ProcessExecutor

__all__ = ["DaskExecutor", "ProcessExecutor", "SerialExecutor", "WorkExecutor", "open_executor"]

R = TypeVar("R")

OPEN_SECONDS = FIRST_WORKER_SECONDS = 10.0
# How long a cluster may be without any worker, while nannies start new ones or a batch system takes its time.
RESTART_SECONDS = 300.0


class WorkExecutor(Protocol):
    """What the pump needs of an executor."""

    @property
    def window(self) -> int:
        """How many batches may be under way at once."""

    @property
    def blames_surely(self) -> bool:
        """Whether a failed or late future is the one to blame, and not one beside it."""

    @property
    def deaths(self) -> tuple[type[BaseException], ...]:
        """What ``Future.result`` raises where the worker died."""

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Start ``function(*arguments)`` somewhere."""

    def started(self, future: Future[Any]) -> float | None:
        """When it began to run or a little later, by ``time.monotonic()``; None where it is done, or may still wait."""

    def stop(self, future: Future[Any]) -> None:
        """Kill whatever runs it. Others may have to go with it; those that are cancelled can be submitted again."""


class SerialExecutor(AbstractContextManager["SerialExecutor"]):
    """Runs everything at once in this process: for tests, debugging and profiling. Cannot survive a crash or a hang."""

    window = 1
    blames_surely = True
    deaths: ClassVar[tuple[type[BaseException], ...]] = ()

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Run now; the future is finished when this returns."""
        future: Future[R] = Future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:  # noqa: BLE001 - the future carries it to whoever asks, as in any executor
            future.set_exception(error)
        return future

    def started(self, future: Future[Any]) -> float | None:  # noqa: ARG002 - of the protocol
        """Nothing runs while somebody asks."""
        return None

    def stop(self, future: Future[Any]) -> None:
        """Nothing runs that could be stopped."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to shut down."""


class DaskExecutor(AbstractContextManager["DaskExecutor"]):
    """A Dask cluster that is already there, reached by ``dask://HOST:PORT``.

    It has the same Consign installed, its workers see the same file paths, and it is ours alone for the time of a
    job: to be rid of one that hangs, all workers are killed, and their nannies start new ones.
    """

    blames_surely = False

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client, KilledWorker  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise UsageError("dask-not-installed") from error
        self.deaths: tuple[type[BaseException], ...] = (KilledWorker,)
        client: Any = None
        with suppress(OSError, TimeoutError, ValueError):
            client = Client(address.replace("dask://", "tcp://", 1), timeout=OPEN_SECONDS)
        if client is None:
            # One that failed closes itself when it is collected; while another one starts, that is a deadlock.
            gc.collect()
            raise UsageError("dask-not-reached")
        self._client = client
        self._executor: Executor = self._client.get_executor(pure=False, retries=0)
        # In the order of submission, with the time of their start where that is known.
        self._submitted: dict[Future[Any], float | None] = {}
        self._without_workers_since: float | None = None
        try:
            self._client.wait_for_workers(1, timeout=FIRST_WORKER_SECONDS)
        except TimeoutError as error:
            self._client.close()
            raise UsageError("dask-without-workers") from error

    def _count_threads(self) -> int:
        """None for a moment where workers restart; UsageError where none comes back."""
        self._check_connection()
        threads: dict[str, int] = self._client.nthreads()
        if threads:
            self._without_workers_since = None
        else:
            now = time.monotonic()
            self._without_workers_since = self._without_workers_since or now
            if now - self._without_workers_since > RESTART_SECONDS:
                raise UsageError("dask-without-workers")
        return sum(threads.values())

    def _check_connection(self) -> None:
        if self._client.status != "running":
            raise UsageError("dask-not-reached")

    @property
    def window(self) -> int:
        """Two batches for each thread of the cluster."""
        return max(2, 2 * self._count_threads())

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Send to the cluster; raises UsageError("dask-not-reached") where the scheduler went away."""
        self._check_connection()
        future = self._executor.submit(function, *arguments)
        self._submitted[future] = None
        return future

    def started(self, future: Future[Any]) -> float | None:
        """Dask does not tell, but keeps the order: with fewer unfinished ones before it than threads, it runs.

        Too early by the time that sending it takes.
        """
        self._submitted = {one: since for one, since in self._submitted.items() if not one.done()}
        now = time.monotonic()
        for one in list(self._submitted)[: self._count_threads()]:
            self._submitted[one] = self._submitted[one] or now
        return self._submitted.get(future)

    def stop(self, future: Future[Any]) -> None:
        """Have the nannies kill all workers: Dask runs the others' calls again by itself.

        Not ``Client.restart``: it first asks workers to end, for which one that hangs has to be waited for, and then
        now and then leaves one out.
        """
        future.cancel()
        killed = set(self._client.nthreads())
        self._client.run(_kill_worker, nanny=True, on_error="ignore")
        # Until the scheduler knows, it would still give calls to the dead.
        deadline = time.monotonic() + END_SECONDS
        while not killed.isdisjoint(self._client.nthreads()) and time.monotonic() < deadline:
            time.sleep(0.05)
        self._submitted = dict.fromkeys(self._submitted)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


def _kill_worker(dask_worker: Any) -> None:
    """Runs in a nanny, which Dask passes under this name."""
    if dask_worker.pid is not None:
        os.kill(dask_worker.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


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
