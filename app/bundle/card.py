"""metadata/dataset-card.json: what a part holds and how it was de-identified, for a machine or a curious
reader. What describes the data set for a catalogue is ``bundle.described``'s.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app import __version__
from app.bundle.sign_off import SignOffRecord
from app.bundle.tables import encode_json

STANDARD = "DICOM PS3.15 2026c, Basic Application Level Confidentiality Profile over an allow-list"


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is the same on the cards of all parts; no figure of the whole release, which would tie parts
    together.
    """

    group: str
    part_count: int
    site_id: str
    protocol_id: str
    protocol_title: str
    protocol_contact: str
    protocol_sha256: str
    method_codes: tuple[tuple[str, str], ...]
    date_preset: str
    sign_off: SignOffRecord
    # What a catalogue asks for, by item (``bundle.described``): of the whole release, like values.csv.
    description: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Contents:
    """What a part turned out to hold, counted while it is written.

    Studies and series are told apart by patient too: a patient whose ID was spelt in two ways has two codes.
    """

    patients: set[str] = field(default_factory=set)
    studies: set[tuple[str, ...]] = field(default_factory=set)
    series: set[tuple[str, ...]] = field(default_factory=set)
    instances: int = 0
    size: int = 0
    modalities: Counter[str] = field(default_factory=Counter)
    sop_classes: Counter[str] = field(default_factory=Counter)
    transfer_syntaxes: Counter[str] = field(default_factory=Counter)


def abstract_of(facts: CardFacts, contents: Contents) -> str:
    """What a part is, in two sentences."""
    modalities = ", ".join(sorted(filter(None, contents.modalities))) or "no images"
    return (
        f"{facts.protocol_title}: {contents.instances} de-identified DICOM objects ({modalities}) of "
        f"{len(contents.patients)} patients from site {facts.site_id}. De-identified by {STANDARD}."
    )


def encode_card(facts: CardFacts, number: int, contents: Contents) -> bytes:
    """The card of part ``number``."""
    card: Mapping[str, object] = {
        "software": f"Consign {__version__}",
        "bundle": {"group": facts.group, "part": number, "parts": facts.part_count, "site": facts.site_id},
        "protocol": {
            "id": facts.protocol_id,
            "title": facts.protocol_title,
            "contact": facts.protocol_contact,
            "sha256": facts.protocol_sha256,
        },
        "contents": {
            "patients": len(contents.patients),
            "studies": len(contents.studies),
            "series": len(contents.series),
            "instances": contents.instances,
            "bytes": contents.size,
            "instances_by_modality": dict(contents.modalities),
            "instances_by_sop_class": dict(contents.sop_classes),
            "instances_by_transfer_syntax": dict(contents.transfer_syntaxes),
        },
        "de_identification": {
            "standard": STANDARD,
            "method_codes": [{"code": code, "meaning": meaning} for code, meaning in facts.method_codes],
            "dates": facts.date_preset,
        },
        "review": {
            "unattended": facts.sign_off.unattended,
            "statement": facts.sign_off.statement,
            "roles": [signature.role for signature in facts.sign_off.signatures],
        },
        "description": dict(facts.description),
    }
    return encode_json(card)
