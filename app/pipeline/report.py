"""Fills the report for the privacy officer from what all steps left in the project."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from app import __version__
from app.bundle.described import description_lines
from app.bundle.report import (
    Applied,
    AuditSample,
    DatasetFinding,
    DatasetSection,
    ImagesLeaving,
    KeptSuspicious,
    Override,
    Reasoned,
    ReportData,
    Suspicion,
    Taken,
)
from app.bundle.sign_off import SignOffRecord
from app.catalog.table import count_catalogue, file_table
from app.deid.recipe import Recipe
from app.deid.rules import RuleTable, compile_rules
from app.dicom.dictionary import keyword_of
from app.dicom.profile import METHOD_CODES, Action, DatePreset, Option
from app.errors import Reason
from app.project.dataset import FindingAction, load_findings
from app.project.decisions import Decisions, ValueAction
from app.project.defacings import load_defacing
from app.project.folder import Project
from app.project.images import ImagePlanner, ImageState
from app.project.values import RowKind, ValueRow
from app.review.audit import draw_audit_sample, images_to_look_at
from app.text.dataset_words import TITLES as DATASET_TITLES
from app.text.dataset_words import finding_sentences
from app.text.messages import sentence_for

_DATE_SENTENCES = {
    DatePreset.SHIFTED: "A patient's dates all moved into the past by one random number of days; intervals are kept.",
    DatePreset.YEAR_ONLY: "Of each date the year alone was kept.",
}
_DECISIONS = {
    FindingAction.KEEP: "kept: a person knows of it and lets it leave",
    FindingAction.EXCLUDE: "left out",
    FindingAction.DEFACE: "face removed",
}
_UNDECIDED, _NO_DECISION_NEEDED = "NOBODY DECIDED", "needs none"
_ATTRIBUTES = {
    Action.COARSEN: "told in steps only",
    Action.REMOVE: "removed",
    Action.EMPTY: "emptied",
}
_FULL_DATES = "Dates were kept as they are."
_NO_DATES = "Dates were removed."


def applied_options(project: Project) -> list[Option]:
    """The options whose actions were really applied to some instance, in the order of their names."""
    rows = project.store.execute("SELECT DISTINCT reason FROM applied_actions WHERE action = 'option'")
    return sorted(Option(row["reason"]) for row in rows)


def make_report(
    project: Project,
    rows: Sequence[ValueRow],
    decisions: Decisions,
    recipe: Recipe,
    sign_off: SignOffRecord,
    description: Mapping[str, Any],
) -> ReportData:
    """The report's figures as the project stands; counts and released values only."""
    protocol = project.protocol
    options = applied_options(project)
    catalogue = count_catalogue(project.store)
    taken = _taken(project)
    skipped, unreadable = _set_aside(project)
    kept, tally = _suspicious(rows, decisions)
    return ReportData(
        title=protocol.title,
        protocol_id=protocol.id,
        protocol_sha256=project.protocol_sha256,
        contact=protocol.contact,
        site_id=project.site_id,
        software=f"Consign {__version__}",
        sign_off=sign_off,
        method_codes=tuple(METHOD_CODES[option] for option in (None, *options)),
        date_preset=recipe.dates.value,
        date_sentence=_date_sentence(recipe),
        overrides=_overrides(project, recipe),
        files=catalogue["files"],
        released=sum(line.instances for line in taken),
        patients=_count(project, "DISTINCT s.patient_id"),
        studies=_count(project, "DISTINCT s.original_study_uid"),
        series=_count(project, "DISTINCT s.id"),
        taken=taken,
        held_back=_reasoned(
            project,
            "SELECT state_reason, count(*) FROM instances WHERE selected = 1 AND state = 'held-back' GROUP BY 1",
        ),
        not_selected=_reasoned(
            project,
            f"SELECT '{Reason.NOT_SELECTED}', count(*) FROM instances WHERE reason IS NULL AND selected = 0 "  # noqa: S608
            "HAVING count(*) > 0",
        ),
        skipped=skipped,
        unreadable=unreadable,
        applied=_applied(project),
        images=_images(project, decisions, sign_off),
        values=sum(row.kind in (RowKind.VALUE, RowKind.RANGE) for row in rows),
        suspicions=tally,
        kept_suspicious=kept,
        audit_sample=_audit_sample(project, decisions),
        dataset=_dataset(project, decisions, description),
    )


def _images(project: Project, decisions: Decisions, sign_off: SignOffRecord) -> ImagesLeaving:
    prepared = {row["id"] for row in project.store.execute("SELECT id FROM instances WHERE state = 'prepared'")}
    planner = ImagePlanner(project, unattended=sign_off.unattended, decisions=decisions)
    states: Counter[tuple[ImageState, bool]] = Counter()
    boxes = 0
    for series in planner.all_series():  # one after the other: together they would not fit into memory
        for image in series.images:
            if image.instance_id in prepared:
                states[image.plan.state, image.plan.seen_by_person] += 1
                boxes += len(image.plan.boxes)
    return ImagesLeaving(
        detectors=tuple(name.value for name in project.protocol.images.detectors),
        clear=states[ImageState.CLEAR, False],
        masked_by_rule=states[ImageState.MASKED, False],
        masked_by_person=states[ImageState.MASKED, True],
        seen=states[ImageState.SEEN, True],
        boxes=boxes,
    )


def _audit_sample(project: Project, decisions: Decisions) -> AuditSample | None:
    if not decisions.images:  # then nobody has seen one, and the draw may be spared
        return None
    sample = draw_audit_sample(project, decisions=decisions)
    if not sample.seen:
        return None
    needed = images_to_look_at(sample.population, sample.share) if sample.share is not None else 0
    return AuditSample(sample.population, sample.seen, sample.found, sample.upper_bound, sample.share, needed)


def _dataset(project: Project, decisions: Decisions, description: Mapping[str, Any]) -> DatasetSection:
    decided = decisions.dataset
    tried = [load_defacing(project.store, uid) for uid in decided.defaced]
    removed = sum(one is not None and one.failure is None for one in tried)
    findings = []
    for finding in load_findings(project.store):
        decision = decided.findings.get((finding.kind, finding.original_key)) if decided.settle(finding) else None
        if decision is not None:
            told = _DECISIONS[decision.action]
        else:
            told = _UNDECIDED if finding.blocks else _NO_DECISION_NEEDED
        sentences = tuple(finding_sentences(finding))
        findings.append(DatasetFinding(DATASET_TITLES[finding.kind], sentences, told))
    return DatasetSection(
        description=description_lines(description),
        findings=tuple(findings),
        studies_left_out=len(decided.studies),
        faces_left_out=len(decided.withheld - decided.studies) + len(tried) - removed,
        faces_removed=removed,
        attributes=tuple((keyword_of(tag), _ATTRIBUTES[action]) for tag, action in sorted(decided.attributes.items())),
    )


def _date_sentence(recipe: Recipe) -> str:
    if Option.RETAIN_FULL_DATES in recipe.options:
        return _FULL_DATES
    return _DATE_SENTENCES[recipe.dates] if Option.RETAIN_MODIFIED_DATES in recipe.options else _NO_DATES


def _overrides(project: Project, recipe: Recipe) -> tuple[Override, ...]:
    if not recipe.overrides:
        return ()
    plain: RuleTable = compile_rules(recipe.options, recipe.dates, ())
    found = []
    for tag, action in recipe.overrides:
        rule = plain.rule(tag)
        without = rule.action.value if rule else "remove"
        loosens = tag in project.protocol.deidentification.loosening
        found.append(Override(keyword_of(tag), action.value, without, loosens))
    return tuple(found)


_RELEASED = "FROM instances i JOIN series s ON s.id = i.series_id WHERE i.selected = 1 AND i.state = 'prepared'"


def _count(project: Project, what: str) -> int:
    return int(project.store.one(f"SELECT count({what}) {_RELEASED}"))


def _taken(project: Project) -> tuple[Taken, ...]:
    # The modality first: attributes that are grouped with it would all lie in memory.
    rows = project.store.execute(
        "WITH sets AS MATERIALIZED ("
        "SELECT id, coalesce(json_extract(original_attributes, '$.Modality'), '') AS modality FROM attribute_sets) "
        "SELECT a.modality, count(DISTINCT s.patient_id) AS patients, count(DISTINCT s.original_study_uid) AS studies, "
        "count(DISTINCT s.id) AS series, count(*) AS instances FROM instances i JOIN series s ON s.id = i.series_id "
        "JOIN sets a ON a.id = i.attribute_set_id "
        "WHERE i.selected = 1 AND i.state = 'prepared' GROUP BY 1 ORDER BY 1"
    )
    return tuple(Taken(*row) for row in rows)


def _reasoned(project: Project, sql: str) -> tuple[Reasoned, ...]:
    return _sorted(Counter({row[0]: row[1] for row in project.store.execute(sql)}))


def _sorted(counts: Mapping[str, int]) -> tuple[Reasoned, ...]:
    return tuple(
        Reasoned(reason, sentence_for(reason, {}), count)
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )


def _set_aside(project: Project) -> tuple[tuple[Reasoned, ...], tuple[Reasoned, ...]]:
    skipped: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    for line in file_table(project):
        if line.reason is not None:
            (unreadable if line.verdict == "unreadable" else skipped)[line.reason] += line.files
    return _sorted(skipped), _sorted(unreadable)


def _applied(project: Project) -> tuple[Applied, ...]:
    rows = project.store.execute(
        "SELECT path, action, reason, sum(count) AS n FROM applied_actions WHERE action <> 'option' "
        "GROUP BY path, action, reason ORDER BY path, action, reason"
    )
    return tuple(Applied(*row) for row in rows)


def _suspicious(
    rows: Sequence[ValueRow], decisions: Decisions
) -> tuple[tuple[KeptSuspicious, ...], tuple[Suspicion, ...]]:
    """The suspicious values that leave, and for each reason how its values were decided."""
    tally: dict[str, Counter[str]] = {}
    kept: list[KeptSuspicious] = []
    for row in rows:
        if not row.is_suspicious or row.kind is RowKind.WORD:
            continue
        fate = _fate(row, decisions)
        for reason in row.suspicion:
            tally.setdefault(reason.value, Counter())[fate] += 1
        if fate == "kept":
            reasons = tuple(reason.value for reason in row.suspicion)
            kept.append(KeptSuspicious(row.path, row.value, reasons, row.instances, row.patients))
    told = tuple(
        Suspicion(reason, sentence_for(reason, {}), counts["kept"], counts["replaced"], counts["dropped"])
        for reason, counts in sorted(tally.items())
    )
    return tuple(kept), told


def _fate(row: ValueRow, decisions: Decisions) -> str:
    if row.path in decisions.tags_dropped:
        return "dropped"
    decision = decisions.values.get((row.path, row.value))
    if decision is None:
        return "kept"
    match decision.action:
        case ValueAction.KEEP:
            return "kept"
        case ValueAction.DROP:
            return "dropped"
        case ValueAction.REPLACE:
            return "replaced"
