"""Builds the released header: from the elements of a file, a new list of elements, out of what the rules let in.

A function from raw elements (tag, VR, bytes or items) to released bytes; how the file was cut into elements is none of
its business. Results are remembered per (path, VR, bytes) for one patient, because a series repeats itself.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, assert_never

from app.deid.absent import Place, empty_element, without_value
from app.deid.additions import (
    BURNED_IN_ANNOTATION,
    OURS,
    PIXELS_CLEANED,
    PUT_IN,
    RECOGNIZABLE_VISUAL_FEATURES,
    additions_for,
    no_face_hit,
    no_text_hit,
    utf8_hit,
)
from app.deid.hits import Applied, Hit, Record, combine, has_text, join
from app.deid.private import release_private, without_private
from app.deid.recipe import Patient, Recipe
from app.deid.rules import Requirement, Rule, RuleTable, requirements_of
from app.deid.tables import DESCRIBED, fit_table
from app.deid.values import (
    Drop,
    DroppedError,
    DroppedWordsError,
    Fold,
    Value,
    is_identity_hit,
    number_text,
    release_value,
)
from app.dicom.profile import Action, Option
from app.dicom.reading import SOP_INSTANCE_UID, SPECIFIC_CHARACTER_SET, Header, character_sets_of
from app.dicom.runs import Elements, Run
from app.dicom.tagpath import format_path
from app.dicom.tokens import Element, Items
from app.dicom.writing import encode_element, encode_sequence

# Past this many remembered bytes a patient's memory is started anew: it must not grow with the examination.
MAX_REMEMBERED_BYTES = 48 << 20
_BYTES_PER_ELEMENT = 500  # what Python's objects for one cost beside its value

_PER_FRAME_GROUPS = 0x52009230
# What others ask a released header for: modality, series description, body part, and the UIDs.
_TOLD = frozenset((SOP_INSTANCE_UID, 0x00080060, 0x0008103E, 0x00180015, 0x0020000D, 0x0020000E))


class _Plan(NamedTuple):
    """What is to become of an attribute at a place, as far as that does not depend on its value."""

    place: Place
    rule: Rule
    applied: "tuple[Applied, ...]"  # where its value is kept, shifted, cleaned or replaced
    options: frozenset[Option]


@dataclass(frozen=True, slots=True)
class _ReleasedRun:
    """What became of a run, but for what depends on elements around it: private ones and described tables."""

    pairs: tuple[tuple[int, Hit], ...]
    private: tuple[Element, ...]
    described: tuple[Element, ...]
    told: Mapping[int, bytes]


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
        ours = OURS | {BURNED_IN_ANNOTATION} if seen_by_person else OURS
        if face_removed:
            ours |= {RECOGNIZABLE_VISUAL_FEATURES}
        pairs = self._release_top_level(header, told, ours)
        if pixels_cleaned:
            pairs.append((0, PIXELS_CLEANED))
        if face_removed:
            pairs.append((RECOGNIZABLE_VISUAL_FEATURES, no_face_hit()))
        options = frozenset().union(*(hit.options for _, hit in pairs))
        pairs.extend(self._added(options))
        if seen_by_person:
            pairs.append((BURNED_IN_ANNOTATION, no_text_hit()))
        if header.character_sets or any(has_text(hit) for _, hit in pairs):
            pairs.append((SPECIFIC_CHARACTER_SET, utf8_hit()))
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
        bounds = sorted(PUT_IN | {element.tag for element in apart})
        return _ReleasedRun(
            tuple(join(list(group)) for _, group in groupby(pairs, lambda pair: bisect_left(bounds, pair[0]))),
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
                    pairs.append((tag, without_value(place, element.vr, self._rules.rule(tag), Drop.TABLE_SIZE)))
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
                return without_value(place, vr, rule, Drop.WRONG_VR)
            return Hit(empty_element(tag, rule.vrs[0]))
        if isinstance(value, tuple):
            return self._sequence(place, rule, value)
        if not value:
            return Hit(empty_element(tag, vr if vr in rule.vrs else rule.vrs[0]))
        return self._leaf(plan, vr, value)

    def _plan(self, place: Place, vr: str) -> _Plan | Hit:
        """What is to become of an attribute; at once a hit where its value does not matter."""
        tag = place.path[-1]
        rule = self._rules.rule(tag)
        if rule is None:
            return without_value(place, vr, None, Drop.UNLISTED)
        if place.text in self._recipe.dropped_paths:
            return without_value(place, vr, rule, Drop.DECISION)
        match rule.action:
            case Action.REMOVE:
                return without_value(place, vr, rule, Drop.BY_RULE)
            case Action.EMPTY:
                if place.requirement is Requirement.VALUE:
                    return without_value(place, vr, rule, Drop.BY_RULE)
                return Hit(empty_element(tag, rule.vrs[0]), applied=(Applied(place.text, "empty", Drop.BY_RULE.value),))
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
            hit = without_value(place, vr, rule, dropped.reason)
            hit.original_words = dropped.original_words
            return hit
        except DroppedError as dropped:
            return without_value(place, vr, rule, dropped.reason)
        except ValueError:
            return without_value(place, vr, rule, Drop.TOO_LONG)
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
                return without_value(place, value.vr, plan.rule, Drop.DECISION)
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
        if items and not encoded_items:
            gone, told = without_value(place, "SQ", rule, Drop.LOST_CONTENT), combine(parts)
            gone.applied += told.applied
            gone.original_words = told.original_words
            return gone
        combined = combine(parts, encode_sequence(place.path[-1], encoded_items))
        combined.applied += (Applied(place.text, rule.action.value, ""),)
        if rule.option is not None:
            combined.options |= {rule.option}
        return combined

    def _release_private(
        self, prefix: tuple[int, ...], elements: list[Element], character_sets: tuple[str, ...]
    ) -> list[tuple[int, Hit]]:
        if Option.RETAIN_SAFE_PRIVATE not in self._rules.options:
            groups = tuple(sorted({element.tag >> 16 for element in elements}))
            hit = self._private_groups.get((prefix, groups))
            if hit is None:
                hit = self._private_groups[prefix, groups] = without_private(prefix, groups)
            return [(elements[0].tag, hit)]

        def release_leaf(tag: int, vr: str, value: bytes, path: str, rule: Rule) -> Hit:
            place = Place((*prefix, tag), path, Requirement.OPTIONAL, character_sets)
            return self._leaf(_plan_of(place, rule), vr, value)

        return release_private(prefix, elements, self._rules.options, release_leaf)

    def _dummy(self, place: Place, rule: Rule, value: bytes | Items) -> Hit:
        if isinstance(value, tuple):
            if place.requirement is Requirement.VALUE:
                return self._sequence(place, rule, value)
            return without_value(place, "SQ", rule, Drop.BY_RULE)
        return without_value(place._replace(requirement=Requirement.VALUE), rule.vrs[0], rule, Drop.BY_RULE)

    def _added(self, options: frozenset[Option]) -> tuple[tuple[int, Hit], ...]:
        """Patient code and what PS3.15 section E.1.1 wants a de-identified object to say."""
        added = self._additions.get(options)
        if added is None:
            added = self._additions[options] = tuple(additions_for(self._patient.code, options))
        return added


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
