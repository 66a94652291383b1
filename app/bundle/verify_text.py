"""Looks for original identifiers in what was released, when a project that knows them is at hand."""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST = 4
# Shorter ones turn up by chance where bytes are no text, or where it is not known whose text it is.
SHORTEST_ANYWHERE = 8
_DATE = re.compile(r"\d{8}\Z|\d{1,4}([-./ ])\d{1,2}\1\d{1,4}\Z")


def normalise(text: str) -> str:
    """Case, accents and width make no difference."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()


class IdentifierSearch:
    """Finds identifiers as whole words: 'Long' is not in 'longitudinal', nor '1234' in '512345'."""

    def __init__(self, wanted: set[str]) -> None:
        self._wanted = sorted(wanted)
        self._long = [part for part in self._wanted if len(part) >= SHORTEST_ANYWHERE]

    @classmethod
    def of_patient(cls, original_identifiers: Iterable[str]) -> "IdentifierSearch":
        """For files of the patient whose identifiers they are: also the components of names, ``DOE^JANE`` as two."""
        wanted: set[str] = set()
        for original in original_identifiers:
            normal = normalise(original).strip()
            wanted.update((normal, *(part.strip() for part in re.split(r"[\^=\\]+", normal))))
        return cls({part for part in wanted if len(part) >= SHORTEST})

    @classmethod
    def of_anybody(cls, original_identifiers: Iterable[str]) -> "IdentifierSearch":
        """For texts of unknown owners: whole names in either order and longer IDs.

        A single name would be found in the texts of others, and so would a date: people are called Compression, and
        coding schemes have versions of the day.
        """
        wanted: set[str] = set()
        for original in original_identifiers:
            parts = [part.strip() for part in re.split(r"[\^=]+", normalise(original)) if part.strip()]
            wanted.update((" ".join(parts), " ".join(reversed(parts)), normalise(original).strip()))
        long_ones = {part for part in wanted if len(part) >= SHORTEST_ANYWHERE and not _DATE.match(part)}
        return cls({part for part in long_ones if " " in part or any(map(str.isdigit, part))})

    def is_in(self, text: str) -> bool:
        """Whether one of the identifiers is in a text."""
        normal = normalise(text)
        return any(_is_in(part, normal) for part in self._wanted)

    def is_in_bytes(self, value: bytes) -> bool:
        """Whether one of the longer identifiers is in bytes, read as any of the usual encodings."""
        if not self._long:
            return False
        texts = (
            value.decode("latin-1"),
            value.decode("utf-8", "ignore"),
            value.decode("utf-16-le", "ignore"),
            value.decode("utf-16-be", "ignore"),
            value[1:].decode("utf-16-le", "ignore"),
        )
        return any(_is_in(part, normal) for normal in map(normalise, texts) for part in self._long)


def _is_in(identifier: str, text: str) -> bool:
    # To compile a pattern takes milliseconds, and hardly any identifier is in a text at all.
    return identifier in text and re.search(rf"(?<!\w){re.escape(identifier)}(?!\w)", text) is not None
