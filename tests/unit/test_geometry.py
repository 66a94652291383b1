"""What the scan keeps for the checks of a series: where slices lie, what tells volumes apart, what is damaged."""

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from app.catalog.attributes import queryable_attributes
from app.catalog.step import scan
from app.dicom.reading import read_header
from app.errors import Reason
from app.jobs.executors import SerialExecutor
from app.project.folder import Project, create_project
from tests.factory import ct_series, enhanced_mr, make_study, save, to_bytes


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    create_project(tmp_path / "project", "SITE", None)
    with Project(tmp_path / "project") as project:
        yield project


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def run(project: Project, source: Path) -> None:
    list(scan(project, [source], SerialExecutor()))


def ct(number: int = 1, **attributes: object) -> Dataset:
    """A slice of one series."""
    dataset = ct_series(make_study(1), slices=number, rows=16, columns=16)[number - 1]
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def attributes_of(dataset: Dataset) -> dict[str, object]:
    return dict(queryable_attributes(read_header(io.BytesIO(to_bytes(dataset)))))


def test_slices_share_their_axes_and_differ_in_position(project: Project, source: Path) -> None:
    for number in range(3):
        position = [0, 0, 2.5 * number]
        slice_ = ct(number + 1, ImagePositionPatient=position, AcquisitionTime=f"10200{number}.5")
        save(slice_, source / f"{number}")
    run(project, source)

    rows = project.store.execute("SELECT slice_position_mm, acquired_s, volume_key, pixel_fault FROM instances")
    assert sorted(tuple(row) for row in rows) == [(2.5 * n, 37200.5 + n, "", None) for n in range(3)]
    assert project.store.one("SELECT count(*) FROM attribute_sets") == 1
    assert attributes_of(ct())["SliceAxes"] == [1, 0, 0, 0, 1, 0]


def test_what_tells_volumes_apart_is_kept(project: Project, source: Path) -> None:
    for number in range(2):
        save(ct(number + 1, TemporalPositionIdentifier=number), source / f"{number}")
    run(project, source)

    assert project.store.one("SELECT count(DISTINCT volume_key) FROM instances") == 2


def test_frames_positions_are_kept(project: Project, source: Path) -> None:
    save(enhanced_mr(make_study(1), frames=4), source / "x")
    run(project, source)

    assert json.loads(project.store.one("SELECT frame_positions_mm FROM instances")) == [-120, -115, -110, -105]


def test_short_pixel_data_are_told_with_the_instance(project: Project, source: Path) -> None:
    save(ct(Rows=600), source / "x")
    run(project, source)

    assert project.store.one("SELECT pixel_fault FROM instances") == Reason.PIXEL_LENGTH


def test_series_of_a_file_that_is_cut_short_is_known(project: Project, source: Path) -> None:
    whole, cut = ct(1), ct(2)
    save(whole, source / "a")
    (source / "b").write_bytes(to_bytes(cut)[:-10])
    run(project, source)

    (row,) = project.store.execute("SELECT original_study_uid, original_series_uid FROM damaged_instances")
    assert tuple(row) == (cut.StudyInstanceUID, cut.SeriesInstanceUID)


def test_codes_and_scheduled_steps_are_kept_in_words() -> None:
    region, step = Dataset(), Dataset()
    region.CodeValue, region.CodingSchemeDesignator, region.CodeMeaning = "51185008", "SCT", "Chest"
    step.ScheduledProcedureStepDescription = "CT thorax nativ"

    found = attributes_of(ct(AnatomicRegionSequence=[region], RequestAttributesSequence=[step]))

    assert found["AnatomicRegionSequence"] == ["Chest"]
    assert found["RequestAttributesSequence"] == ["CT thorax nativ"]


def test_changed_series_is_checked_anew(project: Project, source: Path) -> None:
    save(ct(1), source / "a")
    run(project, source)
    project.store.execute("INSERT INTO series_checks (series_id, checked_with) SELECT id, 'x' FROM series")

    save(ct(2), source / "b")
    run(project, source)

    assert project.store.one("SELECT count(*) FROM series_checks") == 0
