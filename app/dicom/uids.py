"""UIDs: which ones the standard registered, and the keyed ones that take the place of all others."""

import hmac
import re
from functools import lru_cache

from pydicom._uid_dict import UID_dictionary

_GRAMMAR = re.compile(r"[0-9]+(\.[0-9]+)+\Z")
MAX_UID_LENGTH = 64
KEYED_PREFIX = "2.25."

# Newer than pydicom's dictionary.
_NEWER = ("1.2.840.10008.1.2.8.1", "1.2.840.10008.5.1.4.1.1.66.7", "1.2.840.10008.5.1.4.1.1.66.8")
_REGISTERED = frozenset((*UID_dictionary, *_NEWER))


def is_uid(text: str) -> bool:
    """Whether ``text`` is numbers joined by dots (PS3.5 section 9.1); leading zeros, which writers use, pass."""
    return len(text) <= MAX_UID_LENGTH and _GRAMMAR.match(text) is not None


def is_registered(uid: str) -> bool:
    """Whether PS3.6 Annex A registers this very UID: a class, a syntax, a scheme; never an instance of anything."""
    return uid in _REGISTERED


@lru_cache(maxsize=1 << 13)
def keyed_uid(key: bytes, uid: str) -> str:
    """``2.25.`` and 128 bits of HMAC-SHA-256: the same for the same UID and key, and no way back without the key."""
    return KEYED_PREFIX + str(int.from_bytes(hmac.digest(key, uid.encode(), "sha256")[:16], "big"))
