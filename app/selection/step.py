"""The step ``select``: decides for every instance of the catalogue, and says why each one is left out."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from app.events import Finished, Job, Note, Progress
from app.project.cohorts import StudyGroup, replace_cohorts
from app.project.folder import Project
from app.project.series_findings import checks_digest, load_checked_series, load_unchecked_series
from app.project.store import Store
from app.project.study_list import StudyRow, load_study_list, rows_text
from app.protocol.checks import Severity
from app.selection.by_hand import HandChoices, choices_text, load_hand_choices
from app.selection.grouping import Member, make_cohorts
from app.selection.groups import ENGINES_DISAGREE, LEFT_OUT_BY_CHECK, Facts, Group, count_groups, decide, grouped
from app.selection.joining import join_rows
from app.selection.request import Request, remember, settle_request
from app.selection.wanted import WantedIndex, WantedList, text_of

STEP = "select"
PROGRESS_EVERY = 1000
NOT_IN_LIST = "not in the list"
NOT_CHECKED = "not checked yet"
LEFT_OUT_BY_HAND = "left out by hand"

_SOP_INSTANCE_UIDS = """
SELECT i.id, i.original_sop_instance_uid, g.id AS group_id FROM selection_groups AS g
JOIN instances AS i ON i.series_id = g.series_id AND i.attribute_set_id = g.attribute_set_id
 AND i.sop_class_uid = g.sop_class_uid
WHERE g.matched = 1 AND i.reason IS NULL"""
# Only rows that change are written: a second run over half a million instances writes nothing.
_WRITE_SELECTED = """
UPDATE instances SET selected = decided.selected FROM (
  SELECT i.id, i.reason IS NULL AND coalesce(g.matched, 0)
   AND i.id NOT IN (SELECT value FROM json_each(?)) AS selected
  FROM instances AS i LEFT JOIN selection_groups AS g ON g.series_id = i.series_id
   AND g.attribute_set_id = i.attribute_set_id AND g.sop_class_uid = i.sop_class_uid
) AS decided
WHERE decided.id = instances.id AND instances.selected IS NOT decided.selected"""
_COUNTS = """
SELECT coalesce(sum(taken), 0) AS selected, coalesce(sum(total - taken), 0) AS excluded,
 coalesce(sum(taken > 0), 0) AS series_selected, coalesce(sum(taken = 0), 0) AS series_excluded
FROM (
  SELECT sum(selected) AS taken, count(*) AS total FROM instances WHERE reason IS NULL GROUP BY series_id
)"""

# (series id, why) -> how many of its instances
Exclusions = Counter[tuple[int, str]]


def select(project: Project, where: str | None, only: WantedList | None) -> Job:
    """Select instances by the protocol's query, narrowed by an expression and a list; then as people decided by hand.

    Of what is left, series that a check of the protocol excludes stay, and studies are drawn for the protocol's groups.
    What a person decided on a series (``by_hand``) counts more than all of that. Arguments are remembered for later
    runs without any (``request.settle_request``). Writes instances.selected, exclusions, series.facts, groups and
    labels of studies and meta selection_digest in one transaction, and nothing else of the database.
    Raises ProtocolError where the expression is not understood, before anything is written.
    """
    store = project.store
    request = settle_request(project.layout.selection_json, where, only)
    predicate = request.narrow(project.protocol.selection.predicate)
    remember(project.layout.selection_json, request)
    listed = WantedIndex(request.wanted) if request.wanted else None
    by_hand = load_hand_choices(project.layout.series_json)
    rows = load_study_list(project.layout)
    refused = _refused_by_checks(project)
    exclusions: Exclusions = Counter()
    members: dict[int, Member] = {}
    with grouped(store) as facts:
        total = count_groups(store)
        for done, group in enumerate(decide(store, predicate)):
            if done % PROGRESS_EVERY == 0:
                yield Progress(STEP, done, total, "attribute sets")
            choice = by_hand.get((group.original_study_uid, group.original_series_uid))
            if choice is None:
                reason = _reason(group, listed) or refused.get(group.series_id)
            else:
                reason = None if choice.is_taken else f"{LEFT_OUT_BY_HAND}: {choice.original_reason}"
            if reason is None:
                members[group.id] = Member(group, is_by_hand=choice is not None)
            else:
                exclusions[group.series_id, reason] += group.instances
        cohorts = make_cohorts(project, [*members.values()], join_rows(store, rows, project.protocol))
        for group_id, reason in cohorts.original_reasons.items():
            member = members.pop(group_id)
            exclusions[member.group.series_id, reason] += member.group.instances
        yield Progress(STEP, total, total, "attribute sets")
        with store.transaction():
            store.executemany(
                "UPDATE selection_groups SET matched = 1 WHERE id = ?", ((group_id,) for group_id in members)
            )
            unlisted = [] if listed is None else _unlisted_instances(store, members, listed, exclusions)
            store.execute(_WRITE_SELECTED, (json.dumps(unlisted),))
            _write_exclusions(store, exclusions)
            _write_facts(store, facts)
            replace_cohorts(store, cohorts.studies, cohorts.labels, cohorts.counts)
            store.set_meta("selection_digest", _digest(store, request, by_hand, rows, cohorts.studies))
    disagreed = sum(count for (_, reason), count in exclusions.items() if reason == ENGINES_DISAGREE)
    if disagreed:
        yield Note(STEP, "selection-engines-disagree", {"instances": disagreed})
    yield Finished(STEP, _counts(store))


def _refused_by_checks(project: Project) -> dict[int, str]:
    """Series that a check of the protocol leaves out; where it has such checks, what was not checked waits."""
    checks = project.protocol.checks
    if not checks.excluding:
        return {}
    refused = dict.fromkeys(load_unchecked_series(project.store, checks_digest(checks)), NOT_CHECKED)
    for series in load_checked_series(project.store).values():
        names = sorted({finding.check for finding in series.findings if finding.severity is Severity.EXCLUDE})
        if names and series.series_id not in refused:
            refused[series.series_id] = f"{LEFT_OUT_BY_CHECK}: {', '.join(names)}"
    return refused


def _reason(group: Group, listed: WantedIndex | None) -> str | None:
    """Why a group as a whole is not selected; None when it is, or when a list may name some of it."""
    if group.is_match is bool(group.original_reasons):
        return ENGINES_DISAGREE
    if group.original_reasons:
        return "; ".join(group.original_reasons)
    if listed is not None and not listed.names_instances and not listed.contains(_identifiers(group)):
        return NOT_IN_LIST
    return None


def _identifiers(group: Group) -> dict[str, str]:
    return {
        "PatientID": text_of(group.original_attributes.get("PatientID")).strip(),
        "AccessionNumber": text_of(group.original_attributes.get("AccessionNumber")).strip(),
        "StudyInstanceUID": group.original_study_uid,
        "SeriesInstanceUID": group.original_series_uid,
    }


def _unlisted_instances(
    store: Store, members: Mapping[int, Member], listed: WantedIndex, exclusions: Exclusions
) -> list[int]:
    """The ids of instances in matched groups that a list which names single instances does not name."""
    if not listed.names_instances:
        return []
    unlisted: list[int] = []
    identifiers = {
        group_id: _identifiers(member.group) for group_id, member in members.items() if not member.is_by_hand
    }
    for row in store.execute(_SOP_INSTANCE_UIDS):
        if row["group_id"] not in identifiers:  # a person took the series as a whole
            continue
        of_instance = {**identifiers[row["group_id"]], "SOPInstanceUID": row["original_sop_instance_uid"]}
        if not listed.contains(of_instance):
            unlisted.append(row["id"])
            exclusions[members[row["group_id"]].group.series_id, NOT_IN_LIST] += 1
    return unlisted


def _write_exclusions(store: Store, exclusions: Exclusions) -> None:
    store.execute("DELETE FROM exclusions")
    store.executemany(
        "INSERT INTO exclusions (series_id, original_explanation, instances) VALUES (?, ?, ?)",
        ((series_id, reason, count) for (series_id, reason), count in exclusions.items()),
    )


def _write_facts(store: Store, facts: Mapping[int, Facts]) -> None:
    rows = ((json.dumps(of_series, sort_keys=True), series_id) for series_id, of_series in facts.items())
    store.executemany("UPDATE series SET facts = ? WHERE id = ?", rows)


def _digest(
    store: Store,
    request: Request,
    by_hand: HandChoices,
    rows: Sequence[StudyRow],
    studies: Sequence[StudyGroup],
) -> str:
    """SHA-256 over the selected SOP Instance UIDs in order, the request, what was decided by hand, lists and groups."""
    digest = hashlib.sha256()
    for row in store.execute("SELECT original_sop_instance_uid AS uid FROM instances WHERE selected = 1 ORDER BY uid"):
        digest.update(row["uid"].encode() + b"\n")
    digest.update(request.to_text().encode())
    if by_hand:
        digest.update(choices_text(by_hand.values()).encode())
    if rows:
        digest.update(rows_text(rows).encode())
    for study, group in sorted((one.original_study_uid, one.group) for one in studies if one.is_drawn):
        digest.update(f"{study}\0{group}\n".encode())
    return digest.hexdigest()


def _counts(store: Store) -> dict[str, int]:
    row = store.execute(_COUNTS).fetchone()
    return {name: row[name] for name in ("selected", "excluded", "series_selected", "series_excluded")}
