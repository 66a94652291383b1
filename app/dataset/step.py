"""*Check the data set*: everything that can only be seen in what leaves as a whole. Findings for the sign-off."""

import hmac
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from app.dataset.faces import find_faces
from app.dataset.leakage import Leak, find_leaks
from app.dataset.rare_values import find_rare_values
from app.dataset.released import ReleasedStudy, load_released_studies
from app.dataset.small_groups import coarsenable, group_patients
from app.dicom.profile import DatePreset, Option
from app.events import Finished, Job, Progress
from app.project.cohorts import StudyKey, load_drawn_groups, load_study_labels
from app.project.dataset import Finding, FindingKind, replace_findings, seen_digest
from app.project.dataset_state import facts_digest
from app.project.decisions import load_decisions
from app.project.folder import Project
from app.protocol.labels import LabelType

STEP = "check-dataset"
GROUP = "group"
_SHOWN_GROUPS = 50
_SHOWN_VALUES = 20
_KEY_DIGITS = 15
_CHECKS = 5


def check_dataset(project: Project) -> Job:
    """Look at what would leave as a whole, and write what was found in place of what was known before."""
    decisions = load_decisions(project.layout)
    facts = facts_digest(project, decisions)
    yield Progress(STEP, 0, _CHECKS, "checks")
    studies = load_released_studies(project, decisions)
    groups = load_drawn_groups(project.store)
    findings: list[Finding] = []
    checks = (
        _overlaps(project, studies, groups),
        _leaks(project, studies, groups),
        _small_groups(project, studies),
        _faces(project),
        _rare_values(project, studies),
    )
    for done, found in enumerate(checks, start=1):
        findings += found
        yield Progress(STEP, done, _CHECKS, "checks")
    with project.store.transaction():
        replace_findings(project.store, findings, facts)
    counts = Counter(one.kind.value for one in findings)
    yield Finished(STEP, {**counts, "blocking": sum(one.blocks for one in findings)})


def _overlaps(project: Project, studies: Sequence[ReleasedStudy], groups: Mapping[StudyKey, str]) -> Iterator[Finding]:
    """A patient in two groups: a model that knows them from one is not tested on the other."""
    key = project.secret.subkey("data set findings")
    by_patient: dict[int, list[ReleasedStudy]] = {}
    for study in studies:
        if study.key in groups:
            by_patient.setdefault(study.patient_id, []).append(study)
    for members in by_patient.values():
        counts = Counter(groups[one.key] for one in members)
        if len(counts) < 2:
            continue
        uids = tuple(sorted(one.key[1] for one in members))
        code = members[0].patient_code
        name = hmac.digest(key, code.encode(), "sha256").hex()[:_KEY_DIGITS]
        details = {"patient": code, "groups": dict(sorted(counts.items()))}
        yield Finding(FindingKind.PATIENT_OVERLAP, f"p{name}", seen_digest([details, uids]), True, details, uids)


def _leaks(project: Project, studies: Sequence[ReleasedStudy], groups: Mapping[StudyKey, str]) -> Iterator[Finding]:
    """Attributes that tell the group or a label; the ones above the protocol's limit block."""
    limit = project.protocol.dataset.checks.leakage
    best: dict[str, Leak] = {}
    for label, values in _labels(project, studies, groups):
        for leak in find_leaks(studies, label, values):
            if leak.score >= limit and (leak.attribute not in best or leak.score > best[leak.attribute].score):
                best[leak.attribute] = leak
    for attribute, leak in sorted(best.items()):
        details = {**asdict(leak), "classes": list(leak.classes), "score": round(leak.score, 4)}
        # Figures move with every image; what a person agreed to is the attribute, the label and about how well.
        seen = seen_digest([attribute, leak.label, round(leak.score, 1)])
        yield Finding(FindingKind.TARGET_LEAKAGE, attribute, seen, True, details)


def _labels(
    project: Project, studies: Sequence[ReleasedStudy], groups: Mapping[StudyKey, str]
) -> Iterator[tuple[str, Mapping[StudyKey, str]]]:
    """What could leak: the group, each category, each number as below or above its median."""
    if groups:
        yield GROUP, groups
    labels = load_study_labels(project.store)
    for label in project.protocol.labels:
        values = {one.key: labels[one.key][label.name] for one in studies if label.name in labels.get(one.key, {})}
        if label.type is LabelType.NUMBER and values:
            middle = sorted(map(float, values.values()))[len(values) // 2]
            values = {key: "low" if float(text) < middle else "high" for key, text in values.items()}
        yield label.name, values


def _small_groups(project: Project, studies: Sequence[ReleasedStudy]) -> Iterator[Finding]:
    """The smallest group over what leaves of a person; blocks where the protocol's k is not reached."""
    k = project.protocol.dataset.checks.smallest_group
    rules = project.protocol.deidentification
    shifted = Option.RETAIN_MODIFIED_DATES in rules.options and rules.dates is DatePreset.SHIFTED
    grouping = group_patients(studies, k, dates_are_true=not shifted)
    if not grouping.patients:
        return
    in_steps = coarsenable(grouping)
    coarse = group_patients(studies, k, dates_are_true=not shifted, coarse=frozenset(in_steps))
    smallest_first = sorted(grouping.sizes.items(), key=lambda item: (item[1], item[0]))
    details = {
        "k": k,
        "smallest": grouping.smallest,
        "patients": grouping.patients,
        "below": len(grouping.below),
        "attributes": list(grouping.attributes),
        "groups": [[list(values), count] for values, count in smallest_first[:_SHOWN_GROUPS] if count < k],
        "in_steps": list(in_steps),
        "below_in_steps": len(coarse.below),
        "smallest_in_steps": coarse.smallest,
    }
    members = tuple(sorted(one.key[1] for one in studies if one.patient_id in grouping.below))
    seen = seen_digest([k, grouping.smallest, list(grouping.attributes), members])
    yield Finding(FindingKind.SMALL_GROUPS, "k", seen, bool(grouping.below), details, members)


def _faces(project: Project) -> Iterator[Finding]:
    blocks = project.protocol.dataset.checks.faces
    for risk in find_faces(project):
        details = {key: value for key, value in asdict(risk).items() if key != "original_series_uid"}
        details["said_by"] = list(risk.said_by)
        uid = risk.original_series_uid
        yield Finding(FindingKind.FACE, uid, seen_digest([uid, details]), blocks, details, (uid,))


def _rare_values(project: Project, studies: Sequence[ReleasedStudy]) -> Iterator[Finding]:
    limit = project.protocol.dataset.checks.rare_value
    for path, values in find_rare_values(studies, limit).items():
        details = {"values": dict(list(values.items())[:_SHOWN_VALUES]), "count": len(values), "limit": limit}
        yield Finding(FindingKind.RARE_VALUES, path, seen_digest([path, dict(values)]), False, details)
