"""Everything that can go wrong, as codes and ids.

No class here carries a value of a patient, a path or another library's message: pydicom quotes values in its
exceptions, and a code is what a log, a report and a support mail may hold. ``app.text.messages`` turns a code into a
sentence.

::

    ConsignError
    ├── UsageError         the request makes no sense; nothing was touched
    ├── ProtocolError      the organisers' file is wrong; says where
    ├── ProjectError       the project folder is damaged, locked or of another version
    ├── UnreadableError    one file cannot be trusted; it is set aside with a Reason
    ├── HeldBackError      one instance may not leave; it is held back with a Reason
    ├── ReleaseBlockedError  the whole release waits for somebody
    └── BundleError        a bundle does not verify
"""

from collections.abc import Mapping
from enum import StrEnum


class Reason(StrEnum):
    """Why a file or an instance does not leave; the code that reports, logs and tables show."""

    # told apart while scanning
    NOT_DICOM = "not-dicom"
    EMPTY_FILE = "empty-file"
    DICOMDIR = "dicomdir"
    ARCHIVE = "archive"
    NOT_A_REGULAR_FILE = "not-a-regular-file"
    LINK = "link"
    DELETED = "deleted"
    # cannot be trusted
    UNREADABLE_IO = "unreadable-io"
    NO_DATASET = "no-dataset"
    BAD_META = "bad-meta"
    UNKNOWN_TRANSFER_SYNTAX = "unknown-transfer-syntax"
    UNKNOWN_SOP_CLASS = "unknown-sop-class"
    MISSING_UID = "missing-uid"
    BAD_UID = "bad-uid"
    TRUNCATED_HEADER = "truncated-header"
    TRUNCATED_PIXELS = "truncated-pixels"
    TAGS_NOT_RISING = "tags-not-rising"
    BAD_ELEMENT = "bad-element"
    BAD_SEQUENCE = "bad-sequence"
    BAD_CHARACTER_SET = "bad-character-set"
    BAD_FRAGMENTS = "bad-fragments"
    BAD_CODESTREAM = "bad-codestream"
    PIXEL_LENGTH = "pixel-length"
    TOO_DEEP = "too-deep"
    TOO_MANY_ELEMENTS = "too-many-elements"
    HEADER_TOO_LARGE = "header-too-large"
    INFLATES_TOO_FAR = "inflates-too-far"
    WORKER_CRASHED = "worker-crashed"
    WORKER_HUNG = "worker-hung"
    WORKER_OUT_OF_MEMORY = "worker-out-of-memory"
    CHANGED_SINCE_SCAN = "changed-since-scan"
    VANISHED = "vanished"
    # archives
    ARCHIVE_DAMAGED = "archive-damaged"
    ARCHIVE_ENCRYPTED = "archive-encrypted"
    ARCHIVE_UNSUPPORTED = "archive-unsupported"
    ARCHIVE_TOO_DEEP = "archive-too-deep"
    ARCHIVE_TOO_LARGE = "archive-too-large"
    ARCHIVE_RATIO = "archive-ratio"
    ARCHIVE_TOO_MANY_MEMBERS = "archive-too-many-members"
    MEMBER_PATH_ESCAPES = "member-path-escapes"
    MEMBER_NOT_A_FILE = "member-not-a-file"
    # catalogue
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    # selection
    NOT_SELECTED = "not-selected"
    # held back by the rules
    NO_RULE_FOR_OBJECT = "no-rule-for-object"
    STRUCTURED_TEXT = "structured-text"
    ENCAPSULATED_DOCUMENT = "encapsulated-document"
    PRESENTATION_TEXT = "presentation-text"
    VIDEO = "video"
    UNSUPPORTED_TRANSFER_SYNTAX = "unsupported-transfer-syntax"
    IMAGE_NOT_CHECKED = "image-not-checked"
    FRAME_TOO_LARGE = "frame-too-large"
    MASK_NOT_PROVEN = "mask-not-proven"
    NOT_VERIFIED = "not-verified"
    DETECTOR_FAILED = "detector-failed"
    TEXT_FOUND = "text-found"
    TEXT_POSSIBLE = "text-possible"
    BURNED_IN_LIKELY = "burned-in-likely"
    MUST_BE_SEEN = "must-be-seen"
    EXCLUDED_BY_PROTOCOL = "excluded-by-protocol"
    VISUAL_FEATURES = "visual-features"
    REQUIRED_VALUE_LOST = "required-value-lost"
    NO_PIXELS = "no-pixels"
    ENCRYPTED_ATTRIBUTES = "encrypted-attributes"
    # held back by a person
    EXCLUDED_BY_PERSON = "excluded-by-person"


class ConsignError(Exception):
    """A code, and ids that say where; never a value.

    Parameters
    ----------
    code
        Key of a sentence in ``app.text.messages``.
    ids
        Row numbers, counts, tags, keywords of the product's own vocabulary; nothing read from a patient's file.
    """

    def __init__(self, code: str, **ids: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.ids: Mapping[str, str | int] = ids

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{key}={value}" for key, value in self.ids.items())])


class UsageError(ConsignError):
    """The request makes no sense; nothing was touched."""


class ProtocolError(ConsignError):
    """The organisers' protocol file (or a ``--where`` expression) is wrong; ``ids`` says where."""


class ProjectError(ConsignError):
    """The project folder is missing, damaged, locked or of another version."""


class FileError(ConsignError):
    """One file is out; ``reason`` says why. Picklable, so that a worker can raise it."""

    def __init__(self, reason: Reason, **ids: str | int) -> None:
        super().__init__(reason.value, **ids)
        self.reason = reason

    def __reduce__(self) -> tuple[type["FileError"], tuple[Reason]]:
        return type(self), (self.reason,)


class UnreadableError(FileError):
    """The bytes are damaged, or say something that we do not trust."""


class HeldBackError(FileError):
    """The file reads well, but the rules or a person do not let it leave."""


class ReleaseBlockedError(ConsignError):
    """The release waits: an approval is missing or stale, a value is undecided, a source changed."""


class BundleError(ConsignError):
    """A bundle, or one of its parts, does not verify."""
