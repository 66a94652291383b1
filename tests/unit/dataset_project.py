"""A project of hand-made facts with many patients, for the checks of the data set and the decisions on them."""

from pathlib import Path

from app.project.cohorts import StudyGroup, replace_cohorts
from app.project.crosswalk import Crosswalk
from app.project.folder import Project, create_project
from tests.unit.review_project import add_instance, add_value

PROTOCOL = """\
id = "trial"
title = "A trial"
contact = "trial@example.org"
[selection]
where = 'Modality == "CT"'
[[groups]]
name = "cases"
[[groups]]
name = "controls"
[[labels]]
name = "grade"
type = "category"
values = ["low", "high"]
[dataset.checks]
smallest_group = 3
leakage = 0.8
"""


def open_dataset_project(folder: Path, *, patients: int = 40, leaks: bool = True, protocol: str = PROTOCOL) -> Project:
    """Patients 1 to ``patients``, odd ones cases, each with a study; ``leaks``: the manufacturer is the group."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "protocol.toml").write_text(protocol, encoding="utf-8")
    create_project(folder / "project", "SITE", folder / "protocol.toml")
    project = Project(folder / "project")
    for number in range(1, patients + 1):
        add_instance(project, 1, series=number, modality="CT")
        is_case = number % 2 == 1
        maker = ("Acme" if is_case else "Bolt") if leaks else ("Acme", "Bolt", "Core")[number % 3]
        add_value(project, "Manufacturer", maker, patient=number)
        add_value(project, "PatientAge", f"{40 + number // 2 % 4 * 3:03}Y", patient=number, vr="AS")
        add_value(project, "PatientSex", "MF"[number // 2 % 2], patient=number, vr="CS")
        add_value(project, "KVP", "", patient=number, vr="DS", fold="number", low="120", high="120")
    Crosswalk(project.store, project.secret, project.site_id).register_patients(
        f"key {number}" for number in range(1, patients + 1)
    )
    set_groups(project, {number: "cases" if number % 2 else "controls" for number in range(1, patients + 1)})
    return project


def set_groups(project: Project, groups: dict[int, str], second_study: tuple[int, str] | None = None) -> None:
    """The group of each patient's study; ``second_study``: a patient's other study, in another group."""
    rows = [StudyGroup(patient, f"1.{patient}", group, True) for patient, group in groups.items()]
    if second_study is not None:
        patient, group = second_study
        series = 1000 + patient
        store = project.store
        store.execute("INSERT INTO series VALUES (?, ?, ?, ?, NULL)", (series, patient, f"1.{series}", f"1.2.{series}"))
        store.execute("INSERT INTO files VALUES (?, 1, ?, 1, 1, 'instance', NULL, 1)", (series, f'["/in/{series}"]'))
        store.execute(
            "INSERT INTO instances (id, file_id, series_id, attribute_set_id, original_sop_instance_uid, "
            "sop_class_uid, transfer_syntax_uid, selected, state, prepared_with) "
            "VALUES (?, ?, ?, ?, ?, '1', '1', 1, 'prepared', 'recipe')",
            (series, series, series, patient, f"1.2.{series}.1"),
        )
        rows.append(StudyGroup(patient, f"1.{series}", group, True))
    with project.store.transaction():
        replace_cohorts(project.store, rows, {})
