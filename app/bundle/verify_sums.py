"""Lists of SHA-256 digests, as BagIt's manifests and ``sha256sum`` have them, and the digest of a file."""

import hashlib
import re
from pathlib import Path

_SUM_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)\Z", re.ASCII)


def digest_of(path: Path) -> str:
    """SHA-256 of a file in hex; '' where it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def parse_sums(content: bytes) -> dict[str, str] | None:
    """Names and digests of a manifest or a SHA256SUMS; None where it is not sorted, doubled or not of that
    form.
    """
    sums: dict[str, str] = {}
    last = ""
    lines = content.decode("ascii", "replace").split("\n")
    if lines.pop():
        return None
    for line in lines:
        match = _SUM_LINE.match(line)
        if match is None or match[2] <= last:
            return None
        last = match[2]
        sums[last] = match[1]
    return sums
