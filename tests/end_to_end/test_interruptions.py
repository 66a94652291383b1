"""What is left after a kill -9, a Ctrl-C, or a second start, and that the same command makes it good."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.project.folder import Project
from app.text.messages import ERRORS
from tests.contracts.calls import wait_for_end
from tests.end_to_end.interrupted import Job, children_of, events, kill_group, write_source

PATIENTS = 10
STEPS = ("scan", "detect", "prepare", "export")
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and process groups")
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    assert write_source(folder, PATIENTS) == 300
    return folder


@pytest.fixture(scope="module")
def undisturbed(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = Job.create(source, tmp_path_factory.mktemp("undisturbed") / "job")
    job.finish()
    assert len(list(job.out.glob("*.zip"))) > 1
    return job


@pytest.fixture
def job(undisturbed: Job, tmp_path: Path) -> Job:
    return Job.create(undisturbed.source, tmp_path / "job", undisturbed.secret)


def wait_for_step(process: "subprocess.Popen[str]", step: str) -> None:
    assert any(event.get("event") == "progress" and event["step"] == step for event in events(process))


def assert_same(job: Job, undisturbed: Job) -> None:
    assert job.bundle() == undisturbed.bundle()
    assert job.counts() == undisturbed.counts()
    assert job.leftovers() == []


def test_same_secret_gives_the_same_bundle(job: Job, undisturbed: Job) -> None:
    job.finish()
    assert_same(job, undisturbed)


@pytest.mark.parametrize("step", STEPS)
def test_killed_job_is_made_good_by_the_same_command(job: Job, undisturbed: Job, step: str) -> None:
    with job.started() as process:
        wait_for_step(process, step)
        kill_group(process)
    finished = {path.name for path in job.out.glob("*.zip")} if job.out.exists() else set()
    assert {name: (job.out / name).read_bytes() for name in finished}.items() <= undisturbed.bundle().items()
    job.finish()
    assert_same(job, undisturbed)


@posix
@pytest.mark.slow
def test_job_that_is_killed_again_and_again_comes_to_the_same_end(job: Job, undisturbed: Job) -> None:
    for step in STEPS:
        with job.started() as process:
            wait_for_step(process, step)
            kill_group(process)
    job.finish()
    assert_same(job, undisturbed)


@linux
@pytest.mark.parametrize("step", STEPS)
def test_workers_do_not_outlive_a_killed_command(job: Job, undisturbed: Job, step: str) -> None:
    with job.started() as process:
        wait_for_step(process, step)
        children = children_of(process)
        process.kill()
        process.wait()
        wait_for_end(children, seconds=10)
    job.finish()
    assert_same(job, undisturbed)


@posix
@pytest.mark.parametrize("step", STEPS)
def test_interrupt_stops_cleanly_and_the_same_command_goes_on(job: Job, undisturbed: Job, step: str) -> None:
    with job.started() as process:
        wait_for_step(process, step)
        children = children_of(process) if sys.platform == "linux" else []
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers, too
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 1
        assert errors.strip() == "Stopped. Nothing is lost: the same command goes on from here."
        wait_for_end(children, seconds=5)
    job.finish()
    assert_same(job, undisturbed)


def test_second_command_on_a_project_is_refused(job: Job) -> None:
    with Project(job.project), job.started() as process:
        output, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    assert ERRORS["project-in-use"] in output
    assert errors == ""
    assert not job.out.exists()


@posix
def test_command_that_is_killed_leaves_no_lock(job: Job, undisturbed: Job) -> None:
    with job.started() as process:
        wait_for_step(process, "scan")
        process.kill()
        process.wait()
        with Project(job.project):
            pass
