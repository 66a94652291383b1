"""The help says what is true of this program: its pages, its commands, its options."""

import re
from itertools import groupby
from pathlib import Path

import pytest

from app.cli.main import cli
from app.files.resources import resource_path
from app.protocol.load import load_protocol
from app.protocol.where import parse_where
from app.text.help_pages import NAMES, HelpPage, load_help, pages_with
from app.text.i18n import LANGUAGES
from tests.manual import write_manual

PAGES = load_help()
_COMMAND = re.compile(r"\bconsign ([a-z]+)((?: [^`\n]+)?)")
_PICTURE = re.compile(r"!\[[^\]]+\]\(([^)]+)\)")
_OPTION = re.compile(r"--[a-z-]+")


def test_each_page_has_a_title_of_its_own() -> None:
    titles = [page.title for page in PAGES]
    assert len(set(titles)) == len(NAMES)
    assert all(titles)


def test_a_page_that_is_missing_in_a_language_is_shown_in_english() -> None:
    assert load_help("xx") == PAGES
    (kept,) = (page for page in load_help("de") if page.name == "kept_attributes")
    assert kept.language == "en"
    assert kept in PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_in_the_help_exist(page: HelpPage) -> None:
    for name, rest in _COMMAND.findall(page.markdown):
        command = cli.commands.get(name)
        assert command is not None, name
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert set(_OPTION.findall(rest)) <= known, (name, rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_rows_of_a_table_have_as_many_cells(page: HelpPage) -> None:
    for is_table, lines in groupby(page.markdown.splitlines(), key=lambda line: line.startswith("|")):
        if is_table:
            assert len({line.count("|") for line in lines}) == 1


def test_the_pieces_of_protocol_in_the_help_make_one_that_loads(tmp_path: Path) -> None:
    (page,) = (page for page in PAGES if page.name == "organisers")
    pieces = re.findall(r"```toml\n(.*?)```", page.markdown, re.DOTALL)
    assert len(pieces) >= 5
    file = tmp_path / "protocol.toml"
    file.write_text("\n".join(pieces), encoding="utf-8")
    protocol, _ = load_protocol(file)
    assert [group.name for group in protocol.groups] == ["cases", "controls"]


@pytest.mark.parametrize(
    "expression",
    [
        "1 <= SliceThickness <= 3",
        'Modality in ("CT", "MR")',
        '"LOCALIZER" in ImageType',
        "exists(PatientAge)",
        'matches(SeriesDescription, "*chest*")',
    ],
)
def test_an_expression_of_the_help_is_understood(expression: str) -> None:
    (page,) = (page for page in PAGES if page.name == "organisers")
    assert f"`{expression}`" in " ".join(page.markdown.split())
    parse_where(expression)


def test_each_language_has_pictures_of_its_own() -> None:
    names = {name for page in PAGES for name in _PICTURE.findall(page.markdown)}
    assert names
    for name in names:
        pictures = {resource_path(_in_help(name, language)).read_bytes() for language in LANGUAGES}
        assert len(pictures) == len(LANGUAGES), name


def test_manual_has_every_page_and_links_that_lead_somewhere(tmp_path: Path) -> None:
    written = write_manual(tmp_path / "manual")
    assert len(written) == len(PAGES) * len(LANGUAGES)
    assert written[0].name == "index.html"
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert text.count("<h1>") == 1
        assert text.count("aria-current=page") == 2  # this page, this language
        for target in re.findall(r'(?:href|src)="([^"]+)"', text):
            assert target.startswith("https://") or (path.parent / target).is_file(), target


def test_manual_shows_the_pictures_of_the_language(tmp_path: Path) -> None:
    write_manual(tmp_path / "manual")
    for language in LANGUAGES:
        name = "index.html" if language == "en" else f"index.{language}.html"
        shown = re.findall(r'<img src="([^"]+)"', (tmp_path / "manual" / name).read_text(encoding="utf-8"))
        assert shown
        for target in shown:
            own = resource_path(_in_help(f"pictures/{Path(target).name}", language))
            assert (tmp_path / "manual" / target).read_bytes() == own.read_bytes()


def test_a_search_finds_the_pages_that_have_all_words() -> None:
    assert [page.name for page in pages_with(PAGES, "Threat MODEL")] == ["privacy_officer"]
    assert pages_with(PAGES, "") == PAGES
    assert pages_with(PAGES, "no-such-word-anywhere") == ()
    assert "signoff" in [page.name for page in pages_with(load_help("fr"), "l'\u00c9TIQUETTE")]


def _in_help(name: str, language: str) -> str:
    return f"help/{name}" if language == "en" else f"help/{language}/{name}"
