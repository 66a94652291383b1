"""Which values of a code string (CS) may leave: the terms that the standard or a vendor defines, and no others."""

import re
from functools import lru_cache

from app.deid.rules import defined_terms

_IMAGE_TYPE = 0x00080008
_MAX_LENGTH = 16
_MAX_BESIDE_TERMS = 3  # characters of numbers and single letters in a term made of terms: FFE_M, SEQ_10
# The fourth value of an ultrasound image's type (PS3.3 section C.8.5.6.1.1): four hex digits, one bit for each way of
# imaging that is on the picture. Three at once is what scanners show (triplex); more bits could be a day or a number.
_ULTRASOUND_MODE = re.compile(r"0[0-7][0-7][0-9A-F]\Z")
_ULTRASOUND_MODE_PLACE = 3
_ULTRASOUND_MODE_BITS = 0x077F
_MOST_ULTRASOUND_MODES = 3


def known_terms(tag: int, components: list[str]) -> list[str]:
    """The components of a value that are known, in their order; all empty or none where nothing of it may leave."""
    spelled = _spelled_out(components)
    mode = _ULTRASOUND_MODE_PLACE if tag == _IMAGE_TYPE and _has_ultrasound_mode(components) else -1
    kept: list[str] = []
    for index, component in enumerate(components):
        is_known = index not in spelled and is_known_term(component)
        if not component or is_known or index == mode:
            kept.append(component)
        elif index < mode:
            kept.append("")  # the mode has its place
    if tag == _IMAGE_TYPE and kept[:2] != components[:2]:
        return []  # the first two have their places; later ones are a list
    return kept


@lru_cache(maxsize=1 << 12)
def is_known_term(text: str) -> bool:
    """Whether a CS value is a defined term, or made of nothing but defined terms and short numbers."""
    terms = defined_terms()
    if text in terms or (len(text) == 1 and text.isalnum()):
        return True
    if len(text) > _MAX_LENGTH * 2:
        return False
    if not text.isascii():
        return False
    parts = re.split(r"[ _\-/+.]", text)
    unknown = [part for part in parts if part not in terms or len(part) <= 1]
    if len(unknown) == len(parts) or sum(len(part) for part in unknown) > _MAX_BESIDE_TERMS:
        return False
    return all(part.isdigit() or len(part) <= 1 for part in unknown)


def _has_ultrasound_mode(components: list[str]) -> bool:
    """Whether the fourth value of an Image Type says with which modes an ultrasound image was made."""
    text = "".join(components[_ULTRASOUND_MODE_PLACE : _ULTRASOUND_MODE_PLACE + 1])
    if _ULTRASOUND_MODE.match(text) is None:
        return False
    modes = int(text, 16)
    return modes & ~_ULTRASOUND_MODE_BITS == 0 and 1 <= modes.bit_count() <= _MOST_ULTRASOUND_MODES


def _spelled_out(components: list[str]) -> set[int]:
    """Where three or more components of one character follow each other: a name or a number spelled out."""
    found: set[int] = set()
    start = 0
    for index in range(len(components) + 1):
        if index == len(components) or len(components[index]) > 1:
            if index - start >= 3:
                found.update(range(start, index))
            start = index + 1
    return found
