"""Whether the data set as a whole was looked at as it is now, and what people still have to decide on."""

import hashlib
import json
from dataclasses import dataclass

from app.project.cohorts import load_drawn_groups, load_study_labels
from app.project.dataset import CHECKED_FACTS, Finding, load_findings
from app.project.decisions import Decisions, load_decisions
from app.project.folder import Project


@dataclass(frozen=True, slots=True)
class DatasetState:
    """``is_current``: the checks ran on ``facts``, what would leave now. ``undecided`` findings block the sign-off."""

    facts: str
    was_checked: bool
    is_current: bool
    findings: tuple[Finding, ...]
    undecided: tuple[Finding, ...]


def load_dataset_state(project: Project, decisions: Decisions | None = None) -> DatasetState:
    """Where the checks of the data set stand; ``decisions`` are read where they are not given. Reads only."""
    decisions = load_decisions(project.layout) if decisions is None else decisions
    findings = load_findings(project.store)
    checked, facts = project.store.get_meta(CHECKED_FACTS), facts_digest(project, decisions)
    return DatasetState(
        facts=facts,
        was_checked=checked is not None,
        is_current=checked == facts,
        findings=findings,
        undecided=tuple(one for one in findings if one.blocks and not decisions.dataset.settle(one)),
    )


def facts_digest(project: Project, decisions: Decisions) -> str:
    """SHA-256 in hex over all that the checks look at: what is prepared, how values leave, groups and labels."""
    store = project.store
    # A chunk's digest holds the UID, size and plan of each of its instances, and the recipe.
    prepared = store.execute(
        "SELECT series_id, prepared_with, state, count(*) FROM instances WHERE selected = 1 AND reason IS NULL "
        "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
    )
    content = [
        project.protocol_sha256,
        [tuple(row) for row in prepared],
        sorted((*key, one.action, one.replacement) for key, one in decisions.values.items()),
        sorted(decisions.tags_dropped),
        sorted((*key, group) for key, group in load_drawn_groups(store).items()),
        sorted((*key, sorted(labels.items())) for key, labels in load_study_labels(store).items()),
    ]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
