"""The corpus on disk: folders, file names, archives, and what a test must know about it."""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from tests.canaries.instances import make_base, make_instances, small_ct, whole_file
from tests.canaries.mint import Mint
from tests.factory import to_bytes

# What must come through the base instance unchanged.
TECHNICAL = (
    "Modality", "ImageType", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
    "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation", "PixelSpacing",
    "ImageOrientationPatient", "ImagePositionPatient", "SliceThickness", "SliceLocation", "PatientPosition",
    "RescaleIntercept", "RescaleSlope", "RescaleType", "WindowCenter", "WindowWidth", "KVP",
    "XRayTubeCurrent", "ExposureTime", "Exposure", "ConvolutionKernel", "ScanOptions",
    "DataCollectionDiameter", "ReconstructionDiameter", "GantryDetectorTilt", "TableHeight",
    "RotationDirection", "SpiralPitchFactor", "InstanceNumber", "SeriesNumber", "AcquisitionNumber",
    "BodyPartExamined", "SOPClassUID", "AnatomicRegionSequence.CodeValue",
    "AnatomicRegionSequence.CodingSchemeDesignator", "AnatomicRegionSequence.CodeMeaning", "PatientAge",
    "PatientSize", "PatientWeight",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CanarySet:
    """What ``write_canary_export`` wrote.

    Attributes
    ----------
    tokens
        Token, as ``find_tokens`` reports it, to the place that carries it. None may leave the source.
    times
        The same for the times of day: a shift by whole days keeps them, years alone do not.
    technical
        Path to text of what the base instance must still say when it is released.
    base_pixels_sha256
        Of the base instance's Pixel Data; the released instance with these pixels is the base one.
    """

    folder: Path
    tokens: Mapping[str, str]
    times: Mapping[str, str]
    technical: Mapping[str, str]
    base_pixels_sha256: str


def _zip(mint: Mint, place: str, members: Iterable[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = mint.text(f"{place}: comment").encode()
        for number, (name, content) in enumerate(members):
            info = zipfile.ZipInfo(name, (2021, 3, 1, 12, 0, 0))
            info.comment = mint.text(f"{place}: comment of member {number}").encode()
            extra = mint.text(f"{place}: extra field of member {number}").encode()
            info.extra = b"\xfe\xca" + len(extra).to_bytes(2, "little") + extra
            archive.writestr(info, content)
    return buffer.getvalue()


def _tar(mint: Mint, place: str, name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo(name)
        info.size, info.mtime = len(content), 1_614_600_000
        info.uname, info.gname = mint.text(f"{place}: owner"), mint.text(f"{place}: group")
        info.pax_headers = {"comment": mint.text(f"{place}: pax comment")}
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def value_text(dataset: Dataset, path: str) -> str | None:
    """The text of an attribute, in the first item of each sequence on the way; None where it is absent."""
    *sequences, keyword = path.split(".")
    for sequence in sequences:
        items = dataset.get(sequence)
        if not items:
            return None
        dataset = items[0]
    value = dataset.get(keyword)
    if value is None:
        return None
    return "\\".join(map(str, value)) if isinstance(value, list) or hasattr(value, "append") else str(value)


def write_canary_export(folder: Path) -> CanarySet:
    """Write the corpus, always the same, below ``folder``; folder and file names are tokens too."""
    mint = Mint()
    root = folder / mint.text("folder name") / f"{mint.text('folder name 2')} {mint.day('date in a folder name')}"
    root.mkdir(parents=True)

    base = make_base(mint, "base")
    technical = {path: value_text(base, path) for path in TECHNICAL}
    pixels = base.PixelData
    (root / mint.text("file name of base")).write_bytes(whole_file(mint, "base", base))
    for place, content in make_instances(mint):
        (root / f"{mint.text(f'file name of {place}')}.dcm").write_bytes(content)

    member = mint.text("name of an archive member")
    inner = _zip(mint, "inner zip", [(f"{member}/IM1", whole_file(mint, "zipped", small_ct(mint, "zipped")))])
    outer = _zip(mint, "outer zip", [(f"{mint.text('name of an inner archive')}.zip", inner)])
    (root / f"{mint.text('name of a zip')}.zip").write_bytes(outer)
    tarred = _tar(mint, "tar", mint.text("name of a tar member"), to_bytes(small_ct(mint, "tarred")))
    (root / f"{mint.text('name of a tar')}.tar").write_bytes(tarred)
    (root / "AUTORUN.INF").write_text(f"[autorun]\r\nlabel={mint.text('label of a CD')}\r\n", encoding="ascii")
    (root / f"{mint.text('name of a text file')}.txt").write_text(mint.text("text file"), encoding="utf-16")

    assert all(text is not None for text in technical.values())
    return CanarySet(
        folder=folder,
        tokens=mint.tokens,
        times=mint.times,
        technical={path: text for path, text in technical.items() if text is not None},
        base_pixels_sha256=hashlib.sha256(pixels).hexdigest(),
    )
