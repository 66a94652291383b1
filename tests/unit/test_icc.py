import io
import struct

import pytest
from PIL import Image, ImageCms

from app.dicom.icc import clean_profile

TOKEN = b"ZZCANARYSECRET"


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def with_tag(profile: bytes, name: bytes, data: bytes) -> bytes:
    """``profile`` with the data of one of its tags replaced, placed at its end."""
    (count,) = struct.unpack_from(">L", profile, 128)
    changed = bytearray(profile + data)
    for index in range(count):
        place = 132 + 12 * index
        if changed[place : place + 4] == name:
            struct.pack_into(">LL", changed, place + 4, len(profile), len(data))
            return bytes(changed)
    raise AssertionError("no such tag")


def colours(profile: bytes) -> list[tuple[int, ...]]:
    lab = ImageCms.createProfile("LAB")
    transform = ImageCms.buildTransform(ImageCms.ImageCmsProfile(io.BytesIO(profile)), lab, "RGB", "LAB")
    image = Image.new("RGB", (4, 1))
    image.putdata([(0, 0, 0), (255, 255, 255), (200, 30, 60), (10, 120, 240)])
    converted = ImageCms.applyTransform(image, transform)
    assert converted is not None
    return [tuple(converted.getpixel((x, 0))) for x in range(4)]  # type: ignore[arg-type]  # a pixel of three bands


def test_colours_stay_the_same() -> None:
    cleaned = clean_profile(srgb())
    assert cleaned is not None
    assert colours(cleaned) == colours(srgb())


def test_description_and_copyright_become_ours() -> None:
    profile = with_tag(srgb(), b"cprt", b"mluc" + bytes(12) + TOKEN)
    cleaned = clean_profile(profile)
    assert cleaned is not None
    assert TOKEN not in cleaned
    assert b"FB" not in cleaned
    assert "De-identified".encode("utf-16-be") in cleaned or b"De-identified" in cleaned


def test_maker_model_day_and_identifier_of_the_header_go() -> None:
    profile = bytearray(srgb())
    profile[4:8], profile[24:36], profile[48:56], profile[80:84] = b"SMIT", b"19590312ABCD", b"JOHNDOE1", b"CREA"
    profile[84:100] = b"IDENTIFIER123456"
    cleaned = clean_profile(bytes(profile))
    assert cleaned is not None
    for secret in (b"SMIT", b"19590312", b"JOHNDOE1", b"CREA", b"IDENTIFIER"):
        assert secret not in cleaned


def test_bytes_that_no_tag_names_go() -> None:
    cleaned = clean_profile(srgb() + TOKEN)
    assert cleaned is not None
    assert TOKEN not in cleaned


@pytest.mark.parametrize("data", [b"XYZ " + bytes(16) + TOKEN, b"XYZ \0\0\0\0" + bytes(12) + TOKEN])
def test_bytes_behind_the_numbers_of_a_tag_go(data: bytes) -> None:
    cleaned = clean_profile(with_tag(srgb(), b"rXYZ", data))
    assert cleaned is not None
    assert TOKEN not in cleaned


@pytest.mark.parametrize(
    "data",
    [
        b"XYZ \0\0\0\0ZZCANARYSECR",
        b"curv\0\0\0\0\0\0\0\7" + TOKEN,
        b"para\0\0\0\0\0\3\0\0ZZCANARYSECRETZZCANA",
    ],
)
def test_text_in_place_of_numbers_makes_it_no_profile(data: bytes) -> None:
    assert clean_profile(with_tag(srgb(), b"rTRC", data)) is None


def test_reserved_bytes_of_a_tag_go() -> None:
    cleaned = clean_profile(with_tag(srgb(), b"rXYZ", b"XYZ JOHN" + bytes(12)))
    assert cleaned is not None
    assert b"JOHN" not in cleaned


def test_tag_of_text_under_the_name_of_numbers_goes() -> None:
    cleaned = clean_profile(with_tag(srgb(), b"rTRC", b"text\0\0\0\0" + TOKEN))
    assert cleaned is not None
    assert TOKEN not in cleaned


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        TOKEN * 20,
        srgb()[:100],
        srgb()[:-200],
        srgb()[:128] + b"\xff\xff\xff\xff" + srgb()[132:],
        srgb()[:12] + b"JOHN" + srgb()[16:],
        srgb()[:16] + b"DOE " + srgb()[20:],
        with_tag(srgb(), b"rTRC", b"curv\0\0\0\0\x7f\0\0\0"),
    ],
)
def test_what_is_not_understood_is_no_profile(profile: bytes) -> None:
    assert clean_profile(profile) is None


def test_cleaned_profile_is_cleaned_to_itself() -> None:
    cleaned = clean_profile(srgb())
    assert cleaned is not None
    assert clean_profile(cleaned) == cleaned
