"""Signatures: append-only lines in ``decisions/approvals.jsonl``, each with the digest of what was seen.

A line is never changed or removed. What makes it void is that the digest of the project is another one by
now.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from app.events import Note
from app.files.atomic import is_there
from app.project.folder import Layout

STEP = "sign-off"


@dataclass(frozen=True, slots=True)
class Approval:
    """Who signed as what, when (UTC, ISO 8601), over which digest; ``counts`` are what was shown."""

    name: str
    role: str
    when: str
    digest: str
    counts: Mapping[str, int]


def format_time(now: datetime) -> str:
    """``2026-01-31T12:00:00Z``; ``now`` has a time zone."""
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}Z"


def append_approval(layout: Layout, approval: Approval) -> None:
    """Add a line, durably; a line that a crash cut short before it stays as it is."""
    line = json.dumps(asdict(approval), sort_keys=True).encode() + b"\n"
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(layout.approvals, flags, 0o600), "r+b", buffering=0) as file:
        if file.seek(0, os.SEEK_END) > 0:
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                line = b"\n" + line
        file.write(line)
        os.fsync(file.fileno())


def load_approvals(layout: Layout) -> tuple[list[Approval], list[Note]]:
    """All sound lines in order, and a Note for each damaged one: leaving a signature out is always safe."""
    approvals: list[Approval] = []
    notes: list[Note] = []
    content = layout.approvals.read_bytes() if is_there(layout.approvals) else b""
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line:
            continue
        approval = _parse(line)
        if approval is None:
            notes.append(Note(STEP, "approval-line-damaged", {"line": number}))
        else:
            approvals.append(approval)
    return approvals, notes


def _parse(line: bytes) -> Approval | None:
    try:
        content = json.loads(line)
        approval = Approval(**content)
    except (ValueError, TypeError):
        return None
    texts = (approval.name, approval.role, approval.when, approval.digest)
    if not all(isinstance(text, str) for text in texts) or not isinstance(approval.counts, dict):
        return None
    if not all(isinstance(count, int) for count in approval.counts.values()):
        return None
    return approval
