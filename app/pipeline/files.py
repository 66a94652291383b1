"""What became of each file, by name: for the site, which has to find the ones that stayed behind."""

from pathlib import Path

from app.files.locator import Locator
from app.project.cells import cell_of_text
from app.project.folder import Project
from app.review.tables import write_table

COLUMNS = ("file", "member", "outcome", "reason")

# In the order in which the steps decide: scan, duplicates, selection, prepare or export.
_OUTCOMES = """
SELECT f.original_locator,
  CASE WHEN f.verdict <> 'instance' THEN f.verdict
    WHEN i.reason IS NOT NULL THEN 'skipped'
    WHEN i.selected = 0 THEN 'not-selected'
    ELSE coalesce(i.state, 'catalogued') END AS outcome,
  coalesce(f.reason, i.reason, i.state_reason, '') AS reason
FROM files f LEFT JOIN instances i ON i.file_id = f.id ORDER BY f.original_locator
"""


def write_file_list(project: Project, path: Path) -> int:
    """Write file, archive member, outcome and reason code as CSV; returns the number of rows.

    Raises UsageError("csv-not-written").
    """
    rows = []
    for row in project.store.execute(_OUTCOMES):
        locator = Locator.from_text(row["original_locator"])
        path_cell = cell_of_text(locator.original_path)
        member_cell = cell_of_text("/".join(locator.original_members))
        rows.append((path_cell, member_cell, row["outcome"], row["reason"]))
    write_table(path, COLUMNS, rows)
    return len(rows)
