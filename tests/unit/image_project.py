"""A project with a few small images on disk and hand-made findings, for the tests of viewing and of its page."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from app.files.locator import Locator
from app.pixels.boxes import Box
from app.project.folder import Project
from app.project.images import Region
from tests.factory import make_instance, make_series, make_study, save, set_pixels
from tests.factory.instances import US_DEVICE
from tests.unit.review_project import US_IMAGE, add_check, add_instance

ROWS, COLUMNS = 100, 200
NAME = Region(Box(10, 20, 30, 90), "ppocr", 0.9, is_strong=True, original_text="DOE JANE")
UNSURE = Region(Box(60, 20, 70, 40), "glyphs", 0.3, is_strong=False)


def make_image(frames: NDArray[Any], *, bits_stored: int = 8, photometric: str = "MONOCHROME2") -> Dataset:
    """An object that is nothing but its pixels."""
    study = make_study(seed=5)
    series = make_series(study, "US", 1, "A series", US_DEVICE)
    dataset = make_instance(series, US_IMAGE, 1)
    set_pixels(dataset, frames, bits_stored=bits_stored, photometric="RGB" if frames.shape[-1] == 3 else photometric)
    dataset.PhotometricInterpretation = photometric
    return dataset


def slope(frames: int = 1, value: int = 0) -> NDArray[np.uint8]:
    """Grey from the left to the right, every frame a little brighter: [frames,] rows, columns."""
    one = np.tile(np.arange(COLUMNS, dtype=np.uint8), (ROWS, 1)) + np.uint8(value)
    stack = np.stack([one + np.uint8(number) for number in range(frames)])
    return stack if frames > 1 else stack[0]


def add_image(project: Project, folder: Path, number: int, dataset: Dataset, *regions: Region, **check: Any) -> int:
    """One selected instance with its file, looked through; returns its row. ``series`` is 1 unless given."""
    series = check.pop("series", 1)
    instance_id = add_instance(project, number, series=series)
    path = folder / f"{series}-{number}.dcm"
    save(dataset, path)
    place = Locator(str(path)).to_text()
    project.store.execute("UPDATE files SET original_locator = ? WHERE id = ?", (place, instance_id))
    add_check(project, instance_id, *regions, **check)
    return instance_id
