"""Labelled pictures: a background, lines of text written into it, and which pixels are glyphs."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from app.pixels.looks import Look, Window
from app.pixels.rendering import Image, render_for_detection
from benchmarks.burned_in.backgrounds import made_picture, real_picture

_DEJAVU = Path("/usr/share/fonts/truetype/dejavu")
_SIZES_PX = (512, 512, 512, 512, 256, 640, 1024)
_BITS = 12


class Half(StrEnum):
    """Settings are chosen on one half; the figures come from the other."""

    TUNING = "tuning"
    TEST = "test"


class Ink(StrEnum):
    """With what a line is written."""

    WHITE = "white"
    GREY = "grey"
    BLACK = "black"
    YELLOW = "yellow"
    FAINT = "faint"


@dataclass(frozen=True, slots=True)
class Line:
    """One string in a picture.

    ``height_px`` is from the top of an H to the foot of a g; ``contrast`` in grey levels against what is around it,
    where it is seen best; ``glyphs`` is true for the pixels that are at least half ink and can be told from what was
    there before, over the whole picture.
    """

    text: str
    height_px: int
    contrast: float
    ink: Ink
    turn: int
    is_boxed: bool
    glyphs: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Case:
    """A picture as the detectors get it (one or two renderings of it) and its lines; none where it is clean."""

    number: int
    background: str
    bits: int
    renditions: tuple[Image, ...]
    lines: tuple[Line, ...]


def make_cases(half: Half, count: int) -> Iterator[Case]:
    """The first ``count`` cases of a half: with and without text by turns. Same half, same cases."""
    for number in range(count):
        yield make_case(half, number)


def make_case(half: Half, number: int) -> Case:
    """One case; every second one is clean."""
    rng = np.random.default_rng((4, list(Half).index(half), number))
    size = int(rng.choice(_SIZES_PX))
    real = real_picture(list(Half).index(half), size, rng) if rng.random() < 0.5 else None
    background, picture = real if real is not None else made_picture(size, rng)
    wants_colour = rng.random() < 0.2
    if wants_colour and picture.ndim == 2:
        picture = np.repeat(picture[:, :, np.newaxis], 3, axis=2)
    is_deep = picture.ndim == 2 and rng.random() < 0.4
    lines: list[Line] = []
    stored = picture.astype(np.uint16) * 8 + 200 if is_deep else picture.copy()
    if number % 2 == 0:
        taken = np.zeros(picture.shape[:2], bool)
        for _ in range(int(rng.choice((1, 1, 2, 3, 5)))):
            line = _write(stored, taken, rng)
            if line is not None:
                lines.append(line)
        if not lines:
            raise AssertionError("a picture that takes no line")
    if is_deep:
        renditions = _render_deep(stored.astype(np.uint16), rng)
    elif rng.random() < 0.25:
        renditions = (_compressed(stored.astype(np.uint8), int(rng.integers(70, 95))),)
    else:
        renditions = (stored.astype(np.uint8),)
    seen = (replace(line, contrast=_contrast(line.glyphs, renditions)) for line in lines)
    return Case(number, background, _BITS if is_deep else 8, renditions, tuple(seen))


def _contrast(glyphs: NDArray[np.bool_], renditions: tuple[Image, ...]) -> float:
    """Grey levels between ink and what is around it, in the rendering that shows it best."""
    ink = cv2.erode(glyphs.astype(np.uint8), np.ones((2, 2), np.uint8)).astype(bool)
    ink = ink if ink.any() else glyphs
    near = cv2.dilate(glyphs.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    around = cv2.dilate(glyphs.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool) & ~near
    best = 0.0
    for picture in renditions:
        grey = picture.max(axis=2) if picture.ndim == 3 else picture
        best = max(best, abs(float(np.median(grey[ink])) - float(np.median(grey[around]))))
    return best


def _render_deep(stored: NDArray[np.uint16], rng: np.random.Generator) -> tuple[Image, ...]:
    center, width = (
        (200 + 8 * 128, 8 * 256) if rng.random() < 0.6 else (200 + 8 * rng.uniform(80, 150), 8 * rng.uniform(100, 200))
    )
    look = Look("MONOCHROME2", _BITS, _BITS - 1, False, windows=(Window(float(center), float(width)),))
    return render_for_detection(stored, look)


def _compressed(picture: Image, quality: int) -> Image:
    """Through JPEG and back, as cines often are."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    flag = cv2.IMREAD_GRAYSCALE if picture.ndim == 2 else cv2.IMREAD_COLOR
    return np.asarray(cv2.imdecode(data, flag), np.uint8)


_FAMILY = "Müller García Okafor Nguyễn Lefèvre Smith Øberg Žižka Rossi Björk O'Brien Kowalska Haddad Tanaka".split()
_GIVEN = "Jürgen María Chidi Anne-Sophie John Åsa Jiří Luigi Zoë Patrick Łucja Omar Yuki Eve".split()
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_PLACES = (
    "Hôpital Saint-André",
    "Klinikum Großhadern",
    "General Hospital",
    "Hospital Universitario Río Hortega",
    "Szpital Św. Łukasza",
    "St. Mary's Medical Center",
    "CHU Besançon",
    "Radiologie Zürich",
)


def _string(rng: np.random.Generator) -> str:
    family, given = str(rng.choice(_FAMILY)), str(rng.choice(_GIVEN))
    day, month, year = int(rng.integers(1, 29)), int(rng.integers(1, 13)), int(rng.integers(1925, 2024))
    number = int(rng.integers(10_000, 99_999_999))
    choices = (
        f"{family.upper()}^{given.upper()}",
        f"{family}, {given}",
        f"{given} {family}",
        f"{family.upper()}, {given[0]}.",
        f"{day:02}.{month:02}.{year}",
        f"{year}-{month:02}-{day:02}",
        f"DOB: {month:02}/{day:02}/{year}",
        f"{day:02} {_MONTHS[month - 1]} {year % 100:02} {day % 24:02}:{month * 4:02}:11",
        f"ID: {number}",
        f"{number}",
        f"MRN {number % 1000:03}-{number // 1000}",
        f"Acc {number % 100_000}/{year % 100:02}",
        str(rng.choice(_PLACES)),
    )
    return str(rng.choice(np.array(choices, dtype=object)))


def _drawn(text: str, height_px: int, rng: np.random.Generator) -> tuple[NDArray[np.float32], str]:
    """How much ink each pixel gets, 0 to 1, cut to the text; and the text, which some fonts spell without accents."""
    choice = int(rng.integers(7))
    if choice == 0:  # strokes, as devices draw them
        text = _ascii(text)
        scale = height_px / 28
        thickness = 1 if height_px < 22 else 2
        (width, height), foot = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thickness)
        canvas = np.zeros((height + 2 * foot + 8, width + 12), np.uint8)
        smooth = cv2.LINE_AA if rng.random() < 0.5 else cv2.LINE_8
        cv2.putText(canvas, text, (6, height + 4), cv2.FONT_HERSHEY_SIMPLEX, scale, 255, thickness, smooth)
    else:
        names = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf")
        path = _DEJAVU / names[choice % 4]
        size = max(6, round(height_px / 0.97))
        font = ImageFont.truetype(str(path), size) if choice < 5 and path.is_file() else ImageFont.load_default(size)
        left, top, right, bottom = font.getbbox(text)
        image = PilImage.new("L", (int(right - left) + 8, int(bottom - top) + 8))
        draw = ImageDraw.Draw(image)
        draw.fontmode = "1" if rng.random() < 0.4 else "L"
        draw.text((4 - left, 4 - top), text, fill=255, font=font)
        canvas = np.array(image)
    used = np.argwhere(canvas > 0)
    (top, left), (bottom, right) = used.min(axis=0), used.max(axis=0) + 1
    return np.asarray(canvas[top:bottom, left:right], np.float32) / np.float32(255), text


def _ascii(text: str) -> str:
    spelled = text.replace("ß", "ss").replace("Ø", "O").replace("Ł", "L").replace("ł", "l")
    plain = unicodedata.normalize("NFKD", spelled)
    return plain.encode("ascii", "ignore").decode()


def _write(
    stored: NDArray[np.uint8] | NDArray[np.uint16], taken: NDArray[np.bool_], rng: np.random.Generator
) -> Line | None:
    """Write one line where there is room and it can be read; None where there is no such place."""
    rows, columns = stored.shape[:2]
    ink = Ink(str(rng.choice(list(Ink), p=(0.4, 0.2, 0.1, 0.12, 0.18))))
    for _ in range(60):
        height_px = int(rng.integers(8, 41))
        coverage, text = _drawn(_string(rng), height_px, rng)
        turn = int(rng.choice((0, 1, 2, 3), p=(0.76, 0.08, 0.08, 0.08)))
        coverage = np.ascontiguousarray(np.rot90(coverage, turn))
        height, width = coverage.shape
        if height + 8 > rows or width + 8 > columns:
            continue
        top, left = _place(stored, height, width, rng)
        margin = np.s_[max(0, top - 5) : top + height + 5, max(0, left - 5) : left + width + 5]
        if taken[margin].any():
            continue
        line = _try(stored, margin, (top, left), coverage, ink, rng)
        if line is None:
            continue
        is_boxed, visible = line
        glyphs = np.zeros((rows, columns), bool)
        inside = coverage >= min(0.5, 0.6 * float(coverage.max()))
        glyphs[top : top + height, left : left + width] = inside & visible
        taken[margin] = True
        return Line(text, height_px, 0.0, ink, turn, is_boxed, glyphs)
    return None


def _place(
    stored: NDArray[np.uint8] | NDArray[np.uint16], height: int, width: int, rng: np.random.Generator
) -> tuple[int, int]:
    """A corner of the picture, anywhere, or the most uneven of some places: on anatomy."""
    last_top, last_left = stored.shape[0] - height - 3, stored.shape[1] - width - 3
    where = rng.random()
    if where < 0.35:
        edge = int(rng.integers(3, 40))
        top = min(edge, last_top) if rng.random() < 0.5 else max(3, last_top - edge)
        left = min(edge, last_left) if rng.random() < 0.5 else max(3, last_left - edge)
        return top, left
    places = [(int(rng.integers(3, last_top + 1)), int(rng.integers(3, last_left + 1))) for _ in range(8)]
    if where < 0.55:
        return places[0]
    return max(places, key=lambda place: float(stored[place[0] : place[0] + height, place[1] : place[1] + width].std()))


def _try(
    stored: NDArray[np.uint8] | NDArray[np.uint16],
    margin: tuple[slice, slice],
    corner: tuple[int, int],
    coverage: NDArray[np.float32],
    ink: Ink,
    rng: np.random.Generator,
) -> tuple[bool, NDArray[np.bool_]] | None:
    """Draw it where it can be read: contrast of 20 levels, and 1.3 times the deviation of what is behind.

    Whether it is in a box, and which pixels differ from what is behind, of those that the ink covers: three quarters at
    least. None, and nothing drawn, where it can't be read.
    """
    unit, zero = (8.0, 200.0) if stored.dtype == np.uint16 else (1.0, 0.0)
    behind = (stored[margin].astype(np.float32) - zero) / unit
    is_boxed = rng.random() < 0.25
    box = float(rng.choice((0, 0, 0, 40, 90, 255, 230))) if ink is not Ink.YELLOW else 0.0
    grey = behind.mean(axis=2) if behind.ndim == 3 else behind
    level, spread = (box, 0.0) if is_boxed else (float(np.median(grey)), float(grey.std()))
    match ink:
        case Ink.WHITE:
            value = 255.0 if unit == 1 or rng.random() < 0.5 else float(rng.uniform(255, (4095 - zero) / unit))
        case Ink.GREY:
            value = float(rng.uniform(100, 220))
        case Ink.BLACK:
            value = 0.0 if unit == 1 or rng.random() < 0.5 else -zero / unit
        case Ink.YELLOW:
            value = 226.0
        case Ink.FAINT:
            value = level + float(rng.choice((-1, 1)) * rng.uniform(20, 45))
    contrast = abs(value - level)
    if contrast < 20 or contrast < 1.3 * spread or (ink is Ink.FAINT and not 0 <= value <= 255):
        return None
    if is_boxed:
        behind[:] = box
    down, right = corner[0] - margin[0].start, corner[1] - margin[1].start
    place = np.s_[down : down + coverage.shape[0], right : right + coverage.shape[1]]
    inner = np.zeros(grey.shape, np.float32)
    inner[place] = coverage
    colour: float | NDArray[np.float32] = value
    if behind.ndim == 3:
        colour = np.array((255.0, 255.0, 0.0) if ink is Ink.YELLOW else (value,) * 3, np.float32)
        inner = inner[:, :, np.newaxis]
    written = behind * (1 - inner) + colour * inner
    difference = np.abs(written - behind)[place]
    visible = (difference.max(axis=2) if difference.ndim == 3 else difference) >= 10
    if visible[coverage >= 0.5 * coverage.max()].mean() < 0.75:
        return None
    top = 65535 if stored.dtype == np.uint16 else 255
    stored[margin] = np.clip(np.rint(written * unit + zero), 0, top).astype(stored.dtype)
    return is_boxed, visible
