"""Which objects the rules can make safe at all, and which a person must see first."""

from pydicom import uid

from app.deid.recipe import Recipe
from app.dicom import codestreams
from app.dicom.profile import Option
from app.dicom.reading import SOP_INSTANCE_UID, Header
from app.dicom.sopclasses import ObjectKind, object_kind
from app.errors import HeldBackError, Reason

_MODALITY, _IMAGE_TYPE, _CONVERSION_TYPE, _BURNED_IN = 0x00080060, 0x00080008, 0x00080064, 0x00280301
_SERIES_INSTANCE_UID = 0x0020000E
_OVERLAY_BIT_POSITION = 0x0102
_ENCRYPTED_ATTRIBUTES = 0x04000500
_SEGMENTATIONS = frozenset((str(uid.SegmentationStorage), "1.2.840.10008.5.1.4.1.1.66.7"))  # the latter: label maps
_AUDIO = frozenset((str(uid.BasicVoiceAudioWaveformStorage), str(uid.GeneralAudioWaveformStorage)))

# Text is drawn into these by the device or the person who made them, as a rule.
_TEXT_LIKELY_CLASSES = frozenset(
    str(sop_class)
    for sop_class in (
        uid.UltrasoundImageStorage,
        uid.UltrasoundMultiFrameImageStorage,
        uid.SecondaryCaptureImageStorage,
        uid.MultiFrameSingleBitSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
        uid.VLEndoscopicImageStorage,
        uid.VLPhotographicImageStorage,
        uid.VLMicroscopicImageStorage,
        uid.VLSlideCoordinatesMicroscopicImageStorage,
        uid.OphthalmicPhotography8BitImageStorage,
        uid.OphthalmicPhotography16BitImageStorage,
        uid.DermoscopicPhotographyImageStorage,
    )
)
_OTHER_CLASSES_WITH_PIXELS = frozenset(
    str(sop_class)
    for sop_class in (
        *_SEGMENTATIONS,
        uid.RTImageStorage,
        uid.RTDoseStorage,
        uid.EnhancedRTImageStorage,
        uid.EnhancedContinuousRTImageStorage,
    )
)
_MAY_LACK_PIXELS = frozenset((str(uid.RTDoseStorage),))  # a dose can be points or a histogram alone
_TEXT_LIKELY_MODALITIES = frozenset(("US", "IVUS", "OT", "SC", "ES", "XC", "GM", "OP", "OPT", "DMS", "DOC", "HC"))
_TEXT_LIKELY_IMAGE_TYPES = frozenset(
    (
        "SCREEN SAVE",
        "SCREENSHOT",
        "SCREEN",
        "REPORT",
        "CSA REPORT",
        "DOSE",
        "DOSE_INFO",
        "DOSE INFO",
        "LABEL",
        "OVERVIEW",
        "PASTED",
        "SUMMARY",
    )
)
# MPEG-2, MPEG-4, HEVC (PS3.6 Table A-1): no frame of a stream can be looked at or cleaned alone.
_VIDEO = frozenset(f"1.2.840.10008.1.2.4.{number}{suffix}" for number in range(100, 109) for suffix in ("", ".1"))
_NATIVE = frozenset(
    str(syntax)
    for syntax in (
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
    )
)


def is_released_by_person(header: Header, recipe: Recipe) -> bool:
    """Whether somebody looked at this image, or at its series, and let it leave."""
    return not _keys(header).isdisjoint(recipe.original_released_images)


def _keys(header: Header) -> set[str]:
    return {header.text(SOP_INSTANCE_UID), header.text(_SERIES_INSTANCE_UID)}


def check_object(header: Header, sop_class_uid: str, recipe: Recipe) -> None:
    """Raise HeldBackError for an object that may not leave by rule, or that a person must see or has excluded."""
    if _keys(header) & recipe.original_excluded_images:
        raise HeldBackError(Reason.EXCLUDED_BY_PERSON)
    if any(element.tag == _ENCRYPTED_ATTRIBUTES for element in header.elements):
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
    is_released = is_released_by_person(header, recipe)
    if header.pixel is not None and is_text_likely(header, sop_class_uid) and not is_released:
        raise HeldBackError(Reason.BURNED_IN_LIKELY)


def _check_pixels(header: Header) -> None:
    assert header.pixel is not None
    encapsulated = header.pixel.length is None
    if encapsulated != (header.transfer_syntax_uid not in _NATIVE):
        raise HeldBackError(Reason.BAD_FRAGMENTS)
    if encapsulated and not codestreams.is_supported(header.transfer_syntax_uid):
        raise HeldBackError(Reason.UNSUPPORTED_TRANSFER_SYNTAX)


def is_text_likely(header: Header, sop_class_uid: str) -> bool:
    """Whether class, modality or attributes make burned-in text likely.

    (0028,0301) is believed only where it says YES: on public images with a readable name it is mostly absent.
    """
    image_type = {part.strip().upper() for part in header.text(_IMAGE_TYPE).split("\\")}
    return (
        sop_class_uid in _TEXT_LIKELY_CLASSES
        or header.text(_MODALITY).strip().upper() in _TEXT_LIKELY_MODALITIES
        or header.text(_BURNED_IN).strip().upper() not in ("NO", "")
        # RT images always tell how they were converted.
        or (object_kind(sop_class_uid) is ObjectKind.IMAGE and bool(header.text(_CONVERSION_TYPE)))
        or not image_type.isdisjoint(_TEXT_LIKELY_IMAGE_TYPES)
        or _has_overlay_in_pixels(header)
    )


def _has_overlay_in_pixels(header: Header) -> bool:
    """Whether graphics or text are kept in unused bits of the pixels: retired, and seen in old archives.

    Overlay Bit Position is 0 where an overlay has data of its own (PS3.5-2001 section 8.1.2).
    """
    return any(
        0x6000 <= element.tag >> 16 <= 0x60FF
        and element.tag & 0xFFFF == _OVERLAY_BIT_POSITION
        and isinstance(element.value, bytes)
        and any(element.value)
        for element in header.elements
    )
