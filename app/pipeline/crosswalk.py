"""The way back, for the site: crosswalk.csv."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from app.dicom.profile import Option
from app.dicom.uids import keyed_uid
from app.files.atomic import write_atomically
from app.project.crosswalk import Crosswalk
from app.project.folder import Project

KINDS = ("patient", "accession", "study", "series", "instance", "uid")


def write_crosswalk(project: Project, path: Path) -> int:
    """Write the way back as CSV with the columns kind, original, released; returns the number of rows.

    For the site only: the file is readable by its owner.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("kind", "original", "released"))
    rows = sorted(set(_crosswalk_rows(project)), key=lambda row: (KINDS.index(row[0]), row[1], row[2]))
    writer.writerows(rows)
    write_atomically(path, text.getvalue().encode())
    return len(rows)


def _crosswalk_rows(project: Project) -> Iterator[tuple[str, str, str]]:
    crosswalk = Crosswalk(project.store, project.secret, project.site_id)
    for kind in ("patient", "accession"):
        for one in crosswalk.rows(kind):
            yield kind, one.original, one.released
    key = project.secret.subkey("uid")
    keeps_uids = Option.RETAIN_UIDS in project.protocol.deidentification.options
    own: set[str] = set()
    for row in project.store.execute(
        "SELECT s.original_study_uid, s.original_series_uid, i.original_sop_instance_uid FROM instances i "
        "JOIN series s ON s.id = i.series_id WHERE i.state = 'prepared'"
    ):
        for kind, original in zip(("study", "series", "instance"), row, strict=True):
            own.add(original)
            yield kind, original, original if keeps_uids else keyed_uid(key, original)
    for one in crosswalk.rows("uid"):
        if one.original not in own:
            yield "uid", one.original, one.released
