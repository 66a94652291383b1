"""Feeds batches to an executor, in a bounded window, and isolates the item that kills or hangs a worker.

A worker that dies does not say over which item, and in some executors not even over which batch. So a batch that may
have been the cause is run again item by item, each with nothing beside it: the item that does it again is lost (and
named), the others are not.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from dataclasses import dataclass
from time import monotonic
from typing import Generic, TypeVar

from app.errors import Reason
from app.jobs.awake import stay_awake
from app.jobs.executors import WorkExecutor
from app.jobs.processes import OutOfMemoryError

C = TypeVar("C")
I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")

# Hardly all items of a batch are as slow as the slowest may be. One that is stopped wrongly for that loses nothing.
FURTHER_ITEM = 0.1
LONGEST_WAIT_SECONDS = 1.0
# What takes longer between two looks: the computer slept, or whoever goes over the results was busy elsewhere. Windows'
# monotonic clock (GetTickCount64) goes on in sleep and in hibernation, so all that ran would seem to hang afterwards.
LONGEST_PAUSE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Batch(Generic[C, I]):
    """Work for one call: what all items share, and the items. Both travel to another process by pickle."""

    context: C
    items: tuple[I, ...]


@dataclass(frozen=True, slots=True)
class Done(Generic[C, I, R]):
    """A batch, or a single item of one, that came back."""

    batch: Batch[C, I]
    result: R


@dataclass(frozen=True, slots=True)
class Lost(Generic[C, I]):
    """An item (``batch`` has only this one) that crashed, hung or swelled its worker: WORKER_CRASHED and so on."""

    batch: Batch[C, I]
    reason: Reason


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing ended for a moment: whoever goes over the results can tell so, or stop."""


def run_batches(
    function: Callable[[C, tuple[I, ...]], R],
    batches: Iterable[Batch[C, I]],
    executor: WorkExecutor,
    *,
    seconds_per_item: float,
) -> Generator[Done[C, I, R] | Lost[C, I] | Waiting, None, None]:
    """Run ``function(context, items)`` over all batches and yield what becomes of them, in order of completion.

    In between it yields ``Waiting``, about once a second: a slow item must not keep people from stopping a job.

    ``function`` is a module-level function that raises nothing on bad input: an exception from it is a defect and
    comes out here. Closing the iterator cancels what has not started, and stops what has. A single item may take
    ``seconds_per_item`` from its start, or since the computer woke up; a batch gets a tenth of that on top for each
    further item.
    """
    pump = _Pump(function, iter(batches), executor, seconds_per_item)
    try:
        while pump.fill():
            stay_awake()
            yield from pump.collect()
            yield from pump.stop_late()
    finally:
        pump.cancel()


class _Pump(Generic[C, I, R]):
    def __init__(
        self,
        function: Callable[[C, tuple[I, ...]], R],
        source: Iterator[Batch[C, I]],
        executor: WorkExecutor,
        seconds_per_item: float,
    ) -> None:
        self._function, self._source, self._executor = function, source, executor
        self._seconds = seconds_per_item
        self._running: dict[Future[R], Batch[C, I]] = {}
        # To be run again: as they are, because another one's end took them along; and each by itself.
        self._again: deque[Batch[C, I]] = deque()
        self._suspects: deque[Batch[C, I]] = deque()
        self._is_alone = False
        self._looked = self._woke = monotonic()

    def fill(self) -> bool:
        """Submit what may run now; whether anything runs."""
        if not self._running:
            self._is_alone = bool(self._suspects)
            if self._suspects:
                self._submit(self._suspects.popleft())
        if not self._is_alone and not self._suspects:
            window = self._executor.window
            while len(self._running) < window:
                batch = self._again.popleft() if self._again else next(self._source, None)
                if batch is None:
                    break
                self._submit(batch)
        return bool(self._running)

    def _submit(self, batch: Batch[C, I]) -> None:
        self._running[self._executor.submit(self._function, batch.context, batch.items)] = batch

    def collect(self) -> Iterator[Done[C, I, R] | Lost[C, I] | Waiting]:
        """Wait for something to end, for a moment at most, and take what ended."""
        timeout = min(LONGEST_WAIT_SECONDS, self._seconds / 4)
        finished, _ = wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED)
        if not finished:
            yield Waiting()
        for future in finished:
            batch = self._running.pop(future)
            try:
                result = future.result()
            except self._executor.deaths as death:
                is_too_large = isinstance(death, OutOfMemoryError)
                reason = Reason.WORKER_OUT_OF_MEMORY if is_too_large else Reason.WORKER_CRASHED
                yield from self._suspect(batch, reason, is_certain=self._is_alone)
            except CancelledError:
                self._again.append(batch)
            else:
                yield Done(batch, result)

    def stop_late(self) -> Iterator[Lost[C, I]]:
        """Stop what has been running for longer than it may."""
        now = monotonic()
        if now - self._looked > LONGEST_PAUSE_SECONDS:
            self._woke = now
        self._looked = now
        for future, batch in list(self._running.items()):
            started = self._executor.started(future)
            limit = self._seconds * (1 + FURTHER_ITEM * (len(batch.items) - 1))
            if started is None or now - max(started, self._woke) <= limit or future.done():
                continue
            del self._running[future]
            self._executor.stop(future)
            yield from self._suspect(
                batch, Reason.WORKER_HUNG, is_certain=self._is_alone or self._executor.blames_surely
            )

    def _suspect(self, batch: Batch[C, I], reason: Reason, *, is_certain: bool) -> Iterator[Lost[C, I]]:
        if is_certain and len(batch.items) == 1:
            yield Lost(batch, reason)
        else:
            self._suspects.extend(Batch(batch.context, (item,)) for item in batch.items)

    def cancel(self) -> None:
        """Leave nothing behind that runs."""
        for future in self._running:
            if not future.cancel() and not future.done():
                self._executor.stop(future)
        self._running.clear()
