import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.pipeline.dataset import approve, refresh_dataset
from app.pipeline.overview import LAST_EXPORT, LAST_VERIFICATION, CheckItem, Overview, Standing, load_overview
from app.pipeline.progress import Step, StepState, step_states
from app.pixels.boxes import Box
from app.project.decisions import (
    PREPARED_DECISIONS,
    Decisions,
    ImageAction,
    ImageDecision,
    ValueAction,
    ValueDecision,
    load_decisions,
    prepared_with,
    save_decisions,
)
from app.project.folder import Project
from app.project.images import ImageState, Region
from app.review.dump import build_dump
from app.signoff.step import approval_digest
from tests.unit.review_project import add_check, add_dropped_word, add_instance, add_value, open_project

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
CHAMPION, OFFICER = "site champion", "privacy officer"
TEXT = Region(Box(0, 0, 10, 10, None), "glyphs", 0.9, True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Two prepared images, one of them with text; one identifying, one odd and one harmless value; two words."""
    with open_project(tmp_path) as opened:
        add_check(opened, add_instance(opened, 1))
        add_check(opened, add_instance(opened, 2, state="held-back", state_reason="text-found"), TEXT)
        opened.store.execute("UPDATE runs SET finished = 'then' WHERE id = 1")
        add_value(opened, "SeriesDescription", "Thorax")
        add_value(opened, "SeriesDescription", "Jane", identity_hit=1)
        add_value(opened, "StudyDescription", "ring 044 123 45 67")
        for patient in (1, 2, 3):
            add_dropped_word(opened, "kardex", patient)
        add_dropped_word(opened, "meier", 1)
        opened.store.execute("INSERT INTO applied_actions VALUES ('1:0', 'PatientAddress', 'remove', 'by-rule', 2)")
        opened.store.execute("INSERT INTO applied_actions VALUES ('1:0', 'StudyID', 'empty', 'by-rule', 2)")
        opened.store.set_meta(PREPARED_DECISIONS, prepared_with(Decisions(), unattended=False))
        yield opened


def decide(project: Project, decisions: Decisions) -> None:
    save_decisions(project.layout, decisions)
    project.store.set_meta(PREPARED_DECISIONS, prepared_with(decisions, unattended=False))


def drop_jane(project: Project) -> None:
    drop = ValueDecision(ValueAction.DROP)
    decide(project, Decisions(values={("SeriesDescription", "Jane"): drop}))
    refresh_dataset(project)


def standings(overview: Overview) -> dict[CheckItem, Standing]:
    return {check.item: check.standing for check in overview.checks}


def test_new_project_has_everything_to_do(tmp_path: Path) -> None:
    with open_project(tmp_path) as project:
        overview = load_overview(project)
    assert [check.item for check in overview.checks] == list(CheckItem)
    assert set(standings(overview).values()) == {Standing.TO_DO}
    assert not overview.may_sign


def test_blocking_value_has_to_be_decided_before_anybody_signs(project: Project) -> None:
    overview = load_overview(project)
    values = overview.check(CheckItem.VALUES)
    assert (values.standing, values.done, values.total) == (Standing.TO_DO, 0, 2)
    assert (overview.undecided.blocking, overview.undecided.suspicious, overview.undecided.words) == (1, 2, 1)
    assert not overview.may_sign
    drop_jane(project)
    overview = load_overview(project)
    values = overview.check(CheckItem.VALUES)
    assert (values.standing, values.done, values.left) == (Standing.OPTIONAL, 1, 1)
    assert overview.may_sign
    assert not overview.may_export


def test_sign_off_needs_a_person_before_its_page_has_checked_the_data_set(project: Project) -> None:
    assert step_states(load_overview(project))[Step.SIGN_OFF] is StepState.TO_DO
    drop = ValueDecision(ValueAction.DROP)
    decide(project, Decisions(values={("SeriesDescription", "Jane"): drop}))
    overview = load_overview(project)
    assert overview.check(CheckItem.DATASET).standing is not Standing.DONE
    assert not overview.may_sign
    assert step_states(overview)[Step.SIGN_OFF] is StepState.NEEDS_YOU


def test_image_with_text_waits_for_a_person_but_the_release_does_not(project: Project) -> None:
    overview = load_overview(project)
    assert overview.images[ImageState.TEXT_FOUND] == 1
    images = overview.check(CheckItem.IMAGES)
    assert (images.standing, images.left, overview.undecided.images) == (Standing.OPTIONAL, 1, 1)
    decide(project, Decisions(images={"1.2.1.2": ImageDecision(ImageAction.EXCLUDE)}))
    images = load_overview(project).check(CheckItem.IMAGES)
    assert (images.standing, images.done, images.total) == (Standing.DONE, 1, 1)


def test_answers_say_what_leaves_and_what_was_removed(project: Project) -> None:
    drop_jane(project)
    overview = load_overview(project)
    leaving = overview.leaving
    assert (leaving.patients, leaving.studies, leaving.series, leaving.instances) == (1, 1, 1, 1)
    assert leaving.values == 2
    removed = overview.removed
    assert removed.attributes == {"empty": 1, "remove": 1}
    assert (removed.words, removed.dropped_values, removed.dropped_tags) == (2, 1, 0)
    assert removed.held_back == {"text-found": 1}


def test_decision_after_a_signature_makes_it_void_and_names_who_gave_it(project: Project) -> None:
    drop_jane(project)
    rows = build_dump(project)
    approve(project, rows, "Ann", CHAMPION, NOW)
    overview = load_overview(project)
    assert overview.check(CheckItem.SIGNATURES).roles == (OFFICER,)
    assert overview.check(CheckItem.SIGNATURES).standing is Standing.TO_DO
    approve(project, rows, "Bob", OFFICER, NOW)
    assert load_overview(project).may_export
    save_decisions(
        project.layout, replace(load_decisions(project.layout), tags_dropped=frozenset({"StudyDescription"}))
    )
    overview = load_overview(project)
    assert overview.check(CheckItem.SIGNATURES).standing is Standing.STALE
    assert [(one.name, one.is_valid) for one in overview.approvals] == [("Ann", False), ("Bob", False)]


def test_word_called_safe_after_preparation_makes_it_stale(project: Project) -> None:
    assert standings(load_overview(project))[CheckItem.PREPARATION] is Standing.DONE
    save_decisions(project.layout, Decisions(safe_words=frozenset({"kardex"})))
    assert standings(load_overview(project))[CheckItem.PREPARATION] is Standing.STALE


def test_instance_scanned_after_the_selection_makes_it_stale(project: Project) -> None:
    project.store.execute("UPDATE instances SET selected = NULL, state = NULL WHERE instance_number = 2")
    selection = load_overview(project).check(CheckItem.SELECTION)
    assert (selection.standing, selection.done, selection.total) == (Standing.STALE, 1, 2)


def test_bundle_is_out_of_date_when_a_part_is_gone_or_what_was_signed_changed(project: Project, tmp_path: Path) -> None:
    part = tmp_path / "part.zip"
    part.write_bytes(b"zip")
    project.store.execute("INSERT INTO parts VALUES (1, 'plan', 'part.zip', 3, 'sum', 1)")
    record = {"folder": str(tmp_path), "digest": approval_digest(project, build_dump(project)), "when": "now"}
    project.store.set_meta(LAST_EXPORT, json.dumps({**record, "unattended": False}))
    found = load_overview(project)
    assert found.check(CheckItem.EXPORT).standing is Standing.DONE
    assert found.check(CheckItem.VERIFICATION).standing is Standing.TO_DO
    verified = {"parts": [["part.zip", "sum"]], "instances": 1, "findings": [], "when": "now"}
    project.store.set_meta(LAST_VERIFICATION, json.dumps(verified))
    assert load_overview(project).check(CheckItem.VERIFICATION).standing is Standing.DONE
    bad = {**verified, "findings": [["file-altered", "part.zip", "", ""]]}
    project.store.set_meta(LAST_VERIFICATION, json.dumps(bad))
    assert load_overview(project).check(CheckItem.VERIFICATION).standing is Standing.TO_DO
    part.unlink()
    assert load_overview(project).check(CheckItem.EXPORT).standing is Standing.STALE
    drop_jane(project)
    assert load_overview(project).check(CheckItem.VERIFICATION).standing is Standing.STALE
