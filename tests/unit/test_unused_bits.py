import io

import numpy as np
import pytest
from pydicom import uid as uids
from pydicom.dataset import Dataset

from app.dicom.frames import read_native
from app.dicom.reading import read_header
from tests.factory import set_pixels, to_bytes
from tests.real_data import iterate_real_files, needs_real_files
from tests.unit.deid_case import ct_image

TOKEN = b"ZZCANARYHIDDEN"


def image(cells: "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]", *, signed: bool = False) -> Dataset:
    dataset = ct_image()
    set_pixels(dataset, cells, bits_stored=12)
    dataset.PixelRepresentation = int(signed)
    return dataset


def values() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]":
    return np.random.default_rng(2).integers(0, 4096, (16, 16), dtype=np.uint16)


def released(dataset: Dataset, transfer_syntax_uid: str | None = None) -> bytes:
    file = io.BytesIO(to_bytes(dataset, transfer_syntax_uid))
    header = read_header(file)
    assert header.pixel is not None
    return b"".join(read_native(file, header, header.pixel))


def hide(cells: "np.ndarray[tuple[int, ...], np.dtype[np.uint16]]") -> None:
    nibbles = [half for byte in TOKEN for half in (byte >> 4, byte & 15)]
    cells.ravel()[: len(nibbles)] |= np.array(nibbles, np.uint16) << 12


@pytest.mark.parametrize("syntax", [uids.ExplicitVRLittleEndian, uids.DeflatedExplicitVRLittleEndian])
def test_writing_above_the_value_is_cleared_and_no_value_changes(syntax: str) -> None:
    cells = values()
    hide(cells)
    assert released(image(cells), syntax) == (cells & 0x0FFF).tobytes()


def test_pixels_without_writing_stay_as_they_are() -> None:
    cells = values()
    assert released(image(cells)) == cells.tobytes()


def test_the_sign_may_be_repeated() -> None:
    cells = (values().astype(np.int16) - 2048).view(np.uint16)
    assert released(image(cells, signed=True)) == cells.tobytes()
    cells[3, 3] = 0x7123
    expected = cells.copy()
    expected[3, 3] = 0x0123
    assert released(image(cells, signed=True)) == expected.tobytes()


def test_padding_may_fill_the_cell() -> None:
    cells = values()
    cells[0] = 0xF830
    cells[1, 1] = 0xF831
    dataset = image(cells)
    dataset.PixelPaddingValue = 0xF830
    expected = cells.copy()
    expected[1, 1] = 0x0831
    assert released(dataset) == expected.tobytes()


def test_a_value_in_the_middle_of_the_cell_is_left_alone() -> None:
    cells = values() * np.uint16(16)
    dataset = image(cells)
    dataset.HighBit = 15
    assert released(dataset) == cells.tobytes()


@needs_real_files
def test_real_pixels_hardly_ever_change() -> None:
    changed = []
    compared = 0
    for path in iterate_real_files():
        with path.open("rb") as file:
            try:
                header = read_header(file)
                if header.pixel is None or header.pixel.length is None or not header.encoding.little_endian:
                    continue
                content = b"".join(read_native(file, header, header.pixel))
            except Exception:  # noqa: BLE001 - damaged on purpose
                continue
            if header.inflated is None:
                file.seek(header.pixel.offset)
                if file.read(len(content) & ~1) != content[: len(content) & ~1]:
                    changed.append(path.name)
                compared += 1
    assert compared > 100
    assert len(changed) < 0.03 * compared, changed
