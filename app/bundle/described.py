"""What a data set is described by, so that it can be found and judged without opening it.

The items are those that Kohli, Summers and Geis ask of a catalogue ("Medical image data and datasets in the era of
machine learning", J Digit Imaging 2017;30:392-399): image types, counts, sources, acquisition and storage parameters,
annotations, ground truth, demographics, date range, owner, responsible person, allowed use, access, case mix. With them
go the items of the FAIR principles that a file can carry: identifiers, licence, provenance, vocabularies. What people
know stands in the protocol's table ``[dataset]``; everything else is counted from the approved values.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from app.bundle.release import ValueRow
from app.dicom.profile import DatePreset

IMAGE_TYPES = ("ImageType", "Modality", "BodyPartExamined", "ViewPosition", "Laterality")
SOURCES = ("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "InstitutionName")
ACQUISITION = (
    "KVP XRayTubeCurrent Exposure ExposureTime ConvolutionKernel SpiralPitchFactor CTDIvol MagneticFieldStrength "
    "ScanningSequence SequenceVariant MRAcquisitionType RepetitionTime EchoTime InversionTime FlipAngle "
    "ContrastBolusAgent ContrastBolusRoute SliceThickness SpacingBetweenSlices PixelSpacing ImagerPixelSpacing "
    "ReconstructionDiameter GantryDetectorTilt PatientPosition Units TransducerFrequency FrameTime"
).split()
STORAGE = (
    "Rows Columns NumberOfFrames BitsAllocated BitsStored PixelRepresentation SamplesPerPixel "
    "PhotometricInterpretation LossyImageCompression LossyImageCompressionMethod LossyImageCompressionRatio"
).split()
DEMOGRAPHICS = ("PatientSex", "PatientAge", "PatientSize", "PatientWeight", "EthnicGroup")
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate")
VOCABULARIES = (
    "attributes: DICOM PS3.6 keywords",
    "object classes and transfer syntaxes: DICOM UIDs, PS3.6 Annex A",
    "methods of de-identification: DICOM PS3.16 CID 7050",
    "packaging: BagIt 1.0, RFC 8493",
    "description: MLCommons Croissant 1.0 (croissant.json)",
)
DATE_NOTES = {
    DatePreset.SHIFTED: "each patient's dates are shifted by a number of days of their own; intervals are true",
    DatePreset.YEAR_ONLY: "of each date the year alone is true",
}
NONE, NOT_TOLD, RANGE = "none", "not told", "{low} to {high}"
_MOST_VALUES = 20


def describe_values(rows: Iterable[ValueRow], date_preset: str) -> dict[str, Any]:
    """What the approved values say about the release as a whole, by item; the same for every part, as values.csv is.

    Texts with the number of images (of patients, for demographics) that have them, numbers and dates as a range.
    """
    by_path: dict[str, list[ValueRow]] = {}
    for row in rows:
        by_path.setdefault(row.path, []).append(row)

    def told(keywords: Iterable[str], *, by_patient: bool = False) -> dict[str, Any]:
        return {
            keyword: _summary(by_path[keyword], by_patient=by_patient) for keyword in keywords if keyword in by_path
        }

    return {
        "image_types": told(IMAGE_TYPES),
        "sources": told(SOURCES),
        "acquisition_parameters": told(ACQUISITION),
        "storage_parameters": told(STORAGE),
        "demographics": told(DEMOGRAPHICS, by_patient=True),
        "date_range": {**told(DATES), "note": DATE_NOTES.get(DatePreset(date_preset), "")},
    }


def _summary(rows: list[ValueRow], *, by_patient: bool) -> dict[str, Any]:
    summary: dict[str, Any] = {}
    texts = {row.value: row.patients if by_patient else row.instances for row in rows if not row.fold and row.value}
    if texts:
        most = sorted(texts.items(), key=lambda item: (-item[1], item[0]))
        summary["patients" if by_patient else "images"] = dict(most[:_MOST_VALUES])
        if len(most) > _MOST_VALUES:
            summary["further_values"] = len(most) - _MOST_VALUES
    ranges = [row for row in rows if row.fold in ("number", "date", "time") and row.low and row.high]
    if ranges:
        measure = float if all(row.fold == "number" for row in ranges) else str
        summary["lowest"] = min((row.low for row in ranges), key=measure)
        summary["highest"] = max((row.high for row in ranges), key=measure)
    return summary


def description_lines(
    description: Mapping[str, Any], translate: Callable[[str], str] = str
) -> tuple[tuple[str, str], ...]:
    """The description as lines of name and text, for people; what nobody told is said to be missing.

    ``translate`` is for NONE, NOT_TOLD and RANGE.
    """
    told: list[tuple[str, str]] = []
    for item, content in description.items():
        name = item.replace("_", " ").capitalize()
        if isinstance(content, Mapping):
            inner = "; ".join(filter(None, (_inner(key, value, translate) for key, value in content.items())))
            told.append((name, inner or translate(NONE)))
        elif isinstance(content, list | tuple):
            told.append((name, "; ".join(map(str, content)) or translate(NONE)))
        else:
            told.append((name, str(content) if content else translate(NOT_TOLD)))
    return tuple(told)


def _inner(key: str, value: Any, translate: Callable[[str], str]) -> str:
    if not isinstance(value, Mapping):
        return f"{key}: {value}" if value not in ("", None) else ""
    counts = value.get("patients") or value.get("images") or {}
    texts = [f"{text} ({count})" for text, count in list(counts.items())[:10]]
    if "lowest" in value:
        low, high = value["lowest"], value["highest"]
        texts.append(str(low) if low == high else translate(RANGE).format(low=low, high=high))
    if not texts and "lowest" not in value:
        texts = [f"{name} ({count})" for name, count in value.items()]
    return f"{key}: {', '.join(texts)}"
