"""The separate reader of one part: reads it through, instance by instance, and finds whatever should not be there.

Used twice: on each part before it gets its final name, and by ``consign verify`` (``verify``) on any bundle.
Shares no code with what wrote the parts, but the dictionary of the standard. A finding is a code and names of
the bundle's own making; never a value.
"""

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path

from app.bundle.verify_bag import bag_info_faults, payload_faults, read_bag_info, tag_file_faults, written_faults
from app.bundle.verify_findings import Expected, Finding, PartReport
from app.bundle.verify_header import (
    BODY_PART,
    MODALITY,
    PATIENT_ID,
    SERIES_DESCRIPTION,
    SERIES_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
    STUDY_UID,
    UNDEFINED,
    HeaderFormError,
    HeaderWalker,
    MoreBytesNeededError,
    WalkedHeader,
)
from app.bundle.verify_labels import LABELS, label_faults, read_label_rules
from app.bundle.verify_layout import BAG_FILES, INSTANCE_NAME, METADATA_FILES, SHARED_FILES, is_complete, layout_faults
from app.bundle.verify_metadata import (
    PartFacts,
    SeriesContent,
    SeriesKey,
    approved_text_faults,
    card_faults,
    croissant_faults,
    read_sign_off,
    series_faults,
    sign_off_faults,
)
from app.bundle.verify_pixels import are_fragments_sound, native_pixel_bytes
from app.bundle.verify_sums import digest_of, parse_sums
from app.bundle.verify_text import IdentifierSearch
from app.bundle.verify_values import ApprovedValues, Owner, TableFormError, read_table
from app.bundle.verify_zip import ZipEntry, ZipFormError, ZipReader

INSTANCE_COLUMNS = [
    "file",
    "patient",
    "study_uid",
    "series_uid",
    "sop_instance_uid",
    "sop_class_uid",
    "transfer_syntax_uid",
    "pixel_sha256",
]
MAX_FINDINGS = 1000  # of one part; what is wrong everywhere needs no longer list
MAX_METADATA_BYTES = 512 << 20
FIRST_HEADER_BYTES = 32 << 10
MAX_HEADER_BYTES = 256 << 20


def verify_part(
    path: Path, expected: Expected | None = None, identifiers: Mapping[str, Collection[str]] | None = None
) -> PartReport:
    """Read one zip part completely. Raises OSError where the file can't be read, nothing else.

    ``expected`` is at hand only where the part was just written. ``identifiers`` are original ones by patient
    code; those of a patient are looked for in that patient's files, whole names and IDs in the texts of all.
    """
    size = path.stat().st_size
    check = _PartCheck(path.name, size, expected, identifiers)
    with path.open("rb", buffering=0) as file:
        try:
            check.run(ZipReader(file, size))
        except ZipFormError as error:
            check.add(error.code, check.within_bag(error.entry))
    report = check.report()
    # Where reading stopped early, SHA256SUMS can still tell whether the file is the one that was sent.
    return report if report.sha256 else replace(report, sha256=digest_of(path))


class _PartCheck:
    """The state of one part's verification."""

    def __init__(
        self,
        name: str,
        size: int,
        expected: Expected | None,
        identifiers: Mapping[str, Collection[str]] | None,
    ) -> None:
        self._name = name
        self._size = size
        self._expected = expected
        self._identifiers = identifiers
        self._searches: dict[str, IdentifierSearch] = {}
        self._findings: list[Finding] = []
        self._base = ""
        self._files: dict[str, bytes] = {}  # the bag's own
        self._digests: dict[str, str] = {}
        self._manifest: Mapping[str, str] = {}
        self._rows: dict[str, list[str]] = {}
        self._series: dict[SeriesKey, SeriesContent] = {}
        self._implementations: set[tuple[str, str]] = set()
        self._payload_bytes = 0
        self._instances = 0
        self._group, self._number, self._count = "", 0, 0
        self._unattended = False
        self._sha256 = ""

    def add(self, code: str, entry: str = "", path: str = "") -> None:
        """Note a finding; the thousandth is the last."""
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(Finding(code, self._name, entry, path))

    def within_bag(self, name: str) -> str:
        """An entry's name without the base folder."""
        return name.partition("/")[2] if self._base else name

    def report(self) -> PartReport:
        """What came out."""
        return PartReport(
            name=self._name,
            size=self._size,
            sha256=self._sha256,
            group=self._group,
            number=self._number,
            count=self._count,
            instances=self._instances,
            shared=tuple(self._digests.get(name, "") for name in SHARED_FILES),
            unattended=self._unattended,
            findings=tuple(self._findings),
        )

    def run(self, reader: ZipReader) -> None:
        """Check everything; raises ZipFormError where the container is broken; earlier findings stay."""
        if not self._read_layout(reader):
            return
        try:
            approved = self._read_files(reader)
        except TableFormError as error:
            self.add(error.code)
            return
        walker = HeaderWalker(approved)
        last_patient = ""
        for entry in reader.entries:
            name = self.within_bag(entry.name)
            match = INSTANCE_NAME.match(name)
            if match is None:
                self._digests[name] = _digest_chunks(reader, entry)
                continue
            if self._identifiers is not None and match["patient"] != last_patient:
                last_patient = match["patient"]
                approved.forget()
            self._check_instance(reader, entry, name, match, walker)
        self._sha256 = reader.whole_digest()
        self._check_files(approved)

    # layout ---------------------------------------------------------------

    def _read_layout(self, reader: ZipReader) -> bool:
        bases = {entry.name.partition("/")[0] for entry in reader.entries}
        if len(bases) > 1:
            self.add("more-than-one-folder")
            return False
        self._base = bases.pop()
        names = {self.within_bag(entry.name) for entry in reader.entries}
        for code, name in layout_faults(names):
            self.add(code, name)
        return is_complete(names)

    def _read_files(self, reader: ZipReader) -> ApprovedValues:
        for name in (*BAG_FILES, *METADATA_FILES, LABELS):
            content = reader.read(f"{self._base}/{name}", MAX_METADATA_BYTES)
            if content is not None:  # only the labels may be missing: the layout has been checked
                self._files[name] = content
        manifest = parse_sums(self._files["manifest-sha256.txt"])
        if manifest is None:
            self.add("bad-manifest", "manifest-sha256.txt")
        self._manifest = manifest or {}
        rows = read_table(self._files["metadata/instances.csv"], INSTANCE_COLUMNS, "bad-instances-table")
        self._rows = {row[0]: row for row in rows}
        if [row[0] for row in rows] != sorted(self._rows):
            self.add("bad-instances-table", "metadata/instances.csv")
        return ApprovedValues(self._files["metadata/values.csv"], self._files["metadata/rules.csv"])

    # instances ------------------------------------------------------------

    def _check_instance(
        self, reader: ZipReader, entry: ZipEntry, name: str, match: re.Match[str], walker: HeaderWalker
    ) -> None:
        self._instances += 1
        self._payload_bytes += entry.size
        owner = Owner(match["patient"], self._search(match["patient"]))
        chunks = reader.chunks(entry)
        first = next(chunks, None)
        header: WalkedHeader | None = None
        try:
            header = self._walk(reader, entry, first, walker, owner)
        except HeaderFormError as error:
            self.add(error.code, name, error.path)
        digest, pixel_sha256 = self._digest(entry, name, first, chunks, header)
        self._digests[name] = digest
        if self._expected is not None and self._expected.payload.get(name) != digest:
            self.add("pixels-altered", name)
            return
        if header is None:
            return
        for code, path in header.findings:
            self.add(code, name, path)
        self._check_pixels(reader, entry, name, header)
        self._check_row(name, match, header, pixel_sha256)

    def _digest(
        self,
        entry: ZipEntry,
        name: str,
        first: memoryview | None,
        chunks: Iterator[memoryview],
        header: WalkedHeader | None,
    ) -> tuple[str, str]:
        """SHA-256 of an instance and of its pixels, '' for none of these; reads it to its end.

        Of a part that was just written, both are the writer's where the file's CRC-32 is that of the bytes which the
        writer hashed: what lies between is a disk, which makes mistakes and forges nothing, and two of the four passes
        over every byte are saved. ``consign verify`` and the bundle's own verify.py hash what is there.
        """
        if self._expected is not None:
            for _ in chunks:
                pass  # the reader compares the checksum of the bytes with the directory's
            if self._expected.checksums.get(name) != entry.crc:
                return "", ""
            return self._expected.payload.get(name, ""), self._expected.pixels.get(name, "")
        pixel_offset = entry.size if header is None or header.pixel_offset is None else header.pixel_offset
        digest, pixel_digest = hashlib.sha256(), hashlib.sha256()
        position = 0
        view = first
        while view is not None:
            digest.update(view)
            if position + len(view) > pixel_offset:
                pixel_digest.update(view[max(0, pixel_offset - position) :])
            position += len(view)
            view = next(chunks, None)
        return digest.hexdigest(), pixel_digest.hexdigest() if pixel_offset < entry.size else ""

    def _search(self, patient: str) -> IdentifierSearch | None:
        if self._identifiers is None:
            return None
        search = self._searches.get(patient)
        if search is None:
            search = self._searches[patient] = IdentifierSearch.of_patient(self._identifiers.get(patient, ()))
        return search

    @staticmethod
    def _walk(
        reader: ZipReader, entry: ZipEntry, first: memoryview | None, walker: HeaderWalker, owner: Owner
    ) -> WalkedHeader:
        if first is None:
            raise HeaderFormError("header-truncated")
        data = bytes(first[:FIRST_HEADER_BYTES])
        while True:
            try:
                return walker.walk(data, entry.size, owner)
            except MoreBytesNeededError as more:
                needed = more.needed
            if needed > MAX_HEADER_BYTES:
                raise HeaderFormError("header-too-large")
            wanted = min(max(needed, len(data) * 4), MAX_HEADER_BYTES)
            data = bytes(first[:wanted]) if wanted <= len(first) else reader.read_at(entry, 0, wanted)

    def _check_pixels(self, reader: ZipReader, entry: ZipEntry, name: str, header: WalkedHeader) -> None:
        if header.pixel_offset is None:
            return
        if header.pixel_length == UNDEFINED:
            if not are_fragments_sound(reader, entry, header.pixel_offset):
                self.add("bad-fragments", name)
            return
        lengths = native_pixel_bytes(header)
        if lengths and header.pixel_length not in lengths:
            self.add("pixel-length", name)

    def _check_row(self, name: str, match: re.Match[str], header: WalkedHeader, pixel_sha256: str) -> None:
        uids = [header.text(tag) for tag in (STUDY_UID, SERIES_UID, SOP_INSTANCE_UID)]
        meta = header.meta
        patient = match["patient"]
        if self._rows.get(name) != [
            name,
            patient,
            *uids,
            header.text(SOP_CLASS_UID),
            meta[0x00020010],
            pixel_sha256,
        ]:
            self.add("instance-differs-from-table", name)
        folders = [_hex_of(uid) for uid in uids]
        named = (folders[0][:12], folders[1][:12], folders[2][:16])
        if named != (match["study"], match["series"], match["instance"]) or not all(uids):
            self.add("name-differs-from-uids", name)
        if header.text(PATIENT_ID) != patient:
            self.add("patient-code-differs", name)
        if (meta[0x00020002], meta[0x00020003]) != (header.text(SOP_CLASS_UID), uids[2]):
            self.add("file-meta-differs", name)
        self._implementations.add((meta[0x00020012], meta.get(0x00020013, "")))
        if len(self._implementations) > 1:
            self.add("file-meta-differs", name)
        if self._expected is not None and (self._expected.pixels.get(name) != "") != (header.pixel_offset is not None):
            self.add("pixels-altered", name)
        series = self._series.setdefault((patient, uids[0], uids[1]), SeriesContent())
        series.modalities.add(header.text(MODALITY))
        series.body_parts.add(header.text(BODY_PART))
        series.descriptions.add(header.text(SERIES_DESCRIPTION))
        series.instances += 1

    # the bag's own files ------------------------------------------------

    def _check_files(self, approved: ApprovedValues) -> None:
        """Hold them against what the instances turned out to be."""
        files, digests = self._files, self._digests
        payload = {name: digest for name, digest in digests.items() if name.startswith("data/")}
        tag_files = {name: digest for name, digest in digests.items() if name not in payload}
        info = read_bag_info(files["bag-info.txt"])
        if info is not None:
            self._group, self._number, self._count = info.group, info.number, info.count
        sign_off = read_sign_off(files["metadata/signoff.json"])
        self._unattended = sign_off is not None and sign_off.unattended
        facts = PartFacts(
            group=self._group,
            number=self._number,
            count=self._count,
            unattended=self._unattended,
            instances=self._instances,
            payload_bytes=self._payload_bytes,
            series=len(self._series),
        )
        label_rules = read_label_rules(files["metadata/protocol.toml"])
        for code, name in chain(
            payload_faults(payload, self._manifest, self._rows.keys()),
            tag_file_faults(tag_files, files["tagmanifest-sha256.txt"], files["bagit.txt"]),
            written_faults(payload, tag_files, self._expected),
            series_faults(files["metadata/series.csv"], self._series),
            label_faults(files.get(LABELS), label_rules, {key[:2] for key in self._series}),
            bag_info_faults(info, self._base, self._payload_bytes, self._instances),
            sign_off_faults(sign_off, digests),
            card_faults(files["metadata/dataset-card.json"], facts),
            croissant_faults(files["croissant.json"], digests),
            approved_text_faults(approved.texts(), self._identifiers),
        ):
            self.add(code, name)


@lru_cache(maxsize=256)
def _hex_of(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()


def _digest_chunks(reader: ZipReader, entry: ZipEntry) -> str:
    digest = hashlib.sha256()
    for view in reader.chunks(entry):
        digest.update(view)
    return digest.hexdigest()
