"""Puts what the selection takes into the protocol's groups, and draws; what is not drawn gets its reason."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from app.dicom.query import QueryType
from app.project.cohorts import GroupCounts, StudyGroup, StudyKey
from app.project.folder import Project
from app.project.store import Store
from app.protocol.groups import Group as ProtocolGroup
from app.protocol.schema import Protocol
from app.selection.cohort import Candidate, Drawing, GroupDraw, studies_of
from app.selection.evaluate import measures
from app.selection.explain import MAX_REASONS
from app.selection.groups import ENGINES_DISAGREE, Group, decide
from app.selection.joining import Joined
from app.selection.wanted import text_of

# group id of the selection -> why it does not fit; '' where it does
Fit = Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Member:
    """Images that the selection takes, as ``groups`` keeps them together; ``is_by_hand``: whatever the groups say."""

    group: Group
    is_by_hand: bool

    @property
    def study(self) -> StudyKey:
        """The study that they belong to."""
        return self.group.patient_id, self.group.original_study_uid


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Which studies are in which group, their labels, and why members are left out, by their id."""

    studies: Sequence[StudyGroup]
    labels: Mapping[StudyKey, Mapping[str, str]]
    counts: Sequence[GroupCounts]
    original_reasons: Mapping[int, str]


def make_cohorts(project: Project, members: Sequence[Member], joined: Joined) -> Cohorts:
    """Assign every study to the first group that it fits, draw, and say why the others stay.

    A protocol without groups leaves out only studies without a label that it requires.
    """
    protocol = project.protocol
    by_study: dict[StudyKey, list[Member]] = defaultdict(list)
    for member in members:
        by_study[member.study].append(member)
    fits = {group.name: _fit(project.store, group, members) for group in protocol.groups}
    reasons: dict[int, str] = {}
    assigned: dict[str, list[StudyKey]] = defaultdict(list)
    group_of: dict[StudyKey, str] = {}
    for key, of_study in by_study.items():
        group, told = _assign(protocol, key, of_study, fits, joined)
        if group is None:
            reasons |= {member.group.id: told for member in of_study}
        else:
            group_of[key] = group
            assigned[group].append(key)
    draws = list(_draw(project, assigned, by_study, fits))
    for draw in draws:
        fit = fits[draw.counts.name]
        for key, why in draw.reasons.items():
            reasons |= {member.group.id: why for member in by_study[key]}
        for key in draw.drawn:
            reasons |= {
                member.group.id: f"not for group {draw.counts.name}: {fit[member.group.id]}"
                for member in by_study[key]
                if fit[member.group.id]
            }
    by_hand = {member.group.id for member in members if member.is_by_hand}
    labels = {
        key: {label.name: said[label.name] for label in protocol.labels if label.name in said and label.concerns(group)}
        for key, said in joined.labels.items()
        for group in (group_of.get(key, ""),)
    }
    left_out = {group_id: reason for group_id, reason in reasons.items() if group_id not in by_hand}
    return Cohorts(studies_of(draws), labels, [draw.counts for draw in draws], left_out)


def _fit(store: Store, group: ProtocolGroup, members: Sequence[Member]) -> Fit:
    """What the group's own query says of each member; both engines have to agree."""
    ids = {member.group.id for member in members}
    if not group.query_forms:
        return dict.fromkeys(ids, "")
    return {
        one.id: ENGINES_DISAGREE if one.is_match is bool(one.original_reasons) else "; ".join(one.original_reasons)
        for one in decide(store, group.predicate)
        if one.id in ids
    }


def _assign(
    protocol: Protocol, key: StudyKey, members: Sequence[Member], fits: Mapping[str, Fit], joined: Joined
) -> tuple[str | None, str]:
    """The first group that a study fits ('' where the protocol has none); else None and why not."""
    if not protocol.groups:
        lacking = _lacking_label(protocol, key, "", joined)
        return (None, lacking) if lacking else ("", "")
    told = []
    listed = joined.groups.get(key)
    for group in protocol.groups:
        if listed is not None and listed != group.name:
            continue
        if group.listed and listed is None:
            told.append(f"not listed for group {group.name}")
            continue
        why = [fits[group.name][member.group.id] for member in members]
        lacking = _lacking_label(protocol, key, group.name, joined)
        if all(why):
            told.append(f"not for group {group.name}: {why[0]}")
        elif lacking:
            told.append(lacking)
        else:
            return group.name, ""
    return None, "; ".join(told[:MAX_REASONS])


def _lacking_label(protocol: Protocol, key: StudyKey, group: str, joined: Joined) -> str:
    said = joined.labels.get(key, {})
    lacking = [label.name for label in protocol.labels if label.required and label.concerns(group)]
    lacking = [name for name in lacking if name not in said]
    return f"without the label {lacking[0]}" if lacking else ""


def _draw(
    project: Project,
    assigned: Mapping[str, Sequence[StudyKey]],
    by_study: Mapping[StudyKey, Sequence[Member]],
    fits: Mapping[str, Fit],
) -> Iterator[GroupDraw]:
    drawing = Drawing(project.secret, project.protocol_sha256)
    for group in project.protocol.groups:
        fit = fits[group.name]
        candidates = [
            _candidate([member for member in by_study[key] if not fit[member.group.id]], by_study[key])
            for key in assigned.get(group.name, ())
        ]
        yield drawing.draw(group, candidates)


def _candidate(fitting: Sequence[Member], all_members: Sequence[Member]) -> Candidate:
    """A study by the first of its members that fit."""
    first = fitting[0].group
    attributes = first.original_attributes
    age = attributes.get("PatientAge")
    ages = measures(QueryType.AGE, [age]) if isinstance(age, str) else []
    date = text_of(attributes.get("StudyDate")).strip()
    return Candidate(
        patient_id=first.patient_id,
        original_patient_key=first.original_patient_key,
        original_study_uid=first.original_study_uid,
        age_years=ages[0] if ages else None,
        original_sex=text_of(attributes.get("PatientSex")),
        year=date[:4] if len(date) == 8 and date.isdecimal() else "",
        original_manufacturer=text_of(attributes.get("Manufacturer")),
        is_by_hand=any(member.is_by_hand for member in all_members),
    )
