"""A site's own table of devices that write into images: ``decisions/device_masks.csv``, in the format of ours."""

from dataclasses import dataclass
from pathlib import Path

from app.detection.ctp_script import ProblemInScript, read_ctp_script
from app.detection.device_masks import DeviceMask, format_table, parse_table
from app.errors import ProjectError, UsageError
from app.files.atomic import is_there, write_atomically
from app.project.folder import Layout, Project

LARGEST_SCRIPT_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class TakenScript:
    """What came of a script: how many new rows, and what was not understood."""

    rows: int
    problems: tuple[ProblemInScript, ...]


def load_site_masks(layout: Layout) -> tuple[DeviceMask, ...]:
    """The site's rows; no file means none. Raises ProjectError("decisions-damaged")."""
    if not is_there(layout.device_masks_csv):
        return ()
    try:
        return parse_table(layout.device_masks_csv.read_text(encoding="utf-8"))
    except ValueError as error:
        line = error.args[0] if error.args and isinstance(error.args[0], int) else 1
        raise ProjectError("decisions-damaged", file=layout.device_masks_csv.name, line=line) from error


def import_ctp_script(project: Project, path: Path) -> TakenScript:
    """Add the regions of a CTP DicomPixelAnonymizer script to the site's table.

    They count from the next *detect* on. Raises UsageError("script-not-readable").
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_SCRIPT_BYTES + 1)
        if len(content) > LARGEST_SCRIPT_BYTES:  # no script; and half of one must not pass for the whole
            raise UsageError("script-not-readable")
        text = content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("script-not-readable") from error
    masks, problems = read_ctp_script(text)
    known = load_site_masks(project.layout)
    new = tuple(mask for mask in masks if mask not in known)
    if new:
        write_atomically(project.layout.device_masks_csv, format_table((*known, *new)).encode())
    return TakenScript(len(new), problems)
