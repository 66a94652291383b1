"""What must not be found in a patient's released files: the catalogue's identities, less what a person let leave."""

from collections.abc import Iterable

from app.dicom.words import fold
from app.project.folder import Project


def original_identifiers(project: Project, patient_id: int, kept_values: Iterable[str]) -> tuple[str, ...]:
    """The original names, IDs and places of a patient, as written; the search normalises them itself.

    ``kept_values`` are released values that a reviewer decided to keep: an identifier inside one was seen, and the
    decision stands.
    """
    seen = [fold(value) for value in kept_values]
    rows = project.store.execute(
        "SELECT original_value FROM identities WHERE patient_id = ? AND kind IN ('name', 'id', 'place') ORDER BY 1",
        (patient_id,),
    )
    return tuple(value for (value,) in rows if not any(_is_within(fold(value), text) for text in seen))


def _is_within(original: str, kept: str) -> bool:
    return any(part in kept for part in original.replace("^", " ").split() if len(part) > 2)
