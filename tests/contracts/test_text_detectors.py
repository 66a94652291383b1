"""What every text detector keeps, whatever finds the text."""

from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from app.engines.base import DetectedText, DetectorFailedError, Image, TextDetector
from app.engines.glyphs import GlyphFinder
from app.engines.ppocr import PpOcr
from app.engines.tesseract import Settings as TesseractSettings
from app.engines.tesseract import Tesseract
from app.engines.union import find_text

TEXT = "DOE JOHN 4711"


@pytest.fixture(scope="module", params=["ppocr", "glyphs", "tesseract"])
def detector(request: pytest.FixtureRequest) -> TextDetector:
    match request.param:
        case "ppocr":
            return PpOcr()
        case "glyphs":
            return GlyphFinder()
        case _:
            # Unscaled: noise costs it four times as much at the product's scale, and the contract is the same.
            return Tesseract(settings=TesseractSettings(scale=1.0))


def broken(label: str, folder: Path) -> TextDetector:
    """The detector with an engine that can't run."""
    match label:
        case "ppocr":
            for name in ("ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx"):
                (folder / name).write_bytes(b"not a model")
            return PpOcr(models=folder)
        case _:
            return Tesseract(folder)


def picture(turns: int = 0, size: int = 512) -> tuple[Image, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Text of 20 pixels on dark noise, and which pixels it covers."""
    mask = PilImage.new("L", (size, size))
    ImageDraw.Draw(mask).text((150, 240), TEXT, fill=255, font=ImageFont.load_default(20))
    ink = np.rot90(np.array(mask), turns)
    noise = np.random.default_rng(7).normal(40, 5, (size, size))
    return np.where(ink > 127, 255, np.clip(noise, 0, 255)).astype(np.uint8), ink > 127


def covered(found: list[DetectedText], glyphs: np.ndarray[Any, np.dtype[np.bool_]]) -> float:
    mask = np.zeros(glyphs.shape, bool)
    for one in found:
        mask[one.top : one.bottom, one.left : one.right] = True
    return float(mask[glyphs].mean())


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_clear_text_is_covered_upright_and_turned(detector: TextDetector, turns: int) -> None:
    image, glyphs = picture(turns)

    assert covered(detector.detect(image), glyphs) >= 0.9


def test_clear_text_is_a_strong_finding(detector: TextDetector) -> None:
    image, glyphs = picture()

    strong = [one for one in find_text(image, [detector]) if one.is_strong]

    assert strong
    assert all(glyphs[one.top : one.bottom, one.left : one.right].any() for one in strong)


def test_colour_is_taken_as_well_as_grey(detector: TextDetector) -> None:
    image, glyphs = picture()
    colour = np.repeat(image[:, :, np.newaxis], 3, axis=2)
    colour[:, :, 2][glyphs] = 0  # yellow

    assert covered(detector.detect(colour), glyphs) >= 0.9


def test_boxes_are_integers_inside_the_image(detector: TextDetector) -> None:
    image, _ = picture()
    image = np.ascontiguousarray(image[240:262, 150:300])  # text to the very edges

    found = detector.detect(image)

    rows, columns = image.shape
    assert found
    for one in found:
        assert all(type(value) is int for value in astuple(one)[:4])
        assert 0 <= one.top < one.bottom <= rows
        assert 0 <= one.left < one.right <= columns
        assert 0 <= one.confidence <= 1


def test_noise_gives_no_strong_finding(detector: TextDetector) -> None:
    noise = np.clip(np.random.default_rng(3).normal(100, 20, (512, 512)), 0, 255).astype(np.uint8)

    assert not [one for one in find_text(noise, [detector]) if one.is_strong]


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (2, 2), (3, 40), (7, 1500), (1, 1, 3), (5, 300, 3)])
@pytest.mark.parametrize("content", ["flat", "noise"])
def test_odd_shapes_are_looked_at_without_failing(detector: TextDetector, shape: tuple[int, ...], content: str) -> None:
    image = np.zeros(shape, np.uint8)
    if content == "noise":
        image = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)

    detector.detect(image)


def test_the_same_image_gives_the_same_result_and_is_not_changed(detector: TextDetector) -> None:
    image, _ = picture(size=400)
    before = image.copy()
    image.setflags(write=False)

    assert detector.detect(image) == detector.detect(image)
    assert np.array_equal(image, before)


def test_a_view_that_is_not_contiguous_gives_the_same_result(detector: TextDetector) -> None:
    image, _ = picture(size=400)
    view = np.asfortranarray(image)[:, ::-1]

    assert detector.detect(view) == detector.detect(np.ascontiguousarray(view))


@pytest.mark.parametrize(
    "nonsense",
    [
        np.zeros((20, 20), np.float64),
        np.zeros((20, 20, 7), np.uint8),
        np.zeros((0, 20), np.uint8),
        np.zeros(20, np.uint8),
        np.zeros((20, 20), np.uint16),
    ],
    ids=["float", "seven samples", "no rows", "one dimension", "16 bit"],
)
def test_what_is_no_image_fails_as_a_detector_fails(detector: TextDetector, nonsense: Any) -> None:
    with pytest.raises(DetectorFailedError):
        detector.detect(nonsense)


@pytest.mark.parametrize("label", ["ppocr", "tesseract"])
def test_an_engine_that_raises_fails_the_detector_without_its_words(label: str, tmp_path: Path) -> None:
    image, _ = picture()

    with pytest.raises(DetectorFailedError) as failure:
        broken(label, tmp_path).detect(image)

    assert failure.value.args == ()
    assert failure.value.__suppress_context__


def test_it_says_who_it_is(detector: TextDetector) -> None:
    assert detector.label.islower()
    assert any(character.isdigit() for character in detector.version)
    assert detector.version == detector.version.strip()
    assert detector.is_available()
