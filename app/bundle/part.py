"""Writes one zip part in one pass, and has it read back. Runs in a worker; knows no database."""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from isal.isal_zlib import crc32, crc32_combine

from app.bundle.bag import DECLARATION, encode_bag_info, encode_manifest
from app.bundle.card import CardFacts, Contents, abstract_of, encode_card
from app.bundle.croissant import FILE_NAME as CROISSANT
from app.bundle.croissant import encode_croissant
from app.bundle.labels import ReleasedStudy, StudyLabels, encode_labels
from app.bundle.release import ReleasedInstance, ReleaseFunction, ReleaseTask
from app.bundle.tables import INSTANCE_COLUMNS, SERIES_COLUMNS, encode_table
from app.bundle.verify_findings import Expected, Finding
from app.bundle.verify_part import verify_part
from app.bundle.zip_writer import WrittenEntry, ZipWriter
from app.errors import BundleError, FileError, HeldBackError, Reason
from app.files.atomic import remove

STUDY_DIGITS = SERIES_DIGITS = 12
INSTANCE_DIGITS = 16
FULL_DISK = frozenset((errno.ENOSPC, errno.EDQUOT))
_NO_LABELS = StudyLabels()


@dataclass(frozen=True, slots=True)
class PartContext:
    """What a part is built with, apart from its instances.

    ``patients`` and ``identifiers`` go by patient row number, ``files`` by name under metadata/. ``folder``
    is a path that the worker sees too.
    """

    function: ReleaseFunction
    patients: Mapping[int, Any] = field(repr=False)
    patient_codes: Mapping[int, str] = field(repr=False)
    identifiers: Mapping[str, tuple[str, ...]] | None = field(repr=False)
    files: Mapping[str, bytes] = field(repr=False)
    facts: CardFacts
    folder: str
    labels: StudyLabels = field(default=_NO_LABELS, repr=False)


@dataclass(frozen=True, slots=True)
class PartTask:
    """One part to build: file names within the folder, and instances with upper bounds of their bytes."""

    number: int
    stem: str
    part_name: str
    trace_name: str
    instances: tuple[tuple[ReleaseTask, int], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PartBuilt:
    """The part lies under its temporary name, on disk for good and verified."""

    number: int
    size: int
    sha256: str
    instances: int


@dataclass(frozen=True, slots=True)
class PartWithout:
    """Not built: these instances cannot leave, with the reasons; ``findings`` where the separate reader says so."""

    number: int
    failures: tuple[tuple[int, Reason], ...]
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class PartRejected:
    """Built, and the separate reader found what may not be there; nothing is left of it."""

    number: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class PartUnwritable:
    """Not built: the disk is full, or refuses to be written."""

    number: int
    is_full: bool


# What is found in a file that is built otherwise than its source promised; nothing that anybody has to keep secret.
_ODD_FILE = frozenset(
    ("pixel-length", "pixel-element", "bad-fragments", "bytes-after-pixels", "bad-text", "bad-number")
)

PartOutcome = PartBuilt | PartWithout | PartRejected | PartUnwritable


def build_parts(context: PartContext, tasks: tuple[PartTask, ...]) -> tuple[PartOutcome, ...]:
    """Build and verify parts, one after the other.

    Raises BundleError ("released-for-another-patient", "released-twice") only for a release function that is
    at odds with its contract.
    """
    return tuple(_build_part(context, task) for task in tasks)


def _build_part(context: PartContext, task: PartTask) -> PartOutcome:
    path = Path(context.folder) / task.part_name
    trace = Path(context.folder) / task.trace_name
    outcome: PartOutcome | None = None
    try:
        outcome = _write_and_verify(context, task, path, trace)
    except OSError as error:
        outcome = PartUnwritable(task.number, is_full=error.errno in FULL_DISK)
    finally:
        _remove(trace)
        if not isinstance(outcome, PartBuilt):
            _remove(path)
    return outcome


def _remove(path: Path) -> None:
    # What cannot be removed now (Windows: something still holds it) is removed when the next export starts.
    with suppress(OSError):
        remove(path)


def _write_and_verify(context: PartContext, task: PartTask, path: Path, trace_path: Path) -> PartOutcome:
    # A worker that was believed dead may still write into a file of this name: a new one is none of its business.
    remove(path)
    with path.open("xb") as file, Trace(trace_path) as trace:
        writer = BagWriter(file, task.stem)
        names: dict[str, int] = {}
        failures = _write_instances(context, task, writer, trace, names)
        trace.mark(None)
        if failures:
            return PartWithout(task.number, tuple(failures))
        writer.finish(context.files, context.facts, task.number, context.labels)
        file.flush()
        os.fsync(file.fileno())
    expected = writer.expected()
    del writer  # its rows of a large part take as much memory as the reader's
    report = verify_part(path, expected, context.identifiers)
    if report.findings:
        # An odd file that rules and reader understand otherwise must not keep all others; whatever else is found stops
        # the export, above all a value that may not leave.
        blamed = {names.get(finding.entry) for finding in report.findings if finding.code in _ODD_FILE}
        is_odd_file = all(finding.code in _ODD_FILE for finding in report.findings) and None not in blamed
        if not is_odd_file or len(blamed) == len(names):
            return PartRejected(task.number, report.findings)
        failures = [(instance, Reason.NOT_VERIFIED) for instance in names.values() if instance in blamed]
        return PartWithout(task.number, tuple(failures), report.findings)
    return PartBuilt(task.number, report.size, report.sha256, report.instances)


def _write_instances(
    context: PartContext, task: PartTask, writer: "BagWriter", trace: "Trace", names: dict[str, int]
) -> list[tuple[int, Reason]]:
    """Write all instances. After one that fails, the rest is only read, to find all that fail at once.

    ``names`` takes which name each of them got.
    """
    failures: list[tuple[int, Reason]] = []
    for instance, size_bound in task.instances:
        trace.mark(instance.instance_id)
        try:
            released = context.function(context.patients[instance.patient_id], instance)
            if released.patient_code != context.patient_codes[instance.patient_id]:
                raise BundleError("released-for-another-patient", instance=instance.instance_id)
            if failures:
                for _ in released.pixels:
                    pass
            else:
                names[writer.write_instance(released, size_bound)] = instance.instance_id
                writer.label_study(released, context.labels.cells(instance.series_id))
        except FileError as error:
            failures.append((instance.instance_id, error.reason))
    return failures


class Trace:
    """A small file that says which instance is being worked on, for whoever finds the worker dead."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)

    def __enter__(self) -> "Trace":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def mark(self, instance_id: int | None) -> None:
        """Say that work on an instance starts (None: on none)."""
        self._file.seek(0)
        self._file.write(b"%20d" % (instance_id or 0))


def read_trace(path: Path) -> int | None:
    """The instance that a dead worker was at; None where it was at none or did not start."""
    try:
        return int(path.read_bytes()) or None
    except (OSError, ValueError):
        return None


@dataclass(slots=True)
class _SeriesLine:
    modality: str
    body_part: str
    description: str
    instances: int = 0


class BagWriter:
    """Streams one bag into a zip file; digests are taken on the way.

    Memory: two digests and a line for each instance; pixels pass by in the chunks that they come in.
    """

    def __init__(self, file: BinaryIO, base: str) -> None:
        self._base = base
        self._zip = ZipWriter(file)
        self._payload: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._pixels: dict[str, str] = {}
        self._checksums: dict[str, int] = {}
        self._instance_rows: list[tuple[str, ...]] = []
        self._series: dict[tuple[str, str, str], _SeriesLine] = {}
        self._contents = Contents()
        self._labels: dict[ReleasedStudy, tuple[str, ...]] = {}

    def write_instance(self, released: ReleasedInstance, size_bound: int) -> str:
        """Stream one instance under its new name, which is returned. Lets FileError of ``pixels`` through; the part is
        lost then.
        """
        name = instance_name(released)
        if name in self._payload:
            raise BundleError("released-twice")
        header, expected = released.header, released.expected
        file_digest = hashlib.sha256(header)
        pixel_digest = hashlib.sha256()

        def digested() -> Iterator[bytes]:
            yield header
            for chunk in released.pixels:
                file_digest.update(chunk)
                if expected is None:
                    pixel_digest.update(chunk)
                yield chunk

        entry = self._write(name, digested(), size_bound)
        pixel_bytes = entry.size - len(header)
        if expected is None:
            pixels = pixel_digest.hexdigest()
        elif entry.crc == crc32_combine(crc32(header), expected.crc32, pixel_bytes):
            pixels = expected.sha256
        else:  # others than those that were looked through
            raise HeldBackError(Reason.IMAGE_NOT_CHECKED)
        self._payload[name] = file_digest.hexdigest()
        self._checksums[name] = entry.crc
        self._pixels[name] = pixels if pixel_bytes else ""
        self._count(name, released, entry.size)
        return name

    def _count(self, name: str, released: ReleasedInstance, size: int) -> None:
        series = (released.patient_code, released.study_uid, released.series_uid)
        self._instance_rows.append(
            (
                name,
                *series,
                released.sop_instance_uid,
                released.sop_class_uid,
                released.transfer_syntax_uid,
                self._pixels[name],
            )
        )
        line = self._series.setdefault(series, _SeriesLine(released.modality, released.body_part, released.description))
        line.instances += 1
        contents = self._contents
        contents.patients.add(released.patient_code)
        contents.studies.add(series[:2])
        contents.series.add(series)
        contents.instances += 1
        contents.size += size
        contents.modalities[released.modality] += 1
        contents.sop_classes[released.sop_class_uid] += 1
        contents.transfer_syntaxes[released.transfer_syntax_uid] += 1

    def label_study(self, released: ReleasedInstance, cells: tuple[str, ...]) -> None:
        """Remember group and labels of the study that an instance belongs to."""
        self._labels[released.patient_code, released.study_uid] = cells

    def finish(
        self, files: Mapping[str, bytes], facts: CardFacts, number: int, labels: StudyLabels = _NO_LABELS
    ) -> None:
        """Finish the part with all that is not payload: metadata/ (``files`` and the tables made here), the
        bag's files.

        They stand behind the payload, because a manifest comes after what it is about; the directory is
        sorted.
        """
        series_rows = sorted(
            (*key, line.modality, line.body_part, line.description, line.instances)
            for key, line in self._series.items()
        )
        metadata = {
            **files,
            "series.csv": encode_table(SERIES_COLUMNS, series_rows),
            "instances.csv": encode_table(INSTANCE_COLUMNS, sorted(self._instance_rows)),
            "dataset-card.json": encode_card(facts, number, self._contents),
        }
        if labels.is_wanted:
            metadata["labels.csv"] = encode_labels(labels.names, self._labels)
        for name in sorted(metadata):
            self._write_tag(f"metadata/{name}", metadata[name])
        self._write_tag(
            CROISSANT,
            encode_croissant(
                name=self._base,
                title=facts.protocol_title,
                abstract=abstract_of(facts, self._contents),
                description=facts.description,
                published=max((one.signed for one in facts.sign_off.signatures), default="")[:10],
                digests=self._tags,
            ),
        )
        self._write_tag("bagit.txt", DECLARATION)
        contents = self._contents
        self._write_tag(
            "bag-info.txt",
            encode_bag_info(facts.group, number, facts.part_count, contents.size, contents.instances),
        )
        self._write_tag("manifest-sha256.txt", encode_manifest(self._payload))
        self._write_tag("tagmanifest-sha256.txt", encode_manifest(self._tags))
        self._zip.finish()

    def _write_tag(self, name: str, content: bytes) -> None:
        self._write(name, [content], len(content))
        self._tags[name] = hashlib.sha256(content).hexdigest()

    def _write(self, name: str, chunks: Iterable[bytes], announced_size: int) -> WrittenEntry:
        return self._zip.add(f"{self._base}/{name}", chunks, announced_size)

    def expected(self) -> Expected:
        """What the separate reader must find: names, checksums and digests of what was written."""
        return Expected(self._payload, self._checksums, self._pixels, self._tags)


def instance_name(released: ReleasedInstance) -> str:
    """Where an instance lies in its bag: names made of released UIDs alone, short for any file system."""
    folders = (
        released.patient_code,
        short_digest(released.study_uid, STUDY_DIGITS),
        short_digest(released.series_uid, SERIES_DIGITS),
    )
    return f"data/{'/'.join(folders)}/{short_digest(released.sop_instance_uid, INSTANCE_DIGITS)}.dcm"


@lru_cache(maxsize=256)  # those of a study and a series come again and again
def short_digest(uid: str, digits: int) -> str:
    """The first hex digits of a released UID's SHA-256."""
    return hashlib.sha256(uid.encode("ascii")).hexdigest()[:digits]


def part_stem(group: str, number: int) -> str:
    """The name of a part without its ending, and of the base folder in it."""
    return f"{group}-part-{number:03d}"
