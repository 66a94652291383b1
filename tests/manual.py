"""The help as a manual to read in a browser: ``make manual`` writes ``build/manual``.

The same pages as behind F1, one HTML file each with a list of all at its left; no script, nothing from elsewhere.
"""

import html
import shutil
from pathlib import Path

from markdown_it import MarkdownIt

from app import __version__
from app.files.resources import resource_path
from app.text.help_pages import HelpPage, load_help

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
    """Write all pages and their pictures; the first is the index. Returns the pages."""
    pages = load_help()
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(resource_path("help/pictures"), folder / "pictures")
    written = []
    for page in pages:
        path = folder / _file_name(page, pages)
        path.write_text(_whole(page, pages), encoding="utf-8")
        written.append(path)
    return written


def _file_name(page: HelpPage, pages: tuple[HelpPage, ...]) -> str:
    return "index.html" if page is pages[0] else f"{page.name}.html"


def _whole(page: HelpPage, pages: tuple[HelpPage, ...]) -> str:
    links = "".join(
        f'<a href="{_file_name(one, pages)}"{" aria-current=page" if one is page else ""}>{html.escape(one.title)}</a>'
        for one in pages
    )
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(page.markdown)
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(page.title)} - Consign</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><nav><p>Consign {__version__}</p>{links}</nav><main>{body}</main></body></html>\n"
    )


if __name__ == "__main__":
    print(write_manual(TO)[0])
