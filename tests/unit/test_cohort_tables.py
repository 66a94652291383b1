"""Where steps meet over groups and labels: two tables, and the rows that people bring from outside."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import ProjectError
from app.project.cohorts import (
    StudyGroup,
    load_drawn_groups,
    load_patients_in_groups,
    load_study_groups,
    load_study_labels,
    replace_cohorts,
)
from app.project.folder import Project
from app.project.study_list import RowSource, StudyRow, load_study_list, save_study_rows
from tests.unit.selection_project import make_project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path / "project") as project:
        yield project


def test_cohorts_are_replaced_as_a_whole(project: Project) -> None:
    project.store.execute("INSERT INTO patients VALUES (2, 'q')")
    first = StudyGroup(1, "1.1", "cases", is_drawn=True)
    replace_cohorts(project.store, [first], {(1, "1.1"): {"side": "left", "grade": "2"}})
    groups = [
        StudyGroup(1, "1.1", "cases", is_drawn=True),
        StudyGroup(1, "1.2", "controls", is_drawn=True),
        StudyGroup(2, "1.1", "controls", is_drawn=False),
        StudyGroup(2, "1.3", "cases", is_drawn=True),
    ]

    replace_cohorts(project.store, groups, {(2, "1.3"): {"side": "right"}})

    assert load_study_groups(project.store) == groups
    assert load_drawn_groups(project.store) == {(1, "1.1"): "cases", (1, "1.2"): "controls", (2, "1.3"): "cases"}
    assert load_study_labels(project.store) == {(2, "1.3"): {"side": "right"}}
    assert load_patients_in_groups(project.store) == {1: ("cases", "controls")}


def test_rows_of_one_source_leave_those_of_the_other(project: Project) -> None:
    listed = StudyRow(RowSource.LIST, 2, (("AccessionNumber", "a1"),), "cases", (("side", "left"),))
    accepted = StudyRow(RowSource.REPORTS, 7, (("PatientID", "p"), ("AccessionNumber", "a2")), "cases")
    save_study_rows(project.layout, RowSource.LIST, [listed])
    save_study_rows(project.layout, RowSource.REPORTS, [accepted])
    assert load_study_list(project.layout) == (listed, accepted)

    save_study_rows(project.layout, RowSource.LIST, [])

    assert load_study_list(project.layout) == (accepted,)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}x",
        b"[5]",
        b'[{"source": "list", "line": 2, "original_identifiers": {}, "group": "", "labels": {}}]',
        b'[{"source": "else", "line": 2, "original_identifiers": {"PatientID": "p"}, "group": "", "labels": {}}]',
        b'[{"source": "list", "line": 2, "original_identifiers": {"PatientID": 5}, "group": "", "labels": {}}]',
    ],
)
def test_damaged_study_list_is_an_error_not_a_shorter_one(project: Project, content: bytes) -> None:
    project.layout.studies_json.write_bytes(content)

    with pytest.raises(ProjectError, match="decisions-damaged"):
        load_study_list(project.layout)
