"""What must not be found in a patient's released files: the catalogue's identities, less what a person let leave."""

from collections.abc import Iterable

from app.dicom.words import fold, split_words
from app.project.folder import Project


def original_identifiers(project: Project, patient_id: int, kept_values: Iterable[str]) -> tuple[str, ...]:
    """The original names, IDs and places of a patient, as written; the search normalises them itself.

    ``kept_values`` are released values that a reviewer decided to keep: the words of an identifier that stand in one
    were seen, and the decision stands. Its other words are still looked for.
    """
    seen = {word for value in kept_values for word in split_words(fold(value))}
    rows = project.store.execute(
        "SELECT original_value FROM identities WHERE patient_id = ? AND kind IN ('name', 'id', 'place') ORDER BY 1",
        (patient_id,),
    )
    wanted: list[str] = []
    for (original,) in rows:
        words = split_words(fold(original))
        unseen = [word for word in words if word not in seen]
        wanted.extend([original] if len(unseen) == len(words) else unseen)
    return tuple(wanted)
