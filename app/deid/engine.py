"""Builds the released header: from the elements of a file, a new list of elements, out of what the rules let in.

A function from raw elements (tag, VR, bytes or items) to released bytes; how the file was cut into elements is none of
its business. Results are remembered per (path, VR, bytes) for one patient, because a series repeats itself.
"""

import struct
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple, assert_never

from app.deid.recipe import Patient, Recipe
from app.deid.rules import (
    PATIENT_ID,
    PATIENT_NAME,
    Requirement,
    Rule,
    RuleTable,
    Source,
    requirements_of,
    safe_private,
)
from app.deid.tables import DESCRIBED, fit_table
from app.deid.values import (
    Drop,
    DroppedError,
    DroppedWordsError,
    Fold,
    Number,
    Value,
    is_identity_hit,
    number_text,
    release_value,
)
from app.dicom.profile import METHOD_CODES, Action, Option
from app.dicom.reading import SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, Header, character_sets_of
from app.dicom.runs import Elements, Run
from app.dicom.tagpath import format_path, parse_tag
from app.dicom.tokens import Element, Items, dictionary_vr
from app.dicom.writing import encode_element, encode_sequence
from app.errors import HeldBackError, Reason

# Past this many remembered bytes a patient's memory is started anew: it must not grow with the examination.
MAX_REMEMBERED_BYTES = 48 << 20
_BYTES_PER_ELEMENT = 500  # what Python's objects for one cost beside its value

_PER_FRAME_GROUPS = 0x52009230
# Without these an image is none; the instance is held back rather than sent without.
_ESSENTIAL = frozenset(
    parse_tag(keyword)
    for keyword in (
        "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID Modality SamplesPerPixel "
        "PhotometricInterpretation Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation"
    ).split()
)
# Always written by us, whatever the file says.
_OURS = frozenset((PATIENT_NAME, PATIENT_ID, 0x00120062, 0x00120063, 0x00120064, 0x00280303))
# What others ask a released header for: modality, series description, body part, and the UIDs.
_TOLD = frozenset((SOP_INSTANCE_UID, 0x00080060, 0x0008103E, 0x00180015, 0x0020000D, 0x0020000E))
_CONTENT_LABEL = 0x00700080
_BURNED_IN_ANNOTATION = 0x00280301
_DUMMIES = {
    **dict.fromkeys(("SH", "LO", "ST", "LT", "UT", "UC", "PN", "AE"), b"REMOVED"),
    **dict.fromkeys(("DS", "IS"), b"0"),
    "DA": b"19000101",
    "DT": b"19000101",
    "TM": b"000000",
}
_DUMMY_FOLDS = {"DA": Fold.DATE, "DT": Fold.DATE, "TM": Fold.TIME, "DS": Fold.NUMBER, "IS": Fold.NUMBER}
_UTF8 = b"ISO_IR 192"


class Place(NamedTuple):
    """Where an element stands, and what the object's modules ask of it there."""

    path: tuple[int, ...]
    text: str
    requirement: Requirement
    character_sets: tuple[str, ...]


class _Plan(NamedTuple):
    """What is to become of an attribute at a place, as far as that does not depend on its value."""

    place: Place
    rule: Rule
    applied: "tuple[Applied, ...]"  # where its value is kept, shifted, cleaned or replaced
    options: frozenset[Option]


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


@dataclass(frozen=True, slots=True)
class _ReleasedRun:
    """What became of a run, but for what depends on elements around it: private ones and described tables."""

    pairs: tuple[tuple[int, Hit], ...]
    private: tuple[Element, ...]
    described: tuple[Element, ...]
    told: Mapping[int, bytes]


_RECOGNIZABLE_VISUAL_FEATURES = 0x00280302
_PIXELS_CLEANED = Hit(b"", options=frozenset((Option.CLEAN_PIXEL_DATA,)))


@dataclass(frozen=True, slots=True)
class ReleasedHeader:
    """A header as it leaves: the encoded elements before the pixel element, in order."""

    encoded: bytes
    hits: tuple[Hit, ...]
    told: Mapping[int, bytes] = field(repr=False)

    def text(self, tag: int) -> str:
        """A released top-level element's text; empty where there is none. Only for what an export asks for."""
        if tag not in _TOLD:
            raise KeyError(tag)
        return self.told.get(tag, b"")[8:].rstrip(b" \0").decode()


def tag_bytes(tag: int) -> bytes:
    """A tag as it is encoded."""
    return struct.pack("<HH", tag >> 16, tag & 0xFFFF)


class Engine:
    """De-identifies the headers of one patient under one recipe."""

    def __init__(self, recipe: Recipe, rules: RuleTable, patient: Patient) -> None:
        self._recipe = recipe
        self._rules = rules
        self._patient = patient
        self._requirements: Mapping[tuple[int, ...], Requirement] = {}
        self._sop_class_uid = ""
        self._memory: dict[object, Hit] = {}
        self._remembered_bytes = 0
        self._runs: dict[tuple[Run, tuple[str, ...], frozenset[int]], _ReleasedRun] = {}
        self._private_groups: dict[tuple[tuple[int, ...], tuple[int, ...]], Hit] = {}
        self._places: dict[tuple[tuple[int, ...], int, tuple[str, ...]], Place] = {}
        self._plans: dict[tuple[tuple[int, ...], int, str, tuple[str, ...]], _Plan | Hit] = {}
        self._additions: dict[frozenset[Option], tuple[tuple[int, Hit], ...]] = {}

    def release(
        self,
        header: Header,
        sop_class_uid: str,
        *,
        seen_by_person: bool = False,
        pixels_cleaned: bool = False,
        face_removed: bool = False,
    ) -> ReleasedHeader:
        """Build the released header.

        ``seen_by_person``: somebody looked at the pixels and let them leave, so (0028,0301) says NO. What detectors
        alone have masked makes no such claim. ``pixels_cleaned``: the pixels were masked, or seen to need no mask.
        ``face_removed``: they show no face any more, so (0028,0302) says NO.

        Raises
        ------
        HeldBackError
            REQUIRED_VALUE_LOST where the rules leave no usable object.
        """
        if sop_class_uid != self._sop_class_uid or self._remembered_bytes > MAX_REMEMBERED_BYTES:
            self._memory, self._runs, self._places, self._plans = {}, {}, {}, {}
            self._remembered_bytes = 0
            self._sop_class_uid = sop_class_uid
            self._requirements = requirements_of(sop_class_uid)
        told: dict[int, bytes] = {}
        ours = _OURS | {_BURNED_IN_ANNOTATION} if seen_by_person else _OURS
        if face_removed:
            ours |= {_RECOGNIZABLE_VISUAL_FEATURES}
        pairs = self._release_top_level(header, told, ours)
        if pixels_cleaned:
            pairs.append((0, _PIXELS_CLEANED))
        if face_removed:
            pairs.append((_RECOGNIZABLE_VISUAL_FEATURES, _face_removed_hit()))
        options = frozenset().union(*(hit.options for _, hit in pairs))
        pairs.extend(self._added(options))
        if seen_by_person:
            pairs.append((_BURNED_IN_ANNOTATION, _text_hit(_BURNED_IN_ANNOTATION, "CS", "NO")))
        if header.character_sets or any(not hit.encoded.isascii() and _has_text(hit) for _, hit in pairs):
            pairs.append((SPECIFIC_CHARACTER_SET, _character_set_hit()))
        pairs.sort(key=_tag_of)
        hits = tuple([hit for _, hit in pairs])
        return ReleasedHeader(b"".join([hit.encoded for hit in hits]), hits, told)

    def _release_top_level(self, header: Header, told: dict[int, bytes], ours: frozenset[int]) -> list[tuple[int, Hit]]:
        """What becomes of the elements of a header, but for ``ours``, which are put in later.

        What is in ``_TOLD`` is added to ``told``, as it is encoded.
        """
        pairs: list[tuple[int, Hit]] = []
        singles: list[Element] = []
        elements = header.elements
        for segment in elements.segments if isinstance(elements, Elements) else elements:
            if isinstance(segment, Run):
                key = (segment, header.character_sets, ours)
                released = self._runs.get(key)
                if released is None:
                    released = self._runs[key] = self._release_run(segment, ours, header.character_sets)
                    self._remembered_bytes += len(segment.raw) + sum(map(_size_of, segment.elements))
                pairs += released.pairs
                singles += released.private
                singles += released.described
                told.update(released.told)
            elif segment.tag not in ours:
                singles.append(segment)
        if singles:
            released_singles = self.release_elements((), singles, header.character_sets, elements)
            told.update((tag, hit.encoded) for tag, hit in released_singles if tag in _TOLD)
            pairs += released_singles
        return pairs

    def _release_run(self, run: Run, ours: frozenset[int], character_sets: tuple[str, ...]) -> _ReleasedRun:
        elements = [element for element in run.elements if element.tag not in ours]
        private = tuple(element for element in elements if element.tag >> 16 & 1)
        described = tuple(element for element in elements if element.tag in DESCRIBED)
        apart = {*private, *described}
        pairs = self.release_elements((), [one for one in elements if one not in apart], character_sets)
        # Nothing that is put in later may belong between the elements of a joined hit.
        put_in = {*_OURS, _BURNED_IN_ANNOTATION, _RECOGNIZABLE_VISUAL_FEATURES, SPECIFIC_CHARACTER_SET}
        bounds = sorted(put_in | {element.tag for element in apart})
        return _ReleasedRun(
            tuple(_join(list(group)) for _, group in groupby(pairs, lambda pair: bisect_left(bounds, pair[0]))),
            private,
            described,
            {tag: hit.encoded for tag, hit in pairs if tag in _TOLD},
        )

    def release_elements(
        self,
        prefix: tuple[int, ...],
        elements: Sequence[Element],
        character_sets: tuple[str, ...],
        siblings: Sequence[Element] | None = None,
    ) -> list[tuple[int, Hit]]:
        """What becomes of the elements of one dataset or item at ``prefix``, by tag, of the last class released.

        ``siblings`` is the whole dataset, where ``elements`` are only some of it.
        """
        memory = self._memory
        pairs: list[tuple[int, Hit]] = []
        private: list[Element] = []
        for element in elements:
            tag = element.tag
            if tag >> 16 & 1:
                private.append(element)
                continue
            if tag & 0xFFFF == 0 or tag == SPECIFIC_CHARACTER_SET:
                continue  # group lengths are retired; the character set is ours
            if tag in DESCRIBED:
                fitting = fit_table(element, siblings or elements)
                if fitting is None:
                    place = self._place(prefix, tag, character_sets)
                    pairs.append((tag, self._gone(place, element.vr, self._rules.rule(tag), Drop.TABLE_SIZE)))
                    continue
                element = fitting  # noqa: PLW2901 - the same element without what its descriptor does not cover
            key = (prefix, character_sets, element)
            hit = memory.get(key)
            if hit is None:
                hit = memory[key] = self._release_element(prefix, element, character_sets)
                self._remembered_bytes += _size_of(element) + len(hit.encoded)
            pairs.append((tag, hit))
        if private:
            pairs.extend(self._release_private(prefix, private, character_sets))
            pairs.sort(key=_tag_of)
        return pairs

    def _place(self, prefix: tuple[int, ...], tag: int, character_sets: tuple[str, ...]) -> Place:
        key = (prefix, tag, character_sets)
        place = self._places.get(key)
        if place is None:
            path = (*prefix, tag)
            requirement = self._requirements.get(path, Requirement.OPTIONAL)
            place = self._places[key] = Place(path, format_path(path), requirement, character_sets)
        return place

    def _release_element(self, prefix: tuple[int, ...], element: Element, character_sets: tuple[str, ...]) -> Hit:
        tag, vr, value = element
        key = (prefix, tag, vr, character_sets)
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._plan(self._place(prefix, tag, character_sets), vr)
        if isinstance(plan, Hit):
            return plan
        place, rule = plan.place, plan.rule
        if rule.action is Action.DUMMY:
            return self._dummy(place, rule, value)
        if isinstance(value, tuple) != (rule.vrs[0] == "SQ"):
            if value:  # an empty element of another VR says nothing
                return self._gone(place, vr, rule, Drop.WRONG_VR)
            return Hit(_empty(tag, rule.vrs[0]))
        if isinstance(value, tuple):
            return self._sequence(place, rule, value)
        if not value:
            return Hit(_empty(tag, vr if vr in rule.vrs else rule.vrs[0]))
        return self._leaf(plan, vr, value)

    def _plan(self, place: Place, vr: str) -> _Plan | Hit:
        """What is to become of an attribute; at once a hit where its value does not matter."""
        tag = place.path[-1]
        rule = self._rules.rule(tag)
        if rule is None:
            return self._gone(place, vr, None, Drop.UNLISTED)
        if place.text in self._recipe.dropped_paths:
            return self._gone(place, vr, rule, Drop.DECISION)
        match rule.action:
            case Action.REMOVE:
                return self._gone(place, vr, rule, Drop.BY_RULE)
            case Action.EMPTY:
                if place.requirement is Requirement.VALUE:
                    return self._gone(place, vr, rule, Drop.BY_RULE)
                return Hit(_empty(tag, rule.vrs[0]), applied=(Applied(place.text, "empty", Drop.BY_RULE.value),))
            case (
                Action.DUMMY
                | Action.KEEP
                | Action.CLEAN
                | Action.SHIFT
                | Action.UID
                | Action.PSEUDONYM
                | Action.CAP_AGE
                | Action.COARSEN
            ):
                return _plan_of(place, rule)
            case _:
                assert_never(rule.action)

    def _leaf(self, plan: _Plan, vr: str, raw: bytes) -> Hit:
        place, rule = plan.place, plan.rule
        try:
            value = release_value(rule, place.path[-1], vr, raw, place.character_sets, self._recipe, self._patient)
            encoded = encode_element(place.path[-1], value.vr, value.encoded)
        except DroppedWordsError as dropped:
            hit = self._gone(place, vr, rule, dropped.reason)
            hit.original_words = dropped.original_words
            return hit
        except DroppedError as dropped:
            return self._gone(place, vr, rule, dropped.reason)
        except ValueError:
            return self._gone(place, vr, rule, Drop.TOO_LONG)
        if not value.encoded:
            return Hit(encoded)
        return self._kept(plan, value, raw, encoded)

    def _kept(self, plan: _Plan, value: Value, raw: bytes, encoded: bytes) -> Hit:
        place = plan.place
        hit = is_identity_hit(value, raw, self._patient)
        if hit and value.fold is not Fold.NONE:
            # A folded row would hide it: this one value gets a row of its own, to be decided on.
            value = Value(value.encoded, value.vr, Fold.NONE, number_text(value, raw))
        if value.fold is Fold.NONE and (place.text, value.text) in self._recipe.decisions:
            replacement = self._recipe.decisions[place.text, value.text]
            if replacement is None:
                return self._gone(place, value.vr, plan.rule, Drop.DECISION)
            value = Value(replacement.encode(), value.vr, Fold.NONE, replacement)
            encoded = encode_element(place.path[-1], value.vr, value.encoded)
            hit = False
        record = Record(place.text, value.vr, value.fold, value.text, value.low, value.high, hit)
        return Hit(encoded, (record,), plan.applied, plan.options, value.dropped_words, value.original_uids)

    def _sequence(self, place: Place, rule: Rule, items: Items) -> Hit:
        encoded_items: list[bytes] = []
        parts: list[Hit] = []
        for item in items:
            pairs = self.release_elements(place.path, item, character_sets_of(item, place.character_sets))
            encoded = b"".join([hit.encoded for _, hit in pairs])
            parts.extend(hit for _, hit in pairs)
            # An item that lost everything says nothing; per frame, its place says which frame the next one is.
            if encoded or not item or place.path[-1] == _PER_FRAME_GROUPS:
                encoded_items.append(encoded)
        combined = _combine(parts)
        if items and not encoded_items:
            gone = self._gone(place, "SQ", rule, Drop.LOST_CONTENT)
            gone.applied += combined.applied
            gone.original_words = combined.original_words
            return gone
        combined.encoded = encode_sequence(place.path[-1], encoded_items)
        combined.applied += (Applied(place.text, rule.action.value, ""),)
        if rule.option is not None:
            combined.options |= {rule.option}
        return combined

    def _release_private(
        self, prefix: tuple[int, ...], elements: list[Element], character_sets: tuple[str, ...]
    ) -> list[tuple[int, Hit]]:
        """Private elements that PS3.15 Table E.3.10-1 calls safe, by creator; all others are gone."""
        if Option.RETAIN_SAFE_PRIVATE not in self._rules.options:
            groups = tuple(sorted({element.tag >> 16 for element in elements}))
            hit = self._private_groups.get((prefix, groups))
            if hit is None:
                hit = self._private_groups[prefix, groups] = _private_gone(prefix, groups)
            return [(elements[0].tag, hit)]
        kept: list[tuple[int, Hit]] = []
        creators: dict[int, tuple[str, int]] = {}
        gone: set[int] = set()
        for tag, vr, value in elements:
            group, number = tag >> 16, tag & 0xFFFF
            if 0x10 <= number <= 0xFF and isinstance(value, bytes):
                creators[group << 8 | number] = (value.decode("latin-1").strip(" \0"), tag)
                continue
            creator, creator_tag = creators.get(group << 8 | number >> 8, ("", 0))
            listed = safe_private().get((creator, group, number & 0xFF)) if creator else None
            hit = None
            if listed is not None and isinstance(value, bytes) and value:
                hit = self._private_leaf(prefix, tag, vr, value, creator, listed, character_sets)
            if hit is None:
                gone.add(group)
                continue
            if all(kept_tag != creator_tag for kept_tag, _ in kept):
                kept.append((creator_tag, _creator_hit(prefix, creator_tag, creator)))
            kept.append((tag, hit))
        if gone:
            kept.append((elements[0].tag, _private_gone(prefix, sorted(gone))))
        return kept

    def _private_leaf(
        self,
        prefix: tuple[int, ...],
        tag: int,
        vr: str,
        raw: bytes,
        creator: str,
        listed: tuple[str, int | None],
        character_sets: tuple[str, ...],
    ) -> Hit | None:
        listed_vr, vm_max = listed
        action = _private_action(listed_vr, self._rules.options)
        if action is Action.REMOVE:
            return None
        rule = Rule(
            action=action,
            source=Source.PROFILE,
            removal="X",
            option=Option.RETAIN_SAFE_PRIVATE,
            verbatim=False,
            technical=True,
            vrs=(listed_vr,),
            vm_max=vm_max,
        )
        text_path = _private_path(prefix, tag >> 16, f"xx{tag & 0xFF:02X}", creator)
        place = Place((*prefix, tag), text_path, Requirement.OPTIONAL, character_sets)
        hit = self._leaf(_plan_of(place, rule), listed_vr if vr == "UN" else vr, raw)
        return hit if hit.encoded else None

    def _dummy(self, place: Place, rule: Rule, value: bytes | Items) -> Hit:
        if isinstance(value, tuple):
            if place.requirement is Requirement.VALUE:
                return self._sequence(place, rule, value)
            return self._gone(place, "SQ", rule, Drop.BY_RULE)
        return self._gone(place._replace(requirement=Requirement.VALUE), rule.vrs[0], rule, Drop.BY_RULE)

    def _gone(self, place: Place, vr: str, rule: Rule | None, reason: Drop) -> Hit:
        """The element without its value, as absent as its type and the profile allow."""
        tag = place.path[-1]
        if len(place.path) == 1 and tag in _ESSENTIAL:
            raise HeldBackError(Reason.REQUIRED_VALUE_LOST)
        vr = rule.vrs[0] if rule is not None else dictionary_vr(tag).split(" or ")[0]
        removal = rule.removal if rule is not None else "X"
        # Of the CS that must have a value, this one alone is a label and not one of enumerated values.
        dummy = b"REMOVED" if tag == _CONTENT_LABEL else _DUMMIES.get(vr)
        if dummy is not None and (place.requirement is Requirement.VALUE or removal == "D"):
            how = _DUMMY_FOLDS.get(vr, Fold.NONE)
            text = dummy.decode()
            bound: Number | str | None = 0 if how is Fold.NUMBER else text
            record = Record(place.text, vr, how, "", bound, bound, False) if how else _text_record(place.text, vr, text)
            return Hit(
                encode_element(tag, vr, dummy),
                records=(record,),
                applied=(Applied(place.text, "dummy", reason.value),),
            )
        if place.requirement is Requirement.PRESENT or (removal in ("Z", "ZD") and vr != "UN"):
            return Hit(_empty(tag, vr), applied=(Applied(place.text, "empty", reason.value),))
        return Hit(b"", applied=(Applied(place.text, "remove", reason.value),))

    def _added(self, options: frozenset[Option]) -> tuple[tuple[int, Hit], ...]:
        """Patient code and what PS3.15 section E.1.1 wants a de-identified object to say."""
        added = self._additions.get(options)
        if added is None:
            added = self._additions[options] = tuple(self._additions_for(options))
        return added

    def _additions_for(self, options: frozenset[Option]) -> Iterable[tuple[int, Hit]]:
        code = self._patient.code
        yield PATIENT_NAME, _text_hit(PATIENT_NAME, "PN", code, Fold.CODE)
        yield PATIENT_ID, _text_hit(PATIENT_ID, "LO", code, Fold.CODE)
        yield 0x00120062, _text_hit(0x00120062, "CS", "YES")
        yield (
            0x00120063,
            _text_hit(0x00120063, "LO", "Consign: PS3.15 2026c Basic Profile over an allow-list"),
        )
        items = []
        records = []
        for option in (None, *sorted(options)):
            code_value, meaning = METHOD_CODES[option]
            fields = ((0x00080100, "SH", code_value), (0x00080102, "SH", "DCM"), (0x00080104, "LO", meaning))
            items.append(b"".join(encode_element(tag, vr, text.encode()) for tag, vr, text in fields))
            records += [_text_record(format_path((0x00120064, tag)), vr, text) for tag, vr, text in fields]
        yield 0x00120064, Hit(encode_sequence(0x00120064, items), records=tuple(records))
        if options & {Option.RETAIN_MODIFIED_DATES, Option.RETAIN_FULL_DATES}:
            kept_whole = Option.RETAIN_FULL_DATES in options
            yield 0x00280303, _text_hit(0x00280303, "CS", "UNMODIFIED" if kept_whole else "MODIFIED")
        else:
            yield 0x00280303, _text_hit(0x00280303, "CS", "REMOVED")


def dummy_of(vr: str) -> tuple[str, str, str, str]:
    """How the dummy of a VR is shown in the dump: value, fold, low, high."""
    dummy = _DUMMIES.get(vr, b"").decode()
    how = _DUMMY_FOLDS.get(vr, Fold.NONE)
    return ("", how.value, dummy, dummy) if how else (dummy, "", "", "")


def _size_of(element: Element) -> int:
    """About how many bytes of memory an element holds."""
    if isinstance(element.value, bytes):
        return _BYTES_PER_ELEMENT + len(element.value)
    return _BYTES_PER_ELEMENT + sum(_size_of(inner) for item in element.value for inner in item)


def _plan_of(place: Place, rule: Rule) -> _Plan:
    options = frozenset((rule.option,)) if rule.option is not None else frozenset()
    return _Plan(place, rule, (Applied(place.text, rule.action.value, ""),), options)


def _tag_of(pair: tuple[int, Hit]) -> int:
    return pair[0]


def _text_record(path: str, vr: str, text: str) -> Record:
    return Record(path, vr, Fold.NONE, text, None, None, False)


def _empty(tag: int, vr: str) -> bytes:
    return encode_sequence(tag, ()) if vr == "SQ" else encode_element(tag, vr, b"")


def _text_hit(tag: int, vr: str, text: str, fold: Fold = Fold.NONE) -> Hit:
    record = Record(format_path((tag,)), vr, fold, "" if fold else text, None, None, False)
    return Hit(encode_element(tag, vr, text.encode()), records=(record,))


@lru_cache(maxsize=1)
def _character_set_hit() -> Hit:
    return _text_hit(SPECIFIC_CHARACTER_SET, "CS", _UTF8.decode())


def _join(pairs: Sequence[tuple[int, Hit]]) -> tuple[int, Hit]:
    """One hit for elements that follow each other, under the first one's tag."""
    first = pairs[0]
    if len(pairs) == 1:
        return first
    parts = tuple(hit for _, hit in pairs)
    return first[0], JoinedHit(
        b"".join([hit.encoded for hit in parts]),
        options=frozenset().union(*(hit.options for hit in parts)),
        parts=parts,
        has_text=any(not hit.encoded.isascii() and _has_text(hit) for hit in parts),
    )


def _private_gone(prefix: tuple[int, ...], groups: Iterable[int]) -> Hit:
    where = format_path(prefix)
    applied = [Applied(f"{where}({group:04X},private)", "remove", Drop.PRIVATE.value) for group in groups]
    return Hit(b"", applied=tuple(sorted(applied)))


@lru_cache(maxsize=1)
def _face_removed_hit() -> Hit:
    hit = _text_hit(_RECOGNIZABLE_VISUAL_FEATURES, "CS", "NO")
    hit.options = frozenset((Option.CLEAN_VISUAL_FEATURES,))
    return hit


def _has_text(hit: Hit) -> bool:
    if isinstance(hit, JoinedHit):
        return hit.has_text
    return any(not record.value.isascii() for record in hit.records)


def _private_path(prefix: tuple[int, ...], group: int, number: str, creator: str) -> str:
    return ".".join(part for part in (format_path(prefix), f"({group:04X},{number})[{creator}]") if part)


def _private_action(vr: str, options: frozenset[Option]) -> Action:
    """What becomes of a safe private element: its dates and UIDs follow the same options as the standard's."""
    match vr:
        case "UI":
            return Action.KEEP if Option.RETAIN_UIDS in options else Action.UID
        case "DA" | "DT":
            if Option.RETAIN_FULL_DATES in options:
                return Action.KEEP
            return Action.SHIFT if Option.RETAIN_MODIFIED_DATES in options else Action.REMOVE
        case "TM" if not options & {Option.RETAIN_FULL_DATES, Option.RETAIN_MODIFIED_DATES}:
            return Action.REMOVE
        case _:
            return Action.KEEP


def _creator_hit(prefix: tuple[int, ...], tag: int, creator: str) -> Hit:
    path = _private_path(prefix, tag >> 16, "00xx", creator)
    return Hit(encode_element(tag, "LO", creator.encode()), records=(_text_record(path, "LO", creator),))


def _combine(parts: list[Hit]) -> Hit:
    return Hit(
        b"",
        records=tuple(record for part in parts for record in part.records),
        applied=tuple(applied for part in parts for applied in part.applied),
        options=frozenset().union(*(part.options for part in parts)),
        original_words=tuple(word for part in parts for word in part.original_words),
        original_uids=tuple(pair for part in parts for pair in part.original_uids),
    )
