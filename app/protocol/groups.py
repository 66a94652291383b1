"""The groups that a protocol asks for, such as cases and controls."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from app.errors import ProtocolError
from app.protocol.predicates import AllOf, Predicate
from app.protocol.query import QueryTable
from app.protocol.table import Name, Table


class MatchOn(StrEnum):
    """In what a study must be like one of the other group."""

    AGE = "age"  # the band of the patient's age
    SEX = "sex"
    YEAR = "year"  # of the study
    MANUFACTURER = "manufacturer"


class Matching(Table):
    """As many studies as the other group has, times a ratio, alike in some attributes."""

    group: Name = Field(description="the group that is matched; it stands earlier in the file")
    on: tuple[MatchOn, ...] = Field(min_length=1, strict=False, description="what must be alike")
    ratio: int = Field(default=1, ge=1, le=100, description="studies for each one of the other group")
    age_band_years: int = Field(default=10, ge=1, le=100, description="width of the bands that ages are put into")


class Group(QueryTable):
    """Studies that are wanted for one purpose: those of the selection that fit this query, too."""

    name: Name
    wanted: int | None = Field(default=None, ge=1, le=10_000_000, description="studies; without it, all that fit")
    one_per_patient: bool = Field(default=False, description="at most one study of a patient")
    listed: bool = Field(default=False, description="only studies that a study list puts into this group")
    match: Matching | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.query_forms > 1:
            raise PydanticCustomError("expected", "", {"expected": "at most one of where, all, any, not"})
        if self.wanted is not None and self.match is not None:
            raise PydanticCustomError("contradiction", "", {"key": "wanted", "other": "match"})
        return self

    @property
    def predicate(self) -> Predicate:
        """The group's own query; all of the selection where it has none."""
        return self.parse("groups") if self.query_forms else AllOf(())


def _check_groups(groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """Raises ProtocolError with the key path of what is wrong."""
    names: list[str] = []
    for number, group in enumerate(groups):
        path = f"groups.{number}"
        if group.query_forms:
            group.parse(path)
        if group.name.casefold() in (name.casefold() for name in names):
            expected = "a name that no other group has"
            raise ProtocolError("protocol-bad-value", key=f"{path}.name", expected=expected, suggestion="")
        if group.match is not None and group.match.group not in names:
            expected = "the name of a group that stands earlier in the file"
            raise ProtocolError("protocol-bad-value", key=f"{path}.match.group", expected=expected, suggestion="")
        names.append(group.name)
    return groups


Groups = Annotated[tuple[Group, ...], Field(max_length=20, strict=False), AfterValidator(_check_groups)]
