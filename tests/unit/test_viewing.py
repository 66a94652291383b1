"""Pictures for people: right colours, exact previews, bounded memory."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from app.dicom.reading import read_header
from app.errors import HeldBackError, Reason, UnreadableError
from app.files.locator import Locator
from app.pixels.boxes import Box
from app.pixels.masking import mask_image
from app.pixels.rendering import FULL_RANGE, Window, WindowName, look_of, render
from app.review.viewing import Picture, PictureReader, View
from tests.factory import enhanced_mr, make_study, save
from tests.unit.image_project import COLUMNS, ROWS, make_image, slope

BOX = Box(10, 20, 30, 90)


def locate(path: Path, *members: str) -> str:
    return Locator(str(path), members).to_text()


def see(path: Path, **view: Any) -> Picture:
    with PictureReader() as reader:
        return reader.picture(View(locate(path), **view))


def flat(red: int, green: int, blue: int) -> NDArray[np.uint8]:
    return np.full((ROWS, COLUMNS, 3), (red, green, blue), np.uint8)


def palette_image() -> Dataset:
    dataset = make_image(np.full((ROWS, COLUMNS), 2, np.uint8), photometric="PALETTE COLOR")
    for name, entries in (("Red", (0, 9, 200)), ("Green", (0, 9, 30)), ("Blue", (0, 9, 40))):
        setattr(dataset, f"{name}PaletteColorLookupTableDescriptor", [3, 0, 16])
        setattr(dataset, f"{name}PaletteColorLookupTableData", (np.array(entries, "<u2") * 257).tobytes())
    return dataset


@pytest.mark.parametrize(
    "dataset",
    [
        make_image(flat(200, 30, 40), photometric="RGB"),
        make_image(flat(82, 104, 212), photometric="YBR_FULL"),  # the same by PS3.3 C.7.6.3.1.2
        palette_image(),
    ],
    ids=["RGB", "YBR_FULL", "PALETTE COLOR"],
)
def test_colours_are_right(dataset: Dataset, tmp_path: Path) -> None:
    picture = see(save(dataset, tmp_path / "image.dcm"))
    assert np.abs(picture.levels[0][5, 5].astype(int) - (200, 30, 40)).max() <= 1
    assert picture.window is None
    assert picture.presets == ()


def test_window_changes_what_is_seen_and_inversion_turns_it_round(tmp_path: Path) -> None:
    path = save(make_image(slope()), tmp_path / "image.dcm")
    wide, narrow = see(path), see(path, window=Window(100, 20))
    assert (wide.levels[0][0, 80], narrow.levels[0][0, 80], narrow.levels[0][0, 120]) == (80, 0, 255)
    assert np.array_equal(see(path, is_inverted=True).levels[0], 255 - wide.levels[0])
    assert see(path, window=FULL_RANGE).levels[0][0, COLUMNS - 1] == 255
    assert [preset.name for preset in wide.presets] == [WindowName.FULL]


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_preview_differs_exactly_inside_the_boxes_without_any_window_in_the_file(
    photometric: str, tmp_path: Path
) -> None:
    """The range of values is that of the frame as it is: the filled pixels must not move it."""
    frames = (slope(2).astype(np.uint16) + 300) * 8
    path = save(make_image(frames, bits_stored=16, photometric=photometric), tmp_path / "image.dcm")
    before = see(path, frame=1).levels[0]
    after = see(path, frame=1, covered=(BOX, Box(50, 50, 60, 60, frame=0))).levels[0]
    inside = np.zeros_like(before, dtype=bool)
    inside[BOX.top : BOX.bottom, BOX.left : BOX.right] = True
    assert (after[inside] == 0).all()
    assert np.array_equal(after[~inside], before[~inside])


@pytest.mark.parametrize(
    "dataset",
    [
        make_image(slope(2)),
        make_image(slope().astype(np.int16) - 100, bits_stored=12),
        make_image(flat(82, 104, 212), photometric="YBR_FULL"),
        palette_image(),
    ],
    ids=["frames", "signed", "YBR_FULL", "PALETTE COLOR"],
)
def test_preview_is_what_the_export_writes(dataset: Dataset, tmp_path: Path) -> None:
    path = save(dataset, tmp_path / "image.dcm")
    with path.open("rb") as file:
        header = read_header(file)
        masked = mask_image(file, header, [BOX])
        content = b"".join(masked.pixels)
    with PictureReader() as reader:
        frame = reader.frame(locate(path), 0)
        picture = reader.picture(View(locate(path), covered=(BOX,)))
    written = np.frombuffer(content, frame.stored.dtype)[: frame.stored.size].reshape(frame.stored.shape)
    assert np.array_equal(picture.levels[0], render(written, look_of(masked.header), picture.window))


def test_each_frame_of_an_enhanced_image_is_shown(tmp_path: Path) -> None:
    path = save(enhanced_mr(make_study(seed=1), frames=3), tmp_path / "image.dcm")
    pictures = [see(path, frame=frame) for frame in range(3)]
    assert {(one.frames, one.rows, one.columns) for one in pictures} == {(3, 64, 64)}
    assert not np.array_equal(pictures[0].levels[0], pictures[2].levels[0])


def test_large_picture_comes_in_halves_too_and_coarsely_while_dragged(tmp_path: Path) -> None:
    path = save(make_image(np.zeros((2100, 1501), np.uint8)), tmp_path / "image.dcm")
    picture = see(path)
    assert [(level.shape, step) for level, step in zip(picture.levels, picture.steps, strict=True)] == [
        ((2100, 1501), 1),
        ((1050, 750), 2),
        ((525, 375), 4),
    ]
    draft = see(path, is_draft=True)
    assert (len(draft.levels), draft.steps, draft.rows) == (1, (4,), 2100)
    with PictureReader() as reader:
        assert reader.thumbnail(locate(path), 100).shape == (131, 93)


def test_memory_is_bounded(tmp_path: Path) -> None:
    path = locate(save(make_image(slope(6)), tmp_path / "image.dcm"))
    with PictureReader(cache_bytes=2 * ROWS * COLUMNS) as reader:
        first = reader.frame(path, 0)
        assert reader.frame(path, 0) is first
        for number in range(1, 6):
            reader.frame(path, number)
        assert reader.kept_bytes <= 2 * ROWS * COLUMNS
        assert reader.frame(path, 0) is not first


def test_member_of_an_archive_is_shown(tmp_path: Path) -> None:
    image = save(make_image(slope()), tmp_path / "image.dcm").read_bytes()
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for number in range(4):
            archive.writestr(f"{number}.dcm", image)
    with PictureReader() as reader:
        pictures = [reader.picture(View(locate(tmp_path / "export.zip", f"{number % 4}.dcm"))) for number in range(6)]
    assert all(picture.levels[0][0, 80] == 80 for picture in pictures)


def test_file_that_cannot_be_looked_at_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError) as caught:
        see(tmp_path / "gone.dcm")
    assert caught.value.reason is Reason.VANISHED
    path = save(make_image(slope(2)), tmp_path / "image.dcm")
    with pytest.raises(UnreadableError) as caught:
        see(path, frame=2)
    assert caught.value.reason is Reason.CHANGED_SINCE_SCAN
    dataset = make_image(slope())
    del dataset.PixelData
    with pytest.raises(HeldBackError) as held:
        see(save(dataset, tmp_path / "empty.dcm"))
    assert held.value.reason is Reason.NO_PIXELS


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [({}, None), ({"FrameTime": "40"}, 25.0), ({"CineRate": "12"}, 12.0), ({"FrameTime": "0"}, None)],
)
def test_loop_runs_as_fast_as_the_file_wants(
    attributes: dict[str, str], expected: float | None, tmp_path: Path
) -> None:
    dataset = make_image(slope(2))
    for name, value in attributes.items():
        setattr(dataset, name, value)
    assert see(save(dataset, tmp_path / "image.dcm")).frames_per_second == expected


def test_released_reader_leaves_no_file_open(tmp_path: Path) -> None:
    path = save(make_image(slope()), tmp_path / "image.dcm")
    reader = PictureReader()
    reader.picture(View(locate(path)))
    reader.close()
    path.unlink()  # Windows refuses where it is still open
    assert reader.kept_bytes == 0
