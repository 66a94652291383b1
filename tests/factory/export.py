"""Files: one dataset, or a whole folder as a PACS or a patient CD would have it."""

import io
import shutil
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet
from pydicom.filewriter import dcmwrite

from tests.factory.derived import (
    encapsulated_pdf,
    key_objects,
    rt_dose,
    rt_structure_set,
    segmentation,
    structured_report,
)
from tests.factory.enhanced import enhanced_mr
from tests.factory.identities import Identity, Study, make_study, random_uid
from tests.factory.images import cr_image, ct_series, dose_page, dx_image, mr_series, pet_series, us_cine


def to_bytes(dataset: Dataset, transfer_syntax_uid: str | None = None) -> bytes:
    """The Part 10 file of ``dataset``, uncompressed in another transfer syntax where one is given."""
    if transfer_syntax_uid is not None:
        dataset.file_meta.TransferSyntaxUID = uids.UID(transfer_syntax_uid)
    buffer = io.BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def save(dataset: Dataset, path: Path) -> Path:
    """Write ``dataset`` to ``path``, making its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(to_bytes(dataset))
    return path


def zip_bytes(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    """A stored zip archive with fixed dates, so that the same members give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.comment = comment
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2023, 5, 4, 12, 0, 0)), content)
    return buffer.getvalue()


@dataclass(frozen=True, slots=True)
class PacsExport:
    """What ``write_pacs_export`` wrote; nothing of ``identities`` may come out at the other end."""

    folder: Path
    identities: tuple[Identity, ...]
    instances: int  # distinct, whole ones, members of archives included
    duplicates: int
    damaged: int
    not_dicom: int  # DICOMDIR and archives apart


AUTORUN = b"[autorun]\r\nopen=VIEWER\\START.EXE\r\nlabel=Patient CD\r\n"


def write_pacs_export(
    folder: Path, seed: int, *, patients: int = 4, slices: int = 8, size: int = 512, canaries: bool = False
) -> PacsExport:
    """Write a folder as a PACS would export it: extensionless names, a DICOMDIR, a viewer's junk, damage.

    The patients have, in turn, a chest CT (with SEG, RT, documents and a dose page), an MR, ultrasound loops
    with a PET, and radiographs; ``size`` is the CT's rows and columns. One older MR lies in a zip inside a
    zip, one file is there twice, one is cut.
    """
    folder.mkdir(parents=True, exist_ok=True)
    studies = [make_study(seed * 1000 + index, canaries=canaries, description="Visit") for index in range(patients)]
    kinds = (_chest_ct, _body_mr, _echo, _chest_radiograph)
    datasets = [dataset for index, study in enumerate(studies) for dataset in kinds[index % 4](study, slices, size)]
    _write_file_set(folder, datasets, random_uid(Random(seed)))

    files = sorted(path for path in (folder / "PT000000").rglob("*") if path.is_file())
    (folder / "EXTRA").mkdir()
    shutil.copyfile(files[0], folder / "EXTRA" / "COPY")
    (folder / "EXTRA" / "CUT").write_bytes(files[-1].read_bytes()[:-1000])

    earlier = make_study(
        seed * 1000 + 999, canaries=canaries, description="Earlier visit", identity=studies[0].identity
    )
    older = mr_series(earlier, slices=3, rows=64, columns=64)
    inner = zip_bytes({f"{earlier.day}/IM{index}": to_bytes(dataset) for index, dataset in enumerate(older)})
    (folder / "EXTRA" / "OLDER.ZIP").write_bytes(zip_bytes({"README.TXT": b"Earlier visits\n", "VISIT.ZIP": inner}))

    junk = {
        "AUTORUN.INF": AUTORUN,
        "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504),
        "VIEWER/START.EXE": b"MZ" + bytes(510),
        "VIEWER/HELP.HTM": b"<html><body>Viewer</body></html>\n",
    }
    for name, content in junk.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return PacsExport(
        folder,
        tuple(study.identity for study in studies),
        instances=len(datasets) + len(older),
        duplicates=1,
        damaged=1,
        not_dicom=len(junk) + 1,
    )


def _write_file_set(folder: Path, datasets: Sequence[Dataset], file_set_uid: str) -> None:
    file_set = FileSet()
    file_set.UID = uids.UID(file_set_uid)
    for dataset in datasets:
        file_set.add(dataset)
    file_set.write(folder)
    # pydicom leaves its staging folder to the garbage collector, which warns, and warnings are errors here.
    file_set._stage["t"].cleanup()


def _chest_ct(study: Study, slices: int, size: int) -> list[Dataset]:
    thin = ct_series(study, slices=slices, rows=size, columns=size)
    thick = ct_series(
        study,
        slices=max(2, slices // 4),
        rows=size,
        columns=size,
        thickness_mm=5.0,
        number=3,
        description="Thorax thick",
    )
    extras = [
        segmentation(study, thick),
        rt_structure_set(study, thick),
        rt_dose(study),
        dose_page(study),
        structured_report(study, thin),
        key_objects(study, thin),
        encapsulated_pdf(study),
    ]
    return [*thin, *thick, *extras]


def _body_mr(study: Study, slices: int, size: int) -> list[Dataset]:
    return [*mr_series(study, slices=slices), enhanced_mr(study)]


def _echo(study: Study, slices: int, size: int) -> list[Dataset]:
    return [us_cine(study, jpeg=True), us_cine(study, frames=2, number=6), *pet_series(study)]


def _chest_radiograph(study: Study, slices: int, size: int) -> list[Dataset]:
    return [cr_image(study), dx_image(study)]
