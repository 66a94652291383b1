"""What became of a list of wanted patients or examinations: which lines fit nothing that was found."""

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass

from app.project.folder import Project
from app.project.store import Store
from app.selection.wanted import LIST_KEYWORDS, Entry, WantedList, text_of

_SERIES = """
SELECT DISTINCT a.original_attributes -> '$.PatientID' AS original_patient,
 a.original_attributes -> '$.AccessionNumber' AS original_accession, s.original_study_uid, s.original_series_uid,
 i.taken
FROM (SELECT series_id, attribute_set_id, max(coalesce(selected, 0)) AS taken FROM instances WHERE reason IS NULL
      GROUP BY series_id, attribute_set_id) AS i
JOIN series AS s ON s.id = i.series_id JOIN attribute_sets AS a ON a.id = i.attribute_set_id"""
_INSTANCES = """
SELECT a.original_attributes -> '$.PatientID', a.original_attributes -> '$.AccessionNumber', s.original_study_uid,
 s.original_series_uid, coalesce(i.selected, 0), i.original_sop_instance_uid
FROM instances AS i JOIN series AS s ON s.id = i.series_id JOIN attribute_sets AS a ON a.id = i.attribute_set_id
WHERE i.reason IS NULL"""


@dataclass(frozen=True, slots=True)
class ListOutcome:
    """``original_missing`` fit nothing in the sources, ``original_left_out`` fit only what is not taken; sorted."""

    entries: int
    original_missing: tuple[Entry, ...]
    original_left_out: tuple[Entry, ...]


def check_list(project: Project, wanted: WantedList) -> ListOutcome:
    """Which lines of a list are not found, and which are found without anything of them being taken."""
    present: set[Entry] = set()
    taken: set[Entry] = set()
    shapes = {tuple(keyword for keyword, _ in entry) for entry in wanted.original_entries}
    with_instances = any("SOPInstanceUID" in shape for shape in shapes)
    for identifiers, is_taken in _identifiers(project.store, _INSTANCES if with_instances else _SERIES):
        for shape in shapes:
            entry = tuple((keyword, identifiers.get(keyword, "")) for keyword in shape)
            if entry in wanted.original_entries:
                present.add(entry)
                if is_taken:
                    taken.add(entry)
    missing = wanted.original_entries - present
    return ListOutcome(
        len(wanted.original_entries), tuple(sorted(missing)), tuple(sorted(wanted.original_entries - missing - taken))
    )


def _identifiers(store: Store, sql: str) -> Iterator[tuple[dict[str, str], bool]]:
    for patient, accession, study, series, is_taken, *instance in store.execute(sql):
        texts = [text_of(json.loads(value or "null")).strip() for value in (patient, accession)]
        values = itertools.chain(texts, (study, series), instance)
        yield dict(zip(LIST_KEYWORDS, values, strict=False)), bool(is_taken)
