"""Feeds batches to an executor, in a bounded window, and isolates the item that kills or hangs a worker.

A worker that dies takes its process pool with it, and does not say over which file. So a batch that was under way then
is run again item by item, each alone in the pool: the item that does it again is lost (and named), the others are not.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.errors import Reason
from app.jobs.executors import WorkExecutor

C = TypeVar("C")
I = TypeVar("I")  # noqa: E741 - an item
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Batch(Generic[C, I]):
    """Work for one call: what all items share, and the items. Both travel to another process by pickle."""

    context: C
    items: tuple[I, ...]


@dataclass(frozen=True, slots=True)
class Done(Generic[C, I, R]):
    """A batch that came back."""

    batch: Batch[C, I]
    result: R


@dataclass(frozen=True, slots=True)
class Lost(Generic[C, I]):
    """An item that crashed or hung its worker twice; the reason is WORKER_CRASHED or WORKER_HUNG."""

    batch: Batch[C, I]
    reason: Reason


def run_batches(
    function: Callable[[C, tuple[I, ...]], R],
    batches: Iterable[Batch[C, I]],
    executor: WorkExecutor,
    *,
    seconds_per_item: float,
) -> Iterator[Done[C, I, R] | Lost[C, I]]:
    """Run ``function(context, items)`` over all batches and yield what becomes of them, in order of completion.

    ``function`` is a module-level function that raises nothing on bad input: an exception from it is a defect and
    comes out here. Closing the iterator cancels what has not started. ``seconds_per_item`` bounds a batch's time.
    """
    source = iter(batches)
    alone: deque[Batch[C, I]] = deque()
    running: dict[Future[R], tuple[Batch[C, I], float]] = {}
    try:
        while True:
            # A batch suspected of killing a worker runs with nothing beside it, so that the blame is certain.
            if alone and not running:
                suspect = alone.popleft()
                yield _run_alone(function, suspect, executor, seconds_per_item)
                continue
            while not alone and len(running) < executor.window:
                batch = next(source, None)
                if batch is None:
                    break
                running[executor.submit(function, batch.context, batch.items)] = (batch, time.monotonic())
            if not running:
                if alone:
                    continue
                return
            finished, _ = wait(running, timeout=1.0, return_when=FIRST_COMPLETED)
            broken = False
            for future in finished:
                batch, _ = running[future]
                try:
                    result = future.result()
                except BrokenExecutor:
                    broken = True
                    continue
                del running[future]
                yield Done(batch, result)
            now = time.monotonic()
            # A batch may wait in the executor's queue for as long as those before it take.
            hung = any(
                now - started > seconds_per_item * len(batch.items) * executor.window
                for batch, started in running.values()
            )
            if broken or hung:
                for batch, _ in running.values():
                    alone.extend(Batch(batch.context, (item,)) for item in batch.items)
                running.clear()
                executor.restart()
    finally:
        for future in running:
            future.cancel()


def _run_alone(
    function: Callable[[C, tuple[I, ...]], R], batch: Batch[C, I], executor: WorkExecutor, seconds: float
) -> Done[C, I, R] | Lost[C, I]:
    future = executor.submit(function, batch.context, batch.items)
    try:
        return Done(batch, future.result(timeout=seconds))
    except BrokenExecutor:
        executor.restart()
        return Lost(batch, Reason.WORKER_CRASHED)
    except TimeoutError:
        executor.restart()
        return Lost(batch, Reason.WORKER_HUNG)
