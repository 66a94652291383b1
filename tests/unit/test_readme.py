"""The README says what is true: its commands, their options, its links, its benchmarks and make targets are there."""

import re
from importlib.util import find_spec
from pathlib import Path

from app.cli.main import cli

ROOT = Path(__file__).resolve().parents[2]
TEXT = ROOT.joinpath("README.md").read_text(encoding="utf-8")


def _described() -> list[tuple[str, str]]:
    """Each command of the list of commands with what stands in its line."""
    return re.findall(r"^consign ([a-z]+) (.*)$", TEXT, re.MULTILINE)


def test_every_command_is_described_and_there_is_no_other() -> None:
    assert {name for name, _ in _described()} == set(cli.commands)


def test_options_of_the_commands_exist() -> None:
    for name, rest in _described():
        known = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= known, (name, rest)


def test_links_lead_to_files_of_the_checkout() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if "://" not in link]
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).is_file()] == []


def test_modules_that_measure_a_figure_exist() -> None:
    modules = set(re.findall(r"python -m (benchmarks\.\w+)", TEXT))
    assert len(modules) > 8
    assert [name for name in modules if find_spec(name) is None] == []


def test_make_targets_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)`", TEXT, re.MULTILINE))
    assert {"demo", "test", "run"} <= {name for pair in named for name in pair if name} <= set(targets)
