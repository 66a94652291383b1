"""What was found in the data set as a whole, as sentences: for the window, the command line and the report."""

from collections.abc import Mapping
from typing import Any

from app.dataset.leakage import IMAGES, ORDER, SERIES, SIZE
from app.dicom.dictionary import name_of, tag_of
from app.project.dataset import Finding, FindingAction, FindingKind
from app.project.defacings import Defacing
from app.text.i18n import Translate, mark

TITLES: Mapping[FindingKind, str] = {
    FindingKind.PATIENT_OVERLAP: mark("Patient in two groups"),
    FindingKind.TARGET_LEAKAGE: mark("An attribute tells the label"),
    FindingKind.SMALL_GROUPS: mark("Small groups"),
    FindingKind.FACE: mark("Recognizable face"),
    FindingKind.RARE_VALUES: mark("Rare values"),
}
# Why it matters, in one sentence.
WHY: Mapping[FindingKind, str] = {
    FindingKind.PATIENT_OVERLAP: mark("Whoever trains on one group and tests on the other has seen this patient."),
    FindingKind.TARGET_LEAKAGE: mark("A model can learn this attribute instead of what the images show."),
    FindingKind.SMALL_GROUPS: mark("Who knows these facts of a person can find them in a small group."),
    FindingKind.FACE: mark("A face drawn from such images can be recognized."),
    FindingKind.RARE_VALUES: mark("Who knows a rare fact of a person can find them by it."),
}
ACTIONS: Mapping[FindingAction, str] = {
    FindingAction.KEEP: mark("Keep"),
    FindingAction.EXCLUDE: mark("Leave out"),
    FindingAction.DEFACE: mark("Remove the face"),
}
_SENTENCES: Mapping[FindingKind, str] = {
    FindingKind.PATIENT_OVERLAP: mark("Patient {patient} has studies in more than one group: {groups}."),
    FindingKind.TARGET_LEAKAGE: mark(
        "{attribute} alone tells {label} with a balanced accuracy of {accuracy} (chance {chance}, best of shuffled "
        "labels {shuffled}; patients: {patients})."
    ),
    FindingKind.SMALL_GROUPS: mark(
        "Patients who share {attributes} with fewer than {k}: {below} of {patients}; size of the smallest group: "
        "{smallest}."
    ),
    FindingKind.FACE: mark("{modality}, {slices} slices {step} mm apart over {extent} mm: {reason}."),
    FindingKind.RARE_VALUES: mark("{attribute}, values of fewer than {limit} patients: {count}, such as {values}."),
}
_SMALLEST = mark("Patients in the smallest group that shares {attributes}: {smallest} of {patients}.")
_NO_QUASI_IDENTIFIER = mark("No attribute that tells patients apart leaves (patients: {patients}).")
_IN_STEPS = mark(
    "With {names} told in steps, patients in groups below {k}: {below}; size of the smallest group: {smallest}."
)
_REASONS: Mapping[str, str] = {
    "head": mark("{keywords} names the head"),
    "head-size": mark("nothing says what is shown, and it has the size of a head"),
    "whole-body": mark("long enough to reach the head"),
}
DEFACING_FAILURES: Mapping[str, str] = {
    "no-head": mark("no head was found in the volume"),
    "no-brain": mark("the brain can't be told from the rest, so it could not be spared"),
    "face-not-changed": mark("too little of the face would change"),
    "not-plain-slices": mark("the series is not made of plain grey slices, one a file"),
    "not-axial": mark("the slices are not axial, or not all alike"),
    "slices-missing": mark("slices are missing, or not evenly spaced"),
    "not-ct-or-mr": mark("it is neither CT nor MR"),
    "no-geometry": mark("the files do not say where the slices lie"),
    "too-large": mark("the volume is too large"),
    "not-readable": mark("a file of it can't be read"),
}
_DEFACED = mark("The face was taken out: {share} of its skin moved by more than a millimetre; the brain is untouched.")
_NOT_DEFACED = mark("The face can't be taken out: {reason}. The series stays here; keep it or leave it out.")
_NOT_TRIED = mark("The face was not taken out yet; until then the series stays here.")
# What is no attribute and still can tell a label, by the names of ``app.dataset.leakage``.
_FIGURES: Mapping[str, str] = {
    ORDER: mark("order in the bundle"),
    SIZE: mark("size in bytes"),
    IMAGES: mark("number of images"),
    SERIES: mark("number of series"),
}
_BODY_PART = "BodyPart"  # what the checks of the series made of all evidence


def defacing_sentence(defacing: Defacing | None, translate: Translate = str) -> str:
    """What came of taking a face out; None where it was not tried."""
    if defacing is None:
        return translate(_NOT_TRIED)
    if defacing.failure is not None:
        return translate(_NOT_DEFACED).format(reason=translate(DEFACING_FAILURES[defacing.failure]))
    return translate(_DEFACED).format(share=_percent(defacing.surface_changed))


def finding_sentences(finding: Finding, translate: Translate = str) -> list[str]:
    """What was found, in one or two sentences; released values and figures only."""
    details = finding.details
    match finding.kind:
        case FindingKind.PATIENT_OVERLAP:
            groups = ", ".join(f"{group} ({count})" for group, count in details["groups"].items())
            fields: dict[str, Any] = {"patient": details["patient"], "groups": groups}
        case FindingKind.TARGET_LEAKAGE:
            fields = {
                "attribute": attribute_name(finding.original_key, translate),
                "label": details["label"],
                "patients": details["patients"],
                **{name: _percent(details[name]) for name in ("accuracy", "chance", "shuffled")},
            }
        case FindingKind.SMALL_GROUPS:
            return _small_groups(details, translate)
        case FindingKind.FACE:
            fields = {
                "modality": details["modality"],
                "slices": details["slices"],
                "step": f"{details['step_mm']:g}",
                "extent": f"{details['extent_mm']:.0f}",
                "reason": _reason(details, translate),
            }
        case FindingKind.RARE_VALUES:
            values = ", ".join(list(details["values"])[:5])
            name = attribute_name(finding.original_key, translate)
            fields = {"attribute": name, "count": details["count"], "limit": details["limit"], "values": values}
    return [translate(_SENTENCES[finding.kind]).format(**fields)]


def _small_groups(details: Mapping[str, Any], translate: Translate) -> list[str]:
    names = _names(details["attributes"], translate)
    if not details["attributes"]:
        return [translate(_NO_QUASI_IDENTIFIER).format(patients=details["patients"])]
    template = _SENTENCES[FindingKind.SMALL_GROUPS] if details["below"] else _SMALLEST
    sentences = [translate(template).format(**{**details, "attributes": names})]
    if details["below"] and details["in_steps"]:
        sentences.append(
            translate(_IN_STEPS).format(
                names=_names(details["in_steps"], translate),
                below=details["below_in_steps"],
                smallest=details["smallest_in_steps"],
                k=details["k"],
            )
        )
    return sentences


def _reason(details: Mapping[str, Any], translate: Translate) -> str:
    keywords = ", ".join(
        translate(mark("the check of the series")) if keyword == _BODY_PART else attribute_name(keyword, translate)
        for keyword in details["said_by"]
    )
    return translate(_REASONS[details["reason"]]).format(keywords=keywords)


def _names(keywords: list[str], translate: Translate) -> str:
    return ", ".join(attribute_name(keyword, translate) for keyword in keywords)


def attribute_name(path: str, translate: Translate = str) -> str:
    """The standard's name of an attribute; a figure of a study, such as its size, in its own words."""
    tag = tag_of(path)
    return name_of(tag) if tag is not None else translate(_FIGURES.get(path, path))


def _percent(share: float) -> str:
    return f"{share * 100:.0f} %"
