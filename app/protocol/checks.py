"""What a protocol makes of the checks of a series: which of them leave it out, and what is expected of it."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.protocol.predicates import Orientation
from app.protocol.table import Line, Table


class CheckName(StrEnum):
    """The checks, as tables, reports and the protocol file (with underscores) name them."""

    MISSING_SLICES = "missing-slices"
    DUPLICATE_SLICES = "duplicate-slices"
    UNEVEN_SPACING = "uneven-spacing"
    MIXED_ORIENTATION = "mixed-orientation"
    MIXED_MATRIX = "mixed-matrix"
    LOCALIZER = "localizer"
    DERIVED = "derived"
    SECONDARY = "secondary"
    FRAMES = "frames"
    TRUNCATED_PIXELS = "truncated-pixels"
    THICKNESS = "thickness"
    PLANE = "plane"
    KERNEL = "kernel"
    BODY_PART = "body-part"
    PHASE = "phase"


class Severity(StrEnum):
    """What follows from a finding."""

    EXCLUDE = "exclude"  # the series is not selected
    WARN = "warn"  # it is shown
    IGNORE = "ignore"  # the check is not made


class BodyPart(StrEnum):
    """The regions that series are sorted into; wide enough to be told from descriptions."""

    HEAD = "head"
    NECK = "neck"
    CHEST = "chest"
    ABDOMEN = "abdomen"
    PELVIS = "pelvis"
    SPINE = "spine"
    HEART = "heart"
    BREAST = "breast"
    UPPER_LIMB = "upper-limb"
    LOWER_LIMB = "lower-limb"
    WHOLE_BODY = "whole-body"


class Phase(StrEnum):
    """How far a contrast agent has come."""

    NONE = "none"  # no agent was given, or not yet
    ARTERIAL = "arterial"
    VENOUS = "venous"  # portal venous, too
    DELAYED = "delayed"
    ENHANCED = "enhanced"  # after an agent, and nothing says when


class Expected(Table):
    """What a series must be; a key that is not there asks for nothing."""

    plane: tuple[Orientation, ...] = Field(default=(), strict=False)
    body_part: tuple[BodyPart, ...] = Field(default=(), strict=False, description="one of them at least")
    phase: tuple[Phase, ...] = Field(default=(), strict=False)
    kernel: tuple[Line, ...] = Field(default=(), strict=False, description="patterns with * and ?, of which one fits")
    thinnest_mm: Annotated[float, Field(gt=0, le=1000)] | None = None
    thickest_mm: Annotated[float, Field(gt=0, le=1000)] | None = None
    fewest_frames: Annotated[int, Field(ge=1)] | None = Field(default=None, description="images, frames counted")
    most_frames: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        for low, high in ((self.thinnest_mm, self.thickest_mm), (self.fewest_frames, self.most_frames)):
            if low is not None and high is not None and low > high:
                raise PydanticCustomError("expected", "", {"expected": "the lower end first"})
        return self


class Checks(Table):
    """Checks of each series, from headers alone: ``"exclude"``, ``"warn"`` or ``"ignore"``."""

    missing_slices: Severity = Field(default=Severity.WARN, strict=False)
    duplicate_slices: Severity = Field(default=Severity.WARN, strict=False)
    uneven_spacing: Severity = Field(default=Severity.WARN, strict=False)
    mixed_orientation: Severity = Field(default=Severity.WARN, strict=False)
    mixed_matrix: Severity = Field(default=Severity.WARN, strict=False)
    localizer: Severity = Field(default=Severity.WARN, strict=False)
    derived: Severity = Field(default=Severity.WARN, strict=False)
    secondary: Severity = Field(default=Severity.WARN, strict=False)
    frames: Severity = Field(default=Severity.WARN, strict=False)
    truncated_pixels: Severity = Field(default=Severity.WARN, strict=False)
    thickness: Severity = Field(default=Severity.WARN, strict=False)
    plane: Severity = Field(default=Severity.WARN, strict=False)
    kernel: Severity = Field(default=Severity.WARN, strict=False)
    body_part: Severity = Field(default=Severity.WARN, strict=False)
    phase: Severity = Field(default=Severity.WARN, strict=False)
    expect: Expected = Expected()

    def severity(self, name: CheckName) -> Severity:
        """What follows from a finding of this check."""
        severity: Severity = getattr(self, name.value.replace("-", "_"))
        return severity

    @property
    def excluding(self) -> frozenset[CheckName]:
        """The checks that leave a series out."""
        return frozenset(name for name in CheckName if self.severity(name) is Severity.EXCLUDE)
