"""The attributes that a query may name: a closed list of keywords of PS3.6, with the type of their values.

Chosen so that they do not vary from slice to slice: the instances of a series then share one row of the
catalogue. It stores JSON numbers for NUMBER and NUMBERS where the text is one, text for all others, a list
where there is more than one value, and nothing where the attribute is not in the file.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class QueryType(StrEnum):
    """How the values of an attribute, or of a derived fact, compare."""

    NUMBER = "number"
    NUMBERS = "numbers"  # may have more than one value
    TEXT = "text"
    TEXTS = "texts"  # may have more than one value
    DATE = "date"  # DA: YYYYMMDD
    AGE = "age"  # AS: 045Y; compares as years
    FLAG = "flag"  # derived facts only


_BY_TYPE: Mapping[QueryType, str] = {
    QueryType.NUMBER: """
        AcquisitionNumber BitsAllocated BitsStored CineRate Columns DiffusionBValue EchoTime EchoTrainLength
        FlipAngle GantryDetectorTilt HighBit ImagingFrequency InversionTime KVP MagneticFieldStrength
        NumberOfFrames NumberOfTemporalPositions PatientSize PatientWeight PercentSampling PixelBandwidth
        PixelRepresentation ReconstructionDiameter RepetitionTime RescaleIntercept RescaleSlope Rows
        SamplesPerPixel SeriesNumber SingleCollimationWidth SliceThickness SpacingBetweenSlices
        SpiralPitchFactor TotalCollimationWidth
    """,
    QueryType.NUMBERS: """
        FieldOfViewDimensions ImagerPixelSpacing LossyImageCompressionRatio NominalScannedPixelSpacing
        PixelSpacing
    """,
    QueryType.TEXT: """
        AccessionNumber AcquisitionType BodyPartExamined BreastImplantPresent BurnedInAnnotation
        ContrastBolusAgent ContrastBolusRoute CountsSource DetectorType ExposureControlMode FilterType
        FrameOfReferenceUID ImageLaterality InstitutionName InstitutionalDepartmentName Laterality
        LossyImageCompression MRAcquisitionType Manufacturer ManufacturerModelName Modality PatientID
        PatientPosition PatientSex PhotometricInterpretation PresentationIntentType ProtocolName
        PulseSequenceName QualityControlImage ReceiveCoilName RequestedProcedureDescription RescaleType
        SOPClassUID SequenceName SeriesDescription SeriesInstanceUID StationName StudyDescription StudyID
        StudyInstanceUID TransferSyntaxUID TypeOfDetectorMotion Units ViewPosition
    """,
    QueryType.TEXTS: """
        ConvolutionKernel CorrectedImage ExposureModulationType ImageType LossyImageCompressionMethod
        ScanOptions ScanningSequence SequenceVariant SeriesType SoftwareVersions
    """,
    QueryType.DATE: "AcquisitionDate SeriesDate StudyDate",
    QueryType.AGE: "PatientAge",
}

QUERY_KEYWORDS: Mapping[str, QueryType] = MappingProxyType(
    {keyword: query_type for query_type, keywords in _BY_TYPE.items() for keyword in keywords.split()}
)

# Kept beside them, for the checks of a series: nothing that a query may name. Texts ...
EVIDENCE_KEYWORDS = (
    "AcquisitionContrast",
    "ContrastBolusIngredient",
    "ContrastBolusStartTime",
    "ContrastBolusVolume",
    "DerivationDescription",
    "PerformedProcedureStepDescription",
)
# ... sequences, of which the meanings of codes and the descriptions of scheduled steps are kept ...
EVIDENCE_SEQUENCES = (
    "AnatomicRegionSequence",
    "ContrastBolusAgentSequence",
    "ProcedureCodeSequence",
    "RequestAttributesSequence",
    "RequestedProcedureCodeSequence",
)
# ... and the directions of rows and columns of the slices, six cosines, rounded so that a series has but one.
SLICE_AXES = "SliceAxes"
