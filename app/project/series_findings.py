"""What the checks of series found: written by ``check``, acted on by ``select``, shown by the window and the report."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.project.store import Store
from app.protocol.checks import BodyPart, CheckName, Checks, Phase, Severity

# Goes up when the same catalogue would be judged otherwise.
CHECKS_VERSION = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check says of a series.

    ``code`` is that of a sentence in ``app.text.check_words``, ``original_fields`` what the sentence names. Severity is
    EXCLUDE or WARN.
    """

    check: CheckName
    code: str
    severity: Severity
    original_fields: Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class CheckedSeries:
    """What is known of a series: body parts, the surest first, and phase, each with a confidence from 0 to 1.

    No part, or no phase (None): nothing speaks for one.
    """

    series_id: int
    body_parts: tuple[BodyPart, ...]
    body_part_confidence: float
    phase: Phase | None
    phase_confidence: float
    findings: tuple[Finding, ...]


def load_checked_series(store: Store) -> dict[int, CheckedSeries]:
    """Every series that was checked since it last changed, by its id; excluding findings come first."""
    findings: dict[int, list[Finding]] = {}
    rows = store.execute(
        "SELECT series_id, check_name, code, severity, original_fields FROM series_findings "
        "ORDER BY series_id, severity, check_name, code"
    )
    for series_id, check, code, severity, fields in rows:
        finding = Finding(CheckName(check), code, Severity(severity), json.loads(fields))
        findings.setdefault(series_id, []).append(finding)
    rows = store.execute(
        "SELECT series_id, body_part, body_part_confidence, phase, phase_confidence FROM series_checks"
    )
    return {
        series_id: CheckedSeries(
            series_id,
            tuple(BodyPart(part) for part in (parts or "").split()),
            parts_confidence or 0.0,
            None if phase is None else Phase(phase),
            phase_confidence or 0.0,
            tuple(findings.get(series_id, ())),
        )
        for series_id, parts, parts_confidence, phase, phase_confidence in rows
    }


def replace_checked_series(store: Store, checked_with: str, all_series: Iterable[CheckedSeries]) -> None:
    """Write all of it anew; inside a transaction. ``checked_with`` is the digest of what the checks were told."""
    rows = list(all_series)
    store.execute("DELETE FROM series_checks")  # and with them, their findings
    store.executemany(
        "INSERT INTO series_checks (series_id, checked_with, body_part, body_part_confidence, phase, phase_confidence) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            (
                row.series_id,
                checked_with,
                " ".join(row.body_parts) or None,
                row.body_part_confidence if row.body_parts else None,
                row.phase,
                None if row.phase is None else row.phase_confidence,
            )
            for row in rows
        ),
    )
    store.executemany(
        "INSERT INTO series_findings (series_id, code, check_name, severity, original_fields) VALUES (?, ?, ?, ?, ?)",
        (
            (row.series_id, one.code, one.check, one.severity, json.dumps(dict(one.original_fields)))
            for row in rows
            for one in row.findings
        ),
    )


def load_unchecked_series(store: Store, checked_with: str) -> frozenset[int]:
    """The ids of series that changed since they were checked, or were checked by what another protocol asks for."""
    rows = store.execute(
        "SELECT s.id FROM series AS s LEFT JOIN series_checks AS c ON c.series_id = s.id AND c.checked_with = ? "
        "WHERE c.series_id IS NULL",
        (checked_with,),
    )
    return frozenset(row[0] for row in rows)


def checks_digest(checks: Checks) -> str:
    """Of all that decides what the checks say: their version and the protocol's table."""
    content = [CHECKS_VERSION, checks.model_dump(mode="json")]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
