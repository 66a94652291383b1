import io
import struct
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom import uid as uids
from pydicom.pixels.processing import apply_color_lut, apply_modality_lut, apply_voi_lut, convert_color_space
from pydicom.pixels.utils import pixel_array
from pydicom.tag import Tag

from app.dicom.reading import Header, read_header
from app.dicom.tokens import Element
from app.pixels.rendering import (
    FULL_RANGE,
    Look,
    VoiFunction,
    Window,
    WindowName,
    default_window,
    detection_windows,
    full_window,
    look_of,
    render,
    render_for_detection,
    window_presets,
)
from tests import factory
from tests.real_data import REAL_FILES, needs_real_files

STUDY = factory.make_study(11)
NOISE = np.random.default_rng(7)


def ct_image() -> Dataset:
    return factory.ct_series(STUDY, slices=1, rows=16, columns=16)[0]


def header_of(dataset: Dataset) -> Header:
    return read_header(io.BytesIO(factory.to_bytes(dataset)))


def image(frame: NDArray[Any], *, bits_stored: int, photometric: str = "MONOCHROME2", **attributes: Any) -> Dataset:
    """A CT image with other pixels and without its own windows."""
    dataset = ct_image()
    for keyword in ("WindowCenter", "WindowWidth", "RescaleSlope", "RescaleIntercept"):
        if keyword in dataset:
            del dataset[keyword]
    factory.set_pixels(dataset, frame, bits_stored=bits_stored, photometric=photometric)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def frame_of(bits: int, dtype: str) -> NDArray[Any]:
    low, high = (0, 1 << bits) if dtype.startswith("u") else (-(1 << bits - 1), 1 << bits - 1)
    return NOISE.integers(low, high, (32, 32)).astype(dtype)


def by_pydicom(stored: NDArray[Any], dataset: Dataset) -> NDArray[np.float64]:
    """The referee: modality and VOI by pydicom, brought to 0 to 255."""
    shown = apply_voi_lut(apply_modality_lut(stored, dataset), dataset).astype(np.float64)
    bits = dataset.BitsStored
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if dataset.PixelRepresentation else (0, (1 << bits) - 1)
    if "VOILUTSequence" in dataset:
        low, high = 0, (1 << dataset.VOILUTSequence[0].LUTDescriptor[2]) - 1
    else:
        slope, intercept = float(dataset.get("RescaleSlope", 1)), float(dataset.get("RescaleIntercept", 0))
        low, high = low * slope + intercept, high * slope + intercept
    grey: NDArray[np.float64] = (shown - low) / (high - low) * 255
    return 255 - grey if dataset.PhotometricInterpretation == "MONOCHROME1" else grey


def lut_item(first: int, bits: int, entries: Sequence[int], *, vr: str = "US") -> Dataset:
    item = Dataset()
    item.add_new(Tag(0x00283002), vr, [len(entries), first, bits])
    item.LUTExplanation = "invented"
    item.add_new(Tag(0x00283006), "OW", struct.pack(f"<{len(entries)}H", *entries))
    return item


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(
    ("bits", "dtype"), [(8, "u1"), (12, "u2"), (16, "u2"), (12, "i2"), (16, "i2"), (10, "u2"), (8, "i1")]
)
@pytest.mark.parametrize("function", [None, *VoiFunction])
def test_grey_is_what_pydicom_makes(photometric: str, bits: int, dtype: str, function: str | None) -> None:
    stored = frame_of(bits, dtype)
    dataset = image(stored, bits_stored=bits, photometric=photometric, RescaleSlope=2, RescaleIntercept=-100)
    dataset.WindowCenter, dataset.WindowWidth = 300 if bits > 8 else 40, 700 if bits > 8 else 90
    if function is not None:
        dataset.VOILUTFunction = function
    shown = render(stored, look_of(header_of(dataset)))
    assert shown.dtype == np.uint8
    np.testing.assert_allclose(shown, by_pydicom(stored, dataset), atol=0.51)


def test_modality_and_voi_lut_are_what_pydicom_makes() -> None:
    stored = frame_of(10, "u2")
    dataset = image(stored, bits_stored=10)
    dataset.ModalityLUTSequence = [lut_item(100, 16, list(range(0, 4000, 5)))]
    dataset.ModalityLUTSequence[0].ModalityLUTType = "US"
    dataset.VOILUTSequence = [lut_item(500, 10, [int(1023 * (i / 2999) ** 0.5) for i in range(3000)])]
    np.testing.assert_allclose(render(stored, look_of(header_of(dataset))), by_pydicom(stored, dataset), atol=0.51)


@pytest.mark.filterwarnings("ignore:Applying a VOI LUT on a float")
def test_voi_lut_can_start_below_zero() -> None:
    stored = frame_of(12, "i2")
    dataset = image(stored, bits_stored=12, RescaleSlope=1, RescaleIntercept=-10)
    dataset.VOILUTSequence = [lut_item(-1000, 10, [i * 1023 // 1999 for i in range(2000)], vr="SS")]
    np.testing.assert_allclose(render(stored, look_of(header_of(dataset))), by_pydicom(stored, dataset), atol=0.51)


@pytest.mark.parametrize("bits", [8, 16])
def test_palette_is_what_pydicom_makes(bits: int) -> None:
    stored = frame_of(8, "u1")
    dataset = palette_image(stored, bits)
    expected = apply_color_lut(stored, dataset)
    shown = render(stored, look_of(header_of(dataset)))
    assert shown.shape == (32, 32, 3)
    np.testing.assert_allclose(shown, expected / (1 if bits == 8 else 257), atol=0.51)


def palette_image(stored: NDArray[Any], bits: int, entries: int = 200) -> Dataset:
    dataset = image(stored, bits_stored=8 * stored.dtype.itemsize, photometric="PALETTE COLOR")
    for number, colour in enumerate(("Red", "Green", "Blue")):
        values = NOISE.integers(1 << bits - 1, 1 << bits, entries) >> number
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [entries, 3, bits])
        content = values.astype("u1" if bits == 8 else "<u2").tobytes()
        setattr(dataset, f"{colour}PaletteColorLookupTableData", content)
    return dataset


def test_palette_that_says_16_bit_and_holds_8_is_not_black() -> None:
    stored = frame_of(8, "u1")
    dataset = palette_image(stored, 16)
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableData", np.arange(200, dtype="<u2").tobytes())
    shown = render(stored, look_of(header_of(dataset)))
    np.testing.assert_array_equal(shown[:, :, 0], np.clip(stored.astype(int) - 3, 0, 199))


SEGMENTED = {
    # discrete 10 20 30, straight to 90 in 6 steps
    "discrete and linear": [0, 3, 10, 20, 30, 1, 6, 90],
    # the two segments at word 0 once more
    "indirect": [0, 2, 10, 200, 1, 9, 40, 2, 2, 0, 0],
}


@pytest.mark.parametrize("words", SEGMENTED.values(), ids=SEGMENTED.keys())
@pytest.mark.parametrize("bits", [8, 16])
def test_segmented_palette_is_what_pydicom_makes(words: list[int], bits: int) -> None:
    stored = frame_of(4, "u1")
    if bits == 8 and words[-4] == 2:
        words = [*words, 0, 0]  # four bytes of offset
    dataset = image(stored, bits_stored=8, photometric="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [9 if words[1] == 3 else 22, 0, bits])
        tag = Tag(f"Segmented{colour}PaletteColorLookupTableData")
        dataset.add_new(tag, "OW", struct.pack(f"<{len(words)}{'B' if bits == 8 else 'H'}", *words))
    dataset = dcmread(io.BytesIO(factory.to_bytes(dataset)))
    expected = apply_color_lut(stored, dataset)
    # The 16-bit table holds 8-bit values, which are taken as such.
    np.testing.assert_array_equal(render(stored, look_of(header_of(dataset))), expected)


@pytest.mark.parametrize("words", [[2, 1, 0, 0], [0, 1, 5, 2, 2, 0, 0], [1, 5, 9], [0, 200, 1], [7, 7, 7, 7]])
def test_damaged_segmented_palette_neither_hangs_nor_raises(words: list[int]) -> None:
    stored = frame_of(4, "u1")
    dataset = image(stored, bits_stored=8, photometric="PALETTE COLOR")
    for colour in ("Red", "Green", "Blue"):
        setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [0, 0, 16])
        tag = Tag(f"Segmented{colour}PaletteColorLookupTableData")
        dataset.add_new(tag, "OW", struct.pack(f"<{len(words)}H", *words))
    assert render(stored, look_of(header_of(dataset))).shape[:2] == (32, 32)


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_ybr_is_what_pydicom_makes(photometric: str) -> None:
    stored = NOISE.integers(0, 256, (64, 64, 3)).astype("u1")
    shown = render(stored, Look(photometric, 8, 7, False))
    expected = convert_color_space(stored, "YBR_FULL", "RGB").astype(int)
    assert np.abs(shown.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("photometric", ["RGB", "YBR_ICT", "YBR_RCT"])
def test_rgb_is_left_as_it_is(photometric: str) -> None:
    stored = NOISE.integers(0, 256, (16, 16, 3)).astype("u1")
    np.testing.assert_array_equal(render(stored, Look(photometric, 8, 7, False)), stored)


def test_partial_range_of_ybr_is_spread() -> None:
    black_and_white = np.array([[[16, 128, 128], [235, 128, 128]]], np.uint8)
    shown = render(black_and_white, Look("YBR_PARTIAL_420", 8, 7, False))
    np.testing.assert_array_equal(shown, [[[0, 0, 0], [255, 255, 255]]])


def test_rgb_of_16_bit_becomes_8() -> None:
    stored = np.array([[[0, 65535, 257]]], np.uint16)
    np.testing.assert_array_equal(render(stored, Look("RGB", 16, 15, False)), [[[0, 255, 1]]])


def test_overlay_in_the_high_bits_is_not_seen_and_has_a_picture_of_its_own() -> None:
    stored = frame_of(12, "u2")
    written = factory.burn_text(np.zeros_like(stored), ["X"], at=(2, 2), value=1 << 12)
    look = Look("MONOCHROME2", 12, 11, False, windows=(Window(2000, 1000),))
    np.testing.assert_array_equal(render(stored | written, look), render(stored, look))
    assert len(render_for_detection(stored, look)) == 2
    *seen, hidden = render_for_detection(stored | written, look)
    assert len(seen) == 2
    np.testing.assert_array_equal(hidden, np.where(written, 255, 0))


def test_value_above_the_lowest_bits_is_found_by_high_bit() -> None:
    values = frame_of(12, "i2")
    look = Look("MONOCHROME2", 12, 15, True)
    shifted = (values << 4) | NOISE.integers(0, 16, (32, 32)).astype("i2")
    np.testing.assert_array_equal(render(shifted, look), render(values, Look("MONOCHROME2", 12, 11, True)))


def test_one_bit_is_black_and_white() -> None:
    stored = NOISE.integers(0, 2, (16, 16)).astype("u1")
    np.testing.assert_array_equal(render(stored, Look("MONOCHROME2", 1, 0, False)), stored * 255)


def test_big_endian_values_are_seen_like_little_endian_ones() -> None:
    stored = frame_of(16, "i2")
    look = Look("MONOCHROME2", 16, 15, True, windows=(Window(0, 9000),))
    np.testing.assert_array_equal(render(stored.astype(">i2"), look), render(stored, look))


@pytest.mark.parametrize("dtype", ["f4", "f8", "u4", "i4"])
def test_wide_and_float_values_are_seen_through_a_window_like_narrow_ones(dtype: str) -> None:
    stored = frame_of(12, "u2")
    window = Window(1000, 3000)
    wide = render(stored.astype(dtype), Look("MONOCHROME2", 32, 31, dtype == "i4"), window)
    np.testing.assert_array_equal(wide, render(stored, Look("MONOCHROME2", 12, 11, False), window))


def test_values_that_are_no_numbers_are_dark_and_spoil_nothing() -> None:
    stored = np.array([[0.0, 10.0, np.nan], [np.inf, -np.inf, 5.0]], np.float32)
    look = Look("MONOCHROME2", 32, 31, False)
    np.testing.assert_array_equal(render(stored, look), [[0, 255, 0], [255, 0, 128]])
    assert render(np.full((4, 4), np.nan, np.float32), look).max() == 0
    assert len(render_for_detection(np.full((4, 4), np.nan), look)) == 1


@pytest.mark.parametrize("value", [0, 7, 4095])
@pytest.mark.parametrize("look", [Look("MONOCHROME2", 12, 11, False), Look("MONOCHROME1", 12, 11, False)])
def test_constant_image_is_one_grey(value: int, look: Look) -> None:
    stored = np.full((8, 8), value, np.uint16)
    assert len(np.unique(render(stored, look))) == 1
    assert len(render_for_detection(stored, look)) == 1


@pytest.mark.parametrize(
    ("center", "width"),
    [(b"40", b"0"), (b"40", b"-400"), (b"nan", b"400"), (b"x", b"400"), (b"", b""), (b"40", b"inf"), (b"40", b"")],
)
def test_damaged_window_shows_the_full_range(center: bytes, width: bytes) -> None:
    stored = frame_of(12, "u2")
    header = header_of(image(stored, bits_stored=12))
    damaged = {0x00281050: Element(0x00281050, "DS", center), 0x00281051: Element(0x00281051, "DS", width)}
    look = look_of(replace(header, by_tag={**header.by_tag, **damaged}))
    assert look.windows == ()
    np.testing.assert_array_equal(render(stored, look), render(stored, look, FULL_RANGE))


@pytest.mark.parametrize(
    "look",
    [
        Look("", 0, 0, False),
        Look("NONSENSE", 65535, 65535, True),
        Look("MONOCHROME2", 12, 0, True),
        Look("MONOCHROME2", 16, 15, False, slope=1e308, intercept=-1e308),
        Look("RGB", 8, 7, False),
        Look("PALETTE COLOR", 8, 7, False),
        Look("YBR_FULL", 16, 15, True),
        Look("MONOCHROME2", 16, 15, False, windows=(Window(1e308, 1e-300, VoiFunction.SIGMOID),)),
    ],
)
@pytest.mark.parametrize(
    "stored",
    [
        frame_of(8, "u1"),
        frame_of(16, "i2"),
        frame_of(16, ">u2"),
        frame_of(16, "u4").astype("i8"),
        NOISE.normal(size=(8, 8)).astype("f4"),
        NOISE.integers(0, 256, (8, 8, 3)).astype("u1"),
        NOISE.integers(0, 256, (8, 8, 4)).astype("i2"),
        NOISE.integers(0, 256, (8, 8, 2)).astype("u1"),
        NOISE.integers(0, 2, (8, 8)).astype(bool),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_nothing_that_a_header_says_stops_it(look: Look, stored: NDArray[Any]) -> None:
    for window in (None, FULL_RANGE, Window(float("nan"), 1), Window(-1e308, 1e308)):
        shown = render(stored, look, window)
        assert shown.shape[:2] == stored.shape[:2]
        assert shown.dtype == np.uint8
    assert 1 <= len(render_for_detection(stored, look)) <= 3


LOOK_TAGS = [0x00280004, *range(0x00280100, 0x00280104), *range(0x00281050, 0x00281057), 0x20500020]
LUT_TAGS = [0x00283002, 0x00283006, *range(0x00281101, 0x00281104)]
LUT_TAGS += [*range(0x00281201, 0x00281204), *range(0x00281221, 0x00281224)]
VALUES = st.one_of(
    st.binary(max_size=24),
    st.lists(st.floats(), max_size=3).map(lambda numbers: "\\".join(map(repr, numbers)).encode()),
    st.lists(st.integers(0, 65535), max_size=40).map(lambda words: struct.pack(f"<{len(words)}H", *words)),
    st.sampled_from([b"MONOCHROME1", b"PALETTE COLOR", b"RGB", b"YBR_FULL", b"SIGMOID", b"LINEAR_EXACT", b"INVERSE"]),
)
VRS = st.sampled_from(["US", "SS", "DS", "CS", "OW", "OB", "FD", "UN", "LO"])
PLAIN = st.builds(Element, st.sampled_from(LOOK_TAGS + LUT_TAGS), VRS, VALUES)
NESTED = st.builds(
    lambda tag, item: Element(tag, "SQ", (tuple(item),)),
    st.sampled_from([0x00283000, 0x00283010, 0x52009229, 0x52009230]),
    st.lists(PLAIN, max_size=3),
)


SOUND_HEADER = header_of(image(frame_of(12, "u2"), bits_stored=12))


@given(damage=st.lists(PLAIN | NESTED, max_size=6), stored=st.sampled_from(["u1", "i2", "u2", "u4", "f4", "rgb"]))
@settings(max_examples=300)
def test_no_damage_of_a_header_stops_it(damage: list[Element], stored: str) -> None:
    header = SOUND_HEADER
    look = look_of(replace(header, by_tag={**header.by_tag, **{element.tag: element for element in damage}}))
    frame = frame_of(7, "u1")[:, :30].reshape(32, 10, 3) if stored == "rgb" else frame_of(7, "u1").astype(stored)
    for window in (None, *(preset.window for preset in window_presets(look))):
        assert render(frame, look, window).dtype == np.uint8
    assert render_for_detection(frame, look)


def test_enhanced_frame_is_seen_through_its_own_window() -> None:
    dataset = factory.enhanced_mr(STUDY, frames=2, rows=8, columns=8)
    for number, group in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        voi = Dataset()
        voi.WindowCenter, voi.WindowWidth = 100 * number + 50, 10
        group.FrameVOILUTSequence = [voi]
    shared = Dataset()
    shared.RescaleSlope, shared.RescaleIntercept, shared.RescaleType = 3, 7, "US"
    dataset.SharedFunctionalGroupsSequence[0].PixelValueTransformationSequence = [shared]
    for group in dataset.PerFrameFunctionalGroupsSequence:
        if "PixelValueTransformationSequence" in group:
            del group.PixelValueTransformationSequence
    header = header_of(dataset)
    assert [look_of(header, frame).windows[0].center for frame in (0, 1)] == [50, 150]
    assert [look_of(header, frame).slope for frame in (0, 1)] == [3, 3]
    assert look_of(header, 99).intercept == 7


def test_presets_are_the_files_windows_then_those_of_ct_then_everything() -> None:
    dataset = ct_image()
    dataset.WindowCenter, dataset.WindowWidth, dataset.WindowCenterWidthExplanation = (
        [40, -600],
        [400, 1600],
        ["A", "B"],
    )
    presets = window_presets(look_of(header_of(dataset)))
    assert [preset.name for preset in presets[:3]] == [WindowName.FILE, WindowName.FILE, WindowName.SOFT_TISSUE]
    assert [preset.window.original_explanation for preset in presets[:2]] == ["A", "B"]
    assert {WindowName.LUNG, WindowName.BONE, WindowName.BRAIN, WindowName.ABDOMEN} < {one.name for one in presets}
    assert presets[-1].window == FULL_RANGE


def test_only_ct_in_hounsfield_units_has_the_presets_of_ct() -> None:
    dataset = ct_image()
    dataset.RescaleType = "US"
    assert [one.name for one in window_presets(look_of(header_of(dataset)))][-1:] == [WindowName.FULL]
    assert not look_of(header_of(dataset)).is_hounsfield
    assert window_presets(Look("RGB", 8, 7, False)) == ()


def test_inverse_presentation_says_no_more_than_monochrome1() -> None:
    stored = frame_of(8, "u1")
    plain = image(stored, bits_stored=8)
    inverse = image(stored, bits_stored=8, PresentationLUTShape="INVERSE")
    both = image(stored, bits_stored=8, photometric="MONOCHROME1", PresentationLUTShape="INVERSE")
    shown = render(stored, look_of(header_of(plain)))
    np.testing.assert_array_equal(render(stored, look_of(header_of(inverse))), 255 - shown)
    np.testing.assert_array_equal(render(stored, look_of(header_of(both))), 255 - shown)
    np.testing.assert_array_equal(render(stored, look_of(header_of(plain)), invert=True), 255 - shown)


def test_eight_bits_without_a_window_are_brightness_already() -> None:
    stored = np.array([[10, 200]], np.uint8)
    look = Look("MONOCHROME2", 8, 7, False)
    np.testing.assert_array_equal(render(stored, look), stored)
    np.testing.assert_array_equal(render(stored, look, FULL_RANGE), [[0, 255]])
    assert default_window(stored, look).width == 255
    assert full_window(stored, look).width == 190


def test_text_at_the_end_of_16_bit_is_seen_over_the_full_range_and_faint_text_through_the_narrow_window() -> None:
    anatomy = NOISE.integers(0, 300, (64, 64)).astype("u2")
    anatomy[40:50, 10:50] = 65535
    anatomy[10:20, 10:50] = 600
    look = Look("MONOCHROME2", 16, 15, False)
    narrow, full = render_for_detection(anatomy, look)
    assert int(narrow[10:20, 10:50].min()) - int(narrow[0:9].max()) > 80
    assert full[40:50, 10:50].min() == 255
    assert full[0:9].max() < 10
    windowed, _ = render_for_detection(anatomy, Look("MONOCHROME2", 16, 15, False, windows=(Window(300, 700),)))
    assert int(windowed[10:20, 10:50].min()) - int(windowed[0:9].max()) > 80


def test_window_that_cuts_nothing_off_is_no_second_picture() -> None:
    stored = frame_of(12, "u2")
    assert len(render_for_detection(stored, Look("MONOCHROME2", 12, 11, False, windows=(Window(2048, 4096),)))) == 1
    assert len(render_for_detection(stored, Look("MONOCHROME2", 12, 11, False, windows=(Window(2048, 1000),)))) == 2


def test_frames_of_a_stack_are_seen_alike_through_the_same_windows() -> None:
    look = Look("MONOCHROME2", 12, 11, False)
    dark, bright = frame_of(10, "u2"), frame_of(12, "u2")
    windows = detection_windows(bright, look)
    seen, same = render_for_detection(dark, look, windows), render_for_detection(bright, look, windows)
    assert len(seen) == len(same) == len(windows)
    together = np.vstack([dark, bright])
    for number, window in enumerate(windows):
        np.testing.assert_array_equal(np.vstack([seen[number], same[number]]), render(together, look, window))
    assert detection_windows(np.zeros((4, 4, 3), np.uint8), Look("RGB", 8, 7, False)) == ()


def test_lossy_values_above_bits_stored_stay_bright() -> None:
    stored = np.array([[0, 4095, 4170]], np.uint16)
    header = header_of(image(stored, bits_stored=12))
    assert render(stored, look_of(header), FULL_RANGE)[0, 2] < 10
    assert render(stored, look_of(replace(header, transfer_syntax_uid=uids.JPEG2000)), FULL_RANGE)[0, 2] == 255


REFEREED = [
    "modalities/ct_ge_jan_01.dcm",
    "modalities/ct_breast.dcm",
    "modalities/cr_fuji_chest_noext_nometa",
    "modalities/dx_dog_thorax.dcm",
    "modalities/ct_philips_surview_localizer.dcm",
    "modalities/emr_j2k_19frames.dcm",
    "transfer_syntax/MR2_J2KI.dcm",
    "transfer_syntax/siemens_mosaic/7.dcm",
    "transfer_syntax/mr_siemens_bigendian_andrews_robert.dcm",
]


@needs_real_files
@pytest.mark.parametrize("name", REFEREED)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_grey_is_what_pydicom_makes(name: str) -> None:
    dataset, stored, look = real(name)
    for tag in (0x52009229, 0x52009230):
        for item in dataset.get(Tag(tag), Dataset()).value[:1] if Tag(tag) in dataset else ():
            for macro in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                dataset.update(item[macro].value[0] if macro in item else {})
    expected = by_pydicom(stored, dataset)
    # pydicom does not cut lossy overshoot off.
    np.testing.assert_allclose(render(stored, look), np.clip(expected, 0, 255), atol=0.51)


@needs_real_files
@pytest.mark.parametrize(
    "name", ["US-PAL-8-10x-echo", "us_aloka_segmented_palette.dcm", "us_philips_ob_2frame_palette.dcm"]
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_palette_is_what_pydicom_makes(name: str) -> None:
    dataset, stored, look = real(f"burned_in/{name}")
    expected = apply_color_lut(stored, dataset)
    if expected.dtype == np.uint16 and expected.max() > 255:
        expected = expected / 257
    np.testing.assert_allclose(render(stored, look), expected, atol=0.51)


@needs_real_files
@pytest.mark.parametrize("name", ["us_acuson_doe_john_ybr_rle.dcm", "DIRW0007", "ot_john_doe_us_jpeg.dcm"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_real_ybr_is_what_pydicom_makes(name: str) -> None:
    _, stored, look = real(f"burned_in/{name}")
    expected = convert_color_space(stored, "YBR_FULL", "RGB").astype(int)
    assert np.abs(render(stored, look).astype(int) - expected).max() <= 1


def real(name: str) -> tuple[Dataset, NDArray[Any], Look]:
    path = REAL_FILES / name
    with path.open("rb") as file:
        header = read_header(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(path, force=True)
        if "TransferSyntaxUID" not in dataset.file_meta:
            dataset.file_meta.TransferSyntaxUID = uids.UID(header.transfer_syntax_uid)
        stored = pixel_array(dataset, raw=True, index=0)
    return dataset, stored, look_of(header)
