"""What reading the attributes of the catalogue costs with pydicom: the baseline of ``consign scan``.

``python benchmarks/pydicom_scan.py FOLDER`` reads each file's header once, with nothing but ``specific_tags`` and
without its pixels, and keeps nothing. Imports nothing of ours, so that only pydicom's own start is in the figure.
"""

import sys
from pathlib import Path

import pydicom

# What the catalogue knows of a header: where the instance belongs, what queries ask for, who the patient is.
KEYWORDS = (
    "SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID StudyDate SeriesDate AcquisitionDate AcquisitionTime "
    "StudyTime AccessionNumber Modality Manufacturer InstitutionName InstitutionAddress ReferringPhysicianName "
    "StationName StudyDescription SeriesDescription InstitutionalDepartmentName PhysiciansOfRecord "
    "PerformingPhysicianName OperatorsName ManufacturerModelName PatientName PatientID IssuerOfPatientID "
    "PatientBirthDate PatientSex OtherPatientIDs OtherPatientNames PatientAge PatientSize PatientWeight "
    "BodyPartExamined ContrastBolusAgent ScanningSequence SequenceVariant ScanOptions SliceThickness KVP "
    "SpacingBetweenSlices "
    "RepetitionTime EchoTime MagneticFieldStrength FlipAngle SoftwareVersions ProtocolName ReconstructionDiameter "
    "ConvolutionKernel PatientPosition StudyInstanceUID SeriesInstanceUID StudyID SeriesNumber AcquisitionNumber "
    "InstanceNumber ImagePositionPatient ImageOrientationPatient FrameOfReferenceUID SamplesPerPixel "
    "PhotometricInterpretation NumberOfFrames Rows Columns PixelSpacing BitsAllocated BitsStored BurnedInAnnotation "
    "LossyImageCompression RequestedProcedureID ScheduledProcedureStepID PerformedProcedureStepID"
).split()


def main() -> None:
    """The command line."""
    for path in sorted(Path(sys.argv[1]).rglob("*")):
        if path.is_file():
            pydicom.dcmread(path, specific_tags=KEYWORDS, stop_before_pixels=True)


if __name__ == "__main__":
    main()
