"""Pictures for the window, decoded in a process beside it; what is looked at now always comes first."""

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.errors import FileError, Reason
from app.jobs.executors import ProcessExecutor, SerialExecutor
from app.review.viewing import View, close_files, make_thumbnail, read_ahead, show_picture

# A frame that takes longer is beyond the patience of anybody who looks through images.
_LONGEST_MS = 60_000


@dataclass(frozen=True, slots=True)
class _Task:
    """A call that runs; ``then`` gets its result, ``otherwise`` why there is none."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = field(repr=False)
    then: Callable[[Any], None]
    otherwise: Callable[[Reason], None]


_Executor = ProcessExecutor | SerialExecutor


def _one_process() -> ProcessExecutor:
    return ProcessExecutor(1)


class PictureLoader(QObject):
    """Asks for one thing at a time: the picture that is waited for, then what is likely next, then thumbnails.

    A picture that is wanted replaces the one wanted before it, so that scrolling never runs behind.
    """

    shown = Signal(object, object)  # View, Picture
    failed = Signal(object, object)  # View, Reason
    thumbnail = Signal(str, object)  # original locator; Image, or None where it can't be looked at
    _done = Signal(object, object)  # _Task, Future

    def __init__(self, make_executor: Callable[[], _Executor] = _one_process, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._make_executor = make_executor
        self._executor: _Executor | None = None
        self._wanted: View | None = None
        self._ahead: deque[tuple[str, int]] = deque()
        self._thumbnails: deque[tuple[str, int]] = deque()
        self._running: Future[Any] | None = None
        self._is_releasing = False
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(_LONGEST_MS)
        self._patience.timeout.connect(self._stop)
        self._done.connect(self._finish, Qt.ConnectionType.QueuedConnection)

    def show(self, view: View) -> None:
        """Have this picture next; ``shown`` or ``failed`` tells."""
        self._wanted = view
        self._start()

    def read_ahead(self, frames: Iterable[tuple[str, int]]) -> None:
        """Have these frames (locator, frame) at hand when there is time; replaces the ones before."""
        self._ahead = deque(frames)
        self._start()

    def want_thumbnails(self, original_locators: Iterable[str], side_px: int) -> None:
        """Have these when there is time for it; replaces the ones before. ``thumbnail`` tells of each."""
        self._thumbnails = deque((locator, side_px) for locator in original_locators)
        self._start()

    def release(self) -> None:
        """Want nothing more, and let go of the files."""
        self._wanted = None
        self._ahead.clear()
        self._thumbnails.clear()
        self._is_releasing = self._executor is not None
        self._start()

    def end(self) -> None:
        """Want nothing more and end the process; the next wish starts another."""
        self.release()
        self._patience.stop()
        executor, self._executor = self._executor, None
        self._running, self._is_releasing = None, False
        if executor is not None:
            executor.__exit__(None, None, None)

    def _start(self) -> None:
        task = self._next() if self._running is None else None
        if task is None:
            return
        if self._executor is None:
            self._executor = self._make_executor()
        future = self._running = self._executor.submit(task.function, *task.arguments)
        self._patience.start()
        # Called in the executor's thread; the signal takes it to this one.
        future.add_done_callback(lambda done: self._done.emit(task, done))

    def _next(self) -> _Task | None:
        if self._is_releasing:
            self._is_releasing = False
            return _Task(close_files, (), _ignore, _ignore)
        if self._wanted is not None:
            view, self._wanted = self._wanted, None
            return _Task(
                show_picture,
                (view,),
                lambda picture: self.shown.emit(view, picture),
                lambda reason: self.failed.emit(view, reason),
            )
        if self._ahead:
            return _Task(read_ahead, self._ahead.popleft(), _ignore, _ignore)
        if self._thumbnails:
            locator, side_px = self._thumbnails.popleft()
            return _Task(
                make_thumbnail,
                (locator, side_px),
                lambda image: self.thumbnail.emit(locator, image),
                lambda _: self.thumbnail.emit(locator, None),
            )
        return None

    @Slot(object, object)
    def _finish(self, task: _Task, future: Future[Any]) -> None:
        if future is not self._running:  # of a process that was ended
            return
        self._running = None
        self._patience.stop()
        # What comes next starts before this is shown: the process need not wait for the painting.
        error = future.exception()
        self._start()
        if error is None:
            task.then(future.result())
        else:
            task.otherwise(error.reason if isinstance(error, FileError) else Reason.WORKER_CRASHED)

    @Slot()
    def _stop(self) -> None:
        if self._running is not None and self._executor is not None:
            self._executor.stop(self._running)


def _ignore(_: object) -> None:
    pass
