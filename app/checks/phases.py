"""Whether a CT or MR series was taken after a contrast agent, and how far the agent had come."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from app.checks.evidence import confidence, strength
from app.checks.series import Series
from app.checks.words import Vocabulary, texts_of
from app.protocol.checks import Phase

MODALITIES = frozenset(("CT", "MR"))
_MIXED = "mixed"  # a description of images before and after: says nothing of one series
_DESCRIPTION, _AGENT, _VOLUME, _TIMING = 0.7, 0.6, 0.3, 0.7
_OF_STUDY: Mapping[str, float] = {
    "ProtocolName": 0.3,
    "StudyDescription": 0.4,
    "RequestedProcedureDescription": 0.3,
    "RequestedProcedureCodeSequence": 0.3,
    "ProcedureCodeSequence": 0.3,
    "PerformedProcedureStepDescription": 0.3,
    "RequestAttributesSequence": 0.3,
}
# Of the first of some series of a study with and without an agent, where nothing else speaks.
_FIRST_OF_STUDY = 0.4
# Two places disagree when each is trusted at least so far.
_WORTH_TELLING = 0.4

# What people write where none was given, and ways in that no vessel is on.
_NO_AGENT = frozenset(("", "0", "no", "none", "n", "nein", "no contrast", "non", "without", "without contrast", "w/o"))
_NOT_INTRAVENOUS = re.compile(r"oral|rectal|\bpo\b|\bpr\b|intra.?articular|gastro|water|wasser|ora?\b", re.IGNORECASE)
_INTRAVENOUS = re.compile(r"\biv\b|i\.v|intraven|\bven|&", re.IGNORECASE)
# Seconds after the injection began, CT of the trunk.
_SECONDS = ((15, 45, Phase.ARTERIAL), (50, 120, Phase.VENOUS), (150, 1800, Phase.DELAYED))
_DELAY = re.compile(
    r"(?<![\w.,])(\d{1,3}(?:[.,]\d+)?)\s?(s|sec|secs|second|seconds|sek|sekunden|seg|segundos|min|mins|minutes|minuten)\b",
    re.IGNORECASE,
)
_TIME = re.compile(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)(\.\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class PhaseReading:
    """The phase; ``disagreeing`` are two places, one for and one against a contrast agent."""

    phase: Phase | None
    confidence: float
    disagreeing: tuple[str, str] | None = None


NOTHING = PhaseReading(None, 0.0)


@dataclass(frozen=True, slots=True)
class _Hint:
    place: str
    phase: Phase
    weight: float


def read_phase(series: Series, vocabulary: Vocabulary) -> PhaseReading:
    """What descriptions, contrast elements and timing of a series say together."""
    if series.modality not in MODALITIES or not series.images:
        return NOTHING
    hints = [*_described(series, vocabulary), *_contrast_elements(series)]
    without = [hint for hint in hints if hint.phase is Phase.NONE]
    with_agent = [hint for hint in hints if hint.phase is not Phase.NONE]
    for_none, for_agent = (strength(hint.weight for hint in some) for some in (without, with_agent))
    if not hints or for_none == for_agent:
        return NOTHING
    disagreeing = _disagreement(with_agent, without)
    if for_none > for_agent:
        return PhaseReading(Phase.NONE, confidence(for_none, for_agent), disagreeing)
    return PhaseReading(_when(with_agent), confidence(for_agent, for_none), disagreeing)


def _disagreement(with_agent: list[_Hint], without: list[_Hint]) -> tuple[str, str] | None:
    """Two places that can't both be right. An examination with an agent may well hold a series without one."""
    of_series = [hint for hint in with_agent if hint.place not in _OF_STUDY]
    if not of_series or not without:
        return None
    first, second = (max(some, key=lambda hint: hint.weight) for some in (of_series, without))
    return (first.place, second.place) if min(first.weight, second.weight) >= _WORTH_TELLING else None


def _when(hints: list[_Hint]) -> Phase:
    """How far the agent had come, where the hints that say so agree."""
    support = {
        phase: strength(hint.weight for hint in hints if hint.phase is phase)
        for phase in (Phase.ARTERIAL, Phase.VENOUS, Phase.DELAYED)
    }
    ordered = sorted(support, key=lambda phase: -support[phase])
    return ordered[0] if support[ordered[0]] > support[ordered[1]] else Phase.ENHANCED


def _described(series: Series, vocabulary: Vocabulary) -> list[_Hint]:
    attributes = series.first.original_attributes
    hints = []
    for text in texts_of(attributes, "SeriesDescription"):
        hints += _hints("SeriesDescription", vocabulary.meanings(text), _DESCRIPTION)
        if series.modality == "CT":
            hints += [_Hint("SeriesDescription", phase, _DESCRIPTION) for phase in _phases_of_delay(text)]
    for keyword, weight in _OF_STUDY.items():
        named = {meaning for text in texts_of(attributes, keyword) for meaning in vocabulary.meanings(text)}
        hints += _hints(keyword, frozenset(named), weight)
    return hints


def _hints(place: str, meanings: frozenset[str], weight: float) -> list[_Hint]:
    phases = {Phase(meaning) for meaning in meanings if meaning != _MIXED}
    if _MIXED in meanings or (Phase.NONE in phases and len(phases) > 1):
        return []
    if len(phases) > 1:  # "arterial and venous": an agent for sure, and no single time
        phases = {Phase.ENHANCED}
    return [_Hint(place, phase, weight) for phase in phases]


def _phases_of_delay(original_text: str) -> set[Phase]:
    """The phase that a delay in a description means: "90 sec"."""
    found = set()
    for number, unit in _DELAY.findall(original_text):
        seconds = float(number.replace(",", ".")) * (60 if unit.lower().startswith("m") else 1)
        found |= {phase for low, high, phase in _SECONDS if low <= seconds <= high}
    return found if len(found) == 1 else set()


def _contrast_elements(series: Series) -> list[_Hint]:
    attributes = series.first.original_attributes
    hints = []
    agents = [
        text
        for keyword in ("ContrastBolusAgent", "ContrastBolusAgentSequence", "ContrastBolusIngredient")
        for text in texts_of(attributes, keyword)
    ]
    route = " ".join(texts_of(attributes, "ContrastBolusRoute"))
    if any(_is_intravenous(agent, route) for agent in agents):
        hints.append(_Hint("ContrastBolusAgent", Phase.ENHANCED, _AGENT))
        volume = texts_of(attributes, "ContrastBolusVolume")
        if volume and _is_positive(volume[0]):
            hints.append(_Hint("ContrastBolusVolume", Phase.ENHANCED, _VOLUME))
        hints += _timing(series)
    return hints


def _is_intravenous(agent: str, route: str) -> bool:
    if agent.strip().casefold() in _NO_AGENT:
        return False
    told = f"{agent} {route}"
    return not _NOT_INTRAVENOUS.search(told) or bool(_INTRAVENOUS.search(told))


def _is_positive(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False


def _timing(series: Series) -> list[_Hint]:
    """The phase by the time between the injection's start and the first image."""
    start = next(iter(texts_of(series.first.original_attributes, "ContrastBolusStartTime")), "")
    began = _TIME.fullmatch(start.strip())
    acquired = min((image.acquired_s for image in series.images if image.acquired_s is not None), default=None)
    if began is None or acquired is None or series.modality != "CT":
        return []
    passed = acquired - (int(began[1]) * 3600 + int(began[2]) * 60 + int(began[3]) + float(began[4] or 0))
    if -3600 < passed < 0:  # taken before the injection
        return [_Hint("ContrastBolusStartTime", Phase.NONE, _TIMING)]
    return [_Hint("ContrastBolusStartTime", phase, _TIMING) for low, high, phase in _SECONDS if low <= passed <= high]


def is_with_and_without(series: Series, vocabulary: Vocabulary) -> bool:
    """Whether the study as a whole was taken before and after an agent, by its descriptions."""
    attributes = series.first.original_attributes
    return any(_MIXED in vocabulary.meanings(text) for keyword in _OF_STUDY for text in texts_of(attributes, keyword))


def first_without_agent() -> PhaseReading:
    """What is said of the first series of a study with and without, where nothing else speaks."""
    return PhaseReading(Phase.NONE, _FIRST_OF_STUDY)
