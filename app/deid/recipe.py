"""What a de-identification depends on: the protocol's rules, the project's keys, people's decisions, the patient."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from app import __version__
from app.dicom.identity import IdentityKind
from app.dicom.profile import Action, DatePreset, Option
from app.dicom.temporal import parse_date
from app.dicom.words import fold, load_vocabulary, split_words
from app.project.decisions import Decisions, ValueAction

_SHORTEST_NAME = 2
_SHORTEST_ID = 4
_SHORTEST_NUMBER = 5
_SHORTEST_PHRASE = 5


@lru_cache(maxsize=2)
def _vocabulary(safe_words: frozenset[str]) -> frozenset[str]:
    return load_vocabulary() | safe_words


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything but the patient. Picklable; made once a job.

    Attributes
    ----------
    overrides
        The protocol's actions for single tags.
    site_overrides
        The site's, which only let out less.
    safe_words
        Words that the protocol or a reviewer called safe, casefolded.
    decisions
        (path, released value) -> replacement, or None to drop the value.
    dropped_paths
        Paths of which nothing may leave.
    """

    options: frozenset[Option]
    dates: DatePreset
    overrides: tuple[tuple[int, Action], ...]
    safe_words: frozenset[str]
    uid_key: bytes = field(repr=False)
    accession_key: bytes = field(repr=False)
    decisions: Mapping[tuple[str, str], str | None] = field(default_factory=dict)
    dropped_paths: frozenset[str] = frozenset()
    site_overrides: tuple[tuple[int, Action], ...] = ()

    @property
    def vocabulary(self) -> frozenset[str]:
        """All words that may stand in free text."""
        return _vocabulary(self.safe_words)

    def accession_pseudonym(self, original: str) -> str:
        """``A`` and 60 bits of a keyed hash in base32: fits SH."""
        digest = hmac.digest(self.accession_key, original.encode(), "sha256")
        return "A" + base64.b32encode(digest)[:12].decode()

    @property
    def digest(self) -> str:
        """Of all that changes what a header becomes, before a reviewer's decisions about values."""
        content = [
            __version__,
            sorted(self.options),
            self.dates,
            sorted((tag, action.value) for tag, action in self.overrides),
            sorted((tag, action.value) for tag, action in self.site_overrides),
            sorted(self.safe_words),
            hashlib.sha256(self.uid_key + self.accession_key).hexdigest(),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def with_decisions(recipe: Recipe, decisions: Decisions) -> Recipe:
    """The recipe of the export: the one that was prepared with, and what people decided about its values."""
    values: dict[tuple[str, str], str | None] = {}
    for key, decision in decisions.values.items():
        match decision.action:
            case ValueAction.KEEP:
                continue
            case ValueAction.DROP:
                values[key] = None
            case ValueAction.REPLACE:
                values[key] = decision.replacement
    return replace(recipe, decisions=values, dropped_paths=decisions.tags_dropped)


@dataclass(frozen=True, slots=True, repr=False)
class Patient:
    """What a worker knows of a patient. Picklable.

    Attributes
    ----------
    code
        The random patient code.
    shift_days
        How far dates move into the past.
    unsafe_words
        Folded words of names and identifiers: they leave in no text.
    identity_phrases
        Folded phrases of four characters and more, looked for inside kept text.
    identity_numbers
        Identifiers and dates of digits only, without leading zeros, looked for in numbers.
    """

    code: str
    shift_days: int
    unsafe_words: frozenset[str] = frozenset()
    identity_phrases: frozenset[str] = frozenset()
    identity_numbers: frozenset[str] = frozenset()


def describe_patient(code: str, shift_days: int, identities: Iterable[tuple[str, str]]) -> Patient:
    """Turn the catalogue's identities (kind, original value) into what is looked for."""
    words: set[str] = set()
    phrases: set[str] = set()
    numbers: set[str] = set()
    for kind, original in identities:
        folded = fold(original).strip()
        match IdentityKind(kind):
            case IdentityKind.NAME:
                parts = [part for part in re.split(r"[\s^=,.;]+", folded) if part]
                words.update(part for part in (*parts, *split_words(folded)) if len(part) >= _SHORTEST_NAME)
            case IdentityKind.ID:
                words.update(part for part in (folded, *split_words(folded)) if len(part) >= _SHORTEST_ID)
                if len(folded) >= _SHORTEST_PHRASE:
                    phrases.add(folded)
                # 12-34-567 and 12.34.567 are written as 1234567 elsewhere.
                digits = re.sub(r"[\s./_-]", "", folded).lstrip("0")
                if digits.isdecimal() and len(digits) >= _SHORTEST_NUMBER:
                    numbers.add(digits)
                    words.add(digits)
            case IdentityKind.DATE:
                date = parse_date(original.strip())
                if date is not None:
                    numbers.add(date.strftime("%Y%m%d"))
                    phrases.update(_spellings(date.year, date.month, date.day))
            case IdentityKind.PLACE:
                if len(folded) >= _SHORTEST_PHRASE and " " in folded:
                    phrases.add(folded)
            case IdentityKind.UID:
                phrases.add(folded)
    return Patient(code, shift_days, frozenset(words), frozenset(phrases), frozenset(numbers))


def _spellings(year: int, month: int, day: int) -> Iterable[str]:
    yield f"{year:04d}{month:02d}{day:02d}"
    yield f"{day:02d}{month:02d}{year:04d}"
    yield f"{month:02d}{day:02d}{year:04d}"
    for sign in "-./ ":
        yield f"{year:04d}{sign}{month:02d}{sign}{day:02d}"
        yield f"{day:02d}{sign}{month:02d}{sign}{year:04d}"
        yield f"{month:02d}{sign}{day:02d}{sign}{year:04d}"
