"""The demo shows what the product is for, and costs nobody's privacy."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.catalog.step import scan
from app.cli.main import cli
from app.deid.step import prepare
from app.detection.step import detect
from app.errors import ProjectError
from app.jobs.executors import SerialExecutor
from app.pipeline.demo import make_demo
from app.project.folder import Project, create_project
from app.project.values import Suspicion
from app.review.dump import build_dump
from app.selection.step import select

QUICK_PROTOCOL = Path(__file__).parents[1] / "quick.toml"


def test_demo_has_four_people_a_damaged_file_and_a_foreign_one(tmp_path: Path) -> None:
    root, source = make_demo(tmp_path)
    with Project(root) as project:
        list(scan(project, [source], SerialExecutor()))
        verdicts = dict(project.store.execute("SELECT verdict, count(*) FROM files GROUP BY verdict").fetchall())
        assert project.site_id == "DEMO"
        assert project.store.execute("SELECT count(*) FROM patients").fetchone()[0] == 4
        assert project.store.execute("SELECT count(*) FROM series").fetchone()[0] == 5
    assert verdicts == {"instance": 27, "unreadable": 1, "skipped": 1}


def test_demo_has_a_value_that_a_person_should_look_at(tmp_path: Path) -> None:
    _, source = make_demo(tmp_path)
    create_project(tmp_path / "quick", "DEMO", QUICK_PROTOCOL)
    with Project(tmp_path / "quick") as project:
        executor = SerialExecutor()
        for job in (scan(project, [source], executor), select(project, None, None), detect(project, executor)):
            list(job)
        list(prepare(project, executor, unattended=True))
        suspicious = [row for row in build_dump(project) if row.is_suspicious]
    assert [(row.path, row.suspicion) for row in suspicious] == [("ProtocolName", (Suspicion.TIME_STAMP,))]


def test_each_demo_has_a_folder_of_its_own_and_the_same_files(tmp_path: Path) -> None:
    (_, first), (_, second) = make_demo(tmp_path), make_demo(tmp_path)
    names = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert first != second
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


def test_demo_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ProjectError, match="demo-not-written"):
        make_demo(tmp_path / "file")


def test_command_writes_the_demo_and_tells_where(tmp_path: Path) -> None:
    told = CliRunner().invoke(cli, ["demo", str(tmp_path), "--json"])
    assert told.exit_code == 0
    places = json.loads(told.output)
    assert Path(places["project"], "project.toml").is_file()
    assert Path(places["source"], "README.TXT").is_file()
