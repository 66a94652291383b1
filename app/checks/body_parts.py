"""Which body part a series shows: the coded and the described together.

Body Part Examined alone is wrong in every seventh image (Gueld et al., Proc SPIE 4685, 2002), and descriptions follow
house rules; what several of them agree on is right far more often.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

from app.checks.evidence import Evidence, confidence, strength
from app.checks.series import Attributes
from app.checks.words import Vocabulary, texts_of
from app.protocol.checks import BodyPart

# How far each place is trusted, of the series, and of the study.
_OF_SERIES: Mapping[str, float] = {
    "SeriesDescription": 0.7,
    "AnatomicRegionSequence": 0.6,
    "BodyPartExamined": 0.5,
    "ProtocolName": 0.5,
}
_OF_STUDY: Mapping[str, float] = {
    "StudyDescription": 0.5,
    "RequestedProcedureDescription": 0.4,
    "RequestedProcedureCodeSequence": 0.4,
    "ProcedureCodeSequence": 0.4,
    "PerformedProcedureStepDescription": 0.4,
    "RequestAttributesSequence": 0.4,
}
# Parts that one image shows together, so that naming one does not contradict the other.
_TOGETHER = frozenset(
    frozenset((BodyPart(first), BodyPart(second)))
    for first, second in (
        ("head", "neck"),
        ("neck", "chest"),
        ("neck", "spine"),
        ("chest", "spine"),
        ("chest", "heart"),
        ("chest", "breast"),
        ("chest", "abdomen"),
        ("chest", "upper-limb"),
        ("heart", "abdomen"),
        ("abdomen", "spine"),
        ("abdomen", "pelvis"),
        ("pelvis", "spine"),
        ("pelvis", "lower-limb"),
        ("upper-limb", "lower-limb"),  # EXTREMITY names both
        ("head", "spine"),
    )
)
_LIMBS = frozenset((BodyPart.UPPER_LIMB, BodyPart.LOWER_LIMB))
# A part that half as much speaks for as for the surest one is shown, too.
_ALSO_SHOWN = 0.5


@dataclass(frozen=True, slots=True)
class PartReading:
    """The parts, the surest first; ``disagreeing`` are two places that can't both be right, with what they name."""

    parts: tuple[BodyPart, ...]
    confidence: float
    disagreeing: tuple[tuple[str, str], tuple[str, str]] | None


NOTHING = PartReading((), 0.0, None)


def read_body_parts(original_attributes: Attributes, vocabulary: Vocabulary) -> PartReading:
    """What the attributes of a series say of the body part; nothing where no place names one."""
    evidence = [
        Evidence(keyword, meanings, weight, of_series)
        for weights, of_series in ((_OF_SERIES, True), (_OF_STUDY, False))
        for keyword, weight in weights.items()
        if (meanings := _meanings(original_attributes, keyword, vocabulary))
    ]
    # What the study is about counts for a series that does not say itself what it shows.
    named = [one for one in evidence if one.of_series] or evidence
    candidates = {BodyPart(part) for one in named for part in one.meanings}
    if not candidates:
        return NOTHING
    support = {part: strength(one.weight for one in evidence if part in one.meanings) for part in candidates}
    ordered = sorted(candidates, key=lambda part: (-support[part], part))
    best = ordered[0]
    parts = tuple(part for part in ordered if support[part] >= _ALSO_SHOWN * support[best] and _fits(part, best))
    if set(parts) >= _LIMBS and len({support[part] for part in _LIMBS}) == 2:
        # EXTREMITY is either of them; whatever else is said tells which.
        parts = tuple(part for part in parts if part is best or part not in _LIMBS)
    against = max((support[part] for part in ordered if not _fits(part, best)), default=0.0)
    return PartReading(parts, confidence(support[best], against), _disagreement(evidence, best))


def _meanings(original_attributes: Attributes, keyword: str, vocabulary: Vocabulary) -> frozenset[str]:
    found: frozenset[str] = frozenset()
    return found.union(*(vocabulary.meanings(text) for text in texts_of(original_attributes, keyword)))


def _fits(first: BodyPart, second: BodyPart) -> bool:
    if BodyPart.WHOLE_BODY in (first, second):
        return True
    return first is second or frozenset((first, second)) in _TOGETHER


def _disagreement(evidence: list[Evidence], best: BodyPart) -> tuple[tuple[str, str], tuple[str, str]] | None:
    """Two places of which one names the best part, and the other only parts that it can't be."""
    backing = next((one for one in evidence if best in one.meanings), None)
    opposing = next((one for one in evidence if one.of_series and not _may_be(one, best)), None)
    if backing is None or opposing is None:
        return None
    return (backing.place, best.value), (opposing.place, ", ".join(sorted(opposing.meanings)))


def _may_be(one: Evidence, best: BodyPart) -> bool:
    return any(_fits(BodyPart(part), other) for part, other in product(one.meanings, (best,)))
