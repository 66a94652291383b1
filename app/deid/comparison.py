"""One header before and after, attribute by attribute: what a person looks at to believe the rules.

The engine that releases is the one that is asked here, so the two cannot tell different stories. Nothing is written:
a patient who has no pseudonym yet was not prepared, and is not drawn one for being looked at.
"""

import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from pydicom.datadict import dictionary_description, private_dictionary_description

from app.deid.engine import Engine
from app.deid.hits import Applied, Hit
from app.deid.recipe import Recipe, with_decisions
from app.deid.rules import Rule, RuleTable, Source, compile_rules
from app.deid.step import load_patient, make_recipe
from app.deid.values import Drop
from app.dicom.profile import Action
from app.dicom.reading import (
    SOP_CLASS_UID,
    SPECIFIC_CHARACTER_SET,
    Header,
    PixelElement,
    character_sets_of,
    decode_text,
    read_header,
)
from app.dicom.tagpath import format_path, format_tag
from app.dicom.tokens import DEFAULT_LIMITS, EXPLICIT_LITTLE, Element, Tokenizer
from app.errors import FileError, HeldBackError, Reason, UnreadableError, UsageError
from app.files.locator import ArchiveCache, Locator, open_locator
from app.project.crosswalk import Crosswalk
from app.project.decisions import load_decisions
from app.project.folder import Project
from app.project.images import ImagePlan, ImagePlanner

# Of a sequence the first items are shown; a multi-frame image has one for each frame.
MOST_ITEMS = 4
LONGEST_TEXT = 500
_TEXT_VRS = frozenset("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split())
_NUMBERS = {
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "UV": "Q", "SV": "q",
}  # fmt: skip
_MOST_NUMBERS = 16
_UTF8 = ("ISO_IR 192",)
# What the engine writes into every header, whatever the file says; the patient's name and ID have their own words.
_WRITTEN_ANEW = frozenset((SPECIFIC_CHARACTER_SET, 0x00120062, 0x00120063, 0x00120064, 0x00280303))
_WORD = re.compile(r"\w+")


class Fate(StrEnum):
    """What became of an attribute."""

    KEPT = "kept"
    CLEANED = "cleaned"  # a text of which some words are left
    CHANGED = "changed"  # a date that moved, an age that was capped, pixels that were masked
    REPLACED = "replaced"  # by something of our own: a code, a keyed UID, a dummy, a reviewer's words
    REMOVED = "removed"  # the value is gone; the empty attribute may be left
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an original text: ``is_kept`` unless it was taken out."""

    original_text: str = field(repr=False)
    is_kept: bool


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One attribute, or the head of an item of a sequence.

    Attributes
    ----------
    depth
        0 at the top; an attribute within a sequence stands deeper.
    path
        As in the dump, ``dicom.tagpath``.
    name
        The standard's name for it, empty where it has none; of an item its number.
    pieces
        Of a cleaned text: the original, cut into what was kept and what was taken out.
    action, source
        The rule; None where none lets the attribute in.
    reason
        Why the value did not pass; None where it did.
    hidden_items
        Items that follow and are not shown.
    """

    depth: int
    tag: int
    path: str
    name: str
    vr: str
    fate: Fate
    original_text: str = field(repr=False)
    released_text: str
    pieces: tuple[Piece, ...] = field(default=(), repr=False)
    action: Action | None = None
    source: Source | None = None
    reason: Drop | None = None
    is_item: bool = False
    hidden_items: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """An instance before and after.

    ``held_back`` says why the instance as a whole stays (the rows then show what would have left). ``counts`` counts
    all attributes, those of items that are not shown, too.
    """

    instance_id: int
    rows: tuple[ComparedRow, ...]
    counts: Mapping[Fate, int]
    held_back: Reason | None
    boxes: int


@dataclass(frozen=True, slots=True)
class SeriesInstances:
    """A selected series for browsing: its instances in the order of their numbers."""

    series_id: int
    patient_code: str
    original_patient: str = field(repr=False)
    modality: str
    original_description: str = field(repr=False)
    instance_ids: tuple[int, ...]
    held_back: int


def list_series(project: Project) -> list[SeriesInstances]:
    """All series with selected instances, patient by patient."""
    crosswalk = Crosswalk(project.store, project.secret, project.site_id)
    instances: dict[int, list[int]] = {}
    held_back: Counter[int] = Counter()
    for row in project.store.execute(
        "SELECT id, series_id, state FROM instances WHERE selected = 1 AND reason IS NULL "
        "ORDER BY series_id, instance_number, original_sop_instance_uid"
    ):
        instances.setdefault(row["series_id"], []).append(row["id"])
        held_back[row["series_id"]] += row["state"] == "held-back"
    codes: dict[str, str] = {}
    listed = []
    for row in project.store.execute(
        "SELECT s.id, p.original_key, coalesce(json_extract(a.original_attributes, '$.Modality'), '') AS modality, "
        "coalesce(json_extract(a.original_attributes, '$.SeriesDescription'), '') AS description FROM "
        "(SELECT series_id, min(attribute_set_id) AS first FROM instances WHERE selected = 1 AND reason IS NULL "
        "GROUP BY series_id) AS x JOIN series s ON s.id = x.series_id JOIN patients p ON p.id = s.patient_id "
        "JOIN attribute_sets a ON a.id = x.first ORDER BY s.patient_id, s.original_study_uid, s.id"
    ):
        key = row["original_key"]
        if key not in codes:
            pseudonym = crosswalk.find_patient(key)
            codes[key] = pseudonym.code if pseudonym else ""
        members = tuple(instances[row["id"]])
        texts = (str(row["modality"]), str(row["description"]))
        listed.append(SeriesInstances(row["id"], codes[key], key, *texts, members, held_back[row["id"]]))
    return listed


def compare_instance(project: Project, instance_id: int) -> Comparison:
    """Read the source of an instance and lay its header beside what the rules and decisions make of it.

    Raises UsageError("no-such-instance") and UsageError("not-prepared") where its patient has no pseudonym yet. A
    source that can't be read gives no rows and the reason.
    """
    row = project.store.execute(
        "SELECT i.series_id, i.state, i.state_reason, s.patient_id, p.original_key, f.original_locator "
        "FROM instances i JOIN series s ON s.id = i.series_id JOIN patients p ON p.id = s.patient_id "
        "JOIN files f ON f.id = i.file_id WHERE i.id = ?",
        (instance_id,),
    ).fetchone()
    if row is None:
        raise UsageError("no-such-instance")
    crosswalk = Crosswalk(project.store, project.secret, project.site_id)
    pseudonym = crosswalk.find_patient(row["original_key"])
    if pseudonym is None:
        raise UsageError("not-prepared", count=1)
    decisions = load_decisions(project.layout)
    recipe = with_decisions(make_recipe(project), decisions)
    rules = compile_rules(recipe.options, recipe.dates, recipe.overrides, recipe.site_overrides)
    engine = Engine(recipe, rules, load_patient(project, row["patient_id"], pseudonym))
    series = ImagePlanner(project, decisions=decisions).series(row["series_id"])
    images = series.images if series else ()
    plan = next((image.plan for image in images if image.instance_id == instance_id), None)
    held_back = Reason(row["state_reason"]) if row["state_reason"] else None
    try:
        with ArchiveCache() as cache, open_locator(Locator.from_text(row["original_locator"]), cache) as file:
            header = read_header(file)
    except FileError as error:
        return Comparison(instance_id, (), {}, error.reason, 0)
    except OSError:
        return Comparison(instance_id, (), {}, Reason.UNREADABLE_IO, 0)
    rows, counts = compare_header(engine, rules, recipe, header, plan)
    boxes = len(plan.boxes) if plan else 0
    return Comparison(instance_id, rows, counts, held_back, boxes)


def compare_header(
    engine: Engine, rules: RuleTable, recipe: Recipe, header: Header, plan: ImagePlan | None
) -> tuple[tuple[ComparedRow, ...], Mapping[Fate, int]]:
    """The rows of one header and how many attributes met which fate; ``engine`` is of the header's own patient."""
    walk = _Walk(engine, rules, recipe)
    seen = plan is not None and plan.seen_by_person
    try:
        released = engine.release(header, header.text(SOP_CLASS_UID), seen_by_person=seen)
        level = _Level((), 0, header.character_sets, _by_tag(header.elements), _parse(released.encoded))
        level.hits.update(_hits(engine.release_elements((), header.elements, header.character_sets)))
    except HeldBackError:  # what makes it an object was lost: nothing of it leaves
        level = _Level((), 0, header.character_sets, _by_tag(header.elements), {})
    rows = list(walk.rows(level))
    if header.pixel is not None:
        row = _pixel_row(header.pixel, plan)
        walk.counts[row.fate] += 1
        rows.append(row)
    return tuple(rows), dict(walk.counts)


@dataclass(frozen=True, slots=True)
class _Level:
    """The elements of one dataset or item, before and after; ``lost`` is why all of it is gone, where it is."""

    prefix: tuple[int, ...]
    depth: int
    character_sets: tuple[str, ...]
    original: Mapping[int, Element]
    released: Mapping[int, Element]
    hits: dict[int, Hit] = field(default_factory=dict)
    lost: Drop | None = None


class _Walk:
    """Goes through both headers in the order of their tags, and counts."""

    def __init__(self, engine: Engine, rules: RuleTable, recipe: Recipe) -> None:
        self._engine = engine
        self._rules = rules
        self._replacements = {(path, text) for (path, _), text in recipe.decisions.items() if text is not None}
        self.counts: Counter[Fate] = Counter()

    def rows(self, level: _Level) -> Iterator[ComparedRow]:
        creators = _private_creators(level.original.values())
        for tag in sorted({*level.original, *level.released}):
            if tag & 0xFFFF == 0 or (tag == SPECIFIC_CHARACTER_SET and level.depth):
                continue
            original, released = level.original.get(tag), level.released.get(tag)
            row = self._row(level, tag, original, released, creators)
            self.counts[row.fate] += 1
            yield row
            yield from self._items(level, row, original, released)

    def _row(
        self,
        level: _Level,
        tag: int,
        original: Element | None,
        released: Element | None,
        creators: Mapping[int, str],
    ) -> ComparedRow:
        path = format_path((*level.prefix, tag))
        is_private = bool(tag >> 16 & 1)
        rule = None if is_private or tag in _WRITTEN_ANEW else self._rules.rule(tag)
        before = _text(original, level.character_sets) if original else ""
        after = _text(released, _UTF8) if released else ""
        applied = _applied(level.hits.get(tag), path)
        fate = self._fate(rule, original, released, (before, after), applied)
        reason = Drop(applied.reason) if applied is not None and applied.reason else level.lost
        if reason is None and fate is Fate.REMOVED and is_private:
            reason = Drop.PRIVATE
        if after and before != after and (path, after) in self._replacements:
            fate, reason = Fate.REPLACED, Drop.DECISION
        element = released or original
        return ComparedRow(
            depth=level.depth,
            tag=tag,
            path=path,
            name=_name(tag, creators),
            vr=element.vr if element else "",
            fate=fate,
            original_text=_shortened(before),
            released_text=_shortened(after),
            pieces=split_cleaned(_shortened(before), after) if fate is Fate.CLEANED else (),
            action=rule.action if rule else None,
            source=rule.source if rule else None,
            reason=reason,
        )

    @staticmethod
    def _fate(
        rule: Rule | None,
        original: Element | None,
        released: Element | None,
        texts: tuple[str, str],
        applied: Applied | None,
    ) -> Fate:
        if original is None:
            return Fate.ADDED
        if released is None or (original.value and not released.value):
            return Fate.REMOVED
        before, after = texts
        if isinstance(original.value, tuple) or before.strip() == after.strip():
            return Fate.KEPT
        if applied is not None and applied.action == Action.DUMMY:
            return Fate.REPLACED
        match rule.action if rule else None:
            case Action.CLEAN:
                return Fate.CLEANED
            case Action.SHIFT | Action.CAP_AGE | Action.COARSEN:
                return Fate.CHANGED
            case Action.KEEP:  # an element of which the excess was cut off, as a table longer than its descriptor
                return Fate.CHANGED
            case _:
                return Fate.REPLACED

    def _items(
        self, level: _Level, row: ComparedRow, original: Element | None, released: Element | None
    ) -> Iterator[ComparedRow]:
        before = original.value if original is not None and isinstance(original.value, tuple) else ()
        after = released.value if released is not None and isinstance(released.value, tuple) else ()
        levels = self._added(level, row, after) if original is None else self._inner(level, row, before)
        count = len(before or after)
        for number, inner in enumerate(levels, start=1):
            rows = list(self.rows(inner))
            if number > MOST_ITEMS:
                continue
            if count > 1:
                is_gone = bool(inner.original) and not inner.released
                fate = Fate.ADDED if original is None else Fate.REMOVED if is_gone else Fate.KEPT
                hidden = count - MOST_ITEMS if number == MOST_ITEMS else 0
                yield ComparedRow(
                    inner.depth, row.tag, row.path, str(number), "", fate, "", "", is_item=True, hidden_items=hidden
                )
            yield from rows

    def _added(self, level: _Level, row: ComparedRow, items: Sequence[Sequence[Element]]) -> Iterator[_Level]:
        for item in items:
            yield _Level((*level.prefix, row.tag), level.depth + 1, _UTF8, {}, _by_tag(item))

    def _inner(self, level: _Level, row: ComparedRow, items: Sequence[Sequence[Element]]) -> Iterator[_Level]:
        prefix = (*level.prefix, row.tag)
        for item in items:
            character_sets = character_sets_of(item, level.character_sets)
            inner = _Level(prefix, level.depth + 1, character_sets, _by_tag(item), {}, lost=row.reason)
            if row.fate is not Fate.REMOVED:
                hits = _hits(self._engine.release_elements(prefix, item, character_sets))
                kept = b"".join(hit.encoded for _, hit in sorted(hits.items(), key=_tag_of))
                inner = _Level(prefix, level.depth + 1, character_sets, _by_tag(item), _parse(kept), hits)
            yield inner


def split_cleaned(original_text: str, released_text: str) -> tuple[Piece, ...]:
    """The original cut into what the released text still has, word by word in order, and what it lost."""
    kept_words = iter(_WORD.findall(released_text))
    wanted = next(kept_words, None)
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in _WORD.finditer(original_text):
        is_kept = match[0] == wanted
        if is_kept:
            wanted = next(kept_words, None)
        between = original_text[end : match.start()]
        was_kept = pieces[-1][1] if pieces else is_kept
        pieces += [(between, is_kept and was_kept), (match[0], is_kept)]
        end = match.end()
    pieces.append((original_text[end:], pieces[-1][1] if pieces else False))
    joined: list[Piece] = []
    for text, is_kept in pieces:
        if not text:
            continue
        if joined and joined[-1].is_kept == is_kept:
            joined[-1] = Piece(joined[-1].original_text + text, is_kept)
        else:
            joined.append(Piece(text, is_kept))
    return tuple(joined)


def _tag_of(pair: tuple[int, Hit]) -> int:
    return pair[0]


def _by_tag(elements: Iterable[Element]) -> dict[int, Element]:
    return {element.tag: element for element in elements}


def _hits(pairs: Iterable[tuple[int, Hit]]) -> dict[int, Hit]:
    """By tag. What became of all private elements has the tag of the first: of two for a tag, the one that stays."""
    hits: dict[int, Hit] = {}
    for tag, hit in pairs:
        if tag not in hits or hit.encoded:
            hits[tag] = hit
    return hits


def _parse(encoded: bytes) -> dict[int, Element]:
    if not encoded:
        return {}
    elements, _, _ = Tokenizer(encoded, EXPLICIT_LITTLE, DEFAULT_LIMITS, complete=True).read_dataset(0)
    return _by_tag(elements)


def _applied(hit: Hit | None, path: str) -> Applied | None:
    return next((one for one in hit.applied if one.path == path), None) if hit is not None else None


def _private_creators(elements: Iterable[Element]) -> dict[int, str]:
    """Group and block number of each private creator, with its name."""
    return {
        element.tag >> 16 << 8 | element.tag & 0xFF: element.value.decode("latin-1").strip(" \0")
        for element in elements
        if element.tag >> 16 & 1 and 0x10 <= element.tag & 0xFFFF <= 0xFF and isinstance(element.value, bytes)
    }


def _name(tag: int, creators: Mapping[int, str]) -> str:
    try:
        if not tag >> 16 & 1:
            return dictionary_description(tag)
        creator = creators.get(tag >> 16 << 8 | tag >> 8 & 0xFF, "")
        return private_dictionary_description(tag, creator)
    except KeyError:
        return ""


def _pixel_row(pixel: PixelElement, plan: ImagePlan | None) -> ComparedRow:
    text = "" if pixel.length is None else f"{pixel.length} bytes"
    is_masked = plan is not None and bool(plan.boxes)
    fate = Fate.CHANGED if is_masked else Fate.KEPT
    path = format_path((pixel.tag,))
    return ComparedRow(0, pixel.tag, path, dictionary_description(pixel.tag), pixel.vr, fate, text, text)


def _text(element: Element, character_sets: tuple[str, ...]) -> str:
    """A value as people read it."""
    value, vr = element.value, element.vr
    if isinstance(value, tuple):
        return ""
    if vr in _TEXT_VRS:
        try:
            return decode_text(value, character_sets)
        except UnreadableError:
            return f"{len(value)} bytes"
    if vr == "AT" and len(value) % 4 == 0:
        numbers = struct.unpack(f"<{len(value) // 2}H", value)
        return "\\".join(format_tag(group << 16 | number) for group, number in zip(*[iter(numbers)] * 2, strict=True))
    letter = _NUMBERS.get(vr, "")
    size = struct.calcsize(letter) if letter else 0
    if not size or len(value) % size or len(value) // size > _MOST_NUMBERS:
        return f"{len(value)} bytes" if value else ""
    return "\\".join(f"{number:.10g}" for number in struct.unpack(f"<{len(value) // size}{letter}", value))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "\u2026"
