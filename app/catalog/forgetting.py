"""Takes a source out of the catalogue again; its files on disk are left alone."""

from app.catalog.rows import FORGET_AT_ONCE, FileRows
from app.catalog.table import count_catalogue
from app.events import Finished, Job, Progress
from app.project.folder import Project

STEP = "scan"


def forget_source(project: Project, original_root: str) -> Job:
    """Forget all that was found in a source, which was given to ``scan`` before; an unknown one is no error."""
    store = project.store
    rows = FileRows(store, run_id=0)
    for batch in rows.forget_source(original_root):
        yield Progress(STEP, batch * FORGET_AT_ONCE, None)
    rows.forget_orphans()
    yield Finished(STEP, count_catalogue(store))
