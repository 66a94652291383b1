"""Images of one frame each, ultrasound loops apart: CT, MR, US, CR, DX, PET, secondary capture."""

import numpy as np
from numpy.typing import NDArray
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from tests.factory.identities import Study
from tests.factory.instances import (
    CR_DEVICE,
    CT_DEVICE,
    MR_DEVICE,
    PET_DEVICE,
    US_DEVICE,
    code,
    make_instance,
    make_series,
    set_frame_of_reference,
)
from tests.factory.pixels import burn_text, compress_jpeg, draw_body, set_pixels


def set_plane(dataset: Dataset, number: int, spacing_mm: float, thickness_mm: float, field_mm: float) -> None:
    """The image plane of axial slice ``number`` (from 1)."""
    in_plane = round(field_mm / int(dataset.Rows), 6)
    position_mm = round(-120.0 + (number - 1) * spacing_mm, 3)
    dataset.PixelSpacing = [in_plane, in_plane]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [-field_mm / 2, -field_mm / 2, position_mm]
    dataset.SliceThickness = thickness_mm
    dataset.SliceLocation = position_mm


def ct_series(
    study: Study,
    *,
    slices: int = 8,
    rows: int = 512,
    columns: int = 512,
    thickness_mm: float = 1.0,
    number: int = 2,
    description: str = "Thorax axial",
) -> list[Dataset]:
    """Axial CT slices of 16 bits, from the feet up."""
    series = make_series(study, "CT", number, description, CT_DEVICE)
    noise = study.noise()
    images = []
    for index in range(slices):
        dataset = make_instance(series, uids.CTImageStorage, index + 1)
        body = draw_body(rows, columns, index / max(1, slices - 1), noise)
        set_pixels(dataset, np.clip(body * 1000, 0, 4095).astype(np.uint16), bits_stored=12)
        set_plane(dataset, index + 1, thickness_mm, thickness_mm, 380.0)
        set_frame_of_reference(dataset, study)
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
        dataset.AcquisitionNumber = 1
        dataset.AcquisitionDate, dataset.AcquisitionTime = study.day, f"{study.time[:6]}.{index:06}"
        dataset.BodyPartExamined, dataset.PatientPosition = "CHEST", "HFS"
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1000, 1, "HU"
        dataset.WindowCenter, dataset.WindowWidth = [40, -600], [400, 1500]
        dataset.KVP, dataset.XRayTubeCurrent, dataset.ExposureTime, dataset.Exposure = 120, 210, 500, 105
        dataset.ConvolutionKernel, dataset.FilterType, dataset.ScanOptions = "Br40f", "FLAT", "HELICAL MODE"
        dataset.DataCollectionDiameter, dataset.ReconstructionDiameter = 500, 380
        dataset.GantryDetectorTilt, dataset.TableHeight, dataset.RotationDirection = 0, 152.5, "CW"
        dataset.SpiralPitchFactor, dataset.CTDIvol = 0.9, 6.1
        images.append(dataset)
    return images


def mr_series(
    study: Study,
    *,
    slices: int = 8,
    rows: int = 256,
    columns: int = 256,
    number: int = 3,
    description: str = "T1 axial",
) -> list[Dataset]:
    """Axial spin-echo MR slices."""
    series = make_series(study, "MR", number, description, MR_DEVICE)
    noise = study.noise()
    images = []
    for index in range(slices):
        dataset = make_instance(series, uids.MRImageStorage, index + 1)
        body = draw_body(rows, columns, index / max(1, slices - 1), noise)
        set_pixels(dataset, np.clip(body * 400, 0, 4095).astype(np.uint16), bits_stored=12)
        set_plane(dataset, index + 1, 5.5, 5.0, 240.0)
        set_frame_of_reference(dataset, study)
        dataset.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
        dataset.BodyPartExamined, dataset.PatientPosition = "CHEST", "HFS"
        dataset.AcquisitionNumber = 1
        dataset.ScanningSequence, dataset.SequenceVariant, dataset.ScanOptions = "SE", "SK", "SAT_GEMS"
        dataset.MRAcquisitionType, dataset.EchoTrainLength = "2D", 1
        dataset.RepetitionTime, dataset.EchoTime, dataset.FlipAngle = 520, 12, 90
        dataset.MagneticFieldStrength, dataset.ImagingFrequency = 1.5, 63.87
        dataset.SpacingBetweenSlices, dataset.NumberOfAverages, dataset.PixelBandwidth = 5.5, 1, 122.07
        dataset.WindowCenter, dataset.WindowWidth = 200, 400
        images.append(dataset)
    return images


def us_cine(
    study: Study, *, frames: int = 6, rows: int = 240, columns: int = 320, jpeg: bool = False, number: int = 5
) -> Dataset:
    """An ultrasound loop in colour with the patient's name burned into its head line, as real machines do."""
    series = make_series(study, "US", number, "Echo apical 4 chamber", US_DEVICE)
    dataset = make_instance(series, uids.UltrasoundMultiFrameImageStorage, 1)
    noise = study.noise()
    y, x = np.mgrid[0:rows, -columns // 2 : columns - columns // 2]
    sector = (np.abs(x) < (y - rows // 8) * 0.8) & (np.hypot(x, y) < rows * 0.95)
    head_line = [f"{study.identity.patient_name.replace('^', ', ')}  {study.identity.patient_id}", study.day]
    loop = np.zeros((frames, rows, columns, 3), np.uint8)
    for index in range(frames):
        speckle = noise.gamma(2.0, 30.0, (rows, columns)) * (1 + 0.3 * np.sin(index + y / 15))
        loop[index] = (np.clip(speckle, 0, 255) * sector).astype(np.uint8)[..., np.newaxis]
        loop[index] = burn_text(loop[index], head_line, at=(2, 4), value=240)
    set_pixels(dataset, loop, bits_stored=8, photometric="RGB")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    dataset.FrameTime, dataset.FrameIncrementPointer = 33.3, Tag(0x0018, 0x1063)
    dataset.CineRate = dataset.RecommendedDisplayFrameRate = 30
    dataset.StartTrim, dataset.StopTrim = 1, frames
    dataset.HeartRate, dataset.BurnedInAnnotation = 68, "YES"
    dataset.LossyImageCompression, dataset.Laterality, dataset.PatientOrientation = "00", "", ""
    dataset.UltrasoundColorDataPresent = 0
    if jpeg:
        compress_jpeg(dataset)
    return dataset


def _radiograph(study: Study, rows: int, columns: int, *, burned_name: bool) -> NDArray[np.uint16]:
    """MONOCHROME1: what absorbs is dark in the matrix, and bright on the screen."""
    image = np.clip(2200 - draw_body(rows, columns, 0.7, study.noise()) * 900, 0, 4095).astype(np.uint16)
    if burned_name:
        person = study.identity
        lines = [person.patient_name.replace("^", ", "), f"{person.patient_id}  {person.birth_date}", "L"]
        image = burn_text(image, lines, at=(rows // 40, columns // 40), value=0)
    return image


def cr_image(
    study: Study,
    *,
    rows: int = 880,
    columns: int = 720,
    burned_name: bool = True,
    declared: bool = True,
    number: int = 6,
) -> Dataset:
    """A computed radiograph, MONOCHROME1, with the patient's name burned in unless told otherwise.

    ``declared``: Burned In Annotation says so; old machines leave it out.
    """
    series = make_series(study, "CR", number, "Chest PA", CR_DEVICE)
    dataset = make_instance(series, uids.ComputedRadiographyImageStorage, 1)
    pixels = _radiograph(study, rows, columns, burned_name=burned_name)
    set_pixels(dataset, pixels, bits_stored=12, photometric="MONOCHROME1")
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.BodyPartExamined, dataset.ViewPosition, dataset.PatientOrientation = "CHEST", "PA", ["L", "F"]
    dataset.ImagerPixelSpacing = [0.2, 0.2]
    dataset.KVP, dataset.Exposure, dataset.CassetteOrientation = 117, 2, "PORTRAIT"
    if burned_name and declared:
        dataset.BurnedInAnnotation = "YES"
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    return dataset


def dx_image(
    study: Study, *, rows: int = 880, columns: int = 720, burned_name: bool = False, number: int = 7
) -> Dataset:
    """A digital radiograph for presentation."""
    series = make_series(study, "DX", number, "Chest PA", CR_DEVICE)
    dataset = make_instance(series, uids.DigitalXRayImageStorageForPresentation, 1)
    pixels = _radiograph(study, rows, columns, burned_name=burned_name)
    set_pixels(dataset, pixels, bits_stored=12, photometric="MONOCHROME1")
    dataset.ImageType = ["ORIGINAL", "PRIMARY", ""]
    dataset.PresentationIntentType, dataset.PresentationLUTShape = "FOR PRESENTATION", "INVERSE"
    dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", 1
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
    dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
    dataset.BurnedInAnnotation, dataset.LossyImageCompression = "YES" if burned_name else "NO", "00"
    dataset.ImageLaterality, dataset.PatientOrientation, dataset.ViewPosition = "U", ["L", "F"], "PA"
    dataset.BodyPartExamined, dataset.DetectorType = "CHEST", "DIRECT"
    dataset.AnatomicRegionSequence = [code("43799004", "SCT", "Chest")]
    dataset.ViewCodeSequence = [code("399348003", "SCT", "postero-anterior")]
    dataset.PositionerType = ""
    dataset.AcquisitionContextSequence = []
    dataset.ImagerPixelSpacing, dataset.KVP = [0.2, 0.2], 117
    return dataset


def pet_series(study: Study, *, slices: int = 4, rows: int = 128, columns: int = 128, number: int = 8) -> list[Dataset]:
    """Whole-body FDG PET slices with the radiopharmaceutical that quantification needs."""
    series = make_series(study, "PT", number, "PET AC", PET_DEVICE)
    noise = study.noise()
    images = []
    for index in range(slices):
        dataset = make_instance(series, uids.PositronEmissionTomographyImageStorage, index + 1)
        activity = np.clip(draw_body(rows, columns, index / slices, noise) * 5000, 0, 32767)
        set_pixels(dataset, activity.astype(np.int16), bits_stored=16)
        set_plane(dataset, index + 1, 3.27, 3.27, 700.0)
        set_frame_of_reference(dataset, study)
        dataset.ImageType = ["ORIGINAL", "PRIMARY"]
        dataset.AcquisitionDate, dataset.AcquisitionTime = study.day, study.time
        dataset.BodyPartExamined = "CHEST"
        dataset.Units, dataset.CountsSource, dataset.SeriesType = "BQML", "EMISSION", ["WHOLE BODY", "IMAGE"]
        dataset.NumberOfSlices, dataset.ImageIndex = slices, index + 1
        dataset.CorrectedImage = ["DECY", "ATTN", "SCAT", "NORM", "DTIM", "RAN"]
        dataset.DecayCorrection, dataset.DecayFactor, dataset.CollimatorType = "START", 1.02, "NONE"
        dataset.RandomsCorrectionMethod, dataset.AttenuationCorrectionMethod = "DLYD", "measured"
        dataset.ScatterCorrectionMethod, dataset.ReconstructionMethod = "SSS", "OSEM"
        dataset.FrameReferenceTime, dataset.ActualFrameDuration = 59543.5, 120000
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.DoseCalibrationFactor = 0, 0.42, 1
        dataset.LossyImageCompression = "00"
        dataset.PatientOrientationCodeSequence = [code("102538003", "SCT", "recumbent")]
        dataset.PatientGantryRelationshipCodeSequence = [code("102540008", "SCT", "headfirst")]
        dataset.RadiopharmaceuticalInformationSequence = [_fluorodeoxyglucose(study)]
        images.append(dataset)
    return images


def _fluorodeoxyglucose(study: Study) -> Dataset:
    item = Dataset()
    item.Radiopharmaceutical, item.RadiopharmaceuticalVolume = "FDG", 5
    item.RadiopharmaceuticalStartTime = study.time
    item.RadiopharmaceuticalStartDateTime = study.day + study.time
    item.RadionuclideTotalDose, item.RadionuclideHalfLife, item.RadionuclidePositronFraction = (
        312000000,
        6586.2,
        0.967,
    )
    item.RadionuclideCodeSequence = [code("77004003", "SCT", "^18^Fluorine")]
    item.RadiopharmaceuticalCodeSequence = [code("35321007", "SCT", "Fluorodeoxyglucose F^18^")]
    item.AdministrationRouteCodeSequence = [code("47625008", "SCT", "Intravenous route")]
    return item


def dose_page(study: Study, *, rows: int = 256, columns: int = 384, number: int = 501) -> Dataset:
    """A scanner's dose report as secondary capture: a picture of text."""
    series = make_series(study, "CT", number, "Dose report", CT_DEVICE)
    dataset = make_instance(series, uids.SecondaryCaptureImageStorage, 1)
    person = study.identity
    lines = [
        f"Patient: {person.patient_name}",
        f"ID: {person.patient_id}   Born: {person.birth_date}",
        f"{person.institution}",
        "",
        "Total DLP 214 mGycm",
        "kV 120  mAs 105  CTDIvol 6.1",
    ]
    page = burn_text(np.zeros((rows, columns), np.uint8), lines, at=(8, 8), value=255)
    set_pixels(dataset, page, bits_stored=8)
    dataset.ImageType = ["DERIVED", "SECONDARY", "OTHER"]
    dataset.ConversionType, dataset.Laterality, dataset.PatientOrientation = "WSD", "", ""
    return dataset
