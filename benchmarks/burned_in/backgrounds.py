"""Pictures without text: made ones of several kinds, and the public files that are known to hold none."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from app.dicom.reading import read_header
from app.pixels.reading import ImageReader
from app.pixels.rendering import Image, look_of, render

REAL_FILES = Path(__file__).resolve().parents[3] / "shared" / "dicom"

# Looked at one by one: no letter, no marker of lead, no ruler with figures. Every other one is for tuning.
_TEXT_FREE = (
    ("modalities/ct_breast.dcm", (0,)),
    ("modalities/ct_ge_jan_01.dcm", (0,)),
    ("modalities/ct_ge_mister_ct_p188.dcm", (0,)),
    ("modalities/ct_philips_surview_localizer.dcm", (0,)),
    ("modalities/xa_96frames_rubo_demo.dcm", (0, 30, 60, 90)),
    ("burned_in/us_acuson_8frame_no_text.dcm", (0, 3, 6)),
    ("modalities/mg_ge_jpegll.dcm", (0,)),
    ("modalities/dx_dog_thorax.dcm", (0,)),
    ("modalities/emr_j2k_19frames.dcm", (0, 9, 18)),
    ("transfer_syntax/MR2_J2KI.dcm", (0,)),
    ("modalities/mr_bruker_enhanced.dcm", (0, 2)),
    ("modalities/op_ophthalmic_lukeskywalker.dcm", (0,)),
    ("modalities/pt_ge_private163.dcm", (0,)),
    ("transfer_syntax/mr_siemens_bigendian_andrews_robert.dcm", (0,)),
    ("transfer_syntax/explicit_VR-UN.dcm", (0,)),
    ("transfer_syntax/siemens_mosaic/1.dcm", (0,)),
    ("series_missing_slice/adb1_1.dcm", (0,)),
    ("series_missing_slice/adb1_4.dcm", (0,)),
    ("vendor_private/mr_ge_mister_mr_p229.dcm", (0,)),
    ("vendor_private/mr_siemens_overlay_p9.dcm", (0,)),
    ("study_localizer_contrast/C3N-00953/1000.dcm", (0,)),
    ("study_localizer_contrast/TCGA-G4-6304/1001.dcm", (0,)),
)

Floats = NDArray[np.float32]


@lru_cache(maxsize=2)
def real_backgrounds(half: int) -> Sequence[tuple[str, Image]]:
    """Name and picture of the text-free frames of one half; empty where the public files are not there."""
    found = []
    for name, frames in _TEXT_FREE[half::2]:
        path = REAL_FILES / name
        if path.is_file():
            with path.open("rb") as file:
                header = read_header(file)
                reader = ImageReader(file, header)
                found += [(path.name, render(reader.frame(frame), look_of(header, frame))) for frame in frames]
    return found


def real_picture(half: int, size: int, rng: np.random.Generator) -> tuple[str, Image] | None:
    """One of them, cut or enlarged to about ``size``; None where there are none."""
    available = real_backgrounds(half)
    if not available:
        return None
    name, picture = available[int(rng.integers(len(available)))]
    factor = size / min(picture.shape[:2])
    if factor > 1 or rng.random() < 0.5:
        interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        picture = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=interpolation), np.uint8)
    top = int(rng.integers(max(1, picture.shape[0] - size + 1)))
    left = int(rng.integers(max(1, picture.shape[1] - size + 1)))
    picture = picture[top : top + size, left : left + size]
    if rng.random() < 0.5:
        picture = picture[:, ::-1]
    return name, np.ascontiguousarray(picture)


def made_picture(size: int, rng: np.random.Generator) -> tuple[str, Image]:
    """A picture like one of a modality, or noise, with graphics that are no text on some."""
    kinds = (_section, _brain, _ultrasound, _radiograph, _scintigram, _noise, _angiogram)
    make = kinds[int(rng.integers(len(kinds)))]
    picture = np.clip(make(size, rng), 0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        _draw_graphics(picture, rng)
    if rng.random() < 0.15:
        picture = np.bitwise_not(picture)
    return make.__name__.strip("_"), picture


def _grid(size: int) -> tuple[Floats, Floats]:
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float32) / size
    return rows, columns


def _texture(size: int, grain_px: float, rng: np.random.Generator) -> Floats:
    """Smooth noise of zero mean and deviation 1."""
    noise = cv2.GaussianBlur(rng.standard_normal((size, size)).astype(np.float32), (0, 0), grain_px)
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


def _ellipse(size: int, rng: np.random.Generator, span: tuple[float, float]) -> NDArray[np.bool_]:
    rows, columns = _grid(size)
    middle, axes, angle = rng.uniform(0.3, 0.7, 2), rng.uniform(*span, 2), rng.uniform(0, np.pi)
    y, x = rows - middle[0], columns - middle[1]
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return np.asarray((u / axes[0]) ** 2 + (v / axes[1]) ** 2 < 1)


def _section(size: int, rng: np.random.Generator) -> Floats:
    """A CT section: body, organs, spine, table."""
    picture = np.zeros((size, size), np.float32)
    rows, columns = _grid(size)
    body = ((columns - 0.5) / 0.42) ** 2 + ((rows - 0.5) / 0.3) ** 2 < 1
    picture[body] = rng.uniform(80, 130)
    for _ in range(int(rng.integers(5, 14))):
        picture[_ellipse(size, rng, (0.02, 0.14)) & body] = rng.uniform(20, 230)
    picture[_ellipse(size, rng, (0.02, 0.05)) & body] = 255
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), size / 500), np.float32)
    picture += body * _texture(size, rng.uniform(0.6, 1.5), rng) * rng.uniform(4, 14)
    picture[int(0.86 * size) : int(0.86 * size) + 3, int(0.1 * size) : int(0.9 * size)] = rng.uniform(60, 160)
    return picture


def _brain(size: int, rng: np.random.Generator) -> Floats:
    """An MR section: folded bands in an oval, Rician noise around."""
    rows, columns = _grid(size)
    radius = np.sqrt(((columns - 0.5) / 0.36) ** 2 + ((rows - 0.5) / 0.44) ** 2)
    folds = _texture(size, size / rng.uniform(40, 90), rng)
    picture = np.where(radius < 1, 110 + 45 * np.sign(folds) * np.minimum(1, np.abs(folds) * 3), 0).astype(np.float32)
    picture[(radius > 0.93) & (radius < 1)] = 220
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), size / 400), np.float32)
    noise = rng.uniform(2, 9)
    return np.hypot(
        picture + noise * rng.standard_normal(picture.shape), noise * rng.standard_normal(picture.shape)
    ).astype(np.float32)


def _ultrasound(size: int, rng: np.random.Generator) -> Floats:
    """A sector of speckle on black, dark vessels in it."""
    rows, columns = _grid(size)
    distance, angle = np.hypot(rows + 0.05, columns - 0.5), np.arctan2(columns - 0.5, rows + 0.05)
    sector = (distance > 0.12) & (distance < 0.95) & (np.abs(angle) < 0.7)
    speckle = np.hypot(_texture(size, size / 300, rng), _texture(size, size / 300, rng))
    picture = 45 * speckle * (1 + 0.5 * _texture(size, size / 20, rng))
    for _ in range(int(rng.integers(2, 7))):
        picture[_ellipse(size, rng, (0.03, 0.12))] *= 0.15
    return np.where(sector, picture, 0).astype(np.float32)


def _radiograph(size: int, rng: np.random.Generator) -> Floats:
    """A projection: gradients, ribs, a collimated border."""
    rows, columns = _grid(size)
    picture = 120 + 60 * np.cos((columns - 0.5) * 5) + 25 * _texture(size, size / 12, rng)
    for number in range(int(rng.integers(4, 10))):
        curve = 0.1 + 0.1 * number + 0.15 * (columns - 0.5) ** 2 * rng.uniform(-2, 2)
        picture += rng.uniform(10, 35) * np.exp(-(((rows - curve) / 0.015) ** 2))
    picture += rng.uniform(1, 6) * rng.standard_normal(picture.shape)
    border = int(rng.uniform(0, 0.12) * size)
    if border:
        picture[:border] = picture[-border:] = picture[:, :border] = picture[:, -border:] = rng.uniform(0, 20)
    return np.asarray(picture, np.float32)


def _scintigram(size: int, rng: np.random.Generator) -> Floats:
    """Counts: few, large pixels."""
    cells = size // 4
    rate = np.exp(1.2 * _texture(cells, cells / 12, rng)) * rng.uniform(1, 12)
    counts = rng.poisson(rate).astype(np.float32)
    counts *= 255 / counts.max()
    return np.asarray(cv2.resize(counts, (size, size), interpolation=cv2.INTER_NEAREST), np.float32)


def _noise(size: int, rng: np.random.Generator) -> Floats:
    """Noise of one grain, on a slope."""
    _, columns = _grid(size)
    level, slope = rng.uniform(20, 200), rng.uniform(-60, 60)
    return (level + slope * columns + rng.uniform(3, 25) * _texture(size, rng.uniform(0.4, 3), rng)).astype(np.float32)


def _angiogram(size: int, rng: np.random.Generator) -> Floats:
    """Dark vessels that branch over soft shadows."""
    picture = 150 + 20 * _texture(size, size / 10, rng) + 4 * rng.standard_normal((size, size))
    vessels = np.zeros((size, size), np.uint8)
    for _ in range(int(rng.integers(5, 16))):
        bends = np.cumsum(np.cumsum(rng.normal(0, size / 260, (60, 2)), axis=0), axis=0) / 6
        course = np.linspace(0, 1, 60)[:, np.newaxis] * rng.normal(0, size / 3, 2)
        points = np.clip(rng.uniform(0.1, 0.9, 2) * size + bends + course, -50, size + 50)
        cv2.polylines(vessels, [points.astype(np.int32)], False, 255, int(rng.integers(1, 7)))
    return (picture - 0.3 * cv2.GaussianBlur(vessels.astype(np.float32), (0, 0), 1.2)).astype(np.float32)


def _draw_graphics(picture: Image, rng: np.random.Generator) -> None:
    """Scales, calipers, a grey wedge, a region of interest: drawn by software, and no text."""
    size = picture.shape[0]
    white = int(rng.choice((255, 200, 128)))
    for _ in range(int(rng.integers(1, 4))):
        match int(rng.integers(5)):
            case 0:
                column = int(rng.integers(4, size - 20))
                cv2.line(picture, (column, size // 5), (column, size * 4 // 5), white, 1)
                for tick in range(11):
                    row = size // 5 + tick * (size * 3 // 5) // 10
                    cv2.line(picture, (column, row), (column + (8 if tick % 5 == 0 else 4), row), white, 1)
            case 1:
                left, top = (int(value) for value in rng.integers(4, size - 30, 2))
                wedge = np.linspace(255, 0, min(size // 3, size - top)).astype(np.uint8)
                picture[top : top + len(wedge), left : left + 12] = wedge[:, None]
            case 2:
                middle = tuple(int(value) for value in rng.integers(size // 5, size * 4 // 5, 2))
                cv2.ellipse(picture, middle, (size // 10, size // 14), 0, 0, 360, white, 1)
            case 3:
                for _ in range(2):
                    x, y = (int(value) for value in rng.integers(size // 5, size * 4 // 5, 2))
                    cv2.line(picture, (x - 5, y), (x + 5, y), white, 1)
                    cv2.line(picture, (x, y - 5), (x, y + 5), white, 1)
            case _:
                left, top = (int(value) for value in rng.integers(2, size // 2, 2))
                cv2.rectangle(picture, (left, top), (left + size // 3, top + size // 4), white, 1)
