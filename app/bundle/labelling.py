"""Where the cells of metadata/labels.csv come from: what the last selection left in the project."""

from app.bundle.labels import StudyLabels
from app.project.cohorts import load_drawn_groups, load_study_labels
from app.project.folder import Project


def load_labels(project: Project) -> StudyLabels:
    """Groups and labels of all studies; nothing is wanted where the protocol asks for neither."""
    protocol = project.protocol
    if not protocol.groups and not protocol.labels:
        return StudyLabels()
    groups, labels = load_drawn_groups(project.store), load_study_labels(project.store)
    names = tuple(label.name for label in protocol.labels)
    by_series = {}
    for series_id, patient_id, study in project.store.execute("SELECT id, patient_id, original_study_uid FROM series"):
        said = labels.get((patient_id, study), {})
        by_series[series_id] = (groups.get((patient_id, study), ""), *(said.get(name, "") for name in names))
    return StudyLabels(names, by_series, is_wanted=True)
