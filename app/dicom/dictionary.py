"""The dictionary of the standard (PS3.6): attributes and registered UIDs, as pydicom has them.

Read from files made from pydicom (``resources/standard/make_dictionary.py``), because importing pydicom takes half of
what a start takes, of the program and of each worker; a test holds the two equal. Tags of repeating groups (50xx, 60xx)
share one entry.
"""

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from app.files.resources import resource_path

_TRANSFER_SYNTAX, _SOP_CLASS = "Transfer Syntax", "SOP Class"
# Registered, and newer than pydicom's dictionary.
_NEWER_UIDS = {
    "1.2.840.10008.1.2.8.1": (_TRANSFER_SYNTAX, "DeflatedImageFrameCompression"),
    "1.2.840.10008.1.2.4.110": (_TRANSFER_SYNTAX, "JPEGXLLossless"),
    "1.2.840.10008.1.2.4.111": (_TRANSFER_SYNTAX, "JPEGXLJPEGRecompression"),
    "1.2.840.10008.1.2.4.112": (_TRANSFER_SYNTAX, "JPEGXL"),
    "1.2.840.10008.5.1.4.1.1.66.7": (_SOP_CLASS, "LabelMapSegmentationStorage"),
    "1.2.840.10008.5.1.4.1.1.66.8": (_SOP_CLASS, "HeightMapSegmentationStorage"),
}
# Classes of objects that vendors made for themselves, as GDCM and dcm4che list them: a reference to such an object says
# what it is, and nobody's name. Objects of these classes are none that can be released.
_VENDOR_CLASSES = frozenset(
    (
        "1.3.12.2.1107.5.9.1",  # Siemens CSA non-image
        "1.3.12.2.1107.5.99.3.10",  # Siemens CT and MR volume
        "1.3.12.2.1107.5.99.3.11",  # Siemens AX frame sets
        "1.2.392.200036.9125.1.1.2",  # Fuji CR image
        "1.2.392.200036.9125.1.1.4",  # Fuji mammography CR image
        "1.3.46.670589.5.0.2.1",  # Philips 3D object
        "1.3.46.670589.5.0.3.1",  # Philips surface
        "1.3.46.670589.5.0.4",  # Philips composite object
        "1.3.46.670589.5.0.9",  # Philips synthetic CT image
        "1.3.46.670589.5.0.10",  # Philips synthetic MR image
        "1.3.46.670589.5.0.14",  # Philips perfusion image
    )
)


class Attribute(NamedTuple):
    """An entry of PS3.6 chapters 6 to 9; ``vr`` may be ambiguous (``US or SS``), ``vm`` a range (``1-n``)."""

    vr: str
    vm: str
    keyword: str
    name: str


class _Attributes(NamedTuple):
    by_tag: Mapping[int, Attribute]
    # Value and mask: a tag is one of the group's where it equals the value in all bits of the mask.
    repeating: tuple[tuple[int, int, Attribute], ...]
    by_keyword: Mapping[str, int]


@lru_cache(maxsize=1)
def _attributes() -> _Attributes:
    by_tag: dict[int, Attribute] = {}
    by_keyword: dict[str, int] = {}
    repeating: list[tuple[int, int, Attribute]] = []
    for line in _lines("attributes.tsv"):
        digits, *fields = line.split("\t")
        entry = Attribute(*fields)
        if "x" in digits:
            mask = int("".join("0" if digit == "x" else "F" for digit in digits), 16)
            repeating.append((int(digits.replace("x", "0"), 16), mask, entry))
            continue
        tag = int(digits, 16)
        by_tag[tag] = entry
        if entry.keyword:
            by_keyword[entry.keyword] = tag
    return _Attributes(by_tag, tuple(repeating), by_keyword)


def _lines(name: str) -> list[str]:
    return resource_path(f"standard/{name}").read_text(encoding="utf-8").split("\n")[:-1]


def find_attribute(tag: int) -> Attribute | None:
    """The entry of a tag; None for what the standard does not know, private ones among it."""
    known = _attributes()
    entry = known.by_tag.get(tag)
    if entry is None and not (tag >> 16) & 1:
        return next((entry for value, mask, entry in known.repeating if (tag ^ value) & mask == 0), None)
    return entry


def attribute_of(tag: int) -> Attribute:
    """The entry of a tag; raises KeyError for what the standard does not know."""
    entry = find_attribute(tag)
    if entry is None:
        raise KeyError(tag)
    return entry


def name_of(tag: int) -> str:
    """The name of a tag, in English; raises KeyError for what the standard does not know."""
    return attribute_of(tag).name


def is_listed(tag: int) -> bool:
    """Whether the tag has an entry of its own, outside of repeating groups."""
    return tag in _attributes().by_tag


def keyword_of(tag: int) -> str:
    """The keyword of a tag; '' for what the standard does not know."""
    entry = find_attribute(tag)
    return entry.keyword if entry is not None else ""


def tag_of(keyword: str) -> int | None:
    """The tag of a keyword outside of repeating groups; None for what is no keyword."""
    return _attributes().by_keyword.get(keyword)


def keywords() -> Collection[str]:
    """All keywords outside of repeating groups."""
    return _attributes().by_keyword.keys()


@lru_cache(maxsize=1)
def _uids() -> Mapping[str, tuple[str, str]]:
    """Type and keyword by UID."""
    rows = (line.split("\t") for line in _lines("uids.tsv"))
    return {uid: (kind, keyword) for uid, kind, keyword, _ in rows} | _NEWER_UIDS


@lru_cache(maxsize=1)
def _uids_by_keyword() -> Mapping[str, str]:
    return {keyword: uid for uid, (_, keyword) in _uids().items() if keyword}


def is_registered(uid: str) -> bool:
    """Whether PS3.6 Annex A registers this very UID: a class, a syntax, a scheme; never an instance of anything."""
    return uid in _uids()


def is_class_of_a_vendor(uid: str) -> bool:
    """Whether a vendor's public list has this very UID as a class of objects; never an instance of anything."""
    return uid in _VENDOR_CLASSES


def uid_of(keyword: str) -> str:
    """The UID of a keyword of PS3.6 Annex A (``CTImageStorage``); raises KeyError for what is none."""
    return _uids_by_keyword()[keyword]


@lru_cache(maxsize=1)
def transfer_syntaxes() -> frozenset[str]:
    """All registered transfer syntaxes, also retired ones."""
    return frozenset(uid for uid, (kind, _) in _uids().items() if kind == _TRANSFER_SYNTAX)
