"""Texts of the window: English in the code, another language from its catalogue."""

from app.text.i18n import Plural, Translate, open_plurals, open_translation

# The one thing of the window that is global: Qt's own texts and gettext's know one language at a time, too.
_translation: list[Translate] = [open_translation([])]
_plurals: list[Plural] = [open_plurals([])]
_language: list[str] = ["en"]


def use_language(language: str) -> None:
    """From now on, texts are in a language such as ``de`` or ``pt_BR``; English where there is no catalogue."""
    _translation[0] = open_translation([language])
    _plurals[0] = open_plurals([language])
    _language[0] = language


def language() -> str:
    """The language that texts are in, as it was given to ``use_language``; English before."""
    return _language[0]


def tr(text: str, /, **fields: object) -> str:
    """A text for people, with its named fields filled in."""
    translated = _translation[0](text) if text else ""  # gettext takes an empty text for its own header
    return translated.format(**fields) if fields else translated


def plural(one: str, several: str, /, count: int) -> str:
    """The form of a text that the language has for this number; its fields are still to be filled in."""
    return _plurals[0](one, several, count)


def named(name: str, text: object) -> str:
    """A name and what there is of it, with the colon as the language sets it."""
    return tr("{name}: {text}", name=name, text=text)
