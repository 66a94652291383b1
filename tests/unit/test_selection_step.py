"""The step ``select`` on a project whose catalogue is written by hand."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import ProjectError, ProtocolError, Reason
from app.events import Note
from app.project.folder import Project
from app.selection.result import ExcludedSeries, SelectedSeries, excluded_series, selected_series
from app.selection.step import select
from tests.unit.selection_project import MR, SEG, SR, add_series, make_project, run, selected_uids, wanted


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with make_project(tmp_path / "project") as project:
        yield project


def test_default_protocol_takes_images_and_segmentations_but_no_reports(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT", "SeriesDescription": "thin"})
    add_series(project, 2, {"Modality": "SR"}, sop_class_uid=SR, instances=1)
    add_series(project, 3, {"Modality": "SEG"}, sop_class_uid=SEG, instances=1)

    counts = run(project)

    assert counts == {"selected": 4, "excluded": 1, "series_selected": 2, "series_excluded": 1}
    assert selected_series(project) == [
        SelectedSeries(1, "CT", "thin", 3),
        SelectedSeries(3, "SEG", "", 1),
    ]
    assert excluded_series(project) == [
        ExcludedSeries(2, "SR", "", 1, 0, ("ObjectKind sr is not one of image, segmentation, rt",))
    ]


def test_where_narrows_the_protocols_query(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT", "SliceThickness": 5.0})
    add_series(project, 2, {"Modality": "CT", "SliceThickness": 1.0})
    add_series(project, 3, {"Modality": "SR"}, sop_class_uid=SR, instances=1)

    counts = run(project, 'SliceThickness <= 1.0 or Modality == "SR"')

    assert counts["series_selected"] == 1
    assert [(series.series_id, series.original_reasons) for series in excluded_series(project)] == [
        (1, ("SliceThickness 5.0 > 1.0 and Modality CT is not SR",)),
        (3, ("ObjectKind sr is not one of image, segmentation, rt",)),
    ]


def test_series_that_mixes_objects_is_taken_in_part(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"})
    add_series(project, 1, {"Modality": "CT"}, sop_class_uid=SR, instances=2, first=10)

    counts = run(project)

    assert counts == {"selected": 3, "excluded": 2, "series_selected": 1, "series_excluded": 0}
    assert selected_series(project)[0].instances == 3
    (excluded,) = excluded_series(project)
    assert (excluded.instances, excluded.selected_instances) == (2, 3)


def test_derived_facts_are_stored_and_queried(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT", "ContrastBolusAgent": "Agent"}, spacing_mm=1.25, instances=5)
    add_series(project, 2, {"Modality": "CT", "Orientation": "axial"}, spacing_mm=5.0, instances=4)

    run(project, "SliceSpacing < 2 and HasContrast and InstanceCount >= 5")

    assert [series.series_id for series in selected_series(project)] == [1]
    facts = [json.loads(row[0]) for row in project.store.execute("SELECT facts FROM series ORDER BY id")]
    assert facts == [
        {"InstanceCount": 5, "HasContrast": True, "SliceSpacing": 1.25},
        {"InstanceCount": 4, "HasContrast": False, "SliceSpacing": 5.0},
    ]
    assert excluded_series(project)[0].original_reasons == (
        "SliceSpacing 5.0 >= 2; HasContrast false is not true; InstanceCount 4 < 5",
    )


def test_orientation_comes_with_the_attributes(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT", "Orientation": "axial"})
    add_series(project, 2, {"Modality": "CT"})

    run(project, 'Orientation == "axial"')

    assert [series.series_id for series in selected_series(project)] == [1]
    assert excluded_series(project)[0].original_reasons == ("Orientation missing",)


def test_duplicates_and_conflicts_are_neither_selected_nor_counted(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"}, spacing_mm=1.0)
    add_series(project, 1, {"Modality": "CT"}, reason=Reason.DUPLICATE, spacing_mm=7.0, first=20)
    add_series(project, 2, {"Modality": "CT"}, reason=Reason.CONFLICT)

    counts = run(project, "SliceSpacing == 1 and InstanceCount == 3")

    assert counts == {"selected": 3, "excluded": 0, "series_selected": 1, "series_excluded": 0}
    assert project.store.one("SELECT count(*) FROM instances WHERE selected = 0") == 6
    assert excluded_series(project) == []


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([{"SeriesInstanceUID": "1.1.0"}], {"1.1.0", "1.1.1", "1.1.2"}),
        ([{"StudyInstanceUID": "1.2"}], {"1.2.0", "1.2.1", "1.2.2"}),
        ([{"PatientID": "p2", "AccessionNumber": "a2"}], {"1.2.0", "1.2.1", "1.2.2"}),
        ([{"AccessionNumber": "p2"}], set()),
        ([{"SOPInstanceUID": "1.1.1"}], {"1.1.1"}),
        ([{"SOPInstanceUID": "1.1.1"}, {"StudyInstanceUID": "1.2"}], {"1.1.1", "1.2.0", "1.2.1", "1.2.2"}),
        ([{"StudyInstanceUID": "1.3"}], set()),
    ],
)
def test_list_narrows_the_selection(project: Project, entries: list[dict[str, str]], expected: set[str]) -> None:
    add_series(project, 1, {"Modality": "CT", "PatientID": "p1", "AccessionNumber": "a1"})
    add_series(project, 2, {"Modality": "CT", "PatientID": "p2", "AccessionNumber": "a2"})
    add_series(project, 3, {"Modality": "SR"}, sop_class_uid=SR)

    counts = run(project, None, wanted(*entries))

    assert selected_uids(project) == expected
    assert counts["selected"] + counts["excluded"] == 9
    reasons = project.store.one("SELECT sum(instances) FROM exclusions WHERE original_explanation = 'not in the list'")
    assert (reasons or 0) == 6 - len(expected)


def test_arguments_are_remembered_until_others_replace_them(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"})
    add_series(project, 2, {"Modality": "MR"}, sop_class_uid=MR)

    assert run(project)["series_selected"] == 2
    assert run(project, 'Modality == "CT"')["series_selected"] == 1
    assert run(project)["series_selected"] == 1
    assert run(project, None, wanted({"SeriesInstanceUID": "1.2.0"}))["series_selected"] == 1
    assert selected_series(project)[0].original_modality == "MR"
    assert run(project, 'Modality == "CT"', wanted({"SeriesInstanceUID": "1.2.0"}))["series_selected"] == 0
    assert run(project)["series_selected"] == 0
    assert run(project, "")["series_selected"] == 2


def test_wrong_expression_changes_nothing(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"})
    run(project, 'Modality == "CT"')
    remembered = project.layout.selection_json.read_bytes()

    with pytest.raises(ProtocolError):
        list(select(project, "Modality === 'MR'", None))

    assert project.layout.selection_json.read_bytes() == remembered
    assert len(selected_uids(project)) == 3


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[]", b'{"where": 5, "original_list": null}', b'{"where": null, "original_list": [5]}'],
)
def test_damaged_memory_is_an_error_not_a_wider_selection(project: Project, content: bytes) -> None:
    project.layout.selection_json.write_bytes(content)

    with pytest.raises(ProjectError, match="selection-json-damaged"):
        list(select(project, None, None))


def test_digest_follows_the_selected_instances_and_the_request(project: Project) -> None:
    digests = []
    for step in range(2):
        add_series(project, step + 1, {"Modality": "CT"})
        for where in ("", 'Modality == "CT"', "Rows == 5"):
            run(project, where)
            digests.append(project.store.get_meta("selection_digest"))

    assert len(set(digests)) == 5  # no instance is selected under the last expression, whatever there is
    run(project, "")
    assert project.store.get_meta("selection_digest") == digests[3]


def test_second_run_writes_no_instance(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"})
    run(project)
    project.store.execute("UPDATE instances SET state = 'prepared'")
    before = [tuple(row) for row in project.store.execute("SELECT * FROM instances")]
    project.store.execute(
        "CREATE TEMP TRIGGER no_write BEFORE UPDATE ON instances BEGIN SELECT raise(ABORT, 'written'); END"
    )

    run(project)

    assert [tuple(row) for row in project.store.execute("SELECT * FROM instances")] == before


def test_cancelled_run_leaves_the_last_result(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"})
    run(project)

    job = select(project, "Rows == 1", None)
    next(job)
    job.close()

    assert len(selected_uids(project)) == 3
    assert run(project)["selected"] == 0


def test_what_only_one_engine_selects_stays_and_is_told(project: Project) -> None:
    # SQLite's text ends at a NUL; the catalogue stores none, and if it ever does nothing must slip through.
    add_series(project, 1, {"Modality": "CT\0canary"})

    events = list(select(project, 'Modality == "CT"', None))

    assert selected_uids(project) == set()
    assert Note("select", "selection-engines-disagree", {"instances": 3}) in events


def test_rescan_with_new_instances_is_seen(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"})
    run(project)
    add_series(project, 1, {"Modality": "CT"}, first=50)

    assert run(project)["selected"] == 6
    assert selected_series(project)[0].instances == 6


def test_nothing_is_told_before_the_first_run(project: Project) -> None:
    add_series(project, 1, {"Modality": "CT"})

    assert selected_series(project) == []
    assert excluded_series(project) == []


def test_empty_catalogue_is_no_error(project: Project) -> None:
    assert run(project) == {"selected": 0, "excluded": 0, "series_selected": 0, "series_excluded": 0}
