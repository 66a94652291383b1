"""Jobs, questions and decisions: none makes the window wait, and all of them end where they should."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from app.events import Finished, Job, Note, Progress
from app.gui.session import Ending, Outcome, Session
from app.project.folder import Project, create_project


@pytest.fixture
def session(tmp_path: Path, qtbot: QtBot) -> Iterator[Session]:
    create_project(tmp_path / "project", "SITEA", None)
    session = Session(workers="serial")
    with qtbot.waitSignal(session.opened):
        session.open(tmp_path / "project")
    yield session
    session.close()


def count(project: Project, upto: int) -> Job:
    for number in range(upto):
        project.store.set_meta("count", str(number))
        yield Progress("count", number, upto)
    yield Note("count", "leftover-removed", {"file": "x"})
    yield Finished("count", {"count": upto})


def forever(project: Project, *_: Any) -> Job:
    while True:
        yield Progress("forever", 0, None)


def test_job_runs_in_another_thread_and_tells_at_most_ten_times_a_second(session: Session, qtbot: QtBot) -> None:
    events: list[Any] = []
    session.job_event.connect(events.append)
    with qtbot.waitSignal(session.job_ended) as ended:
        assert session.start("Counting", lambda project, _: count(project, 500))
        assert session.is_busy
    outcome: Outcome = ended.args[0]
    assert outcome.ending is Ending.FINISHED
    assert not session.is_busy
    assert [type(event) for event in events[-2:]] == [Note, Finished]
    assert sum(isinstance(event, Progress) for event in events) < 100
    assert session.project is not None
    assert session.project.store.get_meta("count") == "499"


def test_cancel_ends_a_job_and_the_next_one_runs(session: Session, qtbot: QtBot) -> None:
    session.start("Forever", forever)
    with qtbot.waitSignal(session.job_ended) as ended:
        session.cancel()
    assert ended.args[0].ending is Ending.CANCELLED
    with qtbot.waitSignal(session.job_ended) as ended:
        assert session.start("Counting", lambda project, _: count(project, 3))
    assert ended.args[0].ending is Ending.FINISHED


def test_only_one_job_runs_at_a_time(session: Session, qtbot: QtBot) -> None:
    assert session.start("Forever", forever)
    assert not session.start("Counting", lambda project, _: count(project, 3))
    with qtbot.waitSignal(session.job_ended):
        session.cancel()


def test_defect_in_a_job_shows_its_place_and_not_its_text(session: Session, qtbot: QtBot) -> None:
    def fail(*_: Any) -> Job:
        yield Progress("fail", 0, None)
        raise ValueError("Doe^Jane")

    with qtbot.waitSignal(session.job_ended) as ended:
        session.start("Failing", fail)
    error = ended.args[0].error
    assert error.code == "defect"
    assert "Doe" not in str(error)


def test_answer_comes_back_in_the_windows_own_thread(session: Session, qtbot: QtBot) -> None:
    here = threading.get_ident()
    seen: list[tuple[int, int]] = []
    session.ask(lambda _: threading.get_ident(), lambda there: seen.append((there, threading.get_ident())))
    qtbot.waitUntil(lambda: len(seen) == 1)
    assert seen[0][0] != here
    assert seen[0][1] == here


def test_superseded_answer_is_not_given(session: Session, qtbot: QtBot) -> None:
    gate = threading.Event()
    seen: list[str] = []

    def slow(_: Project) -> str:
        gate.wait(10)
        return "slow"

    session.ask(slow, seen.append, key="table")
    session.ask(lambda _: "quick", seen.append, key="table")
    gate.set()
    qtbot.waitUntil(lambda: "quick" in seen)
    qtbot.wait(50)
    assert seen == ["quick"]


def test_decisions_are_taken_in_order_and_announced(session: Session, qtbot: QtBot) -> None:
    order: list[int] = []
    for number in range(20):
        session.change(lambda _, number=number: order.append(number))  # type: ignore[misc]  # a default binds the number
    with qtbot.waitSignal(session.changed):
        session.change(lambda _: order.append(99))
    qtbot.waitUntil(lambda: len(order) == 21)
    assert order == [*range(20), 99]


def test_project_that_cannot_be_opened_says_why(tmp_path: Path, qtbot: QtBot) -> None:
    session = Session(workers="serial")
    with qtbot.waitSignal(session.failed) as failed:
        session.open(tmp_path)
    assert failed.args[0].code == "not-a-project"
    assert session.project is None


def test_close_stops_a_job_and_gives_the_project_back(session: Session, tmp_path: Path) -> None:
    session.start("Forever", forever)
    session.close()
    with Project(tmp_path / "project") as project:
        assert project.site_id == "SITEA"


def test_cancel_before_the_thread_has_begun_is_not_lost(session: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(session.job_ended) as ended:
        session.start("Forever", forever)
        session.cancel()
    assert ended.args[0].ending is Ending.CANCELLED
