"""The step ``select``: decides for every instance of the catalogue, and says why each one is left out."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping

from app.events import Finished, Job, Note, Progress
from app.project.folder import Project
from app.project.store import Store
from app.selection.by_hand import HandChoices, choices_text, load_hand_choices
from app.selection.groups import Facts, Group, count_groups, decide, grouped
from app.selection.request import Request, remember, settle_request
from app.selection.wanted import WantedIndex, WantedList, text_of

STEP = "select"
PROGRESS_EVERY = 1000
NOT_IN_LIST = "not in the list"
ENGINES_DISAGREE = "decided differently by the database and by its check"
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
# series id, and LIST_KEYWORDS -> text but for the instance's own UID
Matched = tuple[int, dict[str, str]]


def select(project: Project, where: str | None, only: WantedList | None) -> Job:
    """Select instances by the protocol's query, narrowed by an expression and a list; then as people decided by hand.

    What a person decided on a series (``by_hand``) counts more than the query and the list. Arguments are remembered
    for later runs without any (``request.settle_request``). Writes instances.selected, exclusions, series.facts and
    meta selection_digest in one transaction, and nothing else of the database.
    Raises ProtocolError where the expression is not understood, before anything is written.
    """
    store = project.store
    request = settle_request(project.layout.selection_json, where, only)
    predicate = request.narrow(project.protocol.selection.predicate)
    remember(project.layout.selection_json, request)
    listed = WantedIndex(request.wanted) if request.wanted else None
    by_hand = load_hand_choices(project.layout.series_json)
    exclusions: Exclusions = Counter()
    matched: dict[int, Matched] = {}
    taken_by_hand: set[int] = set()
    with grouped(store) as facts:
        total = count_groups(store)
        for done, group in enumerate(decide(store, predicate)):
            if done % PROGRESS_EVERY == 0:
                yield Progress(STEP, done, total, "attribute sets")
            choice = by_hand.get((group.original_study_uid, group.original_series_uid))
            if choice is None:
                reason = _reason(group, listed)
            else:
                reason = None if choice.is_taken else f"{LEFT_OUT_BY_HAND}: {choice.original_reason}"
            if reason is None and choice is not None:
                taken_by_hand.add(group.id)
            elif reason is None:
                matched[group.id] = (group.series_id, _identifiers(group) if listed else {})
            else:
                exclusions[group.series_id, reason] += group.instances
        yield Progress(STEP, total, total, "attribute sets")
        with store.transaction():
            store.executemany(
                "UPDATE selection_groups SET matched = 1 WHERE id = ?",
                ((group_id,) for group_id in (*matched, *taken_by_hand)),
            )
            unlisted = [] if listed is None else _unlisted_instances(store, matched, listed, exclusions)
            store.execute(_WRITE_SELECTED, (json.dumps(unlisted),))
            _write_exclusions(store, exclusions)
            _write_facts(store, facts)
            store.set_meta("selection_digest", _digest(store, request, by_hand))
    disagreed = sum(count for (_, reason), count in exclusions.items() if reason == ENGINES_DISAGREE)
    if disagreed:
        yield Note(STEP, "selection-engines-disagree", {"instances": disagreed})
    yield Finished(STEP, _counts(store))


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
    store: Store, matched: Mapping[int, Matched], listed: WantedIndex, exclusions: Exclusions
) -> list[int]:
    """The ids of instances in matched groups that a list which names single instances does not name."""
    if not listed.names_instances:
        return []
    unlisted: list[int] = []
    for row in store.execute(_SOP_INSTANCE_UIDS):
        if row["group_id"] not in matched:  # a person took the series as a whole
            continue
        series_id, identifiers = matched[row["group_id"]]
        if not listed.contains({**identifiers, "SOPInstanceUID": row["original_sop_instance_uid"]}):
            unlisted.append(row["id"])
            exclusions[series_id, NOT_IN_LIST] += 1
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


def _digest(store: Store, request: Request, by_hand: HandChoices) -> str:
    """SHA-256 over the selected SOP Instance UIDs in order, the request, and what was decided by hand."""
    digest = hashlib.sha256()
    for row in store.execute("SELECT original_sop_instance_uid AS uid FROM instances WHERE selected = 1 ORDER BY uid"):
        digest.update(row["uid"].encode() + b"\n")
    digest.update(request.to_text().encode())
    if by_hand:
        digest.update(choices_text(by_hand.values()).encode())
    return digest.hexdigest()


def _counts(store: Store) -> dict[str, int]:
    row = store.execute(_COUNTS).fetchone()
    return {name: row[name] for name in ("selected", "excluded", "series_selected", "series_excluded")}
