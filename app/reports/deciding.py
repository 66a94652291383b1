"""Decisions on hits: ``decisions/reports.csv`` holds a keyed digest of each hit and whether it counts, nothing else."""

import csv
import hmac
import io
import json
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from app.errors import ProjectError
from app.files.atomic import is_there, write_atomically
from app.project.folder import Project
from app.reports.search import Hit

COLUMNS = ("hit", "decision")
_DIGITS = 15


class HitDecision(StrEnum):
    """What a person said about a hit."""

    ACCEPT = "accept"
    REJECT = "reject"


Decided = Mapping[str, HitDecision]


def hit_digest(project: Project, hit: Hit) -> str:
    """What a decision on a hit is kept under: keyed by the project's secret, so that nobody can try sentences on it."""
    content = [hit.original_accession_number, hit.term, hit.context, hit.original_sentence]
    # The letter keeps a spreadsheet from taking it for a number.
    key = project.secret.subkey("report hits")
    return "h" + hmac.digest(key, json.dumps(content).encode(), "sha256").hex()[:_DIGITS]


def load_hit_decisions(project: Project) -> dict[str, HitDecision]:
    """By digest; raises ProjectError("decisions-damaged")."""
    path = _path(project)
    if not is_there(path):
        return {}
    decided: dict[str, HitDecision] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            if tuple(next(reader, ())) != COLUMNS:
                raise ValueError
            for digest, decision in reader:
                decided[digest] = HitDecision(decision)
    except (ValueError, csv.Error):
        raise ProjectError("decisions-damaged", file=path.name, line=len(decided) + 2) from None
    return decided


def save_hit_decisions(project: Project, decided: Decided) -> None:
    """Replace the file as a whole, owner-only."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(decided.items()))
    write_atomically(_path(project), text.getvalue().encode())


def _path(project: Project) -> Path:
    return project.layout.reports_csv
