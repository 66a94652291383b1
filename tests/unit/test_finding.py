"""What the page Find shows, without a window: tree, inventory, filters, lists and sources."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.catalog.step import scan
from app.catalog.table import list_sources, problem_files
from app.errors import Reason
from app.jobs.executors import SerialExecutor
from app.pipeline.finding import Part, Totals, load_found, narrow, narrow_to_list, remove_source, show
from app.project.folder import Project, create_project
from app.protocol.where import parse_where
from app.selection.inventory import REST, count_shown, inventory
from app.selection.not_found import check_list
from app.selection.step import select
from app.selection.tree import Level, arrange, branch_key, load_series, series_matching
from app.selection.wanted import WantedList
from tests.factory import ct_series, make_study, mr_series, save
from tests.unit.selection_project import SR, add_series, make_project, run, wanted


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path / "project") as project:
        add_three(project)
        yield project


def add_three(project: Project) -> None:
    """A CT and an MR of one woman, and a report."""
    common = {"PatientID": "A", "StudyDate": "20190405", "PatientSex": "F", "PatientAge": "061Y"}
    add_series(project, 1, {**common, "Modality": "CT", "SliceThickness": 1.0, "SeriesNumber": 2}, instances=2)
    add_series(project, 2, {**common, "Modality": "MR", "SliceThickness": "5", "AccessionNumber": "X1"})
    add_series(project, 3, {"PatientID": "A", "Modality": "SR"}, sop_class_uid=SR, instances=1)


def test_series_says_what_is_taken_and_why_not_the_rest(project: Project) -> None:
    before = {row.series_id: row for row in load_series(project)}
    run(project)
    after = {row.series_id: row for row in load_series(project)}

    assert all(row.is_open and not row.taken for row in before.values())
    assert [(after[n].taken, after[n].instances, after[n].is_open) for n in (1, 2, 3)] == [
        (2, 2, False),
        (3, 3, False),
        (0, 1, False),
    ]
    assert after[1].original_reasons == ()
    assert after[3].original_reasons == ("ObjectKind sr is not one of image, segmentation, rt",)
    assert (after[1].thickness_mm, after[2].thickness_mm, after[3].thickness_mm) == (1.0, 5.0, None)
    assert after[1].age_years == 61


def test_reason_that_concerns_most_comes_first(project: Project) -> None:
    add_series(project, 1, {"Modality": "OT"}, instances=1, first=7)
    run(project, "Modality == 'SR'")

    (row,) = [row for row in load_series(project) if row.series_id == 1]
    assert row.original_reasons == ("Modality CT is not SR", "Modality OT is not SR")


def test_branches_above_a_series_that_is_not_judged_are_open(project: Project) -> None:
    assert [branch.series_open for branch in arrange(load_series(project))][:2] == [3, 3]
    run(project)
    assert {branch.series_open for branch in arrange(load_series(project))} == {0}


def test_tree_sums_up_and_keeps_its_keys(project: Project) -> None:
    run(project)
    branches = arrange(load_series(project))
    root = branches[0]

    assert (root.level, root.series, root.series_taken, root.instances, root.taken) == (Level.ROOT, 3, 2, 6, 5)
    assert set(root.original_modalities) == {"CT", "MR", "SR"}
    levels = [branch.level for branch in branches]
    assert levels.count(Level.PATIENT) == 1
    assert levels.count(Level.STUDY) == levels.count(Level.SERIES) == 3
    for place, branch in enumerate(branches):
        assert [branches[child].parent for child in branch.children] == [place] * len(branch.children)
        assert [branches[child].place for child in branch.children] == [*range(len(branch.children))]
    assert len({branch_key(branch) for branch in branches}) == len(branches)


@pytest.mark.parametrize(
    "where", ["Modality == 'CT'", "InstanceCount >= 3", "ObjectKind == 'sr'", "PatientAge >= 18", "SliceThickness > 1"]
)
def test_filter_shows_what_the_selection_would_take(tmp_path: Path, where: str) -> None:
    with make_project(tmp_path / "project", "exists(Modality)") as project:
        add_three(project)
        run(project, where)
        taken = {row.series_id for row in load_series(project) if row.taken}

        assert series_matching(project, parse_where(where)) == taken
        assert taken


def test_every_bar_filters_to_what_it_counts(project: Project) -> None:
    for number in range(10, 30):
        add_series(
            project,
            number,
            {
                "PatientID": f"P{number}",
                "Modality": "CT",
                "Manufacturer": f"maker {number // 2}",
                "StudyDate": f"20{number}0101",
                "PatientAge": f"0{number * 3}Y",
                "SliceThickness": number / 5,
            },
            instances=1,
        )
    run(project)
    rows = load_series(project)
    charts = inventory(rows)

    assert [chart.keyword for chart in charts] == [
        "Modality", "Manufacturer", "SliceThickness", "StudyDate", "PatientAge", "PatientSex"
    ]  # fmt: skip
    for place, chart in enumerate(charts):
        assert len(chart.bars) <= 10
        for bar_place, bar in enumerate(chart.bars):
            ids = series_matching(project, bar.choice)
            shown = [row for row in rows if row.series_id in ids]
            assert count_shown(charts, shown)[place][bar_place] == bar.count, (chart.keyword, bar)
            if chart.counted == "series":
                assert len(shown) == bar.count
    assert any(bar.original_text == REST for bar in charts[1].bars)


def test_manufacturers_that_differ_in_case_are_one_bar(project: Project) -> None:
    for number, name in ((10, "SIEMENS"), (11, "Siemens "), (12, "")):
        add_series(project, number, {"Manufacturer": name, "n": number}, instances=1)
    chart = inventory(load_series(project))[1]

    assert [(bar.original_text.lower(), bar.is_missing, bar.count) for bar in chart.bars] == [
        ("siemens", False, 2),
        ("", True, 4),
    ]


# filters and lists ------------------------------------------------------------


def test_filters_are_remembered_beside_a_list(project: Project) -> None:
    filters = (parse_where("Modality == 'CT'"),)
    narrow(project, filters)
    narrow_to_list(project, wanted({"PatientID": "A"}))
    list(select(project, None, None))

    found = load_found(project)
    assert found.filters == filters
    assert found.original_list is not None
    assert found.original_list.entries == 1
    assert [row.series_id for row in found.rows if row.taken] == [1]

    narrow_to_list(project, None)
    narrow(project, ())
    list(select(project, None, None))
    found = load_found(project)
    assert (found.filters, found.original_list) == ((), None)
    assert found.totals == Totals(6, 5, 3, 2, 1, 1, 0)


def test_lines_that_fit_nothing_and_lines_that_are_left_out_are_told_apart(project: Project) -> None:
    only = wanted(
        {"PatientID": "A", "AccessionNumber": "X1"},
        {"PatientID": "B"},
        {"StudyInstanceUID": "1.3"},
        {"AccessionNumber": "x1"},
    )
    run(project, None, only)
    outcome = check_list(project, only)

    assert outcome.entries == 4
    assert outcome.original_missing == ((("AccessionNumber", "x1"),), (("PatientID", "B"),))
    assert outcome.original_left_out == ((("StudyInstanceUID", "1.3"),),)


def test_list_of_single_images_is_checked_image_by_image(project: Project) -> None:
    only = WantedList(frozenset({(("SOPInstanceUID", "1.1.0"),), (("SOPInstanceUID", "1.1.9"),)}))
    run(project, None, only)

    assert check_list(project, only).original_missing == ((("SOPInstanceUID", "1.1.9"),),)


def test_tree_is_narrowed_by_words_and_by_what_is_taken(project: Project) -> None:
    run(project)
    found = load_found(project)

    def ids(text: str = "", part: Part = Part.ALL) -> list[int]:
        shown = show(project, found, (), text, part)
        assert all(shown.places[branch_key(branch)] == place for place, branch in enumerate(shown.branches))
        return sorted(b.row.series_id for b in shown.branches if b.level is Level.SERIES and b.row is not None)

    assert ids() == [1, 2, 3]
    assert ids("mr 2019") == [2]
    assert ids(part=Part.TAKEN) == [1, 2]
    assert ids(part=Part.LEFT_OUT) == [3]
    assert show(project, found, (parse_where("Modality == 'CT'"),), "", Part.ALL).counts[0] == (1, 0, 0)


# sources --------------------------------------------------------------------------


def test_source_is_forgotten_with_all_that_was_found_in_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, series in ((first, ct_series(make_study(1), slices=2)), (second, mr_series(make_study(2), slices=3))):
        for number, dataset in enumerate(series):
            save(dataset, folder / f"IM{number}")
    second.joinpath("broken").write_bytes(b"\0" * 128 + b"DICM")
    create_project(tmp_path / "project", "SITE", None)
    with Project(tmp_path / "project") as project:
        list(scan(project, [first, second], SerialExecutor()))
        assert list_sources(project) == [str(first), str(second)]
        found = load_found(project)
        assert [(line.reason, line.files) for line in found.problems] == [(Reason.NO_DATASET, 1)]
        (line,) = found.problems
        assert problem_files(project, line.verdict, line.reason, 10) == [str(second / "broken")]

        list(remove_source(project, str(second)))
        list(remove_source(project, str(tmp_path / "never read")))

        found = load_found(project)
        assert found.original_sources == (str(first),)
        assert [(row.original_modality, row.taken) for row in found.rows] == [("CT", 2)]
        assert (found.problems, found.files) == ((), 2)
        assert project.store.one("SELECT count(*) FROM patients") == 1
    assert second.joinpath("broken").exists()
