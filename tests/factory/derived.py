"""What refers to images or tells about them: segmentations, radiotherapy, reports, key objects, documents."""

from collections.abc import Sequence

import numpy as np
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from tests.factory.identities import Study
from tests.factory.instances import (
    WORKSTATION,
    code,
    dimension_index,
    dimension_organization,
    group,
    make_instance,
    make_series,
    reference,
    set_frame_of_reference,
)
from tests.factory.pixels import set_pixels


def _referenced_series(images: Sequence[Dataset]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = images[0].SeriesInstanceUID
    item.ReferencedInstanceSequence = [reference(image) for image in images]
    return item


def _evidence(images: Sequence[Dataset]) -> Dataset:
    """An item of Current Requested Procedure Evidence Sequence."""
    series = Dataset()
    series.SeriesInstanceUID = images[0].SeriesInstanceUID
    series.ReferencedSOPSequence = [reference(image) for image in images]
    item = Dataset()
    item.StudyInstanceUID = images[0].StudyInstanceUID
    item.ReferencedSeriesSequence = [series]
    return item


def segmentation(study: Study, images: Sequence[Dataset], *, number: int = 900) -> Dataset:
    """A binary segmentation with a frame for each of ``images``."""
    series = make_series(study, "SEG", number, "Lesion", WORKSTATION)
    dataset = make_instance(series, uids.SegmentationStorage, 1)
    rows, columns = int(images[0].Rows), int(images[0].Columns)
    mask = np.zeros((len(images), rows, columns), np.uint8)
    mask[:, rows // 3 : rows // 2, columns // 3 : columns // 2] = 1
    set_pixels(dataset, mask, bits_stored=1)
    dataset.BitsAllocated, packed = 1, np.packbits(mask.ravel(), bitorder="little").tobytes()
    dataset.PixelData = packed + b"\0" * (len(packed) % 2)
    set_frame_of_reference(dataset, study)
    dataset.ImageType = ["DERIVED", "PRIMARY"]
    dataset.SegmentationType, dataset.LossyImageCompression = "BINARY", "00"
    dataset.ContentLabel, dataset.ContentDescription = "LESION", "Lesion outline"
    dataset.ContentCreatorName = study.identity.performing_physician
    dataset.ReferencedSeriesSequence = [_referenced_series(images)]
    dataset.DimensionOrganizationSequence = [dimension_organization(study)]
    dataset.DimensionIndexSequence = [dimension_index(dataset, (0x0020, 0x0032), (0x0020, 0x9113))]
    segment = Dataset()
    segment.SegmentNumber, segment.SegmentLabel, segment.SegmentAlgorithmType = 1, "Lesion", "MANUAL"
    segment.SegmentedPropertyCategoryCodeSequence = [code("49755003", "SCT", "Morphologically Abnormal Structure")]
    segment.SegmentedPropertyTypeCodeSequence = [code("52988006", "SCT", "Lesion")]
    dataset.SegmentSequence = [segment]
    shared = Dataset()
    shared.PixelMeasuresSequence = group(PixelSpacing=images[0].PixelSpacing, SliceThickness=images[0].SliceThickness)
    shared.PlaneOrientationSequence = group(ImageOrientationPatient=images[0].ImageOrientationPatient)
    shared.SegmentIdentificationSequence = group(ReferencedSegmentNumber=1)
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = [
        _segmentation_frame(image, index) for index, image in enumerate(images, start=1)
    ]
    return dataset


def _segmentation_frame(image: Dataset, index: int) -> Dataset:
    source = reference(image)
    source.PurposeOfReferenceCodeSequence = [code("121322", "DCM", "Source image for image processing operation")]
    groups = Dataset()
    groups.DerivationImageSequence = group(
        SourceImageSequence=[source], DerivationCodeSequence=[code("113076", "DCM", "Segmentation")]
    )
    groups.FrameContentSequence = group(DimensionIndexValues=[index])
    groups.PlanePositionSequence = group(ImagePositionPatient=image.ImagePositionPatient)
    return groups


def rt_structure_set(study: Study, images: Sequence[Dataset], *, number: int = 901) -> Dataset:
    """A structure set with one square contour on each of ``images``."""
    series = make_series(study, "RTSTRUCT", number, "Contours", WORKSTATION)
    dataset = make_instance(series, uids.RTStructureSetStorage, 1)
    dataset.StructureSetLabel, dataset.StructureSetName = "CONTOURS", "Planning"
    dataset.StructureSetDate, dataset.StructureSetTime = study.day, study.time
    dataset.ApprovalStatus, dataset.PositionReferenceIndicator = "UNAPPROVED", ""
    dataset.FrameOfReferenceUID = study.frame_of_reference_uid
    series_item = Dataset()
    series_item.SeriesInstanceUID = images[0].SeriesInstanceUID
    series_item.ContourImageSequence = [reference(image) for image in images]
    study_item = Dataset()
    study_item.ReferencedSOPClassUID, study_item.ReferencedSOPInstanceUID = (
        "1.2.840.10008.3.1.2.3.1",
        study.uid,
    )
    study_item.RTReferencedSeriesSequence = [series_item]
    frame = Dataset()
    frame.FrameOfReferenceUID, frame.RTReferencedStudySequence = study.frame_of_reference_uid, [study_item]
    dataset.ReferencedFrameOfReferenceSequence = [frame]
    dataset.StructureSetROISequence = group(
        ROINumber=1,
        ReferencedFrameOfReferenceUID=study.frame_of_reference_uid,
        ROIName="GTV",
        ROIGenerationAlgorithm="MANUAL",
    )
    dataset.ROIContourSequence = group(
        ROIDisplayColor=[255, 0, 0],
        ReferencedROINumber=1,
        ContourSequence=[_contour(image) for image in images],
    )
    dataset.RTROIObservationsSequence = group(
        ObservationNumber=1,
        ReferencedROINumber=1,
        RTROIInterpretedType="GTV",
        ROIInterpreter=study.identity.performing_physician,
    )
    return dataset


def _contour(image: Dataset) -> Dataset:
    height_mm = image.ImagePositionPatient[2]
    item = Dataset()
    item.ContourImageSequence = [reference(image)]
    item.ContourGeometricType, item.NumberOfContourPoints = "CLOSED_PLANAR", 4
    item.ContourData = [-20, -20, height_mm, 20, -20, height_mm, 20, 20, height_mm, -20, 20, height_mm]
    return item


def rt_dose(study: Study, *, frames: int = 3, rows: int = 16, columns: int = 20, number: int = 902) -> Dataset:
    """A small dose grid of 16 bits (32, which real ones mostly have, makes Debian's dciodvfy abort)."""
    series = make_series(study, "RTDOSE", number, "Dose", WORKSTATION)
    dataset = make_instance(series, uids.RTDoseStorage, 1)
    grid = study.noise().integers(0, 2**16, (frames, rows, columns), np.uint16)
    set_pixels(dataset, grid, bits_stored=16)
    set_frame_of_reference(dataset, study)
    dataset.PixelSpacing, dataset.SliceThickness = [4, 4], None
    dataset.ImageOrientationPatient, dataset.ImagePositionPatient = [1, 0, 0, 0, 1, 0], [-40, -32, -120]
    dataset.FrameIncrementPointer, dataset.GridFrameOffsetVector = (
        Tag(0x3004, 0x000C),
        [4 * index for index in range(frames)],
    )
    dataset.DoseUnits, dataset.DoseType, dataset.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    dataset.DoseGridScaling, dataset.TissueHeterogeneityCorrection = 1.1e-3, "IMAGE"
    plan = Dataset()
    plan.ReferencedSOPClassUID, plan.ReferencedSOPInstanceUID = uids.RTPlanStorage, study.new_uid()
    dataset.ReferencedRTPlanSequence = [plan]
    return dataset


def _text_item(concept: Dataset, text: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.ConceptNameCodeSequence, item.TextValue = [concept], text
    return item


def structured_report(study: Study, images: Sequence[Dataset], *, number: int = 903) -> Dataset:
    """A basic text report that names its patient in prose."""
    series = make_series(study, "SR", number, "Report", WORKSTATION)
    dataset = make_instance(series, uids.BasicTextSRStorage, 1)
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.PerformedProcedureCodeSequence = []
    dataset.CurrentRequestedProcedureEvidenceSequence = [_evidence(images)]
    dataset.CompletionFlag, dataset.VerificationFlag = "COMPLETE", "UNVERIFIED"
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ConceptNameCodeSequence = [code("18748-4", "LN", "Diagnostic imaging report")]
    person = study.identity
    name = person.patient_name.replace("^", " ")
    prose = f"{name} ({person.patient_id}) was referred by {person.referring_physician}."
    dataset.ContentSequence = [
        _text_item(code("121060", "DCM", "History"), prose),
        _text_item(code("121070", "DCM", "Findings"), "No focal lesion."),
    ]
    return dataset


def key_objects(study: Study, images: Sequence[Dataset], *, number: int = 904) -> Dataset:
    """A key object selection of the first of ``images``."""
    series = make_series(study, "KO", number, "Key images", WORKSTATION)
    dataset = make_instance(series, uids.KeyObjectSelectionDocumentStorage, 1)
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.CurrentRequestedProcedureEvidenceSequence = [_evidence(images[:1])]
    dataset.ValueType, dataset.ContinuityOfContent = "CONTAINER", "SEPARATE"
    dataset.ConceptNameCodeSequence = [code("113000", "DCM", "Of Interest")]
    dataset.ContentTemplateSequence = group(MappingResource="DCMR", TemplateIdentifier="2010")
    image = Dataset()
    image.RelationshipType, image.ValueType = "CONTAINS", "IMAGE"
    image.ReferencedSOPSequence = [reference(images[0])]
    dataset.ContentSequence = [image]
    return dataset


def encapsulated_pdf(study: Study, *, number: int = 905) -> Dataset:
    """A one-page PDF letter that names its patient."""
    series = make_series(study, "DOC", number, "Letter", WORKSTATION)
    dataset = make_instance(series, uids.EncapsulatedPDFStorage, 1)
    text = f"BT /F1 12 Tf 40 750 Td ({study.identity.patient_name}) Tj ET".encode("latin-1")
    pdf = (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>endobj\n"
        b"4 0 obj<</Length %d>>stream\n%b\nendstream endobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n" % (len(text), text)
    )
    dataset.ConversionType, dataset.BurnedInAnnotation = "SD", "YES"
    dataset.AcquisitionDateTime = study.day + study.time
    dataset.DocumentTitle = f"Letter about {study.identity.patient_name}"
    dataset.ConceptNameCodeSequence = []
    dataset.MIMETypeOfEncapsulatedDocument = "application/pdf"
    dataset.EncapsulatedDocument = pdf + b"\0" * (len(pdf) % 2)
    dataset.EncapsulatedDocumentLength = len(pdf)
    return dataset
