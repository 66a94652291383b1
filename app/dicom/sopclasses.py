"""What a SOP class is: an image, a report, a radiotherapy object. The storage classes of PS3.4 Table B.5-1.

A class that the table does not name is ``OTHER``: nothing that is selected by kind takes it in.
"""

from enum import StrEnum

from app.dicom.dictionary import uid_of


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


# By the keywords of PS3.6 Annex A.
_CLASSES: dict[ObjectKind, tuple[str, ...]] = {
    ObjectKind.IMAGE: (
        "ComputedRadiographyImageStorage",
        "DigitalXRayImageStorageForPresentation",
        "DigitalXRayImageStorageForProcessing",
        "DigitalMammographyXRayImageStorageForPresentation",
        "DigitalMammographyXRayImageStorageForProcessing",
        "DigitalIntraOralXRayImageStorageForPresentation",
        "DigitalIntraOralXRayImageStorageForProcessing",
        "CTImageStorage",
        "EnhancedCTImageStorage",
        "LegacyConvertedEnhancedCTImageStorage",
        "UltrasoundMultiFrameImageStorage",
        "MRImageStorage",
        "EnhancedMRImageStorage",
        "EnhancedMRColorImageStorage",
        "LegacyConvertedEnhancedMRImageStorage",
        "UltrasoundImageStorage",
        "EnhancedUSVolumeStorage",
        "PhotoacousticImageStorage",
        "SecondaryCaptureImageStorage",
        "MultiFrameSingleBitSecondaryCaptureImageStorage",
        "MultiFrameGrayscaleByteSecondaryCaptureImageStorage",
        "MultiFrameGrayscaleWordSecondaryCaptureImageStorage",
        "MultiFrameTrueColorSecondaryCaptureImageStorage",
        "XRayAngiographicImageStorage",
        "EnhancedXAImageStorage",
        "XRayRadiofluoroscopicImageStorage",
        "EnhancedXRFImageStorage",
        "XRay3DAngiographicImageStorage",
        "XRay3DCraniofacialImageStorage",
        "BreastTomosynthesisImageStorage",
        "BreastProjectionXRayImageStorageForPresentation",
        "BreastProjectionXRayImageStorageForProcessing",
        "IntravascularOpticalCoherenceTomographyImageStorageForPresentation",
        "IntravascularOpticalCoherenceTomographyImageStorageForProcessing",
        "NuclearMedicineImageStorage",
        "ParametricMapStorage",
        "VLEndoscopicImageStorage",
        "VideoEndoscopicImageStorage",
        "VLMicroscopicImageStorage",
        "VideoMicroscopicImageStorage",
        "VLSlideCoordinatesMicroscopicImageStorage",
        "VLPhotographicImageStorage",
        "VideoPhotographicImageStorage",
        "OphthalmicPhotography8BitImageStorage",
        "OphthalmicPhotography16BitImageStorage",
        "OphthalmicTomographyImageStorage",
        "WideFieldOphthalmicPhotographyStereographicProjectionImageStorage",
        "WideFieldOphthalmicPhotography3DCoordinatesImageStorage",
        "OphthalmicOpticalCoherenceTomographyEnFaceImageStorage",
        "OphthalmicOpticalCoherenceTomographyBscanVolumeAnalysisStorage",
        "VLWholeSlideMicroscopyImageStorage",
        "DermoscopicPhotographyImageStorage",
        "ConfocalMicroscopyImageStorage",
        "ConfocalMicroscopyTiledPyramidalImageStorage",
        "OphthalmicThicknessMapStorage",
        "CornealTopographyMapStorage",
        "PositronEmissionTomographyImageStorage",
        "LegacyConvertedEnhancedPETImageStorage",
        "EnhancedPETImageStorage",
        "UltrasoundMultiFrameImageStorageRetired",
        "NuclearMedicineImageStorageRetired",
        "UltrasoundImageStorageRetired",
        "XRayAngiographicBiPlaneImageStorage",  # retired
        "VLImageStorageTrial",  # retired
        "VLMultiFrameImageStorageTrial",  # retired
    ),
    ObjectKind.SEGMENTATION: (
        "SegmentationStorage",
        "SurfaceSegmentationStorage",
        "LabelMapSegmentationStorage",
    ),
    ObjectKind.RT: (
        "RTImageStorage",
        "RTDoseStorage",
        "RTStructureSetStorage",
        "RTBeamsTreatmentRecordStorage",
        "RTPlanStorage",
        "RTBrachyTreatmentRecordStorage",
        "RTTreatmentSummaryRecordStorage",
        "RTIonPlanStorage",
        "RTIonBeamsTreatmentRecordStorage",
        "RTPhysicianIntentStorage",
        "RTSegmentAnnotationStorage",
        "RTRadiationSetStorage",
        "CArmPhotonElectronRadiationStorage",
        "TomotherapeuticRadiationStorage",
        "RoboticArmRadiationStorage",
        "RTRadiationRecordSetStorage",
        "RTRadiationSalvageRecordStorage",
        "TomotherapeuticRadiationRecordStorage",
        "CArmPhotonElectronRadiationRecordStorage",
        "RoboticRadiationRecordStorage",
        "RTRadiationSetDeliveryInstructionStorage",
        "RTTreatmentPreparationStorage",
        "EnhancedRTImageStorage",
        "EnhancedContinuousRTImageStorage",
        "RTPatientPositionAcquisitionInstructionStorage",
        "RTBeamsDeliveryInstructionStorage",
        "RTBrachyApplicationSetupDeliveryInstructionStorage",
        "RTBeamsDeliveryInstructionStorageTrial",  # retired
    ),
    ObjectKind.REGISTRATION: (
        "SpatialRegistrationStorage",
        "SpatialFiducialsStorage",
        "DeformableSpatialRegistrationStorage",
    ),
    ObjectKind.SR: (
        "BasicTextSRStorage",
        "EnhancedSRStorage",
        "ComprehensiveSRStorage",
        "Comprehensive3DSRStorage",
        "ExtensibleSRStorage",
        "ProcedureLogStorage",
        "MammographyCADSRStorage",
        "KeyObjectSelectionDocumentStorage",
        "ChestCADSRStorage",
        "XRayRadiationDoseSRStorage",
        "RadiopharmaceuticalRadiationDoseSRStorage",
        "ColonCADSRStorage",
        "ImplantationPlanSRStorage",
        "AcquisitionContextSRStorage",
        "SimplifiedAdultEchoSRStorage",
        "PatientRadiationDoseSRStorage",
        "PlannedImagingAgentAdministrationSRStorage",
        "PerformedImagingAgentAdministrationSRStorage",
        "EnhancedXRayRadiationDoseSRStorage",
        "WaveformAnnotationSRStorage",
        "TextSRStorageTrial",  # retired
        "AudioSRStorageTrial",  # retired
        "DetailSRStorageTrial",  # retired
        "ComprehensiveSRStorageTrial",  # retired
    ),
    ObjectKind.PRESENTATION: (
        "GrayscaleSoftcopyPresentationStateStorage",
        "ColorSoftcopyPresentationStateStorage",
        "PseudoColorSoftcopyPresentationStateStorage",
        "BlendingSoftcopyPresentationStateStorage",
        "XAXRFGrayscaleSoftcopyPresentationStateStorage",
        "GrayscalePlanarMPRVolumetricPresentationStateStorage",
        "CompositingPlanarMPRVolumetricPresentationStateStorage",
        "AdvancedBlendingPresentationStateStorage",
        "VolumeRenderingVolumetricPresentationStateStorage",
        "SegmentedVolumeRenderingVolumetricPresentationStateStorage",
        "MultipleVolumeRenderingVolumetricPresentationStateStorage",
        "VariableModalityLUTSoftcopyPresentationStateStorage",
        "BasicStructuredDisplayStorage",
    ),
    ObjectKind.WAVEFORM: (
        "TwelveLeadECGWaveformStorage",
        "GeneralECGWaveformStorage",
        "AmbulatoryECGWaveformStorage",
        "General32bitECGWaveformStorage",
        "HemodynamicWaveformStorage",
        "CardiacElectrophysiologyWaveformStorage",
        "BasicVoiceAudioWaveformStorage",
        "GeneralAudioWaveformStorage",
        "ArterialPulseWaveformStorage",
        "RespiratoryWaveformStorage",
        "MultichannelRespiratoryWaveformStorage",
        "RoutineScalpElectroencephalogramWaveformStorage",
        "ElectromyogramWaveformStorage",
        "ElectrooculogramWaveformStorage",
        "SleepElectroencephalogramWaveformStorage",
        "BodyPositionWaveformStorage",
        "WaveformStorageTrial",  # retired
    ),
    ObjectKind.DOCUMENT: (
        "EncapsulatedPDFStorage",
        "EncapsulatedCDAStorage",
        "EncapsulatedSTLStorage",
        "EncapsulatedOBJStorage",
        "EncapsulatedMTLStorage",
    ),
}

_KINDS = {uid_of(keyword): kind for kind, keywords in _CLASSES.items() for keyword in keywords}


def object_kind(sop_class_uid: str) -> ObjectKind:
    """The kind of a SOP class; ``OTHER`` where the table does not know it."""
    return _KINDS.get(sop_class_uid, ObjectKind.OTHER)


_RT_PICTURES = frozenset(map(uid_of, ("RTImageStorage", "EnhancedRTImageStorage", "EnhancedContinuousRTImageStorage")))


def shows_pictures(sop_class_uid: str) -> bool:
    """Whether the pixels are a picture that can have text drawn into it; not so for doses and segmentations."""
    return object_kind(sop_class_uid) is ObjectKind.IMAGE or sop_class_uid in _RT_PICTURES
