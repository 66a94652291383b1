"""What a released header says of itself, whatever the file said: PS3.15 section E.1.1, and the patient's code."""

from collections.abc import Iterable
from functools import lru_cache

from app.deid.hits import Hit, text_hit, text_record
from app.deid.rules import PATIENT_ID, PATIENT_NAME
from app.deid.values import Fold
from app.dicom.profile import METHOD_CODES, Option
from app.dicom.reading import SPECIFIC_CHARACTER_SET
from app.dicom.tagpath import format_path
from app.dicom.writing import encode_element, encode_sequence

_IDENTITY_REMOVED, _METHOD, _METHOD_CODES, _TEMPORAL = 0x00120062, 0x00120063, 0x00120064, 0x00280303
BURNED_IN_ANNOTATION = 0x00280301
RECOGNIZABLE_VISUAL_FEATURES = 0x00280302
# Always written by us, whatever the file says.
OURS = frozenset((PATIENT_NAME, PATIENT_ID, _IDENTITY_REMOVED, _METHOD, _METHOD_CODES, _TEMPORAL))
# All that may be put in between the elements of a file.
PUT_IN = OURS | {BURNED_IN_ANNOTATION, RECOGNIZABLE_VISUAL_FEATURES, SPECIFIC_CHARACTER_SET}
_UTF8 = "ISO_IR 192"


def additions_for(code: str, options: frozenset[Option]) -> Iterable[tuple[int, Hit]]:
    """Patient code, and what was done: ``options`` are those that were really applied."""
    yield PATIENT_NAME, text_hit(PATIENT_NAME, "PN", code, Fold.CODE)
    yield PATIENT_ID, text_hit(PATIENT_ID, "LO", code, Fold.CODE)
    yield _IDENTITY_REMOVED, text_hit(_IDENTITY_REMOVED, "CS", "YES")
    yield _METHOD, text_hit(_METHOD, "LO", "Consign: PS3.15 2026c Basic Profile over an allow-list")
    items = []
    records = []
    for option in (None, *sorted(options)):
        code_value, meaning = METHOD_CODES[option]
        fields = ((0x00080100, "SH", code_value), (0x00080102, "SH", "DCM"), (0x00080104, "LO", meaning))
        items.append(b"".join(encode_element(tag, vr, text.encode()) for tag, vr, text in fields))
        records += [text_record(format_path((_METHOD_CODES, tag)), vr, text) for tag, vr, text in fields]
    yield _METHOD_CODES, Hit(encode_sequence(_METHOD_CODES, items), records=tuple(records))
    if options & {Option.RETAIN_MODIFIED_DATES, Option.RETAIN_FULL_DATES}:
        kept_whole = Option.RETAIN_FULL_DATES in options
        yield _TEMPORAL, text_hit(_TEMPORAL, "CS", "UNMODIFIED" if kept_whole else "MODIFIED")
    else:
        yield _TEMPORAL, text_hit(_TEMPORAL, "CS", "REMOVED")


@lru_cache(maxsize=1)
def utf8_hit() -> Hit:
    """Specific Character Set: what is released is UTF-8."""
    return text_hit(SPECIFIC_CHARACTER_SET, "CS", _UTF8)


@lru_cache(maxsize=1)
def no_text_hit() -> Hit:
    """Burned In Annotation: somebody looked at the pixels and let them leave."""
    return text_hit(BURNED_IN_ANNOTATION, "CS", "NO")


@lru_cache(maxsize=1)
def no_face_hit() -> Hit:
    """Recognizable Visual Features: the face was taken out of the pixels."""
    hit = text_hit(RECOGNIZABLE_VISUAL_FEATURES, "CS", "NO")
    hit.options = frozenset((Option.CLEAN_VISUAL_FEATURES,))
    return hit


PIXELS_CLEANED = Hit(b"", options=frozenset((Option.CLEAN_PIXEL_DATA,)))
