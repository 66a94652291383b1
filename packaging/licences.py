"""Gathers the licences of what an installer carries: ``licences.py SITE-PACKAGES LIST FOLDER [COLLECT-TOC]``.

One text a component, and ``index.csv`` (name, version, licence, file), which the About box shows. LIST is one of
packaging/requirements; COLLECT-TOC is PyInstaller's list of what it took, whose system libraries are Debian's. Ends
with an error where a component has no licence text: nothing ships without.
"""

import ast
import csv
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

COMMON = Path("/usr/share/common-licenses")
OURS = Path(__file__).with_name("licence_texts")
TEXT = re.compile(r"(LICEN[CS]E|COPYING|NOTICE|ThirdPartyNotices|Copyright)[^/]*$", re.IGNORECASE)
COMPILED = re.compile(r"\.(py[cdio]?|so|exe)$")
# Wheels that carry no text of their own: which common one it is.
WITHOUT_TEXT = {
    "pyside6-essentials": ("LGPL-3", "GPL-3"),
    "shiboken6": ("LGPL-3", "GPL-3"),
    "rapidocr-onnxruntime": ("Apache-2.0",),
    "flatbuffers": ("Apache-2.0",),
    "bagit": ("CC0-1.0",),
    "pyjpegls": ("pyjpegls.txt",),
}
# Wheels that carry libraries whose texts they lack.
MORE_TEXTS = {"tesserocr": ("tesserocr.txt", "Apache-2.0")}
NOTES = {
    "pyside6-essentials": "Qt and PySide are used under the GNU LGPL 3. Their files lie one by one in the program's "
    "folder and may be replaced by others of the same version.\n"
    "Source: https://download.qt.io/official_releases/QtForPython/\n\n",
}


@dataclass(frozen=True, slots=True)
class Component:
    """What is shipped, and under which terms."""

    name: str
    version: str
    licence: str
    text: str


def of_packages(site_packages: Path, listed: Path) -> Iterator[Component]:
    """The Python packages of a list."""
    wanted = [line.split("==")[0] for line in listed.read_text(encoding="utf-8").splitlines() if "==" in line]
    installed = {
        one.metadata["Name"].lower().replace("_", "-"): one for one in distributions(path=[str(site_packages)])
    }
    for name in wanted:
        one = installed[name]
        texts = _texts(one) or map(_common, WITHOUT_TEXT.get(name, ()))
        text = NOTES.get(name, "") + "\n\n".join((*texts, *map(_common, MORE_TEXTS.get(name, ()))))
        yield Component(name, one.version, _terms(one), text)


def _texts(one: Distribution) -> list[str]:
    paths = [path for path in one.files or () if TEXT.search(path.as_posix()) and not COMPILED.search(path.as_posix())]
    return [Path(path.locate()).read_text(encoding="utf-8", errors="replace") for path in sorted(paths)]


def _common(name: str) -> str:
    folder = OURS if name.endswith(".txt") else COMMON
    return folder.joinpath(name).read_text(encoding="utf-8")


def _terms(one: Distribution) -> str:
    """The licence in a word or two, from what the package says of itself."""
    expression = one.metadata["License-Expression"]
    classifiers = [line for line in one.metadata.get_all("Classifier") or () if line.startswith("License ::")]
    named = "; ".join(line.split(" :: ")[-1] for line in classifiers)
    said = (one.metadata["License"] or "").strip()
    return expression or named or (said if 0 < len(said) < 60 else "see text")


def of_python() -> Component:
    """The interpreter and its standard library."""
    version = ".".join(map(str, sys.version_info[:3]))
    for place in (Path(sys.base_prefix), Path(ast.__file__).parent):
        for name in ("LICENSE.txt", "LICENSE"):
            if place.joinpath(name).is_file():
                return Component("Python", version, "PSF-2.0", place.joinpath(name).read_text(encoding="utf-8"))
    return Component("Python", version, "PSF-2.0", "")


def of_system(toc: Path) -> Iterator[Component]:
    """The Debian packages whose libraries PyInstaller took."""
    _, entries = ast.literal_eval(f"(0, {toc.read_text(encoding='utf-8')})")
    sources = {str(Path(part[1]).resolve()) for part in _triples(entries) if part[1].startswith(("/usr/", "/lib/"))}
    for package in sorted({package for source in sources if (package := _package_of(source))}):
        copyright_file = Path("/usr/share/doc", package.split(":")[0], "copyright")
        text = copyright_file.read_text(encoding="utf-8", errors="replace") if copyright_file.is_file() else ""
        command = ["dpkg-query", "--show", "--showformat=${Version}", package]
        version = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        yield Component(package.split(":")[0], version, "see text", text)


def _triples(node: object) -> Iterator[tuple[str, str, str]]:
    """All (target, source, kind) in a nest of tuples and lists."""
    if isinstance(node, tuple) and len(node) == 3 and all(isinstance(part, str) for part in node):
        yield node
    elif isinstance(node, tuple | list):
        for part in node:
            yield from _triples(part)


def _package_of(file: str) -> str | None:
    # Debian 12 knows its files under /lib or under /usr/lib.
    for path in (file, file.removeprefix("/usr")):
        found = subprocess.run(["dpkg-query", "--search", path], check=False, capture_output=True, text=True)
        if found.returncode == 0:
            return found.stdout.split(": ")[0].split(",")[0]
    return None


def main(site_packages: Path, listed: Path, folder: Path, toc: Path | None = None) -> int:
    """Write the folder; exit code 1 where a text is missing."""
    found = [of_python(), *of_packages(site_packages, listed), *(of_system(toc) if toc else ())]
    missing = [one.name for one in found if not one.text.strip()]
    if missing:
        print(f"No licence text for: {', '.join(missing)}", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with folder.joinpath("index.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("name", "version", "licence", "file"))
        for one in found:
            name = f"{one.name}.txt"
            folder.joinpath(name).write_text(one.text, encoding="utf-8")
            rows.writerow((one.name, one.version, one.licence, name))
    print(f"{len(found)} licences in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
