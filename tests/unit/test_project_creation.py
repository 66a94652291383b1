import errno
import os
from pathlib import Path

import pytest

from app.errors import ProjectError, UsageError
from app.project.folder import Layout, Project, create_project, is_project


def test_creation_that_was_interrupted_is_gone_on_with(tmp_path: Path) -> None:
    create_project(tmp_path / "whole", "SITEA", None)
    secret = Layout(tmp_path / "whole").secret_key.read_bytes()
    half = Layout(tmp_path / "half")
    half.root.mkdir()
    half.secret_key.write_bytes(secret)
    (half.root / "protocol.toml.part").write_bytes(b"half a prot")
    create_project(half.root, "SITEA", None)
    with Project(half.root) as project:
        assert project.site_id == "SITEA"
    assert half.secret_key.read_bytes() == secret


@pytest.mark.parametrize("name", ["catalog.sqlite", "project.toml", "notes.txt"])
def test_folder_with_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(UsageError, match="folder-not-empty"):
        create_project(tmp_path, "SITEA", None)


def test_damaged_secret_is_not_replaced(tmp_path: Path) -> None:
    Layout(tmp_path).secret_key.write_text("not a key", encoding="ascii")
    with pytest.raises(ProjectError, match="secret-damaged"):
        create_project(tmp_path, "SITEA", None)
    assert Layout(tmp_path).secret_key.read_text(encoding="ascii") == "not a key"


def test_folder_that_refuses_to_be_looked_at_is_no_project_and_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_project(tmp_path / "project", "SITEA", None)
    assert is_project(tmp_path / "project")
    assert not is_project(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        # ERROR_NETWORK_UNREACHABLE as Windows raises it; a share that wants another password is much the same.
        raise OSError(errno.EINVAL, "The network location cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", refuse)
        found = is_project(tmp_path / "project")
    assert not found


def test_project_whose_drive_went_away_gives_its_lock_back(tmp_path: Path) -> None:
    create_project(tmp_path / "project", "SITEA", None)
    with Project(tmp_path / "project") as lost:
        (tmp_path / "project" / "tmp").rmdir()
    with Project(tmp_path / "project") as again:  # while somebody still knows the one before
        assert again.site_id == lost.site_id
