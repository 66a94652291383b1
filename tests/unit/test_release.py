import io
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom import uid as uids
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from app.deid.recipe import describe_patient
from app.deid.release import Releaser
from app.deid.rules import safe_private
from app.deid.worker import PrepareContext, PrepareItem, prepare_batch
from app.dicom.identity import collect_identities
from app.dicom.profile import Option
from app.dicom.reading import read_header
from app.errors import FileError, HeldBackError, Reason, UnreadableError
from app.files.locator import Locator
from app.pixels.boxes import Box
from app.project.images import ImagePlan, ImageState
from tests import factory
from tests.real_data import iterate_real_files, needs_real_files
from tests.unit.deid_case import CLEAR, DEFAULT_OPTIONS, PATIENT, ct_image, make_recipe, release, release_bytes

TOKEN = b"ZZCANARY"
DEFLATED = uids.DeflatedExplicitVRLittleEndian
NATIVE: tuple[uids.UID, ...] = (
    uids.ExplicitVRLittleEndian,
    uids.ImplicitVRLittleEndian,
    uids.ExplicitVRBigEndian,
    DEFLATED,
)


def write(dataset: Dataset, transfer_syntax: uids.UID) -> bytes:
    if transfer_syntax == uids.ExplicitVRBigEndian:  # pydicom leaves pixel words as they are
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        dataset["PixelData"].VR = "OW"
    return factory.to_bytes(dataset, transfer_syntax)


@pytest.mark.parametrize("transfer_syntax", NATIVE)
def test_source_of_any_native_syntax_gives_the_same_file(transfer_syntax: uids.UID) -> None:
    _, expected = release_bytes(factory.to_bytes(ct_image()))
    _, released = release_bytes(write(ct_image(), transfer_syntax))
    assert released == expected


def test_released_file_is_explicit_little_endian_with_the_sources_pixels() -> None:
    dataset = ct_image()
    released = release(dataset)
    assert released.file_meta.TransferSyntaxUID == uids.ExplicitVRLittleEndian
    assert released.PixelData == dataset.PixelData
    assert np.array_equal(released.pixel_array, dataset.pixel_array)


def test_preamble_and_file_meta_are_new() -> None:
    dataset = ct_image()
    dataset.file_meta.SourceApplicationEntityTitle = "ZZCANARY"
    dataset.file_meta.PrivateInformationCreatorUID = uids.UID("1.2.3")
    dataset.file_meta.PrivateInformation = TOKEN
    content = TOKEN * 16 + factory.to_bytes(dataset)[128:]
    _, released = release_bytes(content)
    assert TOKEN not in released
    assert released[:128] == bytes(128)
    meta = dcmread(io.BytesIO(released)).file_meta
    assert {element.keyword for element in meta} == {
        "FileMetaInformationGroupLength",
        "FileMetaInformationVersion",
        "MediaStorageSOPClassUID",
        "MediaStorageSOPInstanceUID",
        "TransferSyntaxUID",
        "ImplementationClassUID",
        "ImplementationVersionName",
    }


def test_uid_of_the_file_meta_is_that_of_the_object() -> None:
    released = release(ct_image())
    assert released.file_meta.MediaStorageSOPInstanceUID == released.SOPInstanceUID


def test_bytes_behind_the_pixels_do_not_leave() -> None:
    dataset = ct_image()
    dataset.add_new(Tag(0xFFFC, 0xFFFC), "OB", TOKEN)
    dataset.PixelData += TOKEN
    _, released = release_bytes(factory.to_bytes(dataset))
    assert TOKEN not in released


def test_survey_tells_no_less_than_the_file_will_have() -> None:
    content = factory.to_bytes(ct_image())
    surveyed = Releaser(make_recipe(), PATIENT).survey(io.BytesIO(content), CLEAR)
    released, whole = release_bytes(content)
    assert surveyed.header.encoded == released.header.encoded
    assert len(whole) <= surveyed.size_limit <= len(whole) + 8192


@pytest.mark.parametrize("vr", ["LT", "UN"])
def test_pixel_element_says_what_it_is(vr: str) -> None:
    content = factory.to_bytes(ct_image())
    place = content.index(b"\xe0\x7f\x10\x00OW")
    if vr == "LT":
        changed = content[: place + 4] + b"LT" + (512).to_bytes(2, "little") + content[place + 12 :]
        with pytest.raises(UnreadableError) as refused:
            release_bytes(changed)
        assert refused.value.reason is Reason.BAD_ELEMENT
    else:
        _, released = release_bytes(content[: place + 4] + b"UN" + content[place + 6 :])
        assert b"\xe0\x7f\x10\x00OW" in released


def test_compressed_file_keeps_its_syntax_and_pictures() -> None:
    dataset = ct_image()
    expected = dataset.pixel_array.copy()
    dataset.compress(uids.RLELossless, generate_instance_uid=False)
    released = release(dataset)
    assert released.file_meta.TransferSyntaxUID == uids.RLELossless
    assert np.array_equal(released.pixel_array, expected)


def test_instance_without_its_uid_is_set_aside() -> None:
    dataset = ct_image()
    content = factory.to_bytes(dataset)
    place = content.index(b"\x08\x00\x18\x00UI", 300)
    length = int.from_bytes(content[place + 6 : place + 8], "little")
    blank = content[: place + 8] + b"\0" * length + content[place + 8 + length :]
    with pytest.raises(HeldBackError) as held:
        Releaser(make_recipe(), PATIENT).survey(io.BytesIO(blank), CLEAR)
    assert held.value.reason is Reason.MISSING_UID


def test_unknown_sop_class_is_set_aside() -> None:
    dataset = ct_image()
    dataset.SOPClassUID = "1.2.3.4"
    with pytest.raises(UnreadableError) as refused:
        release_bytes(factory.to_bytes(dataset))
    assert refused.value.reason is Reason.UNKNOWN_SOP_CLASS


def test_damaged_pixels_show_while_preparing_and_not_only_while_exporting() -> None:
    dataset = ct_image()
    dataset.compress(uids.RLELossless, generate_instance_uid=False)
    content = factory.to_bytes(dataset)
    with pytest.raises(UnreadableError):
        Releaser(make_recipe(), PATIENT).survey(io.BytesIO(content[:-40]), CLEAR)


@pytest.mark.parametrize(
    "name",
    [
        "CT_small.dcm",
        "MR_small.dcm",
        "MR_small_bigendian.dcm",
        "MR_small_implicit.dcm",
        "MR_small_RLE.dcm",
        "image_dfl.dcm",
        "rtdose.dcm",
    ],
)
def test_file_of_pydicom_comes_through_with_its_pixels(name: str) -> None:
    path = get_testdata_file(name)
    assert isinstance(path, str)
    source = dcmread(path)
    _, content = release_bytes(Path(path).read_bytes())
    assert np.array_equal(dcmread(io.BytesIO(content)).pixel_array, source.pixel_array)


def test_batch_tells_what_became_of_each_file(tmp_path: Path) -> None:
    good = factory.save(ct_image(), tmp_path / "good")
    (tmp_path / "bad").write_bytes(good.read_bytes()[:-20])
    items = tuple(
        PrepareItem(number, Locator(str(path)).to_text(), CLEAR)
        for number, path in enumerate((good, tmp_path / "bad", tmp_path / "gone"))
    )
    batch = prepare_batch(PrepareContext("1:0", make_recipe(), PATIENT), items)
    assert [outcome.reason for outcome in batch.outcomes[:2]] == [None, Reason.TRUNCATED_PIXELS]
    assert batch.outcomes[2].reason is not None
    rows = {row.path: row for row in batch.values}
    assert rows["Modality"].value == "CT"
    assert all(row.count == 1 for row in batch.values)
    assert batch.applied
    assert str(ct_image().SOPInstanceUID) in {original for original, _ in batch.original_uids}


@needs_real_files
def test_real_files_leave_or_are_set_aside_with_a_reason_and_their_names_never_leave() -> None:
    released_files = 0
    for path in iterate_real_files():
        content = path.read_bytes()
        try:
            header = read_header(io.BytesIO(content))
            identities = collect_identities(header)
            patient = describe_patient("SITE-ABC234", 50, [(kind.value, text) for kind, text in identities])
            released, _ = release_bytes(content, make_recipe(DEFAULT_OPTIONS), patient)
        except FileError:
            continue
        released_files += 1
        kept = {record.value.casefold() for hit in released.header.hits for record in hit.records if record.vr == "LO"}
        names = {text.casefold() for kind, text in identities if kind.value == "name" and len(text) > 4}
        assert not names & kept, path.name
    assert released_files > 80


def test_image_that_a_person_released_says_that_no_text_is_burned_in() -> None:
    dataset = ct_image()
    dataset.BurnedInAnnotation = "YES"
    seen = ImagePlan(ImageState.SEEN, None, seen_by_person=True)
    assert release(dataset, plan=seen).BurnedInAnnotation == "NO"


def test_masked_image_says_so_and_claims_nothing_that_no_person_saw() -> None:
    dataset = ct_image()
    dataset.BurnedInAnnotation = "YES"
    options = (*DEFAULT_OPTIONS, Option.CLEAN_PIXEL_DATA)
    boxes = (Box(2, 3, 6, 9),)
    by_rule = release(dataset, options, plan=ImagePlan(ImageState.MASKED, None, boxes))
    by_person = release(dataset, options, plan=ImagePlan(ImageState.MASKED, None, boxes, seen_by_person=True))
    untouched = release(dataset, options)
    codes = [
        {item.CodeValue for item in one.DeidentificationMethodCodeSequence} for one in (by_rule, by_person, untouched)
    ]
    assert ["113101" in found for found in codes] == [True, True, False]
    assert [one.BurnedInAnnotation for one in (by_rule, by_person)] == ["YES", "NO"]
    expected = dataset.pixel_array.copy()
    expected[2:6, 3:9] = by_rule.pixel_array[2, 3]
    assert np.array_equal(by_rule.pixel_array, expected)
    assert not np.array_equal(by_rule.pixel_array, dataset.pixel_array)
    assert np.array_equal(untouched.pixel_array, dataset.pixel_array)


@pytest.mark.parametrize(("vr", "value"), [("DA", "20200101"), ("DT", "20200101101010"), ("UI", "1.2.3.4")])
def test_dates_and_uids_of_safe_private_elements_are_changed_like_the_standards(vr: str, value: str) -> None:
    listed = [key for key, (listed_vr, _) in safe_private().items() if listed_vr == vr]
    for creator, group, element in listed[:3]:
        dataset = ct_image()
        block = dataset.private_block(group, creator, create=True)
        block.add_new(element, vr, value)
        released = release(dataset, options=(*DEFAULT_OPTIONS, Option.RETAIN_SAFE_PRIVATE))
        found = released.private_block(group, creator)[element].value
        assert found and found != value
