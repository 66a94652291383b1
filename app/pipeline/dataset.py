"""The checks of the data set where they belong in the whole: made anew before anybody signs or exports."""

from collections.abc import Sequence
from datetime import datetime

from app.dataset.step import check_dataset
from app.project.approvals import Approval
from app.project.dataset_state import DatasetState, load_dataset_state
from app.project.folder import Project
from app.project.values import ValueRow
from app.signoff import step as signoff


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
