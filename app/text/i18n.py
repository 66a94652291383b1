"""Translations. English is in the code; another language is a gettext catalogue under ``resources/locale``."""

import gettext
from collections.abc import Callable, Mapping, Sequence

from app.files.resources import resource_path

DOMAIN = "consign"
# Each by its own name: somebody who reads no other finds it.
LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Espa\u00f1ol",
    "fr": "Fran\u00e7ais",
    "pt_BR": "Portugu\u00eas (Brasil)",
}

Translate = Callable[[str], str]


def mark(text: str) -> str:
    """Mark a text for the catalogue where it can't be translated yet: in a table, at import."""
    return text


def language_of(locale_name: str) -> str:
    """The one of LANGUAGES that suits a locale such as ``de_CH`` or ``pt_PT``; English where none does."""
    spoken = locale_name.partition("_")[0].lower()
    return next((code for code in LANGUAGES if code.partition("_")[0] == spoken), "en")


def language_of_terminal(environment: Mapping[str, str]) -> str:
    """The one of LANGUAGES that the environment asks for, as gettext reads it; English where it asks for none."""
    wanted = (environment.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return language_of(next((text.partition(":")[0] for text in wanted if text), ""))


def open_translation(languages: Sequence[str]) -> Translate:
    """The translator for the first of ``languages`` (such as ``de_CH``) that there is; English where there is none."""
    catalogue = gettext.translation(
        DOMAIN, localedir=str(resource_path("locale")), languages=list(languages), fallback=True
    )
    return catalogue.gettext
