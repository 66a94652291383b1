"""Recognises stretches of a header that were judged before, in the same bytes and for the same patient.

The files of a series differ in a dozen elements; the elements between those are a *stretch*. An element that was found
sound is sound again in the same bytes, for the same owner and character set; so a stretch is compared with what stands
in the file and not walked again. Only what had no finding is remembered, no private element, and nothing of which a
neighbour decides what it means.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from app.bundle.verify_values import Owner

CHARACTER_SET = 0x00080005
SERIES_UID = 0x0020000E
SHORTEST_STRETCH = 2  # elements
# Elements that had to be walked make two files worth being recorded: more than so many, and than one in so many.
FEW_ELEMENTS = 8
FEW_SHARE = 6
LONGEST_PAUSE = 64  # files, after recording that was of no use
LARGEST_HEADER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring top-level elements; ``values`` are those that a walk has to tell."""

    raw: bytes
    first_tag: int
    last_tag: int
    count: int
    is_utf8: bool
    values: dict[int, bytes]


class Walked(NamedTuple):
    """One top-level element that was walked: where its bytes lie, what it has to tell, whether it may be remembered."""

    tag: int
    start: int
    end: int
    is_utf8: bool
    may_repeat: bool
    value: bytes | None


@dataclass(slots=True)
class Repeats:
    """The stretches of the series that is being read.

    ``stretches`` by the four bytes of the first element's tag; empty while files are recorded.
    """

    stretches: dict[bytes, Stretch] = field(default_factory=dict)
    _owner: Owner | None = None
    _volatile: set[int] = field(default_factory=set)
    _recorded: dict[int, bytes] | None = None
    _to_record: int = 2
    _pause: int = 0
    _passed: int = 0

    def begin(self, owner: Owner) -> None:
        """Start on a file; what was sound for somebody else need not be so for this owner."""
        if owner != self._owner:
            self.stretches = {}
            self._owner = owner
            self._volatile = set()
            self._record_next_two()

    def _record_next_two(self) -> None:
        self.stretches = {}
        self._recorded = None
        self._to_record = 2

    def finish(self, data: bytes, walked: list[Walked], repeated: int) -> None:
        """Learn from a file that was walked to its end; ``repeated`` elements of it stood in stretches."""
        if self._to_record:
            self._record(data, walked)
        elif len(walked) <= FEW_ELEMENTS or len(walked) * FEW_SHARE <= len(walked) + repeated:
            self._pause = self._passed = 0
        else:
            self._passed += 1
            if self._passed > self._pause:
                self._passed = 0
                self._pause = min(self._pause * 2 + 1, LONGEST_PAUSE)
                self._record_next_two()

    def _record(self, data: bytes, walked: list[Walked]) -> None:
        self._to_record -= 1
        raw = {one.tag: data[one.start : one.end] for one in walked} if len(data) <= LARGEST_HEADER_BYTES else {}
        before, self._recorded = self._recorded, raw
        if before is not None:
            self._learn(data, walked, {tag for tag, value in raw.items() if before.get(tag) != value})

    def _learn(self, data: bytes, walked: list[Walked], changed: set[int]) -> None:
        self._to_record, self._recorded = 0, None
        self._volatile = changed if SERIES_UID in changed else self._volatile | changed
        gathered: list[Walked] = []
        for one in (*walked, None):
            if (
                one is not None
                and one.may_repeat
                and one.tag not in self._volatile
                and (not gathered or gathered[-1].is_utf8 == one.is_utf8)
            ):
                gathered.append(one)
                continue
            if len(gathered) >= SHORTEST_STRETCH:
                raw = data[gathered[0].start : gathered[-1].end]
                self.stretches[raw[:4]] = Stretch(
                    raw,
                    gathered[0].tag,
                    gathered[-1].tag,
                    len(gathered),
                    gathered[0].is_utf8,
                    {known.tag: known.value for known in gathered if known.value is not None},
                )
            gathered = []


def may_repeat(tag: int) -> bool:
    """Whether an element means the same wherever it stands: a private one depends on its creator's element, and the
    character set changes what follows.
    """
    return not tag >> 16 & 1 and tag != CHARACTER_SET
