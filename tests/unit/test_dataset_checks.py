"""What is found in the data set as a whole blocks the sign-off until somebody decides."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.dataset.deciding import decide, remove_attribute, take_back_studies, tell_in_steps, undo_attributes
from app.dataset.step import check_dataset
from app.dicom.profile import Action
from app.errors import ConsignError, ReleaseBlockedError, UsageError
from app.events import Finished
from app.pipeline.dataset import approve, refresh_dataset
from app.project.dataset import (
    DatasetDecisions,
    Finding,
    FindingAction,
    FindingDecision,
    FindingKind,
    load_dataset_decisions,
    save_dataset_decisions,
)
from app.project.dataset_state import load_dataset_state
from app.project.decisions import Decisions, ValueAction, ValueDecision, load_decisions, save_decisions
from app.project.folder import Project
from app.project.images import ImagePlanner, ImageState
from app.signoff.step import check_release
from tests.unit.dataset_project import open_dataset_project, set_groups
from tests.unit.review_project import add_check

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
CHAMPION = "site champion"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with open_dataset_project(tmp_path) as opened:
        yield opened


def found(project: Project, kind: FindingKind) -> list[Finding]:
    return [one for one in refresh_dataset(project).findings if one.kind is kind]


def blocked(project: Project) -> ConsignError:
    with pytest.raises(ReleaseBlockedError) as caught:
        approve(project, [], "Ann Example", CHAMPION, NOW)
    return caught.value


def test_the_planted_leak_is_found_with_its_figure_and_blocks(project: Project) -> None:
    (leak,) = found(project, FindingKind.TARGET_LEAKAGE)
    assert (leak.original_key, leak.details["label"], leak.details["accuracy"], leak.blocks) == (
        "Manufacturer",
        "group",
        1,
        True,
    )
    error = blocked(project)
    assert (error.code, error.ids) == ("dataset-undecided", {"count": 1})


def test_a_patient_in_two_groups_blocks(project: Project) -> None:
    set_groups(project, {number: "cases" if number % 2 else "controls" for number in range(1, 41)}, (3, "controls"))
    (overlap,) = found(project, FindingKind.PATIENT_OVERLAP)
    assert overlap.details["groups"] == {"cases": 1, "controls": 1}
    assert overlap.original_members == ("1.1003", "1.3")
    assert overlap.details["patient"].startswith("SITE-")
    assert blocked(project).ids == {"count": 2}


def test_the_release_goes_once_all_is_decided_and_blocks_again_when_the_facts_change(project: Project) -> None:
    decide(project, refresh_dataset(project).undecided, FindingAction.KEEP, "known: two scanners")
    approve(project, [], "Ann Example", CHAMPION, NOW)
    assert check_release(project, [], unattended=False).signatures
    set_groups(project, {number: "cases" if number % 2 else "controls" for number in range(1, 41)}, (3, "controls"))
    with pytest.raises(ReleaseBlockedError, match="dataset-not-checked"):
        check_release(project, [], unattended=False)
    refresh_dataset(project)
    with pytest.raises(ReleaseBlockedError, match="dataset-undecided"):
        check_release(project, [], unattended=False)


def test_a_decision_makes_an_earlier_signature_stale(project: Project) -> None:
    decide(project, refresh_dataset(project).undecided, FindingAction.KEEP)
    approve(project, [], "Ann Example", CHAMPION, NOW)
    decide(project, found(project, FindingKind.TARGET_LEAKAGE), None)
    decide(project, found(project, FindingKind.TARGET_LEAKAGE), FindingAction.KEEP)
    assert check_release(project, [], unattended=False).signatures  # the same word on the same finding
    save_dataset_decisions(project.layout, DatasetDecisions(attributes={0x00080070: Action.REMOVE}))
    assert load_decisions(project.layout).preparation_digest() != Decisions().preparation_digest()


def test_a_decision_does_not_hold_for_what_was_not_seen(project: Project) -> None:
    (leak,) = found(project, FindingKind.TARGET_LEAKAGE)
    decisions = {(leak.kind, leak.original_key): FindingDecision(FindingAction.KEEP, "sother")}
    save_dataset_decisions(project.layout, DatasetDecisions(decisions))
    assert load_dataset_state(project).undecided == (leak,)


def test_small_groups_are_named_with_what_steps_would_bring(tmp_path: Path) -> None:
    with open_dataset_project(tmp_path, patients=10, leaks=False) as project:
        (groups,) = found(project, FindingKind.SMALL_GROUPS)
        details = groups.details
        assert groups.blocks
        assert (details["k"], details["smallest"], details["patients"], details["below"]) == (3, 2, 10, 4)
        assert (details["attributes"], details["in_steps"]) == (["PatientAge", "PatientSex"], ["PatientAge"])
        assert (details["below_in_steps"], details["smallest_in_steps"]) == (0, 5)
        assert details["groups"] == [[["046Y", "M"], 2], [["049Y", "F"], 2]]
        assert len(groups.original_members) == 4


def test_patients_below_k_can_be_left_here_and_nothing_of_them_is_planned(tmp_path: Path) -> None:
    with open_dataset_project(tmp_path, patients=10, leaks=False) as project:
        (groups,) = found(project, FindingKind.SMALL_GROUPS)
        for (instance,) in project.store.execute("SELECT id FROM instances").fetchall():
            add_check(project, instance)
        decide(project, [groups], FindingAction.EXCLUDE)
        planner = ImagePlanner(project)
        states = [image.plan.state for series in planner.all_series() for image in series.images]
        assert states.count(ImageState.EXCLUDED) == 4
        assert load_decisions(project.layout).preparation_digest() != Decisions().preparation_digest()
        take_back_studies(project)
        assert load_decisions(project.layout).preparation_digest() == Decisions().preparation_digest()


def test_ages_can_be_told_in_steps_and_that_taken_back(project: Project) -> None:
    tell_in_steps(project, ["PatientAge"])
    assert load_decisions(project.layout).dataset.attributes == {0x00101010: Action.COARSEN}
    remove_attribute(project, "Manufacturer")
    assert load_decisions(project.layout).dataset.attributes[0x00080070] is Action.REMOVE
    undo_attributes(project)
    assert load_decisions(project.layout).dataset.attributes == {}
    with pytest.raises(UsageError):
        tell_in_steps(project, ["Manufacturer"])
    with pytest.raises(UsageError):
        remove_attribute(project, "ZZCANARY")


def test_values_that_people_dropped_are_not_counted(project: Project) -> None:
    drop = ValueDecision(ValueAction.DROP)
    values = {("Manufacturer", "Acme"): drop, ("Manufacturer", "Bolt"): drop}
    save_decisions(project.layout, Decisions(values=values))
    assert found(project, FindingKind.TARGET_LEAKAGE) == []


def test_a_rare_value_is_listed_and_does_not_block(project: Project) -> None:
    project.store.execute("UPDATE released_values SET value = 'Rarity' WHERE path = 'Manufacturer' AND patient_id = 7")
    (rare,) = found(project, FindingKind.RARE_VALUES)
    assert (rare.original_key, rare.details["values"], rare.blocks) == ("Manufacturer", {"Rarity": 1}, False)


def test_a_face_can_be_kept_or_left_here(tmp_path: Path) -> None:
    protocol = "id = 't'\ntitle = 'T'\ncontact = 'c'\nselection.where = 'Modality == \"CT\"'\n"
    with open_dataset_project(tmp_path, patients=2, protocol=protocol) as project:
        head = '{"Modality": "CT", "BodyPartExamined": "HEAD", "NumberOfFrames": 150, "SliceThickness": 1}'
        project.store.execute("UPDATE attribute_sets SET original_attributes = ? WHERE id = 1", (head,))
        for (instance,) in project.store.execute("SELECT id FROM instances").fetchall():
            add_check(project, instance)
        (face,) = found(project, FindingKind.FACE)
        assert (face.original_key, face.blocks, face.details["reason"]) == ("1.2.1", True, "head")
        states = [
            image.plan.reason
            for series in ImagePlanner(project, unattended=True).all_series()
            for image in series.images
        ]
        assert states == ["visual-features", None]
        decide(project, [face], FindingAction.KEEP, "data use agreement of 2025")
        assert refresh_dataset(project).undecided == ()
        decide(project, [face], FindingAction.EXCLUDE)
        assert ImagePlanner(project).plans(1)[1001].state is ImageState.EXCLUDED
        assert ImagePlanner(project).plans(2)[2001].state is ImageState.CLEAR


def test_without_k_the_smallest_group_is_only_told(tmp_path: Path) -> None:
    protocol = "id = 't'\ntitle = 'T'\ncontact = 'c'\nselection.where = 'Modality == \"CT\"'\n"
    with open_dataset_project(tmp_path, patients=3, protocol=protocol) as project:
        (groups,) = found(project, FindingKind.SMALL_GROUPS)
        assert (groups.blocks, groups.details["smallest"]) == (False, 1)
        approve(project, [], "Ann Example", CHAMPION, NOW)


def test_the_check_tells_its_progress_and_what_it_found(project: Project) -> None:
    *_, last = check_dataset(project)
    assert isinstance(last, Finished)
    assert (last.counts["target-leakage"], last.counts["blocking"]) == (1, 1)


def test_decisions_come_back_as_they_were_written(project: Project) -> None:
    decisions = DatasetDecisions(
        {
            (FindingKind.FACE, "1.2.3"): FindingDecision(FindingAction.EXCLUDE, "s1", "=note"),
            (FindingKind.TARGET_LEAKAGE, "Seq[].Manufacturer"): FindingDecision(FindingAction.KEEP, "s2"),
        },
        frozenset(("1.2", "1.3")),
        {0x00101010: Action.COARSEN},
    )
    save_dataset_decisions(project.layout, decisions)
    assert load_dataset_decisions(project.layout) == decisions
    assert decisions.withheld == {"1.2", "1.3", "1.2.3"}


@pytest.mark.parametrize(
    "row",
    [
        "attribute,PatientAge,,keep,",
        "attribute,Manufacturer,,coarsen,",
        "attribute,Nothing,,remove,",
        "study,1.2,,keep,",
        "face,1.2,s1,perhaps,",
        "rumour,1.2,s1,keep,",
        "face,1.2",
    ],
)
def test_a_decision_that_is_not_understood_stops_everything(project: Project, row: str) -> None:
    project.layout.dataset_csv.write_text(f"kind,key,seen,decision,note\n{row}\n", encoding="utf-8")
    with pytest.raises(ConsignError) as caught:
        load_decisions(project.layout)
    assert (caught.value.code, caught.value.ids["line"]) == ("decisions-damaged", 2)
