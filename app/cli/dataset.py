"""What ``consign dataset`` does: the checks of the data set as a whole, and decisions on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.cli.console import Console
from app.dataset.deciding import decide, remove_attribute, take_back_studies, tell_in_steps, undo_attributes
from app.errors import UsageError
from app.pipeline.dataset import refresh_dataset, remove_faces
from app.project.dataset import Finding, FindingAction
from app.project.dataset_state import DatasetState, load_dataset_state
from app.project.decisions import load_decisions
from app.project.defacings import Defacing, load_defacing
from app.project.folder import Project
from app.text.dataset_words import defacing_sentence, finding_sentences

BLOCKED = 1


@dataclass(frozen=True, slots=True)
class DatasetRequest:
    """What a person decided: ids of findings as they were shown, and attributes by keyword."""

    keep: Sequence[str] = ()
    exclude: Sequence[str] = ()
    deface: Sequence[str] = ()
    steps: Sequence[str] = ()
    remove: Sequence[str] = ()
    note: str = ""
    undo: bool = False


def run_dataset(console: Console, folder: Path, request: DatasetRequest) -> int:
    """Check the data set, take decisions, and tell what is found and what waits; 1 where something waits."""
    with Project(folder) as project:
        state = refresh_dataset(project)
        if request.undo:
            undo_attributes(project)
            take_back_studies(project)
            decide(project, state.findings, None)
        decide(project, _chosen(state, request.keep), FindingAction.KEEP, request.note)
        decide(project, _chosen(state, request.exclude), FindingAction.EXCLUDE, request.note)
        if request.deface:
            console.watch(remove_faces(project, _chosen(state, request.deface), request.note))
        if request.steps:
            tell_in_steps(project, request.steps)
        for keyword in request.remove:
            remove_attribute(project, keyword)
        state = load_dataset_state(project)
        decisions = load_decisions(project.layout).dataset
        faces = {uid: load_defacing(project.store, uid) for uid in decisions.defaced}
    waiting = {one.seen for one in state.undecided}
    findings = [
        {
            "id": _id(one),
            "kind": one.kind,
            "blocks": one.blocks,
            "waits": one.seen in waiting,
            "details": dict(one.details),
        }
        for one in state.findings
    ]
    waits, known = console.tr("WAITS"), console.tr("known")
    width = max(len(waits), len(known))
    lines = [
        f"{waits if one.seen in waiting else known:<{width}} {_id(one)}  {' '.join(_sentences(console, one, faces))}"
        for one in state.findings
    ]
    counted = {"findings": len(state.findings), "undecided": len(state.undecided)}
    lines.append(console.tr("Findings: {findings}, waiting for a decision: {undecided}", **counted))
    if decisions.preparation_content():
        lines.append(console.tr("Decisions on studies and attributes count from the next: consign prepare"))
    console.result({"findings": findings, "waiting": len(state.undecided)}, "\n".join(lines))
    return BLOCKED if state.undecided else 0


def _sentences(console: Console, finding: Finding, faces: Mapping[str, Defacing | None]) -> list[str]:
    sentences = finding_sentences(finding, console.translate)
    if finding.original_key in faces:
        sentences.append(defacing_sentence(faces[finding.original_key], console.translate))
    return sentences


def _id(finding: Finding) -> str:
    """What a person names a finding by: its digest, which changes when it does."""
    return finding.seen


def _chosen(state: DatasetState, ids: Sequence[str]) -> list[Finding]:
    by_id = {_id(one): one for one in state.findings}
    if not set(ids) <= by_id.keys():
        raise UsageError("unknown-finding")
    return [by_id[name] for name in ids]
