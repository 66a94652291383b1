"""Evidence from several places, weighed: how sure a reading is when some agree and some contradict."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one place names, and how far it is trusted, from 0 to 1; ``of_series`` False: it is of the whole study."""

    place: str  # a keyword of DICOM
    meanings: frozenset[str]
    weight: float
    of_series: bool = True


def strength(weights: Iterable[float]) -> float:
    """How sure independent hints make together: one that is trusted half leaves half of the doubt."""
    return 1 - prod(1 - weight for weight in weights)


def confidence(support: float, contradiction: float) -> float:
    """What is left of the support where something speaks against it, rounded to what the weights can carry."""
    return round(support * (1 - contradiction / 2), 2)
