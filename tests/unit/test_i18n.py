"""Which language a terminal asks for, and that it is spoken there."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli.main import cli
from app.text.i18n import LANGUAGES, language_of, language_of_terminal


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
