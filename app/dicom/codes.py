"""Code values of public schemes (PS3.3 section 8): which ones say something that is the same everywhere.

A code of a local scheme can be an order or a patient number; what is not known to be public is none.
"""

import re
from functools import lru_cache

from app.dicom.units import is_unit
from app.dicom.words import code_values

_SRT_CODE = re.compile(r"[A-Z][0-9A-F]?-[0-9A-F]{4,6}\Z")
_ECG_CODE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{1,2}-\d{1,3}-\d{1,5}\Z")  # SCP-ECG lead and unit codes
_ICD_O_CODE = re.compile(r"C[0-8]\d\.\d\Z")  # the topography of ICD-O, the same in its editions
_OLD_CODES = frozenset(("Y-X1743",))  # FDG, as PET scanners still write it under the scheme of the first edition
_LOINC_CODE = re.compile(r"\d{1,7}-\d\Z")
_SNOMED_CODE = re.compile(r"[1-9]\d{2,14}[01]0\d\Z")  # a concept of the core or of an extension: partition 00 or 10
_VERSION = re.compile(r"\d{1,3}(?:\.\d{1,3}){0,3}\Z|(?:19|20)\d{6}(?:\d{6})?\Z|DCMR\Z|HL7\Z|20\d\d-?\d\d-?\d\d\Z")
_SCHEMES = frozenset(
    "SCT SRT SNM3 99SDM SNM DCM LN UCUM FMA RADLEX NCIt NCIT UMLS I9 I9C I10 ICD10 ICDO3 ICD-O-2 ICD-O-3 ACR BI "
    "RADPEER RXNORM NEU MSH ITIS_TSN PUBCHEM_CID UNS IBSI NYUMCCG MA UBERON HPDMCC ISO3166_1 ISO639_1 ISO_639-1 "
    "RFC3066 RFC5646 CD8 99PMP NDC POS UNII ATC IHERO2008 99QIICR 99CONSIGN SCPECG MDC".split()
)


def is_known_scheme(designator: str) -> bool:
    """Whether a Coding Scheme Designator names a public scheme (PS3.16 section 8, and usual spellings)."""
    return designator in _SCHEMES


def is_code_version(text: str) -> bool:
    """Whether a Coding Scheme Version or the like is a version number or a day of edition, and no other number."""
    return _VERSION.match(text) is not None


@lru_cache(maxsize=1 << 12)
def is_known_code(code: str) -> bool:
    """Whether a code value is one of a public scheme: listed by pydicom, or of a form with a check digit."""
    if code in code_values() or code in _OLD_CODES or is_unit(code):
        return True
    if _SRT_CODE.match(code) or _ECG_CODE.match(code) or _ICD_O_CODE.match(code):
        return True
    if _LOINC_CODE.match(code):
        digits = code.replace("-", "")
        return _luhn(digits)
    return _SNOMED_CODE.match(code) is not None and _verhoeff(code)


def _luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if index % 2 else 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0


def _digit_rows(text: str) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(int(digit) for digit in row) for row in text.split())


# The multiplication table of the dihedral group D5, and the permutations of Verhoeff's check digit.
_D5 = _digit_rows(
    "0123456789 1234067895 2340178956 3401289567 4012395678 5987604321 6598710432 7659821043 8765932104 9876543210"
)
_VERHOEFF = _digit_rows("0123456789 1576283094 5803796142 8916043527 9453126870 4286573901 2793806415 7046913258")


def _verhoeff(digits: str) -> bool:
    """The check digit of a SNOMED CT identifier."""
    check = 0
    for index, digit in enumerate(reversed(digits)):
        check = _D5[check][_VERHOEFF[index % 8][int(digit)]]
    return check == 0
