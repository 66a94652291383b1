"""What became of elements: the bytes that leave, and what there is to tell about them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.deid.values import Fold, Number
from app.dicom.profile import Option
from app.dicom.tagpath import format_path
from app.dicom.writing import encode_element


class Record(NamedTuple):
    """One thing that would leave, as a row of the dump."""

    path: str
    vr: str
    fold: Fold
    value: str
    low: Number | str | None
    high: Number | str | None
    identity_hit: bool


class Applied(NamedTuple):
    """What was done to an attribute, and why where it went."""

    path: str
    action: str
    reason: str


@dataclass(slots=True, eq=False)
class Hit:
    """What became of one element: its bytes (empty where it is gone), and what there is to tell about it."""

    encoded: bytes
    records: tuple[Record, ...] = ()
    applied: tuple[Applied, ...] = ()
    options: frozenset[Option] = frozenset()
    original_words: tuple[str, ...] = ()
    original_uids: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True, eq=False)
class JoinedHit(Hit):
    """Of several elements that follow each other; what there is to tell stands in ``parts``."""

    parts: tuple[Hit, ...] = ()
    has_text: bool = False  # beyond ASCII


def parts_of(hit: Hit) -> tuple[Hit, ...]:
    """The hits of single elements."""
    return hit.parts if isinstance(hit, JoinedHit) else (hit,)


def join(pairs: Sequence[tuple[int, Hit]]) -> tuple[int, Hit]:
    """One hit for elements that follow each other, under the first one's tag."""
    first = pairs[0]
    if len(pairs) == 1:
        return first
    parts = tuple(hit for _, hit in pairs)
    return first[0], JoinedHit(
        b"".join([hit.encoded for hit in parts]),
        options=frozenset().union(*(hit.options for hit in parts)),
        parts=parts,
        has_text=any(map(has_text, parts)),
    )


def combine(parts: Iterable[Hit], encoded: bytes = b"") -> Hit:
    """One hit with what all of them tell: of a sequence, with what is in its items."""
    parts = tuple(parts)
    return Hit(
        encoded,
        records=tuple(record for part in parts for record in part.records),
        applied=tuple(applied for part in parts for applied in part.applied),
        options=frozenset().union(*(part.options for part in parts)),
        original_words=tuple(word for part in parts for word in part.original_words),
        original_uids=tuple(pair for part in parts for pair in part.original_uids),
    )


def has_text(hit: Hit) -> bool:
    """Whether a text beyond ASCII leaves, so that a character set has to be named."""
    if hit.encoded.isascii():
        return False
    if isinstance(hit, JoinedHit):
        return hit.has_text
    return any(not record.value.isascii() for record in hit.records)


def text_record(path: str, vr: str, text: str) -> Record:
    """The row of a text that is shown as it is."""
    return Record(path, vr, Fold.NONE, text, None, None, False)


def text_hit(tag: int, vr: str, text: str, fold: Fold = Fold.NONE) -> Hit:
    """A top-level element with a text of ours."""
    record = Record(format_path((tag,)), vr, fold, "" if fold else text, None, None, False)
    return Hit(encode_element(tag, vr, text.encode()), records=(record,))
