"""The open project as the pages see it; the only place that starts work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, QThreadPool, Signal, Slot

from app.errors import ConsignError
from app.gui.runner import Ending, JobFactory, Outcome, Runner, as_consign_error
from app.project.folder import Project
from app.project.plan_memory import PlanMemory
from app.review.dump import DumpMemory

T = TypeVar("T")

_LONGEST_END_MS = 60_000


class Session(QObject):
    """One project at a time, its jobs, questions and decisions.

    Three ways to work, none of which makes the window wait:

    - ``start`` runs a job in the one thread that may write to the database;
    - ``ask`` reads in another thread, and gives the answer to a function in this one;
    - ``change`` takes a decision (decisions are files), one after the other, then says ``changed``.
    """

    opened = Signal()
    closed = Signal()
    changed = Signal()
    failed = Signal(object)  # ConsignError, of opening, asking or deciding
    job_started = Signal(str)
    job_event = Signal(object)
    job_ended = Signal(object)  # Outcome

    def __init__(self, workers: str = "auto", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._workers = workers
        self._runner: Runner | None = None
        self._writer: Project | None = None
        self._reader: Project | None = None
        self._title = ""
        self._is_unasked = False
        self._asked: dict[str, int] = {}
        self._questions = QThreadPool(self)
        self._decider = QThreadPool(self)
        self._decider.setMaxThreadCount(1)
        self._tasks: dict[_Task, Callable[[Any], None]] = {}
        # What the pages look at; whoever signs or exports builds both anew.
        self.dump = DumpMemory()
        self.plans = PlanMemory()

    # the project ------------------------------------------------------------

    @property
    def project(self) -> Project | None:
        """The project, to read small things of in the window's own thread; None where none is open."""
        return self._reader

    @property
    def root(self) -> Path | None:
        """The folder of the open project."""
        return None if self._reader is None else self._reader.layout.root

    def open(self, root: Path) -> None:
        """Open a project, after closing the one before; then ``opened``, or ``failed`` where it can't be."""
        self.close()
        runner = Runner(root, self._workers)
        runner.opened.connect(self._take_project)
        runner.refused.connect(self._refuse)
        runner.told.connect(self.job_event)
        runner.ended.connect(self._end_job)
        self._runner = runner
        runner.start()

    def close(self) -> None:
        """Stop what runs and close the project; returns when that is done."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        runner.cancel()  # it ends while the answers are waited for
        self._asked.clear()
        self._decider.waitForDone(_LONGEST_END_MS)
        self._questions.waitForDone(_LONGEST_END_MS)
        self._tasks.clear()
        self.plans.forget()
        if self._reader is not None:
            self._reader.store.close()
        was_open = self._reader is not None
        self._reader = self._writer = None
        runner.end()
        runner.wait(_LONGEST_END_MS)
        self._title = ""
        if was_open:
            self.closed.emit()

    @Slot(object)
    def _take_project(self, project: Project) -> None:
        if self.sender() is not self._runner:
            return
        self._writer = project
        self._reader = project.reader()
        self.opened.emit()

    @Slot(object)
    def _refuse(self, error: ConsignError) -> None:
        runner = self._runner
        if runner is None or self.sender() is not runner:
            return
        runner.wait(_LONGEST_END_MS)  # it is about to end, and Qt wants it whole until then
        self._runner = None
        self.plans.forget()
        if self._reader is not None:  # it broke while it was open
            self._reader.store.close()
            self._reader = self._writer = None
            self._title = ""
            self.closed.emit()
        self.failed.emit(error)

    # jobs -------------------------------------------------------------------

    @property
    def is_busy(self) -> bool:
        """Whether a job runs."""
        return bool(self._title)

    @property
    def job_title(self) -> str:
        """What the running job is called; empty where none runs."""
        return self._title

    @property
    def is_unasked(self) -> bool:
        """Whether the job that runs, or has just ended, is one that nobody started: it may be stopped unasked."""
        return self._is_unasked

    def start(self, title: str, make_job: JobFactory, *, is_unasked: bool = False) -> bool:
        """Run a job in the project's own thread; False where another one runs or no project is open.

        ``is_unasked``: a page keeps something current by it, and nobody minds if it is stopped and begun anew.
        """
        if self.is_busy or self._runner is None or self._reader is None:
            return False
        self._title, self._is_unasked = title, is_unasked
        self.job_started.emit(title)
        self._runner.submit(make_job)
        return True

    def cancel(self) -> None:
        """Stop the running job soon; what it has done stays, and the next start goes on from there."""
        if self._runner is not None and self.is_busy:
            self._runner.cancel()

    @Slot(object)
    def _end_job(self, outcome: Outcome) -> None:
        if self.sender() is not self._runner:
            return
        self._title = ""
        self.job_ended.emit(outcome)
        self.changed.emit()

    # questions and decisions --------------------------------------------------

    def ask(self, function: Callable[[Project], T], then: Callable[[T], None], key: str = "") -> None:
        """Have ``function`` read in another thread, with a reader of its own; ``then`` gets the answer here.

        A later question with the same ``key`` supersedes this one: its answer is not given any more.
        """
        if self._writer is None:
            return
        number = self._asked[key] = self._asked.get(key, 0) + 1

        def answer(result: Any) -> None:
            if not key or self._asked.get(key) == number:
                then(result)

        self._run(_Task(_with_reader, (self._writer, function)), self._questions, answer)

    def change(self, function: Callable[[Project], Any], then: Callable[[], None] | None = None) -> None:
        """Take a decision, after the ones before; then ``then``, and ``changed``."""
        if self._writer is None:
            return

        def done(_: Any) -> None:
            if then is not None:
                then()
            self.changed.emit()

        self._run(_Task(_with_reader, (self._writer, function)), self._decider, done)

    def aside(self, function: Callable[[], T], then: Callable[[T], None]) -> None:
        """Have ``function`` work in another thread, with or without a project; ``then`` gets its answer here."""
        self._run(_Task(function, ()), self._questions, then)

    def _run(self, task: "_Task", pool: QThreadPool, then: Callable[[Any], None]) -> None:
        self._tasks[task] = then
        # A slot of this object runs in this object's thread; a plain function would run in the task's.
        task.signals.done.connect(self._finish_task)
        pool.start(task)

    @Slot(object, object, object)
    def _finish_task(self, task: "_Task", result: Any, error: ConsignError | None) -> None:
        then = self._tasks.pop(task, None)
        if then is None:  # of a project that is closed by now
            return
        if error is not None:
            self.failed.emit(error)
        else:
            then(result)


class _TaskSignals(QObject):
    done = Signal(object, object, object)  # task, result, ConsignError or None


class _Task(QRunnable):
    """A function that runs in a pool's thread and tells this one what came of it."""

    def __init__(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        super().__init__()
        self.setAutoDelete(False)
        self.signals = _TaskSignals()
        self._function, self._arguments = function, arguments

    def run(self) -> None:
        """What the thread does."""
        try:
            result = self._function(*self._arguments)
        except Exception as error:  # noqa: BLE001 - the window shows it
            self.signals.done.emit(self, None, as_consign_error(error))
        else:
            self.signals.done.emit(self, result, None)


def _with_reader(project: Project, function: Callable[[Project], T]) -> T:
    with project.reader() as view:
        return function(view)


__all__ = ["Ending", "Outcome", "Session"]
