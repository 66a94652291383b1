"""Translations. English is in the code; another language is a gettext catalogue under ``resources/locale``."""

import gettext
from collections.abc import Callable, Sequence

from app.files.resources import resource_path

DOMAIN = "consign"

Translate = Callable[[str], str]


def mark(text: str) -> str:
    """Mark a text for the catalogue where it can't be translated yet: in a table, at import."""
    return text


def open_translation(languages: Sequence[str]) -> Translate:
    """The translator for the first of ``languages`` (such as ``de_CH``) that there is; English where there is none."""
    catalogue = gettext.translation(
        DOMAIN, localedir=str(resource_path("locale")), languages=list(languages), fallback=True
    )
    return catalogue.gettext
