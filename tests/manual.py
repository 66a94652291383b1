"""The help as a manual to read in a browser: ``make manual`` writes ``build/manual``.

The same pages as behind F1 in every language, one HTML file each with a list of all at its left and links to it in the
other languages; no script, nothing from elsewhere.
"""

import html
import shutil
from pathlib import Path

from markdown_it import MarkdownIt

from app import __version__
from app.files.resources import resource_path
from app.text.help_pages import NAMES, HelpPage, load_help
from app.text.i18n import LANGUAGES

TO = Path(__file__).resolve().parents[1] / "build" / "manual"
_STYLE = """
:root { color-scheme: light dark; --line: #cdd4db; --accent: #0b6e75; }
@media (prefers-color-scheme: dark) { :root { --line: #3d464e; --accent: #5ec9d1; } }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; display: flex; gap: 2rem;
padding: 1.5rem; }
nav { flex: 0 0 14rem; } nav a { display: block; padding: .3rem 0; } main { flex: 1; min-width: 0; }
a { color: var(--accent); } [aria-current] { font-weight: 600; text-decoration: none; }
table { border-collapse: collapse; display: block; overflow-x: auto; } td, th { border: 1px solid var(--line);
padding: .35rem .6rem; text-align: left; vertical-align: top; } pre { overflow-x: auto; padding: .8rem;
border: 1px solid var(--line); border-radius: 6px; } img { max-width: 100%; border: 1px solid var(--line); }
@media (max-width: 50rem) { body { display: block; } } @media print { nav { display: none; } }
"""


def write_manual(folder: Path) -> list[Path]:
    """Write all pages in all languages and their pictures; the first is the index. Returns the pages."""
    shutil.rmtree(folder, ignore_errors=True)
    written = []
    for language in LANGUAGES:
        own = "help/pictures" if language == "en" else f"help/{language}/pictures"
        shutil.copytree(resource_path(own), folder / "pictures" / language)
        pages = load_help(language)
        for page in pages:
            path = folder / _file_name(page.name, language)
            path.write_text(_whole(page, pages, language), encoding="utf-8")
            written.append(path)
    return written


def _file_name(name: str, language: str) -> str:
    stem = "index" if name == NAMES[0] else name
    return f"{stem}.html" if language == "en" else f"{stem}.{language}.html"


def _whole(page: HelpPage, pages: tuple[HelpPage, ...], language: str) -> str:
    """A page among all of its language; one that there is in English alone says so by its ``lang``."""
    links = "".join(_link(one.name, language, one.title, one.language, is_this=one is page) for one in pages)
    languages = "".join(
        _link(page.name, code, name, code, is_this=code == language) for code, name in LANGUAGES.items()
    )
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(page.markdown)
    body = body.replace('src="pictures/', f'src="pictures/{page.language}/')
    return (
        f'<!doctype html><html lang="{_tag(language)}"><head><meta charset="utf-8">'
        f'<title>{html.escape(page.title)} - Consign</title><meta name="viewport" content="width=device-width">'
        f"<style>{_STYLE}</style></head><body><nav><p>Consign {__version__}</p>{links}<hr>{languages}</nav>"
        f'<main lang="{_tag(page.language)}">{body}</main></body></html>\n'
    )


def _link(name: str, language: str, text: str, text_language: str, *, is_this: bool) -> str:
    """To a page in ``language``; its text may be in another one."""
    current = " aria-current=page" if is_this else ""
    return f'<a href="{_file_name(name, language)}" lang="{_tag(text_language)}"{current}>{html.escape(text)}</a>'


def _tag(language: str) -> str:
    return language.replace("_", "-")  # BCP 47 of pt_BR


if __name__ == "__main__":
    print(write_manual(TO)[0])
