"""*Detect*: every selected image looked through for text; what was found is kept for the reviewer and the export."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from app.detection.signature import detection_signature
from app.detection.site_masks import load_site_masks
from app.detection.worker import DetectContext, DetectItem, LookedAt, look_through
from app.dicom.sopclasses import shows_pictures
from app.errors import Reason, UsageError
from app.events import Finished, Job, Note, Progress
from app.jobs.executors import WorkExecutor
from app.jobs.pump import Batch, Done, Lost, Waiting, run_batches
from app.project.decisions import PREPARED_DECISIONS
from app.project.folder import Project
from app.project.images import DETECTION_SIGNATURE, check_digest, regions_digest
from app.project.risks import Risk
from app.project.sources import AWAY, require_sources

STEP = "detect"
# A stack is looked at as a whole: longer ones are cut, so that progress shows and a crash costs little.
LONGEST_STACK = 400
SECONDS_PER_ITEM = 300.0

_SELECTED = """
SELECT i.id, i.series_id, i.original_sop_instance_uid, i.sop_class_uid, f.original_locator, f.size, f.mtime_ns,
  c.checked_with, c.failure
FROM instances i JOIN files f ON f.id = i.file_id LEFT JOIN image_checks c ON c.instance_id = i.id
WHERE i.selected = 1 AND i.reason IS NULL {where} ORDER BY i.series_id, i.instance_number, i.original_sop_instance_uid
"""
# What may be over by the next run.
_TRANSIENT = frozenset(
    (
        Reason.UNREADABLE_IO,
        Reason.VANISHED,
        Reason.WORKER_CRASHED,
        Reason.WORKER_HUNG,
        Reason.WORKER_OUT_OF_MEMORY,
        Reason.DETECTOR_FAILED,
    )
)


def detect(project: Project, executor: WorkExecutor) -> Job:
    """Look through what is selected and not yet looked through in this version of the file by these detectors.

    Raises UsageError("nothing-selected") where there is nothing to do at all, "source-gone" where a drive went away,
    and as ``detection_signature``.
    """
    store = project.store
    if not store.one("SELECT count(*) FROM instances WHERE selected = 1"):
        raise UsageError("nothing-selected")
    signature = detection_signature(project)
    store.set_meta(DETECTION_SIGNATURE, signature)
    # Row numbers only: half a million images of a site must fit into memory.
    todo = [
        (row["series_id"], row["id"])
        for row in store.execute(_SELECTED.format(where=""))
        if shows_pictures(row["sop_class_uid"]) and not _is_done(row, signature)
    ]
    if todo:
        # What was prepared stood on what was known before; it counts again when *prepare* has seen the new findings.
        store.set_meta(PREPARED_DECISIONS, "")
    digests: dict[int, str] = {}
    context = DetectContext(tuple(project.protocol.images.detectors), load_site_masks(project.layout))
    done = failed = 0
    yield Progress(STEP, 0, len(todo), "images")
    for result in run_batches(
        look_through, _batches(project, todo, context, digests), executor, seconds_per_item=SECONDS_PER_ITEM
    ):
        match result:
            case Waiting():
                found: Sequence[LookedAt] = ()
            case Done(_, looked_at):
                found = looked_at
            case Lost(batch, reason):
                found = [LookedAt(batch.items[0].instance_id, reason)]
                yield Note(STEP, "worker-lost-file", {"instance": batch.items[0].instance_id})
        with store.transaction():
            for one in found:
                _store(project, one, digests.pop(one.instance_id))
        require_sources(store, (one.instance_id for one in found if one.failure in AWAY))
        done += len(found)
        failed += sum(one.failure is not None for one in found)
        yield Progress(STEP, done, len(todo), "images")
    if failed:
        yield Note(STEP, "images-not-checked", {"count": failed})
    yield Finished(STEP, {**_counts(project), "done_now": done})


def _is_done(row: Any, signature: str) -> bool:
    return row["checked_with"] == _digest(row, signature) and row["failure"] not in _TRANSIENT


def _digest(row: Any, signature: str) -> str:
    return check_digest(row["original_sop_instance_uid"], row["size"], row["mtime_ns"], signature)


def _batches(
    project: Project, todo: Sequence[tuple[int, int]], context: DetectContext, digests: dict[int, str]
) -> Iterator[Batch[DetectContext, DetectItem]]:
    """Stacks, series by series; what each image is checked with goes into ``digests`` until it comes back."""
    signature = project.store.get_meta(DETECTION_SIGNATURE) or ""
    for _, series in groupby(todo, key=itemgetter(0)):
        ids = [instance_id for _, instance_id in series]
        for start in range(0, len(ids), LONGEST_STACK):
            items = []
            for instance_id in ids[start : start + LONGEST_STACK]:
                row = project.store.execute(_SELECTED.format(where="AND i.id = ?"), (instance_id,)).fetchone()
                digests[instance_id] = _digest(row, signature)
                items.append(DetectItem(instance_id, row["original_locator"]))
            yield Batch(context, tuple(items))


def _store(project: Project, one: LookedAt, checked_with: str) -> None:
    store = project.store
    store.execute("DELETE FROM image_checks WHERE instance_id = ?", (one.instance_id,))
    store.execute(
        "INSERT INTO image_checks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.instance_id,
            checked_with,
            one.failure.value if one.failure else None,
            one.risk,
            one.original_device,
            one.rows,
            one.columns,
            one.frames,
            regions_digest(one.regions),
        ),
    )
    if one.pixels is not None:
        pixels = (one.instance_id, one.pixels.sha256, one.pixels.crc32)
        store.execute("INSERT INTO pixel_digests VALUES (?, ?, ?)", pixels)
    store.executemany(
        "INSERT INTO text_regions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                one.instance_id,
                number,
                region.box.top,
                region.box.left,
                region.box.bottom,
                region.box.right,
                region.box.frame,
                region.engine,
                region.confidence,
                int(region.is_strong),
                region.original_text,
            )
            for number, region in enumerate(one.regions)
        ],
    )


def _counts(project: Project) -> Mapping[str, int]:
    row = project.store.execute(
        "SELECT count(*), coalesce(sum(c.failure IS NOT NULL), 0), "
        "coalesce(sum(EXISTS (SELECT 1 FROM text_regions r WHERE r.instance_id = c.instance_id AND r.is_strong)), 0), "
        "coalesce(sum(c.risk <> ?), 0) "
        "FROM image_checks c JOIN instances i ON i.id = c.instance_id WHERE i.selected = 1",
        (Risk.NONE,),
    ).fetchone()
    return dict(zip(("checked", "failed", "with_text", "text_usual"), row, strict=True))
