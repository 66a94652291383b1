"""The end of the job: export, then the verification that everyone can see, both remembered in the project."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from app.bundle.estimate import Estimate, estimate_export
from app.bundle.verify import verify_progress
from app.deid.rules import compile_rules
from app.deid.step import make_recipe
from app.errors import UsageError
from app.events import Finished, Job
from app.jobs.executors import WorkExecutor
from app.pipeline.export import export
from app.pipeline.overview import LAST_VERIFICATION, load_export, load_parts
from app.pipeline.verify import identifiers_of
from app.project.approvals import format_time
from app.project.crosswalk import Crosswalk
from app.project.folder import Project
from app.project.values import ValueRow

STEP = "verify"
# About what a row takes in the table of values, which every part carries.
_BYTES_PER_ROW = 120

Clock = Callable[[], datetime]


def hand_over(project: Project, out: Path, executor: WorkExecutor, clock: Clock) -> Job:
    """Export what is approved into ``out`` and verify what was written; ``clock`` tells times with a zone.

    Raises as ``pipeline.export.export`` does. A verification with findings is no exception: it is there to be read.
    """
    yield from export(project, out, executor, unattended=False, clock=clock)
    yield from verify_again(project, clock)


def verify_again(project: Project, clock: Clock) -> Job:
    """Verify what the last export wrote, and remember what was found; raises UsageError("nothing-exported")."""
    exported = load_export(project)
    if exported is None:
        raise UsageError("nothing-exported")
    report = yield from verify_progress([exported.folder], identifiers_of(project))
    written = {part.name: part.sha256 for part in load_parts(project)}
    instances = sum(part.instances for part in report.parts)
    record = {
        # What was found there, not what the project thinks that it wrote: a foreign part makes the record stale.
        "parts": [[part.name, part.sha256] for part in sorted(report.parts, key=lambda part: (part.number, part.name))],
        "instances": instances,
        "findings": [[one.code, one.part, one.entry, one.path] for one in report.findings],
        "when": format_time(clock()),
    }
    project.store.set_meta(LAST_VERIFICATION, json.dumps(record))
    counts = {"parts": len(report.parts), "instances": instances, "findings": len(report.findings)}
    counts["parts_of_this_project"] = sum(written.get(part.name) == part.sha256 for part in report.parts)
    yield Finished(STEP, counts)


def estimate(project: Project, out: Path, rows: Sequence[ValueRow]) -> Estimate:
    """What ``hand_over`` would write now; reads only."""
    crosswalk = Crosswalk(project.store, project.secret, project.site_id)
    patients = project.store.execute(
        "SELECT DISTINCT p.id, p.original_key FROM patients p JOIN series s ON s.patient_id = p.id "
        "JOIN instances i ON i.series_id = s.id WHERE i.selected = 1 AND i.state = 'prepared'"
    )
    found = {row["id"]: crosswalk.find_patient(row["original_key"]) for row in patients}
    codes = {patient_id: pseudonym.code if pseudonym else "" for patient_id, pseudonym in found.items()}
    recipe = make_recipe(project)
    rules = compile_rules(recipe.options, recipe.dates, recipe.overrides, recipe.site_overrides).to_csv()
    metadata_size = len(rules) + project.layout.protocol_toml.stat().st_size + len(rows) * _BYTES_PER_ROW
    return estimate_export(project, codes, out, metadata_size)
