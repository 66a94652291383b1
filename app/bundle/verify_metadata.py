"""Whether what a part says about itself is true: series table, sign-off, dataset card, Croissant, approved texts.

Each function takes one file, and what was found in the part for it to be held against.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from app.bundle.verify_findings import Fault
from app.bundle.verify_text import IdentifierSearch
from app.bundle.verify_values import TableFormError, read_table

_CARD = "metadata/dataset-card.json"
_CROISSANT = "croissant.json"
_SERIES = "metadata/series.csv"
_SERIES_COLUMNS = ["patient", "study_uid", "series_uid", "modality", "body_part", "description", "instances"]
_SIGN_OFF = "metadata/signoff.json"
_SIGNED = (("values", "values.csv"), ("rules", "rules.csv"), ("protocol", "protocol.toml"))  # keys, files
_DESCRIBED_TABLES = (_SERIES, "metadata/instances.csv")

SeriesKey = tuple[str, str, str]
"""Patient code, Study and Series Instance UID."""


@dataclass(slots=True)
class SeriesContent:
    """What the instances of one series say of it."""

    modalities: set[str] = field(default_factory=set)
    body_parts: set[str] = field(default_factory=set)
    descriptions: set[str] = field(default_factory=set)
    instances: int = 0


@dataclass(frozen=True, slots=True)
class SignOff:
    """What metadata/signoff.json says; ``digests`` of what was signed, by name, whatever stands there."""

    unattended: bool
    digests: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class PartFacts:
    """What the dataset card has to repeat; ``payload_bytes`` of all instances."""

    group: str
    number: int
    count: int
    unattended: bool
    instances: int
    payload_bytes: int
    series: int


def series_faults(content: bytes, found: Mapping[SeriesKey, SeriesContent]) -> Iterator[Fault]:
    """A row for each series that is there, and nothing in it that no instance of the series says."""
    try:
        rows = read_table(content, _SERIES_COLUMNS, "bad-series-table")
    except TableFormError as error:
        yield error.code, _SERIES
        return
    keys = [(row[0], row[1], row[2]) for row in rows]
    if keys != sorted(found):
        yield "series-table-differs", _SERIES
        return
    for key, (*_, modality, body_part, description, instances) in zip(keys, rows, strict=True):
        series = found[key]
        is_same = modality in series.modalities and body_part in series.body_parts
        if not is_same or description not in series.descriptions or instances != str(series.instances):
            yield "series-table-differs", _SERIES


def read_sign_off(content: bytes) -> SignOff | None:
    """None where it is no JSON object, or does not say whether anybody signed."""
    sign_off = _parse_json(content) or {}
    unattended = sign_off.get("unattended")
    if not isinstance(unattended, bool):
        return None
    return SignOff(unattended, {f"metadata/{file}": sign_off.get(f"{key}_sha256") for key, file in _SIGNED})


def sign_off_faults(sign_off: SignOff | None, digests: Mapping[str, str]) -> Iterator[Fault]:
    """What was signed is what is here; ``digests`` of the files that are here."""
    if sign_off is None:
        yield "bad-sign-off", _SIGN_OFF
        return
    for name, digest in sign_off.digests.items():
        if digest != digests.get(name):
            yield "sign-off-differs", name


def card_faults(content: bytes, facts: PartFacts) -> Iterator[Fault]:
    """The dataset card counts what is there, and is of this part."""
    card = _parse_json(content) or {}
    contents, review, bundle = (card.get(key) for key in ("contents", "review", "bundle"))
    if not isinstance(contents, dict) or not isinstance(review, dict) or not isinstance(bundle, dict):
        yield "bad-dataset-card", _CARD
        return
    counted = (contents.get("instances"), contents.get("bytes"), contents.get("series"))
    told = (bundle.get("group"), bundle.get("part"), bundle.get("parts"), review.get("unattended"))
    if counted != (facts.instances, facts.payload_bytes, facts.series) or told != (
        facts.group,
        facts.number,
        facts.count,
        facts.unattended,
    ):
        yield "dataset-card-differs", _CARD


def croissant_faults(content: bytes, digests: Mapping[str, str]) -> Iterator[Fault]:
    """It is JSON, and the tables that it names are the ones that are here."""
    distribution = (_parse_json(content) or {}).get("distribution")
    files = [one for one in distribution if isinstance(one, dict)] if isinstance(distribution, list) else []
    named = [(one.get("contentUrl"), one.get("sha256")) for one in files if one.get("@type") == "cr:FileObject"]
    wanted = [(name, digests.get(name)) for name in _DESCRIBED_TABLES]
    if len(named) != len(wanted) or not all(one in named for one in wanted):
        yield "croissant-differs", _CROISSANT


def approved_text_faults(texts: Iterable[str], identifiers: Mapping[str, Collection[str]] | None) -> Iterator[Fault]:
    """values.csv is about everybody: nothing in it says whose text a text is. ``identifiers``: original ones."""
    if identifiers is None:
        return
    search = IdentifierSearch.of_anybody(one for of_patient in identifiers.values() for one in of_patient)
    if any(search.is_in(text) for text in texts):
        yield "original-identifier", "metadata/values.csv"


def _parse_json(content: bytes) -> dict[str, object] | None:
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None
