"""Verifies a delivery: each part by the separate reader (``verify_part``), and that all parts are there and fit.

Works on any bundle, anywhere, without a project.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bundle.verify_findings import Finding, PartReport
from app.bundle.verify_part import verify_part
from app.bundle.verify_sums import digest_of, parse_sums
from app.events import Progress

CHECKSUMS = "SHA256SUMS"
# What has its place beside the listed files: the list itself, and what systems leave in a folder that somebody opened.
_BESIDE = frozenset(("SHA256SUMS", ".DS_Store", "Thumbs.db", "desktop.ini"))


@dataclass(frozen=True, slots=True)
class BundleReport:
    """The verdict: ``findings`` of all parts and of the bundle as a whole; sound where there are none."""

    parts: tuple[PartReport, ...]
    findings: tuple[Finding, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify_bundle(paths: Sequence[Path], identifiers: Mapping[str, Collection[str]] | None = None) -> BundleReport:
    """Verify a folder of parts, or some parts: ``verify_progress`` without its events."""
    steps = verify_progress(paths, identifiers)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            report: BundleReport = end.value
            return report


def verify_progress(
    paths: Sequence[Path], identifiers: Mapping[str, Collection[str]] | None = None
) -> Generator[Progress, None, BundleReport]:
    """Verify folders and zip files as one delivery, and return what was found; progress counts bytes.

    All parts of each bundle must be there. Where SHA256SUMS lies beside the parts, it must agree; for a
    folder it must be there, and name every file in it.
    """
    findings: list[Finding] = []
    parts, folders = _find_parts(paths, findings)
    sizes = [part.stat().st_size if part.is_file() else 0 for part in parts]
    reports: list[PartReport] = []
    digests: dict[Path, str] = {}
    yield Progress("verify", 0, sum(sizes), "bytes")
    for number, part in enumerate(parts, start=1):
        try:
            report = verify_part(part, None, identifiers)
        except OSError:
            findings.append(Finding("file-unreadable", part.name))
            continue
        reports.append(report)
        digests[part] = report.sha256
        findings.extend(report.findings)
        yield Progress("verify", sum(sizes[:number]), sum(sizes), "bytes")
    findings.extend(_check_group(reports))
    for folder in sorted({part.parent for part in parts} | folders):
        findings.extend(_check_sums(folder, digests, is_whole=folder in folders))
    return BundleReport(tuple(reports), tuple(findings))


def _find_parts(paths: Sequence[Path], findings: list[Finding]) -> tuple[list[Path], set[Path]]:
    parts: dict[Path, None] = {}
    folders: set[Path] = set()
    for path in paths:
        if path.is_dir():
            folders.add(path)
            parts.update(dict.fromkeys(sorted(path.glob("*.zip"))))
        else:
            parts[path] = None
    if not parts:
        findings.append(Finding("no-parts", ""))
    return list(parts), folders


def _check_group(reports: Sequence[PartReport]) -> list[Finding]:
    """All parts of each bundle once, and all of the same release."""
    findings: list[Finding] = []
    groups: dict[str, list[PartReport]] = {}
    for report in reports:
        if report.count:
            groups.setdefault(report.group, []).append(report)
    for members in groups.values():
        first = members[0]
        numbers = [member.number for member in members]
        if len({(member.shared, member.count) for member in members}) > 1:
            findings.append(Finding("parts-of-different-releases", first.name))
        findings.extend(
            Finding("part-name-differs", member.name)
            for member in members
            if member.name != f"{member.group}-part-{member.number:03d}.zip"
        )
        if len(set(numbers)) < len(numbers):
            findings.append(Finding("part-twice", first.name))
        missing = sorted(set(range(1, first.count + 1)) - set(numbers))
        findings.extend(Finding("part-missing", f"{first.group}-part-{number:03d}.zip") for number in missing)
    return findings


def _check_sums(folder: Path, digests: Mapping[Path, str], *, is_whole: bool) -> list[Finding]:
    """Compare SHA256SUMS with what lies beside it; for a folder that is not asked for as a whole, only the
    parts given.
    """
    listing = folder / CHECKSUMS
    if not listing.is_file():
        return [Finding("checksums-missing", CHECKSUMS)] if is_whole else []
    try:
        sums = parse_sums(listing.read_bytes())
    except OSError:
        return [Finding("file-unreadable", CHECKSUMS)]
    if sums is None or any("/" in name for name in sums):
        return [Finding("bad-checksums", CHECKSUMS)]
    findings = []
    for path, digest in digests.items():
        if path.parent == folder and sums.get(path.name) != digest:
            findings.append(Finding("file-altered" if path.name in sums else "file-not-listed", path.name))
    if not is_whole:
        return findings
    for name, digest in sums.items():
        path = folder / name
        if path in digests:
            continue
        if not path.is_file():
            findings.append(Finding("file-missing", name))
        elif digest_of(path) != digest:
            findings.append(Finding("file-altered", name))
    known = sums.keys() | {path.name for path in digests} | _BESIDE
    strangers = sorted(path.name for path in folder.iterdir() if path.name not in known and path.is_file())
    findings.extend(Finding("file-not-listed", name) for name in strangers)
    return findings
