"""What may stand in a protocol file, as pydantic models; the JSON Schema for organisers is made of them."""

import json
from typing import Annotated, Any, Self, assert_never

from pydantic import Field, WithJsonSchema, field_validator, model_validator
from pydantic_core import PydanticCustomError

from app.dicom.dictionary import is_listed, keyword_of, keywords
from app.dicom.profile import COARSE_STEPS, Action, DatePreset, Option
from app.dicom.tagpath import format_tag, parse_tag
from app.errors import ProtocolError
from app.protocol.checks import Checks
from app.protocol.dataset import DatasetTable
from app.protocol.groups import Groups
from app.protocol.images import Images
from app.protocol.labels import Labels
from app.protocol.predicates import closest
from app.protocol.query import Selection
from app.protocol.reports import Reports
from app.protocol.table import ID_PATTERN, Line, Table, Word

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
                    "contradiction", "", {"key": key, "other": keyword_of(tag) or format_tag(tag)}
                )
            overrides[tag] = _action(key, action)
            if overrides[tag] is Action.COARSEN and tag not in COARSE_STEPS:
                raise PydanticCustomError("expected", "", {"expected": "'coarsen' for age, size and weight only"})
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
    if 0x0008_0000 <= tag < 0xFFFA_0000 and not (tag >> 16) & 1 and is_listed(tag):
        return tag
    raise PydanticCustomError("unknown_attribute", "", {"key": key, "suggestion": closest(key, keywords())})


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
        case Action.KEEP | Action.CLEAN | Action.SHIFT | Action.CAP_AGE | Action.COARSEN:
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
    audit_share: float | None = Field(
        default=None,
        gt=0,
        le=0.5,
        description="as many images are drawn as it takes to show, at 95 %, that fewer than this share hide text",
    )

    @field_validator("signatures")
    @classmethod
    def _differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len({role.casefold() for role in value}) < len(value):
            raise PydanticCustomError("expected", "", {"expected": "roles that differ"})
        return value

    @model_validator(mode="after")
    def _one_way_to_draw(self) -> Self:
        if self.audit_share is not None and "audit_sample" in self.model_fields_set:
            raise PydanticCustomError("contradiction", "", {"key": "audit_sample", "other": "audit_share"})
        return self


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
    groups: Groups = ()
    labels: Labels = ()
    checks: Checks = Checks()
    deidentification: Deidentification = Deidentification()
    words: Words = Words()
    images: Images = Images()
    review: Review = Review()
    bundle: Bundle = Bundle()
    reports: Reports = Reports()
    dataset: DatasetTable = DatasetTable()

    @model_validator(mode="after")
    def _labels_name_groups(self) -> Self:
        names = {group.name for group in self.groups}
        for number, label in enumerate(self.labels):
            for group in set(label.groups) - names:
                expected, suggestion = "names of the protocol's groups", closest(group, names)
                key = f"labels.{number}.groups"
                raise ProtocolError("protocol-bad-value", key=key, expected=expected, suggestion=suggestion)
        return self

    @model_validator(mode="after")
    def _report_terms_name_groups_and_labels(self) -> Self:
        groups, labels = {group.name for group in self.groups}, {label.name: label for label in self.labels}
        for number, term in enumerate(self.reports.terms):
            path = f"reports.terms.{number}"
            if term.group is not None and term.group not in groups:
                expected, suggestion = "the name of one of the protocol's groups", closest(term.group, groups)
                key = f"{path}.group"
                raise ProtocolError("protocol-bad-value", key=key, expected=expected, suggestion=suggestion)
            for name, value in term.labels.items():
                if name not in labels or labels[name].value_of(value) != value:
                    expected, key = "labels of the protocol with a value that they may have", f"{path}.labels"
                    suggestion = closest(name, labels)
                    raise ProtocolError("protocol-bad-value", key=key, expected=expected, suggestion=suggestion)
        return self


def json_schema_text() -> str:
    """The JSON Schema that ships as ``resources/protocol.schema.json``."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Protocol.model_json_schema(by_alias=True),
    }
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
