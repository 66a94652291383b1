"""What a protocol looks for in the site's radiology reports; the reports themselves never leave the site."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from app.protocol.table import Line, Name, Table

# Letters and digits, with an asterisk at the end for any ending: "embol*".
Phrase = Annotated[str, Field(pattern=r"^[^\W_]([^\r\n*]{0,98}[^\W_])?\*?$", max_length=100)]


class ReportTerm(Table):
    """One thing that is looked for, by any of its spellings."""

    name: Name = Field(description="short name of what is looked for")
    phrases: tuple[Phrase, ...] = Field(
        min_length=1,
        max_length=200,
        strict=False,
        description="spellings; an asterisk at the end stands for any ending; capitals alone (PE) match as capitals",
    )
    group: Name | None = Field(default=None, description="the group that a study with an accepted hit belongs to")
    labels: dict[Name, Line] = Field(
        default_factory=dict, description="labels that a study with an accepted hit gets: name -> value"
    )


class Reports(Table):
    """The terms that are searched in a table of reports, on the site's own computer."""

    terms: tuple[ReportTerm, ...] = Field(default=(), max_length=200, strict=False)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        if len({term.name.casefold() for term in self.terms}) < len(self.terms):
            raise PydanticCustomError("expected", "", {"expected": "terms with names that differ"})
        return self
