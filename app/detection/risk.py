"""Why a person must look at an image before it leaves, by its header alone.

(0028,0301) Burned In Annotation is believed only where it does not say NO: of public images with a readable name in
their pixels it is absent on nearly all, and NO on one.
"""

from app.detection.device_masks import boxes_for, device_facts
from app.dicom.dictionary import uid_of
from app.dicom.reading import Header
from app.dicom.sopclasses import ObjectKind, object_kind, shows_pictures
from app.project.risks import Risk

_MODALITY, _IMAGE_TYPE, _CONVERSION_TYPE, _BURNED_IN = 0x00080060, 0x00080008, 0x00080064, 0x00280301
_SERIES_DESCRIPTION = 0x0008103E
_CAPTURE_DEVICE = (0x00181010, 0x00181012, 0x00181016, 0x00181018, 0x00181019)
_OVERLAY_BIT_POSITION = 0x0102


_ULTRASOUND = frozenset(
    map(
        uid_of,
        (
            "UltrasoundImageStorage",
            "UltrasoundMultiFrameImageStorage",
            "UltrasoundMultiFrameImageStorageRetired",
            "UltrasoundImageStorageRetired",
        ),
    )
)
_SECONDARY_CAPTURES = frozenset(
    map(
        uid_of,
        (
            "SecondaryCaptureImageStorage",
            "MultiFrameSingleBitSecondaryCaptureImageStorage",
            "MultiFrameGrayscaleByteSecondaryCaptureImageStorage",
            "MultiFrameGrayscaleWordSecondaryCaptureImageStorage",
            "MultiFrameTrueColorSecondaryCaptureImageStorage",
        ),
    )
)
_PHOTOGRAPHS = frozenset(
    map(
        uid_of,
        (
            "VLEndoscopicImageStorage",
            "VLPhotographicImageStorage",
            "VLMicroscopicImageStorage",
            "VLSlideCoordinatesMicroscopicImageStorage",
            "OphthalmicPhotography8BitImageStorage",
            "OphthalmicPhotography16BitImageStorage",
            "DermoscopicPhotographyImageStorage",
            "VLImageStorageTrial",
            "VLMultiFrameImageStorageTrial",
        ),
    )
)
# Arrays that are no pictures: nobody writes into them, and a mask would make them wrong.
_ARRAYS = frozenset(
    map(
        uid_of,
        (
            "SegmentationStorage",
            "LabelMapSegmentationStorage",
            "RTDoseStorage",
        ),
    )
)

_ULTRASOUND_MODALITIES = frozenset(("US", "IVUS"))
_CAPTURE_MODALITIES = frozenset(("OT", "SC", "DOC", "HC"))
_PHOTOGRAPH_MODALITIES = frozenset(("ES", "XC", "GM", "OP", "OPT", "DMS"))
_SUMMARY_IMAGE_TYPES = frozenset(("REPORT", "CSA REPORT", "DOSE", "DOSE_INFO", "DOSE INFO", "SUMMARY", "REPORTDATA"))
_CAPTURE_IMAGE_TYPES = frozenset(("SCREEN SAVE", "SCREENSHOT", "SCREEN", "PASTED", "LABEL", "OVERVIEW"))
# What scanners call the pages that they add to a study: of the dose, of the protocol with the patient's name above it.
_SUMMARY_DESCRIPTIONS = ("DOSE REPORT", "DOSE INFO", "DOSE RECORD", "DOSE SUMMARY", "PATIENT PROTOCOL", "EXAM SUMMARY")
_CAPTURE_DESCRIPTIONS = ("SCREEN SAVE", "SCREENSAVE", "SCREEN CAPTURE", "SCREENSHOT")


def risk_of(header: Header, sop_class_uid: str) -> Risk:
    """The most serious reason why a person must look at an image; NONE where nothing speaks against it.

    An object without pixels, and one whose pixels are no picture (a dose, a segmentation), is judged by what it says of
    itself only.
    """
    if header.pixel is not None and not shows_pictures(sop_class_uid) and sop_class_uid not in _ARRAYS:
        return Risk.UNEXPECTED_PIXELS
    image_type = {part.strip().upper() for part in header.text(_IMAGE_TYPE).split("\\")}
    modality = header.text(_MODALITY).strip().upper()
    description = header.text(_SERIES_DESCRIPTION).upper()
    if header.text(_BURNED_IN).strip().upper() not in ("NO", ""):
        return Risk.SAYS_BURNED_IN
    if not image_type.isdisjoint(_SUMMARY_IMAGE_TYPES) or any(words in description for words in _SUMMARY_DESCRIPTIONS):
        return Risk.SUMMARY_PAGE
    if not image_type.isdisjoint(_CAPTURE_IMAGE_TYPES) or any(words in description for words in _CAPTURE_DESCRIPTIONS):
        return Risk.SCREEN_CAPTURE
    if sop_class_uid in _SECONDARY_CAPTURES or modality in _CAPTURE_MODALITIES:
        return Risk.SECONDARY_CAPTURE
    if _has_overlay_in_pixels(header):
        return Risk.OVERLAY_IN_PIXELS
    if sop_class_uid in _ULTRASOUND or modality in _ULTRASOUND_MODALITIES:
        return Risk.ULTRASOUND
    if shows_pictures(sop_class_uid) and boxes_for(device_facts(header)):
        return Risk.KNOWN_DEVICE
    if sop_class_uid in _PHOTOGRAPHS or modality in _PHOTOGRAPH_MODALITIES:
        return Risk.PHOTOGRAPH
    # RT images always tell how they were converted.
    is_image = object_kind(sop_class_uid) is ObjectKind.IMAGE
    if is_image and (header.text(_CONVERSION_TYPE) or any(header.text(tag) for tag in _CAPTURE_DEVICE)):
        return Risk.CONVERTED
    return Risk.NONE


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
