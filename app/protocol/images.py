"""What a protocol says about text in the pixels: who looks, what a person must see, what may leave."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from app.protocol.table import Table


class DetectorName(StrEnum):
    """The text detectors, as a protocol file names them."""

    PPOCR = "ppocr"
    GLYPHS = "glyphs"
    TESSERACT = "tesseract"


class MustSee(StrEnum):
    """Which images a person must see although no text was found for sure."""

    EXPECTED_TEXT = "expected-text"  # ultrasound, secondary captures, photographs, dose pages, known devices ...
    WEAK_FINDINGS = "weak-findings"  # a detector was unsure


class Images(Table):
    """How text that is burned into images is looked for, and what becomes of the images."""

    detectors: tuple[DetectorName, ...] = Field(
        default=(DetectorName.PPOCR, DetectorName.GLYPHS),
        min_length=1,
        strict=False,
        description="every one of them must have looked at an image before it leaves",
    )
    must_see: tuple[MustSee, ...] = Field(
        default=tuple(MustSee), strict=False, description="what a person must see although no text is certain"
    )
    release: tuple[Literal["clear", "masked", "seen"], ...] = Field(
        default=("clear", "masked", "seen"),
        min_length=1,
        strict=False,
        description="images that may leave: 'clear' (nothing found), 'masked', 'seen' (by a person, as they are)",
    )
    unattended_masks: bool = Field(
        default=True, description="without a person, found text is covered; false: such images stay"
    )
