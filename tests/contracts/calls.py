"""What the tests have workers do. Functions of a batch: ``(context, items)``; ``BAD`` is the item that does harm."""

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Event

from app.jobs.processes import needs_memory

BAD = 7


def multiply(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """The items times the context."""
    return tuple(context * item for item in items)


def exit_over_bad(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """End the process without a word, as a crash in foreign code does."""
    if BAD in items:
        os._exit(3)
    return multiply(context, items)


def kill_over_bad(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """End as the system ends a process that takes too much memory."""
    if BAD in items:
        os.kill(os.getpid(), signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    return multiply(context, items)


def swell_over_bad(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """Take ever more memory, and touch it."""
    if BAD in items:
        held = []
        while True:
            held.append(b"x" * (8 << 20))
            time.sleep(0.005)
    return multiply(context, items)


def ask_too_much_over_bad(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """Want what no machine has."""
    if BAD in items:
        bytearray(1 << 60)
    return multiply(context, items)


def linger(context: float, items: tuple[int, ...]) -> tuple[int, ...]:
    """Take a while."""
    time.sleep(context)
    return items


@needs_memory(1 << 30)
def linger_with_room(context: float, items: tuple[int, ...]) -> tuple[int, ...]:
    """The same, and it may be large."""
    return linger(context, items)


def write_to_the_terminal(text: str) -> None:
    """Write past Python, as libraries in C do."""
    for stream in (1, 2):
        os.write(stream, text.encode())


def hang_over_bad(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """Never come back."""
    if BAD in items:
        Event().wait()
    return multiply(context, items)


def harm_twice(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """Die over one item, hang over another."""
    if BAD + 1 in items:
        os._exit(3)
    return hang_over_bad(context, items)


def raise_over_bad(context: int, items: tuple[int, ...]) -> tuple[int, ...]:
    """A defect."""
    if BAD in items:
        raise LookupError("a defect")
    return multiply(context, items)


def die_once(context: str, items: tuple[int, ...]) -> tuple[int, ...]:
    """Die the first time that the bad item comes: the memory was short. ``context`` is a file that remembers it."""
    if BAD in items and not Path(context).exists():
        Path(context).touch()
        os._exit(3)
    return items


def hang_and_tell(context: str, items: tuple[int, ...]) -> int:
    """Over the bad item, write one's process id to the file ``context`` and hang; over others, wait for that file."""
    path = Path(context)
    if BAD in items:
        part = path.with_suffix(".part")
        part.write_text(str(os.getpid()), encoding="ascii")
        part.replace(path)
        Event().wait()
    while not path.exists():
        Event().wait(0.01)
    return os.getpid()


def leave_alone(context: int, items: tuple[int, ...]) -> object:
    """A result that cannot travel."""
    return lambda: (context, items)


def process_id() -> int:
    """Of the worker."""
    return os.getpid()


def end_process() -> None:
    """End the worker."""
    os._exit(3)


def wait_for(path: str) -> str:
    """Wait until a file holds something, and return it: whoever writes a file makes it empty first."""
    file = Path(path)
    while not file.exists() or not file.stat().st_size:
        Event().wait(0.01)
    return file.read_text(encoding="ascii")


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_for_end(pids: Iterable[int], seconds: float) -> None:
    """Return as soon as none of the processes runs any more; AssertionError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, alive
        Event().wait(0.01)
