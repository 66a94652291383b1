"""The demo: a small PACS export of four people who do not exist, and a project that waits for it.

Everything is drawn here, so that nothing of a patient has to be shipped: chest CTs, a radiograph and an ultrasound loop
with a name burned in, a dose page that is a picture of text, and a file that is cut.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import uid as uids
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.tag import Tag

from app.errors import ProjectError
from app.project.folder import create_project

_SITE = "DEMO"
_SLICES = 12


@dataclass(frozen=True, slots=True)
class _Person:
    original_name: str
    original_id: str
    original_birth_date: str
    sex: str
    age: str
    day: str
    original_study: str

    @property
    def original_lines(self) -> list[str]:
        """What a machine writes into the corner of a picture."""
        return [self.original_name.replace("^", ", "), f"{self.original_id}  {self.original_birth_date}", self.day]


_PEOPLE = (
    _Person("Lindqvist^Maren", "K4821907", "19580312", "F", "065Y", "20230504", "CT Thorax follow-up Lindqvist"),
    _Person("Okonkwo^Tobias", "M7730156", "19711124", "M", "051Y", "20230511", "CT Thorax, referred by Dr. Haverkamp"),
    _Person("Quintanilla^Thea", "R2094483", "19490817", "F", "073Y", "20230602", "Chest PA"),
    _Person("Marchetti^Osvaldo", "Z5519062", "19640229", "M", "059Y", "20230609", "Echo"),
)


def make_demo(parent: Path | None = None) -> tuple[Path, Path]:
    """Write the export and make a project for it in a fresh folder ``Demo-N``.

    ``parent`` is ``Consign`` in the user's documents if not given. Returns the project's folder and the export's.
    Raises ProjectError("demo-not-written").
    """
    parent = parent or Path.home() / "Documents" / "Consign"
    number = 1
    while (folder := parent / f"Demo-{number}").exists():
        number += 1
    # The window shows the last part of the project's path.
    source, project = folder / "PACS export", folder / f"demo-{number}"
    try:
        _write(source)
    except OSError:
        raise ProjectError("demo-not-written") from None
    create_project(project, _SITE, None)
    return project, source


def _write(source: Path) -> None:
    for name, dataset in _instances():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        dcmwrite(path, dataset, enforce_file_format=True)
    cut = (source / "P1" / "CT" / "IM1").read_bytes()
    (source / "P2" / "CT" / "CUT").write_bytes(cut[: len(cut) // 2])
    (source / "README.TXT").write_text("A patient CD has files like this one, too.\n", encoding="utf-8")


def _instances() -> Iterator[tuple[str, Dataset]]:
    first, second, third, fourth = _PEOPLE
    for person, name in ((first, "P1"), (second, "P2")):
        for index, dataset in enumerate(_chest_ct(person), start=1):
            yield f"{name}/CT/IM{index}", dataset
    yield "P1/DOSE/IM1", _dose_page(first)
    yield "P3/CR/IM1", _radiograph(third)
    yield "P4/US/IM1", _ultrasound(fourth)


def _chest_ct(person: _Person) -> Iterator[Dataset]:
    noise = np.random.default_rng(int(person.day))
    for index in range(_SLICES):
        dataset = _header(person, uids.CTImageStorage, "CT", "Thorax LungCheck 2.0", number=2, instance=index + 1)
        _set_pixels(dataset, _body(256, index / _SLICES, noise) * 1000, bits=12)
        dataset.ImageType, dataset.BodyPartExamined = ["ORIGINAL", "PRIMARY", "AXIAL"], "CHEST"
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1000, 1, "HU"
        dataset.WindowCenter, dataset.WindowWidth = [40, -600], [400, 1500]
        dataset.KVP, dataset.ConvolutionKernel, dataset.PatientPosition = 120, "Br40f", "HFS"
        # Typed in by hand, with the hour of the scan: what *Review values* puts first.
        dataset.ProtocolName = "Thorax, second try 10:15"
        dataset.SliceThickness, dataset.PixelSpacing = 2.0, [1.484375, 1.484375]
        dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        dataset.ImagePositionPatient = [-190, -190, -120 + 2 * index]
        dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = _uid(person.original_id, "frame"), ""
        yield dataset


def _dose_page(person: _Person) -> Dataset:
    dataset = _header(person, uids.SecondaryCaptureImageStorage, "CT", "Dose report", number=501)
    lines = ["DOSE REPORT", "", *person.original_lines, "", "Total DLP  214 mGycm", "kV 120  mAs 105  CTDIvol 6.1"]
    _set_pixels(dataset, _burn(np.zeros((320, 480), np.uint8), lines, at=(16, 16), value=235), bits=8)
    dataset.ImageType, dataset.ConversionType = ["DERIVED", "SECONDARY"], "WSD"
    return dataset


def _radiograph(person: _Person) -> Dataset:
    dataset = _header(person, uids.ComputedRadiographyImageStorage, "CR", "Chest PA", number=1)
    body = 2200 - _body(720, 0.7, np.random.default_rng(3)) * 900
    _set_pixels(dataset, _burn(body, [*person.original_lines, "L"], at=(20, 20), value=0), bits=12, kind="MONOCHROME1")
    dataset.ImageType, dataset.BodyPartExamined, dataset.ViewPosition = ["ORIGINAL", "PRIMARY"], "CHEST", "PA"
    dataset.PatientOrientation, dataset.ImagerPixelSpacing = ["L", "F"], [0.2, 0.2]
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    return dataset


def _ultrasound(person: _Person, frames: int = 12, rows: int = 360, columns: int = 480) -> Dataset:
    dataset = _header(person, uids.UltrasoundMultiFrameImageStorage, "US", "Echo apical 4 chamber", number=1)
    noise = np.random.default_rng(4)
    y, x = np.mgrid[0:rows, -columns // 2 : columns // 2]
    depth = np.hypot(x, y - 40)
    sector = (np.abs(x) < (y - 40) * 0.8) & (depth < rows * 0.85)
    loop = np.zeros((frames, rows, columns, 3), np.uint8)
    for index in range(frames):
        wall = np.exp(-(((depth - 170 - 18 * np.sin(2 * np.pi * index / frames)) / 22) ** 2))
        speckle = noise.gamma(2.0, 22.0, (rows, columns)) * (0.5 + 2.2 * wall) * sector
        frame = _burn(np.clip(speckle, 0, 255), [" ".join(person.original_lines)], at=(6, 8), value=240)
        loop[index] = frame[..., np.newaxis]
    _set_pixels(dataset, loop, bits=8, kind="RGB")
    dataset.ImageType, dataset.FrameTime = ["ORIGINAL", "PRIMARY", "", "0001"], 40.0
    dataset.FrameIncrementPointer, dataset.BurnedInAnnotation = Tag(0x0018, 0x1063), "YES"
    dataset.LossyImageCompression = "00"
    return dataset


# What made the images, by modality: manufacturer, model, station.
_DEVICES = {
    "CT": ("SIEMENS", "SOMATOM Force", "EBER-CT2"),
    "CR": ("FUJIFILM Corporation", "FCR Carbon X", "EBER-CR1"),
    "US": ("Philips", "EPIQ 7G", "EBER-US4"),
}


def _header(person: _Person, sop_class: str, modality: str, series: str, *, number: int, instance: int = 1) -> Dataset:
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    dataset.SpecificCharacterSet, dataset.SOPClassUID = "ISO_IR 100", sop_class
    dataset.StudyInstanceUID = _uid(person.original_id)
    dataset.SeriesInstanceUID = _uid(person.original_id, modality, str(number))
    dataset.SOPInstanceUID = _uid(person.original_id, modality, str(number), str(instance))
    dataset.Modality, dataset.SeriesNumber, dataset.InstanceNumber = modality, number, instance
    dataset.PatientName, dataset.PatientID = person.original_name, person.original_id
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = (
        person.original_birth_date,
        person.sex,
        person.age,
    )
    dataset.PatientComments = "Lives with her sister in Ebersfurt" if person.sex == "F" else "Works at the town hall"
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = person.day
    dataset.StudyTime = dataset.SeriesTime = dataset.AcquisitionTime = dataset.ContentTime = "101530"
    dataset.StudyID, dataset.AccessionNumber = person.original_id[1:5], f"A{person.original_id[1:]}"
    dataset.StudyDescription, dataset.SeriesDescription = person.original_study, series
    dataset.ReferringPhysicianName, dataset.OperatorsName = "Haverkamp^Ilka^^Dr.", "Szabo^Anselm"
    dataset.InstitutionName, dataset.InstitutionalDepartmentName = "St. Elmo's Hospital Ebersfurt", "Radiology North"
    dataset.Manufacturer, dataset.ManufacturerModelName, dataset.StationName = _DEVICES[modality]
    return dataset


def _uid(*of: str) -> str:
    return str(uids.generate_uid(entropy_srcs=["consign demo", *of]))


def _set_pixels(dataset: Dataset, frames: NDArray[Any], *, bits: int, kind: str = "MONOCHROME2") -> None:
    """Put ``frames`` ([frames,] rows, columns[, 3]) into a dataset, as they are."""
    shape = frames.shape[:-1] if kind == "RGB" else frames.shape
    if len(shape) == 3:
        dataset.NumberOfFrames = shape[0]
    dataset.Rows, dataset.Columns = shape[-2:]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (3 if kind == "RGB" else 1), kind
    if kind == "RGB":
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = (8 if bits == 8 else 16), bits, bits - 1
    dataset.PixelRepresentation = 0
    stored = np.clip(frames, 0, 2**bits - 1).astype("u1" if bits == 8 else "<u2")
    dataset.add_new(Tag("PixelData"), "OB" if bits == 8 else "OW", stored.tobytes())


def _body(size: int, height: float, noise: np.random.Generator) -> NDArray[np.float64]:
    """A slice of a sort of chest: 0 is air, 1 water, 2 bone; ``height`` from 0 to 1 changes its shape.

    Soft, with ribs and vessels, and larger than the picture: two plain ovals are letters to a text detector.
    """
    y, x = np.mgrid[-0.7 : 0.7 : size * 1j, -0.7 : 0.7 : size * 1j]
    y = y + 0.04 * np.sin(3 * x + 4 * height)

    def oval(at_x: float, at_y: float, wide: float, high: float) -> NDArray[np.float64]:
        distance = np.hypot((x - at_x) / wide, (y - at_y) / high) - 1
        return np.asarray(1 / (1 + np.exp(distance * 60 * min(wide, high))), np.float64)

    drawn = 0.9 * oval(0, 0, 0.84, 0.6) + 0.15 * oval(0, 0, 0.78, 0.54)
    lungs = np.maximum(oval(-0.4, 0, 0.27, 0.36 + 0.1 * height), oval(0.42, 0.03, 0.24, 0.34 + 0.1 * height))
    lungs *= 1 - np.maximum(oval(0.16, -0.12, 0.27, 0.24 - 0.1 * height), oval(-0.08, 0.08, 0.12, 0.2))
    drawn -= 0.85 * lungs
    drawn += 0.2 * lungs * (cv2.GaussianBlur(noise.normal(size=x.shape), (0, 0), size / 120) > 24 / size)
    ring = np.exp(-(((np.hypot(x / 0.72, y / 0.49) - 1) / 0.06) ** 2))
    drawn += 0.8 * ring * np.clip(3 * np.cos(14 * np.arctan2(y, x) + 9 * height) - 1, 0, 1)
    drawn += 0.9 * oval(0, 0.36, 0.1, 0.09) - 0.4 * oval(0, 0.45, 0.03, 0.03) + 0.3 * oval(0.1, 0.26, 0.06, 0.06)
    return np.asarray(drawn + noise.normal(0, 0.03, drawn.shape), np.float64)


def _burn(frame: NDArray[Any], lines: Sequence[str], *, at: tuple[int, int], value: int) -> NDArray[Any]:
    """A copy of ``frame`` (rows, columns) with ``lines`` written into it, upper left corner ``at`` (row, column)."""
    stencil = Image.new("L", frame.shape[::-1])
    font = ImageFont.load_default(size=max(14, frame.shape[0] // 28))
    ImageDraw.Draw(stencil).multiline_text(at[::-1], "\n".join(lines), fill=255, font=font)
    burned = frame.copy()
    burned[np.asarray(stencil) > 127] = value
    return burned
