"""A query as it stands in a protocol file: an expression, or the same as tables; of the selection and of groups."""

from typing import Annotated, Any, Self, assert_never

from pydantic import Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from app.errors import ProtocolError
from app.protocol.predicates import (
    VOCABULARY,
    AllOf,
    AnyOf,
    Not,
    Operator,
    Predicate,
    check_limits,
    compare,
)
from app.protocol.table import Table
from app.protocol.where import MAX_LENGTH, parse_where

Scalar = bool | int | float | str


class ComparisonTable(Table):
    """One comparison: ``{keyword = "Modality", operator = "is", value = "CT"}``."""

    keyword: str = Field(
        description="a DICOM keyword or a derived fact", json_schema_extra={"enum": [*sorted(VOCABULARY)]}
    )
    operator: Operator = Field(strict=False)
    value: Scalar | list[Scalar] | None = Field(
        default=None,
        description="a list for 'in' and 'between', none for 'exists'; dates as 2024-12-31, ages in years",
    )


class AllTable(Table):
    """``{all = [...]}``: every part holds."""

    all_: tuple["Node", ...] = Field(alias="all", min_length=1, strict=False)


class AnyTable(Table):
    """``{any = [...]}``: at least one part holds."""

    any_: tuple["Node", ...] = Field(alias="any", min_length=1, strict=False)


class NotTable(Table):
    """``{not = {...}}``: the part does not hold."""

    not_: "Node" = Field(alias="not")


# Angle brackets tell pydantic's tags from the file's keys in the location of an error.
NODE_TABLES: dict[str, type[Table]] = {
    "<all>": AllTable,
    "<any>": AnyTable,
    "<not>": NotTable,
    "<comparison>": ComparisonTable,
}


def _node_tag(value: Any) -> str | None:
    if isinstance(value, dict):
        return next((f"<{key}>" for key in ("all", "any", "not") if key in value), "<comparison>")
    return next((tag for tag, table in NODE_TABLES.items() if isinstance(value, table)), None)


Node = Annotated[
    Annotated[AllTable, Tag("<all>")]
    | Annotated[AnyTable, Tag("<any>")]
    | Annotated[NotTable, Tag("<not>")]
    | Annotated[ComparisonTable, Tag("<comparison>")],
    Discriminator(_node_tag),
]


class QueryTable(Table):
    """A table that may hold a query, in one of its four forms."""

    where: str | None = Field(
        default=None,
        description='an expression like: Modality == "CT" and SliceThickness <= 1.0',
        max_length=MAX_LENGTH,
    )
    all_: tuple[Node, ...] | None = Field(default=None, alias="all", min_length=1, strict=False)
    any_: tuple[Node, ...] | None = Field(default=None, alias="any", min_length=1, strict=False)
    not_: Node | None = Field(default=None, alias="not")

    @property
    def query_forms(self) -> int:
        """How many of the four forms are there; more than one is a contradiction."""
        return len(self.model_fields_set & {"where", "all_", "any_", "not_"})

    def parse(self, path: str) -> Predicate:
        """The query as a checked predicate; ``path`` is the table's key path in the file.

        Raises ProtocolError with the key path of what is wrong.
        """
        if self.where is not None:
            try:
                return parse_where(self.where)
            except ProtocolError as error:
                raise ProtocolError(error.code, **error.ids, key=f"{path}.where") from None
        if self.all_ is not None:
            predicate: Predicate = AllOf(_build_all(self.all_, f"{path}.all"))
        elif self.any_ is not None:
            predicate = AnyOf(_build_all(self.any_, f"{path}.any"))
        elif self.not_ is not None:
            predicate = Not(_build(self.not_, f"{path}.not"))
        else:
            raise ProtocolError("protocol-bad-value", key=path, expected="a table", suggestion="")
        try:
            check_limits(predicate)
        except ProtocolError as error:
            raise ProtocolError(error.code, **error.ids, key=path) from None
        return predicate


class Selection(QueryTable):
    """Which instances the project takes: an expression, or the same as tables."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.query_forms != 1:
            raise PydanticCustomError("expected", "", {"expected": "exactly one of where, all, any, not"})
        self.parse("selection")
        return self

    @property
    def predicate(self) -> Predicate:
        """The selection as a checked predicate."""
        return self.parse("selection")


def _build_all(nodes: tuple[Node, ...], path: str) -> tuple[Predicate, ...]:
    return tuple(_build(node, f"{path}.{index}") for index, node in enumerate(nodes))


def _build(node: Node, path: str) -> Predicate:
    match node:
        case AllTable():
            return AllOf(_build_all(node.all_, f"{path}.all"))
        case AnyTable():
            return AnyOf(_build_all(node.any_, f"{path}.any"))
        case NotTable():
            return Not(_build(node.not_, f"{path}.not"))
        case ComparisonTable():
            values = node.value if isinstance(node.value, list) else [node.value]
            try:
                return compare(node.keyword, node.operator, [] if node.value is None else values)
            except ProtocolError as error:
                raise ProtocolError(error.code, **error.ids, key=path) from None
        case _:
            assert_never(node)
