"""What a query asks for, as phrases and sentences for people who know medicine and no DICOM keywords."""

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import assert_never

from app.dicom.dictionary import name_of, tag_of
from app.dicom.query import QueryType
from app.dicom.sopclasses import ObjectKind
from app.protocol.predicates import VOCABULARY, AllOf, AnyOf, Comparison, Not, Operator, Orientation, Predicate, Value
from app.selection.filters import keyword_of
from app.text.i18n import Translate, mark

NAMES: Mapping[str, str] = {
    "AccessionNumber": mark("accession number"),
    "BodyPartExamined": mark("body part"),
    "ContrastBolusAgent": mark("contrast agent"),
    "DiffusionBValue": mark("diffusion b-value"),
    "EchoTime": mark("echo time"),
    "HasContrast": mark("contrast agent"),
    "ImageType": mark("image type"),
    "InstanceCount": mark("number of images in the series"),
    "InstitutionName": mark("institution"),
    "MagneticFieldStrength": mark("magnetic field strength"),
    "Manufacturer": mark("manufacturer"),
    "ManufacturerModelName": mark("device model"),
    "Modality": mark("modality"),
    "ObjectKind": mark("the object"),
    "Orientation": mark("orientation of the slices"),
    "PatientAge": mark("age"),
    "PatientID": mark("patient ID"),
    "PatientSex": mark("sex"),
    "PatientSize": mark("height"),
    "PatientWeight": mark("weight"),
    "PixelSpacing": mark("pixel spacing"),
    "ConvolutionKernel": mark("reconstruction kernel"),
    "ProtocolName": mark("name of the scan protocol"),
    "RepetitionTime": mark("repetition time"),
    "SOPClassUID": mark("object class"),
    "SeriesDate": mark("date of the series"),
    "SeriesDescription": mark("series description"),
    "SliceSpacing": mark("distance between slices"),
    "SliceThickness": mark("slice thickness"),
    "SpacingBetweenSlices": mark("spacing between slices"),
    "StudyDate": mark("date of the examination"),
    "StudyDescription": mark("study description"),
}
UNITS: Mapping[str, str] = {
    "EchoTime": mark("ms"),
    "InversionTime": mark("ms"),
    "KVP": mark("kV"),
    "MagneticFieldStrength": mark("T"),
    "PatientAge": mark("years"),
    "PatientSize": mark("m"),
    "PatientWeight": mark("kg"),
    "PixelSpacing": mark("mm"),
    "ReconstructionDiameter": mark("mm"),
    "RepetitionTime": mark("ms"),
    "SliceSpacing": mark("mm"),
    "SliceThickness": mark("mm"),
    "SpacingBetweenSlices": mark("mm"),
}
VALUES: Mapping[tuple[str, str], str] = {
    ("PatientSex", "F"): mark("female"),
    ("PatientSex", "M"): mark("male"),
    ("PatientSex", "O"): mark("other"),
    ("ObjectKind", ObjectKind.IMAGE): mark("an image"),
    ("ObjectKind", ObjectKind.SEGMENTATION): mark("a segmentation"),
    ("ObjectKind", ObjectKind.RT): mark("a radiotherapy object"),
    ("ObjectKind", ObjectKind.REGISTRATION): mark("a registration"),
    ("ObjectKind", ObjectKind.SR): mark("a structured report"),
    ("ObjectKind", ObjectKind.PRESENTATION): mark("a presentation state"),
    ("ObjectKind", ObjectKind.WAVEFORM): mark("a waveform"),
    ("ObjectKind", ObjectKind.DOCUMENT): mark("a document"),
    ("ObjectKind", ObjectKind.OTHER): mark("another kind of object"),
    ("Orientation", Orientation.AXIAL): mark("axial"),
    ("Orientation", Orientation.CORONAL): mark("coronal"),
    ("Orientation", Orientation.SAGITTAL): mark("sagittal"),
    ("Orientation", Orientation.OBLIQUE): mark("oblique"),
}
# Each with its negation: a language may need another order of words there.
_RELATIONS: Mapping[Operator, tuple[str, str]] = {
    Operator.IS: (mark("{name} is {value}"), mark("{name} is not {value}")),
    Operator.IN: (mark("{name} is {value}"), mark("{name} is not {value}")),
    Operator.AT_MOST: (mark("{name} is at most {value}"), mark("{name} is not at most {value}")),
    Operator.AT_LEAST: (mark("{name} is at least {value}"), mark("{name} is not at least {value}")),
    Operator.BELOW: (mark("{name} is below {value}"), mark("{name} is not below {value}")),
    Operator.ABOVE: (mark("{name} is above {value}"), mark("{name} is not above {value}")),
    Operator.BETWEEN: (mark("{name} is from {low} to {value}"), mark("{name} is not from {low} to {value}")),
    Operator.MATCHES: (mark("{name} is like {value}"), mark("{name} is not like {value}")),
    Operator.CONTAINS: (mark("{name} has {value}"), mark("{name} has no {value}")),
    Operator.EXISTS: (mark("{name} is given"), mark("{name} is not given")),
}
_HOLDS_TEXT = (mark("{name} contains {value}"), mark("{name} does not contain {value}"))
_BEGINS = (mark("{name} begins with {value}"), mark("{name} does not begin with {value}"))
_CONTRAST = (mark("a contrast agent was given"), mark("no contrast agent was given"))
_FROM_BELOW = mark("{name} is from {low} to below {value}")
_FROM_TO = mark("{name} is from {low} to {value}")
_ABOVE_TO = mark("{name} is above {low} and at most {value}")
_RANGES: Mapping[tuple[Operator, Operator], str] = {
    (Operator.AT_LEAST, Operator.BELOW): _FROM_BELOW,
    (Operator.AT_LEAST, Operator.AT_MOST): _FROM_TO,
    (Operator.ABOVE, Operator.AT_MOST): _ABOVE_TO,
}
_SEVERAL = mark("{first} or {last}")
_YEAR = re.compile(r"(\d{4})0101")


def name_of_keyword(keyword: str, translate: Translate = str) -> str:
    """What people call an attribute or fact, as within a sentence."""
    if keyword in NAMES:
        return translate(NAMES[keyword])
    tag = tag_of(keyword)
    return keyword if tag is None else name_of(tag)


def query_sentences(predicate: Predicate, translate: Translate = str) -> list[str]:
    """One sentence for each thing that has to hold."""
    parts = predicate.parts if isinstance(predicate, AllOf) else (predicate,)
    return [as_sentence(phrase(part, translate)) for part in parts]


def as_sentence(text: str) -> str:
    """A phrase with a capital at its begin and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def phrase(predicate: Predicate, translate: Translate = str) -> str:
    """What a predicate asks for, as a clause."""
    match predicate:
        case Comparison():
            return _comparison(predicate, translate, holds=True)
        case Not(part=Comparison() as part):
            return _comparison(part, translate, holds=False)
        case Not():
            return translate(mark("it is not so that {clause}")).format(clause=phrase(predicate.part, translate))
        case AllOf():
            return _all(predicate.parts, translate)
        case AnyOf():
            return _any(predicate.parts, translate)
        case _:
            assert_never(predicate)


def _all(parts: Sequence[Predicate], translate: Translate) -> str:
    match parts:
        case [Comparison() as low, Comparison() as high] if (
            low.keyword == high.keyword and (low.operator, high.operator) in _RANGES
        ):
            return _range(low, high, translate)
        case [Comparison(operator=Operator.EXISTS), Not(part=Comparison(operator=Operator.IN)) as rest]:
            return phrase(rest, translate)  # "is none of these" says to a reader that there is one
    conjunction = translate(mark("{first} and {last}"))
    return _joined([_inside(part, translate) for part in parts], conjunction)


def _any(parts: Sequence[Predicate], translate: Translate) -> str:
    same = parts[0]
    if isinstance(same, Comparison) and all(
        isinstance(part, Comparison) and part.operator is Operator.IS and part.keyword == same.keyword for part in parts
    ):
        values = tuple(value for part in parts if isinstance(part, Comparison) for value in part.values)
        return _comparison(Comparison(same.keyword, Operator.IN, values), translate, holds=True)
    # A comma before each: the parts may have an "or" of their own.
    template = translate(mark("{first}, or {last}"))
    return reduce(lambda first, last: template.format(first=first, last=last), (_inside(p, translate) for p in parts))


def _inside(part: Predicate, translate: Translate) -> str:
    """A clause within another one; in parentheses where it would be read wrongly without."""
    text = phrase(part, translate)
    is_plain = not isinstance(part, AllOf | AnyOf) or keyword_of(part) is not None
    return text if is_plain else f"({text})"


def _quoted(text: str, translate: Translate) -> str:
    return translate(mark("\u201c{text}\u201d")).format(text=text)


def _joined(texts: Sequence[str], last: str) -> str:
    *before, end = texts
    return last.format(first=", ".join(before), last=end) if before else end


def _range(low: Comparison, high: Comparison, translate: Translate) -> str:
    first, last = _shown(low.keyword, low.values[0], translate), _shown(high.keyword, high.values[0], translate)
    year = re.fullmatch(r"(\d{4})-01-01", first)
    if year and last == f"{year[1]}-12-31":
        return translate(_RELATIONS[Operator.IS][0]).format(name=name_of_keyword(low.keyword, translate), value=year[1])
    template = translate(_RANGES[low.operator, high.operator])
    return template.format(
        name=name_of_keyword(low.keyword, translate), low=first, value=_with_unit(low.keyword, last, translate)
    )


def _comparison(comparison: Comparison, translate: Translate, *, holds: bool) -> str:
    keyword, operator = comparison.keyword, comparison.operator
    side = 0 if holds else 1
    if keyword == "HasContrast" and operator is Operator.IS:
        return translate(_CONTRAST[side if comparison.values[0] else 1 - side])
    templates, values = _RELATIONS[operator], [_shown(keyword, value, translate) for value in comparison.values]
    if operator is Operator.MATCHES:
        templates, values = _pattern(str(comparison.values[0]), translate)
    elif operator is Operator.CONTAINS or keyword in _QUOTED:
        values = [_quoted(value, translate) for value in values]
    low = values[0] if values else ""
    if operator is Operator.BETWEEN:
        values = values[1:]
    value = _joined(values, translate(_SEVERAL)) if values else ""
    return translate(templates[side]).format(
        name=name_of_keyword(keyword, translate), low=low, value=_with_unit(keyword, value, translate)
    )


_QUOTED = frozenset(("SeriesDescription", "StudyDescription", "ProtocolName", "InstitutionName"))


def _pattern(pattern: str, translate: Translate) -> tuple[tuple[str, str], list[str]]:
    inner = pattern.strip("*")
    is_plain = bool(inner) and not set("*?") & set(inner)
    if is_plain and pattern == f"*{inner}*":
        return _HOLDS_TEXT, [_quoted(inner, translate)]
    if is_plain and pattern == f"{inner}*":
        return _BEGINS, [_quoted(inner, translate)]
    return _RELATIONS[Operator.MATCHES], [_quoted(pattern, translate)]


def _shown(keyword: str, value: Value, translate: Translate) -> str:
    if isinstance(value, str):
        text = value.strip(" ")
        known = VALUES.get((keyword, text if keyword == "PatientSex" else text.lower()))
        if known is not None:
            return translate(known)
        if VOCABULARY[keyword] is QueryType.DATE and len(text) == 8:
            return f"{text[:4]}-{text[4:6]}-{text[6:]}"
        return text
    if isinstance(value, bool):
        return translate(mark("yes")) if value else translate(mark("no"))
    return f"{value:g}" if abs(value) < 1e6 else str(value)


def _with_unit(keyword: str, value: str, translate: Translate) -> str:
    return f"{value} {translate(UNITS[keyword])}" if keyword in UNITS and value else value
