"""report.html: what the privacy officer reads before anything is handed over. English, printable, no scripts,
no PHI.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.bundle.sign_off import SignOffRecord
from app.files.resources import resource_path


@dataclass(frozen=True, slots=True)
class Taken:
    """One line of what leaves: counts by modality."""

    modality: str
    patients: int
    studies: int
    series: int
    instances: int


@dataclass(frozen=True, slots=True)
class Reasoned:
    """So many files or instances for one reason: its code, and a sentence for people."""

    reason: str
    sentence: str
    count: int


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done to one attribute: path, action (kept, changed, emptied, removed, ...), reason code, how
    often.
    """

    path: str
    action: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Override:
    """A protocol's own action for one attribute; ``loosens``: it lets out what the profile would not."""

    attribute: str
    action: str
    profile_action: str
    loosens: bool


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Suspicious values by reason: how many, and how they were decided. Counts only: a dropped value must not
    show.
    """

    reason: str
    sentence: str
    kept: int
    replaced: int
    dropped: int


@dataclass(frozen=True, slots=True)
class KeptSuspicious:
    """A suspicious value that a person let leave, as it leaves."""

    path: str
    released_value: str
    reasons: tuple[str, ...]
    instances: int
    patients: int


@dataclass(frozen=True, slots=True)
class ImagesLeaving:
    """How the images that leave were looked at; counts.

    ``detectors`` by name. ``clear``: nothing was found on them. ``masked_by_rule``: what was found was covered, no
    person looked. ``masked_by_person`` and ``seen``: a person looked and let them leave, with masks or as they are.
    ``boxes`` were covered in all.
    """

    detectors: tuple[str, ...]
    clear: int
    masked_by_rule: int
    masked_by_person: int
    seen: int
    boxes: int


@dataclass(frozen=True, slots=True)
class AuditSample:
    """Images drawn at random from those that nothing flagged (``population``), and seen by a person.

    ``upper_bound`` is the share of the population, 0 to 1, that at 95 % confidence shows identifying text at
    most.
    """

    population: int
    seen: int
    found: int
    upper_bound: float
    share: float | None = None  # the protocol's
    needed: int = 0  # images that had to be seen for it


@dataclass(frozen=True, slots=True)
class DatasetFinding:
    """What was found in the data set as a whole: what it is, in sentences, and what was decided."""

    title: str
    sentences: tuple[str, ...]
    decision: str


@dataclass(frozen=True, slots=True)
class DatasetSection:
    """The data set as a whole.

    ``description`` are lines of name and text. ``studies_left_out`` and ``faces_left_out`` (series) stayed at the site
    on account of a finding; ``attributes`` are those of which the site let out less, with what it did.
    """

    description: tuple[tuple[str, str], ...]
    findings: tuple[DatasetFinding, ...]
    studies_left_out: int
    faces_left_out: int
    faces_removed: int
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the bundle; ``size`` in bytes."""

    file_name: str
    instances: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """The report's content, but for the parts. Everything in it may be read by anybody: released values and
    counts.

    ``files`` are all that the scan found; they are ``released`` and the counts of ``held_back``, ``not_selected``,
    ``skipped`` (no imaging data, or duplicates) and ``unreadable``. ``values`` counts the unique values that leave.
    """

    title: str
    protocol_id: str
    protocol_sha256: str
    contact: str
    site_id: str
    software: str
    sign_off: SignOffRecord
    method_codes: tuple[tuple[str, str], ...]
    date_preset: str
    date_sentence: str
    overrides: tuple[Override, ...]
    files: int
    released: int
    patients: int
    studies: int
    series: int
    taken: tuple[Taken, ...]
    held_back: tuple[Reasoned, ...]
    not_selected: tuple[Reasoned, ...]
    skipped: tuple[Reasoned, ...]
    unreadable: tuple[Reasoned, ...]
    applied: tuple[Applied, ...]
    images: ImagesLeaving
    values: int
    suspicions: tuple[Suspicion, ...]
    kept_suspicious: tuple[KeptSuspicious, ...]
    audit_sample: AuditSample | None
    dataset: DatasetSection | None = None

    @property
    def accounted(self) -> int:
        """Files with a known fate; equal to ``files``."""
        groups = (self.held_back, self.not_selected, self.skipped, self.unreadable)
        return self.released + sum(line.count for group in groups for line in group)


def render_report(data: ReportData, parts: Sequence[Part]) -> bytes:
    """The report as one HTML file in UTF-8. The same data make the same bytes."""
    from jinja2 import (  # noqa: PLC0415 - for the end of an export, not for every start
        Environment,
        FileSystemLoader,
        StrictUndefined,
    )

    environment = Environment(
        loader=FileSystemLoader(resource_path("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = _number
    environment.filters["percent"] = _percent
    return environment.get_template("report.html").render(data=data, parts=parts).encode("utf-8")


def _number(value: int) -> str:
    """12345 as 12,345."""
    return f"{value:,}"


def _percent(share: float) -> str:
    """0.0487 as 4.9 %."""
    return f"{share * 100:.1f} %"
