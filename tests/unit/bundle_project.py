"""A project with prepared instances, a release function that makes tiny DICOM files, and tampering tools."""

import errno
import hashlib
import io
import json
import os
import struct
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from app.bundle.release import Release, ReleasedInstance, ReleaseTask, ValueRow
from app.bundle.report import ImagesLeaving, ReportData
from app.bundle.sign_off import Signature, SignOffRecord
from app.bundle.step import export
from app.bundle.zip_writer import ZipWriter
from app.errors import FileError, Reason
from app.events import Event
from app.jobs.executors import SerialExecutor, WorkExecutor
from app.project.folder import Project, create_project

ROWS = COLUMNS = 200
PIXEL_BYTES = ROWS * COLUMNS * 2
CT = "1.2.840.10008.5.1.4.1.1.2"
PROTOCOL = """
id = "lung-1"
title = "Lung screening <pilot>"
contact = "organiser@example.org"
[selection]
where = 'Modality == "CT"'
[bundle]
part_size_mb = 1
"""
SIGNED = SignOffRecord(
    (Signature("site champion", "R. Reviewer & Co", "2026-01-02T10:00:00Z"),), unattended=False, digest="ab" * 32
)
RULES_CSV = b"""tag,keyword,action
"(0008,0005)",SpecificCharacterSet,keep
"(0008,1140)",ReferencedImageSequence,clean
"(0010,0010)",PatientName,pseudonym
"(0010,0020)",PatientID,pseudonym
"(0010,1010)",PatientAge,remove
"(7FE0,0010)",PixelData,keep
"""


@dataclass(frozen=True)
class FakePatient:
    """What the fake release function gets for a patient."""

    code: str


def study_uid(series_id: int) -> str:
    return f"2.25.{700 + series_id // 2}"


def series_uid(series_id: int) -> str:
    return f"2.25.{800 + series_id}"


def make_dataset(code: str, series_id: int, number: int) -> Dataset:
    """A CT slice with a nested sequence, a non-ASCII text and an emptied attribute."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.SpecificCharacterSet = "ISO_IR 192"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SOPClassUID = CT
    data.SOPInstanceUID = f"2.25.{10_000 + number}"
    data.StudyDate = "20200315"
    data.StudyTime = "101112"
    data.AccessionNumber = "AABCDEFGH2345"
    data.Modality = "CT"
    data.SeriesDescription = "Thorax nativ für Lunge"
    reference = Dataset()
    reference.ReferencedSOPClassUID = CT
    reference.ReferencedSOPInstanceUID = "2.25.99"
    data.ReferencedImageSequence = [reference]
    data.PatientName = code
    data.PatientID = code
    data.PatientBirthDate = ""
    data.BodyPartExamined = "CHEST"
    data.SliceThickness = "1.25"
    data.StudyInstanceUID = study_uid(series_id)
    data.SeriesInstanceUID = series_uid(series_id)
    data.InstanceNumber = number
    data.ImagePositionPatient = [-100.0, -100.0, number * 1.25]
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows = ROWS
    data.Columns = COLUMNS
    data.BitsAllocated = 16
    data.BitsStored = 12
    data.HighBit = 11
    data.PixelRepresentation = 0
    return data


def encode_header(data: Dataset) -> bytes:
    """Preamble to the last element before the pixels."""
    buffer = io.BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def pixels_of(number: int) -> bytes:
    return struct.pack("<HH", number, 7) * (PIXEL_BYTES // 4)


def native(data: Dataset, pixels: bytes) -> tuple[bytes, bytes]:
    """Header up to the pixel value, and the value."""
    return encode_header(data) + struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OW", 0, len(pixels)), pixels


def encapsulated(data: Dataset, fragments: list[bytes]) -> tuple[bytes, bytes]:
    """The same with encapsulated frames."""
    data.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    item = struct.Struct("<HHL").pack
    value = item(0xFFFE, 0xE000, 0)
    value += b"".join(item(0xFFFE, 0xE000, len(one)) + one for one in fragments)
    value += item(0xFFFE, 0xE0DD, 0)
    header = encode_header(data) + struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    return header, value


def in_chunks(value: bytes, size: int = 30_000) -> Iterator[bytes]:
    for start in range(0, len(value), size):
        yield value[start : start + size]


def release_instance(context: Any, task: ReleaseTask) -> ReleasedInstance:
    """Makes the instance that the task's locator asks for; some locators ask for trouble."""
    (path,) = json.loads(task.original_locator)
    behaviour = Path(path).name
    patient: FakePatient = context
    number = task.instance_id
    data = make_dataset(patient.code, task.series_id, number)
    header, pixels = native(data, pixels_of(number))
    chunks = in_chunks(pixels)
    match behaviour:
        case "vanished":
            raise FileError(Reason.VANISHED)
        case "truncated":
            chunks = _cut_short(pixels)
        case "full-disk":
            chunks = _disk_fills_up(pixels)
        case "crash":
            os._exit(3)
        case "hang":
            time.sleep(3600)
        case "unapproved":
            data.SeriesDescription = "Thorax of somebody"
            header, _ = native(data, pixels)
        case "short-pixels":
            header, pixels = native(data, pixels_of(number)[:-400])
            chunks = in_chunks(pixels)
        case "jpeg":
            header, pixels = encapsulated(data, [b"\xff\xd8frame one\0", b"\xff\xd8frame two\0"])
            chunks = in_chunks(pixels, 10)
        case "no-pixels":
            header, chunks = encode_header(data), iter(())
    return ReleasedInstance(
        header=header,
        pixels=chunks,
        patient_code=patient.code,
        study_uid=study_uid(task.series_id),
        series_uid=series_uid(task.series_id),
        sop_instance_uid=data.SOPInstanceUID,
        sop_class_uid=CT,
        transfer_syntax_uid=data.file_meta.TransferSyntaxUID,
        modality="CT",
        body_part="CHEST",
        description=data.SeriesDescription,
    )


def _cut_short(pixels: bytes) -> Iterator[bytes]:
    yield pixels[:1000]
    raise FileError(Reason.CHANGED_SINCE_SCAN)


def _disk_fills_up(pixels: bytes) -> Iterator[bytes]:
    yield pixels[:1000]
    raise OSError(errno.ENOSPC, "no space left")


def value_rows() -> tuple[ValueRow, ...]:
    """All that ``make_dataset`` writes, as approved."""
    texts = [
        ("SpecificCharacterSet", "CS", "ISO_IR 192"),
        ("ImageType", "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        ("SOPClassUID", "UI", CT),
        ("Modality", "CS", "CT"),
        ("SeriesDescription", "LO", "Thorax nativ für Lunge"),
        ("ReferencedImageSequence.ReferencedSOPClassUID", "UI", CT),
        ("BodyPartExamined", "CS", "CHEST"),
        ("PhotometricInterpretation", "CS", "MONOCHROME2"),
    ]
    folded = [
        ("SOPInstanceUID", "UI", "uid", "", ""),
        ("ReferencedImageSequence.ReferencedSOPInstanceUID", "UI", "uid", "", ""),
        ("StudyInstanceUID", "UI", "uid", "", ""),
        ("SeriesInstanceUID", "UI", "uid", "", ""),
        ("StudyDate", "DA", "date", "20200101", "20201231"),
        ("StudyTime", "TM", "time", "080000", "170000"),
        ("AccessionNumber", "SH", "code", "", ""),
        ("PatientName", "PN", "code", "", ""),
        ("PatientID", "LO", "code", "", ""),
        ("SliceThickness", "DS", "number", "1.25", "1.25"),
        ("InstanceNumber", "IS", "number", "1", "500"),
        ("ImagePositionPatient", "DS", "number", "-100.0", "700.0"),
        ("SamplesPerPixel", "US", "number", "1", "1"),
        ("Rows", "US", "number", str(ROWS), str(ROWS)),
        ("Columns", "US", "number", str(COLUMNS), str(COLUMNS)),
        ("BitsAllocated", "US", "number", "16", "16"),
        ("BitsStored", "US", "number", "12", "12"),
        ("HighBit", "US", "number", "11", "11"),
        ("PixelRepresentation", "US", "number", "0", "0"),
    ]
    return (
        *(ValueRow(path, vr, "", value, "", "", 9, 3) for path, vr, value in texts),
        *(ValueRow(path, vr, fold, "", low, high, 9, 3) for path, vr, fold, low, high in folded),
    )


def report_data() -> ReportData:
    """A report without figures."""
    return ReportData(
        title="Lung screening <pilot>",
        protocol_id="lung-1",
        protocol_sha256="cd" * 32,
        contact="organiser@example.org",
        site_id="SITEA",
        software="Consign",
        sign_off=SIGNED,
        method_codes=(("113100", "Basic Application Confidentiality Profile"),),
        date_preset="shifted",
        date_sentence="Shifted.",
        overrides=(),
        files=0,
        released=0,
        patients=0,
        studies=0,
        series=0,
        taken=(),
        held_back=(),
        not_selected=(),
        skipped=(),
        unreadable=(),
        applied=(),
        images=ImagesLeaving(("glyphs",), 0, 0, 0, 0, 0),
        values=0,
        suspicions=(),
        kept_suspicious=(),
        audit_sample=None,
    )


def make_context(patient_id: int) -> FakePatient:
    return FakePatient(CODES[patient_id])


# Codes do not follow the row numbers: the order of export goes by code.
CODES = {1: "SITEA-CCCCCC", 2: "SITEA-AAAAAA", 3: "SITEA-BBBBBB"}


def make_release(**changes: Any) -> Release:
    fields: dict[str, Any] = {
        "function": release_instance,
        "contexts": make_context,
        "patient_codes": CODES,
        "values": value_rows(),
        "rules_csv": RULES_CSV,
        "sign_off": SIGNED,
        "method_codes": (("113100", "Basic Application Confidentiality Profile"),),
        "date_preset": "shifted",
        "digest": "recipe-1",
        "report": report_data,
    }
    return Release(**(fields | changes))


def make_project(folder: Path, counts: dict[int, int]) -> Path:
    """A project with so many prepared instances of each patient, two series a patient; returns its folder."""
    folder.mkdir(parents=True)
    protocol = folder / "asked.toml"
    protocol.write_text(PROTOCOL, encoding="utf-8")
    root = folder / "project"
    create_project(root, "SITEA", protocol)
    with Project(root) as project:
        store = project.store
        store.execute("INSERT INTO runs VALUES (1, 'scan', '', NULL, NULL)")
        store.execute("INSERT INTO sources VALUES (1, 'folder', ?)", (json.dumps([str(folder)]),))
        store.execute("INSERT INTO attribute_sets VALUES (1, 'x', '{}')")
        instance = 0
        for patient, count in counts.items():
            store.execute("INSERT INTO patients VALUES (?, ?)", (patient, f"key {patient}"))
            for series in (2 * patient, 2 * patient + 1):
                store.execute(
                    "INSERT INTO series VALUES (?, ?, ?, ?, NULL)", (series, patient, f"1.2.{patient}", f"1.3.{series}")
                )
            for index in range(count):
                instance += 1
                add_instance(project, instance, 2 * patient + index % 2)
    return root


def add_instance(project: Project, number: int, series: int) -> None:
    store = project.store
    store.execute(
        "INSERT INTO files VALUES (?, 1, ?, ?, 5, 'instance', NULL, 1)",
        (number, json.dumps([f"/source/{number}/sound"]), PIXEL_BYTES + 900),
    )
    store.execute(
        """INSERT INTO instances (id, file_id, series_id, attribute_set_id, original_sop_instance_uid, sop_class_uid,
             transfer_syntax_uid, instance_number, selected, state, prepared_with, released_size)
           VALUES (?, ?, ?, 1, ?, ?, '1.2.840.10008.1.2.1', ?, 1, 'prepared', 'r1', ?)""",
        (number, number, series, f"1.4.{number}", CT, number, PIXEL_BYTES + 2000),
    )


def misbehave(project: Project, number: int, behaviour: str) -> None:
    """Let the fake release function do something else for an instance."""
    project.store.execute(
        "UPDATE files SET original_locator = ? WHERE id = ?", (json.dumps([f"/source/{number}/{behaviour}"]), number)
    )


def run_export(
    root: Path, out: Path, release: Release | None = None, executor: WorkExecutor | None = None
) -> list[Event]:
    with Project(root) as project:
        return list(export(project, out, executor or SerialExecutor(), release or make_release()))


def contents_of(folder: Path) -> dict[str, str]:
    """SHA-256 of each file in a folder by name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


# tampering ------------------------------------------------------------


def read_entries(part: Path) -> dict[str, bytes]:
    """The files of a part by name within the bag, in the order of their bytes."""
    with zipfile.ZipFile(part) as archive:
        ordered = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
        return {entry.filename.partition("/")[2]: archive.read(entry) for entry in ordered}


def write_entries(part: Path, entries: dict[str, bytes], base: str | None = None) -> None:
    """Write a part anew, in the exporter's form."""
    with part.open("wb") as file:
        writer = ZipWriter(file)
        for name, content in entries.items():
            writer.add(f"{base or part.stem}/{name}", [content], len(content))
        writer.finish()


def mend(entries: dict[str, bytes]) -> None:
    """Make manifests, byte count and sign-off agree with tampered contents, as a skilled forger would."""

    def lines(names: list[str]) -> bytes:
        return "".join(f"{hashlib.sha256(entries[name]).hexdigest()}  {name}\n" for name in sorted(names)).encode()

    sign_off = json.loads(entries["metadata/signoff.json"])
    for key, name in (("values", "values.csv"), ("rules", "rules.csv"), ("protocol", "protocol.toml")):
        sign_off[f"{key}_sha256"] = hashlib.sha256(entries[f"metadata/{name}"]).hexdigest()
    entries["metadata/signoff.json"] = (json.dumps(sign_off, indent=2, sort_keys=True) + "\n").encode()
    payload = [name for name in entries if name.startswith("data/")]
    size = sum(len(entries[name]) for name in payload)
    info = [line for line in entries["bag-info.txt"].decode().splitlines() if not line.startswith("Payload-Oxum")]
    entries["bag-info.txt"] = "\n".join([*info, f"Payload-Oxum: {size}.{len(payload)}", ""]).encode()
    card = json.loads(entries["metadata/dataset-card.json"])
    card["contents"]["bytes"] = size
    card["contents"]["instances"] = len(payload)
    entries["metadata/dataset-card.json"] = json.dumps(card).encode()
    entries["manifest-sha256.txt"] = lines(payload)
    tags = [name for name in entries if name not in payload and name != "tagmanifest-sha256.txt"]
    entries["tagmanifest-sha256.txt"] = lines(tags)


def tamper(part: Path, change: Callable[[dict[str, bytes]], None], *, mended: bool) -> None:
    """Change the contents of a part; ``mended``: with all digests made to agree."""
    entries = read_entries(part)
    change(entries)
    if mended:
        mend(entries)
    write_entries(part, entries)


def first_instance(entries: dict[str, bytes]) -> str:
    return next(name for name in entries if name.endswith(".dcm"))
