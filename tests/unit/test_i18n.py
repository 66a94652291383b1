"""Which language a terminal asks for, and that it is spoken there."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from app.cli.main import cli
from app.review.deciding import Choice
from app.text.i18n import LANGUAGES, language_of, language_of_terminal, open_translation
from app.text.numbers import count_text
from tests.catalogues import ROOT


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_AT.UTF-8", "LC_ALL": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "de_AT.UTF-8", "LANGUAGE": "pt:es"}, "pt_BR"),
        ({"LANGUAGE": "", "LANG": "es_MX"}, "es"),
        ({"LANG": "xx"}, "en"),
    ],
)
def test_the_environment_says_which_language(environment: dict[str, str], language: str) -> None:
    assert language_of_terminal(environment) == language
    assert language in LANGUAGES


def test_system_says_it_where_the_environment_does_not() -> None:
    assert language_of_terminal({}, "fr_CA") == "fr"
    assert language_of_terminal({"LANG": "de_DE"}, "fr_CA") == "de"


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("command", sorted(cli.commands))
def test_help_is_whole_within_80_columns(command: str, language: str) -> None:
    def shown(*arguments: str) -> str:
        told = CliRunner().invoke(cli, [*arguments, "--help"], env={"LANGUAGE": language, "COLUMNS": "80"})
        assert max(map(len, told.output.splitlines())) <= 80
        return "".join(told.output.split())

    translate = open_translation([language])
    texts = [translate(inspect.cleandoc(cli.commands[command].help or ""))]
    texts += [translate(one.help) for one in cli.commands[command].params if isinstance(one, click.Option) and one.help]
    assert len(texts) > 1
    for text in texts:
        assert "".join(text.split()) in shown(command)
    first = texts[0].partition("\n")[0].partition(". ")[0].removesuffix(".")
    assert command + "".join(first.split()) in shown()


def test_terminal_that_lacks_letters_of_the_language_shows_the_others() -> None:
    environment = {**os.environ, "LANGUAGE": "fr", "PYTHONIOENCODING": "latin-1"}
    told = subprocess.run(
        [sys.executable, "-m", "app", "--help"], env=environment, cwd=ROOT, capture_output=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, b"")
    assert b"l\\u2019\xe9tat actuel" in told.stdout


def test_own_names_of_languages_find_themselves() -> None:
    assert [language_of(code) for code in LANGUAGES] == list(LANGUAGES)


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "en"])
def test_errors_are_told_in_the_language_of_the_terminal_and_to_machines_in_english(
    language: str, tmp_path: Path
) -> None:
    def said(environment: dict[str, str], *options: str) -> str:
        result = CliRunner().invoke(cli, ["values", str(tmp_path), *options], env=environment)
        assert result.exit_code == 2
        return result.output

    english = said({"LANGUAGE": "en"})
    assert "not a Consign project" in english
    assert said({"LANGUAGE": language}) != english
    assert "not a Consign project" in said({"LANGUAGE": language}, "--json")


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_help_names_the_words_that_a_csv_decides_with(language: str) -> None:
    told = CliRunner().invoke(cli, ["values", "--help"], env={"LANGUAGE": language, "COLUMNS": "200"}).output
    assert [choice for choice in Choice if choice is not Choice.OPEN and choice.value not in told] == []


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_commands_group_the_digits_of_a_count_as_the_language_does(language: str) -> None:
    grouped = {"en": "12,345", "de": "12.345", "es": "12.345", "fr": "12\xa0345", "pt_BR": "12.345"}
    four = {"en": "1,234", "de": "1.234", "es": "1234", "fr": "1\xa0234", "pt_BR": "1.234"}
    assert [count_text(count, language) for count in (999, 1234, 12345)] == ["999", four[language], grouped[language]]
