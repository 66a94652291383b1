"""Texts of the window: English in the code, another language from its catalogue."""

from functools import lru_cache

from app.text.i18n import Translate, open_translation


@lru_cache(maxsize=4)
def translator(language: str) -> Translate:
    """The translator for a language such as ``de``; English where there is no catalogue."""
    return open_translation([language] if language else [])


def tr(text: str, /, language: str = "", **fields: object) -> str:
    """A text for people, with its named fields filled in."""
    translated = translator(language)(text)
    return translated.format(**fields) if fields else translated
