"""A project keeps the site and the protocol that it was made with: a request for others is refused, not passed over."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli.main import cli
from app.files.resources import resource_path
from app.project.folder import create_project

DEFAULT, OTHER = "defaults/protocol.toml", "samples/chest-ct.toml"


def _run(folder: Path, *options: str) -> Result:
    (folder / "source").mkdir()
    create_project(folder / "project", "SITEA", None)
    places = [str(folder / "source"), "--project", str(folder / "project"), "--out", str(folder / "out")]
    return CliRunner().invoke(cli, ["run", *places, *options])


def test_run_with_another_protocol_than_the_project_has_is_refused(tmp_path: Path) -> None:
    told = _run(tmp_path, "--site", "SITEA", "--protocol", str(resource_path(OTHER)))
    assert told.exit_code == 2
    assert "made with another protocol" in told.output


def test_run_for_another_site_than_the_project_has_is_refused(tmp_path: Path) -> None:
    told = _run(tmp_path, "--site", "SITEB")
    assert told.exit_code == 2
    assert "made for another site id" in told.output


@pytest.mark.parametrize("options", [(), ("--protocol", str(resource_path(DEFAULT)))])
def test_run_with_the_protocol_that_the_project_has_goes_on(tmp_path: Path, options: tuple[str, ...]) -> None:
    told = _run(tmp_path, "--site", "SITEA", *options)
    assert "another" not in told.output
    assert "Reading files: 0 files" in told.output
