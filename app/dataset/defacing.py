"""Takes the faces out of the series for which a person wants it: reads the volume, keeps what changes of each image.

The volume is only in memory; what stays in the project are the changed pixels, and two pictures of the face for the
person who decides. A series that can't be done keeps a reason and stays at the site.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.dicom.reading import Header, read_header
from app.errors import FileError
from app.events import Finished, Job, Progress
from app.files.locator import ArchiveCache, Locator, open_locator
from app.pixels.defacing import Defaced, DefacingError, Kind, deface, relief, skin_depth
from app.pixels.edits import make_edit
from app.pixels.reading import ImageReader
from app.project.decisions import load_decisions
from app.project.defacings import Defacing, edited_images, save_defacing, series_digest
from app.project.folder import Project

STEP = "deface"
_IMAGE_POSITION, _IMAGE_ORIENTATION, _PIXEL_SPACING = 0x00200032, 0x00200037, 0x00280030
_SLOPE, _INTERCEPT, _MODALITY = 0x00281053, 0x00281052, 0x00080060
_AXIAL_COSINE = 0.85  # a gantry or a head that is tilted by some 30 degrees
_MOST_VOXELS = 100_000_000  # 0.8 GB a copy, and some copies are needed: an ordinary PC has 8
_SPACING_TOLERANCE = 0.05  # of the usual step, by which one may differ

_SERIES = """
SELECT i.id, i.series_id, s.original_series_uid, i.original_sop_instance_uid, f.original_locator, f.size, f.mtime_ns
FROM instances i JOIN series s ON s.id = i.series_id JOIN files f ON f.id = i.file_id
WHERE i.selected = 1 AND i.reason IS NULL AND s.original_series_uid = ?
ORDER BY i.series_id, i.slice_position_mm, i.original_sop_instance_uid
"""


def deface_series(project: Project) -> Job:
    """Take out the faces that people decided on, where that was not done with the files that are there now."""
    wanted = sorted(load_decisions(project.layout).dataset.defaced)
    counts = {"defaced": 0, "refused": 0}
    yield Progress(STEP, 0, len(wanted), "series")
    for done, uid in enumerate(wanted, start=1):
        rows = project.store.execute(_SERIES, (uid,)).fetchall()
        if rows and len(edited_images(project.store, rows[0]["series_id"], rows)) < len(rows):
            key = project.secret.subkey(f"face {uid}")
            defacing, edits = _deface(rows, key)
            with project.store.transaction():
                save_defacing(project.store, defacing, edits)
            counts["refused" if defacing.failure else "defaced"] += 1
        yield Progress(STEP, done, len(wanted), "series")
    yield Finished(STEP, counts)


def _deface(rows: Sequence[Any], key: bytes) -> tuple[Defacing, dict[int, bytes]]:
    series_id = rows[0]["series_id"]
    made_with = series_digest((row["original_sop_instance_uid"], row["size"], row["mtime_ns"]) for row in rows)
    try:
        volume = _read_volume(rows)
        defaced = deface(
            volume.values, volume.spacing_mm, volume.kind, key, front_is_first_row=volume.front_is_first_row
        )
    except DefacingError as error:
        return Defacing(series_id, made_with, error.code), {}
    except (FileError, OSError):
        return Defacing(series_id, made_with, "not-readable"), {}
    edits = {
        row["id"]: make_edit(before, volume.stored(number, defaced)).content
        for number, (row, before) in enumerate(zip(volume.rows, volume.original, strict=True))
    }
    before, after = volume.picture(volume.values), volume.picture(defaced.values)
    height, width = before.shape
    return (
        Defacing(series_id, made_with, None, defaced.surface_changed, height, width, before.tobytes(), after.tobytes()),
        edits,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Volume:
    """The slices of a series, from the feet up; ``original`` as stored, ``values`` as they mean."""

    rows: tuple[Any, ...]
    original: tuple[NDArray[Any], ...]
    values: NDArray[np.float64]
    scales: tuple[tuple[float, float], ...]  # slope and intercept of each slice
    bounds: tuple[int, int]  # the stored values that an image can say
    spacing_mm: tuple[float, float, float]
    kind: Kind
    front_is_first_row: bool

    def stored(self, number: int, defaced: Defaced) -> NDArray[Any]:
        """A slice of the new volume as it is stored: where nothing changed, the very bits."""
        slope, intercept = self.scales[number]
        before, changed = self.original[number], defaced.changed[number]
        values = np.clip(np.rint((defaced.values[number] - intercept) / slope), *self.bounds)
        return np.where(changed, values.astype(before.dtype), before)

    def picture(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """The face as a relief, in square pixels about as large as a column."""
        turned = values if self.front_is_first_row else values[:, ::-1]
        shown = relief(skin_depth(turned, self.spacing_mm, self.kind), self.spacing_mm)
        rows = max(1, round(len(shown) * self.spacing_mm[0] / self.spacing_mm[2]))
        return shown[(np.arange(rows) * len(shown) // rows)]


def _read_volume(rows: Sequence[Any]) -> _Volume:
    """Raises DefacingError, FileError or OSError."""
    slices: list[tuple[float, Any, Header, NDArray[Any], Any]] = []
    with ArchiveCache() as cache:
        for row in rows:
            with open_locator(Locator.from_text(row["original_locator"]), cache) as file:
                header = read_header(file)
                reader = ImageReader(file, header)
                one = reader.description
                unusual = one.frames != 1 or one.samples != 1 or one.photometric not in ("MONOCHROME1", "MONOCHROME2")
                if unusual or one.bits_allocated not in (8, 16) or one.high_bit + 1 != one.bits_stored:
                    raise DefacingError("not-plain-slices")
                if len(rows) * one.rows * one.columns > _MOST_VOXELS:
                    raise DefacingError("too-large")
                position = _numbers(header, _IMAGE_POSITION, 3)
                slices.append((position[2], row, header, reader.frame(0), one))
    slices.sort(key=lambda item: item[0])
    headers = [header for _, _, header, _, _ in slices]
    first, description = headers[0], slices[0][4]
    orientation, spacing = _numbers(first, _IMAGE_ORIENTATION, 6), _numbers(first, _PIXEL_SPACING, 2)
    is_axial = abs(orientation[0]) > _AXIAL_COSINE and abs(orientation[4]) > _AXIAL_COSINE
    same = all(
        np.allclose(_numbers(one, _IMAGE_ORIENTATION, 6), orientation, atol=1e-3)
        and np.allclose(_numbers(one, _PIXEL_SPACING, 2), spacing, atol=1e-4)
        for one in headers
    )
    shapes = {(values.shape, one.dtype, one.bits_stored, one.is_signed) for _, _, _, values, one in slices}
    steps = np.diff([height for height, *_ in slices])
    if not is_axial or not same or len(shapes) != 1 or not len(steps):
        raise DefacingError("not-axial")
    step = float(np.median(steps))
    if step <= 0 or np.abs(steps - step).max() > _SPACING_TOLERANCE * step:
        raise DefacingError("slices-missing")
    kind = {"CT": Kind.CT, "MR": Kind.MR}.get(first.text(_MODALITY).strip())
    if kind is None:
        raise DefacingError("not-ct-or-mr")
    scales = tuple((_number(one, _SLOPE, 1.0), _number(one, _INTERCEPT, 0.0)) for one in headers)
    lowest = -(1 << description.bits_stored - 1) if description.is_signed else 0
    original = tuple(values for _, _, _, values, _ in slices)
    meant = np.stack([values * slope + b for values, (slope, b) in zip(original, scales, strict=True)])
    return _Volume(
        tuple(row for _, row, _, _, _ in slices),
        original,
        meant.astype(np.float64),
        scales,
        (lowest, lowest + (1 << description.bits_stored) - 1),
        (step, spacing[0], spacing[1]),
        kind,
        front_is_first_row=orientation[4] > 0,  # rows go to the back (PS3.3 section C.7.6.2.1.1)
    )


def _numbers(header: Header, tag: int, count: int) -> list[float]:
    try:
        numbers = [float(part) for part in header.text(tag).split("\\")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise DefacingError("no-geometry")
    return numbers


def _number(header: Header, tag: int, default: float) -> float:
    text = header.text(tag).strip()
    try:
        number = float(text) if text else default
    except ValueError:
        raise DefacingError("no-geometry") from None
    if not np.isfinite(number) or (tag == _SLOPE and number <= 0):
        raise DefacingError("no-geometry")
    return number
