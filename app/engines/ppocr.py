"""PP-OCR's detection and recognition models on onnxruntime, from the RapidOCR wheel, which carries them.

The models are run directly: RapidOCR's own pipeline drops faint boxes, which a reviewer should see, and logs. Nothing
is ever downloaded. One thread, because Consign runs one process a core.
"""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from app.engines.base import DetectedText, DetectorFailedError, Image
from app.engines.filters import checked, high_pass, resized

_WHEEL, _RUNTIME = "rapidocr_onnxruntime", "onnxruntime"
_DETECTION, _RECOGNITION = "ch_PP-OCRv4_det_infer.onnx", "ch_PP-OCRv4_rec_infer.onnx"
_STRIDE_PX = 32  # the detection model takes multiples of it
_LINE_PX = 48  # height that the recognition model takes

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Settings:
    """What decides over a result, with the measurement behind each value (tuning half of ``benchmarks/burned_in``)."""

    # Strings that the detection model alone covers (of 150, box score from 0.4): on the image itself 80 % as it is,
    # 86 % with the shorter side at 736, 89 % at 1.5 times that; on the high-pass filtered copy 94 % at 736 with a
    # deviation of 2 or 3 pixels and a gain of 3, 89 % and less from 8 pixels on, 96 % at 1.4 times the size, 97 % with
    # a gain of 5 at 736 as well. Looking at the image itself too finds no string more.
    shorter_side_px: int = 736
    more_scale: float = 1.4
    sigma_px: float = 3.0
    gain: float = 5.0
    other_gain: float = 3.0
    largest_scale: float = 3.0  # a thumbnail's letters are blots already
    # From there on the second look is at half the size, for large letters: radiographs have no smaller ones to show.
    many_pixels: int = 4_000_000
    less_scale: float = 0.5
    # One tile for a picture of 512 x 512 at both scales; letters of 64 pixels fit into what two tiles share.
    tile_px: int = 1152
    overlap_px: int = 96
    pixel_from: float = 0.3  # the authors'
    unclip: float = 1.6  # the authors'
    box_from: float = 0.3  # what reads as text in spite of it is a weak finding
    same_box_from: float = 0.5
    # How much larger a box is made, as parts of the height of the line; the ends alone are worth 0.7 % of the strings.
    sides: float = 0.05
    ends: float = 0.5
    # One letter or two are read into anything: 33 of the 45 surest findings on clean pictures have no more. With that
    # in the confidence, every string that was located is above 0.65, and one clean picture of 60 is.
    letters_enough: int = 3
    # The few sure findings on anatomy are much higher than letters.
    high_line: float = 0.15
    high_line_px: int = 64
    high_factor: float = 0.7


@dataclass(frozen=True, slots=True)
class Spot:
    """A box that the detection model points at, in pixels of the image, and how sure it is."""

    top: int
    left: int
    bottom: int
    right: int
    score: float

    @property
    def area(self) -> int:
        return (self.bottom - self.top) * (self.right - self.left)


def models_folder() -> Path | None:
    """Where the wheel keeps its models; None where it is not installed. Does not import it: that costs seconds."""
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / "models"


class PpOcr:
    """Runs PP-OCR over an image and over a high-pass filtered copy, in tiles where it is large."""

    label = "ppocr"

    def __init__(self, models: Path | None = None, settings: Settings | None = None) -> None:
        self._models = models if models is not None else models_folder()
        self._settings = settings if settings is not None else Settings()

    @property
    def version(self) -> str:
        """Wheel with models, runtime, settings."""
        digest = hashlib.sha256(repr(self._settings).encode()).hexdigest()[:8]
        return f"rapidocr {version('rapidocr-onnxruntime')}, onnxruntime {version('onnxruntime')}, settings {digest}"

    def is_available(self) -> bool:
        """Whether the models and the runtime are installed."""
        return (
            self._models is not None
            and find_spec(_RUNTIME) is not None
            and all((self._models / name).is_file() for name in (_DETECTION, _RECOGNITION))
        )

    def detect(self, image: Image) -> list[DetectedText]:
        """All text, weak findings included. Raises DetectorFailedError."""
        try:
            return self._detect(image)
        except Exception:  # noqa: BLE001 - whatever the engine raises, its text may quote the image: fail closed
            raise DetectorFailedError from None

    def _detect(self, image: Image) -> list[DetectedText]:
        picture = _colour(checked(image))
        scale = self._scale(picture)
        is_large = picture.shape[0] * picture.shape[1] * scale**2 > self._settings.many_pixels
        other_scale = scale * (self._settings.less_scale if is_large else self._settings.more_scale)
        spots = []
        for gain, factor in ((self._settings.gain, scale), (self._settings.other_gain, other_scale)):
            filtered = high_pass(picture, self._settings.sigma_px, gain)
            spots += [(spot, filtered) for spot in self._spots(filtered, factor)]
        return [self._read(spot, source) for spot, source in _merge(spots, self._settings.same_box_from)]

    def _scale(self, picture: Pixels) -> float:
        shorter = min(int(length) for length in picture.shape[:2])
        return min(max(1.0, self._settings.shorter_side_px / shorter), self._settings.largest_scale)

    def _spots(self, picture: Pixels, scale: float) -> list[Spot]:
        rows, columns = picture.shape[:2]
        scaled = resized(picture, max(1, round(rows * scale)), max(1, round(columns * scale)))
        found = []
        for top, left in _tiles(scaled.shape[0], scaled.shape[1], self._settings):
            tile = scaled[top : top + self._settings.tile_px, left : left + self._settings.tile_px]
            if tile.min() == tile.max():
                continue
            for spot in self._spots_of_tile(tile):
                box = (
                    max(0, int((spot.top + top) / scale)),
                    max(0, int((spot.left + left) / scale)),
                    min(rows, int(np.ceil((spot.bottom + top) / scale))),
                    min(columns, int(np.ceil((spot.right + left) / scale))),
                )
                if box[0] < box[2] and box[1] < box[3]:
                    found.append(Spot(*box, spot.score))
        return found

    def _spots_of_tile(self, tile: Pixels) -> list[Spot]:
        rows, columns = tile.shape[:2]
        padded = np.pad(tile, ((0, -rows % _STRIDE_PX), (0, -columns % _STRIDE_PX), (0, 0)), mode="edge")
        likely = _run(self._detector, _model_input(padded))[0, 0]
        mask = (likely > self._settings.pixel_from).astype(np.uint8)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        found = []
        for number in range(1, count):
            left, top, width, height = (int(value) for value in stats[number, :4])
            if min(width, height) < 3:
                continue
            window = np.s_[top : top + height, left : left + width]
            score = float(likely[window][labels[window] == number].mean())
            if score < self._settings.box_from:
                continue
            # The model draws a line of text shrunk; grown back as its authors do, by area over perimeter.
            grow = width * height * self._settings.unclip / (2 * (width + height))
            found.append(
                Spot(
                    max(0, int(top - grow)),
                    max(0, int(left - grow)),
                    min(rows, int(top + height + grow + 1)),
                    min(columns, int(left + width + grow + 1)),
                    score,
                )
            )
        return [spot for spot in found if spot.top < spot.bottom and spot.left < spot.right]

    def _read(self, spot: Spot, picture: Pixels) -> DetectedText:
        crop = picture[spot.top : spot.bottom, spot.left : spot.right]
        height, width = crop.shape[:2]
        turns = (1, 3) if height > 1.5 * width else (0, 2)
        text, sureness = "", 0.0
        for turn in turns:
            read = self._read_line(np.ascontiguousarray(np.rot90(crop, turn)))
            if read[1] > sureness:
                text, sureness = read
            if sureness > 0.8:
                break
        box = _grown(spot, picture.shape, self._settings)
        return DetectedText(*box, _confidence(spot, sureness, text, picture.shape, self._settings), text)

    def _read_line(self, line: Pixels) -> tuple[str, float]:
        height, width = line.shape[:2]
        size = max(16, min(1600, round(width * _LINE_PX / height)))
        likely = _run(self._recognizer, _model_input(resized(line, _LINE_PX, size)))[0]
        best, sureness = likely.argmax(axis=1), likely.max(axis=1)
        is_character = best != 0  # 0: no character
        is_character[1:] &= best[1:] != best[:-1]
        if not is_character.any():
            return "", 0.0
        text = "".join(self._characters[index - 1] for index in best[is_character])
        return text, float(sureness[is_character].mean())

    @cached_property
    def _detector(self) -> Any:
        return self._session(_DETECTION)

    @cached_property
    def _recognizer(self) -> Any:
        return self._session(_RECOGNITION)

    @cached_property
    def _characters(self) -> list[str]:
        names: str = self._recognizer.get_modelmeta().custom_metadata_map["character"]
        return [*names.splitlines(), " "]

    def _session(self, name: str) -> Any:
        # Versions that pyproject.toml does not let in send what they run to their maker from the import on.
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime  # noqa: PLC0415 - costs tenths of a second

        if self._models is None:
            raise FileNotFoundError
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        onnxruntime.disable_telemetry_events()
        return onnxruntime.InferenceSession(
            str(self._models / name), sess_options=options, providers=["CPUExecutionProvider"]
        )


def _grown(spot: Spot, size: tuple[int, ...], settings: Settings) -> tuple[int, int, int, int]:
    """The box that covers a spot's text: accents, and a letter at an end that the detection model leaves out."""
    height, width = spot.bottom - spot.top, spot.right - spot.left
    line = min(height, width)
    down, across = (settings.sides, settings.ends) if width >= height else (settings.ends, settings.sides)
    down_px, across_px = round(down * line) + 1, round(across * line) + 1
    return (
        max(0, spot.top - down_px),
        max(0, spot.left - across_px),
        min(size[0], spot.bottom + down_px),
        min(size[1], spot.right + across_px),
    )


def _confidence(spot: Spot, sureness: float, text: str, size: tuple[int, ...], settings: Settings) -> float:
    """How sure both models are; less for one letter or two, and for a line so high that it is rather anatomy."""
    letters = sum(character.isalnum() for character in text)
    enough = min(1.0, letters / settings.letters_enough)
    line = min(spot.bottom - spot.top, spot.right - spot.left)
    is_high = line > settings.high_line * min(size[:2]) and line > settings.high_line_px
    return min(1.0, max(0.0, spot.score * sureness * enough * (settings.high_factor if is_high else 1.0)))


def _run(session: Any, pixels: NDArray[np.float32]) -> Probabilities:
    result: Probabilities = session.run(None, {session.get_inputs()[0].name: pixels})[0]
    return result


def _model_input(pixels: Pixels) -> NDArray[np.float32]:
    """1 x 3 x rows x columns, from -1 to 1."""
    scaled = pixels.astype(np.float32) / 127.5 - 1.0
    return np.ascontiguousarray(scaled.transpose(2, 0, 1)[np.newaxis])


def _colour(image: Image) -> Pixels:
    """Rows x columns x 3 in the order that the models were trained with: blue, green, red."""
    code = cv2.COLOR_GRAY2BGR if image.ndim == 2 else cv2.COLOR_RGB2BGR
    picture: Pixels = np.asarray(cv2.cvtColor(image, code), dtype=np.uint8)
    return picture


def _tiles(rows: int, columns: int, settings: Settings) -> list[tuple[int, int]]:
    step = settings.tile_px - settings.overlap_px
    tops = range(0, max(1, rows - settings.overlap_px), step)
    lefts = range(0, max(1, columns - settings.overlap_px), step)
    return [(top, left) for top in tops for left in lefts]


def _merge(spots: list[tuple[Spot, Pixels]], same_from: float) -> list[tuple[Spot, Pixels]]:
    """One spot for those that lie on each other: the surest one's picture, a box around all of them."""
    kept: list[tuple[Spot, Pixels]] = []
    for spot, picture in sorted(spots, key=lambda one: -one[0].score):
        for number, (other, its_picture) in enumerate(kept):
            common = max(0, min(spot.bottom, other.bottom) - max(spot.top, other.top)) * max(
                0, min(spot.right, other.right) - max(spot.left, other.left)
            )
            if common > same_from * min(spot.area, other.area) and common > 0.25 * max(spot.area, other.area):
                kept[number] = (
                    Spot(
                        min(spot.top, other.top),
                        min(spot.left, other.left),
                        max(spot.bottom, other.bottom),
                        max(spot.right, other.right),
                        other.score,
                    ),
                    its_picture,
                )
                break
        else:
            kept.append((spot, picture))
    return kept
