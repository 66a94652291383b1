"""What the survey of long stacks costs and finds, against the same detectors on every frame.

``python -m benchmarks.burned_in_series`` prints a table; ``--help`` says how to make it larger. The stacks are made
from a seed: CT series whose anatomy and noise change slice by slice, in two windows, and ultrasound cines with moving
speckle, grey and in colour, through JPEG and back. Every frame is drawn when it is asked for; that time is not counted.
The baseline looks at a sample: frames on which each line of text stands, and the first, the middle and the last.
Its CPU seconds are those of a frame, times the frames; ``--whole`` makes it look at all.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from app.detection.survey import Renditions, survey
from app.engines.base import TextDetector
from app.engines.table import open_detectors
from app.engines.union import find_text
from app.pixels.boxes import Box
from app.pixels.looks import Look, Window
from app.pixels.rendering import render_for_detection

SLICES, CINE_FRAMES = 300, 100
DETECTORS = ("ppocr", "glyphs")
_COVERED_FROM = 0.9
_CT_WINDOW = Window(1064.0, 400.0)

Floats = NDArray[np.float32]


class When(StrEnum):
    """On which frames text stands."""

    ALL = "all frames"
    ONE = "one frame"
    FEW = "a few frames"
    EACH_OTHER = "other text on each"
    LATE_EACH_OTHER = "other text on each, from a frame on"
    MOVING = "another place on each"
    NONE = "none"


class Ink(StrEnum):
    """With what text is written."""

    BRIGHT = "bright"
    DARK = "dark"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class Label:
    """One string on one frame: the pixels that are at least half ink, cut to ``box``."""

    line: int
    frame: int
    box: Box
    glyphs: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Writing:
    """One line of text of a stack, as it is written on a frame."""

    when: When
    ink: Ink
    texts: Sequence[str]
    frames: range
    height_px: int
    corner: tuple[float, float]
    is_smooth: bool

    def text(self, frame: int) -> str:
        return self.texts[frame % len(self.texts)]

    def place(self, frame: int) -> tuple[float, float]:
        """Where in the room that is left, 0 to 1."""
        if self.when is not When.MOVING:
            return self.corner
        rng = np.random.default_rng((frame, len(self.texts[0])))
        return float(rng.uniform(0.05, 0.95)), float(rng.uniform(0.05, 0.95))


class Stack(Sequence[Renditions]):
    """A made stack. ``own_seconds`` is the CPU time that drawing took, ``reads`` how often each frame was asked for."""

    def __init__(self, kind: str, when: When, seed: int) -> None:
        self.kind, self.when = kind, when
        self.seed = seed
        self._count = SLICES if kind == "ct" else CINE_FRAMES
        rng = np.random.default_rng((seed, 1))
        self._scene: _Ct | _Cine = _Ct(rng) if kind == "ct" else _Cine(rng)
        self.writings = tuple(_writings(when, self._count, rng))
        self.own_seconds = 0.0
        self.reads = np.zeros(self._count, int)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._scene.size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, frame: int) -> Renditions:  # type: ignore[override]  # no slices of what is drawn one by one
        if not 0 <= frame < self._count:
            raise IndexError
        start = time.process_time()
        picture = self._scene.draw(frame, np.random.default_rng((self.seed, 2, frame)))
        for number in range(len(self.writings)):
            self._write(number, frame, picture)
        made = self._scene.render(picture)
        self.reads[frame] += 1
        self.own_seconds += time.process_time() - start
        return made

    def labels(self) -> Iterator[Label]:
        """Every string on every frame."""
        for number, writing in enumerate(self.writings):
            for frame in writing.frames:
                box, ink = self._ink(number, frame)
                yield Label(number, frame, box, ink >= 0.5)

    def _ink(self, number: int, frame: int) -> tuple[Box, Floats]:
        writing = self.writings[number]
        ink = _drawn(writing.text(frame), writing.height_px, is_smooth=writing.is_smooth)
        size = self._scene.size
        down, right = writing.place(frame)
        top, left = int(down * (size[0] - ink.shape[0] - 8)) + 4, int(right * (size[1] - ink.shape[1] - 8)) + 4
        return Box(top, left, top + ink.shape[0], left + ink.shape[1], frame), ink

    def _write(self, number: int, frame: int, picture: Floats) -> None:
        writing = self.writings[number]
        if frame not in writing.frames:
            return
        box, ink = self._ink(number, frame)
        window = np.s_[box.top : box.bottom, box.left : box.right]
        level = self._scene.level(writing.ink)
        cover = ink if picture.ndim == 2 else ink[:, :, np.newaxis]
        picture[window] = picture[window] * (1 - cover) + level * cover


class _Ct:
    """A trunk of ellipsoids in 12 bits, with vessels that come and go, and noise."""

    size = (512, 512)

    def __init__(self, rng: np.random.Generator) -> None:
        self._noise = float(rng.uniform(8, 30))
        organs = int(rng.integers(12, 25))
        self._center = np.column_stack(
            [rng.uniform(-40, 340, organs), rng.uniform(170, 340, organs), rng.uniform(110, 400, organs)]
        )
        self._axes = np.column_stack(
            [rng.uniform(15, 160, organs), rng.uniform(12, 75, organs), rng.uniform(12, 85, organs)]
        )
        self._density = rng.uniform(-700, 320, organs)
        vessels = 60
        self._vessel = np.column_stack(
            [rng.uniform(0, 300, vessels), rng.uniform(140, 370, vessels), rng.uniform(90, 420, vessels)]
        )
        self._slope = rng.normal(0, 1.5, (vessels, 2))
        self._rows, self._columns = np.mgrid[0:512, 0:512].astype(np.float32)

    def draw(self, frame: int, rng: np.random.Generator) -> Floats:
        swell = 1 + 0.1 * np.sin(frame / 40)
        body = ((self._columns - 256) / (210 * swell)) ** 2 + ((self._rows - 256) / (145 * swell)) ** 2
        picture = np.where(body < 1, 1050.0, 24.0).astype(np.float32)
        picture[(body > 0.9) & (body < 1)] = 930
        for center, axes, density in zip(self._center, self._axes, self._density, strict=True):
            part = 1 - ((frame - center[0]) / axes[0]) ** 2
            if part <= 0:
                continue
            inside = ((self._rows - center[1]) / axes[1]) ** 2 + ((self._columns - center[2]) / axes[2]) ** 2 < part
            picture[inside & (body < 0.9)] = 1050 + density
        for at, slope in zip(self._vessel, self._slope, strict=True):
            away = frame - at[0]
            if abs(away) < 25:
                middle = (int(at[2] + slope[1] * away), int(at[1] + slope[0] * away))
                cv2.circle(picture, middle, 2 + int(3 * (1 - abs(away) / 25)), 1210.0, -1)
        cv2.ellipse(picture, (256, int(330 + 5 * np.sin(frame / 9))), (26, 18), 0, 0, 360, 1700.0, 8)
        cv2.line(picture, (60, 430), (452, 430), 600.0, 3)
        smooth = np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.float32)
        return np.maximum(smooth + self._noise * rng.standard_normal(self.size, np.float32), 0)

    def level(self, ink: Ink) -> float:
        match ink:
            case Ink.BRIGHT:
                return 3000.0
            case Ink.DARK:
                return 0.0
            case Ink.GREY:
                return 1190.0
            case _:
                assert_never(ink)

    def render(self, picture: Floats) -> Renditions:
        look = Look("MONOCHROME2", 12, 11, False, windows=(_CT_WINDOW,))
        return render_for_detection(np.clip(np.rint(picture), 0, 4095).astype(np.uint16), look)


class _Cine:
    """A sector of speckle that moves and changes, on black, with a bar of greys; every second one in colour."""

    size = (480, 640)

    def __init__(self, rng: np.random.Generator) -> None:
        rows, columns = np.mgrid[0:480, 0:640].astype(np.float32)
        distance, angle = np.hypot(rows + 20, columns - 320), np.arctan2(columns - 320, rows + 20)
        self._sector = (distance > 60) & (distance < 450) & (np.abs(angle) < 0.75)
        self._fields = [_texture((480, 640), 1.6, rng) for _ in range(4)]
        self._tissue = np.exp(0.5 * _texture((480, 640), 25, rng))
        self._chambers = rng.uniform((150, 200, 25), (400, 440, 60), (4, 3))
        self._gain = float(rng.uniform(28, 50))
        self._is_colour = bool(rng.random() < 0.5)
        self._quality = int(rng.integers(75, 95))

    def draw(self, frame: int, rng: np.random.Generator) -> Floats:
        phase = frame / 7
        one = self._fields[0] * np.cos(phase) + self._fields[1] * np.sin(phase)
        other = self._fields[2] * np.cos(phase) + self._fields[3] * np.sin(phase)
        picture = self._gain * np.hypot(one, other) * self._tissue
        for row, column, radius in self._chambers:
            grown = radius * (1 + 0.25 * np.sin(frame / 5 + row))
            mask = np.zeros(self.size, np.uint8)
            cv2.circle(mask, (int(column), int(row)), int(grown), 1, -1)
            picture[mask > 0] *= 0.12
        picture = cv2.warpAffine(
            picture,
            np.array([[1, 0, 3 * np.sin(frame / 5)], [0, 1, 2 * np.cos(frame / 5)]], np.float32),
            (self.size[1], self.size[0]),
        )
        picture = np.where(self._sector, picture + 3 * rng.standard_normal(self.size, np.float32), 0)
        picture[120:360, 610:622] = np.linspace(255, 0, 240)[:, None]
        if self._is_colour:
            picture = np.stack([picture, picture * 0.95, picture * 0.8], axis=2)
        return np.asarray(np.clip(picture, 0, 255), np.float32)

    def level(self, ink: Ink) -> float | Floats:
        match ink:
            case Ink.BRIGHT:
                return np.array((255, 255, 0), np.float32) if self._is_colour else 255.0
            case Ink.DARK:
                return 0.0
            case Ink.GREY:
                return 150.0
            case _:
                assert_never(ink)

    def render(self, picture: Floats) -> Renditions:
        _, data = cv2.imencode(".jpg", np.rint(picture).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        flag = cv2.IMREAD_COLOR if self._is_colour else cv2.IMREAD_GRAYSCALE
        return (np.asarray(cv2.imdecode(data, flag), np.uint8),)


def _texture(size: tuple[int, int], grain_px: float, rng: np.random.Generator) -> Floats:
    noise = cv2.GaussianBlur(rng.standard_normal(size, np.float32), (0, 0), grain_px)
    return np.asarray(noise / noise.std(), np.float32)


def _writings(when: When, count: int, rng: np.random.Generator) -> Iterator[_Writing]:
    """The lines of a stack: in corners, over the anatomy, bright, dark and grey, from small to large."""
    if when is When.NONE:
        return
    corners = [
        (0.02, 0.02),
        (0.02, 0.97),
        (0.97, 0.03),
        (0.97, 0.97),
        (0.35, 0.5),
        (0.5, 0.4),
        (0.62, 0.55),
        (0.45, 0.6),
    ]
    inks = [Ink.BRIGHT, Ink.BRIGHT, Ink.GREY, Ink.GREY, Ink.BRIGHT, Ink.DARK, Ink.BRIGHT, Ink.GREY]
    for number in rng.permutation(len(corners))[:4]:
        match when:
            case When.ALL:
                frames, texts = range(count), [_name(rng)]
            case When.ONE:
                first = int(rng.integers(2, count - 2))
                frames, texts = range(first, first + 1), [_name(rng)]
            case When.FEW:
                first = int(rng.integers(2, count - 20))
                frames, texts = range(first, first + int(rng.integers(3, 15))), [_name(rng)]
            case When.EACH_OTHER:
                frames, texts = (
                    range(count),
                    [f"Im: {frame + 100}  {frame % 24:02}:{frame * 7 % 60:02}" for frame in range(count)],
                )
            case When.LATE_EACH_OTHER:
                first, last = int(rng.integers(2, count // 2)), int(rng.integers(count // 2 + 2, count))
                frames, texts = range(first, last), [f"{_name(rng)} {frame % 10}" for frame in range(count)]
            case When.MOVING:
                frames, texts = range(3, count - 3), [_name(rng)]
            case When.NONE:
                return
            case _:
                assert_never(when)
        height_px = int(rng.integers(10, 29))
        yield _Writing(when, inks[number], texts, frames, height_px, corners[number], bool(rng.random() < 0.6))
        if when is When.MOVING:
            return


_NAMES = ("Okafor", "MÜLLER", "Lefèvre", "SMITH", "García", "Kowalska", "TANAKA", "Haddad", "O'Brien")


def _name(rng: np.random.Generator) -> str:
    name, number = str(rng.choice(_NAMES)), int(rng.integers(10_000, 9_999_999))
    choices = (
        f"{name}, J.",
        f"ID {number}",
        f"{name}^ANNA",
        f"{number % 28 + 1:02}.0{number % 9 + 1}.19{number % 60 + 30}",
    )
    return choices[int(rng.integers(len(choices)))]


def _drawn(text: str, height_px: int, *, is_smooth: bool) -> Floats:
    """How much ink each pixel gets, 0 to 1, cut to the text."""
    font = ImageFont.load_default(height_px)
    left, top, right, bottom = font.getbbox(text)
    image = PilImage.new("L", (int(right - left) + 8, int(bottom - top) + 8))
    draw = ImageDraw.Draw(image)
    draw.fontmode = "L" if is_smooth else "1"
    draw.text((4 - left, 4 - top), text, fill=255, font=font)
    canvas = np.array(image)
    used = np.argwhere(canvas > 0)
    (top_px, left_px), (bottom_px, right_px) = used.min(axis=0), used.max(axis=0) + 1
    return np.asarray(canvas[top_px:bottom_px, left_px:right_px] / 255, np.float32)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found on a stack: by line and frame, whether strong boxes, and whether any boxes, cover the string.

    ``alarms``: how many strong boxes at different places (the baseline: on all its frames together).
    """

    seconds: float
    strong: dict[tuple[int, int], bool]
    any: dict[tuple[int, int], bool]
    alarms: int


Boxes = Sequence[tuple[Box, bool]]


def _found(
    seconds: float, labels: Sequence[Label], boxes: Mapping[int, Boxes], size: tuple[int, int], alarms: int
) -> Found:
    strong: dict[tuple[int, int], bool] = {}
    weak: dict[tuple[int, int], bool] = {}
    for label in labels:
        for only_strong, into in ((True, strong), (False, weak)):
            mask = np.zeros(size, bool)
            for box, is_strong in boxes[label.frame]:
                if is_strong or not only_strong:
                    mask[box.top : box.bottom, box.left : box.right] = True
            covered = mask[label.box.top : label.box.bottom, label.box.left : label.box.right][label.glyphs]
            into[label.line, label.frame] = bool(covered.mean() >= _COVERED_FROM)
    return Found(seconds, strong, weak, alarms)


def measure_survey(stack: Stack, detectors: Sequence[TextDetector], labels: Sequence[Label]) -> Found:
    """The survey, as the product runs it."""
    stack.own_seconds, start = 0.0, time.process_time()
    regions = survey(stack, detectors)
    seconds = time.process_time() - start - stack.own_seconds
    boxes = {
        frame: [(region.box, region.is_strong) for region in regions if region.box.frame in (None, frame)]
        for frame in {label.frame for label in labels}
    }
    alarms = {replace(region.box, frame=None) for region in regions if region.is_strong}
    return _found(seconds, labels, boxes, stack.size, len(alarms))


def measure_every_frame(
    stack: Stack, detectors: Sequence[TextDetector], labels: Sequence[Label], frames: Sequence[int]
) -> Found:
    """The detectors on these frames; the time is that of all frames of the stack."""
    seconds, alarms = 0.0, 0
    boxes: dict[int, Boxes] = {}
    for frame in frames:
        renditions = stack[frame]
        start = time.process_time()
        found = [one for rendition in renditions for one in find_text(rendition, detectors)]
        seconds += time.process_time() - start
        alarms += sum(one.is_strong for one in found)
        boxes[frame] = [(Box(one.top, one.left, one.bottom, one.right), one.is_strong) for one in found]
    seen = [label for label in labels if label.frame in boxes]
    return _found(seconds * len(stack) / len(frames), seen, boxes, stack.size, alarms)


def sample_of(labels: Sequence[Label], count: int, most: int) -> list[int]:
    """Frames to look at one by one: some of each line, and some more."""
    frames = set(np.linspace(0, count - 1, 3).astype(int).tolist())
    for line in {label.line for label in labels}:
        mine = [label.frame for label in labels if label.line == line]
        frames |= {mine[number] for number in np.linspace(0, len(mine) - 1, min(most, len(mine))).astype(int)}
    return sorted(frames)


def main() -> None:
    """Measure and print; the stacks one after the other, so that the table grows while one waits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stacks", type=int, default=1, help="how many of each kind and way of writing")
    parser.add_argument("--first", type=int, default=1000, help="the first seed; below 1000 was for choosing settings")
    parser.add_argument("--kind", choices=("ct", "cine"), help="only these")
    parser.add_argument("--when", type=When, choices=list(When), help="only these")
    parser.add_argument("--sample", type=int, default=4, help="frames of a line on which the baseline looks; 0: none")
    parser.add_argument("--whole", action="store_true", help="the baseline looks at every frame: minutes a stack")
    options = parser.parse_args()
    detectors = open_detectors(DETECTORS)
    for detector in detectors:
        detector.detect(np.tile(np.arange(64, dtype=np.uint8), (64, 1)))  # models are loaded once
    header = (
        "stack",
        "text",
        "survey s",
        "every s",
        "ratio",
        "most reads",
        "strings",
        "on frames",
        "every: on frames",
        "lost",
        "alarms",
    )
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    totals: dict[str, list[float]] = {}
    for kind in (options.kind,) if options.kind else ("ct", "cine"):
        for when in (options.when,) if options.when else list(When):
            for seed in range(options.first, options.first + options.stacks):
                stack = Stack(kind, when, seed)
                labels = list(stack.labels())
                ours = measure_survey(stack, detectors, labels)
                reads = stack.reads.max()
                frames = range(len(stack)) if options.whole else sample_of(labels, len(stack), options.sample)
                theirs = measure_every_frame(stack, detectors, labels, frames) if options.sample else None
                print(_row(stack, ours, theirs, int(reads)), flush=True)
                sums = totals.setdefault(kind, [0.0, 0.0])
                sums[0] += ours.seconds
                sums[1] += theirs.seconds if theirs else 0.0
    for kind, (ours_s, theirs_s) in totals.items():
        print(f"\n{kind}: {ours_s:.1f} s against {theirs_s:.0f} s, {theirs_s / ours_s:.1f} times")


def _row(stack: Stack, ours: Found, theirs: Found | None, reads: int) -> str:
    """Shares are strong/any, in percent. *lost*: of what a look at every frame finds, what the survey does not."""
    lines = {line for line, _ in ours.any}
    strings = [
        sum(all(of[key] for key in of if key[0] == line) for line in lines) / max(1, len(lines))
        for of in (ours.strong, ours.any)
    ]
    cells = [f"{stack.kind} {stack.seed}", stack.when.value, f"{ours.seconds:.1f}"]
    if theirs is None:
        cells += ["", "", str(reads)]
    else:
        cells += [f"{theirs.seconds:.0f}", f"{theirs.seconds / ours.seconds:.1f}", str(reads)]
    cells += [_percent(strings), _percent([_share(ours.strong), _share(ours.any)])]
    if theirs is None:
        cells += ["", ""]
    else:
        cells.append(_percent([_share(theirs.strong), _share(theirs.any)]))
        lost = [
            sum(have[key] and not mine[key] for key in have)
            for have, mine in ((theirs.strong, ours.strong), (theirs.any, ours.any))
        ]
        cells.append(f"{lost[0]}/{lost[1]} of {len(theirs.any)}")
    cells.append(f"{ours.alarms}" + (f" ({theirs.alarms})" if theirs is not None else ""))
    return "| " + " | ".join(cells) + " |"


def _share(found: dict[tuple[int, int], bool]) -> float:
    return sum(found.values()) / max(1, len(found))


def _percent(shares: Sequence[float]) -> str:
    return "/".join(f"{100 * share:.0f}" for share in shares)


if __name__ == "__main__":
    main()
