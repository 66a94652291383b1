"""What is kept of each kind of object under the protocol that ships: a table from the rules, for organisers.

``python -m tests.kept_attributes`` writes it to resources/help; a test holds it to the rules, and another one releases
files and looks whether they keep what it promises.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import assert_never

from pydicom import uid as uids

from app.deid.rules import RuleTable, compile_rules, requirements_of
from app.dicom.profile import Action
from app.dicom.tagpath import TagPath, format_path
from app.dicom.tokens import dictionary_vr
from app.files.resources import resource_path
from app.protocol.load import load_protocol

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "help"
TABLE, SUMMARY = FOLDER / "kept_attributes.csv", FOLDER / "kept_attributes.md"
COLUMNS = ("attribute", "vr", "what", "area", "objects")
# Specific Character Set is that of what was written anew.
_WRITTEN_ANEW = frozenset((0x00080005,))
# Code value, scheme and long code value: those that the standard and public schemes know, no site's own; and the label
# of a content, which people make up.
_CODES = frozenset((0x00080100, 0x00080102, 0x00080119, 0x00700080))
_PROFILE_AREA = "patient, study, series"

OBJECTS: Mapping[str, str] = {
    "CT": uids.CTImageStorage,
    "CT, enhanced": uids.EnhancedCTImageStorage,
    "MR": uids.MRImageStorage,
    "MR, enhanced": uids.EnhancedMRImageStorage,
    "PET": uids.PositronEmissionTomographyImageStorage,
    "PET, enhanced": uids.EnhancedPETImageStorage,
    "Nuclear medicine": uids.NuclearMedicineImageStorage,
    "Computed radiography": uids.ComputedRadiographyImageStorage,
    "Digital radiography": uids.DigitalXRayImageStorageForPresentation,
    "Mammography": uids.DigitalMammographyXRayImageStorageForPresentation,
    "Breast tomosynthesis": uids.BreastTomosynthesisImageStorage,
    "Angiography": uids.XRayAngiographicImageStorage,
    "Fluoroscopy": uids.XRayRadiofluoroscopicImageStorage,
    "Ultrasound": uids.UltrasoundImageStorage,
    "Ultrasound, several frames": uids.UltrasoundMultiFrameImageStorage,
    "Secondary capture": uids.SecondaryCaptureImageStorage,
    "Whole slide": uids.VLWholeSlideMicroscopyImageStorage,
    "Ophthalmic tomography": uids.OphthalmicTomographyImageStorage,
    "Parametric map": uids.ParametricMapStorage,
    "Segmentation": uids.SegmentationStorage,
    "RT structure set": uids.RTStructureSetStorage,
    "RT plan": uids.RTPlanStorage,
    "RT dose": uids.RTDoseStorage,
    "Registration": uids.SpatialRegistrationStorage,
}


class Fate(StrEnum):
    """What becomes of an attribute, in the words of the table."""

    KEPT = "kept as it is"
    WORDS = "safe words and known codes kept"
    MOVED = "date moved"
    RENAMED = "replaced by a new value"
    CAPPED = "kept in steps or up to a bound"
    GONE = "removed or emptied"


def fate_of_action(action: Action) -> Fate:
    """Closed, so that a new action can't be forgotten."""
    match action:
        case Action.KEEP:
            return Fate.KEPT
        case Action.CLEAN:
            return Fate.WORDS
        case Action.SHIFT:
            return Fate.MOVED
        case Action.UID | Action.PSEUDONYM:
            return Fate.RENAMED
        case Action.CAP_AGE | Action.COARSEN:
            return Fate.CAPPED
        case Action.REMOVE | Action.EMPTY | Action.DUMMY:
            return Fate.GONE
        case _:
            assert_never(action)


@cache
def shipped_rules() -> RuleTable:
    """The rules of the protocol that ships."""
    protocol, _ = load_protocol(resource_path("defaults/protocol.toml"))
    deid = protocol.deidentification
    return compile_rules(deid.options, deid.dates, tuple(sorted(deid.overrides.items())))


@cache
def fate(path: TagPath) -> Fate:
    """What the rules make of an attribute at this place: a sequence that goes takes along what is in it."""
    *sequences, last = path
    for tag in sequences:
        rule = shipped_rules().rule(tag)
        if rule is None or fate_of_action(rule.action) not in (Fate.KEPT, Fate.WORDS):
            return Fate.GONE
    rule = shipped_rules().rule(last)
    if rule is None:
        return Fate.GONE
    if last in _WRITTEN_ANEW:
        return Fate.RENAMED
    if last in _CODES:
        return Fate.WORDS
    if rule.vrs[0] == "SQ" and rule.action is Action.CLEAN:
        return Fate.KEPT  # its items, each by its own rule
    return fate_of_action(rule.action)


@cache
def areas() -> Mapping[int, str]:
    """What the allow-list lets an attribute in for."""
    with resource_path("standard/allow_list.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["tag"], 16): row["why"] for row in csv.DictReader(file)}


def rows() -> Iterator[tuple[str, str, str, str, str]]:
    """The table: all that stays in some form at whatever depth; what is not in it goes.

    ``objects`` are those whose modules ask for the attribute; optional ones have their area alone.
    """
    objects: dict[int, list[str]] = {}
    for name, sop_class_uid in OBJECTS.items():
        for tag in {path[-1] for path in requirements_of(sop_class_uid)}:
            objects.setdefault(tag, []).append(name)
    for tag in sorted(shipped_rules().rules):
        if fate((tag,)) is not Fate.GONE:
            names = objects.get(tag, [])
            told = "all" if len(names) == len(OBJECTS) else "; ".join(names)
            yield format_path((tag,)), dictionary_vr(tag), fate((tag,)), areas().get(tag, _PROFILE_AREA), told


def to_csv() -> str:
    """The table as a file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows())
    return text.getvalue()


def to_markdown() -> str:
    """How much of each object stays, and where the rest of the answer is."""
    lines = [
        "# What is kept",
        "",
        "Under the protocol that ships with Consign. The attributes themselves are in kept_attributes.csv beside this",
        "page, each with what becomes of it, the area that it is let in for, and the objects whose modules ask for it.",
        "Whatever is not in that table is removed or emptied, at every depth; and a value that is not what its",
        "attribute promises goes, too.",
        "",
        "## By object",
        "",
        "Places of attributes of types 1 and 2 in the object's modules (PS3.3), sequences and their items included.",
        "",
        *_table("object", {name: _places(sop_class_uid) for name, sop_class_uid in OBJECTS.items()}),
        "",
        "## By area",
        "",
        "All attributes that may stay, the optional ones included.",
        "",
        *_table("area", _by_area()),
        "",
        "Written by `make tables` from the rules; a test keeps it true.",
        "",
    ]
    return "\n".join(lines)


def _table(first: str, fates: Mapping[str, list[Fate]]) -> Iterator[str]:
    yield f"| {first} | {' | '.join(Fate)} |"
    yield "|---|" + "---:|" * len(Fate)
    for name, found in fates.items():
        yield f"| {name} | {' | '.join(str(found.count(one)) for one in Fate)} |"


def _places(sop_class_uid: str) -> list[Fate]:
    return [fate(path) for path in requirements_of(sop_class_uid)]


def _by_area() -> dict[str, list[Fate]]:
    found: dict[str, list[Fate]] = {}
    for tag in shipped_rules().rules:
        found.setdefault(areas().get(tag, _PROFILE_AREA), []).append(fate((tag,)))
    return dict(sorted(found.items()))


if __name__ == "__main__":
    TABLE.write_text(to_csv(), encoding="utf-8", newline="\n")
    SUMMARY.write_text(to_markdown(), encoding="utf-8", newline="\n")
