"""Puts tokens into a dataset: by Table E.1-1, by VR, nested, in private blocks."""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydicom import config
from pydicom import uid as uids
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from app.files.resources import resource_path
from tests.canaries.mint import Mint

# Numbers and ages that the default protocol keeps: they say little alone, and carry plausible values here.
KEPT_CHARACTERISTICS: Mapping[str, Any] = {
    "PatientAge": "057Y",
    "PatientSize": "1.73",
    "PatientWeight": "71.5",
    "PregnancyStatus": 4,
}

# Their mere presence is a reason to hold an object back, so they get an instance of their own.
HELD_BACK_BY = frozenset(("EncryptedAttributesSequence", "EncryptedContent", "PatientIdentityRemoved"))

# One attribute for each VR, outside the table where there is one; numbers that no image analysis needs.
ONE_OF_EACH_VR: Mapping[str, str] = {
    "AE": "StationAETitle",
    "CS": "BodyPartExamined",
    "DA": "StudyVerifiedDate",
    "DS": "Illumination",
    "DT": "DateTime",
    "IS": "NumberOfStudyRelatedInstances",
    "LO": "CodeMeaning",
    "LT": "ImageComments",
    "OB": "Signature",
    "PN": "PersonName",
    "SH": "CodeValue",
    "ST": "DerivationDescription",
    "TM": "StudyVerifiedTime",
    "UC": "LongCodeValue",
    "UI": "ReferencedSOPInstanceUID",
    "UR": "URNCodeValue",
    "UT": "TextValue",
}

# Sequences four deep: chains that images keep, and one that the profile removes.
CHAINS = (
    (
        "SourceImageSequence",
        "PurposeOfReferenceCodeSequence",
        "EquivalentCodeSequence",
        "EquivalentCodeSequence",
    ),
    (
        "RequestAttributesSequence",
        "ScheduledProtocolCodeSequence",
        "ProtocolContextSequence",
        "ConceptCodeSequence",
    ),
    (
        "OriginalAttributesSequence",
        "ModifiedAttributesSequence",
        "ReferencedStudySequence",
        "ContentSequence",
    ),
)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A row of Table E.1-1."""

    tag: int
    vr: str
    name: str


def profile_attributes() -> list[Attribute]:
    """Table E.1-1 as the program ships it, without the rows of repeating groups and private elements."""
    attributes = []
    with resource_path("standard/profile_e1_1.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            digits = re.sub(r"[^0-9A-Fa-f]", "", row["tag"])
            if len(digits) == 8:
                # Attributes newer than pydicom's dictionary have no VR there; any text will do.
                vr = row["vr"].split(" or ")[0] or "LO"
                attributes.append(Attribute(int(digits, 16), vr, row["keyword"] or row["tag"]))
    return attributes


def add(dataset: Dataset, tag: int, vr: str, value: Any) -> None:
    """Add an element as it is, without pydicom's opinion of its value."""
    # Not every token is what its VR or attribute promises; nor is every value in a hospital.
    dataset[Tag(tag)] = DataElement(Tag(tag), vr, value, validation_mode=config.IGNORE)


def plant(dataset: Dataset, tag: int, vr: str, place: str, mint: Mint) -> None:
    """Put a token into an attribute, or a sequence with one item of tokens."""
    if vr == "SQ":
        item = Dataset()
        for keyword in ("PersonName", "CodeMeaning", "CodeValue", "TextValue", "ReferencedSOPInstanceUID"):
            plant_keyword(item, keyword, f"{place} item", mint)
        add(dataset, tag, "SQ", [item])
        return
    value = mint.value(vr, place)
    if value is not None:
        add(dataset, tag, vr, value)


def plant_keyword(dataset: Dataset, keyword: str, place: str, mint: Mint) -> None:
    """Put a token into the attribute of ``keyword``."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    plant(dataset, tag, dictionary_VR(tag), f"{place}.{keyword}", mint)


def plant_table(dataset: Dataset, place: str, mint: Mint) -> None:
    """Every attribute of the table; whole image objects stay whole."""
    for attribute in profile_attributes():
        if attribute.name in HELD_BACK_BY or attribute.tag >> 16 in (0x0000, 0x0002):
            continue
        if attribute.name in KEPT_CHARACTERISTICS:
            add(dataset, attribute.tag, attribute.vr, KEPT_CHARACTERISTICS[attribute.name])
        else:
            plant(dataset, attribute.tag, attribute.vr, f"{place}.{attribute.name}", mint)


def plant_each_vr(dataset: Dataset, place: str, mint: Mint) -> None:
    """A token of each VR."""
    for keyword in ONE_OF_EACH_VR.values():
        plant_keyword(dataset, keyword, place, mint)
    # A standard attribute that a gateway, which did not know it, wrote as UN.
    add(dataset, 0x00321033, "UN", mint.value("UN", f"{place}.RequestingService as UN"))


def plant_chains(dataset: Dataset, place: str, mint: Mint) -> None:
    """A token of each VR and private blocks at every depth of ``CHAINS``."""
    for chain in CHAINS:
        holder, path = dataset, place
        for keyword in chain:
            path = f"{path}.{keyword}"
            item = Dataset()
            # Enough of an item for it to be kept, were it not for the tokens.
            item.ReferencedSOPClassUID, item.CodingSchemeDesignator = uids.CTImageStorage, "DCM"
            plant_each_vr(item, path, mint)
            plant_private(item, path, mint)
            setattr(holder, keyword, [item])
            holder = item


def plant_private(dataset: Dataset, place: str, mint: Mint) -> None:
    """Blocks of known, unknown and telling creators, with elements of all VRs; and one without a creator."""
    creators = {
        0x0009: "GEMS_IDEN_01",
        0x0019: "SIEMENS MR HEADER",
        0x0029: "SIEMENS CSA HEADER",
        0x00E1: "ELSCINT1",
        0x2001: "Philips Imaging DD 001",
        0x0031: "ACME IMAGING 1.0",
        0x0033: mint.text(f"{place} private creator"),
    }
    for group, creator in creators.items():
        block = dataset.private_block(group, creator, create=True)
        where = f"{place} ({group:04X}) {'creator with token' if group == 0x0033 else creator}"
        for offset, vr in enumerate(("LO", "SH", "PN", "LT", "OB", "UN", "UI", "DA", "DS", "IS", "CS", "UT"), start=1):
            if vr == "DA" and group != 0x0009:
                continue  # dates are scarce
            block.add_new(offset, vr, mint.value(vr, f"{where} {vr}"))
        item = Dataset()
        plant_keyword(item, "PatientName", f"{where} SQ", mint)
        block.add_new(0x60, "SQ", [item])
    # Safe attributes of Table E.3.10-1 that are not what the table promises.
    dataset.private_block(0x00E1, "ELSCINT1").add_new(0x21, "LO", mint.text(f"{place} safe private DLP"))
    add(dataset, 0x00351001, "LO", mint.text(f"{place} private without creator"))
