"""The part of *detect* that runs in other processes: decodes, renders and looks; plain data in and out, no database."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import BinaryIO

import cv2

from app.detection.device_masks import DeviceFacts, DeviceMask, boxes_for, device_facts, ultrasound_boxes
from app.detection.risk import risk_of
from app.detection.survey import Renditions, survey
from app.dicom.frames import read_pixels
from app.dicom.pixel_digest import PixelDigest, digest_pixels
from app.dicom.reading import SOP_CLASS_UID, Header, read_header
from app.engines.base import DetectorFailedError, TextDetector
from app.engines.table import open_detectors
from app.errors import FileError, Reason, UnreadableError
from app.files.locator import ArchiveCache, Locator, open_locator
from app.jobs.processes import needs_memory
from app.pixels.boxes import Box
from app.pixels.reading import ImageDescription, ImageReader, Stored
from app.pixels.rendering import look_of, render_for_detection
from app.project.images import Region
from app.project.risks import Risk

# A neural network takes 600 megabytes before it has seen an image, and as much again for the largest one.
DETECTION_MEMORY_BYTES = 3 << 30
DEVICE_TABLE, ULTRASOUND_REGIONS = "device", "ultrasound-regions"


@dataclass(frozen=True, slots=True)
class DetectContext:
    """With what to look: detectors, and the site's own table of devices beside the one that ships."""

    detectors: tuple[str, ...]
    site_masks: tuple[DeviceMask, ...]


@dataclass(frozen=True, slots=True)
class DetectItem:
    """One image to look at; those of a series come together, so that they can be looked at as a stack."""

    instance_id: int
    original_locator: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What was found on one image; ``failure`` says why it could not be looked at.

    ``pixels``: which pixels these were; None where they can't be read to their end as they would leave.
    """

    instance_id: int
    failure: Reason | None
    risk: Risk = Risk.NONE
    original_device: str = field(default="", repr=False)
    rows: int = 0
    columns: int = 0
    frames: int = 0
    regions: tuple[Region, ...] = ()
    pixels: PixelDigest | None = None


@dataclass(frozen=True, slots=True)
class _Image:
    """An image whose header was read."""

    item: DetectItem
    header: Header = field(repr=False)
    description: ImageDescription
    facts: DeviceFacts
    pixels: PixelDigest | None

    @property
    def stack_key(self) -> tuple[object, ...]:
        """Single frames that agree in it are one stack; an image of several frames is one by itself."""
        one = self.description
        alone = self.item.instance_id if one.frames > 1 else 0
        return alone, one.rows, one.columns, one.samples, one.photometric


@needs_memory(DETECTION_MEMORY_BYTES)
def look_through(context: DetectContext, items: tuple[DetectItem, ...]) -> list[LookedAt]:
    """Look for text in every image. An image that can't be looked at comes back with a failure, never without."""
    cv2.setNumThreads(1)  # there is a process for each core already
    return look_with(open_detectors(context.detectors), context.site_masks, items)


def look_with(
    detectors: Sequence[TextDetector], site_masks: tuple[DeviceMask, ...], items: Sequence[DetectItem]
) -> list[LookedAt]:
    """``look_through`` with detectors that are open already."""
    found: list[LookedAt] = []
    with ArchiveCache() as cache:
        images: list[_Image] = []
        for item in items:
            try:
                images.append(_open(item, cache))
            except FileError as error:
                found.append(LookedAt(item.instance_id, error.reason))
            except OSError:
                found.append(LookedAt(item.instance_id, Reason.UNREADABLE_IO))
        images.sort(key=lambda image: tuple(map(str, image.stack_key)))
        for _, stack in groupby(images, key=lambda image: image.stack_key):
            found += _look_at_stack(list(stack), detectors, site_masks, cache)
    return found


def _open(item: DetectItem, cache: ArchiveCache) -> _Image:
    with open_locator(Locator.from_text(item.original_locator), cache) as file:
        header = read_header(file)
        reader = ImageReader(file, header)
        return _Image(item, header, reader.description, device_facts(header), _pixels(file, header))


def _pixels(file: BinaryIO, header: Header) -> PixelDigest | None:
    """Which pixels these are. What can't leave as it is has none: *prepare* says why."""
    if header.pixel is None:
        return None
    try:
        return digest_pixels(read_pixels(file, header, header.pixel))
    except UnreadableError:
        return None


class _FrameLostError(Exception):
    """One image of a stack can't be decoded."""

    def __init__(self, image: _Image, reason: Reason) -> None:
        super().__init__()
        self.image, self.reason = image, reason


class _Stack(Sequence[Renditions]):
    """The frames of a stack, decoded and rendered when asked for."""

    def __init__(self, images: Sequence[_Image], cache: ArchiveCache) -> None:
        self._images, self._cache = images, cache
        self._frames = images[0].description.frames
        self._open: tuple[int, ImageReader] | None = None

    def __len__(self) -> int:
        return len(self._images) if len(self._images) > 1 else self._frames

    def image(self, index: int) -> _Image:
        """Of which image a frame is."""
        return self._images[index if len(self._images) > 1 else 0]

    def __getitem__(self, index: int) -> Renditions:  # type: ignore[override]  # no slices of what is decoded one by one
        if not 0 <= index < len(self):
            raise IndexError
        image = self.image(index)
        frame = 0 if len(self._images) > 1 else index
        try:
            reader = self._reader(image)
            return render_for_detection(reader.frame(frame), look_of(image.header, frame))
        except FileError as error:
            raise _FrameLostError(image, error.reason) from None
        except OSError:
            raise _FrameLostError(image, Reason.UNREADABLE_IO) from None

    def _reader(self, image: _Image) -> ImageReader:
        key = image.item.instance_id
        if self._open is None or self._open[0] != key:
            self.close()
            file = open_locator(Locator.from_text(image.item.original_locator), self._cache)
            self._file = file
            self._open = key, ImageReader(file, image.header)
        return self._open[1]

    def close(self) -> None:
        """Close the file that was read last."""
        if self._open is not None:
            self._open = None
            self._file.close()


def _look_at_stack(
    images: list[_Image],
    detectors: Sequence[TextDetector],
    site_masks: tuple[DeviceMask, ...],
    cache: ArchiveCache,
) -> Iterator[LookedAt]:
    while images:
        stack = _Stack(images, cache)
        try:
            regions = survey(stack, detectors)
            _check(regions, images[0].description, len(stack))
        except _FrameLostError as lost:
            yield _failed(lost.image, lost.reason)
            images = [image for image in images if image is not lost.image]
            continue
        except Exception:  # noqa: BLE001 - a detector that failed, or a defect of ours: in both cases nobody looked
            if len(images) > 1:  # which one it was shows when each is looked at by itself
                for image in images:
                    yield from _look_at_stack([image], detectors, site_masks, cache)
            else:
                yield _failed(images[0], Reason.DETECTOR_FAILED)
            return
        finally:
            stack.close()
        for index, image in enumerate(images):
            mine = regions
            if len(images) > 1:  # frames of the stack are images of their own
                mine = [
                    replace(region, box=replace(region.box, frame=None))
                    for region in regions
                    if region.box.frame in (None, index)
                ]
            yield _looked_at(image, (*_known_places(image, site_masks, cache), *mine))
        return


def _check(regions: Sequence[Region], description: ImageDescription, frames: int) -> None:
    """A detector that answers nonsense has not looked. Raises DetectorFailedError."""
    for region in regions:
        box = region.box
        inside = box.bottom <= description.rows and box.right <= description.columns
        if not inside or not 0 <= region.confidence <= 1 or (box.frame is not None and box.frame >= frames):
            raise DetectorFailedError


def _known_places(image: _Image, site_masks: tuple[DeviceMask, ...], cache: ArchiveCache) -> Iterator[Region]:
    """Where text is known to stand: by the table of devices, and outside of an ultrasound image's scan regions.

    A place that holds one value on each frame has nothing on it.
    """
    size = image.description
    clipped = (known.box.clipped(size.rows, size.columns) for known in boxes_for(image.facts, site_masks))
    places = [(box, DEVICE_TABLE) for box in clipped if box is not None]
    places += [(box, ULTRASOUND_REGIONS) for box in ultrasound_boxes(image.header)]
    if not places:
        return
    filled = _filled([box for box, _ in places], image, cache)
    for box, source in places:
        if box in filled:
            yield Region(box, source, 1.0, is_strong=True)


def _filled(boxes: Sequence[Box], image: _Image, cache: ArchiveCache) -> set[Box]:
    """The boxes that hold something on some frame; all of them where that can't be found out any more."""
    blank = set(boxes)
    try:
        with open_locator(Locator.from_text(image.item.original_locator), cache) as file:
            for frame in ImageReader(file, image.header).frames():
                blank = {box for box in blank if _is_blank(frame[box.top : box.bottom, box.left : box.right])}
                if not blank:
                    break
    except (FileError, OSError):
        return set(boxes)
    return set(boxes) - blank


def _is_blank(part: Stored) -> bool:
    return bool((part == part[:1, :1]).all())


def _looked_at(image: _Image, regions: tuple[Region, ...]) -> LookedAt:
    size = image.description
    return LookedAt(
        image.item.instance_id,
        None,
        _risk(image),
        _device_text(image.facts),
        size.rows,
        size.columns,
        size.frames,
        regions,
        image.pixels,
    )


def _failed(image: _Image, reason: Reason) -> LookedAt:
    size = image.description
    return LookedAt(
        image.item.instance_id, reason, _risk(image), _device_text(image.facts), size.rows, size.columns, size.frames
    )


def _risk(image: _Image) -> Risk:
    return risk_of(image.header, image.header.text(SOP_CLASS_UID))


def _device_text(facts: DeviceFacts) -> str:
    """A device as masks name it; blank where the file does not say whose it is: such a mask would fit them all."""
    if not facts.manufacturer or not facts.model:
        return ""
    names = (facts.manufacturer, facts.model, facts.modality, facts.software_versions)
    return json.dumps([*names, facts.rows, facts.columns])
