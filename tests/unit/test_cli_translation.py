"""Everything that the command line says by itself goes through the catalogue: read here in a language of our own."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from click.testing import CliRunner

import app.cli.language as cli_language
import app.text.i18n as i18n
from app.cli.main import cli
from app.errors import Reason
from tests.catalogues import ROOT, compile_catalogue, forms, texts_in_code
from tests.factory import write_pacs_export

# Our own language: English in other letters. What nobody translates stays in Latin ones.
LETTERS = {ord("A") + place: 0x410 + place for place in range(26)} | {
    ord("a") + place: 0x430 + place for place in range(26)
}
FIELD = re.compile(r"(\{[^}]*\})")
WORD = re.compile(r"[A-Za-z]{3,}")
SENTENCE = re.compile(r"[A-Za-z]{2,} | [A-Za-z]{2,}")

PROTOCOL = """
id = "cohort"
title = "T"
contact = "C"
[selection]
where = 'Modality in ("CT", "MR")'
[[groups]]
name = "cases"
wanted = 9
[[labels]]
name = "finding"
type = "category"
values = ["nodule"]
[[reports.terms]]
name = "nodule"
phrases = ["nodul*"]
[images]
detectors = ["glyphs"]
"""
COMMANDS = sorted(cli.commands)
OPTIONS = {option for command in cli.commands.values() for one in command.params for option in one.opts}
# What the project itself says, and the standard: names of groups and attributes, codes, modalities.
ITS_OWN = set(
    WORD.findall("cases nodule cohort Patient Age Sex Size Weight site champion SITEA SEG RTSTRUCT RTDOSE DOC")
)
CODES = {word for reason in Reason for word in WORD.findall(reason.value)}
DIGEST = re.compile(r"\b(?=[a-z]*\d)[0-9a-z]{8,}\b")


def in_other_letters(text: str) -> str:
    return "".join(piece if FIELD.fullmatch(piece) else piece.translate(LETTERS) for piece in FIELD.split(text))


@pytest.fixture(scope="module", autouse=True)
def our_language(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """In place of German."""
    catalogue = Catalog(locale="de")
    for text in texts_in_code():
        told = tuple(map(in_other_letters, forms(text)))
        catalogue.add(text, told if isinstance(text, tuple) else told[0])
    resources = tmp_path_factory.mktemp("resources")
    folder = resources / "locale" / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "consign.mo").write_bytes(compile_catalogue(catalogue))
    with pytest.MonkeyPatch.context() as patch:
        for module in (cli_language, i18n):
            patch.setattr(module, "resource_path", lambda name: resources / name)
        yield


def say(*arguments: object, language: str = "de") -> str:
    runner = CliRunner()
    return runner.invoke(cli, list(map(str, arguments)), prog_name="consign", env={"LANGUAGE": language}).output


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("job")


@pytest.fixture(scope="module")
def said(folder: Path) -> dict[str, str]:
    """What each command says in a job from the export to the verified bundle."""
    write_pacs_export(folder / "export", seed=1, patients=3, slices=3, size=128)
    (folder / "protocol.toml").write_text(PROTOCOL, encoding="utf-8")
    (folder / "reports.csv").write_text("AccessionNumber,Text\nA1,A nodule.\n", encoding="utf-8")
    project, serial = folder / "project", ("--workers", "serial")
    protocol = ("--site", "SITEA", "--protocol", folder / "protocol.toml")
    jobs: dict[str, tuple[object, ...]] = {
        "demo": (folder / "demo",),
        "run": (folder / "export", "--project", folder / "other", "--out", folder / "out", *protocol, *serial),
        "new": (project, *protocol),
        "scan": (project, folder / "export", *serial),
        "check": (project, "--all"),
        "select": (project,),
        "reports": (project, folder / "reports.csv"),
        "images": (project, "--detect", "--list", *serial),
        "prepare": (project, *serial),
        "values": (project, "--csv", folder / "values.csv"),
        "dataset": (project,),
        "describe": (project,),
        "files": (project, "--csv", folder / "files.csv"),
        "crosswalk": (project, "--csv", folder / "crosswalk.csv"),
        "approve": (project, "--as", "Ada", "--role", "site champion"),
        "export": (project, "--out", folder / "bundle", *serial),
        "verify": (folder / "bundle",),
    }
    return {command: say(command, *arguments) for command, arguments in jobs.items()}


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_translated_but_for_what_one_types(command: str) -> None:
    text = say(*filter(None, [command]), "--help")
    typed = {"consign", "auto", "version", "help", *COMMANDS}
    assert "Опуионт:" in text
    assert set(WORD.findall(text)) - typed - {word for option in OPTIONS for word in option.split("-")} == set()


@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "--unknown",
        "unknown",
        "sca",
        "scan",
        "scan --worker 1",
        "scan project source --workers",
        "images --detect=1",
        "describe one two",
        "describe one two three",
        "new project",
        "values pyproject.toml",
        "values project --csv app",
        "verify",
    ],
)
def test_refusals_are_translated(arguments: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    text = say(*arguments.split())
    typed = {
        "consign",
        "help",
        *WORD.findall(arguments),
        *COMMANDS,
        *(word for option in OPTIONS for word in option.split("-")),
    }
    assert "Фтажд: consign" in text or "Дссос: " in text
    assert set(WORD.findall(text)) - typed - ({"version"} if not arguments else set()) == set()


def test_job_covers_every_command(said: dict[str, str]) -> None:
    assert sorted(said) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_results_are_translated(command: str, said: dict[str, str], folder: Path) -> None:
    text = DIGEST.sub("", said[command].replace(str(folder), ""))
    places = {"demo": "PACS export Demo demo", "new": "project", "export": "bundle"}.get(command, "")
    if command == "describe":  # what it holds is the card's: values, and names of the standard
        text = "\n".join(line.partition(":")[0] for line in text.splitlines())
    assert text
    assert set(WORD.findall(text)) - ITS_OWN - CODES - set(places.split()) == set()


def test_nothing_is_written_in_the_code_that_no_catalogue_has() -> None:
    """What the job above does not come to say."""
    known = {form for text in texts_in_code() for form in forms(text)}
    left = set()
    for path in (ROOT / "app" / "cli").glob("*.py"):
        tree = ast.parse(path.read_bytes())
        documented = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)]
        docstrings = {ast.get_docstring(node, clean=False) for node in documented}
        texts = {
            node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        left |= {text for text in texts - docstrings - known if SENTENCE.search(text)}
    assert {text for text in left if not text.startswith("SELECT ")} == set()


def test_machines_read_english_in_every_language(said: dict[str, str], folder: Path) -> None:
    project = folder / "project"
    jobs = ["check", "select", "images", "values", "dataset", "describe"]
    told = {job: say(job, project, "--json") for job in jobs}
    assert told == {job: say(job, project, "--json", language="en") for job in jobs}
    assert set().union(*map(set, told.values())) & set(map(chr, LETTERS.values())) == set()


def test_files_are_the_same_in_every_language(said: dict[str, str], folder: Path) -> None:
    project = folder / "project"
    for command, name in (("values", "values.csv"), ("files", "files.csv"), ("crosswalk", "crosswalk.csv")):
        say(command, project, "--csv", folder / f"english-{name}", language="en")
        assert (folder / f"english-{name}").read_bytes() == (folder / name).read_bytes()
    say("export", project, "--out", folder / "english", "--workers", "serial", language="en")
    names = sorted(path.name for path in (folder / "bundle").iterdir())
    assert "report.html" in names
    assert [path.name for path in sorted((folder / "english").iterdir())] == names
    for name in names:
        assert (folder / "english" / name).read_bytes() == (folder / "bundle" / name).read_bytes()
