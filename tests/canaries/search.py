"""Looks for tokens in bytes, in every encoding that a program or a person might have put them into."""

import base64
import re
from collections.abc import Iterable

from tests.factory import CANARY_PREFIX

_PREFIX = CANARY_PREFIX.encode()
_TEXT = re.compile(_PREFIX + rb"[A-Z2-7]{0,6}", re.IGNORECASE)
_DIGITS = re.compile(rb"[0-9](?:[-./:, T]?[0-9]){7,}")
_DAY_FIRST = re.compile(rb"(?<![0-9])([0-9]{2})[-./ ]([0-9]{2})[-./ ]([0-9]{4})(?![0-9])")
# Keyed UIDs, digests and the names made of them are drawn at random: digits inside one of them are chance.
_RANDOM = re.compile(rb"\b2\.25\.[0-9]{1,39}|\b[0-9a-f]{64}\b|\b[0-9a-f]{128}\b|(?<=/)[0-9a-f]{12,16}(?=[./])")
# The base64 of the prefix at each alignment, without the characters that depend on its neighbours.
_BASE64 = (
    base64.b64encode(_PREFIX)[:10],
    base64.b64encode(b"?" + _PREFIX)[2:12],
    base64.b64encode(b"??" + _PREFIX)[3:13],
)
_HEX = (_PREFIX.hex().encode(), _PREFIX.lower().hex().encode())


def find_tokens(data: bytes, tokens: Iterable[str]) -> list[str]:
    """Which of ``tokens`` stand in ``data``, in any case, as Latin-1, UTF-8 or UTF-16; sorted.

    Digits are found with and without separators, also day or month first. A text token that is cut short, or
    in hex or base64, is reported as ``ZZCANARY``. Compressed bytes are the caller's to inflate.
    """
    wanted = frozenset(tokens)
    found: set[str] = set()
    # Without its zero bytes, UTF-16 of either byte order reads like Latin-1.
    for text in (data, data.replace(b"\0", b"")) if b"\0" in data else (data,):
        found |= _find_texts(text, wanted)
        # Blanking what is random takes most of the time, and is only needed to confirm a finding.
        if _find_digits(text, wanted):
            found |= _find_digits(_RANDOM.sub(b" ", text), wanted)
    return sorted(found)


def _find_texts(text: bytes, wanted: frozenset[str]) -> set[str]:
    found = set()
    lowered = text.lower()
    if _PREFIX.lower() in lowered:
        for match in _TEXT.finditer(text):
            token = match[0].decode().upper()
            found.add(token if token in wanted else CANARY_PREFIX)
    if any(form in lowered for form in _HEX) or any(form in text for form in _BASE64):
        found.add(CANARY_PREFIX)
    return found


def _find_digits(text: bytes, wanted: frozenset[str]) -> set[str]:
    lengths = sorted({len(token) for token in wanted if token.isdigit()})
    found = set()
    for match in _DIGITS.finditer(text):
        run = re.sub(rb"[^0-9]", b"", match[0]).decode()
        for length in lengths:
            found |= {run[start : start + length] for start in range(len(run) - length + 1)} & wanted
    for first, second, year in _DAY_FIRST.findall(text):
        found |= {(year + second + first).decode(), (year + first + second).decode()} & wanted
    return found
