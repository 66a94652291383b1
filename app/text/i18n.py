"""Translations. English is in the code; another language is a gettext catalogue under ``resources/locale``."""

import gettext
import sys
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
Plural = Callable[[str, str, int], str]


def mark(text: str) -> str:
    """Mark a text for the catalogue where it can't be translated yet: in a table, at import."""
    return text


def mark_plural(one: str, several: str) -> tuple[str, str]:
    """Mark a text of which gettext takes one form or another, by a number: for ``gettext.ngettext``."""
    return one, several


def language_of(locale_name: str) -> str:
    """The one of LANGUAGES that suits a locale such as ``de_CH`` or ``pt_PT``; English where none does."""
    spoken = locale_name.partition("_")[0].lower()
    return next((code for code in LANGUAGES if code.partition("_")[0] == spoken), "en")


def language_of_terminal(environment: Mapping[str, str], of_system: str = "") -> str:
    """The one of LANGUAGES that the environment asks for, as gettext reads it.

    Where it asks for none, that of the locale ``of_system``; without one, English.
    """
    wanted = (environment.get(name, "") for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"))
    return language_of(next((text.partition(":")[0] for text in wanted if text), of_system))


def language_of_system() -> str:
    """The locale in which Windows speaks to this person; empty elsewhere, where the environment says it."""
    if sys.platform != "win32":
        return ""
    import ctypes  # noqa: PLC0415 - nothing else needs them
    import locale  # noqa: PLC0415

    return locale.windows_locale.get(ctypes.windll.kernel32.GetUserDefaultUILanguage(), "")


def open_translation(languages: Sequence[str]) -> Translate:
    """The translator for the first of ``languages`` (such as ``de_CH``) that there is; English where there is none."""
    return _catalogue(languages).gettext


def open_plurals(languages: Sequence[str]) -> Plural:
    """The same for texts of which the language takes one form or another, by a number: French has 0 in the singular."""
    return _catalogue(languages).ngettext


def _catalogue(languages: Sequence[str]) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, localedir=str(resource_path("locale")), languages=list(languages), fallback=True)
