"""The base of everything that stands in a protocol file."""

from pydantic import BaseModel, ConfigDict


class Table(BaseModel):
    """A table of the file: no key beyond the fields, no value of another type, no change afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
