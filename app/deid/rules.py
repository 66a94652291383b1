"""What becomes of each attribute: PS3.15 Table E.1-1 under the protocol's options, over an allow-list.

An attribute that neither table names is removed. The tables are data under ``resources/standard``; a row with an
unknown action or code refuses to load.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from functools import lru_cache

from app.dicom.dictionary import attribute_of, is_listed, keyword_of
from app.dicom.profile import Action, DatePreset, Option
from app.dicom.tagpath import format_tag
from app.dicom.tokens import dictionary_vr
from app.files.resources import resource_path

PATIENT_NAME, PATIENT_ID, ACCESSION_NUMBER, PATIENT_AGE = 0x00100010, 0x00100020, 0x00080050, 0x00101010
_PSEUDONYMS = frozenset((PATIENT_NAME, PATIENT_ID, ACCESSION_NUMBER))

_COLUMNS = {
    "safe_private": Option.RETAIN_SAFE_PRIVATE,
    "uids": Option.RETAIN_UIDS,
    "device": Option.RETAIN_DEVICE_IDENTITY,
    "institution": Option.RETAIN_INSTITUTION_IDENTITY,
    "patient": Option.RETAIN_PATIENT_CHARACTERISTICS,
    "full_dates": Option.RETAIN_FULL_DATES,
    "modified_dates": Option.RETAIN_MODIFIED_DATES,
    "descriptors": Option.CLEAN_DESCRIPTORS,
    "structured": Option.CLEAN_STRUCTURED_CONTENT,
    "graphics": Option.CLEAN_GRAPHICS,
}
_FIRST_TAG = 0x00080000
_HEX_TAG = re.compile("[0-9A-F]{8}")
_TEXT_VRS = frozenset(("SH", "LO", "ST", "LT", "UT", "UC"))


class Source(StrEnum):
    """Which table a rule comes from; the report and the bundle's rules.csv name it."""

    PROFILE = "PS3.15 Table E.1-1"
    ALLOW_LIST = "allow-list"
    PROTOCOL = "protocol"
    SITE = "site decision"


class Requirement(Enum):
    """An attribute's type in an object's modules (PS3.5 section 7.4): may it be absent, may it be empty."""

    VALUE = 1
    PRESENT = 2
    OPTIONAL = 3


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of one attribute.

    Attributes
    ----------
    removal
        How it may go where the action does not keep it, or a value fails: codes of PS3.15 Table E.1-1a (X, Z, D).
    option
        The option that decided the action; its method code is claimed where the action is really applied.
    verbatim
        Text leaves as written, not only its safe words: an option of the standard says so.
    technical
        Text of the allow-list, where short codes of letters and digits are usual.
    vrs
        What PS3.6 allows; the first one where the file's is another text VR.
    vm_max
        The most values that PS3.6 allows; None without bound.
    """

    action: Action
    source: Source
    removal: str
    option: Option | None
    verbatim: bool
    technical: bool
    vrs: tuple[str, ...]
    vm_max: int | None


@dataclass(frozen=True, slots=True)
class RuleTable:
    """The rules in effect. ``rule(tag)`` is None for what is not let in."""

    rules: Mapping[int, Rule]
    options: frozenset[Option]
    dates: DatePreset

    def rule(self, tag: int) -> Rule | None:
        """The rule of a standard attribute; repeating groups (curves, overlays) are never let in."""
        return self.rules.get(tag)

    def to_csv(self) -> bytes:
        """The table as it leaves with the bundle: tag, keyword, VR, action, source, option."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("tag", "keyword", "vr", "action", "removal", "source", "option"))
        for tag, rule in sorted(self.rules.items()):
            option = rule.option.value if rule.option else ""
            writer.writerow(
                (
                    format_tag(tag),
                    keyword_of(tag),
                    " or ".join(rule.vrs),
                    rule.action,
                    rule.removal,
                    rule.source,
                    option,
                )
            )
        return text.getvalue().encode()


@lru_cache(maxsize=2)
def compile_rules(
    options: frozenset[Option],
    dates: DatePreset,
    overrides: tuple[tuple[int, Action], ...],
    site_overrides: tuple[tuple[int, Action], ...] = (),
) -> RuleTable:
    """Resolve both tables under a protocol's options and its overrides of single attributes; remembered.

    ``site_overrides`` come last and only ever let out less: an attribute that the protocol does not let out as it is
    is not coarsened, it stays as the protocol says.
    """
    rules: dict[int, Rule] = {}
    for tag, row in _profile_rows():
        action, removal, option = _resolve_profile(tag, row, options)
        rules[tag] = _rule(tag, action, Source.PROFILE, removal, option)
    for tag, action in _allow_list_rows():
        if action is Action.SHIFT:
            rules[tag] = _rule(tag, *_resolve_date(tag, options))
        else:
            rules[tag] = _rule(tag, action, Source.ALLOW_LIST, "XZD", None)
    for tag, action in overrides:
        removal = rules[tag].removal if tag in rules else "XZD"
        # A shifted date is one whoever asked for it: (0028,0303) and the method code must say so.
        option = Option.RETAIN_MODIFIED_DATES if action is Action.SHIFT else None
        if action is Action.COARSEN and tag in rules:
            option = rules[tag].option
        rules[tag] = _rule(tag, action, Source.PROTOCOL, removal, option)
    for tag, action in site_overrides:
        known = rules.get(tag)
        if known is None or (action is Action.COARSEN and known.action not in (Action.KEEP, Action.CAP_AGE)):
            continue
        option = known.option if action is Action.COARSEN else None
        rules[tag] = _rule(tag, action, Source.SITE, known.removal, option)
    return RuleTable(rules, options, dates)


def _rule(tag: int, action: Action, source: Source, removal: str, option: Option | None) -> Rule:
    vrs = tuple(dictionary_vr(tag).split(" or "))
    verbatim = action is Action.KEEP and option is not None and vrs[0] in _TEXT_VRS
    return Rule(
        action=action,
        source=source,
        removal=removal,
        option=option,
        verbatim=verbatim or (action is Action.KEEP and source is Source.PROTOCOL),
        technical=source is Source.ALLOW_LIST,
        vrs=vrs,
        vm_max=_vm_max(tag),
    )


def _resolve_date(tag: int, options: frozenset[Option]) -> tuple[Action, Source, str, Option | None]:
    """A date that only the allow-list names follows the date options like those of the profile."""
    if Option.RETAIN_FULL_DATES in options:
        return Action.KEEP, Source.ALLOW_LIST, "XZD", Option.RETAIN_FULL_DATES
    if Option.RETAIN_MODIFIED_DATES in options:
        return _temporal_action(tag), Source.ALLOW_LIST, "XZD", Option.RETAIN_MODIFIED_DATES
    return Action.REMOVE, Source.ALLOW_LIST, "XZD", None


def _temporal_action(tag: int) -> Action:
    # A shift by whole days leaves the time of day as it is.
    return Action.KEEP if dictionary_vr(tag) == "TM" else Action.SHIFT


def _resolve_profile(tag: int, row: Mapping[str, str], options: frozenset[Option]) -> tuple[Action, str, Option | None]:
    """The action of a Table E.1-1 row, how it may go, and the option that decided."""
    removal = "".join(code for code in row["basic"] if code in "XZD") or "X"
    if tag in _PSEUDONYMS:
        return Action.PSEUDONYM, removal, None
    for column, option in _COLUMNS.items():
        code = row[column]
        if not code or option not in options:
            continue
        if code == "K":
            return _kept(tag, option), removal, option
        if code == "C":
            cleaned = _cleaned(tag, option)
            if cleaned is not None:
                return cleaned, removal, option
            continue
        raise ValueError(f"unknown option code in the table of {format_tag(tag)}")
    return _basic_action(tag, row["basic"]), removal, None


def _kept(tag: int, option: Option) -> Action:
    """What keeping means: characteristics of a patient that are text are typed by people, and cleaned."""
    if tag == PATIENT_AGE:
        return Action.CAP_AGE
    is_text = dictionary_vr(tag) in _TEXT_VRS
    return Action.CLEAN if option is Option.RETAIN_PATIENT_CHARACTERISTICS and is_text else Action.KEEP


def _cleaned(tag: int, option: Option) -> Action | None:
    """What cleaning means for an attribute; None where no rule can do it and the basic profile stays in force."""
    vr = dictionary_vr(tag).split(" or ")[0]
    if option is Option.RETAIN_MODIFIED_DATES:
        return _temporal_action(tag) if vr in ("DA", "DT", "TM") else None
    if vr in _TEXT_VRS or vr == "SQ":
        return Action.CLEAN
    return None  # overlays, curves, names, numbers: nothing to clean word by word


def _basic_action(tag: int, basic: str) -> Action:
    codes = basic.replace("/", "").replace("*", "")
    if "U" in codes:
        return Action.UID if dictionary_vr(tag) == "UI" else Action.CLEAN
    match codes[:1]:
        case "X":
            return Action.REMOVE
        case "Z":
            return Action.EMPTY
        case "D":
            return Action.DUMMY
        case _:
            raise ValueError(f"unknown basic code in the table of {format_tag(tag)}")


def _vm_max(tag: int) -> int | None:
    last = attribute_of(tag).vm.split(" or ")[-1].split("-")[-1]
    return int(last) if last.isdigit() else None


def _read_csv(name: str) -> Iterator[dict[str, str]]:
    with resource_path(f"standard/{name}").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _profile_rows() -> Iterator[tuple[int, Mapping[str, str]]]:
    for row in _read_csv("profile_e1_1.csv"):
        # Repeating groups, private elements, what is newer than pydicom's dictionary, and the groups of commands, File
        # Meta and directories (which stand in no dataset) are never let in.
        if not _HEX_TAG.fullmatch(row["tag"]) or int(row["tag"], 16) < _FIRST_TAG:
            continue
        if is_listed(int(row["tag"], 16)):
            yield int(row["tag"], 16), row


def _allow_list_rows() -> Iterator[tuple[int, Action]]:
    for row in _read_csv("allow_list.csv"):
        yield int(row["tag"], 16), Action(row["action"])


@lru_cache(maxsize=1)
def _types() -> dict[str, dict[str, list[list[str]]]]:
    loaded: dict[str, dict[str, list[list[str]]]] = json.loads(
        resource_path("standard/attribute_types.json").read_text(encoding="utf-8")
    )
    return loaded


@lru_cache(maxsize=64)
def requirements_of(sop_class_uid: str) -> Mapping[tuple[int, ...], Requirement]:
    """The strictest type of each attribute path in an object's modules; what is not in it is optional.

    Source: PS3.3 modules as shipped by highdicom. Conditional types count as their unconditional ones: an attribute
    that was there stays there.
    """
    found: dict[tuple[int, ...], Requirement] = {}
    tables = _types()
    for module, _usage in tables["classes"].get(sop_class_uid, []):
        for path, kind in tables["modules"].get(module, []):
            tags = tuple(int(part, 16) for part in path.split("."))
            requirement = Requirement(int(kind[0]))
            if tags not in found or requirement.value < found[tags].value:
                found[tags] = requirement
    return found


@lru_cache(maxsize=1)
def defined_terms() -> frozenset[str]:
    """CS values that the standard or a vendor defines; they say nothing about a patient."""
    lines = resource_path("standard/defined_terms.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line.strip() for line in lines if line.strip() and not line.startswith("#"))


@lru_cache(maxsize=1)
def safe_private() -> Mapping[tuple[str, int, int], tuple[str, int | None]]:
    """PS3.15 Table E.3.10-1: (creator, group, low byte of the element) -> (VR, most values)."""
    table: dict[tuple[str, int, int], tuple[str, int | None]] = {}
    for row in _read_csv("safe_private.csv"):
        last = row["vm"].split("-")[-1]
        table[row["creator"], int(row["group"], 16), int(row["element"], 16)] = (
            row["vr"],
            int(last) if last.isdigit() else None,
        )
    return table
