"""An enhanced multi-frame MR image, whose geometry, times and parameters lie in functional groups."""

import numpy as np
from pydicom import uid as uids
from pydicom.dataset import Dataset

from tests.factory.identities import Study
from tests.factory.instances import (
    MR_DEVICE,
    code,
    dimension_index,
    dimension_organization,
    group,
    make_instance,
    make_series,
    set_frame_of_reference,
)
from tests.factory.pixels import draw_body, set_pixels


def enhanced_mr(study: Study, *, frames: int = 5, rows: int = 64, columns: int = 64, number: int = 4) -> Dataset:
    """One multi-frame MR object whose geometry lies in functional groups."""
    series = make_series(study, "MR", number, "Enhanced axial", MR_DEVICE)
    dataset = make_instance(series, uids.EnhancedMRImageStorage, 1)
    noise = study.noise()
    volume = np.stack([draw_body(rows, columns, index / frames, noise) for index in range(frames)])
    set_pixels(dataset, np.clip(volume * 400, 0, 4095).astype(np.uint16), bits_stored=12)
    set_frame_of_reference(dataset, study)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    dataset.AcquisitionNumber, dataset.AcquisitionDateTime = 1, study.day + study.time
    dataset.AcquisitionDuration = 61.5
    dataset.PixelPresentation, dataset.VolumetricProperties, dataset.VolumeBasedCalculationTechnique = (
        "MONOCHROME",
        "VOLUME",
        "NONE",
    )
    dataset.ComplexImageComponent, dataset.AcquisitionContrast = "MAGNITUDE", "T1"
    dataset.PresentationLUTShape, dataset.BurnedInAnnotation, dataset.LossyImageCompression = (
        "IDENTITY",
        "NO",
        "00",
    )
    dataset.ContentQualification, dataset.ResonantNucleus, dataset.KSpaceFiltering = "PRODUCT", "1H", "NONE"
    dataset.MagneticFieldStrength, dataset.ApplicableSafetyStandardAgency = 1.5, "IEC"
    _set_pulse_sequence(dataset)
    dataset.PatientPosition, dataset.BodyPartExamined = "HFS", "CHEST"
    dataset.AcquisitionContextSequence = []
    dataset.DimensionOrganizationSequence = [dimension_organization(study)]
    dataset.DimensionIndexSequence = [dimension_index(dataset, (0x0020, 0x9057), (0x0020, 0x9111))]
    dataset.SharedFunctionalGroupsSequence = [_shared_mr_groups(rows)]
    dataset.PerFrameFunctionalGroupsSequence = [_mr_frame_groups(study, index) for index in range(frames)]
    return dataset


def _set_pulse_sequence(dataset: Dataset) -> None:
    dataset.PulseSequenceName, dataset.MRAcquisitionType, dataset.EchoPulseSequence = "SE", "2D", "SPIN"
    dataset.MultipleSpinEcho = dataset.MultiPlanarExcitation = dataset.PhaseContrast = "NO"
    dataset.TimeOfFlightContrast = dataset.EchoPlanarPulseSequence = dataset.SaturationRecovery = "NO"
    dataset.SteadyStatePulseSequence = dataset.SpectrallySelectedSuppression = dataset.OversamplingPhase = "NONE"
    dataset.GeometryOfKSpaceTraversal, dataset.SegmentedKSpaceTraversal = "RECTILINEAR", "SINGLE"
    dataset.RectilinearPhaseEncodeReordering, dataset.NumberOfKSpaceTrajectories = "LINEAR", 1


def _shared_mr_groups(rows: int) -> Dataset:
    groups = Dataset()
    groups.PixelMeasuresSequence = group(
        PixelSpacing=[240.0 / rows, 240.0 / rows], SliceThickness=5, SpacingBetweenSlices=5
    )
    groups.PlaneOrientationSequence = group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    groups.FrameAnatomySequence = group(FrameLaterality="U", AnatomicRegionSequence=[code("43799004", "SCT", "Chest")])
    groups.MRImageFrameTypeSequence = group(
        FrameType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
        ComplexImageComponent="MAGNITUDE",
        AcquisitionContrast="T1",
    )
    groups.MRTimingAndRelatedParametersSequence = group(
        RepetitionTime=520,
        FlipAngle=90,
        EchoTrainLength=1,
        RFEchoTrainLength=1,
        GradientEchoTrainLength=0,
        SpecificAbsorptionRateSequence=group(
            SpecificAbsorptionRateDefinition="IEC_WHOLE_BODY", SpecificAbsorptionRateValue=0.4
        ),
        OperatingModeSequence=group(OperatingModeType="STATIC FIELD", OperatingMode="IEC_NORMAL"),
        GradientOutputType="DB_DT",
        GradientOutput=1.0,
    )
    groups.MRFOVGeometrySequence = group(
        InPlanePhaseEncodingDirection="ROW",
        MRAcquisitionFrequencyEncodingSteps=rows,
        MRAcquisitionPhaseEncodingStepsInPlane=rows,
        PercentSampling=100,
        PercentPhaseFieldOfView=100,
    )
    groups.MREchoSequence = group(EffectiveEchoTime=12.0)
    groups.MRAveragesSequence = group(NumberOfAverages=1)
    groups.MRModifierSequence = group(
        InversionRecovery="NO",
        FlowCompensation="NONE",
        Spoiling="NONE",
        T2Preparation="NO",
        SpectrallySelectedExcitation="NONE",
        SpatialPresaturation="NONE",
        PartialFourier="NO",
        ParallelAcquisition="NO",
    )
    groups.MRImagingModifierSequence = group(
        MagnetizationTransfer="NONE",
        BloodSignalNulling="NO",
        Tagging="NONE",
        TransmitterFrequency=63.87,
        PixelBandwidth=122.07,
    )
    groups.MRReceiveCoilSequence = group(
        ReceiveCoilName="BODY",
        ReceiveCoilManufacturerName="",
        ReceiveCoilType="BODY",
        QuadratureReceiveCoil="YES",
    )
    groups.MRTransmitCoilSequence = group(
        TransmitCoilName="BODY", TransmitCoilManufacturerName="", TransmitCoilType="BODY"
    )
    groups.PixelValueTransformationSequence = group(RescaleIntercept=0, RescaleSlope=1, RescaleType="US")
    groups.FrameVOILUTSequence = group(WindowCenter=200, WindowWidth=400)
    return groups


def _mr_frame_groups(study: Study, index: int) -> Dataset:
    groups = Dataset()
    groups.FrameContentSequence = group(
        FrameAcquisitionNumber=1,
        FrameReferenceDateTime=study.day + study.time,
        FrameAcquisitionDuration=1000.0,
        FrameAcquisitionDateTime=study.day + study.time,
        DimensionIndexValues=[index + 1],
        StackID="1",
        InStackPositionNumber=index + 1,
    )
    groups.PlanePositionSequence = group(ImagePositionPatient=[-120, -120, -120 + 5 * index])
    return groups
