"""Writes what the benchmark reads: ``large`` (CT slices of 512x512) and ``small`` (the same of 16x16).

The header is what a scanner writes, about 130 elements at the top level with private blocks; the pixels are a body
with noise of its own on each slice, so that a series looks like one and nobody wins by compressing it.
"""

import argparse
from pathlib import Path
from random import Random

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from tests.factory import code, ct_series, make_study, to_bytes

SLICES_A_SERIES = 100
LARGE_PX, SMALL_PX = 512, 16

PRIVATE_BLOCKS: dict[tuple[int, str], list[tuple[int, str, object]]] = {
    (0x0009, "GEMS_IDEN_01"): [
        (0x01, "LO", "CT_LIGHTSPEED"),
        (0x02, "SH", "CT01"),
        (0x27, "SL", 1678370000),
        (0xE3, "UI", "1.2.840.113619.2.55.3.1"),
    ],
    (0x0019, "GEMS_ACQU_01"): [
        (0x02, "SL", 912),
        (0x0F, "DS", "1133.500000"),
        (0x11, "SS", 1),
        (0x23, "DS", "55.000000"),
        (0x24, "DS", "37.400002"),
        (0x27, "DS", "0.600000"),
    ],
    (0x0021, "GEMS_RELA_01"): [(0x03, "SS", 0), (0x91, "SS", 0), (0x93, "FL", 0.0)],
    (0x0029, "SIEMENS CSA HEADER"): [
        (0x08, "CS", "IMAGE NUM 4"),
        (0x09, "LO", "20230109"),
        (0x10, "OB", bytes(range(256)) * 8),
    ],
    (0x0043, "GEMS_PARM_01"): [
        (0x10, "US", 400),
        (0x12, "SS", [14, 2, 3]),
        (0x1E, "DS", "10.000000"),
        (0x27, "SH", "/1.375:1"),
        (0x40, "FL", [0.1, 0.2, 0.3, 0.4]),
    ],
}


def add_scanner_attributes(dataset: Dataset) -> None:
    """What the factory's CT leaves out and scanners write: request, procedure, dose, private blocks."""
    dataset.OtherPatientIDs, dataset.PatientBirthTime, dataset.EthnicGroup = "Z-331", "", "UNKNOWN"
    dataset.AcquisitionDateTime = dataset.StudyDate + dataset.StudyTime
    dataset.ContrastBolusAgent, dataset.ContrastBolusRoute = "Iomeprol 350", "IV"
    dataset.IrradiationEventUID = dataset.SeriesInstanceUID + ".1"
    dataset.FocalSpots, dataset.GeneratorPower = [0.7, 0.7], 24000
    dataset.DistanceSourceToDetector, dataset.DistanceSourceToPatient = 949.0, 541.0
    dataset.TableSpeed, dataset.TableFeedPerRotation, dataset.RevolutionTime = 91.7, 55.0, 0.6
    dataset.PixelPaddingValue, dataset.LossyImageCompression = 0, "00"
    dataset.RequestedProcedureDescription = "CT thorax with contrast"
    dataset.PerformedProcedureStepStartDate = dataset.StudyDate
    dataset.PerformedProcedureStepStartTime = dataset.StudyTime
    dataset.PerformedProcedureStepID = "PPS1"
    dataset.ProcedureCodeSequence = [code("CTTHX", "99LOCAL", "CT thorax")]
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "RP77", "SPS77"
    request.RequestedProcedureDescription = "CT thorax with contrast"
    request.ScheduledProcedureStepDescription = "Thorax"
    request.ScheduledProtocolCodeSequence = [code("THX", "99LOCAL", "Thorax routine")]
    dataset.RequestAttributesSequence = [request]
    for (group, creator), elements in PRIVATE_BLOCKS.items():
        block = dataset.private_block(group, creator, create=True)
        for offset, vr, value in elements:
            block.add_new(offset, vr, value)


def write_instances(folder: Path, count: int, size_px: int, seed: int) -> None:
    """Write ``count`` CT instances of ``size_px`` squared into one folder, in series of at most 100."""
    folder.mkdir(parents=True)
    random, noise = Random(seed), np.random.default_rng(seed)
    for first in range(0, count, SLICES_A_SERIES):
        study = make_study(random.getrandbits(32), description="Thorax")
        (dataset,) = ct_series(study, slices=1, rows=size_px, columns=size_px)
        add_scanner_attributes(dataset)
        body = dataset.pixel_array
        for index in range(min(SLICES_A_SERIES, count - first)):
            height_mm = -120.0 + index
            dataset.SOPInstanceUID = study.new_uid()
            dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
            dataset.InstanceNumber = index + 1
            dataset.SliceLocation = height_mm
            dataset.ImagePositionPatient = [-190.0, -190.0, height_mm]
            dataset.AcquisitionTime = f"{study.time[:6]}.{index:06}"
            pixels = body + noise.integers(0, 41, body.shape, body.dtype)
            dataset[Tag(0x7FE0, 0x0010)].value = pixels.tobytes()
            (folder / f"IM{first + index:05}").write_bytes(to_bytes(dataset))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where to write; a tmpfs keeps the disk out of the measurement")
    parser.add_argument("--large", type=int, default=2000, help="instances of 512x512 (0.5 MB each)")
    parser.add_argument("--small", type=int, default=5000, help="instances of 16x16")
    arguments = parser.parse_args()
    write_instances(arguments.folder / "large", arguments.large, LARGE_PX, seed=1)
    write_instances(arguments.folder / "small", arguments.small, SMALL_PX, seed=2)


if __name__ == "__main__":
    main()
