"""The part of the export that runs in workers and that the bundle step may not know: one instance, de-identified.

Apart from ``export``, because a worker starts faster without what plans and reports.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO
from weakref import finalize

from app.bundle.release import ReleasedInstance, ReleaseTask
from app.deid.recipe import Patient, Recipe
from app.deid.release import Releaser
from app.errors import Reason, UnreadableError
from app.files.locator import ArchiveCache, Locator, open_locator
from app.files.regular import system_path
from app.project.images import ImagePlan

_STUDY_UID, _SERIES_UID, _MODALITY, _BODY_PART, _DESCRIPTION = (
    0x0020000D,
    0x0020000E,
    0x00080060,
    0x00180015,
    0x0008103E,
)


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseContext:
    """What a worker needs to release a patient's instances. Picklable.

    ``plans`` says what becomes of the pixels, by row of ``instances``: a picture without a plan does not leave.
    """

    recipe: Recipe
    patient: Patient
    plans: Mapping[int, ImagePlan]


@dataclass(frozen=True, eq=False)
class _Opened:
    releaser: Releaser
    cache: ArchiveCache


@lru_cache(maxsize=1)
def _open(context: ReleaseContext) -> _Opened:
    # One patient at a time: what the engine remembers is theirs, and goes with the next one.
    opened = _Opened(Releaser(context.recipe, context.patient), ArchiveCache())
    finalize(opened, opened.cache.close)
    return opened


def release_instance(context: ReleaseContext, task: ReleaseTask) -> ReleasedInstance:
    """De-identify one instance in a worker; see ``app.bundle.release.ReleaseFunction``."""
    opened = _open(context)
    locator = Locator.from_text(task.original_locator)
    try:
        file = open_locator(locator, opened.cache)
    except OSError:
        raise UnreadableError(Reason.UNREADABLE_IO) from None
    try:
        _check_unchanged(locator, task, file)
        released = opened.releaser.release(file, context.plans.get(task.instance_id))
    except BaseException as error:
        file.close()
        if isinstance(error, OSError):
            raise UnreadableError(Reason.UNREADABLE_IO) from None
        raise
    header = released.header
    return ReleasedInstance(
        header=released.head,
        pixels=_drain(released.pixels, file),
        patient_code=context.patient.code,
        study_uid=header.text(_STUDY_UID),
        series_uid=header.text(_SERIES_UID),
        sop_instance_uid=released.sop_instance_uid,
        sop_class_uid=released.sop_class_uid,
        transfer_syntax_uid=released.transfer_syntax_uid,
        modality=header.text(_MODALITY),
        body_part=header.text(_BODY_PART),
        description=header.text(_DESCRIPTION),
        expected=task.pixels if released.is_as_it_was else None,
    )


def _check_unchanged(locator: Locator, task: ReleaseTask, file: BinaryIO) -> None:
    if locator.original_members:  # the archive's time; a member of another size is another member
        is_same = os.stat(system_path(locator.original_path)).st_mtime_ns == task.mtime_ns  # noqa: PTH116 - a text
    else:
        status = os.fstat(file.fileno())
        is_same = (status.st_mtime_ns, status.st_size) == (task.mtime_ns, task.size)
    if not is_same:
        raise UnreadableError(Reason.CHANGED_SINCE_SCAN)


def _drain(pixels: Iterator[bytes], file: BinaryIO) -> Iterator[bytes]:
    with file:
        try:
            yield from pixels
        except OSError:
            raise UnreadableError(Reason.UNREADABLE_IO) from None
