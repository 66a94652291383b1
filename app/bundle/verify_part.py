"""The separate reader of one part: opens it and finds whatever should not be there.

Used twice: on each part before it gets its final name, and by ``consign verify`` (``verify``) on any bundle.
Shares no code with what wrote the parts, but the dictionary of the standard. A finding is a code and names of
the bundle's own making; never a value.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

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
from app.bundle.verify_labels import NAME as LABELS
from app.bundle.verify_labels import label_faults, read_label_rules
from app.bundle.verify_pixels import are_fragments_sound, native_pixel_bytes
from app.bundle.verify_sums import digest_of, parse_sums
from app.bundle.verify_text import IdentifierSearch
from app.bundle.verify_values import PATIENT_CODE, ApprovedValues, Owner, TableFormError, read_table
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
SERIES_COLUMNS = ["patient", "study_uid", "series_uid", "modality", "body_part", "description", "instances"]
BAG_FILES = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt")
METADATA_FILES = (
    "croissant.json",
    "metadata/dataset-card.json",
    "metadata/instances.csv",
    "metadata/protocol.toml",
    "metadata/rules.csv",
    "metadata/series.csv",
    "metadata/signoff.json",
    "metadata/values.csv",
)
# The same in every part of a bundle.
SHARED_FILES = tuple(f"metadata/{name}" for name in ("protocol.toml", "rules.csv", "signoff.json", "values.csv"))
MAX_FINDINGS = 1000  # of one part; what is wrong everywhere needs no longer list
MAX_METADATA_BYTES = 512 << 20
FIRST_HEADER_BYTES = 32 << 10
MAX_HEADER_BYTES = 256 << 20
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_INFO_LABELS = ("Bag-Count", "Bag-Group-Identifier", "Bag-Software-Agent", "Payload-Oxum")
_COUNT = re.compile(r"([1-9]\d{0,4}) of ([1-9]\d{0,4})\Z", re.ASCII)
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z", re.ASCII)
_INSTANCE_NAME = re.compile(
    r"data/(?P<patient>[^/]+)/(?P<study>[0-9a-f]{12})/(?P<series>[0-9a-f]{12})/(?P<instance>[0-9a-f]{16})\.dcm\Z"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should not be so.

    ``part`` is a zip's file name, ``entry`` the name of a file in it (without the base folder), ``path`` a
    place in a DICOM header; both '' where the finding is about more. Each of them is a released name, no PHI.
    """

    code: str
    part: str
    entry: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the writer of a part took on the way from the source, by name within the bag: SHA-256 and CRC-32 of whole
    instances, SHA-256 of their pixels and of the bag's own files.
    """

    payload: Mapping[str, str]
    checksums: Mapping[str, int]
    pixels: Mapping[str, str]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PartReport:
    """What a part is, as far as it could be read. ``size`` in bytes; ``shared`` are digests of what all parts
    repeat.
    """

    name: str
    size: int
    sha256: str
    group: str
    number: int
    count: int
    instances: int
    shared: tuple[str, ...]
    unattended: bool
    findings: tuple[Finding, ...]


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


@dataclass(slots=True)
class _Series:
    modalities: set[str] = field(default_factory=set)
    body_parts: set[str] = field(default_factory=set)
    descriptions: set[str] = field(default_factory=set)
    instances: int = 0


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
        self._metadata: dict[str, bytes] = {}
        self._digests: dict[str, str] = {}
        self._manifest: Mapping[str, str] = {}
        self._rows: dict[str, list[str]] = {}
        self._series: dict[tuple[str, str, str], _Series] = {}
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
            approved = self._read_metadata(reader)
        except TableFormError as error:
            self.add(error.code)
            return
        walker = HeaderWalker(approved)
        last_patient = ""
        for entry in reader.entries:
            name = self.within_bag(entry.name)
            match = _INSTANCE_NAME.match(name)
            if match is None:
                self._digests[name] = _digest_chunks(reader, entry)
                continue
            if self._identifiers is not None and match["patient"] != last_patient:
                last_patient = match["patient"]
                approved.forget()
            self._check_instance(reader, entry, name, match, walker)
        self._sha256 = reader.whole_digest()
        self._check_digests()
        self._check_series()
        self._check_labels()
        self._check_info(self._metadata["bag-info.txt"])
        self._check_sign_off()
        self._check_card()
        self._check_croissant()
        self._check_approved_texts(approved)

    # layout ---------------------------------------------------------------

    def _read_layout(self, reader: ZipReader) -> bool:
        bases = {entry.name.partition("/")[0] for entry in reader.entries}
        if len(bases) > 1:
            self.add("more-than-one-folder")
            return False
        self._base = bases.pop()
        names = {self.within_bag(entry.name) for entry in reader.entries}
        known = {*BAG_FILES, *METADATA_FILES}
        for name in sorted(names - known - {LABELS}):
            match = _INSTANCE_NAME.match(name)
            if match is None or PATIENT_CODE.match(match["patient"]) is None:
                self.add("entry-unexpected", name)
        for name in sorted(known - names):
            self.add("entry-missing", name)
        return names >= known

    def _read_metadata(self, reader: ZipReader) -> ApprovedValues:
        for name in (*BAG_FILES, *METADATA_FILES):
            content = reader.read(f"{self._base}/{name}", MAX_METADATA_BYTES)
            assert content is not None  # the layout has been checked
            self._metadata[name] = content
        labels = reader.read(f"{self._base}/{LABELS}", MAX_METADATA_BYTES)
        if labels is not None:
            self._metadata[LABELS] = labels
        manifest = parse_sums(self._metadata["manifest-sha256.txt"])
        if manifest is None:
            self.add("bad-manifest", "manifest-sha256.txt")
        self._manifest = manifest or {}
        rows = read_table(self._metadata["metadata/instances.csv"], INSTANCE_COLUMNS, "bad-instances-table")
        self._rows = {row[0]: row for row in rows}
        if len(self._rows) < len(rows) or [row[0] for row in rows] != sorted(self._rows):
            self.add("bad-instances-table", "metadata/instances.csv")
        return ApprovedValues(self._metadata["metadata/values.csv"], self._metadata["metadata/rules.csv"])

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
        series = self._series.setdefault((patient, uids[0], uids[1]), _Series())
        series.modalities.add(header.text(MODALITY))
        series.body_parts.add(header.text(BODY_PART))
        series.descriptions.add(header.text(SERIES_DESCRIPTION))
        series.instances += 1

    # the bag's own files ------------------------------------------------

    def _check_digests(self) -> None:
        payload = {name: digest for name, digest in self._digests.items() if name.startswith("data/")}
        self._compare_digests(payload, self._manifest)
        for name in sorted(self._rows.keys() ^ payload.keys()):
            self.add("instance-differs-from-table", name)
        tag_files = {
            name: digest
            for name, digest in self._digests.items()
            if not name.startswith("data/") and name != "tagmanifest-sha256.txt"
        }
        tag_manifest = parse_sums(self._metadata["tagmanifest-sha256.txt"])
        if tag_manifest is None:
            self.add("bad-manifest", "tagmanifest-sha256.txt")
        else:
            self._compare_digests(tag_files, tag_manifest)
        if self._metadata["bagit.txt"] != _DECLARATION:
            self.add("bad-bag-declaration", "bagit.txt")
        if self._expected is not None:
            written = {**tag_files, "tagmanifest-sha256.txt": self._digests["tagmanifest-sha256.txt"]}
            self._compare_digests(written, self._expected.files)
            for name in sorted(self._expected.pixels.keys() ^ payload.keys()):
                self.add("pixels-altered", name)

    def _compare_digests(self, found: Mapping[str, str], listed: Mapping[str, str]) -> None:
        for name in sorted(found.keys() | listed.keys()):
            if name not in listed:
                self.add("file-not-listed", name)
            elif name not in found:
                self.add("file-missing", name)
            elif found[name] != listed[name]:
                self.add("file-altered", name)

    def _check_series(self) -> None:
        name = "metadata/series.csv"
        try:
            rows = read_table(self._metadata[name], SERIES_COLUMNS, "bad-series-table")
        except TableFormError as error:
            self.add(error.code, name)
            return
        keys = [(row[0], row[1], row[2]) for row in rows]
        if keys != sorted(self._series):
            self.add("series-table-differs", name)
            return
        for key, (*_, modality, body_part, description, instances) in zip(keys, rows, strict=True):
            series = self._series[key]
            is_same = modality in series.modalities and body_part in series.body_parts
            if not is_same or description not in series.descriptions or instances != str(series.instances):
                self.add("series-table-differs", name)

    def _check_labels(self) -> None:
        """Optional: they are there where the protocol asks for groups or labels."""
        rules = read_label_rules(self._metadata["metadata/protocol.toml"])
        for code in label_faults(self._metadata.get(LABELS), rules, {key[:2] for key in self._series}):
            self.add(code, LABELS)

    def _check_info(self, content: bytes) -> None:
        lines = content.decode("ascii", "replace").split("\n")
        pairs = [line.partition(": ") for line in lines[:-1]]
        if lines[-1] or tuple(label for label, _, _ in pairs) != _INFO_LABELS:
            self.add("bad-bag-info", "bag-info.txt")
            return
        count, group, _, oxum = (value for _, _, value in pairs)
        match = _COUNT.match(count)
        if match is None or int(match[1]) > int(match[2]) or _GROUP.match(group) is None:
            self.add("bad-bag-info", "bag-info.txt")
            return
        self._group, self._number, self._count = group, int(match[1]), int(match[2])
        if oxum != f"{self._payload_bytes}.{self._instances}":
            self.add("payload-count-differs", "bag-info.txt")
        if self._base != f"{group}-part-{self._number:03d}":
            self.add("folder-name-differs", "bag-info.txt")

    def _check_sign_off(self) -> None:
        name = "metadata/signoff.json"
        sign_off = _parse_json(self._metadata[name])
        if sign_off is None or not isinstance(sign_off.get("unattended"), bool):
            self.add("bad-sign-off", name)
            return
        self._unattended = bool(sign_off["unattended"])
        for key, file in (("values", "values.csv"), ("rules", "rules.csv"), ("protocol", "protocol.toml")):
            if sign_off.get(f"{key}_sha256") != self._digests.get(f"metadata/{file}"):
                self.add("sign-off-differs", f"metadata/{file}")

    def _check_card(self) -> None:
        name = "metadata/dataset-card.json"
        card = _parse_json(self._metadata[name]) or {}
        contents, review, bundle = (card.get(key) for key in ("contents", "review", "bundle"))
        if not isinstance(contents, dict) or not isinstance(review, dict) or not isinstance(bundle, dict):
            self.add("bad-dataset-card", name)
            return
        counted = (contents.get("instances"), contents.get("bytes"), contents.get("series"))
        told = (bundle.get("group"), bundle.get("part"), bundle.get("parts"), review.get("unattended"))
        if counted != (self._instances, self._payload_bytes, len(self._series)) or told != (
            self._group,
            self._number,
            self._count,
            self._unattended,
        ):
            self.add("dataset-card-differs", name)

    def _check_croissant(self) -> None:
        """It is JSON, and the tables that it names are the ones that are here."""
        content = _parse_json(self._metadata["croissant.json"]) or {}
        distribution = content.get("distribution")
        files = [one for one in distribution if isinstance(one, dict)] if isinstance(distribution, list) else []
        named = {one.get("contentUrl"): one.get("sha256") for one in files if one.get("@type") == "cr:FileObject"}
        tables = ("metadata/series.csv", "metadata/instances.csv")
        if named != {name: self._digests.get(name) for name in tables}:
            self.add("croissant-differs", "croissant.json")

    def _check_approved_texts(self, approved: ApprovedValues) -> None:
        """values.csv is about everybody: nothing in it says whose text a text is."""
        if self._identifiers is None:
            return
        everybody = (one for identifiers in self._identifiers.values() for one in identifiers)
        search = IdentifierSearch.of_anybody(everybody)
        if any(search.is_in(text) for text in approved.texts()):
            self.add("original-identifier", "metadata/values.csv")


@lru_cache(maxsize=256)
def _hex_of(uid: str) -> str:
    return hashlib.sha256(uid.encode()).hexdigest()


def _digest_chunks(reader: ZipReader, entry: ZipEntry) -> str:
    digest = hashlib.sha256()
    for view in reader.chunks(entry):
        digest.update(view)
    return digest.hexdigest()


def _parse_json(content: bytes) -> dict[str, object] | None:
    try:
        parsed = json.loads(content)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
