"""Masked images in the eyes of others: dcmtk and gdcm decode them to the same values, dciodvfy finds nothing new."""

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom import uid as uids

from app.dicom.codestreams import DEFLATED_IMAGE_FRAME
from app.dicom.reading import read_header
from app.pixels.boxes import Box
from app.pixels.reading import ImageReader, Stored
from tests import factory
from tests.real_data import needs_real_files
from tests.unit.pixel_case import KINDS, frames_of, image, masked_file, real_images

BOXES = [Box(2, 3, 6, 9)]
EXPLICIT_VR_LITTLE_ENDIAN = str(uids.ExplicitVRLittleEndian)
# Each writes its input uncompressed, in the colour space that it is stored in.
DECODERS = {
    EXPLICIT_VR_LITTLE_ENDIAN: [["dcmconv", "+te"], ["gdcmconv", "--raw"]],
    str(uids.RLELossless): [["dcmdrle"], ["gdcmconv", "--raw"]],
    str(uids.JPEGLSLossless): [["dcmdjpls"], ["gdcmconv", "--raw"]],
    str(uids.JPEG2000Lossless): [["gdcmconv", "--raw"]],
}
# gdcm reads no Float Pixel Data and no Label Map Segmentation, and writes no frames of a class that has only one.
NOT_FOR_GDCM = frozenset(("pm_float_pixel_data.dcm", "seg_labelmap.dcm", "MultiframeTest.dcm"))


def needs(tool: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def decode(tool: list[str], path: Path) -> list[Stored]:
    """The frames as another tool decodes them."""
    result = path.with_suffix(".raw")
    subprocess.run([*tool, str(path), str(result)], check=True, capture_output=True)
    content = result.read_bytes()
    assert not ImageReader(io.BytesIO(content), read_header(io.BytesIO(content))).is_encapsulated
    return frames_of(content)


def errors_of(path: Path) -> set[str]:
    done = subprocess.run(["dciodvfy", "-new", str(path)], check=False, capture_output=True)
    return {line for line in done.stderr.decode("latin-1").splitlines() if line.startswith("Error")}


def assert_others_agree(masked: bytes, path: Path, tools: list[list[str]]) -> None:
    path.write_bytes(masked)
    ours = frames_of(masked)
    for tool in tools:
        for mine, other in zip(ours, decode(tool, path), strict=True):
            assert mine.tobytes() == other.tobytes(), tool


@needs("gdcmconv")
@needs("dcmconv")
@pytest.mark.parametrize(("photometric", "dtype", "stored"), KINDS)
@pytest.mark.parametrize("syntax", list(DECODERS))
def test_other_tools_decode_masked_images_to_the_same_values(
    photometric: str, dtype: str, stored: int | None, syntax: str, tmp_path: Path
) -> None:
    dataset = image(photometric, dtype, stored=stored, frames=2)
    if syntax != EXPLICIT_VR_LITTLE_ENDIAN:
        try:
            dataset.compress(uids.UID(syntax))
        except ValueError:
            pytest.skip("the standard has no such image in this transfer syntax")
    header, masked = masked_file(factory.to_bytes(dataset), BOXES)
    assert header.transfer_syntax_uid == syntax
    assert_others_agree(masked, tmp_path / "masked.dcm", DECODERS[syntax])


@needs("gdcmconv")
@needs("dcmconv")
@pytest.mark.parametrize("syntax", [uids.JPEGLSLossless, uids.JPEG2000Lossless, uids.RLELossless])
def test_other_tools_see_bits_above_bits_stored_as_we_do(syntax: uids.UID, tmp_path: Path) -> None:
    dataset = image("MONOCHROME2", "u2")
    dataset.compress(syntax)
    dataset.BitsStored, dataset.HighBit = 12, 11
    _, masked = masked_file(factory.to_bytes(dataset), BOXES)
    (tmp_path / "masked.dcm").write_bytes(masked)
    (ours,) = frames_of(masked)
    for tool in DECODERS[str(syntax)]:
        (theirs,) = decode(tool, tmp_path / "masked.dcm")
        assert np.array_equal(theirs & 0x0FFF, ours & 0x0FFF)


@needs_real_files
@needs("gdcmconv")
@needs("dcmconv")
def test_other_tools_decode_masked_public_images_to_the_same_values(tmp_path: Path) -> None:
    seen = set()
    for name, content in real_images(of_each=1):
        header, masked = masked_file(content, BOXES)
        if header.transfer_syntax_uid == DEFLATED_IMAGE_FRAME:
            continue  # too new for all of them
        tools = [
            one for one in DECODERS[header.transfer_syntax_uid] if one[0] != "gdcmconv" or name not in NOT_FOR_GDCM
        ]
        assert_others_agree(masked, tmp_path / "masked.dcm", tools)
        seen.add(header.transfer_syntax_uid)
    assert seen == set(DECODERS)


@needs_real_files
@needs("dciodvfy")
def test_masking_brings_no_error_that_dciodvfy_finds(tmp_path: Path) -> None:
    source, result = tmp_path / "source.dcm", tmp_path / "masked.dcm"
    for name, content in real_images(of_each=1):
        header = read_header(io.BytesIO(content))
        if header.transfer_syntax_uid == uids.DeflatedExplicitVRLittleEndian or not header.text(0x00080018):
            continue  # dciodvfy does not inflate; and without a SOP Instance UID there is no valid file
        source.write_bytes(content)
        result.write_bytes(masked_file(content, BOXES)[1])
        assert errors_of(result) <= errors_of(source), name


@needs_real_files
@needs("dcmj2pnm")
def test_masked_public_colour_images_look_the_same_in_dcmtk_outside_of_the_mask(tmp_path: Path) -> None:
    compared = 0
    source, result = tmp_path / "source.dcm", tmp_path / "masked.dcm"
    for name, content in real_images(of_each=1):
        if read_header(io.BytesIO(content)).text(0x00280004).startswith("MONO"):
            continue  # their values are all that dcmtk shows
        source.write_bytes(content)
        result.write_bytes(masked_file(content, BOXES)[1])
        before, after = rendered(source), rendered(result)
        if before is None or after is None:
            continue  # no JPEG 2000 in dcmtk
        compared += 1
        outside = np.ones(before.shape[:2], bool)
        outside[2:6, 3:9] = False
        # libjpeg turns a JPEG into RGB with other roundings than dcmtk's own YBR_FULL: two levels of 256.
        assert np.abs(before[outside].astype(int) - after[outside]).max() <= 2, name
        assert len(np.unique(after[~outside], axis=0)) == 1, name
    assert compared >= 5


def rendered(path: Path) -> Stored | None:
    """The first frame as dcmtk shows it, over the whole range of possible values."""
    picture = path.with_suffix(".pnm")
    done = subprocess.run(["dcmj2pnm", "-W", "-O", "+op", str(path), str(picture)], check=False, capture_output=True)
    return np.array(Image.open(picture).convert("RGB")) if done.returncode == 0 else None
