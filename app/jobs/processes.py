"""Spawned worker processes, one call at a time each.

Why not ``ProcessPoolExecutor``: it does not say which call killed a worker, nor when a call started, it gives up all
workers for one that died, and up to Python 3.11.4 (Debian 12 has 3.11.2) it never ends when one dies while the next
call is being written to it. Here each process has a pipe and a thread of its own, so all of that is known.
"""

import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from types import TracebackType
from typing import Any, ClassVar, TypeVar

import psutil

from app.errors import UsageError
from app.jobs.collecting import collect_seldom

R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])

# A new process on a busy machine, importing from a network share under a virus scanner.
START_SECONDS = 120.0
# A process that SIGKILL does not end sits in a system call of a dead share; nobody can wait for that.
END_SECONDS = 5.0

# What a process may take unless its function says that it needs more: a header of the largest size that is read, or an
# image of the largest size that is decoded, takes three quarters of it.
MEMORY_BYTES = 1 << 30
# How often the memory of a process at work is looked at: one that fills it fast gets some hundred megabytes further.
WATCH_SECONDS = 0.1
# How a process ends that could not get the memory that it asked for.
OUT_OF_MEMORY = 71

_SPAWN = multiprocessing.get_context("spawn")
_NEEDS = "consign_memory_bytes"


class OutOfMemoryError(BrokenExecutor):
    """A process took more memory than its function may, or there was none left."""


def needs_memory(limit_bytes: int) -> Callable[[F], F]:
    """For a function that workers run: it may take so much memory, all of its process included."""

    def declare(function: F) -> F:
        setattr(function, _NEEDS, limit_bytes)
        return function

    return declare


@dataclass(frozen=True, slots=True)
class _Call:
    future: Future[Any]
    function: Callable[..., Any]
    arguments: tuple[Any, ...]


class ProcessExecutor(AbstractContextManager["ProcessExecutor"]):
    """Spawned processes: the same on Windows, macOS and Linux, and nothing of this process is inherited.

    A process is started when there is a call for it, and a new one after it died: the future of the call that it was
    at then raises BrokenExecutor, and no other. One that takes more memory than its function may is killed:
    OutOfMemoryError. The resident size is watched from here, because only Linux has a limit that means the same.
    """

    blames_surely = True
    deaths: ClassVar[tuple[type[BaseException], ...]] = (BrokenExecutor,)

    def __init__(self, workers: int) -> None:
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lanes = [_Lane(self._calls) for _ in range(workers)]

    @property
    def window(self) -> int:
        """Enough that no worker waits for the next batch, few enough that results do not pile up."""
        return len(self._lanes) * 2

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Queue for the next free process."""
        future: Future[R] = Future()
        self._calls.put(_Call(future, function, arguments))
        return future

    def started(self, future: Future[Any]) -> float | None:
        """When a process began with it."""
        return next((lane.started for lane in self._lanes if lane.future is future), None)

    def stop(self, future: Future[Any]) -> None:
        """Kill the process that runs it, which may hang in foreign code."""
        for lane in self._lanes:
            if lane.future is future:
                lane.kill()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for lane in self._lanes:
            lane.end()
            self._calls.put(None)
        for lane in self._lanes:
            lane.join()


class _Lane:
    """A thread with a process: takes a call, has it done, takes the next.

    Attributes
    ----------
    future
        Of the call that the process is at.
    started
        ``time.monotonic()`` when the process had the call and began with it; None before.
    """

    def __init__(self, calls: "queue.SimpleQueue[_Call | None]") -> None:
        self.future: Future[Any] | None = None
        self.started: float | None = None
        self._calls = calls
        self._process: SpawnProcess | None = None
        self._connection: Connection | None = None
        self._lock = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name="worker lane", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            self.future = call.future
            if not call.future.set_running_or_notify_cancel():
                self.future = None
                continue
            outcome: BaseException | None = None
            result = None
            try:
                result = self._have_done(call)
            except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asks, as in any executor
                outcome = error
            # Before the future tells: whoever hears of it may ask at once what runs now.
            self.future = self.started = None
            if outcome is None:
                call.future.set_result(result)
            else:
                call.future.set_exception(outcome)

    def _have_done(self, call: _Call) -> Any:
        connection = self._connect()
        try:
            connection.send((call.function, call.arguments))
            reply = _receive(connection, START_SECONDS)
            if reply is None:
                self.started = time.monotonic()
                reply = self._watch(connection, getattr(call.function, _NEEDS, MEMORY_BYTES))
        except (EOFError, ConnectionError) as error:
            raise (OutOfMemoryError if self.kill() == OUT_OF_MEMORY else BrokenExecutor) from error
        is_result, value = reply
        if is_result:
            return value
        raise value

    def _connect(self) -> Connection:
        """The pipe to the process, which is started where there is none.

        Raises UsageError("workers-do-not-start") where it does not come to life: that is not the call's fault.
        """
        with self._lock:
            if self._ended:
                raise BrokenExecutor
            if self._process is not None and self._connection is not None:
                return self._connection
            _block_interrupts()
            connection, there = _SPAWN.Pipe()
            self._process = _SPAWN.Process(target=_work, args=(there,), name="Consign worker", daemon=True)
            self._process.start()
            there.close()  # or the end of the process would not show here
            self._connection = connection
        try:
            _receive(connection, START_SECONDS)
        except (EOFError, ConnectionError) as error:
            self.kill()
            raise UsageError("workers-do-not-start") from error
        return connection

    def _watch(self, connection: Connection, limit_bytes: int) -> Any:
        """The reply; raises OutOfMemoryError, and ends the process, where that gets too large before."""
        process = self._process
        with suppress(psutil.Error):  # it died: the pipe tells
            usage = psutil.Process(process.pid if process else None)
            while not connection.poll(WATCH_SECONDS):
                if usage.memory_info().rss > limit_bytes:
                    self.kill()
                    raise OutOfMemoryError
        return _receive(connection, None)

    def kill(self) -> int | None:
        """Kill the process; the call that it was at fails, and the next gets a new one. Its exit code, if it ended."""
        with self._lock:
            process, self._process = self._process, None
            if process is None:
                return None
            process.kill()
            process.join(END_SECONDS)
            return process.exitcode

    def end(self) -> None:
        """Kill the process for good."""
        with self._lock:
            self._ended = True
        self.kill()

    def join(self) -> None:
        """Wait for the thread's end."""
        self._thread.join(END_SECONDS)


def _block_interrupts() -> None:
    """Have what this thread starts from now on never see Ctrl-C, not even while it still starts.

    Ctrl-C reaches every process of the terminal; only the parent decides what it means. The helper process of
    multiprocessing comes first, because starting it lifts the block.
    """
    if os.name == "posix":
        from multiprocessing import resource_tracker  # noqa: PLC0415 - of POSIX alone

        resource_tracker.ensure_running()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _receive(connection: Connection, seconds: float | None) -> Any:
    """The next message; EOFError where none comes."""
    if not connection.poll(seconds):
        raise EOFError
    return connection.recv()


def _work(connection: Connection) -> None:
    """What a worker process does: calls, until the parent closes the pipe or is gone.

    It says None when it is there and whenever it begins with a call, whose modules are imported by then.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows cannot block it from outside
    _keep_silent()
    collect_seldom()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    nothing = pickle.dumps(None)
    # A parent that went away is no error here.
    with suppress(EOFError, ConnectionError):
        connection.send_bytes(nothing)
        while True:
            call = connection.recv_bytes()
            try:
                function, arguments = pickle.loads(call)  # noqa: S301 - from the parent
                connection.send_bytes(nothing)
                reply = pickle.dumps((True, function(*arguments)))
            except MemoryError:
                os._exit(OUT_OF_MEMORY)  # what it still holds goes with it
            except Exception as error:  # noqa: BLE001 - for the future
                reply = pickle.dumps((False, error))
            connection.send_bytes(reply)


def _keep_silent() -> None:
    """Codecs write what they think of a file to the terminal; a process that crashes may leave an image of its memory.

    Both may hold what is a patient's.
    """
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    if os.name == "posix":
        import resource  # noqa: PLC0415 - of POSIX alone

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_parent() -> None:
    # A killed parent cannot stop a worker that is in the middle of a long call, or hangs in one.
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
