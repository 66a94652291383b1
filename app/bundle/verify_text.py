"""Looks for original identifiers in what was released, when a project that knows them is at hand."""

import re
import unicodedata
from collections.abc import Iterable

SHORTEST = 4
# Shorter ones turn up by chance where bytes are not text, or where it is not known whose text it is.
SHORTEST_ANYWHERE = 8


def normalise(text: str) -> str:
    """Case, accents and width make no difference."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()


class IdentifierSearch:
    """Finds identifiers as whole words: 'Long' is not in 'longitudinal', nor '1234' in '512345'.

    Names are also looked for by their components (``DOE^JANE`` as ``doe`` and ``jane``), from four characters
    on.
    """

    def __init__(self, original_identifiers: Iterable[str], shortest: int = SHORTEST) -> None:
        wanted: set[str] = set()
        for original in original_identifiers:
            normal = normalise(original).strip()
            wanted.update(part for part in (normal, *re.split(r"[\^=\\]+", normal)) if len(part) >= shortest)
        self._pattern = _pattern(wanted)
        self._long_pattern = _pattern({part for part in wanted if len(part) >= SHORTEST_ANYWHERE})

    def is_in(self, text: str) -> bool:
        """Whether one of the identifiers is in a text."""
        return self._pattern is not None and self._pattern.search(normalise(text)) is not None

    def is_in_bytes(self, value: bytes) -> bool:
        """Whether one of the longer identifiers is in bytes, read as any of the usual encodings."""
        if self._long_pattern is None:
            return False
        texts = (
            value.decode("latin-1"),
            value.decode("utf-8", "ignore"),
            value.decode("utf-16-le", "ignore"),
            value.decode("utf-16-be", "ignore"),
            value[1:].decode("utf-16-le", "ignore"),
        )
        return any(self._long_pattern.search(normalise(text)) for text in texts)


def _pattern(identifiers: set[str]) -> re.Pattern[str] | None:
    if not identifiers:
        return None
    # The longest first, because an alternation takes the first that fits.
    words = "|".join(re.escape(part.strip()) for part in sorted(identifiers, key=lambda one: (-len(one), one)))
    return re.compile(rf"(?<!\w)(?:{words})(?!\w)")
