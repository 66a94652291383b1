"""The tasks of a scan: new ones as the sources are walked, and those that come back."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from app.files.archives import ArchiveLimits
from app.jobs.pump import Batch

T = TypeVar("T")


class TaskQueue(Iterator[Batch[ArchiveLimits, T]], Generic[T]):
    """Batches of one task each, for ``run_batches``.

    Not quite an iterator: after it has run out, it goes on when ``put_back`` was called since. The pump asks
    again each time that a result was taken, and ends only when nothing runs any more.
    """

    def __init__(self, new: Iterable[T], limits: ArchiveLimits) -> None:
        self._new = iter(new)
        self._limits = limits
        self._returned: deque[T] = deque()

    def put_back(self, task: T) -> None:
        """What is left of a task, or a part of one that was lost; goes before new ones."""
        self._returned.append(task)

    def __next__(self) -> Batch[ArchiveLimits, T]:
        task = self._returned.popleft() if self._returned else next(self._new)
        return Batch(self._limits, (task,))
