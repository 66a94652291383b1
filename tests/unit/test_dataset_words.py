from pathlib import Path

from app.pipeline.dataset import refresh_dataset
from app.project.dataset import Finding, FindingAction, FindingKind
from app.text.dataset_words import ACTIONS, TITLES, WHY, finding_sentences
from tests.unit.dataset_project import open_dataset_project, set_groups


def test_every_finding_has_words() -> None:
    assert set(TITLES) == set(WHY) == set(FindingKind)
    assert set(ACTIONS) == set(FindingAction)


def test_sentences_name_the_figures(tmp_path: Path) -> None:
    with open_dataset_project(tmp_path, patients=10) as project:
        set_groups(project, {number: "cases" if number % 2 else "controls" for number in range(1, 11)}, (3, "controls"))
        told = {one.kind: finding_sentences(one) for one in refresh_dataset(project).findings}
    assert told[FindingKind.TARGET_LEAKAGE][0].startswith(
        "Manufacturer alone tells group with a balanced accuracy of 9"
    )
    assert told[FindingKind.PATIENT_OVERLAP][0].endswith("has studies in more than one group: cases (1), controls (1).")
    assert told[FindingKind.SMALL_GROUPS] == [
        "Patients who share Patient's Age, Patient's Sex with fewer than 3: 4 of 10; size of the smallest group: 2.",
        "With Patient's Age told in steps, patients in groups below 3: 0; size of the smallest group: 5.",
    ]


def test_a_face_is_told_with_its_reason() -> None:
    details = {
        "modality": "CT", "reason": "head", "said_by": ["BodyPartExamined", "BodyPart"], "slices": 160,
        "step_mm": 1.0, "pixel_mm": 0.45, "extent_mm": 159.4,
    }  # fmt: skip
    assert finding_sentences(Finding(FindingKind.FACE, "1.2", "s", True, details)) == [
        "CT, 160 slices 1 mm apart over 159 mm: Body Part Examined, the check of the series names the head."
    ]
