"""Series that a person takes or leaves out by hand."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import ProjectError, UsageError
from app.project.folder import Project
from app.selection.by_hand import choose_by_hand, load_hand_choices
from app.selection.result import excluded_series
from tests.unit.selection_project import CT, SR, add_series, make_project, run, selected_uids, wanted


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path / "project") as project:
        add_series(project, 1, {"Modality": "CT", "PatientID": "A"}, instances=1)
        add_series(project, 2, {"Modality": "SR", "PatientID": "B"}, instances=1, sop_class_uid=SR)
        yield project


def digest(project: Project) -> str | None:
    return project.store.get_meta("selection_digest")


def test_series_is_left_out_by_hand_and_the_reason_is_shown(project: Project) -> None:
    choose_by_hand(project, [1], False, " the arm is in the way ")

    run(project)

    assert selected_uids(project) == set()
    (series,) = [one for one in excluded_series(project) if one.series_id == 1]
    assert series.original_reasons == ("left out by hand: the arm is in the way",)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no modes")
def test_what_was_decided_and_asked_for_is_for_the_owner_alone(project: Project) -> None:
    choose_by_hand(project, [1], False, "too dark")
    run(project, None, wanted({"PatientID": "A"}))
    for path in (project.layout.series_json, project.layout.selection_json):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_series_is_taken_by_hand_against_query_and_list(project: Project) -> None:
    choose_by_hand(project, [2], True, "asked for by telephone")

    run(project, "Modality == 'CT'", wanted({"SOPInstanceUID": "1.1.0"}))

    assert selected_uids(project) == {"1.1.0", "1.2.0"}
    assert excluded_series(project) == []


def test_taken_by_hand_does_not_let_an_instance_in_that_does_not_count(project: Project) -> None:
    from app.errors import Reason

    add_series(project, 1, {"Modality": "CT", "PatientID": "A"}, instances=1, first=1, reason=Reason.CONFLICT)
    choose_by_hand(project, [1], True, "needed")

    run(project)

    assert selected_uids(project) == {"1.1.0"}


def test_choice_is_forgotten_and_the_query_counts_again(project: Project) -> None:
    choose_by_hand(project, [1, 2], False, "x")
    choose_by_hand(project, [1], None, "")

    run(project)

    assert selected_uids(project) == {"1.1.0"}
    assert [choice.original_series_uid for choice in load_hand_choices(project.layout.series_json).values()] == [
        "1.2.0"
    ]


def test_choice_and_its_reason_are_part_of_the_selection_digest(project: Project) -> None:
    run(project)
    before = digest(project)
    digests = {before}
    for reason in ("one", "another"):
        choose_by_hand(project, [2], False, reason)
        run(project)
        digests.add(digest(project))
    choose_by_hand(project, [2], None, "")
    run(project)

    assert len(digests) == 3
    assert digest(project) == before


def test_choice_outlives_another_query(project: Project) -> None:
    choose_by_hand(project, [1], False, "x")
    run(project, "Modality == 'CT'")
    run(project, "")

    assert selected_uids(project) == set()


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "x" * 201])
def test_choice_needs_a_reason_of_one_line(project: Project, reason: str) -> None:
    with pytest.raises(UsageError) as error:
        choose_by_hand(project, [1], True, reason)

    assert error.value.code == "bad-hand-reason"
    assert not project.layout.series_json.exists()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[\n{", 2),
        ("{}x", 1),
        ("3", 1),
        ('[{"original_study": "1"}]', 1),
        ('[{"original_study": "1", "original_series": "2", "choice": "maybe", "reason": ""}]', 1),
        ('[{"original_study": 1, "original_series": "2", "choice": "take", "reason": ""}]', 1),
    ],
)
def test_damaged_file_stops_the_selection(project: Project, text: str, line: int) -> None:
    project.layout.series_json.write_text(text, encoding="utf-8")

    with pytest.raises(ProjectError) as error:
        run(project)

    assert (error.value.code, error.value.ids) == ("decisions-damaged", {"file": "series.json", "line": line})


def test_same_series_uid_in_another_study_is_not_meant(project: Project) -> None:
    project.store.execute("INSERT INTO series VALUES (9, 1, '1.other', '1.1.0', NULL)")
    add_series(project, 9, {"Modality": "CT"}, instances=1, sop_class_uid=CT)
    choose_by_hand(project, [1], False, "x")

    run(project)

    assert selected_uids(project) == {"1.9.0"}
