"""Where functions run: in this process, in spawned processes, or on a Dask cluster."""

import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Protocol, TypeVar

from app.errors import UsageError
from app.jobs.processes import ProcessExecutor

__all__ = ["DaskExecutor", "ProcessExecutor", "SerialExecutor", "WorkExecutor", "open_executor"]

R = TypeVar("R")


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
        """By ``time.monotonic()``, when it certainly ran; None where it may still wait for a worker."""

    def stop(self, future: Future[Any]) -> None:
        """Kill whatever runs it. Others may have to go with it: these are cancelled, and can be submitted again."""


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
    job: a worker that hangs is got rid of by a restart of all, which takes nannies.
    """

    blames_surely = False

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client, KilledWorker  # noqa: PLC0415 - an optional extra
        except ImportError as error:
            raise UsageError("dask-not-installed") from error
        self.deaths: tuple[type[BaseException], ...] = (KilledWorker,)
        try:
            self._client = Client(address.replace("dask://", "tcp://", 1), timeout="10s")
        except (OSError, TimeoutError, ValueError) as error:
            raise UsageError("dask-not-reached") from error
        self._executor: Executor = self._new_executor()
        # In the order of submission, with the time of their start where that is known.
        self._submitted: dict[Future[Any], float | None] = {}
        if not self._client.nthreads():
            self._client.close()
            raise UsageError("dask-without-workers")

    def _new_executor(self) -> Executor:
        executor: Executor = self._client.get_executor(pure=False, retries=0)
        return executor

    @property
    def _threads(self) -> int:
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    @property
    def window(self) -> int:
        """Two batches for each thread of the cluster."""
        return 2 * self._threads

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Send to the cluster; raises UsageError("dask-not-reached") where the scheduler went away."""
        if self._client.status != "running":
            raise UsageError("dask-not-reached")
        future = self._executor.submit(function, *arguments)
        self._submitted[future] = None
        return future

    def started(self, future: Future[Any]) -> float | None:
        """Dask does not tell, but it keeps the order: who has fewer unfinished ones before him than threads, runs."""
        self._submitted = {one: since for one, since in self._submitted.items() if not one.done()}
        now = time.monotonic()
        for one in list(self._submitted)[: self._threads]:
            self._submitted[one] = self._submitted[one] or now
        return self._submitted.get(future)

    def stop(self, future: Future[Any]) -> None:  # noqa: ARG002 - Dask can stop all workers only
        """Restart the cluster's workers; raises UsageError("dask-without-workers") where none comes back."""
        try:
            self._client.restart(timeout=60)
        except TimeoutError as error:
            raise UsageError("dask-without-workers") from error
        self._executor = self._new_executor()
        self._submitted.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()


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
