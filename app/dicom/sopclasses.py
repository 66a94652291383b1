"""What a SOP class is: an image, a report, a radiotherapy object. The storage classes of PS3.4 Table B.5-1.

A class that the table does not name is ``OTHER``: nothing that is selected by kind takes it in.
"""

from enum import StrEnum

from pydicom import uid


class ObjectKind(StrEnum):
    """What kind of object an instance is; the values are a protocol file's words."""

    IMAGE = "image"
    SEGMENTATION = "segmentation"
    RT = "rt"
    REGISTRATION = "registration"
    SR = "sr"
    PRESENTATION = "presentation"
    WAVEFORM = "waveform"
    DOCUMENT = "document"
    OTHER = "other"


_CLASSES: dict[ObjectKind, tuple[uid.UID, ...]] = {
    ObjectKind.IMAGE: (
        uid.ComputedRadiographyImageStorage,
        uid.DigitalXRayImageStorageForPresentation,
        uid.DigitalXRayImageStorageForProcessing,
        uid.DigitalMammographyXRayImageStorageForPresentation,
        uid.DigitalMammographyXRayImageStorageForProcessing,
        uid.DigitalIntraOralXRayImageStorageForPresentation,
        uid.DigitalIntraOralXRayImageStorageForProcessing,
        uid.CTImageStorage,
        uid.EnhancedCTImageStorage,
        uid.LegacyConvertedEnhancedCTImageStorage,
        uid.UltrasoundMultiFrameImageStorage,
        uid.MRImageStorage,
        uid.EnhancedMRImageStorage,
        uid.EnhancedMRColorImageStorage,
        uid.LegacyConvertedEnhancedMRImageStorage,
        uid.UltrasoundImageStorage,
        uid.EnhancedUSVolumeStorage,
        uid.PhotoacousticImageStorage,
        uid.SecondaryCaptureImageStorage,
        uid.MultiFrameSingleBitSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
        uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
        uid.MultiFrameTrueColorSecondaryCaptureImageStorage,
        uid.XRayAngiographicImageStorage,
        uid.EnhancedXAImageStorage,
        uid.XRayRadiofluoroscopicImageStorage,
        uid.EnhancedXRFImageStorage,
        uid.XRay3DAngiographicImageStorage,
        uid.XRay3DCraniofacialImageStorage,
        uid.BreastTomosynthesisImageStorage,
        uid.BreastProjectionXRayImageStorageForPresentation,
        uid.BreastProjectionXRayImageStorageForProcessing,
        uid.IntravascularOpticalCoherenceTomographyImageStorageForPresentation,
        uid.IntravascularOpticalCoherenceTomographyImageStorageForProcessing,
        uid.NuclearMedicineImageStorage,
        uid.ParametricMapStorage,
        uid.VLEndoscopicImageStorage,
        uid.VideoEndoscopicImageStorage,
        uid.VLMicroscopicImageStorage,
        uid.VideoMicroscopicImageStorage,
        uid.VLSlideCoordinatesMicroscopicImageStorage,
        uid.VLPhotographicImageStorage,
        uid.VideoPhotographicImageStorage,
        uid.OphthalmicPhotography8BitImageStorage,
        uid.OphthalmicPhotography16BitImageStorage,
        uid.OphthalmicTomographyImageStorage,
        uid.WideFieldOphthalmicPhotographyStereographicProjectionImageStorage,
        uid.WideFieldOphthalmicPhotography3DCoordinatesImageStorage,
        uid.OphthalmicOpticalCoherenceTomographyEnFaceImageStorage,
        uid.OphthalmicOpticalCoherenceTomographyBscanVolumeAnalysisStorage,
        uid.VLWholeSlideMicroscopyImageStorage,
        uid.DermoscopicPhotographyImageStorage,
        uid.ConfocalMicroscopyImageStorage,
        uid.ConfocalMicroscopyTiledPyramidalImageStorage,
        uid.OphthalmicThicknessMapStorage,
        uid.CornealTopographyMapStorage,
        uid.PositronEmissionTomographyImageStorage,
        uid.LegacyConvertedEnhancedPETImageStorage,
        uid.EnhancedPETImageStorage,
        uid.UID("1.2.840.10008.5.1.4.1.1.3"),  # UltrasoundMultiFrameImageStorage, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.5"),  # NuclearMedicineImageStorage, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.6"),  # UltrasoundImageStorage, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.12.3"),  # XRayAngiographicBiPlaneImageStorage, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.77.1"),  # VLImageStorageTrial, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.77.2"),  # VLMultiFrameImageStorageTrial, retired
    ),
    ObjectKind.SEGMENTATION: (
        uid.SegmentationStorage,
        uid.SurfaceSegmentationStorage,
        uid.UID("1.2.840.10008.5.1.4.1.1.66.7"),  # LabelMapSegmentationStorage, newer than pydicom's dictionary
    ),
    ObjectKind.RT: (
        uid.RTImageStorage,
        uid.RTDoseStorage,
        uid.RTStructureSetStorage,
        uid.RTBeamsTreatmentRecordStorage,
        uid.RTPlanStorage,
        uid.RTBrachyTreatmentRecordStorage,
        uid.RTTreatmentSummaryRecordStorage,
        uid.RTIonPlanStorage,
        uid.RTIonBeamsTreatmentRecordStorage,
        uid.RTPhysicianIntentStorage,
        uid.RTSegmentAnnotationStorage,
        uid.RTRadiationSetStorage,
        uid.CArmPhotonElectronRadiationStorage,
        uid.TomotherapeuticRadiationStorage,
        uid.RoboticArmRadiationStorage,
        uid.RTRadiationRecordSetStorage,
        uid.RTRadiationSalvageRecordStorage,
        uid.TomotherapeuticRadiationRecordStorage,
        uid.CArmPhotonElectronRadiationRecordStorage,
        uid.RoboticRadiationRecordStorage,
        uid.RTRadiationSetDeliveryInstructionStorage,
        uid.RTTreatmentPreparationStorage,
        uid.EnhancedRTImageStorage,
        uid.EnhancedContinuousRTImageStorage,
        uid.RTPatientPositionAcquisitionInstructionStorage,
        uid.RTBeamsDeliveryInstructionStorage,
        uid.RTBrachyApplicationSetupDeliveryInstructionStorage,
        uid.UID("1.2.840.10008.5.1.4.34.1"),  # RTBeamsDeliveryInstructionStorageTrial, retired
    ),
    ObjectKind.REGISTRATION: (
        uid.SpatialRegistrationStorage,
        uid.SpatialFiducialsStorage,
        uid.DeformableSpatialRegistrationStorage,
    ),
    ObjectKind.SR: (
        uid.BasicTextSRStorage,
        uid.EnhancedSRStorage,
        uid.ComprehensiveSRStorage,
        uid.Comprehensive3DSRStorage,
        uid.ExtensibleSRStorage,
        uid.ProcedureLogStorage,
        uid.MammographyCADSRStorage,
        uid.KeyObjectSelectionDocumentStorage,
        uid.ChestCADSRStorage,
        uid.XRayRadiationDoseSRStorage,
        uid.RadiopharmaceuticalRadiationDoseSRStorage,
        uid.ColonCADSRStorage,
        uid.ImplantationPlanSRStorage,
        uid.AcquisitionContextSRStorage,
        uid.SimplifiedAdultEchoSRStorage,
        uid.PatientRadiationDoseSRStorage,
        uid.PlannedImagingAgentAdministrationSRStorage,
        uid.PerformedImagingAgentAdministrationSRStorage,
        uid.EnhancedXRayRadiationDoseSRStorage,
        uid.WaveformAnnotationSRStorage,
        uid.UID("1.2.840.10008.5.1.4.1.1.88.1"),  # TextSRStorageTrial, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.88.2"),  # AudioSRStorageTrial, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.88.3"),  # DetailSRStorageTrial, retired
        uid.UID("1.2.840.10008.5.1.4.1.1.88.4"),  # ComprehensiveSRStorageTrial, retired
    ),
    ObjectKind.PRESENTATION: (
        uid.GrayscaleSoftcopyPresentationStateStorage,
        uid.ColorSoftcopyPresentationStateStorage,
        uid.PseudoColorSoftcopyPresentationStateStorage,
        uid.BlendingSoftcopyPresentationStateStorage,
        uid.XAXRFGrayscaleSoftcopyPresentationStateStorage,
        uid.GrayscalePlanarMPRVolumetricPresentationStateStorage,
        uid.CompositingPlanarMPRVolumetricPresentationStateStorage,
        uid.AdvancedBlendingPresentationStateStorage,
        uid.VolumeRenderingVolumetricPresentationStateStorage,
        uid.SegmentedVolumeRenderingVolumetricPresentationStateStorage,
        uid.MultipleVolumeRenderingVolumetricPresentationStateStorage,
        uid.VariableModalityLUTSoftcopyPresentationStateStorage,
        uid.BasicStructuredDisplayStorage,
    ),
    ObjectKind.WAVEFORM: (
        uid.TwelveLeadECGWaveformStorage,
        uid.GeneralECGWaveformStorage,
        uid.AmbulatoryECGWaveformStorage,
        uid.General32bitECGWaveformStorage,
        uid.HemodynamicWaveformStorage,
        uid.CardiacElectrophysiologyWaveformStorage,
        uid.BasicVoiceAudioWaveformStorage,
        uid.GeneralAudioWaveformStorage,
        uid.ArterialPulseWaveformStorage,
        uid.RespiratoryWaveformStorage,
        uid.MultichannelRespiratoryWaveformStorage,
        uid.RoutineScalpElectroencephalogramWaveformStorage,
        uid.ElectromyogramWaveformStorage,
        uid.ElectrooculogramWaveformStorage,
        uid.SleepElectroencephalogramWaveformStorage,
        uid.BodyPositionWaveformStorage,
        uid.UID("1.2.840.10008.5.1.4.1.1.9.1"),  # WaveformStorageTrial, retired
    ),
    ObjectKind.DOCUMENT: (
        uid.EncapsulatedPDFStorage,
        uid.EncapsulatedCDAStorage,
        uid.EncapsulatedSTLStorage,
        uid.EncapsulatedOBJStorage,
        uid.EncapsulatedMTLStorage,
    ),
}

_KINDS = {str(sop_class): kind for kind, classes in _CLASSES.items() for sop_class in classes}


def object_kind(sop_class_uid: str) -> ObjectKind:
    """The kind of a SOP class; ``OTHER`` where the table does not know it."""
    return _KINDS.get(sop_class_uid, ObjectKind.OTHER)


_RT_PICTURES = frozenset(
    str(sop_class)
    for sop_class in (uid.RTImageStorage, uid.EnhancedRTImageStorage, uid.EnhancedContinuousRTImageStorage)
)


def shows_pictures(sop_class_uid: str) -> bool:
    """Whether the pixels are a picture that can have text drawn into it; not so for doses and segmentations."""
    return object_kind(sop_class_uid) is ObjectKind.IMAGE or sop_class_uid in _RT_PICTURES
