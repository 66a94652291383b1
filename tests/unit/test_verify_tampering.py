"""Whatever is done to a finished bundle, the separate reader and the recipient's script both say so."""

import hashlib
import json
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from app.bundle.verify import verify_bundle
from app.files.resources import resource_path
from tests.unit.bundle_project import (
    first_instance,
    make_project,
    mend,
    read_entries,
    run_export,
    tamper,
    write_entries,
)

Entries = dict[str, bytes]
PART = "SITEA-lung-1-part-001.zip"
OTHER_PART = "SITEA-lung-1-part-002.zip"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    run_export(make_project(folder / "site", {1: 2, 2: 3, 3: 9}), folder / "out")
    return folder / "out"


@pytest.fixture
def out(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "out"))


def codes(*paths: Path) -> set[str]:
    return {finding.code for finding in verify_bundle(paths).findings}


def run_script(*arguments: Path) -> tuple[int, str]:
    """The recipient's script, by an interpreter that sees none of our packages."""
    script = resource_path("templates/verify.py")
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done.returncode, done.stdout


def sign_again(out: Path) -> None:
    """Write SHA256SUMS anew, so that only the inside of a part can give a forger away."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
        for path in sorted(out.iterdir())
        if path.name != "SHA256SUMS"
    ]
    (out / "SHA256SUMS").write_text("".join(lines))


def test_a_sound_bundle_passes_both(out: Path) -> None:
    assert codes(out) == set()
    status, said = run_script(out)
    assert status == 0, said
    assert "SOUND" in said


def test_the_script_beside_the_parts_needs_no_argument(out: Path) -> None:
    done = subprocess.run([sys.executable, "-I", "-S", str(out / "verify.py")], capture_output=True, check=False)
    assert done.returncode == 0


def test_a_folder_without_parts_is_told(tmp_path: Path) -> None:
    assert codes(tmp_path) == {"no-parts", "checksums-missing"}
    assert run_script(tmp_path)[0] == 2
    assert run_script(tmp_path, tmp_path)[0] == 2


# the container ------------------------------------------------------------------


def with_comment(content: bytes) -> bytes:
    return content[:-2] + b"\x05\0hello"


def with_prefix(content: bytes) -> bytes:
    return b"#!/bin/sh\n" + content


def with_gap(content: bytes) -> bytes:
    """Put bytes between the last entry and the directory, and correct the end record."""
    (size, offset) = struct.unpack("<LL", content[-10:-2])
    end = content[-22:-6] + struct.pack("<LH", offset + 6, 0)
    return content[:offset] + b"hidden" + content[offset : offset + size] + end


def with_gap_before_end(content: bytes) -> bytes:
    return content[:-22] + b"hidden" + content[-22:]


def with_other_date(content: bytes) -> bytes:
    return content.replace(struct.pack("<HH", 0, 33), struct.pack("<HH", 1, 33))


def with_other_attributes(content: bytes) -> bytes:
    return content.replace(struct.pack("<L", 0o100644 << 16), struct.pack("<L", 0o100755 << 16))


def with_local_flag(content: bytes) -> bytes:
    return content[:6] + b"\x08" + content[7:]


def with_other_local_name(content: bytes) -> bytes:
    return content[:30] + b"X" + content[31:]


def cut_off(content: bytes) -> bytes:
    return content[: len(content) // 2]


def doubled(content: bytes) -> bytes:
    return content + content


@pytest.mark.parametrize(
    "change",
    [
        with_comment,
        with_prefix,
        with_gap,
        with_gap_before_end,
        with_other_date,
        with_other_attributes,
        with_local_flag,
        with_other_local_name,
        cut_off,
        doubled,
        lambda content: content + b"\0",
        lambda content: b"",
        lambda content: b"no zip at all",
    ],
)
def test_hidden_or_missing_bytes_of_the_container_are_found(out: Path, change: Callable[[bytes], bytes]) -> None:
    content = (out / PART).read_bytes()
    assert change(content) != content
    (out / PART).write_bytes(change(content))
    sign_again(out)
    assert codes(out)
    status, said = run_script(out)
    assert status == 1, said


def test_any_flipped_bit_is_found(out: Path) -> None:
    content = (out / PART).read_bytes()
    draw = random.Random(7)
    directory = int.from_bytes(content[-6:-2], "little")
    places = [draw.randrange(len(content)) for _ in range(12)]
    # Every kind of field: some headers and the whole directory's beginning.
    places += [*range(0, 30, 3), *range(directory, directory + 46, 2), *range(len(content) - 22, len(content), 2)]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 1 << draw.randrange(8)
        (out / PART).write_bytes(changed)
        assert codes(out / PART), place


def test_the_script_finds_flipped_bits_that_the_sums_do_not_show(out: Path) -> None:
    content = (out / PART).read_bytes()
    draw = random.Random(8)
    for place in [draw.randrange(len(content) - 400) for _ in range(5)]:
        changed = bytearray(content)
        changed[place] ^= 0x20
        (out / PART).write_bytes(changed)
        sign_again(out)
        assert run_script(out)[0] == 1, place


def test_compressed_entries_are_refused(out: Path) -> None:
    import zipfile

    entries = read_entries(out / PART)
    with zipfile.ZipFile(out / PART, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(entries):
            archive.writestr(f"{Path(PART).stem}/{name}", entries[name])
    sign_again(out)
    assert "zip-entry-field" in codes(out)
    assert run_script(out)[0] == 1


# files in a part --------------------------------------------------------------


def drop_instance(entries: Entries) -> None:
    del entries[first_instance(entries)]


def add_file(entries: Entries) -> None:
    entries["data/list-of-patients.txt"] = b"Jane"


def add_tag_file(entries: Entries) -> None:
    entries["metadata/notes.txt"] = b"Jane"


def rename_instance(entries: Entries) -> None:
    name = first_instance(entries)
    entries[name[:-6] + "00.dcm"] = entries.pop(name)


def swap_instances(entries: Entries) -> None:
    one, two = [name for name in entries if name.endswith(".dcm")][:2]
    entries[one], entries[two] = entries[two], entries[one]


def flip_pixel(entries: Entries) -> None:
    name = first_instance(entries)
    content = bytearray(entries[name])
    content[-1] ^= 1
    entries[name] = bytes(content)


def drop_manifest_line(entries: Entries) -> None:
    entries["manifest-sha256.txt"] = b"".join(entries["manifest-sha256.txt"].splitlines(keepends=True)[1:])


def shorten_manifest_digest(entries: Entries) -> None:
    entries["manifest-sha256.txt"] = entries["manifest-sha256.txt"][1:]


def change_oxum(entries: Entries) -> None:
    entries["bag-info.txt"] = entries["bag-info.txt"].replace(b"Payload-Oxum: ", b"Payload-Oxum: 1")


def drop_tag_manifest(entries: Entries) -> None:
    del entries["tagmanifest-sha256.txt"]


@pytest.mark.parametrize(
    "change",
    [
        drop_instance,
        add_file,
        add_tag_file,
        rename_instance,
        swap_instances,
        flip_pixel,
        drop_manifest_line,
        shorten_manifest_digest,
        change_oxum,
        drop_tag_manifest,
    ],
)
def test_changed_contents_are_found_by_both(out: Path, change: Callable[[Entries], None]) -> None:
    tamper(out / PART, change, mended=False)
    sign_again(out)
    assert codes(out)
    status, said = run_script(out)
    assert status == 1, said


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (drop_instance, "instance-differs-from-table"),
        (add_file, "entry-unexpected"),
        (add_tag_file, "entry-unexpected"),
        (rename_instance, "name-differs-from-uids"),
        (swap_instances, "name-differs-from-uids"),
        (flip_pixel, "instance-differs-from-table"),
    ],
)
def test_a_forger_who_mends_the_digests_is_found_by_the_tables(
    out: Path, change: Callable[[Entries], None], code: str
) -> None:
    tamper(out / PART, change, mended=True)
    sign_again(out)
    assert code in codes(out)


def test_a_second_base_folder_is_refused(out: Path) -> None:
    from app.bundle.zip_writer import ZipWriter

    entries = read_entries(out / PART)
    with (out / PART).open("wb") as file:
        writer = ZipWriter(file)
        writer.add("another-folder/x.txt", [b"x"], 1)
        for name, content in entries.items():
            writer.add(f"{Path(PART).stem}/{name}", [content], len(content))
        writer.finish()
    sign_again(out)
    assert codes(out) == {"more-than-one-folder", "part-missing"}
    assert run_script(out)[0] == 1


@pytest.mark.parametrize(
    "name", ["../evil.dcm", "data/../../evil", "data//x.dcm", "data/x y.dcm", "data/.hidden", "a\\b"]
)
def test_a_name_that_escapes_or_hides_is_refused(out: Path, name: str) -> None:
    entries = read_entries(out / PART)
    entries[name] = b"evil"
    write_entries(out / PART, entries)
    sign_again(out)
    assert "zip-entry-name" in codes(out)
    assert run_script(out)[0] == 1


def test_another_folder_name_than_the_bag_says_is_found(out: Path) -> None:
    write_entries(out / PART, read_entries(out / PART), base="SITEA-lung-1-part-007")
    sign_again(out)
    assert codes(out) == {"folder-name-differs"}
    assert run_script(out)[0] == 1


# the sums and the parts ---------------------------------------------------------


def test_a_missing_part_is_found(out: Path) -> None:
    (out / OTHER_PART).unlink()
    assert codes(out) == {"file-missing", "part-missing"}
    assert codes(out / PART) == {"part-missing"}
    assert run_script(out)[0] == 1


def test_an_altered_report_is_found(out: Path) -> None:
    (out / "report.html").write_text("all is well")
    assert codes(out) == {"file-altered"}
    assert run_script(out)[0] == 1


def test_a_zip_that_nobody_listed_is_found(out: Path) -> None:
    shutil.copy(out / PART, out / "more.zip")
    assert codes(out) == {"file-not-listed", "part-twice", "part-name-differs"}
    assert run_script(out)[0] == 1


def test_missing_or_damaged_sums_are_found(out: Path) -> None:
    (out / "SHA256SUMS").write_text("nonsense")
    assert codes(out) == {"bad-checksums"}
    assert run_script(out)[0] == 1
    (out / "SHA256SUMS").unlink()
    assert codes(out) == {"checksums-missing"}
    assert codes(out / PART, out / OTHER_PART) == set()
    assert run_script(out)[0] == 1


def test_parts_of_two_releases_do_not_mix(out: Path, tmp_path: Path) -> None:
    def change_values(entries: Entries) -> None:
        entries["metadata/values.csv"] += b"StationName,SH,,CT1,,,1,1\n"

    tamper(out / PART, change_values, mended=True)
    sign_again(out)
    assert codes(out) == {"parts-of-different-releases"}


def test_a_part_that_is_not_there_is_said(out: Path) -> None:
    assert codes(out / "nowhere.zip") == {"file-unreadable"}


# metadata ---------------------------------------------------------------------


def replace_in(name: str, old: bytes, new: bytes) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        assert old in entries[name]
        entries[name] = entries[name].replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (replace_in("metadata/series.csv", b"Thorax nativ", b"Thorax of Jane"), "series-table-differs"),
        (replace_in("metadata/series.csv", b"SITEA-", b"SITEB-"), "series-table-differs"),
        (replace_in("metadata/series.csv", b"patient,", b"patients,"), "bad-series-table"),
        (replace_in("metadata/instances.csv", b",2.25.", b",2.25.1"), "instance-differs-from-table"),
        (replace_in("metadata/instances.csv", b"file,", b"files,"), "bad-instances-table"),
        (replace_in("metadata/values.csv", b"path,", b"paths,"), "bad-values-table"),
        (replace_in("metadata/values.csv", b",DA,date,", b",LO,date,"), "bad-values-table"),
        (replace_in("metadata/values.csv", b",20200101,", b",20210101,"), "bad-values-table"),
        (replace_in("metadata/values.csv", b"-100.0,700.0", b"-100.0,700_x"), "bad-values-table"),
        (replace_in("metadata/rules.csv", b"tag,", b"tags,"), "bad-rules-table"),
        (replace_in("bagit.txt", b"1.0", b"0.9"), "bad-bag-declaration"),
        (replace_in("bag-info.txt", b"Bag-Count: 1 of 2", b"Bag-Count: 3 of 2"), "bad-bag-info"),
        (replace_in("bag-info.txt", b"Bag-Software-Agent", b"Contact-Name: Jane\nBag-Software-Agent"), "bad-bag-info"),
        (replace_in("metadata/signoff.json", b"false", b'"no"'), "bad-sign-off"),
        (replace_in("metadata/signoff.json", b"false", b"true"), "dataset-card-differs"),
        (replace_in("metadata/dataset-card.json", b'"part": 1', b'"part": 2'), "dataset-card-differs"),
        (replace_in("croissant.json", b'"metadata/series.csv"', b"[]"), "croissant-differs"),
        (replace_in("croissant.json", b'"metadata/series.csv"', b'{"a": 1}'), "croissant-differs"),
        (replace_in("croissant.json", b"{", b"[" * 100_000), "croissant-differs"),
    ],
)
def test_changed_metadata_is_found_even_when_mended(out: Path, change: Callable[[Entries], None], code: str) -> None:
    tamper(out / PART, change, mended=True)
    assert code in codes(out / PART)


@pytest.mark.parametrize("key", ["values_sha256", "rules_sha256", "protocol_sha256"])
def test_a_sign_off_of_something_else_is_found(out: Path, key: str) -> None:
    def change(entries: Entries) -> None:
        mend(entries)
        sign_off = json.loads(entries["metadata/signoff.json"])
        sign_off[key] = "0" * 64
        entries["metadata/signoff.json"] = json.dumps(sign_off).encode()

    tamper(out / PART, change, mended=False)
    assert "sign-off-differs" in codes(out / PART)


def test_a_finding_repeats_no_value(out: Path) -> None:
    def change(entries: Entries) -> None:
        name = first_instance(entries)
        entries[name] = entries[name].replace(b"Thorax nativ", b"ZZCANARY0001")

    tamper(out / PART, change, mended=True)
    report = verify_bundle([out / PART])
    assert any(finding.code == "value-not-approved" for finding in report.findings)
    assert "ZZCANARY" not in repr(report)
