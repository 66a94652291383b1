"""What every object has, whatever it shows: patient, study, series, equipment, and items that refer."""

from dataclasses import dataclass
from typing import Any

from pydicom import uid as uids
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import Tag

from tests.factory.identities import Study


@dataclass(frozen=True, slots=True)
class Device:
    """What made the images."""

    manufacturer: str
    model: str
    software: str


CT_DEVICE = Device("SIEMENS", "SOMATOM Force", "VA50A")


MR_DEVICE = Device("GE MEDICAL SYSTEMS", "SIGNA Architect", "DV29")


US_DEVICE = Device("Philips", "EPIQ 7G", "5.0.2")


CR_DEVICE = Device("FUJIFILM Corporation", "FCR Carbon X", "A07")


PET_DEVICE = Device("GE MEDICAL SYSTEMS", "Discovery MI", "61.00")


WORKSTATION = Device("Invented Workstations", "Reader One", "3.1")


@dataclass(frozen=True, slots=True)
class Series:
    """One acquisition of a study."""

    study: Study
    modality: str
    number: int
    description: str
    device: Device
    uid: str


def make_series(study: Study, modality: str, number: int, description: str, device: Device) -> Series:
    """A series of ``study`` with a UID of its own."""
    return Series(study, modality, number, description, device, study.new_uid())


def make_instance(series: Series, sop_class_uid: str, number: int) -> Dataset:
    """Patient, study, series, equipment and SOP common modules; the object's own are for the caller."""
    study, person = series.study, series.study.identity
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = uids.ExplicitVRLittleEndian
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.SOPClassUID = sop_class_uid
    dataset.SOPInstanceUID = study.new_uid()
    dataset.InstanceNumber = number
    dataset.InstanceCreationDate = dataset.StudyDate = dataset.SeriesDate = dataset.ContentDate = study.day
    dataset.InstanceCreationTime = dataset.StudyTime = dataset.SeriesTime = dataset.ContentTime = study.time

    dataset.PatientName = person.patient_name
    dataset.PatientID = person.patient_id
    dataset.PatientBirthDate = person.birth_date
    dataset.PatientSex = person.sex
    dataset.PatientAge = f"{person.age_years:03}Y"
    dataset.PatientWeight = person.weight_kg
    dataset.PatientSize = person.size_m
    dataset.PatientAddress = person.address
    dataset.PatientTelephoneNumbers = person.telephone
    dataset.PatientComments = person.comments

    dataset.StudyInstanceUID = study.uid
    dataset.StudyID = study.study_id
    dataset.AccessionNumber = study.accession_number
    dataset.StudyDescription = study.description
    dataset.ReferringPhysicianName = person.referring_physician

    dataset.Modality = series.modality
    dataset.SeriesInstanceUID = series.uid
    dataset.SeriesNumber = series.number
    dataset.SeriesDescription = series.description
    dataset.ProtocolName = series.description
    dataset.PerformingPhysicianName = person.performing_physician
    dataset.OperatorsName = person.operator

    dataset.Manufacturer = series.device.manufacturer
    dataset.ManufacturerModelName = series.device.model
    dataset.SoftwareVersions = series.device.software
    dataset.InstitutionName = person.institution
    dataset.InstitutionAddress = person.institution_address
    dataset.InstitutionalDepartmentName = person.department
    dataset.StationName = person.station
    dataset.DeviceSerialNumber = person.device_serial_number
    return dataset


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """An item of a code sequence."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def reference(dataset: Dataset) -> Dataset:
    """An item that refers to an instance."""
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    return item


def group(**attributes: Any) -> list[Dataset]:
    """A functional group of one item."""
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return [item]


def set_frame_of_reference(dataset: Dataset, study: Study) -> None:
    """The frame of reference that all cross-sections of a study share."""
    dataset.FrameOfReferenceUID = study.frame_of_reference_uid
    dataset.PositionReferenceIndicator = ""


def dimension_organization(study: Study) -> Dataset:
    item = Dataset()
    item.DimensionOrganizationUID = study.new_uid()
    return item


def dimension_index(dataset: Dataset, pointer: tuple[int, int], group: tuple[int, int]) -> Dataset:
    item = Dataset()
    item.DimensionOrganizationUID = dataset.DimensionOrganizationSequence[0].DimensionOrganizationUID
    item.DimensionIndexPointer, item.FunctionalGroupPointer = Tag(pointer), Tag(group)
    return item
