"""Whether a part is the BagIt bag that it says it is (RFC 8493): its manifests, its declaration, its bag-info.txt."""

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass

from app.bundle.verify_findings import Expected, Fault
from app.bundle.verify_sums import parse_sums

_TAG_MANIFEST = "tagmanifest-sha256.txt"
_DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
_INFO_LABELS = ("Bag-Count", "Bag-Group-Identifier", "Bag-Software-Agent", "Payload-Oxum")
_COUNT = re.compile(r"([1-9]\d{0,4}) of ([1-9]\d{0,4})\Z", re.ASCII)
_GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class BagInfo:
    """What bag-info.txt says: this is part ``number`` of ``count`` of ``group``; ``oxum`` is bytes and files of the
    payload, ``bytes.files``.
    """

    group: str
    number: int
    count: int
    oxum: str


def payload_faults(payload: Mapping[str, str], manifest: Mapping[str, str], rows: Set[str]) -> Iterator[Fault]:
    """``payload``: digests of the instances that are there; ``rows``: the names in metadata/instances.csv."""
    yield from _differences(payload, manifest)
    for name in sorted(rows ^ payload.keys()):
        yield "instance-differs-from-table", name


def tag_file_faults(tag_files: Mapping[str, str], tag_manifest: bytes, declaration: bytes) -> Iterator[Fault]:
    """``tag_files``: digests of all files but the instances; then what two of them hold."""
    listed = parse_sums(tag_manifest)
    if listed is None:
        yield "bad-manifest", _TAG_MANIFEST
    else:
        yield from _differences({name: tag_files[name] for name in tag_files.keys() - {_TAG_MANIFEST}}, listed)
    if declaration != _DECLARATION:
        yield "bad-bag-declaration", "bagit.txt"


def written_faults(
    payload: Mapping[str, str], tag_files: Mapping[str, str], expected: Expected | None
) -> Iterator[Fault]:
    """Whether these are the files that were just written; nothing to say where nobody knows."""
    if expected is None:
        return
    yield from _differences(tag_files, expected.files)
    for name in sorted(expected.pixels.keys() ^ payload.keys()):
        yield "pixels-altered", name


def read_bag_info(content: bytes) -> BagInfo | None:
    """None where bag-info.txt is not of the agreed form."""
    lines = content.decode("ascii", "replace").split("\n")
    pairs = [line.partition(": ") for line in lines[:-1]]
    if lines[-1] or tuple(label for label, _, _ in pairs) != _INFO_LABELS:
        return None
    count, group, _, oxum = (value for _, _, value in pairs)
    match = _COUNT.match(count)
    if match is None or int(match[1]) > int(match[2]) or _GROUP.match(group) is None:
        return None
    return BagInfo(group, int(match[1]), int(match[2]), oxum)


def bag_info_faults(info: BagInfo | None, base: str, payload_bytes: int, instances: int) -> Iterator[Fault]:
    """``base``: the folder that all files of the part are in."""
    if info is None:
        yield "bad-bag-info", "bag-info.txt"
        return
    if info.oxum != f"{payload_bytes}.{instances}":
        yield "payload-count-differs", "bag-info.txt"
    if base != f"{info.group}-part-{info.number:03d}":
        yield "folder-name-differs", "bag-info.txt"


def _differences(found: Mapping[str, str], listed: Mapping[str, str]) -> Iterator[Fault]:
    for name in sorted(found.keys() | listed.keys()):
        if name not in listed:
            yield "file-not-listed", name
        elif name not in found:
            yield "file-missing", name
        elif found[name] != listed[name]:
            yield "file-altered", name
