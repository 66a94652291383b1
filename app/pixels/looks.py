"""What a header says about how its values are to be seen.

Whatever is damaged is left out, so that something is always shown.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from app.dicom.dictionary import uid_of
from app.dicom.reading import PIXEL_REPRESENTATION, Header, decode_text
from app.dicom.tokens import Element
from app.errors import UnreadableError
from app.pixels.luts import Lut, lut_of_item, palette_of

_MODALITY, _PHOTOMETRIC = 0x00080060, 0x00280004
_BITS_ALLOCATED, _BITS_STORED, _HIGH_BIT = 0x00280100, 0x00280101, 0x00280102
_CENTER, _WIDTH, _EXPLANATION, _VOI_FUNCTION = 0x00281050, 0x00281051, 0x00281055, 0x00281056
_INTERCEPT, _SLOPE, _RESCALE_TYPE = 0x00281052, 0x00281053, 0x00281054
_MODALITY_LUTS, _VOI_LUTS = 0x00283000, 0x00283010
_PRESENTATION_LUT_SHAPE = 0x20500020
_SHARED_GROUPS, _PER_FRAME_GROUPS = 0x52009229, 0x52009230
_LOOK_MACROS = (0x00289145, 0x00289132)  # Pixel Value Transformation, Frame VOI LUT

# Lossy: what decoders give back overshoots Bits Stored, and no overlay can have lived through it above them.
_LOSSY = frozenset(
    map(
        uid_of,
        (
            "JPEGBaseline8Bit",
            "JPEGExtended12Bit",
            "JPEGLSNearLossless",
            "JPEG2000",
            "JPEG2000MC",
            "HTJ2K",
        ),
    )
)
_NUMBER_FORMATS = {"US": "H", "SS": "h", "UL": "L", "SL": "l", "FL": "f", "FD": "d"}


class VoiFunction(StrEnum):
    """How a window maps values to brightness (PS3.3 C.11.2.1.3); the values are the standard's."""

    LINEAR = "LINEAR"
    LINEAR_EXACT = "LINEAR_EXACT"
    SIGMOID = "SIGMOID"


@dataclass(frozen=True, slots=True)
class Window:
    """Which values become dark and which bright, in the units of the modality (HU in CT).

    A window without a positive width means the full range of the frame; ``FULL_RANGE`` is one.
    """

    center: float
    width: float
    function: VoiFunction = VoiFunction.LINEAR
    original_explanation: str = field(default="", repr=False)

    @property
    def is_usable(self) -> bool:
        """Whether it is a window at all."""
        return math.isfinite(self.center) and math.isfinite(self.width) and self.width > 0


FULL_RANGE = Window(0.0, 0.0)


class WindowName(StrEnum):
    """What a preset is called; the interface has the words."""

    FILE = "file"
    SOFT_TISSUE = "soft-tissue"
    LUNG = "lung"
    BONE = "bone"
    BRAIN = "brain"
    ABDOMEN = "abdomen"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class WindowPreset:
    """A window to choose; one of the file has the file's own explanation."""

    name: WindowName
    window: Window


_CT_PRESETS = tuple(
    WindowPreset(name, Window(center, width))
    for name, center, width in (
        (WindowName.SOFT_TISSUE, 40, 400),
        (WindowName.LUNG, -600, 1500),
        (WindowName.BONE, 480, 2500),
        (WindowName.BRAIN, 40, 80),
        (WindowName.ABDOMEN, 60, 350),
    )
)


@dataclass(frozen=True, slots=True)
class Look:
    """How the stored values of a frame become grey or colour.

    Attributes
    ----------
    photometric
        Photometric Interpretation.
    bits_stored, high_bit, is_signed
        Where in a cell the value is; the other bits of the cell are not looked at.
    slope, intercept, modality_lut
        The modality transformation; the table wins.
    windows, voi_lut
        What the file wants to be seen through; the table wins, then the first window.
    palette
        For red, green, blue; of PALETTE COLOR.
    is_inverted
        Whether low values are bright.
    is_hounsfield
        Whether the usual windows of CT make sense.
    """

    photometric: str
    bits_stored: int
    high_bit: int
    is_signed: bool
    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: Lut | None = None
    windows: tuple[Window, ...] = ()
    voi_lut: Lut | None = None
    palette: tuple[Lut, Lut, Lut] | None = None
    is_inverted: bool = False
    is_hounsfield: bool = False


def look_of(header: Header, frame: int = 0) -> Look:
    """How a frame is to be shown, by the header; ``frame`` counts from 0 and matters in enhanced multi-frame objects.

    Raises nothing: what makes no sense is left out.
    """
    elements = _elements_of_frame(header, frame)
    photometric = header.text(_PHOTOMETRIC).strip().upper()
    bits_stored, high_bit = _bits(header)
    is_signed = header.integer(PIXEL_REPRESENTATION) == 1
    slope = _number(elements, _SLOPE, 1.0)
    intercept = _number(elements, _INTERCEPT, 0.0)
    item = _first_item(elements.get(_MODALITY_LUTS))
    modality_lut = None if item is None else lut_of_item(item, input_is_signed=is_signed)
    item = _first_item(elements.get(_VOI_LUTS))
    voi_lut = None if item is None else lut_of_item(item, input_is_signed=is_signed or intercept < 0)
    rescale_type = _text(elements, _RESCALE_TYPE, header.character_sets).strip().upper()
    is_grey = photometric in ("MONOCHROME1", "MONOCHROME2", "")
    return Look(
        photometric=photometric,
        bits_stored=bits_stored,
        high_bit=high_bit,
        is_signed=is_signed,
        slope=slope or 1.0,
        intercept=intercept,
        modality_lut=modality_lut,
        windows=_windows(elements, header.character_sets),
        voi_lut=voi_lut,
        palette=palette_of(elements, input_is_signed=is_signed) if photometric == "PALETTE COLOR" else None,
        # INVERSE says of a MONOCHROME1 image again what that says already (PS3.3 C.8.11.3.1.2); it does not undo it.
        is_inverted=photometric == "MONOCHROME1"
        or (is_grey and _text(elements, _PRESENTATION_LUT_SHAPE, ()).strip().upper() == "INVERSE"),
        is_hounsfield=is_grey
        and header.text(_MODALITY).strip().upper() == "CT"
        and rescale_type in ("", "HU")
        and modality_lut is None
        and _SLOPE in elements,
    )


def _bits(header: Header) -> tuple[int, int]:
    """Bits Stored and High Bit."""
    bits_allocated = header.integer(_BITS_ALLOCATED) or 16
    bits_stored = header.integer(_BITS_STORED) or bits_allocated
    high_bit = header.integer(_HIGH_BIT)
    if header.transfer_syntax_uid in _LOSSY:
        return bits_allocated, bits_allocated - 1
    return bits_stored, bits_stored - 1 if high_bit is None else high_bit


def window_presets(look: Look) -> tuple[WindowPreset, ...]:
    """The windows to choose from: the file's, the usual ones of CT, the full range. None for colour."""
    if look.palette is not None or look.photometric not in ("MONOCHROME1", "MONOCHROME2", ""):
        return ()
    of_file = tuple(WindowPreset(WindowName.FILE, window) for window in look.windows)
    return (*of_file, *(_CT_PRESETS if look.is_hounsfield else ()), WindowPreset(WindowName.FULL, FULL_RANGE))


def _elements_of_frame(header: Header, frame: int) -> Mapping[int, Element]:
    """The top level, over which the functional groups lay theirs (PS3.3 C.7.6.16)."""
    shared = _items(header.by_tag.get(_SHARED_GROUPS))[:1]
    per_frame = _items(header.by_tag.get(_PER_FRAME_GROUPS))[frame : frame + 1] if frame >= 0 else ()
    if not shared and not per_frame:
        return header.by_tag
    elements = dict(header.by_tag)
    for group in (*shared, *per_frame):
        for macro in group:
            if macro.tag in _LOOK_MACROS:
                elements.update(_first_item(macro) or {})
    return elements


def _items(element: Element | None) -> tuple[tuple[Element, ...], ...]:
    return element.value if element is not None and isinstance(element.value, tuple) else ()


def _first_item(element: Element | None) -> Mapping[int, Element] | None:
    items = _items(element)
    return {element.tag: element for element in items[0]} if items else None


def _windows(elements: Mapping[int, Element], character_sets: tuple[str, ...]) -> tuple[Window, ...]:
    named = _text(elements, _VOI_FUNCTION, ()).strip().upper()
    function = VoiFunction(named) if named in VoiFunction.__members__ else VoiFunction.LINEAR
    explanations = _text(elements, _EXPLANATION, character_sets).split("\\")
    pairs = zip(_numbers(elements.get(_CENTER)), _numbers(elements.get(_WIDTH)), strict=False)
    windows = (
        Window(center, width, function, explanations[number].strip() if number < len(explanations) else "")
        for number, (center, width) in enumerate(pairs)
    )
    return tuple(window for window in windows if window.is_usable)


def _text(elements: Mapping[int, Element], tag: int, character_sets: tuple[str, ...]) -> str:
    element = elements.get(tag)
    if element is None or not isinstance(element.value, bytes):
        return ""
    try:
        return decode_text(element.value, character_sets)
    except UnreadableError:
        return ""


def _number(elements: Mapping[int, Element], tag: int, default: float) -> float:
    numbers = _numbers(elements.get(tag))
    return numbers[0] if numbers and math.isfinite(numbers[0]) else default


def _numbers(element: Element | None) -> tuple[float, ...]:
    """The values of a numeric element, NaN for one that is none."""
    if element is None or not isinstance(element.value, bytes):
        return ()
    letter = _NUMBER_FORMATS.get(element.vr)
    if letter is not None:
        count = len(element.value) // struct.calcsize(f"<{letter}")
        return tuple(map(float, struct.unpack_from(f"<{count}{letter}", element.value)))
    return tuple(_parse_float(part) for part in element.value.split(b"\\"))


def _parse_float(text: bytes) -> float:
    try:
        return float(text.strip(b" \0"))
    except ValueError:
        return math.nan
