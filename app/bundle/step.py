"""The export job: plans parts, has workers build and verify them, and puts each in place. A part is what is
resumed.
"""

import hashlib
import json
import re
import secrets
import shutil
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import assert_never

from app import __version__
from app.bundle.card import CardFacts
from app.bundle.labelling import load_labels
from app.bundle.labels import StudyLabels
from app.bundle.part import (
    PartBuilt,
    PartContext,
    PartOutcome,
    PartRejected,
    PartTask,
    PartUnwritable,
    PartWithout,
    build_parts,
    part_stem,
    read_trace,
)
from app.bundle.plan import (
    MAX_PART_BYTES,
    MAX_PART_ENTRIES,
    Capacity,
    PatientLoad,
    PlannedPart,
    plan_parts,
    target_size,
)
from app.bundle.release import Release, ReleaseTask
from app.bundle.report import Part, render_report
from app.bundle.tables import encode_json, encode_sign_off, encode_values
from app.dicom.pixel_digest import PixelDigest
from app.errors import BundleError, Reason, ReleaseBlockedError, UsageError
from app.events import Event, Finished, Job, Note, Progress
from app.files.atomic import put_in_place, remove, write_atomically
from app.files.regular import system_folder
from app.files.resources import resource_path
from app.jobs.executors import WorkExecutor
from app.jobs.pump import Batch, Done, Lost, Waiting, run_batches
from app.project.folder import Project
from app.project.images import forget_checks
from app.project.sources import AWAY, is_there_again, require_sources

STEP = "export"
CHECKSUMS, REPORT, VERIFIER = "SHA256SUMS", "report.html", "verify.py"
FORMAT = 2  # raised when the same inputs make other bytes
_FOLDERS_KEY = "export-folders"
_MEGABYTE = 1_000_000
# A worker that takes longer hangs: a network share that does 2 MB/s and half a second an instance are still
# work.
_SECONDS_PER_PART, _SECONDS_PER_INSTANCE, _SECONDS_PER_MEGABYTE = 120.0, 0.5, 0.5
# Beyond what the parts take: the report, checksums, and what the file system itself needs.
SPARE_BYTES = 16 * _MEGABYTE
# How often a part is built again because a drive was away for a moment.
TRIES = 3

# The order of export within a patient; nothing in it depends on time or place.
_INSTANCES = """
    FROM instances i JOIN files f ON f.id = i.file_id JOIN series s ON s.id = i.series_id
    LEFT JOIN pixel_digests d ON d.instance_id = i.id
    WHERE i.selected = 1 AND i.state = 'prepared' AND i.reason IS NULL
"""
_IN_ORDER = """
    ORDER BY s.original_study_uid, s.original_series_uid, i.instance_number, i.original_sop_instance_uid, i.id
"""
_SIZE = "COALESCE(i.released_size, f.size)"


@dataclass(slots=True)
class _Export:
    """What stays the same during one export, and what it has done so far."""

    project: Project
    folder: Path
    group: str
    release: Release
    files: Mapping[str, bytes] = field(repr=False)
    labels: StudyLabels = field(repr=False)
    run: str
    sound: set[str] = field(default_factory=set)  # plan digests of parts known to be right
    reused: int = 0
    held_back: int = 0


def export(project: Project, out: Path, executor: WorkExecutor, release: Release) -> Job:
    """Write the bundle of all prepared instances into ``out``, verified, and yield progress in instances.

    A part that is there and right is kept, so that an interrupted export goes on where it was. An instance
    that cannot be read any more is held back with its reason, and the plan made anew without it.

    Raises
    ------
    UsageError
        "out-has-foreign-files": files of the bundle's names that are not of this project; "out-not-a-folder";
        "source-gone": a drive went away.
    ReleaseBlockedError
        "nothing-to-export", "disk-full" (needed and free in MB).
    BundleError
        "verification-failed" (part, findings; Notes before it name the first of them), "out-not-writable",
        "part-lost" (a worker died outside of any instance), "protocol-changed".
    """
    out = system_folder(out)
    group = f"{project.site_id}-{project.protocol.id}"
    _claim_folder(project, out, group)
    work = _Export(
        project, out, group, release, _fixed_files(project, release), load_labels(project), secrets.token_hex(4)
    )
    yield from _remove_leftovers(work)
    tries = TRIES
    while True:
        plan = _plan(work)
        if not plan:
            raise ReleaseBlockedError("nothing-to-export")
        failures = yield from _build(work, plan, executor)
        if not failures:
            break
        away = [instance for instance, reason in failures if reason in AWAY]
        require_sources(project.store, away)
        # Held back in an export is held back for good: people signed what there was. So what is there again is not.
        again = {instance for instance in away if tries and is_there_again(project.store, instance)}
        tries -= bool(again)
        yield from _hold_back(work, [failure for failure in failures if failure[0] not in again])
    parts = _finished_parts(project)
    _write_beside(work, parts)
    yield Finished(
        STEP,
        {
            "parts": len(parts),
            "instances": sum(part.instances for part in parts),
            "bytes": sum(part.size for part in parts),
            "reused_parts": work.reused,
            "held_back": work.held_back,
        },
    )


# the folder -----------------------------------------------------------------


def _claim_folder(project: Project, out: Path, group: str) -> None:
    """Refuse a folder where files of our names are not ours; from then on, files of these names there are
    ours.
    """
    claimed: list[str] = json.loads(project.store.get_meta(_FOLDERS_KEY) or "[]")
    place = str(out.resolve())
    if place in claimed and out.is_dir():
        return
    if out.exists() and not out.is_dir():
        raise UsageError("out-not-a-folder")
    try:
        out.mkdir(parents=True, exist_ok=True)
        names = {entry.name.casefold() for entry in out.iterdir()}
    except OSError:
        raise BundleError("out-not-writable") from None
    # Windows and macOS take names that differ in case only for one: theirs would be written over.
    pattern = _part_pattern(group.casefold())
    if not names.isdisjoint(map(str.casefold, (CHECKSUMS, REPORT, VERIFIER))) or any(map(pattern.match, names)):
        raise UsageError("out-has-foreign-files")
    project.store.set_meta(_FOLDERS_KEY, json.dumps([*claimed, place]))


def _part_pattern(group: str) -> re.Pattern[str]:
    """Final, temporary and trace files of parts."""
    return re.compile(rf"{re.escape(group)}-part-\d{{3,}}\.zip(?P<leftover>\.[0-9a-f]{{8}}\.(part|at))?\Z")


def _remove_leftovers(work: _Export) -> Iterator[Event]:
    """Remove what an interrupted export left; a part is never appended to."""
    pattern = _part_pattern(work.group)
    for entry in sorted(work.folder.iterdir()):
        match = pattern.match(entry.name)
        if match is not None and match["leftover"]:
            _remove(entry)
            if entry.suffix == ".part":
                yield Note(STEP, "leftover-removed", {"file": entry.name})


def _remove(path: Path) -> None:
    try:
        remove(path)
    except OSError:
        raise BundleError("out-not-writable") from None


# the plan -------------------------------------------------------------------


def _fixed_files(project: Project, release: Release) -> dict[str, bytes]:
    """The files under metadata/ that are the same in all parts."""
    protocol = project.layout.protocol_toml.read_bytes()
    if hashlib.sha256(protocol).hexdigest() != project.protocol_sha256:
        raise BundleError("protocol-changed")
    values = encode_values(release.values)
    return {
        "values.csv": values,
        "rules.csv": release.rules_csv,
        "protocol.toml": protocol,
        "signoff.json": encode_sign_off(release.sign_off, values, release.rules_csv, protocol),
    }


def _plan(work: _Export) -> tuple[PlannedPart, ...]:
    size = sum(map(len, work.files.values())) + len(encode_json(dict(work.release.description)))
    return plan_release(work.project, work.release.patient_codes, size)


def plan_release(project: Project, patient_codes: Mapping[int, str], metadata_size: int) -> tuple[PlannedPart, ...]:
    """The parts that an export would write now, patients in the order of their codes; reads only.

    ``metadata_size``: bytes of the files that are the same in all parts.
    """
    rows = project.store.execute(
        f"SELECT s.patient_id, COUNT(*) AS instances, SUM({_SIZE}) AS size {_INSTANCES} GROUP BY s.patient_id"
    )
    patients = [PatientLoad(row["patient_id"], row["instances"], row["size"]) for row in rows]
    patients.sort(key=lambda patient: patient_codes[patient.patient_id])
    # The card and the bag's files take a few KiB; what is counted for each instance covers the tables.
    overhead = metadata_size + (64 << 10)
    size = min(project.protocol.bundle.part_size_mb * _MEGABYTE, MAX_PART_BYTES)
    capacity = Capacity(size, MAX_PART_ENTRIES, overhead, target_size(patients, overhead))
    return plan_parts(patients, lambda patient: _sizes(project, patient), capacity)


def _sizes(project: Project, patient_id: int) -> Iterator[int]:
    sql = f"SELECT {_SIZE} AS size {_INSTANCES} AND s.patient_id = ? {_IN_ORDER}"
    for row in project.store.execute(sql, (patient_id,)):
        yield row["size"]


def _instances(work: _Export, part: PlannedPart) -> Iterator[tuple[ReleaseTask, int, str]]:
    """The instances of a part in order: task, upper bound of the size, and the recipe that prepared it."""
    sql = f"""
        SELECT i.id, i.series_id, f.original_locator, f.size, f.mtime_ns, i.prepared_with, {_SIZE} AS bound,
          d.sha256, d.crc32
        {_INSTANCES} AND s.patient_id = ? {_IN_ORDER} LIMIT ? OFFSET ?
    """
    for piece in part.slices:
        bounds = (piece.patient_id, piece.stop - piece.start, piece.start)
        for row in work.project.store.execute(sql, bounds):
            task = ReleaseTask(
                instance_id=row["id"],
                patient_id=piece.patient_id,
                series_id=row["series_id"],
                original_locator=row["original_locator"],
                size=row["size"],
                mtime_ns=row["mtime_ns"],
                pixels=PixelDigest(row["sha256"], row["crc32"]) if row["sha256"] is not None else None,
            )
            yield task, row["bound"], row["prepared_with"] or ""


def _plan_digest(work: _Export, part: PlannedPart, count: int) -> str:
    """Of everything that the bytes of a part depend upon."""
    digest = hashlib.sha256()

    def add(*fields: object) -> None:
        digest.update(json.dumps(fields).encode() + b"\n")

    release = work.release
    add(FORMAT, __version__, work.group, part.number, count, release.digest)
    add(sorted((name, hashlib.sha256(content).hexdigest()) for name, content in work.files.items()))
    add(release.method_codes, release.date_preset, release.description)
    for task, bound, recipe in _instances(work, part):
        code = release.patient_codes[task.patient_id]
        labels = work.labels.cells(task.series_id) if work.labels.is_wanted else ()
        add(code, task.original_locator, task.size, task.mtime_ns, bound, recipe, *labels)
    return digest.hexdigest()


# building -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pending:
    part: PlannedPart
    digest: str


def _build(
    work: _Export, plan: tuple[PlannedPart, ...], executor: WorkExecutor
) -> Generator[Event, None, list[tuple[int, Reason]]]:
    """Build what is not there yet; the instances that could not be read, where there are any."""
    yield from _remove_stale(work, len(plan))
    pending: list[_Pending] = []
    total = sum(part.instances for part in plan)
    done = work.reused = 0
    for part in plan:
        digest = _plan_digest(work, part, len(plan))
        if _is_there(work, part, digest):
            done += part.instances
            work.reused += 1
        else:
            pending.append(_Pending(part, digest))
    yield Progress(STEP, done, total, "instances")
    if not pending:
        return []
    # Beside parts that are about to change, the old sums and the old report would be wrong.
    for name in (CHECKSUMS, REPORT):
        _remove(work.folder / name)
    _check_space(work, pending)
    failures: list[tuple[int, Reason]] = []
    by_number = {one.part.number: one for one in pending}
    batches = (_batch(work, one.part, len(plan)) for one in pending)
    slowest = max(
        _SECONDS_PER_PART
        + one.part.instances * _SECONDS_PER_INSTANCE
        + one.part.size / _MEGABYTE * _SECONDS_PER_MEGABYTE
        for one in pending
    )
    for result in run_batches(build_parts, batches, executor, seconds_per_item=slowest):
        match result:
            case Waiting():
                yield Progress(STEP, done, total, "instances")
            case Lost(batch, reason):
                failures.append((_lost_instance(work, batch.items[0]), reason))
            case Done(_, outcomes):
                for outcome in outcomes:
                    failures += yield from _settle(work, by_number[outcome.number], outcome)
                    if isinstance(outcome, PartBuilt):
                        done += outcome.instances
                        yield Progress(STEP, done, total, "instances")
            case _:
                assert_never(result)
    return failures


def _is_there(work: _Export, part: PlannedPart, digest: str) -> bool:
    """Whether the part was built from the very same and is still whole."""
    if digest in work.sound:
        return True
    row = work.project.store.execute("SELECT * FROM parts WHERE number = ?", (part.number,)).fetchone()
    path = work.folder / _file_name(work, part.number)
    if row is None or row["plan_digest"] != digest or row["file_name"] != path.name:
        return False
    if not path.is_file() or path.stat().st_size != row["size"]:
        return False
    with path.open("rb") as file:
        is_whole = hashlib.file_digest(file, "sha256").hexdigest() == row["sha256"]
    if is_whole:
        work.sound.add(digest)
    return bool(is_whole)


def _remove_stale(work: _Export, count: int) -> Iterator[Event]:
    """Remove parts of an earlier export that the plan no longer has."""
    pattern = _part_pattern(work.group)
    wanted = {_file_name(work, number) for number in range(1, count + 1)}
    for entry in sorted(work.folder.iterdir()):
        match = pattern.match(entry.name)
        if match is not None and not match["leftover"] and entry.name not in wanted:
            _remove(entry)
            yield Note(STEP, "stale-part-removed", {"file": entry.name})
    work.project.store.execute("DELETE FROM parts WHERE number > ?", (count,))


def _check_space(work: _Export, pending: Iterable[_Pending]) -> None:
    needed = sum(one.part.size for one in pending) + SPARE_BYTES
    free = shutil.disk_usage(work.folder).free
    if free < needed:
        raise ReleaseBlockedError("disk-full", needed_mb=-(-needed // _MEGABYTE), free_mb=free // _MEGABYTE)


def _file_name(work: _Export, number: int) -> str:
    return f"{part_stem(work.group, number)}.zip"


def _batch(work: _Export, part: PlannedPart, count: int) -> Batch[PartContext, PartTask]:
    release = work.release
    project = work.project
    patients = [piece.patient_id for piece in part.slices]
    codes = {patient: release.patient_codes[patient] for patient in patients}
    identifiers = release.identifiers
    instances = tuple((instance, bound) for instance, bound, _ in _instances(work, part))
    context = PartContext(
        function=release.function,
        patients={patient: release.contexts(patient) for patient in patients},
        patient_codes=codes,
        identifiers=None if identifiers is None else {codes[patient]: identifiers(patient) for patient in patients},
        files=work.files,
        facts=CardFacts(
            group=work.group,
            part_count=count,
            site_id=project.site_id,
            protocol_id=project.protocol.id,
            protocol_title=project.protocol.title,
            protocol_contact=project.protocol.contact,
            protocol_sha256=project.protocol_sha256,
            method_codes=release.method_codes,
            date_preset=release.date_preset,
            sign_off=release.sign_off,
            description=release.description,
        ),
        folder=str(work.folder.resolve()),
        labels=work.labels.of(instance.series_id for instance, _ in instances),
    )
    name = _file_name(work, part.number)
    task = PartTask(
        number=part.number,
        stem=part_stem(work.group, part.number),
        part_name=f"{name}.{work.run}.part",
        trace_name=f"{name}.{work.run}.at",
        instances=instances,
    )
    return Batch(context, (task,))


def _settle(
    work: _Export, pending: _Pending, outcome: PartOutcome
) -> Generator[Event, None, tuple[tuple[int, Reason], ...]]:
    """Take what became of a part: put it in place, or say why not."""
    match outcome:
        case PartBuilt():
            name = _file_name(work, outcome.number)
            try:
                put_in_place(work.folder / f"{name}.{work.run}.part", work.folder / name)
            except OSError:
                raise BundleError("out-not-writable") from None
            work.project.store.execute(
                "INSERT OR REPLACE INTO parts VALUES (?, ?, ?, ?, ?, ?)",
                (outcome.number, pending.digest, name, outcome.size, outcome.sha256, outcome.instances),
            )
            work.sound.add(pending.digest)
            return ()
        case PartWithout():
            yield from _tell(outcome)
            return outcome.failures
        case PartRejected():
            yield from _tell(outcome)
            raise BundleError("verification-failed", part=outcome.number, findings=len(outcome.findings))
        case PartUnwritable():
            if outcome.is_full:
                needed, free = pending.part.size, shutil.disk_usage(work.folder).free
                raise ReleaseBlockedError("disk-full", needed_mb=-(-needed // _MEGABYTE), free_mb=free // _MEGABYTE)
            raise BundleError("out-not-writable")
        case _:
            assert_never(outcome)


def _tell(outcome: PartWithout | PartRejected) -> Iterator[Note]:
    """The first of what the separate reader found."""
    for finding in outcome.findings[:10]:
        ids = {"finding": finding.code, "entry": finding.entry, "path": finding.path}
        yield Note(STEP, "verification-finding", {"part": outcome.number, **ids})


def _lost_instance(work: _Export, task: PartTask) -> int:
    """The instance that a worker died over."""
    trace = work.folder / task.trace_name
    instance = read_trace(trace)
    _remove(trace)
    _remove(work.folder / task.part_name)
    if instance is None:
        raise BundleError("part-lost", part=task.number)
    return instance


def _hold_back(work: _Export, failures: Iterable[tuple[int, Reason]]) -> Iterator[Event]:
    failures = tuple(failures)
    store = work.project.store
    with store.transaction():
        store.executemany(
            "UPDATE instances SET state = 'held-back', state_reason = ? WHERE id = ?",
            [(reason.value, instance) for instance, reason in failures],
        )
        # Their file looks as it did, so nothing but this has them looked through again.
        forget_checks(store, [instance for instance, reason in failures if reason is Reason.IMAGE_NOT_CHECKED])
    work.held_back += len(failures)
    for reason, count in sorted(Counter(reason for _, reason in failures).items()):
        yield Note(STEP, "held-back-in-export", {"reason": reason.value, "count": count})


# beside the parts -------------------------------------------------------------


def _finished_parts(project: Project) -> list[Part]:
    rows = project.store.execute("SELECT * FROM parts ORDER BY number")
    return [Part(row["file_name"], row["instances"], row["size"], row["sha256"]) for row in rows]


def _write_beside(work: _Export, parts: list[Part]) -> None:
    """Write report, verifier and, last, the sums: they say that the bundle is whole."""
    contents = {
        REPORT: render_report(work.release.report(), parts),
        VERIFIER: resource_path("templates/verify.py").read_bytes(),
    }
    sums = {part.file_name: part.sha256 for part in parts}
    sums |= {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    try:
        for name, content in contents.items():
            write_atomically(work.folder / name, content, mode=0o644)
        write_atomically(work.folder / CHECKSUMS, lines.encode("ascii"), mode=0o644)
    except OSError:
        raise BundleError("out-not-writable") from None
