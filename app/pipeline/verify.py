"""Verification with or without the project that a bundle came from."""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

from app.bundle.verify import BundleReport, verify_progress
from app.deid.step import register_patients
from app.events import Event
from app.files.regular import system_folder
from app.pipeline.identifiers import original_identifiers
from app.project.decisions import ValueAction, load_decisions
from app.project.folder import Project


def verify(paths: Sequence[Path], project: Path | None) -> Generator[Event, None, BundleReport]:
    """Check parts or folders of them; returns the report. With ``project`` its original identifiers are looked for."""
    identifiers = None
    if project is not None:
        with Project(project) as opened:
            identifiers = identifiers_of(opened)
    return (yield from verify_progress([system_folder(path) for path in paths], identifiers))


def identifiers_of(project: Project) -> Mapping[str, tuple[str, ...]]:
    """Patient code -> what must not be found in that patient's files; for an open project, which alone may write."""
    decisions = load_decisions(project.layout)
    kept = [value for (_, value), decision in decisions.values.items() if decision.action is ValueAction.KEEP]
    return {
        pseudonym.code: original_identifiers(project, patient_id, kept)
        for patient_id, pseudonym in register_patients(project).items()
    }
