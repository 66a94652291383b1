"""What the pipeline hands to the export: the release function, and all that was decided and signed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.bundle.sign_off import SignOffRecord
from app.dicom.pixel_digest import PixelDigest

if TYPE_CHECKING:  # workers import this module too, and have no use for a template engine
    from app.bundle.report import ReportData


@dataclass(frozen=True, slots=True)
class ReleaseTask:
    """One instance to release, from the catalogue: ``size`` in bytes, ``mtime_ns`` of the outermost file.

    ``pixels``: which ones were looked through, None where that is not known.
    """

    instance_id: int
    patient_id: int
    series_id: int
    original_locator: str = field(repr=False)
    size: int
    mtime_ns: int
    pixels: PixelDigest | None = None


@dataclass(frozen=True, slots=True)
class ReleasedInstance:
    """One de-identified instance, ready to be written.

    Attributes
    ----------
    header
        Preamble, DICM, File Meta, all elements before the pixels, and the pixel element's own header (tag,
        VR, length).
    pixels
        The pixel element's value up to the end of the file, in chunks of at most a few MiB; with encapsulated
        frames the items and the sequence delimiter too. Empty where there is no pixel element.
    modality, body_part, description
        The released Modality, Body Part Examined and Series Description, '' where there is none.
    expected
        What ``pixels`` must be: those that were looked through. None where they leave masked, or it is not known.
    """

    header: bytes
    pixels: Iterator[bytes]
    patient_code: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    modality: str
    body_part: str
    description: str
    expected: PixelDigest | None = None


ReleaseFunction = Callable[[Any, ReleaseTask], ReleasedInstance]
"""De-identifies one instance; a module-level function, because it travels to worker processes by name.

The first argument is what ``Release.contexts`` gave for the task's patient. Raises FileError, at once or
while ``pixels`` is consumed, where the instance cannot leave (vanished, changed, damaged); nothing else.
"""


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One approved value, or one folded range of values: a line of metadata/values.csv.

    ``path`` and ``value`` in canonical text; ``fold`` is '' or number, uid, date, time, binary, code;
    ``instances`` and ``patients`` are counts.
    """

    path: str
    vr: str
    fold: str
    value: str
    low: str
    high: str
    instances: int
    patients: int


@dataclass(frozen=True, slots=True)
class Release:
    """All that an export needs and the bundle step can't know by itself.

    Attributes
    ----------
    function
        De-identifies one instance in a worker.
    contexts
        What ``function`` gets for a patient (row number); picklable, small: it travels with each part.
    patient_codes
        Patient row number to patient code.
    values
        The approved values; any order.
    rules_csv
        The rules as applied: UTF-8 CSV with at least the columns ``tag`` (``(0008,0060)``, or a private
        component as in values.csv) and ``action``. An element may be present and empty where its tag's action
        is not ``remove``.
    sign_off
        Who approved, or that nobody did.
    method_codes
        Code and meaning of CID 7050 for what was really applied.
    date_preset
        ``DatePreset`` value.
    digest
        Of everything else that the released bytes depend upon: rules, decisions, secret, crosswalk, program.
        When it changes, every part is built anew.
    description
        What a catalogue asks for, by item; JSON values.
    report
        Called once all parts are there: the report's figures, with what this export itself held back.
    identifiers
        The original identifiers of a patient (row number), looked for in that patient's released headers;
        None: not searched. Leave out what a reviewer decided to keep.
    """

    function: ReleaseFunction
    contexts: Callable[[int], Any]
    patient_codes: Mapping[int, str]
    values: tuple[ValueRow, ...]
    rules_csv: bytes
    sign_off: SignOffRecord
    method_codes: tuple[tuple[str, str], ...]
    date_preset: str
    digest: str
    report: "Callable[[], ReportData]"
    description: Mapping[str, Any] = field(default_factory=dict)
    identifiers: Callable[[int], tuple[str, ...]] | None = None
