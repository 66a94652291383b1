"""What may stand in a protocol file, as pydantic models; the JSON Schema for organisers is made of them."""

import json
from typing import Annotated, Any, Self, assert_never

from pydantic import (
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError
from pydicom.datadict import dictionary_has_tag, keyword_dict, keyword_for_tag

from app.dicom.profile import Action, DatePreset, Option
from app.dicom.tagpath import format_tag, parse_tag
from app.errors import ProtocolError
from app.protocol.dataset import DatasetTable
from app.protocol.images import Images
from app.protocol.predicates import (
    VOCABULARY,
    AllOf,
    AnyOf,
    Not,
    Operator,
    Predicate,
    check_limits,
    closest,
    compare,
)
from app.protocol.reports import Reports
from app.protocol.table import Table
from app.protocol.where import MAX_LENGTH, parse_where

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
LINE_PATTERN = r"^\S([^\r\n]*\S)?$"
WORD_PATTERN = r"^\S{1,64}$"

Line = Annotated[str, Field(pattern=LINE_PATTERN, max_length=200)]
Word = Annotated[str, Field(pattern=WORD_PATTERN)]


# selection ------------------------------------------------------------

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


class Selection(Table):
    """Which instances the project takes: an expression, or the same as tables."""

    where: str | None = Field(
        default=None,
        description='an expression like: Modality == "CT" and SliceThickness <= 1.0',
        max_length=MAX_LENGTH,
    )
    all_: tuple[Node, ...] | None = Field(default=None, alias="all", min_length=1, strict=False)
    any_: tuple[Node, ...] | None = Field(default=None, alias="any", min_length=1, strict=False)
    not_: Node | None = Field(default=None, alias="not")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise PydanticCustomError("expected", "", {"expected": "exactly one of where, all, any, not"})
        self._parse()
        return self

    @property
    def predicate(self) -> Predicate:
        """The selection as a checked predicate."""
        return self._parse()

    def _parse(self) -> Predicate:
        """Raises ProtocolError with the key path of what is wrong."""
        if self.where is not None:
            try:
                return parse_where(self.where)
            except ProtocolError as error:
                raise ProtocolError(error.code, **error.ids, key="selection.where") from None
        path = "selection"
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


# de-identification ------------------------------------------------------------


class Deidentification(Table):
    """Options of PS3.15 Table E.1-1 over the Basic Profile, and overrides of single attributes."""

    retain_safe_private: bool = Field(default=False, description="private elements listed as safe by creator")
    retain_uids: bool = Field(default=False, description="original UIDs instead of keyed ones")
    retain_device_identity: bool = Field(default=False, description="serial numbers, station names and so on")
    retain_institution_identity: bool = Field(default=False, description="the institution's name and address")
    retain_patient_characteristics: bool = Field(default=True, description="sex, age, size, weight and so on")
    retain_full_dates: bool = Field(default=False, description="dates as they are")
    retain_modified_dates: bool = Field(default=True, description="dates changed as the key 'dates' says")
    clean_descriptors: bool = Field(default=True, description="descriptions keep their safe words")
    clean_structured_content: bool = Field(default=False, description="structured reports, cleaned")
    clean_graphics: bool = Field(default=False, description="annotations and overlays, cleaned")
    clean_pixel_data: bool = Field(default=True, description="text burned into images is masked")
    clean_recognizable_visual_features: bool = Field(default=False, description="faces are made unrecognizable")
    dates: DatePreset = Field(
        default=DatePreset.SHIFTED,
        strict=False,
        description="'shifted': every date of a patient by the same number of days; 'year-only': the year",
    )
    overrides: Annotated[
        dict[int, Action],
        WithJsonSchema(
            {
                "type": "object",
                "description": "attribute keyword or (gggg,eeee) -> what becomes of it",
                "additionalProperties": {"enum": [action.value for action in Action]},
            }
        ),
    ] = Field(default_factory=dict, strict=False)

    @field_validator("overrides", mode="before")
    @classmethod
    def _read_overrides(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        overrides: dict[int, Action] = {}
        for key, action in value.items():
            tag = _standard_tag(key)
            if tag in overrides:
                raise PydanticCustomError(
                    "contradiction", "", {"key": key, "other": keyword_for_tag(tag) or format_tag(tag)}
                )
            overrides[tag] = _action(key, action)
        return overrides

    @model_validator(mode="after")
    def _check_dates(self) -> Self:
        if self.retain_full_dates and self.retain_modified_dates:
            raise PydanticCustomError(
                "contradiction", "", {"key": "retain_full_dates", "other": "retain_modified_dates"}
            )
        if "dates" in self.model_fields_set and not self.retain_modified_dates:
            other = "retain_full_dates" if self.retain_full_dates else "retain_modified_dates"
            raise PydanticCustomError("contradiction", "", {"key": "dates", "other": other})
        return self

    @property
    def options(self) -> frozenset[Option]:
        """The options of PS3.15 that are switched on."""
        return frozenset(option for option in Option if getattr(self, option.value))

    @property
    def loosening(self) -> dict[int, Action]:
        """The overrides that let something of the original value out; the report names them."""
        return {tag: action for tag, action in self.overrides.items() if _releases_original(action)}


def _standard_tag(key: str) -> int:
    """The tag of an attribute of PS3.6 that a dataset may hold: no private, command or File Meta element."""
    try:
        tag = parse_tag(key)
    except ValueError:
        tag = 0
    if 0x0008_0000 <= tag < 0xFFFA_0000 and not (tag >> 16) & 1 and dictionary_has_tag(tag):
        return tag
    raise PydanticCustomError("unknown_attribute", "", {"key": key, "suggestion": closest(key, keyword_dict)})


def _action(key: str, value: Any) -> Action:
    try:
        return Action(value)
    except ValueError:
        raise PydanticCustomError(
            "unknown_action",
            "",
            {"key": key, "suggestion": closest(str(value), Action), "expected": ", ".join(Action)},
        ) from None


def _releases_original(action: Action) -> bool:
    match action:
        case Action.KEEP | Action.CLEAN | Action.SHIFT | Action.CAP_AGE:
            return True
        case Action.REMOVE | Action.EMPTY | Action.DUMMY | Action.UID | Action.PSEUDONYM:
            return False
        case _:
            assert_never(action)


# the rest ------------------------------------------------------------


class Words(Table):
    """Words that may stay in free text, beyond the shipped vocabulary."""

    safe: tuple[Word, ...] = Field(
        default=(), max_length=10_000, strict=False, description="single words; case does not matter"
    )


class Review(Table):
    """Who signs before anything leaves, and how many images nobody has a suspicion about are shown."""

    signatures: tuple[Line, ...] = Field(
        default=("site champion",), min_length=1, max_length=20, strict=False, description="roles that sign"
    )
    # When none of 60 random images shows anything, at most 5 % of all do, at 95 % confidence.
    audit_sample: int = Field(default=60, ge=0, le=100_000, description="images drawn at random for review")

    @field_validator("signatures")
    @classmethod
    def _differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len({role.casefold() for role in value}) < len(value):
            raise PydanticCustomError("expected", "", {"expected": "roles that differ"})
        return value


class Bundle(Table):
    """How the bundle is cut into parts."""

    part_size_mb: int = Field(default=1024, ge=1, le=4000, description="largest size of a zip part, MB")


class Protocol(Table):
    """A Consign protocol: what a project takes, how it is de-identified, who signs."""

    id: str = Field(pattern=ID_PATTERN, description="short name: letters, digits, '.', '_' and '-'")
    title: Line
    contact: Line = Field(description="whom a site asks: a name, an address")
    description: str | None = Field(default=None, max_length=10_000)
    selection: Selection
    deidentification: Deidentification = Deidentification()
    words: Words = Words()
    images: Images = Images()
    review: Review = Review()
    bundle: Bundle = Bundle()
    reports: Reports = Reports()
    dataset: DatasetTable = DatasetTable()


def json_schema_text() -> str:
    """The JSON Schema that ships as ``resources/protocol.schema.json``."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Protocol.model_json_schema(by_alias=True),
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
