"""The row that people review: one thing that would leave, and why it deserves a look."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class RowKind(StrEnum):
    """What a row stands for; the word in the first column of the CSV."""

    VALUE = "value"  # one text, as it would be released
    RANGE = "range"  # all numbers, UIDs, dates, times, codes or binary values of a path
    WORD = "word"  # a word that was dropped from many patients' free text
    TAG = "tag"  # a path as a whole; occurs in decisions only


class Suspicion(StrEnum):
    """Why a row comes first, worst first."""

    IDENTITY = "identity"
    EMAIL = "email"
    PHONE = "phone"
    IDENTITY_NUMBER = "identity-number"
    DATE = "date"
    TIME_STAMP = "time-stamp"
    POSTAL_CODE = "postal-code"
    IP_ADDRESS = "ip-address"
    URL = "url"
    UNKNOWN_WORD = "unknown-word"
    HIGH_CARDINALITY = "high-cardinality"
    RARE = "rare"

    @property
    def blocks(self) -> bool:
        """Whether the release waits until somebody decided; the other reasons only put the row first."""
        return self is Suspicion.IDENTITY

    @property
    def severity(self) -> int:
        """0 is the worst."""
        return _SEVERITY[self]


_SEVERITY = {reason: rank for rank, reason in enumerate(Suspicion)}


def by_severity(reasons: Iterable[Suspicion]) -> tuple[Suspicion, ...]:
    """Worst first, each once."""
    return tuple(sorted(set(reasons), key=_SEVERITY.__getitem__))


RowKey = tuple[RowKind, str, str]


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One row of the dump.

    ``value`` is empty for a range; ``path`` is empty for a word. ``fold`` and ``vr`` are as in the table
    ``released_values``, ``low`` and ``high`` the ends of a range of numbers, dates or times. ``suspicion``
    is sorted, worst first. ``example_instance_id`` is a key of the table ``instances`` (None for a word).
    """

    kind: RowKind
    path: str
    value: str
    vr: str
    fold: str
    low: str
    high: str
    instances: int
    patients: int
    example_instance_id: int | None
    suspicion: tuple[Suspicion, ...]

    @property
    def key(self) -> RowKey:
        """What a decision is bound to."""
        return self.kind, self.path, self.value

    @property
    def is_suspicious(self) -> bool:
        """Whether anything speaks for a look at it."""
        return bool(self.suspicion)

    @property
    def blocks(self) -> bool:
        """Whether the release waits for a decision. A dropped word does not leave, so it never does."""
        return self.kind is not RowKind.WORD and any(reason.blocks for reason in self.suspicion)

    @property
    def sort_key(self) -> tuple[int, str, str, str, str]:
        """Suspicious first, the worst reason first, then by path and value."""
        severity = self.suspicion[0].severity if self.suspicion else len(_SEVERITY)
        return severity, self.path, self.value, self.kind, self.fold
