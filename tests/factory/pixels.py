"""Pixel matrices: drawing them, writing names into them, putting them into a dataset plain or compressed."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag


def set_pixels(dataset: Dataset, frames: NDArray[Any], *, bits_stored: int, photometric: str = "MONOCHROME2") -> None:
    """Put uncompressed frames into ``dataset``.

    ``frames`` is ([frames,] rows, columns[, 3 for RGB]), of uint8, uint16 or int16.
    """
    samples = 3 if photometric == "RGB" else 1
    spatial = frames.shape[:-1] if samples == 3 else frames.shape
    dataset.Rows, dataset.Columns = spatial[-2:]
    dataset.SamplesPerPixel = samples
    dataset.PhotometricInterpretation = photometric
    if samples == 3:
        dataset.PlanarConfiguration = 0
    if len(spatial) == 3:
        dataset.NumberOfFrames = spatial[0]
    bits_allocated = frames.dtype.itemsize * 8
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = bits_allocated, bits_stored, bits_stored - 1
    dataset.PixelRepresentation = int(frames.dtype.kind == "i")
    content = frames.astype(frames.dtype.newbyteorder("<")).tobytes()
    dataset.add_new(Tag(0x7FE0, 0x0010), "OB" if bits_allocated == 8 else "OW", content + b"\0" * (len(content) % 2))


def compress(dataset: Dataset, encode: Callable[[NDArray[Any]], bytes], transfer_syntax_uid: str) -> None:
    """Make one fragment of each frame with ``encode``; the caller mends the attributes."""
    samples = int(dataset.SamplesPerPixel)
    shape: tuple[int, ...] = (int(dataset.get("NumberOfFrames", 1)), int(dataset.Rows), int(dataset.Columns))
    shape += (3,) if samples == 3 else ()
    count = int(np.prod(shape))
    pixels = np.frombuffer(dataset.PixelData, np.uint8 if dataset.BitsAllocated == 8 else np.uint16, count).reshape(
        shape
    )
    dataset.PixelData = encapsulate([encode(frame) for frame in pixels])
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = uids.UID(transfer_syntax_uid)


def encode_jpeg(frame: NDArray[Any]) -> bytes:
    """A baseline JPEG of 8-bit grey or RGB; colour is stored as YCbCr 4:2:2."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=90, subsampling=1)
    return buffer.getvalue()


def encode_jpeg2000(frame: NDArray[Any]) -> bytes:
    """A reversible JPEG 2000 codestream (no JP2 boxes) of 8- or 16-bit grey."""
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG2000", no_jp2=True, irreversible=False)
    return buffer.getvalue()


def compress_jpeg(dataset: Dataset) -> None:
    """JPEG baseline, with the attributes that say so."""
    uncompressed_length = len(dataset.PixelData)
    colour = dataset.SamplesPerPixel == 3
    compress(dataset, encode_jpeg, uids.JPEGBaseline8Bit)
    if colour:
        dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = f"{uncompressed_length / len(dataset.PixelData):.2f}"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"


def burn_text(frame: NDArray[Any], lines: Sequence[str], *, at: tuple[int, int], value: int) -> NDArray[Any]:
    """A copy of ``frame`` (rows, columns[, 3]) with ``lines`` written into it, upper left corner ``at``."""
    rows, columns = frame.shape[:2]
    stencil = Image.new("L", (columns, rows))
    font = ImageFont.load_default(size=max(10, rows // 24))
    ImageDraw.Draw(stencil).multiline_text((at[1], at[0]), "\n".join(lines), fill=255, font=font)
    burned = frame.copy()
    burned[np.asarray(stencil) > 127] = value
    return burned


def draw_body(rows: int, columns: int, height: float, noise: np.random.Generator) -> NDArray[np.float64]:
    """A slice of a sort of chest: 0 is air, 1 water, 2 bone; ``height`` from 0 to 1 changes its shape."""
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    body = np.where((x / 0.8) ** 2 + (y / (0.5 + 0.15 * height)) ** 2 < 1, 1.0, 0.0)
    for centre in (-0.38, 0.38):
        body[((x - centre) / 0.24) ** 2 + (y / (0.25 + 0.12 * height)) ** 2 < 1] = 0.2
    body[(x / 0.09) ** 2 + ((y - 0.38) / 0.09) ** 2 < 1] = 1.9
    image: NDArray[np.float64] = body + noise.normal(0, 0.02, body.shape)
    return image
