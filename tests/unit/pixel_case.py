"""Noise images of every kind, and a masked image as a file of its own."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from app.dicom.reading import Header, read_header
from app.dicom.tokens import Element
from app.dicom.writing import encode_element, encode_file_head, encode_pixel_header, encode_sequence
from app.errors import FileError
from app.pixels.boxes import Box
from app.pixels.masking import mask_image
from app.pixels.reading import ImageReader, Stored
from tests import factory
from tests.real_data import iterate_real_files

ROWS, COLUMNS = 40, 48  # OpenJPEG refuses less
STUDY = factory.make_study(5)
KINDS = [
    ("MONOCHROME2", "u1", None),
    ("MONOCHROME1", "u1", None),
    ("MONOCHROME2", "u2", 12),
    ("MONOCHROME1", "u2", 10),
    ("MONOCHROME2", "i2", None),
    ("RGB", "u1", None),
    ("YBR_FULL", "u1", None),
    ("PALETTE COLOR", "u1", None),
]
MOST_CELLS = 2_000_000  # of a public image: larger ones only take longer
SC_SOP_CLASS_UID = "1.2.840.10008.5.1.4.1.1.7"


def encode(elements: Sequence[Element]) -> bytes:
    return b"".join(
        encode_element(one.tag, one.vr, one.value)
        if isinstance(one.value, bytes)
        else encode_sequence(one.tag, [encode(item) for item in one.value])
        for one in elements
    )


def masked_file(content: bytes, boxes: Sequence[Box]) -> tuple[Header, bytes]:
    """The masked image as a file of its own, the rest of its header as it was."""
    file = io.BytesIO(content)
    header = read_header(file)
    masked = mask_image(file, header, boxes)
    pixels = b"".join(masked.pixels)
    assert len(pixels) <= masked.size_limit
    pixel = masked.header.pixel
    assert pixel is not None
    length = None if pixel.length is None else pixel.length + (pixel.length & 1)
    sop_class_uid, sop_instance_uid = header.text(0x00080016) or SC_SOP_CLASS_UID, header.text(0x00080018) or "1.2.3"
    head = encode_file_head(sop_class_uid, sop_instance_uid, masked.header.transfer_syntax_uid)
    start = encode_pixel_header(pixel.tag, pixel.vr, length)
    return masked.header, head + encode(masked.header.elements) + start + pixels


def frames_of(content: bytes) -> list[Stored]:
    file = io.BytesIO(content)
    return list(ImageReader(file, read_header(file)).frames())


def image(photometric: str, dtype: str, *, stored: int | None = None, frames: int = 1, **more: Any) -> Dataset:
    """A noise image."""
    (dataset,) = factory.ct_series(STUDY, slices=1, rows=ROWS, columns=COLUMNS)
    samples = 3 if photometric[:3] in ("RGB", "YBR") else 1
    kind = np.dtype(dtype)
    bits = stored or kind.itemsize * 8
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if kind.kind == "i" else (0, (1 << bits) - 1)
    shape = (frames, ROWS, COLUMNS, samples) if samples == 3 else (frames, ROWS, COLUMNS)
    values = np.random.default_rng(3).integers(low, high, shape, endpoint=True).astype(kind)
    dataset.PhotometricInterpretation = photometric
    dataset.SamplesPerPixel = samples
    if samples == 3:
        dataset.PlanarConfiguration = 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = kind.itemsize * 8, bits, bits - 1
    dataset.PixelRepresentation = int(kind.kind == "i")
    if frames > 1:
        dataset.NumberOfFrames = frames
    dataset.PixelData = values.tobytes()
    dataset["PixelData"].VR = "OW" if kind.itemsize > 1 else "OB"
    if photometric == "PALETTE COLOR":
        for colour in ("Red", "Green", "Blue"):
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
            setattr(dataset, f"{colour}PaletteColorLookupTableData", (np.arange(256, dtype="<u2") * 257).tobytes())
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    return dataset


def real_images(of_each: int = 2) -> Iterator[tuple[str, bytes]]:
    """Some public images of each kind: transfer syntax, photometric interpretation, bits and sign."""
    counted: Counter[tuple[object, ...]] = Counter()
    for kind, path in _kinds_of_real_images():
        counted[kind] += 1
        if counted[kind] <= of_each:
            yield path.name, path.read_bytes()


@cache
def _kinds_of_real_images() -> list[tuple[tuple[object, ...], Path]]:
    kinds: list[tuple[tuple[object, ...], Path]] = []
    for path in iterate_real_files():
        with path.open("rb") as file:
            try:
                reader = ImageReader(file, read_header(file))
                one = reader.description
                if one.cells * one.frames <= MOST_CELLS:
                    reader.frame(0)
                    kind = one.transfer_syntax_uid, one.photometric, one.dtype, one.bits_stored, one.frames > 1
                    kinds.append((kind, path))
            except FileError:
                continue
    return kinds
