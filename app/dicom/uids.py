"""UIDs: what one is, and the keyed ones that take the place of all that the standard did not register."""

import hmac
import re
from functools import lru_cache

_GRAMMAR = re.compile(r"[0-9]+(\.[0-9]+)+\Z")
MAX_UID_LENGTH = 64
KEYED_PREFIX = "2.25."


def is_uid(text: str) -> bool:
    """Whether ``text`` is numbers joined by dots (PS3.5 section 9.1); leading zeros, which writers use, pass."""
    return len(text) <= MAX_UID_LENGTH and _GRAMMAR.match(text) is not None


@lru_cache(maxsize=1 << 13)
def keyed_uid(key: bytes, uid: str) -> str:
    """``2.25.`` and 128 bits of HMAC-SHA-256: the same for the same UID and key, and no way back without the key."""
    return KEYED_PREFIX + str(int.from_bytes(hmac.digest(key, uid.encode(), "sha256")[:16], "big"))
