"""The licences of what an installation carries, as packaging gathered them; a checkout carries nothing of others."""

import csv
from dataclasses import dataclass

from app.files.resources import resource_path

_FOLDER = "licences"


@dataclass(frozen=True, slots=True)
class Licence:
    """A component that is shipped, the name of its licence, and the file with its text."""

    name: str
    version: str
    terms: str
    file: str

    def read(self) -> str:
        """The text: in English, as its authors wrote it."""
        return resource_path(f"{_FOLDER}/{self.file}").read_text(encoding="utf-8")


def load_licences() -> tuple[Licence, ...]:
    """All components, by name; none in a checkout."""
    index = resource_path(f"{_FOLDER}/index.csv")
    if not index.is_file():
        return ()
    with index.open(encoding="utf-8", newline="") as file:
        rows = [Licence(row["name"], row["version"], row["licence"], row["file"]) for row in csv.DictReader(file)]
    return tuple(sorted(rows, key=lambda one: one.name.casefold()))
