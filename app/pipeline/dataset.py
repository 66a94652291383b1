"""The checks of the data set where they belong in the whole: made anew before anybody signs or exports."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.dataset.deciding import decide
from app.dataset.defacing import deface_series
from app.dataset.step import check_dataset
from app.dicom.dictionary import keyword_of
from app.events import Job
from app.project.approvals import Approval
from app.project.dataset import Finding, FindingAction
from app.project.dataset_state import DatasetState, load_dataset_state
from app.project.decisions import load_decisions
from app.project.defacings import Defacing, load_defacing
from app.project.folder import Project
from app.project.values import ValueRow
from app.signoff import step as signoff


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding, and what was decided in sight of it; None where nothing was."""

    finding: Finding
    decided: FindingAction | None
    defacing: Defacing | None = None  # what came of taking the face out

    @property
    def waits(self) -> bool:
        """Whether the sign-off waits for it."""
        return self.finding.blocks and self.decided is None


@dataclass(frozen=True, slots=True)
class DatasetView:
    """The findings, those that wait first, whether they are of what would leave now, and what was decided beside them.

    ``facts`` tells apart what would leave at different times. ``attributes`` are keywords of those of which the site
    lets out less; ``studies`` counts those that stay here.
    """

    rows: tuple[FindingRow, ...]
    is_current: bool
    facts: str
    attributes: tuple[str, ...]
    studies: int


def load_dataset_view(project: Project) -> DatasetView:
    """What a person is shown; reads only."""
    decisions = load_decisions(project.layout)
    state, decided = load_dataset_state(project, decisions), decisions.dataset
    rows = [
        FindingRow(one, decided.findings[one.kind, one.original_key].action if decided.settle(one) else None)
        for one in state.findings
    ]
    rows = [
        replace(row, defacing=load_defacing(project.store, row.finding.original_key))
        if row.decided is FindingAction.DEFACE
        else row
        for row in rows
    ]
    rows.sort(key=lambda row: not row.waits)
    attributes = tuple(keyword_of(tag) for tag in sorted(decided.attributes))
    return DatasetView(tuple(rows), state.is_current, state.facts, attributes, len(decided.studies))


def remove_faces(project: Project, findings: Sequence[Finding], note: str) -> Job:
    """Decide that faces are taken out, and take them out."""
    decide(project, findings, FindingAction.DEFACE, note)
    yield from deface_series(project)


def refresh_dataset(project: Project) -> DatasetState:
    """Where the checks of the data set stand, after they ran again where something changed since."""
    state = load_dataset_state(project)
    if state.is_current:
        return state
    for _ in check_dataset(project):
        pass
    return load_dataset_state(project)


def approve(project: Project, rows: Sequence[ValueRow], name: str, role: str, now: datetime) -> Approval:
    """Sign what there is now, as ``signoff.step.approve``, once the data set was looked at as it is."""
    refresh_dataset(project)
    return signoff.approve(project, rows, name, role, now)
