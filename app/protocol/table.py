"""The base of everything that stands in a protocol file, and the texts that may stand there."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
LINE_PATTERN = r"^\S([^\r\n]*\S)?$"
WORD_PATTERN = r"^\S{1,64}$"

Name = Annotated[str, Field(pattern=ID_PATTERN)]
Line = Annotated[str, Field(pattern=LINE_PATTERN, max_length=200)]
Word = Annotated[str, Field(pattern=WORD_PATTERN)]


class Table(BaseModel):
    """A table of the file: no key beyond the fields, no value of another type, no change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
