"""What the detectors do apart from their contract: grouping, merging, tiles, the union, the table of engines."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from app.engines.base import DetectedText, DetectorFailedError, Image
from app.engines.glyphs import GlyphFinder
from app.engines.ppocr import PpOcr, models_folder
from app.engines.table import detector_versions, open_detectors
from app.engines.tesseract import Settings as TesseractSettings
from app.engines.tesseract import Tesseract, data_folder
from app.engines.union import STRONG_FROM, WEAK_FROM, find_text
from app.errors import UsageError


def written(text: str, grey: int, at: tuple[int, int] = (60, 100), size_px: int = 18) -> Image:
    """Text on a smooth slope with noise."""
    rng = np.random.default_rng(5)
    slope = np.linspace(30, 150, 400)[np.newaxis, :] + rng.normal(0, 3, (300, 400))
    mask = PilImage.new("1", (400, 300))
    ImageDraw.Draw(mask).text(at, text, fill=1, font=ImageFont.load_default(size_px))
    return np.where(np.array(mask), grey, np.clip(slope, 0, 255)).astype(np.uint8)


class Saying:
    """A detector that says what it was told to."""

    label = "ppocr"
    version = "1"

    def __init__(self, *found: DetectedText) -> None:
        self._found = list(found)

    def is_available(self) -> bool:
        return True

    def detect(self, image: Image) -> list[DetectedText]:
        return self._found


# the union


def test_findings_are_strong_weak_or_dropped_by_confidence() -> None:
    texts = [DetectedText(0, place, 5, place + 5, sure) for place, sure in ((0, 0.99), (20, 0.5), (40, 0.01))]

    found = find_text(np.zeros((50, 50), np.uint8), [Saying(*texts)])

    assert [(one.confidence, one.is_strong, one.engine) for one in found] == [
        (0.99, True, "ppocr"), (0.5, False, "ppocr"),
    ]  # fmt: skip
    assert all(0 < WEAK_FROM[label] <= STRONG_FROM[label] <= 1 for label in STRONG_FROM)


def test_boxes_reach_further_along_their_line_at_both_ends() -> None:
    upright, turned = DetectedText(100, 200, 110, 260, 0.99), DetectedText(20, 5, 80, 15, 0.99)

    across, along = sorted(find_text(np.zeros((200, 400), np.uint8), [Saying(upright, turned)]), key=lambda x: -x.top)

    assert (across.top, across.left, across.bottom, across.right) == (100, 185, 110, 275)
    assert (along.top, along.left, along.bottom, along.right) == (5, 5, 95, 15)


@pytest.mark.parametrize(
    "nonsense",
    [
        DetectedText(0, 0, 51, 5, 1.0),
        DetectedText(-1, 0, 5, 5, 1.0),
        DetectedText(5, 5, 5, 9, 1.0),
        DetectedText(0, 0, 5, 5, float("nan")),
        DetectedText(0, 0, 5, 5, 1.5),
    ],
)
def test_a_detector_that_says_nonsense_has_failed(nonsense: DetectedText) -> None:
    with pytest.raises(DetectorFailedError):
        find_text(np.zeros((50, 50), np.uint8), [Saying(nonsense)])


def test_no_detector_is_a_failure_and_not_a_clean_image() -> None:
    with pytest.raises(DetectorFailedError):
        find_text(np.zeros((50, 50), np.uint8), [])


def test_a_finding_does_not_print_what_was_read() -> None:
    found = find_text(np.zeros((50, 50), np.uint8), [Saying(DetectedText(0, 0, 5, 5, 1.0, "DOE JOHN"))])

    assert found[0].original_text == "DOE JOHN"
    assert "DOE" not in repr(found)


def strong(*detectors: Saying) -> list[float]:
    """The confidences of what counts as certain."""
    return sorted(one.confidence for one in find_text(np.zeros((200, 400), np.uint8), detectors) if one.is_strong)


def test_what_continues_a_line_of_strong_text_is_strong_however_short() -> None:
    line, initial, its_dot = (
        DetectedText(50, 20, 70, 120, 0.99),
        DetectedText(52, 130, 70, 145, 0.15),
        DetectedText(51, 150, 70, 160, 0.12),
    )
    elsewhere = [
        DetectedText(90, 130, 110, 145, 0.15),  # another row
        DetectedText(50, 200, 70, 215, 0.15),  # too far away
        DetectedText(20, 125, 100, 150, 0.15),  # much higher
    ]

    assert strong(Saying(line, initial, its_dot, *elsewhere)) == [0.12, 0.15, 0.99]


def test_what_continues_a_turned_line_is_strong_too() -> None:
    line, initial = DetectedText(20, 50, 120, 70, 0.99), DetectedText(130, 52, 145, 70, 0.15)

    assert strong(Saying(line, initial)) == [0.15, 0.99]


def test_weak_findings_of_two_engines_at_one_place_are_strong() -> None:
    other = Saying(DetectedText(50, 25, 70, 110, 0.4))
    other.label = "glyphs"

    assert strong(Saying(DetectedText(50, 20, 70, 120, 0.4))) == []
    assert strong(Saying(DetectedText(50, 20, 70, 120, 0.4)), other) == [0.4, 0.4]
    assert strong(Saying(DetectedText(90, 20, 110, 120, 0.4)), other) == []


# glyphs


def test_glyphs_of_one_grey_inside_the_range_of_the_tissue_are_found() -> None:
    found = GlyphFinder().detect(written("DOE JOHN 4711", grey=200))

    assert any(one.confidence >= STRONG_FROM["glyphs"] for one in found)


def test_faint_glyphs_are_found() -> None:
    found = GlyphFinder().detect(written("DOE JOHN 4711", grey=95, at=(20, 100)))

    assert any(one.confidence >= STRONG_FROM["glyphs"] for one in found)


def test_each_line_of_glyphs_is_said_once() -> None:
    image = written("DOE JOHN", grey=255, at=(60, 40))
    image = np.maximum(image, written("ID 47110815", grey=255, at=(60, 200)))

    lines = [one for one in GlyphFinder().detect(image) if one.confidence >= STRONG_FROM["glyphs"]]

    assert len({one.top // 80 for one in lines}) == 2
    assert len(lines) == 2


def test_two_letters_are_no_line() -> None:
    assert not GlyphFinder().detect(written("AB", grey=255))


def test_a_row_of_equal_ticks_on_a_ruler_is_left_to_the_reviewer_at_most() -> None:
    image = np.full((300, 400), 20, np.uint8)
    image[100, 50:350] = 255
    image[90:100, 50:350:30] = 255  # all of one piece

    assert not [one for one in GlyphFinder().detect(image) if one.confidence >= STRONG_FROM["glyphs"]]


# PP-OCR


def test_what_the_models_read_is_kept_for_the_reviewer() -> None:
    found = PpOcr().detect(written("DOE JOHN 4711", grey=255))

    assert any("DOE" in one.original_text and "4711" in one.original_text for one in found)


def test_text_across_the_border_of_two_tiles_is_covered() -> None:
    image = np.full((200, 2600), 30, np.uint8)
    canvas = PilImage.fromarray(image)
    for left in range(40, 2400, 220):
        ImageDraw.Draw(canvas).text((left, 90), "DOE JOHN 4711", fill=255, font=ImageFont.load_default(24))
    ink = np.array(canvas) > 140

    mask = np.zeros(image.shape, bool)
    for one in PpOcr().detect(np.array(canvas)):
        mask[one.top : one.bottom, one.left : one.right] = True

    assert mask[ink].mean() > 0.98


def test_models_that_are_not_there_make_it_unavailable(tmp_path: Path) -> None:
    assert models_folder() is not None
    assert not PpOcr(models=tmp_path).is_available()


# Tesseract


@pytest.mark.parametrize("outcome", ["works", "takes too long"])
def test_tesseract_tells_neither_the_console_nor_the_disk(
    outcome: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    if outcome == "works":
        found = Tesseract().detect(written("DOE JOHN", grey=255))
        assert "JOHN" in {one.original_text for one in found}
    else:
        with pytest.raises(DetectorFailedError):
            Tesseract(settings=TesseractSettings(timeout_s=0.001)).detect(written("DOE JOHN", grey=255))

    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def test_tesseract_takes_its_data_from_a_folder_with_any_name(tmp_path: Path) -> None:
    installed = data_folder()
    assert installed is not None
    folder = tmp_path / "Ä 木"
    shutil.copytree(installed, folder)

    assert Tesseract(folder).is_available()


@pytest.mark.parametrize("content", [None, b"", b"no data of a language"], ids=["none", "empty", "broken"])
def test_data_that_is_not_there_makes_it_unavailable(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        tmp_path.joinpath("eng.traineddata").write_bytes(content)

    assert not Tesseract(tmp_path).is_available()


def test_a_library_that_is_not_there_makes_it_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tesserocr", None)

    assert not Tesseract().is_available()


# the table


def test_detectors_come_in_the_order_asked_for() -> None:
    assert [one.label for one in open_detectors(("glyphs", "ppocr"))] == ["glyphs", "ppocr"]


def test_an_unknown_detector_is_refused_by_name() -> None:
    with pytest.raises(UsageError) as refused:
        open_detectors(("ppocr", "eagle"))

    assert (refused.value.code, refused.value.ids["label"]) == ("detector-unknown", "eagle")


def test_a_detector_that_cannot_run_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tesserocr", None)

    with pytest.raises(UsageError) as refused:
        open_detectors(("tesseract",))

    assert (refused.value.code, refused.value.ids["label"]) == ("detector-unavailable", "tesseract")


def test_the_versions_name_the_union_too() -> None:
    versions = detector_versions(("ppocr", "glyphs"))

    assert sorted(versions) == ["glyphs", "ppocr", "union"]
    assert all(versions.values())


def test_opening_detectors_leaves_the_environment_as_it_was() -> None:
    before = dict(os.environ)

    open_detectors(("ppocr", "glyphs"))

    assert dict(os.environ) == before
