"""A site's examinations as they come, and faults planted among them: what the checks of series are measured on.

The varied half has every kind of series that is easily taken for a faulty one: tilted, rounded, dynamic, diffusion,
overlapping, oblique. The uniform half is what a protocol asked for. Images are tiny; headers are what counts.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from math import cos, radians, sin
from pathlib import Path
from random import Random

import numpy as np
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from app.protocol.checks import CheckName
from tests.factory.enhanced import enhanced_mr
from tests.factory.export import save, to_bytes
from tests.factory.identities import Study, make_study
from tests.factory.images import dx_image, us_cine
from tests.factory.instances import CT_DEVICE, MR_DEVICE, PET_DEVICE, Device, make_instance, make_series
from tests.factory.pixels import set_pixels

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
SAGITTAL = (0.0, 1.0, 0.0, 0.0, 0.0, -1.0)
SIDE = 16
_CLASSES = {"CT": uids.CTImageStorage, "MR": uids.MRImageStorage, "PT": uids.PositronEmissionTomographyImageStorage}
_DEVICES: dict[str, Device] = {"CT": CT_DEVICE, "MR": MR_DEVICE, "PT": PET_DEVICE}

# What a site of the uniform half was asked for.
UNIFORM_PROTOCOL = """
id = "liver"
title = "T"
contact = "C"
[selection]
where = 'Modality == "CT"'
[checks.expect]
plane = ["axial"]
body_part = ["abdomen"]
phase = ["venous"]
kernel = ["B3*", "Br4*", "STANDARD", "FC0*"]
thinnest_mm = 0.5
thickest_mm = 3
fewest_frames = 8
"""
VARIED_PROTOCOL = """
id = "all"
title = "T"
contact = "C"
[selection]
where = 'ObjectKind == "image"'
"""


def even(count: int, spacing_mm: float) -> tuple[float, ...]:
    """Positions one after the other."""
    return tuple(-40 + spacing_mm * index for index in range(count))


def stack(
    study: Study,
    modality: str,
    description: str,
    *,
    positions_mm: Sequence[float] = (),
    axes: Sequence[float] = AXIAL,
    thickness_mm: float = 2.5,
    number: int = 2,
    first: int = 1,
    seconds: float = 0.0,
    **attributes: object,
) -> list[Dataset]:
    """Slices of one series at some positions along their normal, or at ten; ``seconds`` after the study began."""
    series = make_series(study, modality, number, description, _DEVICES[modality])
    row, column = np.array(axes[:3]), np.array(axes[3:])
    normal = np.cross(row, column)
    images = []
    for index, position in enumerate(positions_mm or even(10, 2.5)):
        image = make_instance(series, _CLASSES[modality], first + index)
        set_pixels(image, np.zeros((SIDE, SIDE), np.uint16), bits_stored=12)
        image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL" if modality == "CT" else "OTHER"]
        image.ImageOrientationPatient = [round(float(one), 6) for one in axes]
        image.ImagePositionPatient = [round(float(one), 6) for one in normal * position - 60 * row - 60 * column]
        image.SliceThickness, image.PixelSpacing = thickness_mm, [0.7, 0.7]
        image.AcquisitionNumber, image.AcquisitionDate = 1, study.day
        image.AcquisitionTime = _later(study, seconds + 0.2 * index)
        if modality == "CT":
            image.ConvolutionKernel, image.KVP = "Br40f", 120
        for keyword, value in attributes.items():
            setattr(image, keyword, value)
        images.append(image)
    return images


def _later(study: Study, seconds: float) -> str:
    began = int(study.time[:2]) * 3600 + int(study.time[2:4]) * 60 + int(study.time[4:6])
    whole, part = divmod(began + seconds, 1)
    return f"{int(whole) // 3600:02}{int(whole) // 60 % 60:02}{int(whole) % 60:02}.{int(part * 1e6):06}"


# series that are as they should be ------------------------------------------------

Kind = Callable[[Study], list[Dataset]]


def thin_chest(study: Study) -> list[Dataset]:
    return stack(study, "CT", "Thorax 1.0 Br40", positions_mm=even(12, 1.0), thickness_mm=1.0, BodyPartExamined="CHEST")


def tilted_head(study: Study) -> list[Dataset]:
    tilt = radians(-17.5)
    axes = (1.0, 0.0, 0.0, 0.0, cos(tilt), sin(tilt))
    return stack(
        study,
        "CT",
        "Head WO 5mm",
        axes=axes,
        positions_mm=even(9, 5.0),
        thickness_mm=5.0,
        GantryDetectorTilt=-17.5,
        BodyPartExamined="HEAD",
        StudyDescription="CT HEAD WITHOUT CONTRAST",
    )


def rounded_positions(study: Study) -> list[Dataset]:
    positions = tuple(round(-30 + 0.625 * index, 1) for index in range(16))
    return stack(study, "CT", "THIN CHEST", positions_mm=positions, thickness_mm=0.625, StudyDescription="CT chest")


def three_phases(study: Study) -> list[Dataset]:
    start = _later(study, 300)
    agent: dict[str, object] = {"ContrastBolusAgent": "Iopromid 370", "ContrastBolusStartTime": start}
    names: tuple[tuple[str, float, dict[str, object]], ...] = (
        ("Abdomen nativ", 0.0, {}),
        ("Abdomen arteriell", 330.0, agent),
        ("Abdomen portalvenös", 370.0, agent),
    )
    return [
        image
        for number, (name, seconds, more) in enumerate(names, start=2)
        for image in stack(
            study,
            "CT",
            name,
            number=number,
            seconds=seconds,
            BodyPartExamined="ABDOMEN",
            StudyDescription="CT Abdomen mit und ohne KM",
            **more,  # type: ignore[arg-type] # attributes only
        )
    ]


def brain(study: Study) -> list[Dataset]:
    turned = radians(7.0)
    axes = (0.0, cos(turned), sin(turned), 0.0, sin(turned), -cos(turned))
    noisy = tuple(-60 + 5.5 * index + 0.02 * (-1) ** index for index in range(10))
    first = stack(study, "MR", "t1_se_sag", axes=axes, positions_mm=noisy, thickness_mm=5.0, BodyPartExamined="BRAIN")
    echoes = [
        stack(study, "MR", "PD T2 axial", number=3, first=first_number, thickness_mm=5.0, EchoTime=echo)
        for first_number, echo in ((1, 12), (11, 90))
    ]
    for image in echoes[1]:
        image.SeriesInstanceUID = echoes[0][0].SeriesInstanceUID
    for image in itertools.chain(*echoes):
        image.BodyPartExamined, image.StudyDescription = "BRAIN", "MRI BRAIN"
    return [*first, *echoes[0], *echoes[1]]


def dynamic_liver(study: Study) -> list[Dataset]:
    phases = [
        stack(
            study,
            "MR",
            "LAVA dyn",
            first=1 + 10 * phase,
            seconds=20.0 * phase,
            TemporalPositionIdentifier=phase + 1,
            ContrastBolusAgent="Gadovist",
            StudyDescription="RM abdomen superior",
        )
        for phase in range(4)
    ]
    return _one_series(phases)


def diffusion(study: Study) -> list[Dataset]:
    volumes = [
        stack(study, "MR", "ep2d_diff", first=1 + 10 * place, DiffusionBValue=b_value, BodyPartExamined="PROSTATE")
        for place, b_value in enumerate((0.0, 800.0, 1400.0))
    ]
    return _one_series(volumes)


def unmarked_perfusion(study: Study) -> list[Dataset]:
    """Twelve volumes at the same places that nothing but their numbers and times tells apart."""
    volumes = [
        stack(study, "MR", "perf", positions_mm=even(6, 6.0), first=1 + 6 * place, seconds=2.0 * place)
        for place in range(12)
    ]
    return _one_series(volumes)


def mosaics(study: Study) -> list[Dataset]:
    volumes = [
        stack(
            study,
            "MR",
            "ep2d_bold",
            positions_mm=(-40.0,),
            first=1 + place,
            seconds=2.0 * place,
            AcquisitionNumber=1 + place,
            ImageType=["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"],
            BodyPartExamined="BRAIN",
        )
        for place in range(6)
    ]
    return _one_series(volumes)


def enhanced(study: Study) -> list[Dataset]:
    return [enhanced_mr(study, frames=6, rows=SIDE, columns=SIDE)]


def overlapping_slabs(study: Study) -> list[Dataset]:
    slabs = [
        stack(
            study,
            "CT",
            "Coronaires 0.6",
            positions_mm=tuple(start + 0.6 * index for index in range(10)),
            thickness_mm=0.6,
            first=1 + 10 * place,
            seconds=5.0 * place,
            AcquisitionNumber=1 + place,
            StudyDescription="Scanner coronaire",
            ContrastBolusAgent="IOMERON 400",
        )
        for place, start in enumerate((0.0, 4.8))
    ]
    return _one_series(slabs)


def knee(study: Study) -> list[Dataset]:
    return stack(
        study, "MR", "DP FS sag", axes=SAGITTAL, positions_mm=even(10, 3.3), StudyDescription="RM rodilla derecha"
    )


def lumbar_spine(study: Study) -> list[Dataset]:
    return stack(
        study, "MR", "T2 TSE sag", axes=SAGITTAL, positions_mm=even(9, 4.4), StudyDescription="RM coluna lombar"
    )


def whole_body_pet(study: Study) -> list[Dataset]:
    return stack(study, "PT", "WB AC", positions_mm=even(14, 3.27), thickness_mm=3.27, StudyDescription="PET/CT WB")


def radiographs(study: Study) -> list[Dataset]:
    return [dx_image(study), us_cine(study, frames=2, rows=60, columns=80)]


VARIED: tuple[Kind, ...] = (
    thin_chest,
    tilted_head,
    rounded_positions,
    three_phases,
    brain,
    dynamic_liver,
    diffusion,
    unmarked_perfusion,
    mosaics,
    enhanced,
    overlapping_slabs,
    knee,
    lumbar_spine,
    whole_body_pet,
    radiographs,
)
_VENOUS = ("Abdomen venös 2.0", "ABD PORTAL VENOUS 2.5", "Abdomen 70 sec", "abdomen temps portal", "Abdome fase venosa")
_KERNELS = ("Br40f", "B30f", "STANDARD", "FC08")


def venous_liver(study: Study, **attributes: object) -> list[Dataset]:
    """What the uniform protocol asks for, as five countries' sites name it."""
    place = study.random.randrange(20)
    wanted: dict[str, object] = {
        "positions_mm": even(10 + place % 3, 2.0),
        "thickness_mm": (1.0, 2.0, 3.0)[place % 3],
        "seconds": 70.0,
        "ConvolutionKernel": _KERNELS[place % 4],
        "ContrastBolusAgent": "Iopromide",
        "ContrastBolusStartTime": _later(study, 0.0),
        "BodyPartExamined": ("ABDOMEN", "LIVER", "")[place % 3],
    }
    description = str(attributes.pop("description", _VENOUS[place % 5]))
    return stack(study, "CT", description, **{**wanted, **attributes})  # type: ignore[arg-type] # keywords of two kinds


def _one_series(parts: Sequence[Sequence[Dataset]]) -> list[Dataset]:
    for image in itertools.chain(*parts):
        image.SeriesInstanceUID = parts[0][0].SeriesInstanceUID
    return [*itertools.chain(*parts)]


# faults -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted fault: which check has to name it, and the datasets; ``cut`` of them lose the end of their file."""

    name: str
    check: CheckName
    make: Kind
    cut: int = 0


def _without(images: list[Dataset], *places: int) -> list[Dataset]:
    kept = [image for place, image in enumerate(images) if place not in places]
    for number, image in enumerate(kept, start=1):
        image.InstanceNumber = number
    return kept


def _copied(study: Study, images: list[Dataset], *, renumber: bool) -> list[Dataset]:
    copy = deepcopy(images[4])
    copy.SOPInstanceUID = study.new_uid()
    if renumber:
        copy.InstanceNumber = len(images) + 1
        copy.AcquisitionTime = images[-1].AcquisitionTime
    return [*images, copy]


def _shifted(images: list[Dataset]) -> list[Dataset]:
    x, y, z = images[5].ImagePositionPatient
    images[5].ImagePositionPatient = [x, y, round(float(z) + 0.4, 3)]
    return images


def _mixed_matrix(images: list[Dataset]) -> list[Dataset]:
    set_pixels(images[3], np.zeros((SIDE, SIDE + 4), np.uint16), bits_stored=12)
    return images


def _scout(study: Study) -> list[Dataset]:
    return stack(
        study, "CT", "Abdomen", positions_mm=(0.0,), axes=CORONAL, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]
    )


def _capture(study: Study) -> list[Dataset]:
    images = stack(study, "CT", "Screen", positions_mm=(0.0,), ImageType=["DERIVED", "SECONDARY"])
    images[0].SOPClassUID = images[0].file_meta.MediaStorageSOPClassUID = uids.SecondaryCaptureImageStorage
    return images


def _short_pixels(images: list[Dataset]) -> list[Dataset]:
    images[2].Rows = SIDE * 2
    return images


def _frames_lost(study: Study) -> list[Dataset]:
    image = enhanced_mr(study, frames=6, rows=SIDE, columns=SIDE)
    image.PerFrameFunctionalGroupsSequence = Items(image.PerFrameFunctionalGroupsSequence[:5])
    return [image]


_CHECK = CheckName
VARIED_FAULTS: tuple[Fault, ...] = (
    Fault("one slice missing, renumbered", _CHECK.MISSING_SLICES, lambda study: _without(thin_chest(study), 6)),
    Fault("three slices missing in two places", _CHECK.MISSING_SLICES, lambda study: _without(knee(study), 3, 4, 7)),
    Fault("one slice of one phase missing", _CHECK.MISSING_SLICES, lambda study: _without(dynamic_liver(study), 25)),
    Fault(
        "two of three phases' slices missing", _CHECK.MISSING_SLICES, lambda study: _without(diffusion(study), 5, 15)
    ),
    Fault(
        "slice twice, same number",
        _CHECK.DUPLICATE_SLICES,
        lambda study: _copied(study, thin_chest(study), renumber=False),
    ),
    Fault(
        "slice twice, own number",
        _CHECK.DUPLICATE_SLICES,
        lambda study: _copied(study, lumbar_spine(study), renumber=True),
    ),
    Fault("one slice shifted", _CHECK.UNEVEN_SPACING, lambda study: _shifted(thin_chest(study))),
    Fault(
        "two spacings",
        _CHECK.UNEVEN_SPACING,
        lambda study: stack(
            study, "CT", "Head", positions_mm=(*even(6, 2.5), *(-27.5 + 3.5 * one for one in range(1, 9)))
        ),
    ),
    Fault(
        "coronals among axials",
        _CHECK.MIXED_ORIENTATION,
        lambda study: _one_series(
            [thin_chest(study), stack(study, "CT", "Thorax 1.0 Br40", axes=CORONAL, thickness_mm=1.0, first=21)]
        ),
    ),
    Fault("one image of another size", _CHECK.MIXED_MATRIX, lambda study: _mixed_matrix(thin_chest(study))),
    Fault("localizer by its type", _CHECK.LOCALIZER, _scout),
    Fault("localizer in the series", _CHECK.LOCALIZER, lambda study: _one_series([thin_chest(study), _scout(study)])),
    Fault(
        "localizer by its name",
        _CHECK.LOCALIZER,
        lambda study: stack(study, "MR", "3-plane Survey", positions_mm=even(3, 10.0), thickness_mm=8.0),
    ),
    Fault(
        "reformatted series",
        _CHECK.DERIVED,
        lambda study: stack(study, "CT", "MPR cor Thorax", axes=CORONAL, ImageType=["DERIVED", "PRIMARY", "MPR"]),
    ),
    Fault("screen capture", _CHECK.SECONDARY, _capture),
    Fault("frames that nothing describes", _CHECK.FRAMES, _frames_lost),
    Fault("file cut short", _CHECK.TRUNCATED_PIXELS, thin_chest, cut=1),
    Fault("pixels shorter than the header says", _CHECK.TRUNCATED_PIXELS, lambda study: _short_pixels(knee(study))),
    Fault(
        "body part of another examination",
        _CHECK.BODY_PART,
        lambda study: stack(study, "CT", "Thorax", StudyDescription="CT Thorax", BodyPartExamined="HEAD"),
    ),
    Fault(
        "agent in a series without contrast",
        _CHECK.PHASE,
        lambda study: stack(study, "CT", "Abdomen ohne KM", BodyPartExamined="ABDOMEN", ContrastBolusAgent="Iopromid"),
    ),
)
UNIFORM_FAULTS: tuple[Fault, ...] = (
    Fault("too thick", _CHECK.THICKNESS, lambda study: venous_liver(study, thickness_mm=5.0)),
    Fault("coronal", _CHECK.PLANE, lambda study: venous_liver(study, axes=CORONAL)),
    Fault("lung kernel", _CHECK.KERNEL, lambda study: venous_liver(study, ConvolutionKernel="Br60f")),
    Fault(
        "the head instead",
        _CHECK.BODY_PART,
        lambda study: venous_liver(
            study, description="Kopf venös", BodyPartExamined="HEAD", StudyDescription="CT Kopf"
        ),
    ),
    Fault(
        "too early",
        _CHECK.PHASE,
        lambda study: venous_liver(study, description="Abdomen arteriell", seconds=28.0),
    ),
    Fault("half a series", _CHECK.FRAMES, lambda study: venous_liver(study, positions_mm=even(4, 2.0))),
)


@dataclass(frozen=True, slots=True)
class PlantedSeries:
    """A faulty series: its UID, the fault's name, and the check that has to name it."""

    series_uid: str
    fault: str
    check: CheckName


def write_site(
    folder: Path, seed: int, clean: Iterator[Kind] | Sequence[Kind], faults: Sequence[Fault]
) -> list[PlantedSeries]:
    """Write one study for each kind and each fault, in mixed order; gives what was planted."""
    planted = []
    jobs: list[tuple[Kind, Fault | None]] = [(kind, None) for kind in clean] + [(fault.make, fault) for fault in faults]
    places = Random(seed).sample(range(len(jobs)), len(jobs))
    for number, (make, fault) in enumerate(jobs):
        images = make(make_study(seed * 10_000 + number))
        for place, image in enumerate(images):
            path = folder / f"{places[number]:04}" / f"{place:04}"
            save(image, path)
            if fault is not None and place < fault.cut:
                path.write_bytes(to_bytes(image)[:-40])
        if fault is not None:
            planted.append(PlantedSeries(str(images[0].SeriesInstanceUID), fault.name, fault.check))
    return planted
