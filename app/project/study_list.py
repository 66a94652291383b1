"""Studies that people named from outside the images, with a group and labels: ``decisions/studies.json``.

A row comes from a list that somebody imported, or from a search in reports. Keyed by identifiers, not by row numbers of
the catalogue, so that it survives a new scan. All of it may be PHI.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.errors import ProjectError
from app.files.atomic import is_there, write_atomically
from app.project.folder import Layout

STUDY_KEYWORDS = ("PatientID", "AccessionNumber", "StudyInstanceUID")


class RowSource(StrEnum):
    """Where a row comes from; whoever brings new rows replaces those of the same source only."""

    LIST = "list"
    REPORTS = "reports"


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One line: identifiers that must all agree, a group of the protocol or '', labels as the protocol allows them.

    ``line`` counts from 1 in the file that it was read from, the header included.
    """

    source: RowSource
    line: int
    original_identifiers: tuple[tuple[str, str], ...]  # (keyword, text) in the order of STUDY_KEYWORDS; at least one
    group: str = ""
    labels: tuple[tuple[str, str], ...] = ()  # (name, value), sorted


def load_study_list(layout: Layout) -> tuple[StudyRow, ...]:
    """All rows; none where there is no file. Raises ProjectError("decisions-damaged")."""
    path = layout.studies_json
    if not is_there(path):
        return ()
    try:
        return tuple(_row_of(row) for row in json.loads(path.read_text(encoding="utf-8")))
    except json.JSONDecodeError as error:
        raise ProjectError("decisions-damaged", file=path.name, line=error.lineno) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ProjectError("decisions-damaged", file=path.name, line=1) from None


def _row_of(row: Mapping[str, object]) -> StudyRow:
    identifiers, labels = row["original_identifiers"], row["labels"]
    line, group = row["line"], row["group"]
    if not isinstance(identifiers, dict) or not isinstance(labels, dict):
        raise TypeError
    if not isinstance(line, int) or not isinstance(group, str):
        raise TypeError
    texts = [*identifiers.values(), *labels.values()]
    if not identifiers or not set(identifiers) <= set(STUDY_KEYWORDS) or not all(isinstance(one, str) for one in texts):
        raise ValueError
    ordered = tuple((keyword, str(identifiers[keyword])) for keyword in STUDY_KEYWORDS if keyword in identifiers)
    return StudyRow(RowSource(str(row["source"])), line, ordered, group, tuple(sorted(labels.items())))


def save_study_rows(layout: Layout, source: RowSource, rows: Iterable[StudyRow]) -> None:
    """Replace the rows of one source; ``select`` then has to run again."""
    others = [row for row in load_study_list(layout) if row.source is not source]
    write_atomically(layout.studies_json, rows_text([*others, *rows]).encode())


def rows_text(rows: Iterable[StudyRow]) -> str:
    """The JSON that is stored, and digested: one row a line; the same for the same rows."""
    lines = [
        json.dumps(
            {
                "source": row.source.value,
                "line": row.line,
                "original_identifiers": dict(row.original_identifiers),
                "group": row.group,
                "labels": dict(row.labels),
            }
        )
        for row in sorted(rows, key=lambda row: (row.source, row.line, row.original_identifiers))
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n"
