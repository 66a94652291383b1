import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from app.files.resources import resource_path
from tests.canaries import find_tokens, value_text, write_canary_export
from tests.canaries.instances import jpeg2000_with_comment, jpeg_with_segments
from tests.canaries.mint import Mint
from tests.canaries.planting import KEPT_CHARACTERISTICS, profile_attributes
from tests.factory import (
    CANARY_PREFIX,
    canary_token,
    cr_image,
    ct_series,
    dose_page,
    dx_image,
    encapsulated_pdf,
    encode_jpeg,
    encode_jpeg2000,
    enhanced_mr,
    key_objects,
    make_study,
    mr_series,
    pet_series,
    rt_dose,
    rt_structure_set,
    save,
    segmentation,
    structured_report,
    to_bytes,
    us_cine,
    write_pacs_export,
)

needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None, reason="dciodvfy is not installed (Debian package dicom3tools)"
)
needs_table = pytest.mark.skipif(
    not resource_path("standard/profile_e1_1.csv").exists(), reason="Table E.1-1 is not there"
)


def small_ct(study_seed: int = 5) -> list[Dataset]:
    return ct_series(make_study(study_seed), slices=2, rows=32, columns=32)


OBJECTS: dict[str, Callable[[], Dataset]] = {
    "ct": lambda: small_ct()[0],
    "mr": lambda: mr_series(make_study(5), slices=1, rows=32, columns=32)[0],
    "enhanced mr": lambda: enhanced_mr(make_study(5)),
    "us": lambda: us_cine(make_study(5)),
    "us jpeg": lambda: us_cine(make_study(5), jpeg=True),
    "cr": lambda: cr_image(make_study(5)),
    "dx": lambda: dx_image(make_study(5)),
    "pet": lambda: pet_series(make_study(5), slices=1)[0],
    "seg": lambda: segmentation(make_study(5), small_ct()),
    "rtstruct": lambda: rt_structure_set(make_study(5), small_ct()),
    "rtdose": lambda: rt_dose(make_study(5)),
    "sr": lambda: structured_report(make_study(5), small_ct()),
    "ko": lambda: key_objects(make_study(5), small_ct()),
    "pdf": lambda: encapsulated_pdf(make_study(5)),
    "dose page": lambda: dose_page(make_study(5)),
}


def digest_of_tree(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@needs_dciodvfy
@pytest.mark.parametrize("name", OBJECTS)
def test_synthetic_object_conforms_to_its_definition(name: str, tmp_path: Path) -> None:
    path = save(OBJECTS[name](), tmp_path / "object")
    outcome = subprocess.run(["dciodvfy", path], capture_output=True, text=True, check=False)
    errors = [line for line in outcome.stderr.splitlines() if line.startswith("Error")]
    assert errors == []
    assert outcome.returncode == 0


@pytest.mark.parametrize("name", OBJECTS)
def test_same_seed_gives_the_same_bytes(name: str) -> None:
    assert to_bytes(OBJECTS[name]()) == to_bytes(OBJECTS[name]())


@pytest.mark.parametrize("name", OBJECTS)
def test_synthetic_object_reads_back(name: str, tmp_path: Path) -> None:
    dataset = dcmread(save(OBJECTS[name](), tmp_path / "object"))
    if "PixelData" in dataset and "jpeg" not in name:
        assert dataset.pixel_array.size > 0


def test_name_is_burned_into_the_radiograph() -> None:
    plain, burned = (cr_image(make_study(5), burned_name=choice).pixel_array for choice in (False, True))
    changed = np.argwhere(plain != burned)
    assert len(changed) > 500
    assert changed[:, 0].max() < plain.shape[0] // 4


def test_pacs_export_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_pacs_export(tmp_path / name, seed=3, slices=2, size=32)
    assert digest_of_tree(tmp_path / "a") == digest_of_tree(tmp_path / "b")


def test_pacs_export_has_what_it_says(tmp_path: Path) -> None:
    export = write_pacs_export(tmp_path, seed=3, slices=2, size=32)
    records = dcmread(tmp_path / "DICOMDIR").DirectoryRecordSequence
    on_media = sum("ReferencedFileID" in record for record in records)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert on_media == export.instances - 3  # three more are in the archive
    extras = export.duplicates + export.damaged + export.not_dicom
    assert len(files) == on_media + extras + 1  # and the archive


def test_canary_study_says_nothing_but_tokens(tmp_path: Path) -> None:
    export = write_pacs_export(tmp_path, seed=3, slices=2, size=32, canaries=True)
    for identity in export.identities:
        assert all(text.startswith(CANARY_PREFIX) for text in identity.texts)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("case", [str.upper, str.lower, str.title])
def test_text_token_is_found_in_any_encoding_and_case(case: Callable[[str], str], encoding: str) -> None:
    token = canary_token("somewhere")
    data = b"\x07\x00" + f"name: {case(token)}.".encode(encoding)
    assert find_tokens(data, [token]) == [token]


@pytest.mark.parametrize("text", ["20100304", "2010-03-04", "2010/03/04", "04.03.2010", "03/04/2010", "20100304131415"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-16-le"])
def test_date_is_found_with_and_without_separators(text: str, encoding: str) -> None:
    assert find_tokens(f"x {text} y".encode(encoding), ["20100304"]) == ["20100304"]


def test_cut_hex_and_base64_tokens_are_found() -> None:
    token = canary_token("somewhere")
    assert find_tokens(token[:10].encode(), [token]) == [CANARY_PREFIX]
    assert find_tokens(token.encode().hex().encode(), [token]) == [CANARY_PREFIX]
    assert find_tokens(b"WlpDQU5BUlk=", [token]) == [CANARY_PREFIX]


def test_digits_of_keyed_uids_and_digests_are_no_tokens() -> None:
    digest = "a20100304b".ljust(64, "0")
    assert find_tokens(f"2.25.1120100304999 {digest}".encode(), ["20100304"]) == []


def test_dates_of_the_mint_never_shift_into_each_other() -> None:
    mint = Mint()
    days = np.array([np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in (mint.day("x") for _ in range(300))])
    apart = np.abs((days[:, None] - days[None, :]).astype(int))
    assert not ((apart >= 30) & (apart <= 3650)).any()


def test_comment_segments_leave_the_pictures_alone() -> None:
    from io import BytesIO

    from PIL import Image

    frame = make_study(5).noise().integers(0, 255, (32, 32), np.uint8)
    for plain, commented in (
        (encode_jpeg(frame), jpeg_with_segments(encode_jpeg(frame), [b"one", b"two", b"three"])),
        (encode_jpeg2000(frame), jpeg2000_with_comment(encode_jpeg2000(frame), b"one")),
    ):
        assert commented != plain
        with Image.open(BytesIO(plain)) as first, Image.open(BytesIO(commented)) as second:
            assert np.array_equal(np.asarray(first), np.asarray(second))


@needs_table
def test_every_text_attribute_of_the_table_carries_a_token(tmp_path: Path) -> None:
    canaries = write_canary_export(tmp_path)
    (base,) = (path for path in tmp_path.rglob("*") if path.name == canary_token("file name of base"))
    dataset = dcmread(base)
    found = find_tokens(base.read_bytes(), canaries.tokens)
    for attribute in profile_attributes():
        if attribute.vr in ("AS", "US", "SQ") or attribute.name in KEPT_CHARACTERISTICS or attribute.tag < 0x00080000:
            continue
        assert attribute.tag in dataset, attribute.name
    assert len(found) > 1000


@needs_table
def test_canary_export_is_always_the_same(tmp_path: Path) -> None:
    first, second = (write_canary_export(tmp_path / name) for name in ("a", "b"))
    assert digest_of_tree(tmp_path / "a") == digest_of_tree(tmp_path / "b")
    assert first.tokens == second.tokens


@needs_table
def test_base_instance_says_its_technical_values(tmp_path: Path) -> None:
    canaries = write_canary_export(tmp_path)
    (base,) = (path for path in tmp_path.rglob("*") if path.name == canary_token("file name of base"))
    dataset = dcmread(base)
    assert {path: value_text(dataset, path) for path in canaries.technical} == dict(canaries.technical)
    assert hashlib.sha256(dataset.PixelData).hexdigest() == canaries.base_pixels_sha256
    assert find_tokens("\n".join(canaries.technical.values()).encode(), canaries.tokens) == []
