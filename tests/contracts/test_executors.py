"""What every executor must do for the pump; the Dask cluster is one on localhost."""

import os
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.errors import Reason, UsageError
from app.jobs import executors
from app.jobs.executors import DaskExecutor, ProcessExecutor, SerialExecutor, WorkExecutor, open_executor
from app.jobs.pump import Batch, Done, Lost, run_batches
from tests.contracts.calls import (
    BAD,
    exit_over_bad,
    hang_and_tell,
    hang_over_bad,
    multiply,
    process_id,
    raise_over_bad,
    wait_for,
    wait_for_end,
)
from tests.contracts.cluster import running_cluster

KINDS = ("serial", "processes", "dask")
IN_OTHER_PROCESSES = ("processes", "dask")
AMPLE_SECONDS = 60.0


@pytest.fixture(scope="module")
def dask_address() -> Iterator[str]:
    pytest.importorskip("distributed", reason="distributed is not installed")
    with running_cluster(workers=2) as address:
        yield address


@pytest.fixture
def executor(request: pytest.FixtureRequest) -> Iterator[WorkExecutor]:
    with ExitStack() as stack:
        match request.param:
            case "serial":
                yield stack.enter_context(SerialExecutor())
            case "processes":
                yield stack.enter_context(ProcessExecutor(2))
            case _:
                yield stack.enter_context(DaskExecutor(request.getfixturevalue("dask_address")))


every_executor = pytest.mark.parametrize("executor", KINDS, indirect=True)
every_remote_executor = pytest.mark.parametrize("executor", IN_OTHER_PROCESSES, indirect=True)


@every_executor
def test_result_comes_back(executor: WorkExecutor) -> None:
    assert executor.submit(multiply, 2, (3, 4)).result(AMPLE_SECONDS) == (6, 8)


@every_executor
def test_exception_comes_back_as_itself(executor: WorkExecutor) -> None:
    future = executor.submit(raise_over_bad, 2, (BAD,))
    with pytest.raises(LookupError, match="a defect"):
        future.result(AMPLE_SECONDS)
    assert executor.submit(multiply, 2, (3,)).result(AMPLE_SECONDS) == (6,)


@every_executor
def test_window_keeps_each_worker_busy(executor: WorkExecutor) -> None:
    assert executor.window >= (1 if isinstance(executor, SerialExecutor) else 2)


@every_executor
def test_nothing_that_is_done_has_started(executor: WorkExecutor) -> None:
    future = executor.submit(multiply, 2, (3,))
    future.result(AMPLE_SECONDS)
    assert executor.started(future) is None


@every_executor
def test_all_batches_come_back_once(executor: WorkExecutor) -> None:
    batches = [Batch(2, (number, number + 1)) for number in range(30)]
    outcomes = list(run_batches(multiply, batches, executor, seconds_per_item=AMPLE_SECONDS))
    assert sorted(one.result for one in outcomes if isinstance(one, Done)) == [(2 * n, 2 * n + 2) for n in range(30)]
    assert sum(isinstance(one, Done | Lost) for one in outcomes) == 30


@every_remote_executor
def test_work_is_done_elsewhere(executor: WorkExecutor) -> None:
    assert executor.submit(process_id).result(AMPLE_SECONDS) != os.getpid()


@every_remote_executor
def test_start_shows_once_it_runs(executor: WorkExecutor, tmp_path: Path) -> None:
    future = executor.submit(wait_for, str(tmp_path / "go"))
    while executor.started(future) is None:
        assert not future.done()
    (tmp_path / "go").write_text("gone", encoding="ascii")
    assert future.result(AMPLE_SECONDS) == "gone"


@every_remote_executor
def test_stop_ends_what_hangs_and_work_goes_on(executor: WorkExecutor, tmp_path: Path) -> None:
    future = executor.submit(hang_and_tell, str(tmp_path / "pid"), (BAD,))
    worker = int(wait_for(str(tmp_path / "pid")))
    executor.stop(future)
    wait([future], AMPLE_SECONDS)
    wait_for_end([worker], AMPLE_SECONDS)
    assert future.cancelled() or isinstance(future.exception(), executor.deaths)
    assert executor.submit(multiply, 2, (3,)).result(AMPLE_SECONDS) == (6,)


@every_remote_executor
def test_death_of_a_worker_costs_one_item(executor: WorkExecutor) -> None:
    batches = [Batch(2, (number, number + 1)) for number in range(0, 12, 2)]
    outcomes = list(run_batches(exit_over_bad, batches, executor, seconds_per_item=AMPLE_SECONDS))
    assert [one for one in outcomes if isinstance(one, Lost)] == [Lost(Batch(2, (BAD,)), Reason.WORKER_CRASHED)]
    results = [value for one in outcomes if isinstance(one, Done) for value in one.result]
    assert sorted(results) == [2 * number for number in range(12) if number != BAD]


@every_remote_executor
def test_hang_of_a_worker_costs_one_item(executor: WorkExecutor) -> None:
    batches = [Batch(2, (number,)) for number in range(12)]
    outcomes = list(run_batches(hang_over_bad, batches, executor, seconds_per_item=1.5))
    assert [one for one in outcomes if isinstance(one, Lost)] == [Lost(Batch(2, (BAD,)), Reason.WORKER_HUNG)]
    results = [value for one in outcomes if isinstance(one, Done) for value in one.result]
    assert sorted(results) == [2 * number for number in range(12) if number != BAD]


def test_executor_is_named_by_text() -> None:
    with open_executor("serial") as serial, open_executor("3") as processes:
        assert isinstance(serial, SerialExecutor)
        assert isinstance(processes, ProcessExecutor)
        assert processes.window == 6


def test_dask_address_opens_the_cluster(dask_address: str) -> None:
    with open_executor(dask_address) as executor:
        assert executor.submit(multiply, 2, (3,)).result(AMPLE_SECONDS) == (6,)


@pytest.mark.parametrize("workers", ["", "0", "-1", "62", "many", "1.5", "dask:/x"])
def test_unknown_workers_are_refused(workers: str) -> None:
    with pytest.raises(UsageError, match="bad-workers"):
        open_executor(workers)


@pytest.mark.parametrize("address", ["dask://", "dask://127.0.0.1", "dask://127.0.0.1:words"])
def test_address_without_a_scheduler_is_refused(address: str) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    with pytest.raises(UsageError, match="dask-not-reached"):
        open_executor(address)


def test_cluster_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed")
    monkeypatch.setattr(executors, "FIRST_WORKER_SECONDS", 1.0)
    with running_cluster(workers=0) as address, pytest.raises(UsageError, match="dask-without-workers"):
        open_executor(address)
