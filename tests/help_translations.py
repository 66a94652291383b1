"""Which English text each translated page of the help was made from.

``make translated PAGES="de/find fr/find"`` notes the one of now.

A test fails where an English page is no more the noted one: its translations wait. Whoever has brought a page in line
notes it.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from app.text.help_pages import HelpPage, load_help
from app.text.i18n import LANGUAGES

NOTES = Path(__file__).with_suffix(".json")


def translated_pages() -> dict[str, HelpPage]:
    """All pages that there are in another language than English, by names such as ``de/find``."""
    return {f"{code}/{page.name}": page for code in LANGUAGES for page in load_help(code) if page.language != "en"}


def digests() -> dict[str, str]:
    """SHA-256 of the English text of each page."""
    return {page.name: hashlib.sha256(page.markdown.encode()).hexdigest() for page in load_help()}


def noted() -> dict[str, str]:
    """For each translated page, by names such as ``de/find``, the digest of the English text that it was made from."""
    notes: dict[str, str] = json.loads(NOTES.read_text(encoding="utf-8"))
    return notes


def note(names: Iterable[str]) -> None:
    """Say that these translations follow the English text of now. Raises KeyError for one that there is not."""
    pages, english = translated_pages(), digests()
    notes = noted() | {name: english[pages[name].name] for name in names}
    NOTES.write_text(json.dumps(notes, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    note(sys.argv[1:])
