"""Which objects the rules can make safe at all, and whether their pixels may leave."""

from app.deid.recipe import Recipe
from app.dicom import codestreams
from app.dicom.dictionary import uid_of
from app.dicom.profile import Option
from app.dicom.reading import Header
from app.dicom.sopclasses import ObjectKind, object_kind, shows_pictures
from app.errors import HeldBackError, Reason
from app.project.images import ImagePlan

_ENCRYPTED_ATTRIBUTES = 0x04000500
_BURNED_IN, _OVERLAY_BIT_POSITION = 0x00280301, 0x0102
_SEGMENTATIONS = frozenset(map(uid_of, ("SegmentationStorage", "LabelMapSegmentationStorage")))
_AUDIO = frozenset((uid_of("BasicVoiceAudioWaveformStorage"), uid_of("GeneralAudioWaveformStorage")))

_OTHER_CLASSES_WITH_PIXELS = _SEGMENTATIONS.union(
    map(uid_of, ("RTImageStorage", "RTDoseStorage", "EnhancedRTImageStorage", "EnhancedContinuousRTImageStorage"))
)
_MAY_LACK_PIXELS = frozenset((uid_of("RTDoseStorage"),))  # a dose can be points or a histogram alone
# MPEG-2, MPEG-4, HEVC (PS3.6 Table A-1): no frame of a stream can be looked at or cleaned alone.
_VIDEO = frozenset(f"1.2.840.10008.1.2.4.{number}{suffix}" for number in range(100, 109) for suffix in ("", ".1"))
_NATIVE = frozenset(
    map(
        uid_of,
        (
            "ImplicitVRLittleEndian",
            "ExplicitVRLittleEndian",
            "ExplicitVRBigEndian",
            "DeflatedExplicitVRLittleEndian",
        ),
    )
)


def check_object(header: Header, sop_class_uid: str, recipe: Recipe, plan: ImagePlan | None) -> None:
    """Raise HeldBackError for an object that may not leave by rule, or whose pixels may not.

    ``plan`` is what was found and decided about the pixels; a picture without one stays.
    """
    if _ENCRYPTED_ATTRIBUTES in header.by_tag:
        raise HeldBackError(Reason.ENCRYPTED_ATTRIBUTES)
    kind = object_kind(sop_class_uid)
    match kind:
        case ObjectKind.SR if Option.CLEAN_STRUCTURED_CONTENT not in recipe.options:
            raise HeldBackError(Reason.STRUCTURED_TEXT)
        case ObjectKind.PRESENTATION if Option.CLEAN_GRAPHICS not in recipe.options:
            raise HeldBackError(Reason.PRESENTATION_TEXT)
        case ObjectKind.WAVEFORM if sop_class_uid in _AUDIO:
            raise HeldBackError(Reason.NO_RULE_FOR_OBJECT)
        case ObjectKind.DOCUMENT:
            raise HeldBackError(Reason.ENCAPSULATED_DOCUMENT)
        case ObjectKind.OTHER:
            raise HeldBackError(Reason.NO_RULE_FOR_OBJECT)
        case _:
            pass
    if header.transfer_syntax_uid in _VIDEO:
        raise HeldBackError(Reason.VIDEO)
    has_pixels = kind is ObjectKind.IMAGE or sop_class_uid in _OTHER_CLASSES_WITH_PIXELS - _MAY_LACK_PIXELS
    if has_pixels and header.pixel is None:
        raise HeldBackError(Reason.NO_PIXELS)
    if header.pixel is not None:
        if kind is not ObjectKind.IMAGE and sop_class_uid not in _OTHER_CLASSES_WITH_PIXELS:
            raise HeldBackError(Reason.NO_RULE_FOR_OBJECT)  # a picture where the class has none: nobody looks for it
        _check_pixels(header)
    if Option.CLEAN_VISUAL_FEATURES in recipe.options and kind is ObjectKind.IMAGE:
        # No rule takes a face out of a volume; asked for it, we can only say no.
        raise HeldBackError(Reason.VISUAL_FEATURES)
    if plan is not None and plan.reason is not None:
        raise HeldBackError(plan.reason)
    if header.pixel is not None and plan is None:
        if shows_pictures(sop_class_uid):
            raise HeldBackError(Reason.IMAGE_NOT_CHECKED)
        if _says_that_text_is_in_it(header):
            raise HeldBackError(Reason.BURNED_IN_LIKELY)


def _check_pixels(header: Header) -> None:
    assert header.pixel is not None
    encapsulated = header.pixel.length is None
    if encapsulated != (header.transfer_syntax_uid not in _NATIVE):
        raise HeldBackError(Reason.BAD_FRAGMENTS)
    if encapsulated and not codestreams.is_supported(header.transfer_syntax_uid):
        raise HeldBackError(Reason.UNSUPPORTED_TRANSFER_SYNTAX)


def _says_that_text_is_in_it(header: Header) -> bool:
    """For the pixels that are no picture, which nobody looks through: doses and segmentations.

    Overlay Bit Position is not 0 where graphics are kept in unused bits of the pixels (PS3.5-2001 section 8.1.2).
    """
    return header.text(_BURNED_IN).strip().upper() not in ("NO", "") or any(
        0x6000 <= element.tag >> 16 <= 0x60FF
        and element.tag & 0xFFFF == _OVERLAY_BIT_POSITION
        and isinstance(element.value, bytes)
        and any(element.value)
        for element in header.elements
    )
