"""A head CT whose face is taken out, through the real command line: measured in the bundle, not on the way there."""

import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray

from app.pixels.defacing import Kind, skin_depth
from tests.end_to_end.test_dataset_decisions import by_kind, done_or_waiting
from tests.end_to_end.test_main_job import QUICK_PROTOCOL, consign, done
from tests.factory import ct_series, make_study, save, set_pixels
from tests.unit.head_phantom import CT_VALUES, SPACING_MM, head_labels, paint
from tests.unit.test_defacing import steepness

STEP = 2  # every second slice of the phantom
SPACING = (SPACING_MM[0] * STEP, *SPACING_MM[1:])
OFFSET = 1024


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, NDArray[np.float64], NDArray[np.bool_]]:
    """A folder with a head and a chest CT, the head's values as stored, and its brain."""
    folder = tmp_path_factory.mktemp("head")
    labels, brain = head_labels()
    volume = np.rint(paint(labels, CT_VALUES, 12)[::STEP]) + OFFSET
    slices, rows, columns = volume.shape
    study = make_study(7)
    for number, image in enumerate(ct_series(study, slices=slices, rows=rows, columns=columns)):
        set_pixels(image, np.clip(volume[number], 0, 4095).astype(np.uint16), bits_stored=12)
        image.PixelSpacing = list(SPACING[1:])
        image.SliceThickness = SPACING[0]
        image.ImagePositionPatient = [-96.0, -120.0, -120.0 + number * SPACING[0]]
        image.SliceLocation = image.ImagePositionPatient[2]
        image.RescaleIntercept = -OFFSET
        image.BodyPartExamined, image.SeriesDescription = "HEAD", "Head axial"
        image.RecognizableVisualFeatures = "YES"
        save(image, folder / "in" / f"head{number}.dcm")
    for number, image in enumerate(ct_series(make_study(8), slices=2, rows=64, columns=64)):
        save(image, folder / "in" / f"chest{number}.dcm")
    return folder / "in", volume, brain[::STEP]


def test_the_bundle_holds_a_head_without_a_face_and_says_so(
    head: tuple[Path, NDArray[np.float64], NDArray[np.bool_]], tmp_path: Path
) -> None:
    source, before, brain = head
    project, out = tmp_path / "project", tmp_path / "out"
    places = ("--project", project, "--out", out, "--protocol", QUICK_PROTOCOL, "--site", "SITEA")
    assert consign("run", source, *places, "--workers", "serial").exit_code == 1
    (face,) = by_kind(project)["face"]
    done_or_waiting("dataset", project, "--deface", face)
    assert by_kind(project) == {}
    assert "The face was taken out: 9" in done("dataset", project)
    done("prepare", project, "--workers", "serial")
    done("approve", project, "--as", "Ada Champion", "--role", "site champion")
    done("export", project, "--out", out, "--workers", "serial")
    assert "Verified" in done("verify", out, "--project", project)

    found = read_bundle(out)
    heads = sorted((one for one in found if one.BodyPartExamined == "HEAD"), key=lambda one: one.SliceLocation)
    (chest, _) = [one for one in found if one.BodyPartExamined == "CHEST"]
    after = np.stack([one.pixel_array for one in heads]).astype(float)
    assert not (after != np.clip(before, 0, 4095))[brain].any()
    old, new = (skin_depth(one - OFFSET, SPACING, Kind.CT)[10:40, 40:120] for one in (before, after))
    both = np.isfinite(old) & np.isfinite(new)
    assert (np.abs(old[both] - new[both]) * SPACING[1] > 1).mean() > 0.9
    steep = [steepness(one - OFFSET, SPACING, Kind.CT) for one in (before, after)]
    assert steep[1] < 0.5 * steep[0]
    assert {one.RecognizableVisualFeatures for one in heads} == {"NO"}
    assert {"113102" in codes(one) for one in heads} == {True}
    assert "113102" not in codes(chest)
    assert "RecognizableVisualFeatures" not in chest
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "0 series that show a face stayed at the site; from 1 the face was removed." in report
    assert "113102" in report


def codes(one: pydicom.Dataset) -> set[str]:
    return {item.CodeValue for item in one.DeidentificationMethodCodeSequence}


def read_bundle(out: Path) -> list[pydicom.Dataset]:
    found: list[pydicom.Dataset] = []
    for path in out.glob("*.zip"):
        with zipfile.ZipFile(path) as part:
            found += [pydicom.dcmread(io.BytesIO(part.read(name))) for name in part.namelist() if name.endswith(".dcm")]
    return found


def test_a_head_that_changed_since_stays_until_it_is_done_again(
    head: tuple[Path, NDArray[np.float64], NDArray[np.bool_]], tmp_path: Path
) -> None:
    """What was made for other files is for no file that is there now."""
    source, _, _ = head
    project = tmp_path / "project"
    done("new", project, "--site", "SITEA", "--protocol", QUICK_PROTOCOL)
    done("scan", project, source, "--workers", "serial")
    done("select", project)
    done("images", project, "--detect", "--workers", "serial")
    done("prepare", project, "--workers", "serial")
    (face,) = by_kind(project)["face"]
    done_or_waiting("dataset", project, "--deface", face)
    later = 1_900_000_000
    image = source / "head3.dcm"
    os.utime(image, (later, later))
    done("scan", project, source, "--workers", "serial")
    done("select", project)
    done("images", project, "--detect", "--workers", "serial")
    assert "visual-features" in done("prepare", project, "--workers", "serial")
