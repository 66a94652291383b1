"""The gate before the bundle.

The rows of the dump come in as an argument: they are the review's to make, and steps do not know each other.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.dicom.words import fold
from app.errors import ReleaseBlockedError, UsageError
from app.project.approvals import Approval, append_approval, format_time, load_approvals
from app.project.dataset_state import load_dataset_state
from app.project.decisions import (
    PREPARED_DECISIONS,
    Decisions,
    ValueAction,
    ValueDecision,
    load_decisions,
    prepared_with,
)
from app.project.folder import Project
from app.project.values import RowKind, ValueRow

LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature as the bundle shows it; ``when`` is UTC, ISO 8601."""

    name: str
    role: str
    when: str


@dataclass(frozen=True, slots=True)
class SignOffState:
    """What the bundle says of its sign-off. ``unattended``: no person reviewed it; no signatures."""

    signatures: tuple[Signature, ...]
    unattended: bool
    digest: str


def approval_digest(project: Project, rows: Sequence[ValueRow]) -> str:
    """SHA-256 in hex over all that a signature stands for.

    That is: the protocol, the selection, under which recipe each instance was prepared, every row of the dump,
    and the decisions. Instances are named by UID, not by database key. Their state is left out on purpose: it
    follows from the recipe, and where the export then has to hold an instance back (its file vanished), less
    leaves than was signed, and a resumed export must not wait for people again.
    """
    digest = hashlib.sha256()

    def add(*parts: object) -> None:
        digest.update(json.dumps(parts).encode() + b"\n")

    add("protocol", project.protocol_sha256)
    add("selection", project.store.get_meta("selection_digest"))
    add("decisions", load_decisions(project.layout).digest())
    for row in project.store.execute(
        "SELECT original_sop_instance_uid, prepared_with FROM instances "
        "WHERE selected = 1 AND reason IS NULL ORDER BY original_sop_instance_uid"
    ):
        add("instance", *row)
    for value in rows:
        add(
            *value.key,
            value.fold,
            value.vr,
            value.low,
            value.high,
            value.instances,
            value.patients,
            value.suspicion,
        )
    return digest.hexdigest()


def undecided_blocking(project: Project, rows: Sequence[ValueRow]) -> list[ValueRow]:
    """The rows for which the release waits."""
    decisions = load_decisions(project.layout)
    return [row for row in rows if row.blocks and not decisions.settle(row)]


def approve(project: Project, rows: Sequence[ValueRow], name: str, role: str, now: datetime) -> Approval:
    """Sign what there is now; ``now`` has a time zone.

    Raises UsageError where the protocol knows no such role, the name is not one line of at most 64 characters, or
    the same person signed in another role; ReleaseBlockedError where there is nothing to sign yet.
    """
    roles = project.protocol.review.signatures
    if role not in roles:
        raise UsageError("unknown-role", roles=", ".join(roles))
    name = name.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UsageError("bad-signer-name")
    _check_reviewable(project, rows)
    others = [one for one in valid_approvals(project, rows) if one.role != role]
    if any(_is_same_person(name, one.name) for one in others):
        raise UsageError("same-person", roles=", ".join(one.role for one in others if _is_same_person(name, one.name)))
    approval = Approval(name, role, format_time(now), approval_digest(project, rows), _counts(project, rows))
    append_approval(project.layout, approval)
    return approval


def _is_same_person(name: str, other: str) -> bool:
    """Whether two names differ in case, accents and spaces at most: each role is to be somebody else's eyes."""
    return fold("".join(name.split())) == fold("".join(other.split()))


def valid_approvals(project: Project, rows: Sequence[ValueRow]) -> list[Approval]:
    """For each role that the protocol names, in its order, the last signature over what there is now."""
    return approvals_of(project, approval_digest(project, rows))


def approvals_of(project: Project, digest: str) -> list[Approval]:
    """The same where the digest of what there is now is known already."""
    approvals, _ = load_approvals(project.layout)
    latest = {approval.role: approval for approval in approvals if approval.digest == digest}
    return [latest[role] for role in project.protocol.review.signatures if role in latest]


def missing_approvals(project: Project, rows: Sequence[ValueRow]) -> list[str]:
    """The roles that have not signed what there is now."""
    return _missing(project, valid_approvals(project, rows))


def _missing(project: Project, signed: Sequence[Approval]) -> list[str]:
    roles = {approval.role for approval in signed}
    return [role for role in project.protocol.review.signatures if role not in roles]


def check_release(project: Project, rows: Sequence[ValueRow], *, unattended: bool) -> SignOffState:
    """The sign-off for the bundle; raises ReleaseBlockedError where somebody still has to do something.

    ``unattended`` asks for no person; the caller then exports under ``unattended_decisions``.
    """
    if unattended:
        _check_prepared(project, unattended=True)
        return SignOffState((), True, approval_digest(project, rows))
    _check_reviewable(project, rows)
    digest = approval_digest(project, rows)
    signed = approvals_of(project, digest)
    missing = _missing(project, signed)
    if missing:
        approvals, _ = load_approvals(project.layout)
        signed_before = {approval.role for approval in approvals}
        if signed_before.intersection(missing):
            raise ReleaseBlockedError("approvals-stale", roles=", ".join(missing))
        raise ReleaseBlockedError("approvals-missing", roles=", ".join(missing))
    return SignOffState(
        tuple(Signature(one.name, one.role, one.when) for one in signed),
        False,
        digest,
    )


def unattended_decisions(project: Project, rows: Sequence[ValueRow]) -> Decisions:
    """The decisions for a release that nobody looked at: what is suspicious and undecided is dropped."""
    decisions = load_decisions(project.layout)
    suspicious = [
        row for row in rows if row.is_suspicious and row.kind is not RowKind.WORD and not decisions.settle(row)
    ]
    drop = ValueDecision(ValueAction.DROP)
    return replace(
        decisions,
        values={
            **decisions.values,
            **{(row.path, row.value): drop for row in suspicious if row.kind is RowKind.VALUE},
        },
        tags_dropped=decisions.tags_dropped | {row.path for row in suspicious if row.kind is RowKind.RANGE},
    )


def _check_reviewable(project: Project, rows: Sequence[ValueRow]) -> None:
    _check_prepared(project)
    undecided = undecided_blocking(project, rows)
    if undecided:
        raise ReleaseBlockedError("values-undecided", count=len(undecided))
    dataset = load_dataset_state(project)
    if not dataset.is_current:
        raise ReleaseBlockedError("dataset-not-checked")
    if dataset.undecided:
        raise ReleaseBlockedError("dataset-undecided", count=len(dataset.undecided))


def _check_prepared(project: Project, *, unattended: bool = False) -> None:
    counts = _instance_counts(project)
    if counts["unprepared"]:
        raise ReleaseBlockedError("not-prepared", count=counts["unprepared"])
    prepared = project.store.get_meta(PREPARED_DECISIONS)
    if prepared not in {None, prepared_with(load_decisions(project.layout), unattended=unattended)}:
        raise ReleaseBlockedError("prepared-with-other-decisions")
    if not counts["prepared"]:
        raise ReleaseBlockedError("nothing-to-release")


def _instance_counts(project: Project) -> dict[str, int]:
    row = project.store.execute(
        "SELECT COALESCE(SUM(state = 'prepared'), 0), COALESCE(SUM(state = 'held-back'), 0), "
        "COALESCE(SUM(state IS NULL), 0) FROM instances WHERE selected = 1 AND reason IS NULL"
    ).fetchone()
    return dict(zip(("prepared", "held_back", "unprepared"), row, strict=True))


def _counts(project: Project, rows: Sequence[ValueRow]) -> dict[str, int]:
    instances = _instance_counts(project)
    return {
        "instances": instances["prepared"],
        "held_back": instances["held_back"],
        "values": len(rows),
        "suspicious": sum(row.is_suspicious for row in rows),
    }
