import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from app.catalog.step import scan
from app.deid.comparison import (
    MOST_ITEMS,
    ComparedRow,
    Fate,
    compare_header,
    compare_instance,
    list_series,
    split_cleaned,
)
from app.deid.engine import Engine
from app.deid.rules import Source, compile_rules
from app.deid.step import prepare
from app.deid.values import Drop
from app.detection.step import detect
from app.dicom.profile import Action
from app.dicom.reading import read_header
from app.errors import Reason, UsageError
from app.jobs.executors import SerialExecutor
from app.project.decisions import Decisions, ValueAction, ValueDecision, save_decisions
from app.project.folder import Project, create_project
from app.review.dump import build_dump
from app.selection.step import select
from tests.factory import CANARY_PREFIX, ct_series, enhanced_mr, make_study, save, to_bytes
from tests.unit.deid_case import PATIENT, ct_image, known_patient, make_recipe

QUICK_PROTOCOL = Path(__file__).parents[1] / "quick.toml"


def compared(dataset: Dataset, **recipe: Any) -> dict[str, ComparedRow]:
    return {row.path: row for row in rows_of(dataset, **recipe) if not row.is_item}


def rows_of(dataset: Dataset, **more: Any) -> tuple[ComparedRow, ...]:
    recipe = make_recipe(**more)
    rules = compile_rules(recipe.options, recipe.dates, recipe.overrides)
    header = read_header(io.BytesIO(to_bytes(dataset)))
    rows, counts = compare_header(Engine(recipe, rules, known_patient(dataset)), rules, recipe, header, None)
    assert sum(counts.values()) >= sum(not row.is_item for row in rows)
    return rows


def test_each_kind_of_fate_is_told_with_both_texts_and_the_rule() -> None:
    dataset = ct_image()
    dataset.SeriesDescription = "Thorax Zzmeierling 2.5mm"
    dataset.PatientAddress = "Lane 5"
    rows = compared(dataset)
    kept = rows["Modality"]
    assert (kept.fate, kept.original_text, kept.released_text, kept.name) == (Fate.KEPT, "CT", "CT", "Modality")
    cleaned = rows["SeriesDescription"]
    assert (cleaned.fate, cleaned.action) == (Fate.CLEANED, Action.CLEAN)
    assert [piece.original_text for piece in cleaned.pieces if not piece.is_kept] == [" Zzmeierling "]
    removed = rows["PatientAddress"]
    assert (removed.fate, removed.original_text, removed.released_text) == (Fate.REMOVED, "Lane 5", "")
    assert (removed.reason, removed.source) == (Drop.BY_RULE, Source.PROFILE)
    moved = rows["StudyDate"]
    assert (moved.fate, moved.action) == (Fate.CHANGED, Action.SHIFT)
    assert moved.released_text < moved.original_text
    keyed = rows["SOPInstanceUID"]
    assert keyed.fate is Fate.REPLACED
    assert keyed.released_text.startswith("2.25.")
    assert rows["PatientID"].released_text == rows["PatientName"].released_text == PATIENT.code
    assert rows["PatientIdentityRemoved"].fate is Fate.ADDED
    assert rows["DeidentificationMethodCodeSequence.CodeMeaning"].fate is Fate.ADDED
    assert rows["PixelData"].fate is Fate.KEPT
    assert rows["Rows"].released_text == "16"


def test_what_no_rule_lists_is_removed_and_says_so() -> None:
    dataset = ct_image()
    dataset.add_new(0x00091002, "LO", "secret")
    dataset.private_block(0x0009, "SOMEBODY", create=True).add_new(0x02, "LO", "secret")
    rows = compared(dataset)
    private = [row for row in rows.values() if row.tag >> 16 == 9]
    assert {row.fate for row in private} == {Fate.REMOVED}
    assert {row.reason for row in private} == {Drop.PRIVATE}


def test_nested_attributes_stand_deeper_and_share_the_fate_of_their_sequence() -> None:
    rows = rows_of(enhanced_mr(make_study(3)))
    deeper = [row for row in rows if row.depth]
    assert max(row.depth for row in deeper) >= 2
    items = [row for row in rows if row.is_item and row.path == "PerFrameFunctionalGroupsSequence"]
    assert len(items) <= MOST_ITEMS
    dataset = ct_image()
    inner = Dataset()
    inner.PatientName = "Doe^Jane"
    dataset.OriginalAttributesSequence = [inner]
    found = compared(dataset)["OriginalAttributesSequence.PatientName"]
    assert (found.fate, found.depth, found.original_text) == (Fate.REMOVED, 1, "Doe^Jane")


def test_replacement_of_a_reviewer_is_told_as_a_decision() -> None:
    dataset = ct_image()
    dataset.SeriesDescription = "Thorax"
    rows = compared(dataset, decisions={("SeriesDescription", "Thorax"): "CHEST"})
    row = rows["SeriesDescription"]
    assert (row.fate, row.released_text, row.reason) == (Fate.REPLACED, "CHEST", Drop.DECISION)
    gone = compared(dataset, decisions={("SeriesDescription", "Thorax"): None})["SeriesDescription"]
    assert (gone.fate, gone.reason) == (Fate.REMOVED, Drop.DECISION)


def test_comparison_never_shows_an_original_value_by_accident() -> None:
    (dataset,) = ct_series(make_study(5, canaries=True), slices=1, rows=16, columns=16)
    rows = rows_of(dataset)
    assert any(CANARY_PREFIX in row.original_text for row in rows)
    assert CANARY_PREFIX not in repr(rows)
    assert not any(CANARY_PREFIX in row.released_text for row in rows)


@pytest.mark.parametrize(
    ("original", "released", "lost"),
    [
        ("Thorax Meier native", "Thorax native", [" Meier "]),
        ("Meier Thorax", "Thorax", ["Meier "]),
        ("Thorax, Dr. Meier", "Thorax", [", Dr. Meier"]),
        ("Meier", "", ["Meier"]),
        ("", "", []),
    ],
)
def test_cleaned_text_is_cut_into_kept_and_lost_words(original: str, released: str, lost: list[str]) -> None:
    pieces = split_cleaned(original, released)
    assert "".join(piece.original_text for piece in pieces) == original
    assert [piece.original_text for piece in pieces if not piece.is_kept] == lost


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for number, dataset in enumerate(ct_series(make_study(11, description="Thorax"), slices=3, rows=16, columns=16)):
        save(dataset, folder / f"IM{number}")
    return folder


def test_project_shows_each_selected_instance_and_writes_nothing(source: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    shutil.copytree(source, folder)
    create_project(tmp_path / "project", "SITE", QUICK_PROTOCOL)
    with Project(tmp_path / "project") as project:
        executor = SerialExecutor()
        for job in (scan(project, [folder], executor), select(project, None, None), detect(project, executor)):
            list(job)
        with project.reader() as reader:
            (series,) = list_series(reader)
            assert (series.modality, len(series.instance_ids), series.patient_code) == ("CT", 3, "")
            with pytest.raises(UsageError) as caught:
                compare_instance(reader, series.instance_ids[0])
            assert caught.value.code == "not-prepared"
        list(prepare(project, executor))
        with project.reader() as reader:
            (series,) = list_series(reader)
            comparison = compare_instance(reader, series.instance_ids[1])
            rows = {row.path: row for row in comparison.rows}
            assert rows["PatientID"].released_text == series.patient_code
            assert comparison.counts[Fate.REMOVED] > 0
            assert comparison.held_back is None
            drop = ValueDecision(ValueAction.DROP)
            value = next(row for row in build_dump(reader) if row.path == "SeriesDescription")
            save_decisions(project.layout, Decisions(values={(value.path, value.value): drop}))
            rows = {row.path: row for row in compare_instance(reader, series.instance_ids[1]).rows}
            assert (rows["SeriesDescription"].fate, rows["SeriesDescription"].reason) == (Fate.REMOVED, Drop.DECISION)
            with pytest.raises(UsageError) as caught:
                compare_instance(reader, 999)
            assert caught.value.code == "no-such-instance"
            Path(folder / "IM1").unlink()
            gone = [compare_instance(reader, one).held_back for one in series.instance_ids]
            assert gone.count(Reason.VANISHED) == 1
