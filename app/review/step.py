"""The review step: what is shown, and how decisions are taken: a CSV with one bad row changes nothing."""

from dataclasses import replace
from pathlib import Path

from app.project.decisions import Decisions, load_decisions, save_decisions
from app.project.folder import Project
from app.project.values import ValueRow
from app.review.csv_exchange import known_keys, read_decisions, write_csv
from app.review.dump import build_dump
from app.review.images import read_image_decisions


def write_values(project: Project, path: Path) -> list[ValueRow]:
    """Write the dump for people and return it; raises UsageError("csv-not-written")."""
    rows = build_dump(project)
    write_csv(rows, load_decisions(project.layout), path)
    return rows


def take_values(project: Project, path: Path, *, from_other_project: bool = False) -> Decisions:
    """Take decisions from a CSV that ``write_values`` wrote, and return what is decided now.

    ``from_other_project`` takes decisions on values that do not occur here, too. Raises UsageError and
    DecisionsRefusedError as ``read_decisions`` does; nothing has changed then.
    """
    current = load_decisions(project.layout)
    known = None if from_other_project else known_keys(build_dump(project), current)
    decisions = read_decisions(path, known).over(current)
    save_decisions(project.layout, decisions)
    return decisions


def take_images(project: Project, path: Path) -> Decisions:
    """Take decisions on images from a CSV and return what is decided now; a blank cell takes one back.

    Raises UsageError and DecisionsRefusedError as ``read_image_decisions`` does; nothing has changed then.
    """
    current = load_decisions(project.layout)
    images = dict(current.images)
    for uid, decision in read_image_decisions(project, path).items():
        if decision is None:
            images.pop(uid, None)
        else:
            images[uid] = decision
    decisions = replace(current, images=images)
    save_decisions(project.layout, decisions)
    return decisions
