"""The help says the same in every language: same build, same figures, the words that the window itself uses."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest
from babel.messages.pofile import read_po
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.files.resources import resource_path
from app.text.help_pages import HelpPage, load_help
from app.text.i18n import DOMAIN, LANGUAGES
from tests.help_translations import digests, noted, translated_pages

ENGLISH = {page.name: page for page in load_help()}
TRANSLATED = translated_pages()
IN_ENGLISH_ALONE = {"kept_attributes"}  # made from the rules by ``make tables``
_PLACE = re.compile(r"\b[A-Z]{2,}\b")
_each_page = pytest.mark.parametrize("page", TRANSLATED.values(), ids=TRANSLATED)


def tokens(page: HelpPage) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.markdown)


def inline(page: HelpPage) -> Iterator[Token]:
    """What stands within the blocks of a page: texts, code, links, pictures."""
    for token in tokens(page):
        yield from token.children or ()


def build(page: HelpPage) -> list[tuple[str, str]]:
    """Headings with their level, lists, tables, blocks of code, paragraphs, in their order."""
    return [(token.type, token.tag) for token in tokens(page)]


def targets(page: HelpPage) -> Counter[str]:
    """Where its links and pictures lead."""
    return Counter(str(token.attrs.get("href") or token.attrs.get("src")) for token in inline(page) if token.attrs)


def code(page: HelpPage) -> Counter[str]:
    """Commands, file names, expressions; a comment in a block of code is a text, a name in capitals a place to fill."""
    blocks = [
        line.partition("#")[0].rstrip()
        for one in tokens(page)
        if one.type == "fence"
        for line in one.content.splitlines()
    ]
    spans = [token.content for token in inline(page) if token.type == "code_inline"]
    return Counter(_PLACE.sub("X", text) for text in blocks + spans)


def figures(page: HelpPage) -> set[str]:
    return set(re.findall(r"\d+", page.markdown))


def emphasised(page: HelpPage) -> set[str]:
    """What stands in bold or italics: among it the names of pages, buttons and columns."""
    found, text = set(), None
    for token in inline(page):
        match token.type:
            case "strong_open" | "em_open":
                text = ""
            case "strong_close" | "em_close":
                found.add(plain(text or ""))
                text = None
            case "softbreak" if text is not None:
                text += " "
            case _ if text is not None:
                text += token.content
    return found


@cache
def catalogue(language: str) -> dict[str, set[str]]:
    """What a text of the window says in a language; without the signs for keys and the dots of a button."""
    with resource_path(f"locale/{language}/LC_MESSAGES/{DOMAIN}.po").open("rb") as file:
        texts = {str(message.id): str(message.string) for message in read_po(file) if isinstance(message.id, str)}
    found: dict[str, set[str]] = {}
    for text, translated in texts.items():
        found.setdefault(plain(text), set()).add(plain(translated))
    return found


def plain(text: str) -> str:
    return text.replace("&", "").rstrip(" .…")


def test_every_page_is_translated() -> None:
    wanted = {
        f"{language}/{name}" for language in LANGUAGES.keys() - {"en"} for name in ENGLISH.keys() - IN_ENGLISH_ALONE
    }
    assert TRANSLATED.keys() == wanted


@_each_page
def test_a_translation_follows_the_english_text_of_now(page: HelpPage) -> None:
    """If this fails, bring the page in line with the English one, then ``make translated PAGES=language/name``."""
    assert noted()[f"{page.language}/{page.name}"] == digests()[page.name]


@_each_page
def test_a_translation_is_built_like_the_english_page(page: HelpPage) -> None:
    assert build(page) == build(ENGLISH[page.name])


@_each_page
def test_a_translation_has_the_links_code_and_figures_of_the_english_page(page: HelpPage) -> None:
    english = ENGLISH[page.name]
    assert targets(page) == targets(english)
    assert code(page) == code(english)
    assert figures(page) == figures(english)


@_each_page
def test_names_of_pages_and_buttons_are_those_of_the_window(page: HelpPage) -> None:
    words, said = catalogue(page.language), emphasised(page)
    missing = {text: words[text] for text in emphasised(ENGLISH[page.name]) & words.keys() if not words[text] & said}
    assert not missing
