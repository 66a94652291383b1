"""One instance as it leaves: the released header, and the pixels as a stream: the source's own bytes, or masked."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from app.deid.engine import Engine, ReleasedHeader
from app.deid.objects import check_object
from app.deid.recipe import Patient, Recipe
from app.deid.rules import compile_rules
from app.dicom.dictionary import is_registered
from app.dicom.frames import find_fragments, native_length, read_encapsulated, read_native
from app.dicom.profile import Option
from app.dicom.reading import SOP_CLASS_UID, SOP_INSTANCE_UID, Header, read_header
from app.dicom.runs import HeaderMemory
from app.dicom.tokens import DEFAULT_LIMITS, Limits
from app.dicom.writing import encode_file_head, encode_pixel_header
from app.errors import HeldBackError, Reason, UnreadableError
from app.project.images import ImagePlan

if TYPE_CHECKING:
    from app.pixels.masking import MaskedImage

_PIXEL_VRS = {0x7FE00008: ("OF",), 0x7FE00009: ("OD",), 0x7FE00010: ("OB", "OW")}
_EXPLICIT_VR_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """A Part 10 file in two pieces.

    Attributes
    ----------
    head
        Preamble, File Meta, all elements, and the pixel element up to its value.
    pixels
        The pixel element's value in chunks; a damaged source shows while it is read, as UnreadableError.
    is_as_it_was
        Whether nothing was masked or edited in it.
    """

    head: bytes
    pixels: Iterator[bytes]
    header: ReleasedHeader
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    is_as_it_was: bool


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What *prepare* keeps of an instance: its released header, and the most bytes that the file can have."""

    header: ReleasedHeader
    size_limit: int


class Releaser:
    """Releases the files of one patient."""

    def __init__(self, recipe: Recipe, patient: Patient, limits: Limits = DEFAULT_LIMITS) -> None:
        self._recipe = recipe
        self._limits = limits
        self._headers = HeaderMemory()
        rules = compile_rules(recipe.options, recipe.dates, recipe.overrides, recipe.site_overrides)
        self._engine = Engine(recipe, rules, patient)

    def survey(self, file: BinaryIO, plan: ImagePlan | None) -> Surveyed:
        """De-identify the header and check that the pixels are whole, without reading more of them than that takes.

        ``plan`` is what becomes of the pixels; None for an object that shows no picture. Raises UnreadableError or
        HeldBackError.
        """
        opened = self._open(file, plan)
        size = 4096 + len(opened.released.encoded)
        pixel = opened.header.pixel
        if opened.masked is not None:
            size += opened.masked.size_limit
        elif pixel is not None and pixel.length is not None:
            size += native_length(opened.header, pixel)
        elif pixel is not None:
            # Reads every frame once: a codestream that can't be cleaned must show before the release, not during it.
            size += sum(len(chunk) for chunk in read_encapsulated(file, opened.header, pixel)) + 4096
        return Surveyed(opened.released, size)

    def release(self, file: BinaryIO, plan: ImagePlan | None) -> ReleasedFile:
        """The released file; ``plan`` as in ``survey``. Raises UnreadableError or HeldBackError."""
        opened = self._open(file, plan)
        header, released = opened.header, opened.released
        sop_class_uid = header.text(SOP_CLASS_UID)
        pixel = header.pixel
        pixels: Iterator[bytes] = iter(())
        pixel_header = b""
        transfer_syntax_uid = _EXPLICIT_VR_LITTLE_ENDIAN
        if pixel is not None and pixel.length is None:
            transfer_syntax_uid = header.transfer_syntax_uid
            pixel_header = encode_pixel_header(pixel.tag, "OB", None)
            if opened.masked is None:
                find_fragments(file, pixel, file.seek(0, 2))
                pixels = read_encapsulated(file, header, pixel)
        elif pixel is not None:
            length = native_length(header, pixel)
            pixel_header = encode_pixel_header(pixel.tag, pixel.vr, length + (length & 1))
            if opened.masked is None:
                pixels = read_native(file, header, pixel)
        if opened.masked is not None:
            pixels = opened.masked.pixels
        sop_instance_uid = released.text(SOP_INSTANCE_UID)
        head = encode_file_head(sop_class_uid, sop_instance_uid, transfer_syntax_uid)
        return ReleasedFile(
            head + released.encoded + pixel_header,
            pixels,
            released,
            sop_instance_uid,
            sop_class_uid,
            transfer_syntax_uid,
            opened.masked is None,
        )

    def _open(self, file: BinaryIO, plan: ImagePlan | None) -> "_Opened":
        header = read_header(file, self._limits, self._headers)
        sop_class_uid = header.text(SOP_CLASS_UID)
        if not is_registered(sop_class_uid):
            raise UnreadableError(Reason.UNKNOWN_SOP_CLASS)
        check_object(header, sop_class_uid, self._recipe, plan)
        if header.pixel is not None and header.pixel.vr not in _PIXEL_VRS[header.pixel.tag]:
            raise UnreadableError(Reason.BAD_ELEMENT)
        masked = None
        if plan is not None and (plan.boxes or plan.changes_pixels):
            masked = _mask(file, header, plan)
        if masked is not None:
            header = masked.header
        seen = plan is not None and plan.seen_by_person
        cleaned = Option.CLEAN_PIXEL_DATA in self._recipe.options and (seen or masked is not None)
        released = self._engine.release(
            header,
            sop_class_uid,
            seen_by_person=seen,
            pixels_cleaned=cleaned,
            face_removed=plan is not None and plan.edit is not None,
        )
        if not released.text(SOP_INSTANCE_UID):
            raise HeldBackError(Reason.MISSING_UID)
        return _Opened(header, released, masked)


def _mask(file: BinaryIO, header: Header, plan: ImagePlan) -> "MaskedImage":
    from app.pixels.masking import mask_image  # noqa: PLC0415 - the codecs are slow to load, and most images have none

    return mask_image(file, header, plan.boxes, plan.edit if plan.changes_pixels else None)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A file with its released header; ``header`` describes the pixels as they leave, so it may be a masked one's."""

    header: Header
    released: ReleasedHeader
    masked: "MaskedImage | None"
