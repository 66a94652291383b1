"""The way back from released to original identifiers: encrypted at rest, never in a bundle.

Patient codes and date shifts are drawn from a stream of the project's secret, in the order in which patients are
registered: 45 CFR 164.514(c) wants a code that is not derived from the person. The same secret and the same order give
the same codes, so that a lost crosswalk can be remade, and nobody without the secret can.
"""

import base64
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.fernet import Fernet, InvalidToken

from app.errors import ProjectError
from app.project.secret import Secret
from app.project.store import Store

# Between a month and ten years into the past.
SHORTEST_SHIFT_DAYS = 30
LONGEST_SHIFT_DAYS = 3650
CODE_LENGTH = 6


@dataclass(frozen=True, slots=True)
class PatientPseudonym:
    """A patient's code and how many days the dates move into the past."""

    code: str
    shift_days: int


@dataclass(frozen=True, slots=True)
class CrosswalkRow:
    """One way back."""

    kind: str
    original: str
    released: str


class Crosswalk:
    """Reads and extends the crosswalk of an open project."""

    def __init__(self, store: Store, secret: Secret, site_id: str) -> None:
        self._store = store
        self._fernet = Fernet(secret.fernet_key())
        self._lookup_key = secret.subkey("crosswalk lookup")
        self._draw_key = secret.subkey("patient draw")
        self._site_id = site_id

    def register_patients(self, original_keys: Iterable[str]) -> dict[str, PatientPseudonym]:
        """The pseudonym of each patient key; new ones are drawn in the given order and stored."""
        known: dict[str, PatientPseudonym] = {}
        with self._store.transaction():
            count = self._store.one("SELECT count(*) FROM crosswalk WHERE kind = 'patient'")
            taken = {
                row["released"] for row in self._store.execute("SELECT released FROM crosswalk WHERE kind = 'patient'")
            }
            for original_key in original_keys:
                code = self._find("patient", original_key)
                if code is None:
                    code, shift = self._draw(count, taken)
                    count += 1
                    taken.add(code)
                    self._insert("patient", original_key, code)
                    self._insert("shift", original_key, str(shift))
                shift_text = self._find("shift", original_key)
                if shift_text is None:
                    raise ProjectError("crosswalk-damaged")
                known[original_key] = PatientPseudonym(code, int(shift_text))
        return known

    def find_patient(self, original_key: str) -> PatientPseudonym | None:
        """The pseudonym of a patient who has one; writes nothing. Raises ProjectError where the shift is missing."""
        code = self._find("patient", original_key)
        if code is None:
            return None
        shift_text = self._find("shift", original_key)
        if shift_text is None:
            raise ProjectError("crosswalk-damaged")
        return PatientPseudonym(code, int(shift_text))

    def _draw(self, number: int, taken: set[str]) -> tuple[str, int]:
        attempt = 0
        while True:
            digest = hmac.digest(self._draw_key, f"{number}/{attempt}".encode(), "sha256")
            letters = base64.b32encode(digest[:8]).decode()[:CODE_LENGTH]
            code = f"{self._site_id}-{letters}"
            if code not in taken:
                break
            attempt += 1
        span = LONGEST_SHIFT_DAYS - SHORTEST_SHIFT_DAYS + 1
        return code, SHORTEST_SHIFT_DAYS + int.from_bytes(digest[8:16], "big") % span

    def add(self, kind: str, pairs: Iterable[tuple[str, str]]) -> None:
        """Remember original and released values; call inside a transaction. Known ones stay as they are."""
        for original, released in pairs:
            self._insert(kind, original, released)

    def rows(self, kind: str) -> Iterator[CrosswalkRow]:
        """All of one kind, decrypted. Raises ProjectError where the secret does not fit."""
        sql = "SELECT original_encrypted, released FROM crosswalk WHERE kind = ? ORDER BY released"
        for row in self._store.execute(sql, (kind,)):
            try:
                original = self._fernet.decrypt(row["original_encrypted"]).decode()
            except InvalidToken as error:
                raise ProjectError("crosswalk-damaged") from error
            yield CrosswalkRow(kind, original, row["released"])

    def _lookup(self, kind: str, original: str) -> bytes:
        return hmac.digest(self._lookup_key, f"{kind}\0{original}".encode(), "sha256")[:16]

    def _find(self, kind: str, original: str) -> str | None:
        released: str | None = self._store.one(
            "SELECT released FROM crosswalk WHERE kind = ? AND lookup = ?",
            (kind, self._lookup(kind, original)),
        )
        return released

    def _insert(self, kind: str, original: str, released: str) -> None:
        self._store.execute(
            "INSERT OR IGNORE INTO crosswalk VALUES (?, ?, ?, ?)",
            (kind, self._lookup(kind, original), self._fernet.encrypt(original.encode()), released),
        )
