"""The catalogues of the languages, kept in step with the code: ``make catalogues``.

Each language has ``resources/locale/LANGUAGE/LC_MESSAGES/consign.po`` for people who translate, and beside it the
compiled ``consign.mo`` that the program reads. ``python -m tests.catalogues`` adds what is new to every catalogue,
takes out what is gone, compiles, and says how much is left to translate.
"""

import ast
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from app.text.i18n import DOMAIN, LANGUAGES

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "resources" / "locale"
TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
_ANY_DATE = datetime(2026, 1, 1, tzinfo=UTC)
_MARKERS = frozenset(("mark", "tr"))
Text = str | tuple[str, str]  # two: one thing, and several
_FIELD = re.compile(r"\{(\w*)")


def texts_in_code() -> dict[Text, tuple[str, ...]]:
    """Every text that a person may read, in the order of the files; with the files that have it."""
    found: dict[Text, dict[str, None]] = {}
    for path in sorted((ROOT / "app").rglob("*.py")):
        for text in _texts_of(path):
            found.setdefault(text, {})[path.relative_to(ROOT).as_posix()] = None
    return {text: tuple(files) for text, files in found.items()}


def _texts_of(path: Path) -> Iterator[Text]:
    """The first argument of each call of a marker, inside f-strings, too: Babel's own extractor passes over those.

    Of one that says a count, both forms. And what the command line's help says: of a command its docstring, of an
    option its ``help``.
    """
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(text)), *_]
            ) if name in _MARKERS:
                yield text
            case (
                ast.Call(func=ast.Name(id="mark_plural"), args=[one, several])
                | ast.Call(func=ast.Name(id="counted"), args=[_, one, several])
            ):
                yield ast.literal_eval(one), ast.literal_eval(several)
            case ast.Call(func=ast.Attribute(attr="option"), keywords=keywords):
                yield from (ast.literal_eval(one.value) for one in keywords if one.arg == "help")
            case ast.FunctionDef(decorator_list=[ast.Call(func=ast.Attribute(attr="command" | "group")), *_]):
                yield ast.get_docstring(node) or ""


def po_file(language: str) -> Path:
    """Where people translate."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def forms(text: object) -> tuple[str, ...]:
    """A text, or its form for one thing and that for several."""
    return tuple(map(str, text)) if isinstance(text, tuple | list) else (str(text),)


def translations(language: str) -> dict[str, str]:
    """The texts of a catalogue, in all forms, with their translations; empty where there is no certain one."""
    return {
        text: "" if message.fuzzy else told
        for message in read_catalogue(language)
        if message.id
        for text, told in zip(forms(message.id), forms(message.string), strict=True)
    }


def read_catalogue(language: str) -> Catalog:
    """The catalogue of a language as it is on disk; empty where there is none."""
    path = po_file(language)
    if not path.is_file():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def compile_catalogue(catalogue: Catalog) -> bytes:
    """The bytes that gettext reads."""
    target = BytesIO()
    write_mo(target, catalogue)
    return target.getvalue()


def fields_of(text: str) -> list[str]:
    """The names of the fields that are filled into a text."""
    return sorted(_FIELD.findall(text.replace("{{", "")))


def update(language: str, texts: dict[Text, tuple[str, ...]]) -> int:
    """Bring the catalogue of a language up to date, and compile it; returns how many texts have no translation."""
    before = read_catalogue(language)
    after = Catalog(
        locale=language,
        header_comment=f"# Consign in {LANGUAGES[language]}; the texts come from the code (make catalogues).",
        project=DOMAIN,
        version="1",
        # No date of today: the same texts give the same file.
        creation_date=_ANY_DATE,
        revision_date=_ANY_DATE,
        last_translator="Consign",
        language_team="Consign",
        msgid_bugs_address="Consign",
        fuzzy=False,
    )
    for text, files in texts.items():
        known = before.get(text)
        # Babel finds a text by its first form: one that has become two is another one.
        string = known.string if known is not None and forms(known.id) == forms(text) else ""
        after.add(text, string, locations=[(name, 0) for name in files])
    path = po_file(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, after, width=0, include_lineno=False)
    path.with_suffix(".mo").write_bytes(compile_catalogue(after))
    return sum(not all(forms(message.string)) for message in after if message.id)


def main() -> int:
    """Update all; 1 where something is left to translate."""
    texts = texts_in_code()
    missing = {language: update(language, texts) for language in TRANSLATED}
    for language, count in missing.items():
        print(f"{language}: {len(texts) - count} of {len(texts)} texts translated")
    return 1 if any(missing.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
