"""What study lists may say of a study: the only values of a list that leave, so free text is none of them."""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from app.errors import ProtocolError
from app.protocol.table import Name, Table

# Words of the organisers, which stand in a table that spreadsheets open: nothing that begins a formula.
CATEGORY_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9 ._+/-]{0,62}[A-Za-z0-9._+/-])?$"
# Columns of metadata/labels.csv that are there without any label.
RESERVED_NAMES = frozenset(("patient", "study_uid", "group"))
# A longer number may be that of a patient or a date; measurements and grades are shorter.
LARGEST_NUMBER = 99_999
MOST_DECIMALS = 4
_NUMBER = re.compile(r"[+-]?([0-9]{1,12}([.,][0-9]{0,12})?|[.,][0-9]{1,12})")

Category = Annotated[str, Field(pattern=CATEGORY_PATTERN)]
Bound = Annotated[float, Field(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]


class LabelType(StrEnum):
    """Of what kind the values of a label are; there is no kind for text."""

    CATEGORY = "category"
    NUMBER = "number"


class Label(Table):
    """A column of a study list that leaves with the images: a closed set of words, or a number within a range."""

    name: Name
    type: LabelType = Field(strict=False)
    values: tuple[Category, ...] = Field(
        default=(), max_length=1000, strict=False, description="of a category: all that it may say; case counts not"
    )
    minimum: Bound | None = Field(default=None, description="of a number")
    maximum: Bound | None = Field(default=None, description="of a number")
    decimals: int = Field(default=2, ge=0, le=MOST_DECIMALS, description="of a number: to how many it is rounded")
    required: bool = Field(default=False, description="a study without it is not taken")
    groups: tuple[Name, ...] = Field(default=(), strict=False, description="for which it is; empty: for all")

    @model_validator(mode="after")
    def _check(self) -> Self:
        match self.type:
            case LabelType.CATEGORY:
                if not self.values or self.minimum is not None or self.maximum is not None:
                    raise PydanticCustomError("expected", "", {"expected": "values, and no range"})
            case LabelType.NUMBER:
                if self.values or self.minimum is None or self.maximum is None or self.minimum > self.maximum:
                    raise PydanticCustomError("expected", "", {"expected": "minimum and maximum, and no values"})
        if len({value.casefold() for value in self.values}) < len(self.values):
            raise PydanticCustomError("expected", "", {"expected": "values that differ, whatever their case"})
        if self.name.casefold() in RESERVED_NAMES:
            raise PydanticCustomError("expected", "", {"expected": "another name than that"})
        return self

    def concerns(self, group: str) -> bool:
        """Whether it is for studies of a group; ``group`` is '' for a study of none."""
        return not self.groups or group in self.groups

    def value_of(self, original_text: str) -> str | None:
        """The value as it leaves, in the protocol's own spelling; None where the schema does not allow it."""
        text = original_text.strip()
        if self.type is LabelType.CATEGORY:
            return next((value for value in self.values if value.casefold() == text.casefold()), None)
        if not _NUMBER.fullmatch(text) or self.minimum is None or self.maximum is None:
            return None
        number = round(float(text.replace(",", ".")), self.decimals)
        if not self.minimum <= number <= self.maximum:
            return None
        return f"{number + 0.0:.{self.decimals}f}"  # no negative zero


def _check_labels(labels: tuple[Label, ...]) -> tuple[Label, ...]:
    if len({label.name.casefold() for label in labels}) < len(labels):
        raise ProtocolError("protocol-bad-value", key="labels", expected="labels with names that differ", suggestion="")
    return labels


Labels = Annotated[tuple[Label, ...], Field(max_length=50, strict=False), AfterValidator(_check_labels)]
