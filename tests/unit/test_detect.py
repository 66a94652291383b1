"""Looking through images: nothing fails open, whatever a detector or a file does."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from app.catalog.step import scan
from app.deid.step import prepare
from app.detection import step as detection_step
from app.detection.device_masks import parse_table
from app.detection.step import detect
from app.detection.worker import DetectItem, LookedAt, look_with
from app.engines.base import DetectedText, DetectorFailedError, Image
from app.errors import Reason, ReleaseBlockedError, UsageError
from app.events import Finished
from app.files.locator import Locator
from app.jobs.executors import ProcessExecutor, SerialExecutor
from app.pipeline.dataset import refresh_dataset
from app.pipeline.export import export
from app.project.folder import Project, create_project
from app.project.images import ImagePlanner, ImageState
from app.review.dump import build_dump
from app.selection.step import select
from app.signoff.step import check_release
from tests import factory

STUDY = factory.make_study(21)
MARK = (slice(10, 20), slice(30, 60))  # where the tests' own text stands
QUICK_PROTOCOL = Path(__file__).parents[1] / "quick.toml"


class FindsWhite:
    """Finds one box around all white pixels, if there are some."""

    label = "glyphs"
    version = "1"

    def is_available(self) -> bool:
        return True

    def detect(self, image: Image) -> list[DetectedText]:
        grey = image if image.ndim == 2 else image.max(axis=2)
        rows, columns = np.nonzero(grey == 255)
        if not 0 < len(rows) < grey.size / 4:
            return []
        box = (int(rows.min()), int(columns.min()), int(rows.max()) + 1, int(columns.max()) + 1)
        return [DetectedText(*box, confidence=0.9, original_text="DOE")]


class Raises(FindsWhite):
    """Fails on images with something white."""

    def detect(self, image: Image) -> list[DetectedText]:
        if super().detect(image):
            raise DetectorFailedError
        return []


class TalksNonsense(FindsWhite):
    """Points outside of the image."""

    def detect(self, image: Image) -> list[DetectedText]:
        return [DetectedText(0, 0, 10_000, 10_000, confidence=0.9)]


def ct(slices: int, *, marked: Sequence[int] = ()) -> list[Dataset]:
    """A series of slices, some with a small white block."""
    series = factory.ct_series(STUDY, slices=slices, rows=64, columns=64)
    for index, dataset in enumerate(series):
        values = np.zeros((64, 64), np.int16)
        values[:24] = 500  # too much to be text, and as bright as it gets in a slice without any
        if index in marked:
            values[MARK] = 2000
        dataset.PixelData = values.tobytes()
    return list(series)


def items(folder: Path, datasets: Sequence[Dataset]) -> tuple[DetectItem, ...]:
    paths = [factory.save(dataset, folder / f"IM{index:03}") for index, dataset in enumerate(datasets)]
    return tuple(DetectItem(index, Locator(str(path)).to_text()) for index, path in enumerate(paths))


def look(folder: Path, datasets: Sequence[Dataset], detector: FindsWhite, table: str = "") -> dict[int, LookedAt]:
    masks = parse_table(table) if table else ()
    found = look_with((detector,), masks, items(folder, datasets))
    assert len(found) == len(datasets), "nothing is passed over"
    return {one.instance_id: one for one in found}


def test_text_is_attributed_to_the_image_that_has_it(tmp_path: Path) -> None:
    found = look(tmp_path, ct(5, marked=[3]), FindsWhite())
    with_text = [number for number, one in found.items() if any(region.is_strong for region in one.regions)]
    assert 3 in with_text
    (region,) = {region.box for region in found[3].regions if region.is_strong}
    assert (region.top, region.left) <= (10, 30)
    assert (region.bottom, region.right) >= (20, 60)
    assert region.frame is None
    assert {one.failure for one in found.values()} == {None}
    assert {(one.rows, one.columns, one.frames) for one in found.values()} == {(64, 64, 1)}


def test_detector_that_fails_blocks_the_image_that_it_failed_on(tmp_path: Path) -> None:
    found = look(tmp_path, ct(4, marked=[2]), Raises())
    assert {number: one.failure for number, one in found.items()} == {
        0: None, 1: None, 2: Reason.DETECTOR_FAILED, 3: None,
    }  # fmt: skip


def test_detector_that_talks_nonsense_has_not_looked(tmp_path: Path) -> None:
    found = look(tmp_path, ct(2), TalksNonsense())
    assert {one.failure for one in found.values()} == {Reason.DETECTOR_FAILED}


def test_frame_that_does_not_decode_blocks_its_image_alone(tmp_path: Path) -> None:
    datasets = ct(4, marked=[0])
    for dataset in datasets:
        dataset.compress("1.2.840.10008.1.2.4.80")
    everything = items(tmp_path, datasets)
    path = tmp_path / "IM002"
    content = path.read_bytes()
    start = content.index(b"\xff\xd8\xff\xf7")
    path.write_bytes(content[:start] + bytes(30) + content[start + 30 :])
    found = {one.instance_id: one for one in look_with((FindsWhite(),), (), everything)}
    assert found[2].failure is Reason.BAD_CODESTREAM
    assert [found[number].failure for number in (0, 1, 3)] == [None] * 3
    assert found[0].regions


def test_images_of_other_sizes_are_looked_at_apart(tmp_path: Path) -> None:
    larger = factory.ct_series(STUDY, slices=1, rows=80, columns=96)
    found = look(tmp_path, [*ct(3, marked=[1]), *larger], FindsWhite())
    assert (found[3].rows, found[3].columns) == (80, 96)
    assert found[1].regions


def test_sites_own_table_of_devices_counts_where_something_is(tmp_path: Path) -> None:
    datasets = ct(1, marked=[0])
    datasets[0].Manufacturer, datasets[0].ManufacturerModelName = "Acme", "Printer 3"
    from app.detection.device_masks import ATTRIBUTES

    columns = [*ATTRIBUTES, "boxes", "source"]
    cells = {"manufacturer": "Acme", "boxes": "0 0 12 64; 40 0 64 64", "source": "this site"}
    table = ",".join(columns) + "\n" + ",".join(cells.get(name, "") for name in columns) + "\n"
    (region,) = (one for one in look(tmp_path, datasets, FindsWhite(), table)[0].regions if one.engine == "device")
    assert region.is_strong
    assert (region.box.top, region.box.bottom) == (0, 12), "the other place is blank"
    assert "Printer 3" in look(tmp_path, datasets, FindsWhite())[0].original_device


# the step ---------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    for index, dataset in enumerate(ct(6)):
        factory.save(dataset, tmp_path / "source" / f"IM{index:03}")
    create_project(tmp_path / "project", "SITEA", QUICK_PROTOCOL)
    with Project(tmp_path / "project") as opened:
        list(scan(opened, [tmp_path / "source"], SerialExecutor()))
        list(select(opened, None, None))
        yield opened


def counts(project: Project, executor: SerialExecutor | ProcessExecutor | None = None) -> dict[str, int]:
    finished = list(detect(project, executor or SerialExecutor()))[-1]
    assert isinstance(finished, Finished)
    return dict(finished.counts)


def states(project: Project) -> set[ImageState]:
    return {image.plan.state for series in ImagePlanner(project).all_series() for image in series.images}


def test_every_selected_image_is_looked_at_once(project: Project) -> None:
    assert states(project) == {ImageState.UNCHECKED}
    assert counts(project)["done_now"] == 6
    assert states(project) == {ImageState.CLEAR}
    assert counts(project)["done_now"] == 0


def test_cancelled_search_goes_on_where_it_was(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection_step, "LONGEST_STACK", 2)
    job = detect(project, SerialExecutor())
    for event in job:
        if getattr(event, "done", 0) >= 2:
            break
    job.close()
    assert 0 < counts(project)["done_now"] < 6
    assert states(project) == {ImageState.CLEAR}


def test_file_that_changed_is_looked_at_again(project: Project, tmp_path: Path) -> None:
    counts(project)
    (changed,) = ct(1, marked=[0])
    factory.save(changed, tmp_path / "source" / "IM000")
    list(scan(project, [tmp_path / "source"], SerialExecutor()))
    list(select(project, None, None))
    assert ImageState.UNCHECKED in states(project)
    assert counts(project)["done_now"] == 1


def hang(*_: Any) -> None:
    time.sleep(60)


class Hanging(ProcessExecutor):
    """Every call hangs."""

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return super().submit(hang, *arguments)


def test_search_that_hangs_blocks_its_images_and_is_tried_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection_step, "SECONDS_PER_ITEM", 0.2)
    with Hanging(2) as executor:
        assert counts(project, executor)["failed"] == 6
    reasons = {image.plan.reason for series in ImagePlanner(project).all_series() for image in series.images}
    assert reasons == {Reason.WORKER_HUNG}
    monkeypatch.undo()
    assert counts(project)["failed"] == 0


def test_detector_that_is_not_there_stops_the_search(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    images = project.protocol.images.model_copy(update={"detectors": ("tesseract",)})
    project.protocol = project.protocol.model_copy(update={"images": images})
    monkeypatch.setitem(sys.modules, "tesserocr", None)
    with pytest.raises(UsageError, match="detector-unavailable"):
        list(detect(project, SerialExecutor()))


def test_export_refuses_images_without_a_check_and_checks_of_other_detectors(project: Project, tmp_path: Path) -> None:
    list(prepare(project, SerialExecutor(), unattended=True))
    with pytest.raises(ReleaseBlockedError, match="nothing-to-release"):
        list(export(project, tmp_path / "out", SerialExecutor(), unattended=True))
    counts(project)
    project.store.set_meta("detection_signature", "older detectors")
    with pytest.raises(ReleaseBlockedError, match="images-checked-otherwise"):
        list(export(project, tmp_path / "out", SerialExecutor(), unattended=True))
    assert not list((tmp_path / "out").glob("*.zip"))


def test_new_findings_make_what_was_prepared_stale(project: Project) -> None:
    list(prepare(project, SerialExecutor()))
    counts(project)
    with pytest.raises(ReleaseBlockedError, match="prepared-with-other-decisions"):
        check_release(project, build_dump(project), unattended=False)
    list(prepare(project, SerialExecutor()))
    counts(project)
    refresh_dataset(project)
    with pytest.raises(ReleaseBlockedError, match="approvals-missing"):
        check_release(project, build_dump(project), unattended=False)
