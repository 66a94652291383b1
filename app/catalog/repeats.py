"""What the headers of a series say alike, worked out once: attributes for queries, and identities.

Both depend on some elements only. Where these, or the runs that they stand in, are those of an earlier header, so is
the answer. One object for each task, which also keeps its result small: equal values are one object.
"""

from collections.abc import Callable, Hashable

from app.catalog.attributes import is_queryable, queryable_attributes, to_json
from app.dicom.identity import collect_identities, may_identify
from app.dicom.reading import Header
from app.dicom.runs import Elements, Run
from app.dicom.tokens import Element

Identities = frozenset[tuple[str, str]]


class Repeats:
    """The answers so far."""

    def __init__(self) -> None:
        self._attributes: dict[Hashable, str] = {}
        self._identities: dict[Hashable, Identities] = {}
        self._same_text: dict[str, str] = {}
        self._same_identities: dict[Identities, Identities] = {}

    def attributes(self, header: Header) -> str:
        """``queryable_attributes`` as JSON."""
        key = (header.transfer_syntax_uid, _key(header, is_queryable))
        found = self._attributes.get(key)
        if found is None:
            text = to_json(queryable_attributes(header))
            found = self._attributes[key] = self._same_text.setdefault(text, text)
        return found

    def identities(self, header: Header) -> Identities:
        """``collect_identities`` with kinds as text."""
        key = _key(header, may_identify)
        found = self._identities.get(key)
        if found is None:
            identities = frozenset((kind.value, text) for kind, text in collect_identities(header))
            found = self._identities[key] = self._same_identities.setdefault(identities, identities)
        return found


def _key(header: Header, counts: Callable[[Element], bool]) -> Hashable:
    """What an answer depends on where it depends on the elements that count."""
    elements = header.elements
    segments = elements.segments if isinstance(elements, Elements) else elements
    return header.character_sets, tuple(
        [segment for segment in segments if isinstance(segment, Run) or counts(segment)]
    )
