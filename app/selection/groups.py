"""The instances of a catalogue in groups that share an attribute set, a series and a SOP class.

A predicate cannot tell the instances of a group apart, so half a million instances take a few thousand
decisions. The groups are a temporary table: they are gone with the connection, and the project's file does
not change.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from app.project.store import Store
from app.protocol.predicates import Predicate
from app.selection.explain import explain
from app.selection.facts import instance_facts, series_facts
from app.selection.sql import compile_predicate

ENGINES_DISAGREE = "decided differently by the database and by its check"
LEFT_OUT_BY_CHECK = "left out by a check"

Facts = dict[str, float | int | bool]

_CREATE = """
CREATE TEMP TABLE selection_groups (
  id INTEGER PRIMARY KEY, series_id INTEGER NOT NULL, attribute_set_id INTEGER NOT NULL,
  sop_class_uid TEXT NOT NULL, instances INTEGER NOT NULL, facts TEXT, matched INTEGER NOT NULL DEFAULT 0,
  UNIQUE (series_id, attribute_set_id, sop_class_uid)
)"""
_FILL = """
INSERT INTO selection_groups (series_id, attribute_set_id, sop_class_uid, instances)
SELECT series_id, attribute_set_id, sop_class_uid, count(*) FROM instances WHERE reason IS NULL
GROUP BY series_id, attribute_set_id, sop_class_uid"""
_POSITIONS = """
SELECT series_id, slice_position_mm FROM instances
WHERE reason IS NULL AND slice_position_mm IS NOT NULL ORDER BY series_id"""
_AGENTS = """
SELECT g.series_id, g.instances, a.original_attributes -> '$.ContrastBolusAgent' AS original_agent
FROM selection_groups AS g JOIN attribute_sets AS a ON a.id = g.attribute_set_id ORDER BY g.series_id"""


@dataclass(frozen=True, slots=True)
class Group:
    """A group and what was decided about it."""

    id: int
    series_id: int
    patient_id: int
    original_patient_key: str
    instances: int
    original_attributes: Mapping[str, object]
    original_study_uid: str
    original_series_uid: str
    is_match: bool  # by SQL
    original_reasons: tuple[str, ...]  # why not, by the check in Python; empty when that matches


@contextmanager
def grouped(store: Store) -> Iterator[dict[int, Facts]]:
    """Make the groups for as long as the context lasts; gives the facts of every series by its id."""
    store.execute("DROP TABLE IF EXISTS temp.selection_groups")
    store.execute(_CREATE)
    try:
        with store.transaction():
            store.execute(_FILL)
            facts = _derive_facts(store)
            groups = store.execute("SELECT id, series_id, sop_class_uid FROM selection_groups").fetchall()
            store.executemany(
                "UPDATE selection_groups SET facts = ? WHERE id = ?",
                (
                    (json.dumps(instance_facts(facts[series_id], sop_class_uid)), group_id)
                    for group_id, series_id, sop_class_uid in groups
                ),
            )
        yield facts
    finally:
        store.execute("DROP TABLE temp.selection_groups")


def _derive_facts(store: Store) -> dict[int, Facts]:
    spacings: dict[int, list[float]] = {
        series_id: [row["slice_position_mm"] for row in rows]
        for series_id, rows in itertools.groupby(store.execute(_POSITIONS), lambda row: int(row["series_id"]))
    }
    facts: dict[int, Facts] = {}
    for series_id, rows in itertools.groupby(store.execute(_AGENTS), lambda row: int(row["series_id"])):
        groups = list(rows)
        facts[series_id] = series_facts(
            spacings.get(series_id, ()),
            sum(group["instances"] for group in groups),
            (json.loads(group["original_agent"] or "null") for group in groups),
        )
    return facts


def count_groups(store: Store) -> int:
    """How many groups there are, for progress."""
    return int(store.one("SELECT count(*) FROM selection_groups"))


def decide(store: Store, predicate: Predicate) -> Iterator[Group]:
    """Every group, with the answer of SQL and that of Python."""
    condition = compile_predicate(predicate, "a.original_attributes", "g.facts")
    # Made of constants of this package only; values are bound.
    sql = f"""SELECT g.id, g.series_id, s.patient_id, p.original_key, g.instances, g.facts, a.original_attributes,
         s.original_study_uid, s.original_series_uid, {condition.sql} AS is_match
        FROM selection_groups AS g JOIN attribute_sets AS a ON a.id = g.attribute_set_id
        JOIN series AS s ON s.id = g.series_id JOIN patients AS p ON p.id = s.patient_id ORDER BY g.id"""  # noqa: S608
    rows = store.execute(sql, condition.parameters)
    for row in rows:
        attributes = json.loads(row["original_attributes"])
        yield Group(
            id=row["id"],
            series_id=row["series_id"],
            patient_id=row["patient_id"],
            original_patient_key=row["original_key"],
            instances=row["instances"],
            original_attributes=attributes,
            original_study_uid=row["original_study_uid"],
            original_series_uid=row["original_series_uid"],
            is_match=bool(row["is_match"]),
            original_reasons=explain(predicate, attributes, json.loads(row["facts"])),
        )
