"""Export: the bundle step is handed the de-identification, the decisions and the sign-off, which it may not know."""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from app import __version__
from app.bundle.release import Release
from app.bundle.sign_off import Signature, SignOffRecord
from app.bundle.step import export as export_parts
from app.deid.recipe import Patient, with_decisions
from app.deid.rules import compile_rules
from app.deid.step import load_patient, make_recipe, prepare, register_patients
from app.detection.signature import detection_signature
from app.dicom.profile import METHOD_CODES
from app.errors import ReleaseBlockedError
from app.events import Job
from app.jobs.executors import WorkExecutor
from app.pipeline.approved import approved_values
from app.pipeline.dataset import refresh_dataset
from app.pipeline.description import describe_dataset
from app.pipeline.identifiers import original_identifiers
from app.pipeline.overview import LAST_EXPORT
from app.pipeline.releasing import ReleaseContext, release_instance
from app.pipeline.report import applied_options, make_report
from app.project.approvals import format_time
from app.project.dataset import FindingKind
from app.project.decisions import PREPARED_DECISIONS, Decisions, ValueAction, load_decisions, prepared_with
from app.project.folder import Project
from app.project.images import DETECTION_SIGNATURE, ImagePlan, ImagePlanner
from app.project.values import ValueRow as DumpRow
from app.review.dump import build_dump
from app.signoff.step import check_release, unattended_decisions


def _utc_now() -> datetime:
    return datetime.now(UTC)


def export(
    project: Project,
    out: Path,
    executor: WorkExecutor,
    *,
    unattended: bool,
    clock: Callable[[], datetime] = _utc_now,
) -> Job:
    """Export what is approved, or under ``unattended`` what the rules alone allow, and remember that it was done.

    ``clock`` tells times with a zone.

    Raises ReleaseBlockedError where an approval or a decision is missing, or where the images were looked through
    with other detectors than are here now; nothing was written then.
    """
    if project.store.get_meta(DETECTION_SIGNATURE) not in (None, detection_signature(project)):
        raise ReleaseBlockedError("images-checked-otherwise")
    decisions = load_decisions(project.layout)
    if unattended and project.store.get_meta(PREPARED_DECISIONS) != prepared_with(decisions, unattended=True):
        # Found text is masked instead of asked about, so some headers become others.
        yield from prepare(project, executor, unattended=True)
    dataset = refresh_dataset(project)
    if unattended and any(one.kind is FindingKind.FACE for one in dataset.undecided):
        # Nobody is asked about a face: those images stay, which the planner now knows.
        yield from prepare(project, executor, unattended=True)
        refresh_dataset(project)
    rows = build_dump(project)
    state = check_release(project, rows, unattended=unattended)
    if unattended:
        decisions = unattended_decisions(project, rows)
    sign_off = SignOffRecord(
        tuple(Signature(one.role, one.name, one.when) for one in state.signatures),
        state.unattended,
        state.digest,
    )
    yield from export_parts(project, out, executor, _make_release(project, rows, decisions, sign_off))
    when = format_time(clock())
    record = {"folder": str(out.resolve()), "digest": sign_off.digest, "when": when, "unattended": unattended}
    project.store.set_meta(LAST_EXPORT, json.dumps(record))


def _plans_of_patient(project: Project, planner: ImagePlanner, patient_id: int) -> dict[int, ImagePlan]:
    series = project.store.execute("SELECT id FROM series WHERE patient_id = ?", (patient_id,)).fetchall()
    return {instance: plan for (one,) in series for instance, plan in planner.plans(one).items()}


def _make_release(project: Project, rows: Sequence[DumpRow], decisions: Decisions, sign_off: SignOffRecord) -> Release:
    recipe = with_decisions(make_recipe(project), decisions)
    pseudonyms = register_patients(project)
    rules = compile_rules(recipe.options, recipe.dates, recipe.overrides, recipe.site_overrides)
    patients: dict[int, Patient] = {}
    planner = ImagePlanner(project, unattended=sign_off.unattended, decisions=load_decisions(project.layout))

    def context_of(patient_id: int) -> ReleaseContext:
        if patient_id not in patients:
            patients[patient_id] = load_patient(project, patient_id, pseudonyms[patient_id])
        return ReleaseContext(recipe, patients[patient_id], _plans_of_patient(project, planner, patient_id))

    values = tuple(approved_values(rows, recipe))
    description = describe_dataset(project, values, recipe.dates.value)
    kept = [value for (_, value), decision in decisions.values.items() if decision.action is ValueAction.KEEP]
    content = json.dumps(
        [
            __version__,
            recipe.digest,
            decisions.digest(),
            sign_off.digest,
            project.secret.fingerprint(),
            sorted((one.code, one.shift_days) for one in pseudonyms.values()),
        ]
    )
    return Release(
        function=release_instance,
        contexts=context_of,
        patient_codes={patient_id: one.code for patient_id, one in pseudonyms.items()},
        values=values,
        description=description,
        rules_csv=rules.to_csv(),
        sign_off=sign_off,
        method_codes=tuple(METHOD_CODES[option] for option in (None, *applied_options(project))),
        date_preset=recipe.dates.value,
        digest=hashlib.sha256(content.encode()).hexdigest(),
        report=lambda: make_report(project, rows, decisions, recipe, sign_off, description),
        identifiers=lambda patient_id: original_identifiers(project, patient_id, kept),
    )
