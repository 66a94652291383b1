#!/usr/bin/env python3
"""Checks a bundle that was received: whether it is whole, and nothing in it was changed, added or lost.

    python3 verify.py              checks the folder that this file lies in
    python3 verify.py FOLDER       checks another folder

Needs Python 3.8 or later and nothing else. Exit code 0: all is well; 1: something is wrong; 2: nothing to
check. It does not judge what the images say; that was done before they were sent.
"""

import hashlib
import re
import struct
import sys
import zipfile
from pathlib import Path

CHUNK = 1 << 20
SUM_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._/-]+)$")
COUNT = re.compile(r"([1-9][0-9]*) of ([1-9][0-9]*)$")
BAG_FILES = ("bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt")
BESIDE = ("SHA256SUMS", ".DS_Store", "Thumbs.db", "desktop.ini")
FIXED_DATE = (1980, 1, 1, 0, 0, 0)
REGULAR_FILE = 0o100644 << 16
END_RECORD, END_RECORD_64, LOCATOR_64 = 22, 56, 20
CENTRAL, LOCAL = 46, 30


class Problems:
    """Prints each problem as it is found, and counts them."""

    def __init__(self):
        self.count = 0

    def add(self, name, sentence):
        self.count += 1
        # Names come out of a file that may be hostile; a terminal must not obey them.
        shown = "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in name)
        print(f"PROBLEM  {shown}: {sentence}", flush=True)


def digest_of(file):
    digest = hashlib.sha256()
    size = 0
    while True:
        chunk = file.read(CHUNK)
        if not chunk:
            return digest.hexdigest(), size
        digest.update(chunk)
        size += len(chunk)


def parse_sums(content):
    """Names and SHA-256; None where a line is not of that form, or a name comes twice."""
    sums = {}
    lines = content.decode("ascii", "replace").split("\n")
    if lines.pop():
        return None
    for line in lines:
        match = SUM_LINE.match(line)
        if match is None or match.group(2) in sums:
            return None
        sums[match.group(2)] = match.group(1)
    return sums


def is_plain_entry(entry):
    parts = entry.filename.split("/")
    return (
        len(parts) > 1
        and all(re.match(r"[A-Za-z0-9_-][A-Za-z0-9._-]*$", part) for part in parts)
        and entry.orig_filename == entry.filename
        and entry.compress_type == zipfile.ZIP_STORED
        and entry.date_time == FIXED_DATE
        and entry.external_attr == REGULAR_FILE
        and entry.flag_bits == 0
        and entry.compress_size == entry.file_size
        and not entry.comment
    )


def only_zip64(extra):
    """Whether an extra field is empty, or nothing but 64-bit sizes."""
    if not extra:
        return True
    if len(extra) < 4:
        return False
    kind, length = struct.unpack("<HH", extra[:4])
    return kind == 1 and length + 4 == len(extra) and length in (8, 16, 24)


def check_layout(path, archive, file, problems):
    """A zip can hide bytes before, between and behind its entries: here they must follow without a gap."""
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if names != sorted(set(names)):
        problems.add(path.name, "the zip's directory is not sorted, or has a name twice")
    for entry in entries:
        if not is_plain_entry(entry):
            problems.add(path.name, "an entry has a name or a field that a sound part does not have")
            return
    if archive.comment or not all(only_zip64(entry.extra) for entry in entries):
        problems.add(path.name, "the zip has a comment or extra fields, which can hide data")
    position = 0
    for entry in sorted(entries, key=lambda one: one.header_offset):
        file.seek(entry.header_offset)
        header = file.read(LOCAL)
        if entry.header_offset != position or len(header) < LOCAL or header[:4] != b"PK\3\4":
            problems.add(path.name, "there are hidden bytes between the entries of the zip")
            return
        flags, method, time, date = struct.unpack("<4H", header[6:14])
        name_length, extra_length = struct.unpack("<HH", header[26:30])
        name, extra = file.read(name_length), file.read(extra_length)
        if name != entry.filename.encode() or not only_zip64(extra) or (flags, method, time, date) != (0, 0, 0, 33):
            problems.add(path.name, "the two headers of an entry do not agree")
        position += LOCAL + name_length + extra_length + entry.compress_size
    if position != archive.start_dir:
        problems.add(path.name, "there are hidden bytes between the entries of the zip")
    directory = sum(CENTRAL + len(entry.filename) + len(entry.extra) for entry in entries)
    end = path.stat().st_size - archive.start_dir - directory
    if end not in (END_RECORD, END_RECORD + END_RECORD_64 + LOCATOR_64):
        problems.add(path.name, "there are hidden bytes at the end of the zip")


def read_bag(path, archive, base, problems):
    """Digest and size of every entry, by name within the bag; the contents of the bag's own files."""
    digests, sizes, bag_files = {}, {}, {}
    for entry in archive.infolist():
        name = entry.filename[len(base) + 1 :]
        try:
            with archive.open(entry) as file:
                digests[name], sizes[name] = digest_of(file)
            if name in BAG_FILES:
                bag_files[name] = archive.read(entry)
        except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
            problems.add(path.name, "cannot be read: " + name)
    return digests, sizes, bag_files


def compare(path, found, listed, manifest, problems):
    if listed is None:
        problems.add(path.name, manifest + " is damaged")
        return
    for name in sorted(set(found) | set(listed)):
        if name not in listed:
            problems.add(path.name, "not listed in " + manifest + ": " + name)
        elif name not in found:
            problems.add(path.name, "missing: " + name)
        elif found[name] != listed[name]:
            problems.add(path.name, "altered: " + name)


def check_bag(path, archive, problems):
    """Check one part's bag; its group, number and count, or None."""
    bases = {entry.filename.partition("/")[0] for entry in archive.infolist()}
    if len(bases) != 1:
        problems.add(path.name, "does not hold exactly one folder")
        return None
    base = bases.pop()
    digests, sizes, bag_files = read_bag(path, archive, base, problems)
    missing = [name for name in BAG_FILES if name not in bag_files]
    if missing:
        for name in missing:
            problems.add(path.name, "missing: " + name)
        return None
    payload = {name: digest for name, digest in digests.items() if name.startswith("data/")}
    tags = {name: digest for name, digest in digests.items() if name not in payload and name != BAG_FILES[3]}
    compare(path, payload, parse_sums(bag_files["manifest-sha256.txt"]), "manifest-sha256.txt", problems)
    compare(path, tags, parse_sums(bag_files["tagmanifest-sha256.txt"]), "tagmanifest-sha256.txt", problems)
    if bag_files["bagit.txt"] != b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n":
        problems.add(path.name, "bagit.txt is not the one of a bag")
    info = dict(
        line.split(": ", 1)
        for line in bag_files["bag-info.txt"].decode("ascii", "replace").splitlines()
        if ": " in line
    )
    oxum = f"{sum(sizes[name] for name in payload)}.{len(payload)}"
    if info.get("Payload-Oxum") != oxum:
        problems.add(path.name, "the number of files or bytes is not the one that bag-info.txt names")
    count = COUNT.match(info.get("Bag-Count", ""))
    if count is None or not info.get("Bag-Group-Identifier"):
        problems.add(path.name, "bag-info.txt does not say which part of which bundle this is")
        return None
    group, number, total = info["Bag-Group-Identifier"], int(count.group(1)), int(count.group(2))
    if base != f"{group}-part-{number:03d}":
        problems.add(path.name, "the folder in it is not named like the part that it says it is")
    elif path.name != base + ".zip":
        problems.add(path.name, "is not named like the part that it is")
    return group, number, total


def check_part(path, problems):
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            check_layout(path, archive, file, problems)
            return check_bag(path, archive, problems)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, struct.error):
        problems.add(path.name, "is not a sound zip file; it may have been cut off on the way")
    except OSError:
        problems.add(path.name, "cannot be read")
    return None


def check_sums(folder, problems):
    path = folder / "SHA256SUMS"
    if not path.is_file():
        problems.add("SHA256SUMS", "is missing, so that nothing says which files belong to the bundle")
        return
    sums = parse_sums(path.read_bytes())
    if sums is None or any("/" in name for name in sums):
        problems.add("SHA256SUMS", "is damaged")
        return
    for name in sorted(sums):
        if not (folder / name).is_file():
            problems.add(name, "is missing")
            continue
        with (folder / name).open("rb") as file:
            if digest_of(file)[0] != sums[name]:
                problems.add(name, "was altered: its SHA-256 is not the one in SHA256SUMS")
    for name in sorted(one.name for one in folder.iterdir() if one.is_file()):
        if name not in sums and name not in BESIDE:
            problems.add(name, "does not belong to the bundle: SHA256SUMS does not list it")


def check_group(found, problems):
    groups = {}
    for group, number, total in found:
        groups.setdefault((group, total), []).append(number)
    if len(groups) > 1:
        problems.add("parts", "they are of different bundles, or of different versions of one")
    for (group, total), numbers in sorted(groups.items()):
        for number in range(1, total + 1):
            if numbers.count(number) == 0:
                problems.add(f"{group}-part-{number:03d}.zip", "is missing")
            elif numbers.count(number) > 1:
                problems.add(f"{group}-part-{number:03d}.zip", "is there twice")


def main(arguments):
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print(__doc__)
        return 2
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent
    parts = sorted(folder.glob("*.zip"))
    if not parts:
        print("There is no part of a bundle (a .zip file) in " + str(folder))
        return 2
    problems = Problems()
    check_sums(folder, problems)
    found = []
    for number, part in enumerate(parts, start=1):
        print(f"Checking part {number} of {len(parts)}: {part.name}", flush=True)
        before = problems.count
        identity = check_part(part, problems)
        if identity is not None:
            found.append(identity)
        elif problems.count == before:
            problems.add(part.name, "cannot be told")
    check_group(found, problems)
    if problems.count:
        print(f"NOT SOUND: {problems.count} problem(s). Ask the sender to send the parts named above again.")
        return 1
    print("SOUND: all parts are there, whole and unaltered.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
