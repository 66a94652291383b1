"""Changes to a finished bundle, each drawn at random; what they have in common is that somebody must notice.

``sign_again`` is what a forger does who knows of SHA256SUMS; nobody who mends every digest and table within a part can
be noticed by any check of the bundle alone, which is why the sums are sent another way, too.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from tests.unit.bundle_project import read_entries, write_entries

Entries = dict[str, bytes]
Tampering = Callable[[Random, Path], None]
SUMS, REPORT, VERIFIER = "SHA256SUMS", "report.html", "verify.py"


def sign_again(folder: Path) -> None:
    """Write the sums anew, so that only the inside of a part can give the forger away."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(folder.iterdir())
        if path.name != SUMS
    ]
    (folder / SUMS).write_text("".join(lines), encoding="ascii", newline="\n")


def _part(random: Random, folder: Path) -> Path:
    return random.choice(sorted(folder.glob("*.zip")))


def _rewrite(random: Random, folder: Path, change: Callable[[Random, Entries], None]) -> None:
    part = _part(random, folder)
    entries = read_entries(part)
    change(random, entries)
    write_entries(part, entries)


def _any(random: Random, entries: Entries, ending: str = ".dcm") -> str:
    return random.choice(sorted(name for name in entries if name.endswith(ending)))


# the files of the folder ---------------------------------------------------------


def flip_a_bit(random: Random, folder: Path) -> None:
    part = _part(random, folder)
    content = bytearray(part.read_bytes())
    content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    part.write_bytes(content)


def overwrite_bytes(random: Random, folder: Path) -> None:
    part = _part(random, folder)
    content = bytearray(part.read_bytes())
    at, size = random.randrange(len(content) - 600), random.randint(1, 500)
    # Bytes that may be there by chance would be no change.
    content[at : at + size] = bytes(byte ^ random.randint(1, 255) for byte in content[at : at + size])
    part.write_bytes(content)


def cut_off(random: Random, folder: Path) -> None:
    part = _part(random, folder)
    part.write_bytes(part.read_bytes()[: random.randrange(part.stat().st_size)])


def append(random: Random, folder: Path) -> None:
    part = _part(random, folder)
    part.write_bytes(part.read_bytes() + random.randbytes(random.randint(1, 300)))


def prepend(random: Random, folder: Path) -> None:
    part = _part(random, folder)
    part.write_bytes(random.randbytes(random.randint(1, 300)) + part.read_bytes())


def drop_a_part(random: Random, folder: Path) -> None:
    _part(random, folder).unlink()


def rename_a_part(random: Random, folder: Path) -> None:
    part = _part(random, folder)
    part.rename(part.with_name(part.name.replace("part-0", "part-9")))


def swap_two_parts(random: Random, folder: Path) -> None:
    one, two = random.sample(sorted(folder.glob("*.zip")), 2)
    one.rename(folder / "between")
    two.rename(one)
    (folder / "between").rename(two)


def copy_a_part(random: Random, folder: Path) -> None:
    part = _part(random, folder)
    shutil.copy(part, part.with_name(f"copy-{random.randint(1, 99)}.zip"))


def replace_a_part_by_another(random: Random, folder: Path) -> None:
    one, two = random.sample(sorted(folder.glob("*.zip")), 2)
    shutil.copy(one, two)


def add_a_file_beside(random: Random, folder: Path) -> None:
    name = random.choice(("notes.txt", "SITEA.zip.exe", "README", "run.sh"))
    (folder / name).write_bytes(random.randbytes(random.randint(0, 99)))


# what stands in a part -------------------------------------------------------------


def add_a_file(random: Random, folder: Path) -> None:
    place = random.choice(("data/SITEA-AAAAAA/000000000000/000000000000/0000000000000000.dcm", "metadata/notes.txt"))
    _rewrite(random, folder, lambda draw, entries: entries.update({place: draw.randbytes(40)}))


def drop_a_file(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        del entries[draw.choice(sorted(entries))]

    _rewrite(random, folder, change)


def rename_a_file(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        name = _any(draw, entries)
        entries[name[:-8] + "0000.dcm"] = entries.pop(name)

    _rewrite(random, folder, change)


def swap_two_files(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        one, two = draw.sample(sorted(name for name in entries if name.endswith(".dcm")), 2)
        entries[one], entries[two] = entries[two], entries[one]

    _rewrite(random, folder, change)


def change_a_pixel(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        name = _any(draw, entries)
        content = bytearray(entries[name])
        content[-draw.randint(1, 200)] ^= draw.randint(1, 255)
        entries[name] = bytes(content)

    _rewrite(random, folder, change)


def change_a_header(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        name = _any(draw, entries)
        content = bytearray(entries[name])
        content[draw.randrange(132, 1000)] ^= draw.randint(1, 255)
        entries[name] = bytes(content)

    _rewrite(random, folder, change)


def edit_a_manifest(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        name = draw.choice(("manifest-sha256.txt", "tagmanifest-sha256.txt"))
        lines = entries[name].splitlines(keepends=True)
        at = draw.randrange(len(lines))
        match draw.randrange(3):
            case 0:
                del lines[at]
            case 1:
                digit = lines[at][0:1]
                lines[at] = (b"1" if digit != b"1" else b"2") + lines[at][1:]
            case _:
                lines.insert(at, lines[at].replace(b"data/", b"data/../").replace(b"metadata/", b"metadata/x"))
        entries[name] = b"".join(lines)

    _rewrite(random, folder, change)


def edit_the_metadata(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        name = draw.choice([name for name in sorted(entries) if name.startswith("metadata/")])
        content = bytearray(entries[name])
        content[draw.randrange(len(content))] ^= 1
        entries[name] = bytes(content)

    _rewrite(random, folder, change)


def edit_the_bag_info(random: Random, folder: Path) -> None:
    def change(draw: Random, entries: Entries) -> None:
        name = draw.choice(("bag-info.txt", "bagit.txt"))
        content = bytearray(entries[name])
        content[draw.randrange(len(content))] ^= 1
        entries[name] = bytes(content)

    _rewrite(random, folder, change)


# what stands beside the parts ----------------------------------------------------------


def edit_the_report(random: Random, folder: Path) -> None:
    content = bytearray((folder / REPORT).read_bytes())
    content[random.randrange(len(content))] ^= 1
    (folder / REPORT).write_bytes(content)


def edit_the_sums(random: Random, folder: Path) -> None:
    content = bytearray((folder / SUMS).read_bytes())
    content[random.randrange(len(content) - 1)] ^= 1
    (folder / SUMS).write_bytes(content)


def drop_a_sum(random: Random, folder: Path) -> None:
    lines = (folder / SUMS).read_bytes().splitlines(keepends=True)
    del lines[random.randrange(len(lines))]
    (folder / SUMS).write_bytes(b"".join(lines))


OF_THE_FOLDER: tuple[Tampering, ...] = (
    flip_a_bit, overwrite_bytes, cut_off, append, prepend, drop_a_part, rename_a_part, swap_two_parts, copy_a_part,
    replace_a_part_by_another, add_a_file_beside, edit_the_report, edit_the_sums, drop_a_sum,
)  # fmt: skip
OF_THE_PARTS: tuple[Tampering, ...] = (
    flip_a_bit, overwrite_bytes, cut_off, append, prepend, drop_a_part, swap_two_parts, replace_a_part_by_another,
    add_a_file, drop_a_file, rename_a_file, swap_two_files, change_a_pixel, change_a_header, edit_a_manifest,
    edit_the_metadata, edit_the_bag_info,
)  # fmt: skip
# Name, change, and whether the forger signs again.
TAMPERINGS: Mapping[str, tuple[Tampering, bool]] = {
    **{change.__name__: (change, False) for change in (*OF_THE_FOLDER, *OF_THE_PARTS)},
    **{f"{change.__name__}, signed again": (change, True) for change in OF_THE_PARTS},
}


def tamper_with(name: str, random: Random, folder: Path) -> None:
    """Do it."""
    change, signed = TAMPERINGS[name]
    change(random, folder)
    if signed:
        sign_again(folder)
