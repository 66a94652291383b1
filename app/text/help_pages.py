"""The help under ``resources/help``: a page of Markdown for each page of the window, and for each kind of reader.

English lies there, another language in a folder with its code, such as ``de``; so do the pictures, and one that there
is not in a language is the English one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.files.resources import resource_path

NAMES = (
    "first_steps",
    "start",
    "protocol",
    "find",
    "deidentify",
    "values",
    "images",
    "signoff",
    "privacy_officer",
    "organisers",
    "kept_attributes",
    "it",
    "faq",
)


@dataclass(frozen=True, slots=True)
class HelpPage:
    """One page in one of ``i18n.LANGUAGES``; the title is its first heading."""

    name: str
    language: str
    title: str
    markdown: str


def load_help(language: str = "en") -> tuple[HelpPage, ...]:
    """All pages: the first steps, the job in its order, then those for other readers.

    A page that there is not in ``language`` comes in English.
    """
    return tuple(_load(name, language) for name in NAMES)


def pages_with(pages: Sequence[HelpPage], words: str) -> tuple[HelpPage, ...]:
    """The pages that have each of ``words``, in whatever case and order; all of them for none."""
    wanted = _folded(words).split()
    return tuple(page for page in pages if all(word in _folded(page.markdown) for word in wanted))


def _folded(text: str) -> str:
    return text.casefold().replace("\u2019", "'")  # the apostrophe that keyboards have


def _load(name: str, language: str) -> HelpPage:
    path = resource_path(f"help/{language}/{name}.md")
    if not path.is_file():
        path, language = resource_path(f"help/{name}.md"), "en"
    text = path.read_text(encoding="utf-8")
    return HelpPage(name, language, text.partition("\n")[0].removeprefix("# "), text)
