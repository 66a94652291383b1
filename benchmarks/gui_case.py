"""A large project for the benchmarks of the window: an export of tiny CT and MR images, scanned and prepared for real.

``python -m benchmarks.gui_case FOLDER [--instances 100000]`` writes ``FOLDER/export`` and makes ``FOLDER/project``;
what is there already stays. 100,000 instances take some minutes and 0.5 GB.
"""

import argparse
import time
from pathlib import Path
from random import Random

from pydicom.dataset import Dataset
from pydicom.uid import UID

from app.events import Finished
from app.jobs.executors import open_executor
from app.pipeline.run import run_all
from app.project.folder import Project, create_project
from tests.factory import Study, ct_series, make_study, mr_series, to_bytes
from tests.factory.instances import Device

SLICES, SERIES_A_STUDY, STUDIES_A_PATIENT = 100, 2, 2
SIZE_PX = 16
_FIRST_NUMBER = 1001  # all numbers and positions are texts of one length, so that a file is made by replacing bytes
_PROTOCOL = """id = "large"
title = "A large project"
contact = "trial@example.org"
[selection]
where = 'Modality in ("CT", "MR")'
[images]
detectors = ["glyphs"]
[review]
signatures = ["site champion", "privacy officer"]
"""
_DEVICES = (
    Device("SIEMENS", "SOMATOM Force", "VA50A"),
    Device("GE MEDICAL SYSTEMS", "Revolution CT", "RV1"),
    Device("Philips", "Ingenuity CT", "4.1"),
    Device("Canon Medical Systems", "Aquilion ONE", "V8"),
)
_DESCRIPTIONS = ("Thorax nativ", "Thorax lung kernel", "Abdomen venous", "Abdomen arterial thin", "Head routine")


def write_export(folder: Path, instances: int) -> None:
    """Write ``instances`` files of 16x16 pixels, 100 a series, two series a study, two studies a patient."""
    for number in range(instances // (SLICES * SERIES_A_STUDY)):
        patient = number // STUDIES_A_PATIENT
        study = make_study(number, description="Visit", identity=make_study(patient).identity)
        for series in range(SERIES_A_STUDY):
            _write_series(folder / f"P{patient:05}" / f"V{number}S{series}", study, series)


def _write_series(folder: Path, study: Study, series: int) -> None:
    folder.mkdir(parents=True)
    draw = Random(f"{study.uid}{series}")
    make = mr_series if draw.random() < 0.25 else ct_series
    (template,) = make(study, slices=1, rows=SIZE_PX, columns=SIZE_PX, number=series + 1)
    device = draw.choice(_DEVICES)
    template.Manufacturer, template.ManufacturerModelName = device.manufacturer, device.model
    template.SeriesDescription = draw.choice(_DESCRIPTIONS)
    template.SliceThickness = draw.choice((0.6, 1.0, 1.5, 2.0, 3.0, 5.0))
    uid = _set_place(template, _FIRST_NUMBER)
    content, position = to_bytes(template), _position(_FIRST_NUMBER)
    for number in range(_FIRST_NUMBER, _FIRST_NUMBER + SLICES):
        made = content.replace(uid.encode(), f"{uid[:-4]}{number}".encode())
        made = made.replace(f"\\{position}".encode(), f"\\{_position(number)}".encode())
        made = made.replace(b"IS\x04\x00%d" % _FIRST_NUMBER, b"IS\x04\x00%d" % number)
        (folder / f"IM{number}").write_bytes(made)


def _set_place(template: Dataset, number: int) -> str:
    uid = f"{template.SeriesInstanceUID}.{number}"
    template.SOPInstanceUID = template.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    template.InstanceNumber = number
    template.ImagePositionPatient = ["-190.0", "-190.0", _position(number)]
    return uid


def _position(number: int) -> str:
    return f"{number}.0"


def make_project(folder: Path) -> Path:
    """An empty project with a protocol that wants all of it."""
    root = folder / "project"
    protocol = folder / "protocol.toml"
    protocol.write_text(_PROTOCOL, encoding="utf-8")
    create_project(root, "SITEA", protocol)
    return root


def make_case(folder: Path, instances: int) -> tuple[Path, Path]:
    """The export and an empty project for it, where they are not there yet: (export, project)."""
    export, root = folder / "export", folder / "project"
    if not export.exists():
        begin = time.monotonic()
        write_export(export, instances)
        print(f"{instances:,} files written in {time.monotonic() - begin:.0f} s", flush=True)
    if not root.exists():
        make_project(folder)
    return export, root


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--instances", type=int, default=100_000)
    parser.add_argument("--workers", default="auto")
    arguments = parser.parse_args()
    export, root = make_case(arguments.folder, arguments.instances)
    with Project(root) as project, open_executor(arguments.workers) as executor:
        begin = time.monotonic()
        for event in run_all(project, [export], None, executor):
            if isinstance(event, Finished):
                print(f"{event.step}: {time.monotonic() - begin:.0f} s {dict(event.counts)}", flush=True)
                begin = time.monotonic()


if __name__ == "__main__":
    main()
