"""What ``consign select`` and ``consign check`` do and say."""

from collections import Counter
from pathlib import Path
from typing import Any

from app.catalog.table import file_table, is_complete
from app.checks.step import check
from app.cli.console import Console, Said
from app.errors import UsageError
from app.pipeline.finding import check_and_select, list_troubles, take_study_file
from app.project.cohorts import GroupCounts, load_group_counts, load_patients_in_groups
from app.project.folder import Project
from app.project.series_findings import CheckedSeries, load_checked_series
from app.selection.result import ExcludedSeries, SelectedSeries, count_exclusions, excluded_series, selected_series
from app.selection.wanted import read_list
from app.text.check_words import BODY_PARTS, CHECK_NAMES, PHASES, SEVERITIES, finding_sentence
from app.text.cohort_words import group_sentence, shortage_sentence, trouble_sentence
from app.text.exclusion_words import exclusion_words
from app.text.i18n import mark


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
    lines = [line for group in groups for line in _group_lines(console, group)]
    if both:
        lines.append(console.tr("Patients in more than one group: {count}", count=len(both)))
    if file is not None and file.original_ignored:
        text = mark("Columns of the list that are no labels of the protocol and stay behind: {count}")
        lines.append(console.tr(text, count=len(file.original_ignored)))
    lines += [trouble_sentence(problem, console.translate) for problem in troubles]
    lines += [_selected_line(console, one) for one in chosen]
    lines += [_excluded_line(console, one) for one in excluded]
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


def nothing_selected_lines(console: Console, project: Project) -> list[str]:
    """Why nothing is selected: what speaks against how many images, or what became of the files where none is an image.

    Ends with what to do about it.
    """
    excluded = count_exclusions(project)
    if excluded:
        head = mark("None of the images is selected. How many each of these reasons leaves out:")
        reasons = [(exclusion_words(reason, console.translate), count) for reason, count in excluded]
        todo = mark("Ask for others with --where or another protocol; for each series: consign select PROJECT")
    else:
        head = mark("None of the files is an image that can be used:")
        told = [(line.reason, line.files) for line in file_table(project) if line.reason]
        reasons = [(console.named(reason, console.sentence(reason)), count) for reason, count in told]
        todo = mark("Add other sources; by name, with what became of each: consign files PROJECT --csv FILE")
    lines = [f"{console.number(count):>9}  {reason}" for reason, count in reasons]
    return [console.tr(head), *lines, console.tr(todo)]


def _group_lines(console: Console, group: GroupCounts) -> list[str]:
    shortages = (shortage_sentence(one, console.translate) for one in group.original_shortages)
    sentences = (group_sentence(group, console.translate), *shortages)
    return [console.tr("Group {name}. {sentence}", name=group.name, sentence=one) for one in sentences]


def _selected_line(console: Console, series: SelectedSeries) -> str:
    text = mark("Series {series}, {modality}: {count} selected")
    return console.tr(text, series=str(series.series_id), modality=series.original_modality, count=series.instances)


def _excluded_line(console: Console, series: ExcludedSeries) -> str:
    return console.tr(
        "Series {series}, {modality}: {count} excluded: {reasons}",
        series=str(series.series_id),
        modality=series.original_modality,
        count=series.instances,
        reasons="; ".join(exclusion_words(reason, console.translate) for reason in series.original_reasons),
    )


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
    lines = [line for series in shown for line in _check_lines(console, series)]
    found = Counter(finding.check for series in all_series for finding in series.findings)
    lines.append(
        ", ".join(console.named(console.tr(CHECK_NAMES[check]), count) for check, count in found.most_common())
        or console.tr("Nothing was found")
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


def _check_lines(console: Console, series: CheckedSeries) -> list[str]:
    words = [BODY_PARTS[part] for part in series.body_parts]
    if series.phase is not None:
        words.append(PHASES[series.phase])
    shows = ", ".join(console.tr(word) for word in words)
    name = console.tr("Series {series}", series=str(series.series_id))
    return [
        f"{name} ({shows})" if shows else name,
        *(
            f"  {console.named(console.tr(SEVERITIES[one.severity]), finding_sentence(one, console.translate))}"
            for one in series.findings
        ),
    ]
