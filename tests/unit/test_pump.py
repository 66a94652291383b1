import ctypes
import gc
import os
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import count, islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.errors import Reason, UsageError
from app.jobs import processes, pump
from app.jobs.executors import SerialExecutor
from app.jobs.processes import ProcessExecutor
from app.jobs.pump import Batch, Done, Lost, Waiting, run_batches
from tests.contracts.calls import (
    BAD,
    ask_too_much_over_bad,
    die_once,
    end_process,
    exit_over_bad,
    hang_and_tell,
    hang_over_bad,
    harm_twice,
    is_alive,
    kill_over_bad,
    leave_alone,
    linger,
    linger_with_room,
    multiply,
    process_id,
    raise_over_bad,
    swell_over_bad,
    wait_for,
    wait_for_end,
    write_to_the_terminal,
)

AMPLE_SECONDS = 60.0
CRASHES = [exit_over_bad, kill_over_bad]


@pytest.fixture
def executor() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(2) as executor:
        yield executor


class Counted(SerialExecutor):
    """Tells how many batches were under way at most."""

    window = 3

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self.most = 0

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        self.futures.append(future)
        self.most = max(self.most, len(self.futures))
        if len(self.futures) == self.window:
            self.futures.pop(0).set_result(None)
        return future


def results(outcomes: list[Done[Any, int, Any] | Lost[Any, int] | Waiting]) -> list[int]:
    return sorted(value for one in outcomes if isinstance(one, Done) for value in one.result)


def lost(outcomes: list[Done[Any, int, Any] | Lost[Any, int] | Waiting]) -> list[tuple[tuple[int, ...], Reason]]:
    return [(one.batch.items, one.reason) for one in outcomes if isinstance(one, Lost)]


# what comes out ---------------------------------------------------------------


def test_serial_batches_come_back_in_order() -> None:
    batches = [Batch(3, (number,)) for number in range(5)]
    outcomes = list(run_batches(multiply, batches, SerialExecutor(), seconds_per_item=1))
    assert outcomes == [Done(batch, (3 * batch.items[0],)) for batch in batches]


def test_no_batches_give_nothing(executor: ProcessExecutor) -> None:
    empty: list[Batch[int, int]] = []
    assert list(run_batches(multiply, empty, executor, seconds_per_item=1)) == []


def test_batch_without_items_comes_back(executor: ProcessExecutor) -> None:
    batches: list[Batch[int, int]] = [Batch(2, ())]
    outcomes = [one for one in run_batches(multiply, batches, executor, seconds_per_item=1) if one != Waiting()]
    assert outcomes == [Done(batches[0], ())]


def test_window_bounds_what_is_taken_from_the_source() -> None:
    executor = Counted()
    run = run_batches(multiply, (Batch(2, (number,)) for number in count()), executor, seconds_per_item=AMPLE_SECONDS)
    assert len(list(islice(run, 20))) == 20
    assert executor.most <= executor.window


def test_batches_added_while_it_runs_are_taken(executor: ProcessExecutor) -> None:
    waiting = [Batch(2, (1,))]

    class Source:
        def __iter__(self) -> "Source":
            return self

        def __next__(self) -> Batch[int, int]:
            if not waiting:
                raise StopIteration
            return waiting.pop()

    taken = []
    for outcome in run_batches(multiply, Source(), executor, seconds_per_item=AMPLE_SECONDS):
        if isinstance(outcome, Waiting):
            continue
        taken.append(outcome.batch.items[0])
        if len(taken) < 4:
            waiting.append(Batch(2, (len(taken) + 1,)))
    assert taken == [1, 2, 3, 4]


def test_exception_of_the_function_comes_out_and_leaves_nothing_running(executor: ProcessExecutor) -> None:
    batches = [Batch(2, (number,)) for number in range(20)]
    with pytest.raises(LookupError, match="a defect"):
        list(run_batches(raise_over_bad, batches, executor, seconds_per_item=AMPLE_SECONDS))
    assert executor.submit(multiply, 2, (1,)).result(AMPLE_SECONDS) == (2,)


def test_result_that_cannot_travel_is_an_exception(executor: ProcessExecutor) -> None:
    with pytest.raises((AttributeError, TypeError, OSError, ValueError, Exception), match="leave_alone"):
        list(run_batches(leave_alone, [Batch(2, (1,))], executor, seconds_per_item=AMPLE_SECONDS))


# workers that die -------------------------------------------------------------


@pytest.mark.parametrize("function", CRASHES)
@pytest.mark.parametrize("size", [1, 5, 40])
def test_item_that_crashes_its_worker_is_lost_alone(executor: ProcessExecutor, function: Any, size: int) -> None:
    items = range(40)
    batches = [Batch(2, tuple(items[start : start + size])) for start in range(0, 40, size)]
    outcomes = list(run_batches(function, batches, executor, seconds_per_item=AMPLE_SECONDS))
    assert lost(outcomes) == [((BAD,), Reason.WORKER_CRASHED)]
    assert results(outcomes) == [2 * number for number in items if number != BAD]


def test_every_worker_may_die_at_once(executor: ProcessExecutor) -> None:
    batches = [Batch(2, (BAD,)) for _ in range(6)]
    outcomes = list(run_batches(exit_over_bad, batches, executor, seconds_per_item=AMPLE_SECONDS))
    assert lost(outcomes) == [((BAD,), Reason.WORKER_CRASHED)] * 6


def test_item_that_crashed_once_gets_a_second_chance(executor: ProcessExecutor, tmp_path: Path) -> None:
    batches = [Batch(str(tmp_path / "died"), (number, number + 1)) for number in range(0, 12, 2)]
    outcomes = list(run_batches(die_once, batches, executor, seconds_per_item=AMPLE_SECONDS))
    assert lost(outcomes) == []
    assert results(outcomes) == list(range(12))


def test_worker_that_died_between_calls_is_no_loss(executor: ProcessExecutor) -> None:
    for future in [executor.submit(end_process) for _ in range(4)]:
        assert isinstance(future.exception(AMPLE_SECONDS), executor.deaths)
    outcomes = list(run_batches(multiply, [Batch(2, (1,))] * 4, executor, seconds_per_item=AMPLE_SECONDS))
    assert results(outcomes) == [2] * 4


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_idle_worker_that_is_killed_is_no_loss() -> None:
    with ProcessExecutor(1) as executor:
        worker = executor.submit(process_id).result(AMPLE_SECONDS)
        os.kill(worker, signal.SIGKILL)
        outcomes = list(run_batches(multiply, [Batch(2, (1, 2))], executor, seconds_per_item=AMPLE_SECONDS))
    assert lost(outcomes) == []
    assert results(outcomes) == [2, 4]


def test_workers_that_cannot_start_are_an_error_and_not_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_work", end_process_at_start)
    with ProcessExecutor(1) as executor, pytest.raises(UsageError, match="workers-do-not-start"):
        list(run_batches(multiply, [Batch(2, (1,))], executor, seconds_per_item=AMPLE_SECONDS))


def end_process_at_start(_: object) -> None:
    os._exit(3)


# workers that take too much ---------------------------------------------------


@pytest.mark.parametrize("swell", [swell_over_bad, ask_too_much_over_bad])
def test_item_that_fills_the_memory_is_lost_alone(
    executor: ProcessExecutor, swell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "MEMORY_BYTES", 200 << 20)
    batches = [Batch(2, tuple(range(start, start + 4))) for start in range(0, 16, 4)]
    outcomes = list(run_batches(swell, batches, executor, seconds_per_item=AMPLE_SECONDS))
    assert lost(outcomes) == [((BAD,), Reason.WORKER_OUT_OF_MEMORY)]
    assert results(outcomes) == [2 * number for number in range(16) if number != BAD]


def test_function_may_ask_for_more_memory(executor: ProcessExecutor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "MEMORY_BYTES", 10 << 20)  # less than a process has that does nothing
    outcomes = list(run_batches(linger, [Batch(0.5, (1,))], executor, seconds_per_item=AMPLE_SECONDS))
    assert lost(outcomes) == [((1,), Reason.WORKER_OUT_OF_MEMORY)]
    outcomes = list(run_batches(linger_with_room, [Batch(0.5, (1,))], executor, seconds_per_item=AMPLE_SECONDS))
    assert results(outcomes) == [1]


def test_what_a_codec_writes_does_not_reach_the_terminal(
    executor: ProcessExecutor, capfd: pytest.CaptureFixture[str]
) -> None:
    executor.submit(write_to_the_terminal, "ZZCANARY").result()
    assert capfd.readouterr() == ("", "")


# workers that hang ------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 4])
def test_item_that_hangs_its_worker_is_lost_alone(executor: ProcessExecutor, size: int) -> None:
    items = range(16)
    batches = [Batch(2, tuple(items[start : start + size])) for start in range(0, 16, size)]
    outcomes = list(run_batches(hang_over_bad, batches, executor, seconds_per_item=0.5))
    assert lost(outcomes) == [((BAD,), Reason.WORKER_HUNG)]
    assert results(outcomes) == [2 * number for number in items if number != BAD]


def test_crash_and_hang_are_told_apart(executor: ProcessExecutor) -> None:
    batches = [Batch(2, tuple(range(start, start + 3))) for start in range(0, 18, 3)]
    outcomes = list(run_batches(harm_twice, batches, executor, seconds_per_item=0.5))
    assert sorted(lost(outcomes)) == [((BAD,), Reason.WORKER_HUNG), ((BAD + 1,), Reason.WORKER_CRASHED)]
    assert len(results(outcomes)) == 16


def test_time_in_the_queue_does_not_count(tmp_path: Path) -> None:
    # One worker: the second batch waits in the queue for as long as the first one takes, which is all it may take.
    with ProcessExecutor(1) as executor:
        future = executor.submit(wait_for, str(tmp_path / "go"))
        queued = executor.submit(multiply, 2, (1,))
        while executor.started(future) is None:
            assert not future.done()
        assert executor.started(queued) is None
        (tmp_path / "go").write_text("gone", encoding="ascii")
        assert queued.result(AMPLE_SECONDS) == (2,)


class Sleepless(SerialExecutor):
    """One call that never ends, begun when the clock was at 0."""

    def submit(self, function: Any, *arguments: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        return future

    def started(self, future: Future[Any]) -> float | None:
        return 0.0


def test_time_asleep_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(pump, "monotonic", lambda: clock[0])
    run = run_batches(multiply, [Batch(2, (1,))], Sleepless(), seconds_per_item=0.2)
    assert isinstance(next(run), Waiting)
    clock[0] += 36_000.0  # a night
    assert isinstance(next(run), Waiting)
    clock[0] += 0.1
    assert isinstance(next(run), Waiting)
    clock[0] += 0.2  # awake, and still nothing
    outcome = next(run)
    assert isinstance(outcome, Lost)
    assert outcome.reason is Reason.WORKER_HUNG


def test_windows_is_kept_awake_by_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    kernel = SimpleNamespace(kernel32=SimpleNamespace(SetThreadExecutionState=asked.append))
    monkeypatch.setattr(ctypes, "windll", kernel, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert len(list(run_batches(multiply, [Batch(2, (1,))] * 3, SerialExecutor(), seconds_per_item=1))) == 3
    assert asked
    assert set(asked) == {1}  # of this moment: ES_CONTINUOUS would outlast the job


# the end ------------------------------------------------------------


def test_closing_stops_what_runs(executor: ProcessExecutor, tmp_path: Path) -> None:
    told = tmp_path / "pid"
    run = run_batches(
        hang_and_tell, [Batch(str(told), (number,)) for number in (BAD, 1, 2, 3, 4)], executor, seconds_per_item=60
    )
    next(one for one in run if isinstance(one, Done))
    hanging = int(told.read_text(encoding="ascii"))
    run.close()
    assert not is_alive(hanging)
    assert executor.submit(multiply, 2, (1,)).result(AMPLE_SECONDS) == (2,)


def test_a_slow_item_lets_people_stop_meanwhile(executor: ProcessExecutor, tmp_path: Path) -> None:
    run = run_batches(hang_and_tell, [Batch(str(tmp_path / "pid"), (BAD,))], executor, seconds_per_item=60)
    assert isinstance(next(run), Waiting)
    hanging = int(wait_for(str(tmp_path / "pid")))
    run.close()
    assert not is_alive(hanging)


def test_leaving_the_executor_ends_its_processes(tmp_path: Path) -> None:
    told = tmp_path / "pid"
    with ProcessExecutor(2) as executor:
        executor.submit(hang_and_tell, str(told), (BAD,))
        other = executor.submit(hang_and_tell, str(told), (1,)).result(AMPLE_SECONDS)
        hanging = int(wait_for(str(told)))
        assert is_alive(hanging)
        assert is_alive(other)
    assert not is_alive(hanging)
    assert not is_alive(other)


def test_crashes_leak_neither_processes_nor_pipes() -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("counts the open files of this process under /proc")
    batches = [Batch(2, (number,)) for number in range(10)]
    with ProcessExecutor(2) as executor:
        executor.submit(multiply, 2, (1,)).result(AMPLE_SECONDS)  # starts multiprocessing's own helper
    before = len(list(descriptors.iterdir()))
    with ProcessExecutor(2) as executor:
        for _ in range(5):
            assert len(lost(list(run_batches(exit_over_bad, batches, executor, seconds_per_item=60)))) == 1
    gc.collect()
    assert len(list(descriptors.iterdir())) <= before


def test_each_worker_gets_work(executor: ProcessExecutor, tmp_path: Path) -> None:
    # The one that waits for the file can only end because the other worker writes it.
    outcomes = Counter(
        type(one)
        for one in run_batches(
            hang_and_tell, [Batch(str(tmp_path / "pid"), (1,)), Batch(str(tmp_path / "pid"), (BAD,))], executor,
            seconds_per_item=1,
        )
        if not isinstance(one, Waiting)
    )  # fmt: skip
    assert outcomes == {Done: 1, Lost: 1}


def test_nothing_warns_when_it_all_ends() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with ProcessExecutor(2) as executor:
            executor.submit(process_id).result(AMPLE_SECONDS)
        gc.collect()


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_worker_is_deaf_to_interrupts_from_its_start() -> None:
    with ProcessExecutor(1) as executor:
        worker = executor.submit(process_id).result(AMPLE_SECONDS)
        os.kill(worker, signal.SIGINT)
        assert executor.submit(process_id).result(AMPLE_SECONDS) == worker
    wait_for_end([worker], AMPLE_SECONDS)
