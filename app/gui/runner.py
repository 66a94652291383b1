"""The one thread that owns the writing Project and works on it."""

import queue
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QThread, Signal

from app.errors import ConsignError
from app.events import Event, Job, Progress
from app.gui.crash_report import reports_folder, write_crash_report
from app.jobs.executors import WorkExecutor, open_executor
from app.project.faults import fault_of
from app.project.folder import Project

# More often than people can read, and seldom enough to cost nothing.
SECONDS_BETWEEN_PROGRESS = 0.1

JobFactory = Callable[[Project, WorkExecutor], Job]


class Ending(StrEnum):
    """How a job ended."""

    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended; ``error`` says why it failed."""

    ending: Ending
    error: ConsignError | None = None


def as_consign_error(error: BaseException) -> ConsignError:
    """An error that may be shown: ours or the system's as a code, a defect by its place in our code alone."""
    if isinstance(error, ConsignError):
        return error
    if fault := fault_of(error):
        return fault
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    report = write_crash_report(error, reports_folder())
    return ConsignError("defect", kind=type(error).__name__, place=place, **({"report": str(report)} if report else {}))


class Runner(QThread):
    """Opens a project, then runs one job after the other, until it is told to end.

    A job is a generator: it is iterated here, its events go out at most ten times a second, and closing it is how it
    is cancelled.
    """

    opened = Signal(object)  # the writing Project, only for making readers of it
    refused = Signal(object)  # ConsignError: the project can't be opened
    told = Signal(object)  # Event of the running job
    ended = Signal(object)  # Outcome

    def __init__(self, root: Path, workers: str) -> None:
        super().__init__()
        self._root, self._workers = root, workers
        self._jobs: queue.SimpleQueue[JobFactory | None] = queue.SimpleQueue()
        self._is_cancelled = threading.Event()

    def submit(self, make_job: JobFactory) -> None:
        """Run a job when the one before has ended."""
        self._is_cancelled.clear()  # here, so that a cancel before the thread gets to it is not lost
        self._jobs.put(make_job)

    def cancel(self) -> None:
        """Stop the running job at its next event; what it has done so far stays."""
        self._is_cancelled.set()

    def end(self) -> None:
        """Stop the running job and close the project; ``finished`` tells when that is done."""
        self.cancel()
        self._jobs.put(None)

    def run(self) -> None:
        """What the thread does."""
        try:
            with Project(self._root) as project, open_executor(self._workers) as executor:
                self.opened.emit(project)
                while (make_job := self._jobs.get()) is not None:
                    self.ended.emit(self._run(make_job, project, executor))
        except Exception as error:  # noqa: BLE001 - the window shows it; a thread must not die in silence
            self.refused.emit(as_consign_error(error))

    def _run(self, make_job: JobFactory, project: Project, executor: WorkExecutor) -> Outcome:
        shown = 0.0
        last: Event | None = None
        job: Job | None = None
        try:
            job = make_job(project, executor)
            for event in job:
                now = time.monotonic()
                if not isinstance(event, Progress) or now - shown >= SECONDS_BETWEEN_PROGRESS:
                    shown = now
                    self.told.emit(event)
                last = event
                if self._is_cancelled.is_set():
                    return Outcome(Ending.CANCELLED)
            if isinstance(last, Progress):
                self.told.emit(last)
        except Exception as error:  # noqa: BLE001 - becomes a sentence for people
            return Outcome(Ending.FAILED, as_consign_error(error))
        finally:
            if job is not None:
                job.close()
        return Outcome(Ending.FINISHED)
