"""The description of a data set for people: what is ours in their words, values and keywords as the card has them."""

from collections.abc import Callable, Mapping
from typing import Any

from app.bundle.described import DATE_NOTES, NONE, NOT_TOLD, RANGE, description_lines
from app.dicom.profile import DatePreset
from app.text.i18n import Plural, Translate, mark
from app.text.job_words import count_words

ITEMS: Mapping[str, str] = {
    "identifier": mark("Identifier"),
    "version": mark("Version"),
    "address": mark("Address"),
    "citation": mark("Citation"),
    "owner": mark("Owner"),
    "responsible": mark("Responsible"),
    "licence": mark("Licence"),
    "access": mark("Access"),
    "allowed_use": mark("Allowed use"),
    "annotations": mark("Annotations"),
    "ground_truth": mark("Ground truth"),
    "case_mix": mark("Case mix"),
    "keywords": mark("Keywords"),
    "counts": mark("Counts"),
    "image_types": mark("Image types"),
    "sources": mark("Sources"),
    "acquisition_parameters": mark("Acquisition parameters"),
    "storage_parameters": mark("Storage parameters"),
    "demographics": mark("Demographics"),
    "date_range": mark("Date range"),
    "groups": mark("Groups"),
    "labels": mark("Labels"),
    "provenance": mark("Provenance"),
    "vocabularies": mark("Vocabularies"),
}
_WITHIN: Mapping[str, Mapping[str, str]] = {
    "date_range": {"note": mark("note")},
    "provenance": {
        "site": mark("site"),
        "protocol": mark("protocol"),
        "protocol_sha256": mark("SHA-256 of the protocol"),
        "software": mark("software"),
    },
}
_TEXTS: Mapping[str, str] = {
    NONE: mark("none"),
    NOT_TOLD: mark("not told"),
    RANGE: mark("{low} to {high}"),
    DATE_NOTES[DatePreset.SHIFTED]: mark(
        "each patient's dates are shifted by a number of days of their own; intervals are true"
    ),
    DATE_NOTES[DatePreset.YEAR_ONLY]: mark("of each date the year alone is true"),
}


def description_words(
    description: Mapping[str, Any], translate: Translate, plural: Plural, count_text: Callable[[int], str] = str
) -> list[tuple[str, str]]:
    """The description as lines of name and text."""
    told = {item: _told(item, content, translate, plural, count_text) for item, content in description.items()}
    lines = description_lines(told, lambda text: translate(_TEXTS[text]))
    return [(translate(ITEMS[item]), text) for item, (_, text) in zip(told, lines, strict=True)]


def _told(item: str, content: Any, translate: Translate, plural: Plural, count_text: Callable[[int], str]) -> Any:
    if item == "counts":
        return ", ".join(count_words(name, count, plural, count_text) for name, count in content.items())
    if item not in _WITHIN:
        return content
    names = _WITHIN[item]
    return {
        translate(names.get(key, key)): translate(_TEXTS[value]) if key == "note" and value else value
        for key, value in content.items()
    }
