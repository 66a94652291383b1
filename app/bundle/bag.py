"""The four files that make a folder a bag (RFC 8493): declaration, description, and two manifests.

Our own, because bagit-python moves payloads, changes the working directory and cannot resume; it validates,
in tests.
"""

from collections.abc import Mapping

from app import __version__

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"


def encode_manifest(digests: Mapping[str, str]) -> bytes:
    """Lines of SHA-256 and path within the bag, sorted by path (RFC 8493 section 2.1.3); paths are plain
    ASCII.
    """
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests)).encode("ascii")


def encode_bag_info(group: str, number: int, count: int, payload_bytes: int, payload_files: int) -> bytes:
    """bag-info.txt (section 2.2.2) without Bagging-Date: the same inputs make the same bytes on any day."""
    return (
        f"Bag-Count: {number} of {count}\n"
        f"Bag-Group-Identifier: {group}\n"
        f"Bag-Software-Agent: Consign {__version__}\n"
        f"Payload-Oxum: {payload_bytes}.{payload_files}\n"
    ).encode("ascii")
