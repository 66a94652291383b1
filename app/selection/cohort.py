"""Which studies are drawn for the groups that a protocol asks for.

The order of drawing is a keyed hash of what names a study or patient: the same project draws the same, a study more or
less changes only what it must, and nobody without the project's secret can tell beforehand who is drawn.
"""

import hmac
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from app.project.cohorts import GroupCounts, Shortage, StudyGroup, StudyKey
from app.project.secret import Secret
from app.protocol.groups import Group, Matching, MatchOn

PURPOSE = "group draw"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A study that fits a group. ``is_by_hand``: a person took a series of it, so it is drawn before all others."""

    patient_id: int
    original_patient_key: str
    original_study_uid: str
    age_years: float | None
    original_sex: str
    year: str
    original_manufacturer: str
    is_by_hand: bool = False

    @property
    def key(self) -> StudyKey:
        """What studies are looked up by."""
        return self.patient_id, self.original_study_uid


# In what a study is like another: the matched attributes as texts; None where one of them is missing.
Stratum = tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class GroupDraw:
    """What was drawn for a group; ``reasons`` say why of each study that fits and was not drawn."""

    counts: GroupCounts
    drawn: tuple[StudyKey, ...]
    reasons: Mapping[StudyKey, str]


class Drawing:
    """Draws group by group, in the protocol's order."""

    def __init__(self, secret: Secret, protocol_sha256: str) -> None:
        self._key = secret.subkey(PURPOSE)
        self._protocol = protocol_sha256
        self._drawn: dict[str, list[Candidate]] = {}

    def draw(self, group: Group, candidates: Iterable[Candidate]) -> GroupDraw:
        """Draw for one group; the one that it is matched to was drawn before."""
        reasons: dict[StudyKey, str] = {}
        taken_patients = {one.patient_id for drawn in self._drawn.values() for one in drawn}

        def order(one: Candidate) -> tuple[bool, bool, bytes, bytes]:
            # Where a patient counts once, how many studies there are must not make one likelier to be drawn.
            patient = self._rank(group.name, one.original_patient_key) if group.one_per_patient else b""
            study = self._rank(group.name, one.original_patient_key, one.original_study_uid)
            # Nobody is in two groups as long as there is a choice.
            return not one.is_by_hand, one.patient_id in taken_patients, patient, study

        ordered = sorted(candidates, key=order)
        pool = _one_per_patient(ordered, group, reasons) if group.one_per_patient else ordered
        if group.match is None:
            wanted, shortages = group.wanted, list[Shortage]()
            drawn = _first(pool, group, reasons)
        else:
            strata = Counter(_stratum(one, group.match) for one in self._drawn[group.match.group])
            wanted = group.match.ratio * strata.total()
            drawn, shortages = _matched(pool, group, group.match, strata, reasons)
        self._drawn[group.name] = drawn
        counts = GroupCounts(group.name, wanted, len(pool), len(drawn), tuple(shortages))
        return GroupDraw(counts, tuple(one.key for one in drawn), reasons)

    def _rank(self, *names: str) -> bytes:
        text = "\0".join((self._protocol, *names))
        return hmac.digest(self._key, text.encode("utf-8", "surrogatepass"), "sha256")


def _one_per_patient(ordered: Sequence[Candidate], group: Group, reasons: dict[StudyKey, str]) -> list[Candidate]:
    """The first study of each patient, and all that were taken by hand."""
    pool, seen = [], set()
    for one in ordered:
        if one.is_by_hand or one.patient_id not in seen:
            pool.append(one)
            seen.add(one.patient_id)
        else:
            reasons[one.key] = f"not drawn for group {group.name}: one study per patient"
    return pool


def _first(pool: Sequence[Candidate], group: Group, reasons: dict[StudyKey, str]) -> list[Candidate]:
    if group.wanted is None:
        return list(pool)
    drawn = [one for place, one in enumerate(pool) if place < group.wanted or one.is_by_hand]
    for one in pool[len(drawn) :]:
        reasons[one.key] = f"not drawn for group {group.name}: {group.wanted} wanted, {len(pool)} found"
    return drawn


def _matched(
    pool: Sequence[Candidate],
    group: Group,
    match: Matching,
    strata: Mapping[Stratum, int],
    reasons: dict[StudyKey, str],
) -> tuple[list[Candidate], list[Shortage]]:
    """As many of each stratum as the other group has, times the ratio; those without a stratum match nobody."""
    found: dict[Stratum, list[Candidate]] = defaultdict(list)
    for one in pool:
        found[_stratum(one, match)].append(one)
    drawn: list[Candidate] = []
    for stratum, members in found.items():
        wanted = 0 if stratum is None else match.ratio * strata.get(stratum, 0)
        taken = [one for place, one in enumerate(members) if place < wanted or one.is_by_hand]
        drawn += taken
        for one in members[len(taken) :]:
            if stratum is None:
                told = "what is matched is not given"
            elif wanted:
                told = f"{wanted} wanted and {len(members)} found that match"
            else:
                told = f"nobody in group {match.group} is like it"
            reasons[one.key] = f"not drawn for group {group.name}: {told}"
    shortages = [
        Shortage(stratum or (), match.ratio * count, len(found[stratum]) if stratum is not None else 0)
        for stratum, count in strata.items()
        if stratum is None or len(found.get(stratum, ())) < match.ratio * count
    ]
    return drawn, sorted(shortages, key=lambda one: one.original_kind)


def _stratum(candidate: Candidate, match: Matching) -> Stratum:
    values = [_value(candidate, attribute, match.age_band_years) for attribute in match.on]
    return tuple(values) if all(values) else None


def _value(candidate: Candidate, attribute: MatchOn, band_years: int) -> str:
    """What is alike, as a text; '' where it is not given."""
    match attribute:
        case MatchOn.AGE:
            if candidate.age_years is None:
                return ""
            low = int(candidate.age_years // band_years) * band_years
            return f"{low}-{low + band_years - 1} years"
        case MatchOn.SEX:
            return candidate.original_sex.strip().upper()
        case MatchOn.YEAR:
            return candidate.year
        case MatchOn.MANUFACTURER:
            # "SIEMENS" and "Siemens Healthineers" are one, and so are a company's former legal forms.
            return next(iter(candidate.original_manufacturer.casefold().split()), "")
        case _:
            assert_never(attribute)


def studies_of(draws: Iterable[GroupDraw]) -> list[StudyGroup]:
    """All studies that fit a group, drawn or not."""
    return [
        StudyGroup(patient_id, study, draw.counts.name, is_drawn)
        for draw in draws
        for keys, is_drawn in ((draw.drawn, True), (draw.reasons, False))
        for patient_id, study in keys
    ]
