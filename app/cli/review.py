"""What ``consign values`` and ``consign images`` do and say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.cli.console import Console, Said
from app.detection.site_masks import import_ctp_script
from app.detection.step import detect
from app.jobs.executors import WorkExecutor
from app.project.folder import Project
from app.project.images import ImageState
from app.project.values import RowKind, ValueRow
from app.review.dump import build_dump
from app.review.images import SeriesCard, list_series, write_images
from app.review.step import take_images, take_values, write_values
from app.signoff.step import undecided_blocking
from app.text.i18n import mark
from app.text.image_risks import IMAGE_RISKS
from app.text.image_words import IMAGE_STATES
from app.text.script_problems import SCRIPT_PROBLEMS
from app.text.value_words import SUSPICION_NAMES, value_text


def run_values(console: Console, project: Project, target: Path | None, decide: Path | None, *, carry: bool) -> Said:
    """Take decisions, write the table, and show each suspicious row."""
    if decide:
        take_values(project, decide, from_other_project=carry)
    rows = write_values(project, target) if target else build_dump(project)
    suspicious = [row for row in rows if row.is_suspicious]
    undecided = undecided_blocking(project, rows)
    told = {"rows": len(rows), "suspicious": len(suspicious), "undecided": len(undecided)}
    lines = [_row_line(console, row) for row in suspicious]
    lines.append(console.tr("Rows: {rows}, suspicious: {suspicious}, waiting for a decision: {undecided}", **told))
    return told, lines


def _row_line(console: Console, row: ValueRow) -> str:
    is_word = row.kind is RowKind.WORD
    return console.tr(
        "{reasons}: {what} (patients: {patients})",
        reasons=", ".join(console.tr(SUSPICION_NAMES[reason]) for reason in row.suspicion),
        what=console.tr("word {word}", word=row.value) if is_word else f"{row.path} = {value_text(row, console.tr)}",
        patients=row.patients,
    )


def run_images(
    console: Console,
    project: Project,
    executor: WorkExecutor,
    *,
    look: bool,
    script: Path | None,
    listed: bool,
    target: Path | None,
    decide: Path | None,
) -> Said:
    """Take a script over, look for text, take decisions, write the table, and show the series that wait, or all."""
    taken = import_ctp_script(project, script) if script else None
    if look:
        console.watch(detect(project, executor))
    if decide:
        take_images(project, decide)
    cards = write_images(project, target) if target else list_series(project)
    counts = {state: sum(card.states[state] for card in cards) for state in ImageState}
    lines = [_card_line(console, card) for card in cards if listed or card.waiting]
    told: dict[str, Any] = {
        "series": [_told_card(card) for card in cards],
        "images": counts,
        "waiting": sum(card.waiting for card in cards),
    }
    if taken is not None:
        for one in taken.problems:
            problem = console.tr(SCRIPT_PROBLEMS[one.problem])
            lines.append(console.tr("Line {line} of the script: {problem}", line=str(one.line), problem=problem))
        text = mark("New rules taken over from the script: {rules}; they count from the next --detect on")
        lines.append(console.tr(text, rules=taken.rows))
        told["script"] = {"rules": taken.rows, "problems": [[one.line, one.problem] for one in taken.problems]}
    lines.append(_states(console, counts) or console.tr("No images are selected"))
    return told, lines


def _told_card(card: SeriesCard) -> dict[str, Any]:
    return {
        "series": card.series_id,
        "images": card.images,
        "risk": card.risk,
        "found": card.found,
        "possible": card.possible,
        "states": {state: count for state, count in card.states.items() if count},
    }


def _card_line(console: Console, card: SeriesCard) -> str:
    return console.tr(
        "Series {series}, {modality}: {states}. Regions of text: {found}, possible ones: {possible}. {risk}",
        series=str(card.series_id),
        modality=card.modality or console.tr("images"),
        states=_states(console, card.states),
        found=card.found,
        possible=card.possible,
        risk=console.tr(IMAGE_RISKS[card.risk]),
    )


def _states(console: Console, counts: Mapping[ImageState, int]) -> str:
    return ", ".join(console.named(console.tr(IMAGE_STATES[state]), count) for state, count in counts.items() if count)
