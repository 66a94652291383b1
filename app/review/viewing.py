"""Pictures for people's eyes: any frame of any file of the project, as it is or as it would leave.

It runs in a process of its own (``show_picture`` and the others are called through an executor): codecs hold
Python's lock while they decode, may crash on a damaged file, and must do neither to the window.
"""

import math
from collections import OrderedDict
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import BinaryIO

import numpy as np

from app.dicom.reading import Header, read_header
from app.errors import FileError, Reason, UnreadableError
from app.files.locator import ArchiveCache, Locator, open_locator
from app.pixels.boxes import Box
from app.pixels.masking import cover, fill_value
from app.pixels.reading import ImageReader, Stored
from app.pixels.rendering import (
    Image,
    Look,
    Window,
    WindowPreset,
    default_window,
    full_window,
    look_of,
    render,
    window_presets,
)

# Some 400 frames of 512 x 512 in 16 bits: a whole CT series; the window's budget is 1 GB for everything.
CACHE_BYTES = 224 << 20
# Of archives as many stay open (``ArchiveCache``), and a frame of a member needs its archive.
_IMAGES_OPEN = 2
# A picture that is larger comes in halves of halves too: shrinking while painting would stall the window.
_LARGEST_ALONE_PX = 1024
_DRAFT_PX = 768
_FASTEST_PER_S, _SLOWEST_PER_S = 60.0, 0.5

_FRAME_TIME, _CINE_RATE, _DISPLAY_RATE = 0x00181063, 0x00180040, 0x00082144


@dataclass(frozen=True, slots=True)
class View:
    """What is to be seen.

    Parameters
    ----------
    frame
        From 0.
    window
        None for what the file wants.
    covered
        Boxes that are filled as the export fills them.
    is_draft
        Coarse, but at once: for every step of a drag over a large image.
    """

    original_locator: str = field(repr=False)
    frame: int = 0
    window: Window | None = None
    is_inverted: bool = False
    covered: tuple[Box, ...] = ()
    is_draft: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """What is seen.

    Attributes
    ----------
    levels
        8 bit grey or RGB; the first is the whole size (a draft lacks it), each following has half the rows and columns.
    steps
        How many stored pixels a pixel of each level stands for, in both directions.
    rows, columns, frames
        Of the stored matrix.
    window
        The one that was used; None for colour.
    presets
        The windows to choose from, none for colour.
    frames_per_second
        What the file wants a loop to run at; None where it says nothing.
    """

    levels: tuple[Image, ...]
    steps: tuple[int, ...]
    rows: int
    columns: int
    frames: int
    window: Window | None
    presets: tuple[WindowPreset, ...]
    frames_per_second: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A decoded frame with all that it takes to show it; ``fill`` is what a covered pixel holds, by sample."""

    stored: Stored
    look: Look
    fill: Stored
    frames: int
    frames_per_second: float | None


def draw(frame: Frame, view: View) -> Picture:
    """Render a frame; what is covered changes nothing of the rest, the window included."""
    presets = window_presets(frame.look)
    window, used = _windows(frame, view.window) if presets else (None, None)
    boxes = [box for box in view.covered if box.frame in (None, view.frame)]
    stored = cover(frame.stored, boxes, frame.fill) if boxes else frame.stored
    rows, columns = stored.shape[:2]
    step = 1 << max(0, math.ceil(math.log2(max(rows, columns) / _DRAFT_PX))) if view.is_draft else 1
    image = render(np.ascontiguousarray(stored[::step, ::step]), frame.look, window, invert=view.is_inverted)
    levels, steps = [image], [step]
    while not view.is_draft and max(levels[-1].shape[:2]) > _LARGEST_ALONE_PX:
        levels.append(halve(levels[-1]))
        steps.append(steps[-1] * 2)
    return Picture(tuple(levels), tuple(steps), rows, columns, frame.frames, used, presets, frame.frames_per_second)


def _windows(frame: Frame, wanted: Window | None) -> tuple[Window | None, Window]:
    """The window to render through, None for the VOI LUT of the file, and the one to speak of.

    It is always that of the frame as it is: filled pixels must not move the range.
    """
    if wanted is None:
        used = default_window(frame.stored, frame.look)
        return (used if frame.look.voi_lut is None else None), used
    used = wanted if wanted.is_usable else full_window(frame.stored, frame.look)
    return used, used


def halve(image: Image) -> Image:
    """Half the rows and columns, each pixel the mean of four; an odd last row or column is left out."""
    rows, columns = image.shape[0] & ~1, image.shape[1] & ~1
    wide = image[:rows, :columns].astype(np.uint16)
    total = wide[0::2, 0::2] + wide[1::2, 0::2] + wide[0::2, 1::2] + wide[1::2, 1::2]
    halved: Image = ((total + np.uint16(2)) >> np.uint16(2)).astype(np.uint8)
    return halved


class PictureReader(AbstractContextManager["PictureReader"]):
    """Opens files where they lie and keeps the frames that were seen last, within ``cache_bytes``. Of one thread.

    Its methods raise UnreadableError or HeldBackError where a file can't be looked at.
    """

    def __init__(self, cache_bytes: int = CACHE_BYTES) -> None:
        self._cache_bytes = cache_bytes
        self._archives = ArchiveCache()
        self._files: OrderedDict[str, tuple[BinaryIO, Header, ImageReader]] = OrderedDict()
        self._frames: OrderedDict[tuple[str, int], Frame] = OrderedDict()
        self._kept_bytes = 0

    @property
    def kept_bytes(self) -> int:
        """How much memory the frames take that are kept."""
        return self._kept_bytes

    def picture(self, view: View) -> Picture:
        """What is seen of a frame."""
        return draw(self.frame(view.original_locator, view.frame), view)

    def thumbnail(self, original_locator: str, side_px: int, frame: int = 0) -> Image:
        """A frame as the file wants it, less than twice ``side_px`` in each direction; nothing of it is kept."""
        picture = draw(self._read(original_locator, frame), View(original_locator, frame))
        image = picture.levels[-1]
        while max(image.shape[:2]) >= 2 * side_px:
            image = halve(image)
        return image

    def frame(self, original_locator: str, frame: int) -> Frame:
        """A decoded frame, from memory where it was seen lately."""
        key = original_locator, frame
        kept = self._frames.get(key)
        if kept is not None:
            self._frames.move_to_end(key)
            return kept
        read = self._frames[key] = self._read(original_locator, frame)
        self._kept_bytes += read.stored.nbytes
        while self._kept_bytes > self._cache_bytes and len(self._frames) > 1:
            self._kept_bytes -= self._frames.popitem(last=False)[1].stored.nbytes
        return read

    def _read(self, original_locator: str, frame: int) -> Frame:
        try:
            header, reader = self._open(original_locator)
            stored = reader.frame(frame)
            return Frame(
                stored,
                look_of(header, frame),
                np.array(fill_value(reader.description, header), stored.dtype),
                reader.description.frames,
                _frames_per_second(header),
            )
        except OSError:
            raise UnreadableError(Reason.UNREADABLE_IO) from None
        except IndexError:
            raise UnreadableError(Reason.CHANGED_SINCE_SCAN) from None

    def _open(self, original_locator: str) -> tuple[Header, ImageReader]:
        opened = self._files.get(original_locator)
        if opened is None:
            file = open_locator(Locator.from_text(original_locator), self._archives)
            try:
                header = read_header(file)
                opened = file, header, ImageReader(file, header)
            except BaseException:
                file.close()
                raise
            self._files[original_locator] = opened
            while len(self._files) > _IMAGES_OPEN:
                self._files.popitem(last=False)[1][0].close()
        self._files.move_to_end(original_locator)
        return opened[1:]

    def close(self) -> None:
        """Close all files and forget all frames; it can be used again."""
        while self._files:
            self._files.popitem()[1][0].close()
        self._archives.close()
        self._frames.clear()
        self._kept_bytes = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _frames_per_second(header: Header) -> float | None:
    time_ms = _decimal(header, _FRAME_TIME)
    rate = _decimal(header, _DISPLAY_RATE) or _decimal(header, _CINE_RATE) or (1000 / time_ms if time_ms else None)
    return min(max(rate, _SLOWEST_PER_S), _FASTEST_PER_S) if rate else None


def _decimal(header: Header, tag: int) -> float | None:
    """A positive number, else None."""
    try:
        number = float(header.text(tag).split("\\")[0])
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None


# In a process of its own ------------------------------------------------------


@lru_cache(maxsize=1)
def _reader() -> PictureReader:
    return PictureReader()


def show_picture(view: View) -> Picture:
    """``PictureReader.picture`` of this process's reader."""
    return _reader().picture(view)


def make_thumbnail(original_locator: str, side_px: int) -> Image:
    """``PictureReader.thumbnail`` of this process's reader."""
    return _reader().thumbnail(original_locator, side_px)


def read_ahead(original_locator: str, frame: int) -> None:
    """Have a frame at hand that is likely to be wanted next; one that can't be read shows when it is wanted."""
    with suppress(FileError):
        _reader().frame(original_locator, frame)


def close_files() -> None:
    """Let go of the files, so that a medium can be taken out; nothing is remembered."""
    _reader().close()
