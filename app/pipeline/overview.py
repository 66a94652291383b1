"""Where a project stands, as a checklist, and the four questions of a privacy officer.

What would leave, what was removed, what is undecided, who approved what: the window's pages and its list of steps show
what is here and work nothing out by themselves.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.catalog.table import is_complete
from app.errors import Reason
from app.files.regular import system_path
from app.project.approvals import load_approvals
from app.project.dataset_state import load_dataset_state
from app.project.decisions import PREPARED_DECISIONS, Decisions, ValueAction, load_decisions, prepared_with
from app.project.folder import Project
from app.project.images import CheckedSeries, ImagePlanner, ImageState
from app.project.values import RowKind, ValueRow
from app.review.dump import build_dump
from app.signoff.step import approval_digest, approvals_of, undecided_blocking

# Keys of the table meta, as JSON: what the last export wrote, and what its verification found.
LAST_EXPORT = "last_export"
LAST_VERIFICATION = "last_verification"


class CheckItem(StrEnum):
    """One line of the checklist, in the order in which things are done."""

    SCAN = "scan"
    SELECTION = "selection"
    IMAGE_SEARCH = "image-search"  # the detectors' work
    PREPARATION = "preparation"
    VALUES = "values"
    IMAGES = "images"  # people's decisions on images
    DATASET = "dataset"  # people's decisions on what was found in the data set as a whole
    SIGNATURES = "signatures"
    EXPORT = "export"
    VERIFICATION = "verification"


class Standing(StrEnum):
    """How a line of the checklist stands."""

    DONE = "done"
    TO_DO = "to-do"  # the release waits for it
    OPTIONAL = "optional"  # a person may still decide; the release does not wait
    STALE = "stale"  # it was done, and something changed since


@dataclass(frozen=True, slots=True)
class Check:
    """One line: ``done`` of ``total`` (instances, images, values or roles); ``failed`` are a part of what is done.

    ``roles`` are those that still have to sign.
    """

    item: CheckItem
    standing: Standing
    done: int
    total: int
    failed: int = 0
    roles: tuple[str, ...] = ()

    @property
    def left(self) -> int:
        """How many are still open."""
        return self.total - self.done


@dataclass(frozen=True, slots=True)
class Leaving:
    """What would leave if the release went now; ``size`` is an upper bound in bytes."""

    patients: int
    studies: int
    series: int
    instances: int
    size: int
    values: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What stays behind of what is selected.

    ``attributes`` counts distinct attributes by what was done to them (``profile.Action`` values, ``remove``, ``empty``
    and ``dummy`` among them); ``words`` are distinct words taken out of texts; ``dropped_values``, ``replaced_values``
    and ``dropped_tags`` are people's decisions; ``held_back`` counts instances by ``errors.Reason``.
    """

    attributes: Mapping[str, int]
    words: int
    masked_images: int
    dropped_values: int
    replaced_values: int
    dropped_tags: int
    held_back: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Undecided:
    """What nobody decided on yet; the release waits for ``blocking`` alone.

    ``suspicious`` are the values that would leave as they are shown (the blocking ones among them), ``words`` the
    dropped words that could be called safe, ``images`` those that stay here until a person decides.
    """

    blocking: int
    suspicious: int
    words: int
    images: int


@dataclass(frozen=True, slots=True)
class RoleApproval:
    """The last signature of a role: ``name`` and ``when`` are empty where there is none. Void unless ``is_valid``."""

    role: str
    name: str
    when: str
    is_valid: bool


@dataclass(frozen=True, slots=True)
class ExportRecord:
    """What the last export wrote: ``digest`` is that of the approvals; ``when`` is UTC, ISO 8601."""

    folder: Path
    digest: str
    when: str
    unattended: bool


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """What the verification after an export found; ``parts`` are file names with their SHA-256."""

    parts: tuple[tuple[str, str], ...]
    instances: int
    findings: tuple[tuple[str, str, str, str], ...]  # code, part, entry, path
    when: str


@dataclass(frozen=True, slots=True)
class PartRow:
    """A finished part; ``size`` in bytes."""

    name: str
    size: int
    instances: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it; ``checks`` has every CheckItem once, in order."""

    checks: tuple[Check, ...]
    leaving: Leaving
    removed: Removed
    undecided: Undecided
    approvals: tuple[RoleApproval, ...]
    images: Mapping[ImageState, int]
    parts: tuple[PartRow, ...]
    exported: ExportRecord | None
    verified: VerificationRecord | None

    def check(self, item: CheckItem) -> Check:
        """The line of an item."""
        return next(check for check in self.checks if check.item is item)

    @property
    def is_reviewed(self) -> bool:
        """Whether the steps before the sign-off are done: what is left is to be done on its page."""
        return all(
            self._is_settled(item)
            for item in (CheckItem.SCAN, CheckItem.SELECTION, CheckItem.PREPARATION, CheckItem.VALUES)
        )

    @property
    def may_sign(self) -> bool:
        """Whether everything is there that has to be before somebody signs."""
        return self.is_reviewed and self._is_settled(CheckItem.DATASET)

    def _is_settled(self, item: CheckItem) -> bool:
        return self.check(item).standing in (Standing.DONE, Standing.OPTIONAL)

    @property
    def may_export(self) -> bool:
        """Whether the release may go."""
        return self.may_sign and self.check(CheckItem.SIGNATURES).standing is Standing.DONE


def load_overview(
    project: Project,
    rows: Sequence[ValueRow] | None = None,
    planned: Iterable[CheckedSeries] | None = None,
) -> Overview:
    """Where the project stands now; ``rows`` is the dump, ``planned`` the images, made where not given. Reads only."""
    rows = build_dump(project) if rows is None else rows
    decisions = load_decisions(project.layout)
    images = _count_images(ImagePlanner(project, decisions=decisions).all_series() if planned is None else planned)
    digest = approval_digest(project, rows)
    exported, verified, parts = load_export(project), load_verification(project), load_parts(project)
    approvals = _approvals(project, digest)
    undecided = _undecided(project, rows, decisions, images.states)
    instances = _instances(project)
    return Overview(
        checks=(
            _scan(project),
            _selection(instances),
            _image_search(images, instances.selected),
            _preparation(project, decisions, instances),
            _values(rows, undecided, instances),
            _images(images, instances.selected),
            _dataset(project, decisions, instances),
            _signatures(approvals),
            _export(exported, parts, digest),
            _verification(exported, verified, parts, digest),
        ),
        leaving=_leaving(project, rows, decisions),
        removed=_removed(project, decisions, images.states),
        undecided=undecided,
        approvals=approvals,
        images=images.states,
        parts=parts,
        exported=exported,
        verified=verified,
    )


def check_preparation(project: Project, decisions: Decisions | None = None) -> tuple[Check, str]:
    """The line of the preparation alone, and what changes when it would be another one: quick enough for a page."""
    decisions = load_decisions(project.layout) if decisions is None else decisions
    selection = project.store.get_meta("selection_digest") or ""
    return _preparation(project, decisions, _instances(project)), selection + decisions.preparation_digest()


# the facts ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Instances:
    known: int
    unjudged: int  # came in after the last selection
    selected: int
    prepared: int
    held_back: int


def _instances(project: Project) -> _Instances:
    row = project.store.execute(
        "SELECT count(*), coalesce(sum(selected IS NULL), 0), coalesce(sum(selected = 1), 0), "
        "coalesce(sum(selected = 1 AND state = 'prepared'), 0), coalesce(sum(selected = 1 AND state = 'held-back'), 0) "
        "FROM instances WHERE reason IS NULL"
    ).fetchone()
    return _Instances(*row)


@dataclass(frozen=True, slots=True)
class _ImageCounts:
    states: Mapping[ImageState, int]
    total: int
    failed: int
    waiting: int


def _count_images(planned: Iterable[CheckedSeries]) -> _ImageCounts:
    states: Counter[ImageState] = Counter()
    failed = 0
    for series in planned:
        for image in series.images:
            states[image.plan.state] += 1
            failed += image.plan.state is ImageState.UNCHECKED and image.plan.reason is not Reason.IMAGE_NOT_CHECKED
    waiting = sum(count for state, count in states.items() if state.waits)
    return _ImageCounts({state: states[state] for state in ImageState}, sum(states.values()), failed, waiting)


def load_parts(project: Project) -> tuple[PartRow, ...]:
    """The finished parts of the last export."""
    rows = project.store.execute("SELECT file_name, size, instances, sha256 FROM parts ORDER BY number")
    return tuple(PartRow(*row) for row in rows)


def load_export(project: Project) -> ExportRecord | None:
    """What the last export wrote; None before the first."""
    text = project.store.get_meta(LAST_EXPORT)
    if text is None:
        return None
    content = json.loads(text)
    return ExportRecord(Path(content["folder"]), content["digest"], content["when"], content["unattended"])


def load_verification(project: Project) -> VerificationRecord | None:
    """What the last verification found; None before the first."""
    text = project.store.get_meta(LAST_VERIFICATION)
    if text is None:
        return None
    content = json.loads(text)
    return VerificationRecord(
        tuple((name, digest) for name, digest in content["parts"]),
        content["instances"],
        tuple((code, part, entry, path) for code, part, entry, path in content["findings"]),
        content["when"],
    )


# the checklist ----------------------------------------------------------------


def _standing(*, done: bool, stale: bool = False) -> Standing:
    if stale:
        return Standing.STALE
    return Standing.DONE if done else Standing.TO_DO


def _scan(project: Project) -> Check:
    files = project.store.one("SELECT count(*) FROM files")
    return Check(CheckItem.SCAN, _standing(done=is_complete(project) and files > 0), files, files)


def _selection(instances: _Instances) -> Check:
    judged = instances.known - instances.unjudged
    standing = _standing(
        done=instances.selected > 0 and not instances.unjudged, stale=0 < instances.unjudged < instances.known
    )
    return Check(CheckItem.SELECTION, standing, judged, instances.known)


def _image_search(images: _ImageCounts, selected: int) -> Check:
    done = images.total - images.states[ImageState.UNCHECKED] + images.failed
    standing = _standing(done=selected > 0 and done == images.total)
    return Check(CheckItem.IMAGE_SEARCH, standing, done, images.total, images.failed)


def _preparation(project: Project, decisions: Decisions, instances: _Instances) -> Check:
    done = instances.prepared + instances.held_back
    worked_with = project.store.get_meta(PREPARED_DECISIONS)
    wanted = {None, prepared_with(decisions, unattended=False)}
    is_stale = done > 0 and (worked_with not in wanted or (worked_with is not None and done < instances.selected))
    standing = _standing(done=instances.prepared > 0 and done == instances.selected, stale=is_stale)
    return Check(CheckItem.PREPARATION, standing, done, instances.selected, instances.held_back)


def _values(rows: Sequence[ValueRow], undecided: Undecided, instances: _Instances) -> Check:
    suspicious = sum(row.is_suspicious and row.kind is not RowKind.WORD for row in rows)
    decided = suspicious - undecided.suspicious
    if undecided.blocking or not instances.prepared:
        standing = Standing.TO_DO
    else:
        standing = Standing.OPTIONAL if undecided.suspicious else Standing.DONE
    return Check(CheckItem.VALUES, standing, decided, suspicious)


def _images(images: _ImageCounts, selected: int) -> Check:
    decided = sum(images.states[state] for state in (ImageState.EXCLUDED, ImageState.MASKED, ImageState.SEEN))
    standing = Standing.OPTIONAL if images.waiting else _standing(done=selected > 0)
    return Check(CheckItem.IMAGES, standing, decided, decided + images.waiting)


def _dataset(project: Project, decisions: Decisions, instances: _Instances) -> Check:
    state = load_dataset_state(project, decisions)
    blocking = sum(one.blocks for one in state.findings)
    is_stale = instances.prepared > 0 and state.was_checked and not state.is_current
    standing = _standing(done=instances.prepared > 0 and state.was_checked and not state.undecided, stale=is_stale)
    return Check(CheckItem.DATASET, standing, blocking - len(state.undecided), blocking)


def _signatures(approvals: Sequence[RoleApproval]) -> Check:
    missing = tuple(one.role for one in approvals if not one.is_valid)
    is_stale = any(one.name and not one.is_valid for one in approvals)
    return Check(
        CheckItem.SIGNATURES,
        _standing(done=not missing, stale=is_stale),
        len(approvals) - len(missing),
        len(approvals),
        roles=missing,
    )


def _export(exported: ExportRecord | None, parts: Sequence[PartRow], digest: str) -> Check:
    if exported is None:
        return Check(CheckItem.EXPORT, Standing.TO_DO, 0, 0)
    there = sum(_is_there(exported.folder / part.name, part.size) for part in parts)
    is_stale = exported.digest != digest or there < len(parts) or not parts
    return Check(CheckItem.EXPORT, _standing(done=True, stale=is_stale), there, len(parts))


def _verification(
    exported: ExportRecord | None, verified: VerificationRecord | None, parts: Sequence[PartRow], digest: str
) -> Check:
    written = tuple((part.name, part.sha256) for part in parts)
    if verified is None or exported is None:
        return Check(CheckItem.VERIFICATION, Standing.TO_DO, 0, len(parts))
    is_stale = verified.parts != written or exported.digest != digest
    standing = _standing(done=not verified.findings, stale=is_stale)
    return Check(CheckItem.VERIFICATION, standing, len(verified.parts), len(parts), len(verified.findings))


def _is_there(path: Path, size: int) -> bool:
    try:
        return os.stat(system_path(str(path))).st_size == size  # noqa: PTH116 - a text
    except OSError:
        return False


# the four questions -----------------------------------------------------------


def _leaving(project: Project, rows: Sequence[ValueRow], decisions: Decisions) -> Leaving:
    patients, studies, series, instances, size = project.store.execute(
        "SELECT count(DISTINCT s.patient_id), count(DISTINCT s.original_study_uid), count(DISTINCT s.id), count(*), "
        "coalesce(sum(coalesce(i.released_size, f.size)), 0) FROM instances i JOIN series s ON s.id = i.series_id "
        "JOIN files f ON f.id = i.file_id WHERE i.selected = 1 AND i.reason IS NULL AND i.state = 'prepared'"
    ).fetchone()
    values = sum(row.kind is RowKind.VALUE and _leaves(row, decisions) for row in rows)
    return Leaving(patients, studies, series, instances, size, values)


def _leaves(row: ValueRow, decisions: Decisions) -> bool:
    decision = decisions.values.get((row.path, row.value))
    return row.path not in decisions.tags_dropped and (
        decision is None or decision.action in (ValueAction.KEEP, ValueAction.REPLACE)
    )


def _removed(project: Project, decisions: Decisions, images: Mapping[ImageState, int]) -> Removed:
    store = project.store
    attributes = store.execute(
        "SELECT action, count(DISTINCT path) FROM applied_actions WHERE action <> 'option' GROUP BY 1 ORDER BY 1"
    )
    held_back = store.execute(
        "SELECT state_reason, count(*) FROM instances WHERE selected = 1 AND reason IS NULL AND state = 'held-back' "
        "GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    actions = Counter(decision.action for decision in decisions.values.values())
    return Removed(
        attributes=dict(map(tuple, attributes)),
        words=int(store.one("SELECT count(DISTINCT original_word) FROM dropped_words")),
        masked_images=images[ImageState.MASKED],
        dropped_values=actions[ValueAction.DROP],
        replaced_values=actions[ValueAction.REPLACE],
        dropped_tags=len(decisions.tags_dropped),
        held_back=dict(map(tuple, held_back)),
    )


def _undecided(
    project: Project, rows: Sequence[ValueRow], decisions: Decisions, images: Mapping[ImageState, int]
) -> Undecided:
    open_rows = [row for row in rows if row.is_suspicious and not decisions.settle(row)]
    words = sum(row.kind is RowKind.WORD for row in open_rows)
    return Undecided(
        blocking=len(undecided_blocking(project, rows)),
        suspicious=len(open_rows) - words,
        words=words,
        images=sum(count for state, count in images.items() if state.waits),
    )


def _approvals(project: Project, digest: str) -> tuple[RoleApproval, ...]:
    valid = {one.role: one for one in approvals_of(project, digest)}
    last = {one.role: one for one in load_approvals(project.layout)[0]}
    told = []
    for role in project.protocol.review.signatures:
        one = valid.get(role) or last.get(role)
        told.append(RoleApproval(role, one.name if one else "", one.when if one else "", role in valid))
    return tuple(told)
