"""*Prepare*: every selected header de-identified in memory; what is kept is what people have to review."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.deid.recipe import Patient, Recipe, describe_patient
from app.deid.values import Number
from app.deid.worker import Outcome, PrepareContext, PreparedBatch, PrepareItem, prepare_batch
from app.dicom.uids import KEYED_PREFIX
from app.errors import Reason, UsageError
from app.events import Finished, Job, Note, Progress
from app.jobs.executors import WorkExecutor
from app.jobs.pump import Batch, Done, Lost, Waiting, run_batches
from app.project.crosswalk import Crosswalk, PatientPseudonym
from app.project.decisions import PREPARED_DECISIONS, load_decisions, prepared_with
from app.project.folder import Project
from app.project.images import ImagePlan, ImagePlanner
from app.project.sources import AWAY, require_sources

STEP = "prepare"
BATCH_INSTANCES = 200
SECONDS_PER_ITEM = 60.0

_TRANSIENT = frozenset(
    (Reason.UNREADABLE_IO, Reason.VANISHED, Reason.WORKER_CRASHED, Reason.WORKER_HUNG, Reason.WORKER_OUT_OF_MEMORY)
)
_FORGET = "UPDATE instances SET state = NULL, state_reason = NULL, prepared_with = NULL, released_size = NULL WHERE "
_TABLES = ("released_values", "dropped_words", "applied_actions")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A batch that is to be prepared: its key, the digest of all that its result depends on, how many instances.

    The instances themselves are read when their turn comes: half a million of them would not stay small.
    """

    name: str
    patient_id: int
    digest: str
    instances: int


def make_recipe(project: Project) -> Recipe:
    """The recipe of a project: its protocol, its keys, and the decisions that change what is prepared."""
    decisions = load_decisions(project.layout)
    protocol = project.protocol
    return Recipe(
        options=protocol.deidentification.options,
        dates=protocol.deidentification.dates,
        overrides=tuple(sorted(protocol.deidentification.overrides.items())),
        site_overrides=tuple(sorted(decisions.dataset.attributes.items())),
        safe_words=frozenset(word.casefold() for word in protocol.words.safe) | decisions.safe_words,
        uid_key=project.secret.subkey("uid"),
        accession_key=project.secret.subkey("accession"),
    )


def register_patients(project: Project) -> dict[int, PatientPseudonym]:
    """The pseudonym of each patient with selected instances, drawn where there is none; by row of ``patients``."""
    rows = project.store.execute(
        "SELECT p.id, p.original_key, min(f.original_locator) AS first FROM patients p "
        "JOIN series s ON s.patient_id = p.id JOIN instances i ON i.series_id = s.id JOIN files f ON f.id = i.file_id "
        "WHERE i.selected = 1 GROUP BY p.id ORDER BY first, p.original_key"
    ).fetchall()
    crosswalk = Crosswalk(project.store, project.secret, project.site_id)
    pseudonyms = crosswalk.register_patients(row["original_key"] for row in rows)
    return {row["id"]: pseudonyms[row["original_key"]] for row in rows}


def load_patient(project: Project, patient_id: int, pseudonym: PatientPseudonym) -> Patient:
    """A patient with all that is known to identify them."""
    identities = project.store.execute(
        "SELECT kind, original_value FROM identities WHERE patient_id = ? ORDER BY kind, original_value",
        (patient_id,),
    )
    return describe_patient(
        pseudonym.code, pseudonym.shift_days, [(row["kind"], row["original_value"]) for row in identities]
    )


def prepare(project: Project, executor: WorkExecutor, *, unattended: bool = False) -> Job:
    """Prepare what is selected and not yet prepared by this recipe.

    ``unattended``: for a release that nobody looks at, which masks what was found in images instead of asking.
    Raises UsageError("nothing-selected") where there is nothing to do at all, "source-gone" where a drive went away.
    """
    store = project.store
    selected = store.one("SELECT count(*) FROM instances WHERE selected = 1")
    if not selected:
        raise UsageError("nothing-selected")
    decisions = load_decisions(project.layout)
    recipe = make_recipe(project)
    pseudonyms = register_patients(project)
    with store.transaction():
        planner = ImagePlanner(project, unattended=unattended, decisions=decisions)
        chunks, current = _plan(project, recipe, pseudonyms, planner)
        _forget_others(project, current)
    total = sum(chunk.instances for chunk in chunks.values())
    done = 0
    yield Progress(STEP, 0, total, "instances")
    batches = _batches(project, recipe, pseudonyms, chunks, planner)
    for result in run_batches(prepare_batch, batches, executor, seconds_per_item=SECONDS_PER_ITEM):
        if isinstance(result, Waiting):
            yield Progress(STEP, done, total, "instances")
            continue
        chunk = chunks[result.batch.context.name]
        with store.transaction():
            match result:
                case Done(batch, prepared):
                    _store(project, chunk, batch.items, prepared)
                case Lost(batch, reason):
                    _mark(project, chunk, (Outcome(batch.items[0].instance_id, reason, 0),))
        if isinstance(result, Lost):
            yield Note(STEP, "worker-lost-file", {"instance": result.batch.items[0].instance_id})
        else:
            outcomes = result.result.outcomes
            require_sources(store, (one.instance_id for one in outcomes if one.reason in AWAY))
        done += len(result.batch.items)
        yield Progress(STEP, done, total, "instances")
    store.set_meta(PREPARED_DECISIONS, prepared_with(decisions, unattended=unattended))
    states = {
        row["state"]: row["n"]
        for row in store.execute("SELECT state, count(*) AS n FROM instances WHERE selected = 1 GROUP BY state")
    }
    yield Finished(
        STEP,
        {
            "prepared": states.get("prepared", 0),
            "held_back": states.get("held-back", 0),
            "done_now": done,
            "values": store.one("SELECT count(*) FROM (SELECT DISTINCT path, fold, value FROM released_values)"),
        },
    )


def _plan(
    project: Project, recipe: Recipe, pseudonyms: Mapping[int, PatientPseudonym], planner: ImagePlanner
) -> tuple[dict[str, _Chunk], set[str]]:
    """The chunks that are still to be prepared, by name, and the names of those that are as they should be.

    What was known of the former is forgotten: an interruption must not leave them as prepared.
    """
    recipe_digest = recipe.digest
    chunks: dict[str, _Chunk] = {}
    current: set[str] = set()
    for patient_id, pseudonym in pseudonyms.items():
        patient = load_patient(project, patient_id, pseudonym)
        known = [sorted(part) for part in _identity_sets(patient)]
        patient_digest = _digest(recipe_digest, patient.code, patient.shift_days, known)
        for name, rows, plans in _chunks_of(project, patient_id, planner):
            # No row number: the digest becomes part of the sign-off, which must not depend on how the scan went.
            files = [
                [row["original_sop_instance_uid"], row["size"], row["mtime_ns"], _plan_digest(plans.get(row["id"]))]
                for row in rows
            ]
            digest = _digest(patient_digest, files)
            if all(row["prepared_with"] == digest and not _is_worth_a_retry(row) for row in rows):
                current.add(name)
                continue
            chunks[name] = _Chunk(name, patient_id, digest, len(rows))
            project.store.executemany(
                _FORGET + "id = ? AND state IS NOT NULL", [(row["id"],) for row in rows if row["prepared_with"]]
            )
    return chunks, current


def _batches(
    project: Project,
    recipe: Recipe,
    pseudonyms: Mapping[int, PatientPseudonym],
    chunks: Mapping[str, _Chunk],
    planner: ImagePlanner,
) -> Iterator[Batch[PrepareContext, PrepareItem]]:
    """The work of the chunks, patient by patient."""
    for patient_id in dict.fromkeys(chunk.patient_id for chunk in chunks.values()):
        patient = load_patient(project, patient_id, pseudonyms[patient_id])
        for name, rows, plans in _chunks_of(project, patient_id, planner):
            if name in chunks:
                items = tuple(PrepareItem(row["id"], row["original_locator"], plans.get(row["id"])) for row in rows)
                yield Batch(PrepareContext(name, recipe, patient), items)


def _is_worth_a_retry(row: Any) -> bool:
    """Whether *prepare* lost an instance to something that may be over by now.

    What the export lost (it has a size) stays out: people signed the values of the others, which must not change.
    """
    return row["state_reason"] in _TRANSIENT and not row["released_size"]


def _identity_sets(patient: Patient) -> Sequence[frozenset[str]]:
    return patient.unsafe_words, patient.identity_phrases, patient.identity_numbers


def _digest(*content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _plan_digest(plan: ImagePlan | None) -> str:
    return plan.digest if plan else ""


def _chunks_of(
    project: Project, patient_id: int, planner: ImagePlanner
) -> Iterator[tuple[str, list[Any], dict[int, ImagePlan]]]:
    """A patient's selected instances by series, cut into chunks; each with its name and its images' plans."""
    # All at once: the same table is written while the chunks are worked on.
    rows = project.store.execute(
        "SELECT i.id, i.series_id, i.original_sop_instance_uid, i.prepared_with, i.state_reason, i.released_size, "
        "f.original_locator, f.size, f.mtime_ns FROM instances i "
        "JOIN series s ON s.id = i.series_id JOIN files f ON f.id = i.file_id "
        "WHERE s.patient_id = ? AND i.selected = 1 ORDER BY i.series_id, f.original_locator",
        (patient_id,),
    ).fetchall()
    for series_id, series in groupby(rows, key=itemgetter("series_id")):
        instances = list(series)
        plans = planner.plans(series_id)
        for number, start in enumerate(range(0, len(instances), BATCH_INSTANCES)):
            yield f"{series_id}:{number}", instances[start : start + BATCH_INSTANCES], plans


def _forget_others(project: Project, current: set[str]) -> None:
    """Drop what was prepared for instances that are no longer selected, in other chunks, or by another recipe."""
    store = project.store
    for table in _TABLES:
        for row in store.execute(f"SELECT DISTINCT batch FROM {table}").fetchall():  # noqa: S608 - names of ours
            if ":".join(row["batch"].split(":")[:2]) not in current:
                store.execute(f"DELETE FROM {table} WHERE batch = ?", (row["batch"],))  # noqa: S608
    store.execute(_FORGET + "selected IS NOT 1 AND state IS NOT NULL")


def _store(project: Project, chunk: _Chunk, items: Sequence[PrepareItem], prepared: PreparedBatch) -> None:
    store = project.store
    # After a worker's death the chunk comes back item by item; each gets a key of its own under the chunk's.
    key = chunk.name if len(items) == chunk.instances else f"{chunk.name}:{items[0].instance_id}"
    store.executemany(
        "INSERT INTO released_values VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                key,
                chunk.patient_id,
                row.path,
                row.vr,
                row.fold,
                row.value,
                _end_of_range(row.low),
                _end_of_range(row.high),
                row.count,
                row.example_instance_id,
                int(row.identity_hit),
            )
            for row in prepared.values
        ],
    )
    store.executemany(
        "INSERT INTO dropped_words VALUES (?, ?, ?, ?)",
        [(key, chunk.patient_id, word, count) for word, count in sorted(prepared.original_words.items())],
    )
    store.executemany(
        "INSERT INTO applied_actions VALUES (?, ?, ?, ?, ?)",
        [(key, *applied, count) for applied, count in sorted(prepared.applied.items())],
    )
    crosswalk = Crosswalk(store, project.secret, project.site_id)
    pairs = sorted(prepared.original_uids)
    crosswalk.add("uid", [pair for pair in pairs if pair[1].startswith(KEYED_PREFIX)])
    crosswalk.add("accession", [pair for pair in pairs if not pair[1].startswith(KEYED_PREFIX)])
    _mark(project, chunk, prepared.outcomes)


def _end_of_range(end: Number | str | None) -> str | None:
    """As text. Zero has one spelling, or the order of rows would decide between 0.0 and -0.0."""
    if end is None or isinstance(end, str):
        return end
    return str(end or abs(end))


def _mark(project: Project, chunk: _Chunk, outcomes: Iterable[Outcome]) -> None:
    project.store.executemany(
        "UPDATE instances SET state = ?, state_reason = ?, prepared_with = ?, released_size = ? WHERE id = ?",
        [
            (
                "prepared" if outcome.reason is None else "held-back",
                outcome.reason.value if outcome.reason else None,
                chunk.digest,
                outcome.size_limit,
                outcome.instance_id,
            )
            for outcome in outcomes
        ],
    )
