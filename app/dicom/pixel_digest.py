"""Digests of the pixel element's value as it leaves where nothing is masked."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from isal import isal_zlib


@dataclass(frozen=True, slots=True)
class PixelDigest:
    """SHA-256 in hex, and CRC-32, which is taken anyway while a zip file is written."""

    sha256: str
    crc32: int


def digest_pixels(chunks: Iterable[bytes]) -> PixelDigest:
    """Of the chunks of ``frames.read_pixels``; lets their exceptions through."""
    sha256, crc32 = hashlib.sha256(), 0
    for chunk in chunks:
        sha256.update(chunk)
        crc32 = isal_zlib.crc32(chunk, crc32)
    return PixelDigest(sha256.hexdigest(), crc32)
