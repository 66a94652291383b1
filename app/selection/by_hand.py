"""Series that a person takes or leaves out whatever the query says, each with a reason: ``decisions/series.json``.

Keyed by UIDs, not by row numbers, so that the file serves the next project with the same images too.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from app.errors import ProjectError, UsageError
from app.files.atomic import is_there, write_atomically
from app.project.folder import Project

MAX_REASON_LENGTH = 200


@dataclass(frozen=True, slots=True)
class HandChoice:
    """What a person decided on a series, and why; the reason is theirs and may name a patient."""

    original_study_uid: str
    original_series_uid: str
    is_taken: bool
    original_reason: str


# (study UID, series UID) -> choice
HandChoices = Mapping[tuple[str, str], HandChoice]


def load_hand_choices(path: Path) -> HandChoices:
    """The choices in a file; none where there is no file.

    Raises ProjectError("decisions-damaged"): a choice that is not understood must not silently let a series out.
    """
    if not is_there(path):
        return {}
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        choices = [_choice_of(row) for row in rows]
    except json.JSONDecodeError as error:
        raise ProjectError("decisions-damaged", file=path.name, line=error.lineno) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise ProjectError("decisions-damaged", file=path.name, line=1) from None
    return {(choice.original_study_uid, choice.original_series_uid): choice for choice in choices}


def _choice_of(row: Mapping[str, object]) -> HandChoice:
    study, series, choice, reason = (row[key] for key in ("original_study", "original_series", "choice", "reason"))
    if not isinstance(study, str) or not isinstance(series, str) or not isinstance(reason, str):
        raise TypeError
    if choice not in ("take", "leave-out"):
        raise ValueError
    return HandChoice(study, series, choice == "take", reason)


def choices_text(choices: Iterable[HandChoice]) -> str:
    """The JSON that is stored, and digested; the same for the same choices."""
    rows = [
        {
            "original_study": choice.original_study_uid,
            "original_series": choice.original_series_uid,
            "choice": "take" if choice.is_taken else "leave-out",
            "reason": choice.original_reason,
        }
        for choice in sorted(choices, key=lambda choice: (choice.original_study_uid, choice.original_series_uid))
    ]
    return json.dumps(rows, indent=1) + "\n"


def choose_by_hand(project: Project, series_ids: Iterable[int], is_taken: bool | None, original_reason: str) -> None:
    """Remember a choice on some series; None forgets what was chosen. ``select`` then has to run again.

    Raises UsageError("bad-hand-reason") where a choice has no reason, or one of more than a line.
    """
    reason = original_reason.strip()
    if is_taken is not None and not (reason and len(reason) <= MAX_REASON_LENGTH and reason.isprintable()):
        raise UsageError("bad-hand-reason")
    path = project.layout.series_json
    choices = dict(load_hand_choices(path))
    rows = project.store.execute(
        "SELECT original_study_uid, original_series_uid FROM series WHERE id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(series_ids)),),
    )
    for study, series in rows:
        if is_taken is None:
            choices.pop((study, series), None)
        else:
            choices[study, series] = HandChoice(study, series, is_taken, reason)
    write_atomically(path, choices_text(choices.values()).encode())
