"""Facts that no single attribute says, derived for a series or an instance."""

import itertools
import statistics
from collections.abc import Iterable, Mapping, Sequence

from app.dicom.sopclasses import object_kind

SERIES_FACTS = ("SliceSpacing", "InstanceCount", "HasContrast")
# A series may mix kinds of objects, so this one is of the instance, and not stored with the series.
INSTANCE_FACTS = ("ObjectKind",)
DERIVED_FACTS = frozenset({*SERIES_FACTS, *INSTANCE_FACTS})

# Positions come from decimal text and a projection: closer than this is the same slice.
POSITION_DECIMALS = 3
# What technologists and protocols write into Contrast/Bolus Agent (0018,0010) when none was given.
_NO_AGENT = frozenset({"", "0", "NO", "NONE", "N", "NEIN", "NO CONTRAST", "NON", "WITHOUT", "WITHOUT CONTRAST", "W/O"})


def series_facts(
    positions_mm: Iterable[float], instances: int, contrast_agents: Iterable[object]
) -> dict[str, float | int | bool]:
    """The facts of a series that can be derived.

    ``positions_mm`` are the slice positions that are known, ``contrast_agents`` the values of Contrast/Bolus
    Agent of its attribute sets, None where the attribute is missing.
    """
    facts: dict[str, float | int | bool] = {
        "InstanceCount": instances,
        "HasContrast": any(_names_agent(agent) for agent in contrast_agents),
    }
    spacing = slice_spacing_mm(positions_mm)
    if spacing is not None:
        facts["SliceSpacing"] = spacing
    return facts


def slice_spacing_mm(positions_mm: Iterable[float]) -> float | None:
    """The median distance of neighbouring slices; None for fewer than two positions.

    The median, because a missing or an extra slice must not change what the scanner was set to. Phases of a
    dynamic series share their positions and count once.
    """
    unique = sorted({round(position, POSITION_DECIMALS) for position in positions_mm})
    if len(unique) < 2:
        return None
    distances = [high - low for low, high in itertools.pairwise(unique)]
    return round(statistics.median(distances), POSITION_DECIMALS)


def _names_agent(value: object) -> bool:
    values: Sequence[object] = value if isinstance(value, list) else [value]
    return any(isinstance(agent, str) and agent.strip().upper() not in _NO_AGENT for agent in values)


def instance_facts(of_series: Mapping[str, object], sop_class_uid: str) -> dict[str, object]:
    """All facts of an instance: those of its series, and its own."""
    return {**of_series, "ObjectKind": object_kind(sop_class_uid).value}
