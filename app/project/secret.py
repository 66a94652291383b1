"""The project's secret: 32 random bytes, and one sub-key for each purpose."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from app.errors import ProjectError
from app.files.atomic import write_atomically

SECRET_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Secret:
    """Key material; its representation shows nothing."""

    key: bytes = field(repr=False)

    def subkey(self, purpose: str) -> bytes:
        """32 bytes for one purpose: HMAC-SHA-256 of its name, so that no two purposes share a key."""
        return hmac.digest(self.key, f"consign/1/{purpose}".encode(), "sha256")

    def fernet_key(self) -> bytes:
        """The crosswalk's key, in the form that cryptography's Fernet takes."""
        return base64.urlsafe_b64encode(self.subkey("crosswalk"))

    def fingerprint(self) -> str:
        """Tells two secrets apart without telling either."""
        return hashlib.sha256(self.subkey("fingerprint")).hexdigest()[:16]


def create_secret(path: Path) -> None:
    """Draw a new secret and store it readable by its owner only."""
    write_atomically(path, secrets.token_bytes(SECRET_LENGTH).hex().encode() + b"\n")


def load_secret(path: Path) -> Secret:
    """Raises ProjectError("secret-damaged") where the file is missing or not 32 bytes in hex."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as error:
        raise ProjectError("secret-damaged") from error
    if len(key) != SECRET_LENGTH:
        raise ProjectError("secret-damaged")
    return Secret(key)
