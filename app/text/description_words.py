"""The description of a data set for people: its items in their words, what they hold as the card will have it."""

from collections.abc import Mapping
from typing import Any

from app.bundle.described import NONE, NOT_TOLD, description_lines
from app.text.i18n import Translate, mark

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
_NOTHING = {NONE: mark("none"), NOT_TOLD: mark("not told")}


def description_words(description: Mapping[str, Any], translate: Translate = str) -> list[tuple[str, str]]:
    """The description as lines of name and text; the names, and that nothing is there, in the given language."""
    lines = zip(description, description_lines(description), strict=True)
    return [
        (translate(ITEMS[item]), translate(_NOTHING[text]) if text in _NOTHING else text) for item, (_, text) in lines
    ]
