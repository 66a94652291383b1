"""What ``consign select`` and ``consign check`` do and say."""

from collections import Counter
from pathlib import Path
from typing import Any

from app.catalog.table import is_complete
from app.checks.step import check
from app.cli.console import Console
from app.errors import UsageError
from app.pipeline.finding import check_and_select, list_troubles, take_study_file
from app.project.cohorts import GroupCounts, load_group_counts, load_patients_in_groups
from app.project.folder import Project
from app.project.series_findings import CheckedSeries, load_checked_series
from app.selection.result import excluded_series, selected_series
from app.selection.wanted import read_list
from app.text.check_words import BODY_PARTS, CHECK_NAMES, PHASES, SEVERITIES, finding_sentence
from app.text.cohort_words import group_sentence, shortage_sentence, trouble_sentence

# What a command says to machines, and its lines for people.
Said = tuple[dict[str, Any], list[str]]


def run_select(console: Console, folder: Path, where: str | None, wanted: Path | None, studies: Path | None) -> Said:
    """Check, select and draw; groups and troubles of the study list come first."""
    only = read_list(wanted) if wanted else None
    with Project(folder) as project:
        if not is_complete(project):
            raise UsageError("scan-not-finished")
        file = take_study_file(project, studies) if studies else None
        counts = console.watch(check_and_select(project, where, only))
        excluded, chosen = excluded_series(project), selected_series(project)
        groups, both = load_group_counts(project.store), load_patients_in_groups(project.store)
        troubles = list_troubles(project)
    lines = [line for group in groups for line in _group_lines(group)]
    if both:
        lines.append(f"{len(both)} patients are in more than one group")
    if file is not None and file.original_ignored:
        lines.append(f"{len(file.original_ignored)} columns of the list are no labels of the protocol and stay behind")
    lines += [trouble_sentence(problem) for problem in troubles]
    lines += [f"series {one.series_id}: {one.instances} selected, {one.original_modality}" for one in chosen]
    lines += [
        f"series {one.series_id}: {one.instances} excluded, {one.original_modality}: {'; '.join(one.original_reasons)}"
        for one in excluded
    ]
    told: dict[str, Any] = {
        "counts": dict(counts),
        "excluded": [
            {"series": one.series_id, "instances": one.instances, "reasons": list(one.original_reasons)}
            for one in excluded
        ],
    }
    if groups:
        told["groups"] = [_told_group(group) for group in groups]
        told["patients_in_two_groups"] = len(both)
    if troubles:
        told["list"] = [{"row": one.line, "problem": one.trouble, "label": one.label} for one in troubles]
    return told, lines


def _group_lines(group: GroupCounts) -> list[str]:
    shortages = (shortage_sentence(one) for one in group.original_shortages)
    return [f"group {group.name}: {sentence}" for sentence in (group_sentence(group), *shortages)]


def _told_group(group: GroupCounts) -> dict[str, Any]:
    return {
        "group": group.name,
        "wanted": group.wanted,
        "found": group.found,
        "drawn": group.drawn,
        "short": group.short,
        "over": group.over,
    }


def run_check(console: Console, folder: Path, *, show_all: bool) -> Said:
    """Check every series; a line for each that something is found of, or for all."""
    with Project(folder) as project:
        if not is_complete(project):
            raise UsageError("scan-not-finished")
        counts = console.watch(check(project))
        all_series = sorted(load_checked_series(project.store).values(), key=lambda series: series.series_id)
    shown = [series for series in all_series if series.findings or show_all]
    lines = [line for series in shown for line in _check_lines(series)]
    found = Counter(finding.check for series in all_series for finding in series.findings)
    lines.append(
        ", ".join(f"{count} x {CHECK_NAMES[check].lower()}" for check, count in found.most_common())
        or "nothing was found"
    )
    told = {
        "counts": dict(counts),
        "series": [
            {
                "series": series.series_id,
                "body_parts": series.body_parts,
                "body_part_confidence": series.body_part_confidence,
                "phase": series.phase,
                "phase_confidence": series.phase_confidence,
                "findings": [
                    {
                        "check": one.check,
                        "code": one.code,
                        "severity": one.severity,
                        "fields": dict(one.original_fields),
                    }
                    for one in series.findings
                ],
            }
            for series in shown
        ],
    }
    return told, lines


def _check_lines(series: CheckedSeries) -> list[str]:
    parts = ", ".join(BODY_PARTS[part] for part in series.body_parts)
    phase = "" if series.phase is None else PHASES[series.phase]
    shows = "; ".join(word for word in (parts, phase) if word)
    return [
        f"series {series.series_id}{f' ({shows})' if shows else ''}:",
        *(f"  {SEVERITIES[one.severity]}: {finding_sentence(one)}" for one in series.findings),
    ]
