"""Recognises what an earlier header of the series said in the same bytes, so that it is cut into elements only once.

The slices of a series differ in a dozen elements out of a hundred and fifty. What stands between those is a *run*: the
bytes of neighbouring top-level elements. Where a run's bytes stand again at the start of an element, they are the same
elements: how an element is cut depends on nothing but its own bytes and the encoding. So a header that was read with a
memory equals the one that is read without (a test holds this for real and for damaged files).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, overload

from app.dicom.tokens import LONG_VRS, Element, Encoding, PixelStart, Tokenizer

SERIES_INSTANCE_UID = 0x0020000E
SOP_INSTANCE_UID = 0x00020003  # of the File Meta
_LONG_VRS = frozenset(LONG_VRS.split())
SHORTEST_RUN = 2  # elements
# Elements outside of runs that make two headers worth being cut plainly to learn from; and the share of all elements.
FEW_ELEMENTS = 8
FEW_SHARE = 6
# Headers to pass over after learning that was of no use, at most: a folder may hold nothing that repeats itself.
LONGEST_PAUSE = 64
MOST_METAS = 256
# A header with more is no slice of a series, and not worth its memory.
LARGEST_HEADER_BYTES = 1 << 20


class Run:
    """Neighbouring top-level elements that stand in several headers in the same bytes. Compared by identity.

    Attributes
    ----------
    raw
        Their bytes, headers of the elements included.
    size
        Elements and items at all depths: what they take of ``Limits.elements``.
    is_ambiguous
        Whether a VR is still one of the dictionary's ambiguous ones.
    """

    __slots__ = ("_resolved", "elements", "first_tag", "is_ambiguous", "last_tag", "raw", "size")

    def __init__(self, raw: bytes, elements: tuple[Element, ...], size: int, *, is_ambiguous: bool) -> None:
        self.raw = raw
        self.elements = elements
        self.size = size
        self.is_ambiguous = is_ambiguous
        self.first_tag, self.last_tag = elements[0].tag, elements[-1].tag
        self._resolved: dict[str, Run] = {}

    def resolved(self, integer_vr: str) -> "Run":
        """The same with ambiguous VRs settled; one object for each ``integer_vr``."""
        if not self.is_ambiguous:
            return self
        run = self._resolved.get(integer_vr)
        if run is None:
            elements = tuple(resolve_vrs(self.elements, integer_vr))
            run = self._resolved[integer_vr] = Run(self.raw, elements, self.size, is_ambiguous=False)
        return run


Segment: TypeAlias = Run | Element


class Elements(Sequence[Element]):
    """The elements of a dataset, which came in segments (runs and single elements); listed only when asked for."""

    __slots__ = ("_listed", "segments")

    def __init__(self, segments: Iterable[Segment]) -> None:
        self.segments = tuple(segments)
        self._listed: tuple[Element, ...] | None = None

    def _list(self) -> tuple[Element, ...]:
        if self._listed is None:
            found: list[Element] = []
            for segment in self.segments:
                if isinstance(segment, Run):
                    found.extend(segment.elements)
                else:
                    found.append(segment)
            self._listed = tuple(found)
        return self._listed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Elements) and self._list() == other._list()

    __hash__ = None  # type: ignore[assignment]  # nobody needs it, and two that are equal may differ in their segments

    def __len__(self) -> int:
        return len(self._list())

    def __iter__(self) -> Iterator[Element]:
        return iter(self._list())

    @overload
    def __getitem__(self, index: int) -> Element: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Element, ...]: ...
    def __getitem__(self, index: int | slice) -> Element | tuple[Element, ...]:
        return self._list()[index]


def resolve_vrs(elements: Iterable[Element], integer_vr: str) -> list[Element]:
    """Settle the dictionary's ambiguous VRs, which implicit encodings bring (PS3.5 Annex A.1, Note)."""
    resolved = []
    for element in elements:
        if isinstance(element.value, tuple):
            items = tuple(tuple(resolve_vrs(item, integer_vr)) for item in element.value)
            resolved.append(Element(element.tag, "SQ", items))
        elif len(element.vr) == 2:
            resolved.append(element)
        else:
            resolved.append(element._replace(vr="OW" if "OW" in element.vr else integer_vr))
    return resolved


@dataclass(frozen=True, slots=True)
class _Span:
    """One top-level element of a header that is learnt from, and where its bytes lie."""

    element: Element
    start: int
    end: int
    size: int
    is_ambiguous: bool


@dataclass(slots=True)
class _Known:
    """What is known of headers in one encoding.

    ``volatile`` are the tags that changed within the series; ``recorded`` the header that waits for the next one.
    """

    runs: dict[bytes, Run] = field(default_factory=dict)  # by the bytes of the first element's tag
    volatile: set[int] = field(default_factory=set)
    recorded: tuple[bytes, list[_Span]] | None = None
    to_record: int = 2
    pause: int = 0
    passed: int = 0


@dataclass(frozen=True, slots=True)
class Meta:
    """A File Meta that may come again with another SOP Instance UID.

    Attributes
    ----------
    before
        Its bytes up to that UID's value.
    after_start, after
        Where the bytes behind the UID begin, counted from the start of the File Meta, and these bytes up to and with
        the group of the dataset's first element.
    elements
        How many it has.
    transfer_syntax_uid
        What it says.
    """

    before: bytes
    after_start: int
    after: bytes
    elements: int
    transfer_syntax_uid: str

    @property
    def length(self) -> int:
        """Of the whole in bytes."""
        return self.after_start + len(self.after) - 2

    def is_at(self, head: bytes, start: int) -> bool:
        """Whether it stands at ``start``, but for the value of the UID, with an element behind it."""
        after = start + self.after_start
        return (
            head.startswith(self.before, start)
            and head.startswith(self.after, after)
            and len(head) >= start + self.length + 8
        )


class HeaderMemory:
    """The runs of the series that is being read. One for each reader of many files; learns as it goes.

    Two headers that follow each other are cut plainly, and what they share becomes the runs. This happens again where
    too little of a header was recognised, as at the start of another series.
    """

    def __init__(self) -> None:
        self._known: dict[Encoding, _Known] = {}
        # By the bytes of the group length, which stands first; one that is a guess away is never looked for.
        self._metas: dict[bytes, Meta] = {}
        # The elements of some runs by tag: those of the headers of a series.
        self._runs: tuple[Run, ...] = ()
        self._by_tag: dict[int, Element] = {}

    def by_tag(self, elements: Elements) -> dict[int, Element]:
        """The elements by tag, in any order."""
        runs = tuple([segment for segment in elements.segments if isinstance(segment, Run)])
        if runs != self._runs:
            self._runs = runs
            self._by_tag = {element.tag: element for run in runs for element in run.elements}
        found = self._by_tag.copy()
        for segment in elements.segments:
            if not isinstance(segment, Run):
                found[segment.tag] = segment
        return found

    def find_meta(self, head: bytes, start: int) -> Meta | None:
        """A known File Meta that stands at ``start``."""
        meta = self._metas.get(head[start : start + 12])
        return meta if meta is not None and meta.is_at(head, start) else None

    def keep_meta(
        self, head: bytes, start: int, end: int, elements: Sequence[Element], transfer_syntax_uid: str
    ) -> None:
        """Remember the File Meta from ``start`` to ``end``, where it is made as all are."""
        position, uid = start, None
        for tag, vr, value in elements:
            position += (12 if vr in _LONG_VRS else 8) + len(value)
            if tag == SOP_INSTANCE_UID:
                uid = position - len(value), position
        # Where the lengths do not add up, something in it was not what it says.
        if uid is not None and position == end and len(head) >= end + 8 and len(self._metas) < MOST_METAS:
            meta = Meta(
                head[start : uid[0]], uid[1] - start, head[uid[1] : end + 2], len(elements), transfer_syntax_uid
            )
            self._metas[head[start : start + 12]] = meta

    def read(self, tokenizer: Tokenizer, start: int) -> tuple[list[Segment], PixelStart | None]:
        """The top-level segments from ``start`` up to a pixel element or the end of what ``tokenizer`` has.

        Raises what ``Tokenizer.read_dataset`` raises.
        """
        if not tokenizer.encoding.little_endian:
            elements, pixel, _ = tokenizer.read_dataset(start)
            return list(elements), pixel
        known = self._known.setdefault(tokenizer.encoding, _Known())
        if known.to_record:
            return _record(known, tokenizer, start)
        segments, pixel, runs, repeated = _recognise(known.runs, tokenizer, start)
        _judge(known, len(segments) - runs, repeated)
        return segments, pixel


def _recognise(
    runs: Mapping[bytes, Run], tokenizer: Tokenizer, position: int
) -> tuple[list[Segment], PixelStart | None, int, int]:
    """The segments, the pixel element, how many runs there are among them, and how many elements in these."""
    buffer = tokenizer.buffer
    end = len(buffer)
    segments: list[Segment] = []
    found = repeated = 0
    last = -1
    while position < end:
        run = runs.get(buffer[position : position + 4])
        if run is not None and buffer.startswith(run.raw, position):
            tokenizer.count_repeated(last, run.first_tag, run.size, is_ambiguous=run.is_ambiguous)
            segments.append(run)
            found += 1
            repeated += len(run.elements)
            last = run.last_tag
            position += len(run.raw)
            continue
        element = tokenizer.read_short(position, last)
        if element is not None:
            segments.append(element)
            last = element.tag
            position += 8 + len(element.value)
            continue
        elements, pixel, position = tokenizer.read_until(position, last, runs)
        segments.extend(elements)
        if pixel is not None:
            return segments, pixel, found, repeated
        last = elements[-1].tag
    return segments, None, found, repeated


class _Everything:
    """Stops before each element."""

    def __contains__(self, item: object) -> bool:
        return True


_EVERYTHING = _Everything()


def _record(known: _Known, tokenizer: Tokenizer, position: int) -> tuple[list[Segment], PixelStart | None]:
    """Cut plainly, and make runs of what this header and the one before share."""
    buffer = tokenizer.buffer
    spans: list[_Span] = []
    pixel: PixelStart | None = None
    last = -1
    ambiguous_before = tokenizer.is_ambiguous
    while position < len(buffer) and pixel is None:
        start, budget = position, tokenizer.budget
        tokenizer.is_ambiguous = False
        elements, pixel, position = tokenizer.read_until(start, last, _EVERYTHING)
        is_ambiguous = tokenizer.is_ambiguous
        ambiguous_before |= is_ambiguous
        if elements:
            last = elements[0].tag
            spans.append(_Span(elements[0], start, position, budget - tokenizer.budget, is_ambiguous))
    tokenizer.is_ambiguous = ambiguous_before
    before, known.recorded = known.recorded, (buffer, spans) if len(buffer) <= LARGEST_HEADER_BYTES else None
    known.to_record -= 1
    if before is not None:
        _learn(known, before, (buffer, spans), is_explicit=tokenizer.encoding.explicit)
        known.to_record, known.recorded = 0, None
    return [span.element for span in spans], pixel


def _learn(
    known: _Known, before: tuple[bytes, list[_Span]], now: tuple[bytes, list[_Span]], *, is_explicit: bool
) -> None:
    raw_before = {span.element.tag: before[0][span.start : span.end] for span in before[1]}
    buffer, spans = now
    changed = {span.element.tag for span in spans if raw_before.get(span.element.tag) != buffer[span.start : span.end]}
    known.volatile = changed if SERIES_INSTANCE_UID in changed else known.volatile | changed
    known.runs = {}
    gathered: list[_Span] = []
    for span in (*spans, None):
        # In an explicit encoding only an unknown VR is ambiguous; rare, and not worth a run.
        if span is not None and span.element.tag not in known.volatile and not (is_explicit and span.is_ambiguous):
            gathered.append(span)
            continue
        if len(gathered) >= SHORTEST_RUN:
            raw = buffer[gathered[0].start : gathered[-1].end]
            known.runs[raw[:4]] = Run(
                raw,
                tuple(one.element for one in gathered),
                sum(one.size for one in gathered),
                is_ambiguous=any(one.is_ambiguous for one in gathered),
            )
        gathered = []


def _judge(known: _Known, singles: int, repeated: int) -> None:
    """Decide whether the next two headers are learnt from: ``singles`` elements stood outside of runs."""
    if singles <= FEW_ELEMENTS or singles * FEW_SHARE <= singles + repeated:
        known.pause = known.passed = 0
        return
    known.passed += 1
    if known.passed > known.pause:
        known.to_record, known.passed = 2, 0
        known.pause = min(known.pause * 2 + 1, LONGEST_PAUSE)
