"""A person's word on a finding, and the ways to make it go away: tell less, or leave studies here.

What changes the release counts from the next *prepare* on, which has to run before anybody can sign.
"""

from collections.abc import Iterable
from dataclasses import replace

from app.dicom.dictionary import tag_of
from app.dicom.profile import COARSE_STEPS, Action
from app.errors import UsageError
from app.project.dataset import (
    DatasetDecisions,
    Finding,
    FindingAction,
    FindingDecision,
    FindingKind,
    load_dataset_decisions,
    save_dataset_decisions,
)
from app.project.folder import Project

LONGEST_NOTE = 200


def actions_for(kind: FindingKind) -> tuple[FindingAction, ...]:
    """What can be said to a finding of a kind."""
    match kind:
        case FindingKind.FACE:
            return FindingAction.KEEP, FindingAction.EXCLUDE, FindingAction.DEFACE
        case FindingKind.PATIENT_OVERLAP | FindingKind.SMALL_GROUPS:
            return FindingAction.KEEP, FindingAction.EXCLUDE
        case FindingKind.TARGET_LEAKAGE | FindingKind.RARE_VALUES:
            return (FindingAction.KEEP,)


def decide(project: Project, findings: Iterable[Finding], action: FindingAction | None, note: str = "") -> None:
    """Decide on findings in sight of what they are now; None takes the decision back.

    Excluding leaves the studies that a finding is about at the site, of a face the series. Raises
    UsageError("finding-action-impossible"), or "bad-note" for a note that is not one line of at most 200 characters.
    """
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise UsageError("bad-note")
    decisions = load_dataset_decisions(project.layout)
    decided, studies = dict(decisions.findings), set(decisions.studies)
    for finding in findings:
        key = (finding.kind, finding.original_key)
        if action is None:
            decided.pop(key, None)
            studies.difference_update(finding.original_members)
            continue
        if action not in actions_for(finding.kind):
            raise UsageError("finding-action-impossible")
        if action is FindingAction.EXCLUDE and finding.kind is not FindingKind.FACE:
            studies.update(finding.original_members)
            decided.pop(key, None)  # it is about others, or gone, once they are out
        else:
            decided[key] = FindingDecision(action, finding.seen, note)
    save_dataset_decisions(project.layout, replace(decisions, findings=decided, studies=frozenset(studies)))


def tell_in_steps(project: Project, keywords: Iterable[str]) -> None:
    """Have ages, sizes or weights leave in steps only. Raises UsageError("attribute-without-steps")."""
    tags = {keyword: tag_of(keyword) or 0 for keyword in keywords}
    if not tags or not set(tags.values()) <= COARSE_STEPS.keys():
        raise UsageError("attribute-without-steps")
    _set_attributes(project, dict.fromkeys(tags.values(), Action.COARSEN))


def remove_attribute(project: Project, keyword: str) -> None:
    """Have an attribute removed from every file. Raises UsageError("unknown-attribute")."""
    tag = tag_of(keyword)
    if tag is None:
        raise UsageError("unknown-attribute")
    _set_attributes(project, {tag: Action.REMOVE})


def undo_attributes(project: Project) -> None:
    """Take back every decision on attributes."""
    decisions = load_dataset_decisions(project.layout)
    save_dataset_decisions(project.layout, replace(decisions, attributes={}))


def take_back_studies(project: Project) -> None:
    """Let the studies leave again that were left here on account of a finding."""
    decisions = load_dataset_decisions(project.layout)
    save_dataset_decisions(project.layout, replace(decisions, studies=frozenset()))


def _set_attributes(project: Project, actions: dict[int, Action]) -> None:
    decisions: DatasetDecisions = load_dataset_decisions(project.layout)
    save_dataset_decisions(project.layout, replace(decisions, attributes={**decisions.attributes, **actions}))
