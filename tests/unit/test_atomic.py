"""Files that are whole or not there, also where Windows lets another program hold them for a moment."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.detection.site_masks import load_site_masks
from app.files.atomic import is_there, put_in_place, remove, write_atomically
from app.project.approvals import load_approvals
from app.project.dataset import load_dataset_decisions
from app.project.decisions import Decisions, load_decisions
from app.project.faults import fault_of
from app.project.folder import Project, create_project
from app.project.masks import load_masks
from app.project.study_list import load_study_list

SHARING_VIOLATION, ACCESS_DENIED = 32, 5


def windows_error(number: int) -> PermissionError:
    """As Windows raises it; elsewhere, errors have no such number."""
    error = PermissionError(13, "held")
    error.winerror = number  # type: ignore[attr-defined]
    return error


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long was waited; nobody waits here."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    return waited


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, error: PermissionError, times: int) -> None:
    """Have a call of the operating system fail so often, then do as ever."""
    real: Callable[..., Any] = getattr(os, name)
    left = iter([error] * times)

    def call(*arguments: Any, **options: Any) -> Any:
        for one in left:
            raise one
        return real(*arguments, **options)

    monkeypatch.setattr(os, name, call)


@pytest.mark.parametrize("number", [SHARING_VIOLATION, ACCESS_DENIED])
def test_file_that_is_held_for_a_moment_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float], number: int
) -> None:
    path = tmp_path / "values.csv"
    path.write_bytes(b"old")
    refuse(monkeypatch, "replace", windows_error(number), 3)
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert len(pauses) == 3


def test_file_that_is_held_for_a_moment_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    path = tmp_path / "bundle.zip.part"
    path.write_bytes(b"old")
    refuse(monkeypatch, "unlink", windows_error(SHARING_VIOLATION), 3)
    remove(path)
    assert not path.exists()
    assert len(pauses) == 3


def test_file_that_stays_held_is_left_alone_and_nothing_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    path = tmp_path / "values.csv"
    path.write_bytes(b"old")
    refuse(monkeypatch, "replace", windows_error(SHARING_VIOLATION), 1000)
    with pytest.raises(PermissionError):
        write_atomically(path, b"new")
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == {"values.csv": b"old"}
    assert 1 < sum(pauses) < 10


def test_what_is_forbidden_for_good_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    part = tmp_path / "values.csv.part"
    part.write_bytes(b"new")
    refuse(monkeypatch, "replace", PermissionError(13, "no right"), 1)
    with pytest.raises(PermissionError):
        put_in_place(part, tmp_path / "values.csv")
    assert not pauses


def test_decisions_on_a_drive_that_is_away_are_not_none(tmp_path: Path) -> None:
    root = tmp_path / "project"
    create_project(root, "SITEA", None)
    with Project(root) as project:
        layout = project.layout
    assert load_decisions(layout) == Decisions()
    root.rename(tmp_path / "away")
    for load in (load_decisions, load_approvals, load_masks, load_study_list, load_dataset_decisions, load_site_masks):
        with pytest.raises(FileNotFoundError) as caught:
            load(layout)
        fault = fault_of(caught.value)
        assert fault is not None
        assert fault.code == "no-drive"


def test_file_of_a_drive_that_comes_back_while_it_is_looked_for_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "masks.json"
    path.write_bytes(b"[]")
    real, answers = os.stat, iter([FileNotFoundError(2, "away")])

    def stat(*arguments: Any, **options: Any) -> Any:
        for one in answers:
            raise one
        return real(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", stat)
        found = is_there(path)
    assert found
