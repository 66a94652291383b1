"""What the catalogue holds, for whoever shows it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from app.files.locator import Locator
from app.project.folder import Project
from app.project.store import Store

# A file that is one of several with the same UID is an instance all the same; the reason is the instance's
# then.
_REASON = "coalesce(f.reason, i.reason)"


@dataclass(frozen=True, slots=True)
class ReasonCount:
    """How many files have a verdict for a reason; None for the instances that count."""

    verdict: str
    reason: str | None
    files: int


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file or archive member."""

    original_locator: str = field(repr=False)
    verdict: str
    reason: str | None


def file_table(project: Project) -> list[ReasonCount]:
    """Every file counted once, by verdict and reason; the counts add up to all files."""
    rows = project.store.execute(
        f"SELECT f.verdict, {_REASON} AS reason, count(*) AS files "  # noqa: S608 - a constant
        "FROM files f LEFT JOIN instances i ON i.file_id = f.id GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [ReasonCount(row["verdict"], row["reason"], row["files"]) for row in rows]


def list_files(project: Project) -> Iterator[FileRow]:
    """All files in the order of their locators."""
    rows = project.store.execute(
        f"SELECT f.original_locator, f.verdict, {_REASON} AS reason "  # noqa: S608 - a constant
        "FROM files f LEFT JOIN instances i ON i.file_id = f.id ORDER BY f.original_locator"
    )
    for row in rows:
        yield FileRow(row["original_locator"], row["verdict"], row["reason"])


def problem_files(project: Project, verdict: str, reason: str | None, limit: int) -> list[str]:
    """The first files with a verdict for a reason, as paths; a member of an archive after the archive's path."""
    rows = project.store.execute(
        f"SELECT f.original_locator FROM files f LEFT JOIN instances i ON i.file_id = f.id "  # noqa: S608 - a constant
        f"WHERE f.verdict = ? AND {_REASON} IS ? ORDER BY f.original_locator LIMIT ?",
        (verdict, reason, limit),
    )
    return [_path(row[0]) for row in rows]


def list_sources(project: Project) -> list[str]:
    """The paths of the sources that were read, in the order in which they came."""
    return [_path(row[0]) for row in project.store.execute("SELECT original_path FROM sources ORDER BY id")]


def _path(original_locator: str) -> str:
    locator = Locator.from_text(original_locator)
    return " \u203a ".join((locator.original_path, *locator.original_members))


def is_complete(project: Project) -> bool:
    """Whether the last scan came to its end; copies and vanished files are dealt with only then."""
    finished = project.store.one("SELECT finished FROM runs WHERE step = 'scan' ORDER BY id DESC LIMIT 1")
    return finished is not None


def count_catalogue(store: Store) -> dict[str, int]:
    """``files`` is the sum of instances, duplicates, conflicts, skipped and unreadable."""
    counts = {
        "files": "files",
        "instances": "instances WHERE reason IS NULL",
        "skipped": "files WHERE verdict = 'skipped'",
        "unreadable": "files WHERE verdict = 'unreadable'",
        "duplicates": "instances WHERE reason = 'duplicate'",
        "conflicts": "instances WHERE reason = 'conflict'",
        "patients": "patients",
        "studies": "(SELECT DISTINCT patient_id, original_study_uid FROM series)",
        "series": "series",
    }
    return {name: int(store.one(f"SELECT count(*) FROM {what}")) for name, what in counts.items()}  # noqa: S608
