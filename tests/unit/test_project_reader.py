"""A second, read-only view of an open project, for another thread."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path, PureWindowsPath

import pytest

from app.project.folder import Project, create_project
from app.project.store import read_only_address


def test_reader_sees_what_is_committed_from_another_thread_and_writes_nothing(tmp_path: Path) -> None:
    create_project(tmp_path / "project", "SITEA", None)
    seen: list[str | None] = []
    refused: list[bool] = []

    def read(project: Project) -> None:
        with project.reader() as view:
            seen.append(view.store.get_meta("greeting"))
            try:
                view.store.set_meta("greeting", "other")
            except sqlite3.OperationalError:
                refused.append(True)

    with Project(tmp_path / "project") as project:
        project.store.set_meta("greeting", "hello")
        thread = threading.Thread(target=read, args=(project,))
        thread.start()
        thread.join(10)
        (project.layout.tmp / "kept").write_text("x")
        assert seen == ["hello"]
        assert refused == [True]
        assert (project.layout.tmp / "kept").exists(), "leaving a reader cleans up nothing of the project's"
        assert project.store.get_meta("greeting") == "hello"


def test_reader_of_a_folder_with_odd_signs_in_its_name(tmp_path: Path) -> None:
    root = tmp_path / "100% röntgen #1?" if not tmp_path.drive else tmp_path / "100% röntgen #1"
    create_project(root, "SITEA", None)
    with Project(root) as project, project.reader() as view:
        assert view.store.one("SELECT count(*) FROM files") == 0
        with pytest.raises(sqlite3.OperationalError):
            view.store.execute("DELETE FROM files")


def test_address_of_a_share_names_no_host_to_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    share = PureWindowsPath(r"\\server\share\project\catalog.sqlite")
    monkeypatch.chdir(tmp_path)
    with closing(sqlite3.connect(str(share))) as database:  # here, a file of that name
        database.execute("CREATE TABLE t (x)")
    with closing(sqlite3.connect(read_only_address(share), uri=True)) as database:
        assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)
