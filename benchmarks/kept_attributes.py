"""Whether released files keep what the table of kept attributes promises: public and synthetic files, by object.

``python -m benchmarks.kept_attributes``: for each SOP class the files that are released, the values that the rules
promise to keep as they are, and how many are the same in the released file. Ends with 1 below 99 %.
"""

import argparse
import io
import sys
from collections import Counter
from collections.abc import Iterator

from pydicom.uid import UID

from app.deid.release import Releaser
from app.dicom.reading import SOP_CLASS_UID, read_header
from app.errors import FileError
from app.logs import quieten_libraries
from tests.factory import (
    cr_image,
    ct_series,
    dx_image,
    enhanced_mr,
    make_study,
    mr_series,
    pet_series,
    rt_dose,
    rt_structure_set,
    segmentation,
    to_bytes,
    us_cine,
)  # fmt: skip
from tests.kept_attributes import lost, promised
from tests.real_data import iterate_real_files
from tests.unit.deid_case import CLEAR, PATIENT, make_recipe

LEAST = 0.99


def synthetic_files() -> Iterator[bytes]:
    """A file of each kind that the factory makes."""
    study = make_study(3, description="Thorax")
    images = ct_series(study, slices=2, rows=32, columns=32)
    datasets = [
        images[0], mr_series(study, slices=1, rows=32, columns=32)[0], pet_series(study, slices=1, rows=32)[0],
        enhanced_mr(study), us_cine(study), cr_image(study), dx_image(study), segmentation(study, images),
        rt_structure_set(study, images), rt_dose(study),
    ]  # fmt: skip
    yield from map(to_bytes, datasets)


def real_files() -> Iterator[bytes]:
    """The public files, where they are."""
    for path in iterate_real_files():
        yield path.read_bytes()


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lost", type=int, default=15, help="how many of the attributes that were lost are named")
    arguments = parser.parse_args()
    quieten_libraries()
    files: Counter[str] = Counter()
    there: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    names: Counter[str] = Counter()
    for content in (*synthetic_files(), *real_files()):
        try:
            original = read_header(io.BytesIO(content))
            released = Releaser(make_recipe(), PATIENT).release(io.BytesIO(content), CLEAR)
        except FileError:
            continue
        sop_class = UID(original.text(SOP_CLASS_UID)).name
        missing = lost(original, read_header(io.BytesIO(released.head), whole_pixels=False))
        files[sop_class] += 1
        there[sop_class] += len(promised(original))
        gone[sop_class] += len(missing)
        names.update(missing)
    for sop_class, count in files.most_common():
        share = 1 - gone[sop_class] / max(1, there[sop_class])
        print(f"{sop_class}: {count} files, {there[sop_class]} values promised, {share:.2%} kept")
    print(f"lost most often: {', '.join(f'{name} {count}' for name, count in names.most_common(arguments.lost))}")
    share = 1 - gone.total() / there.total()
    print(f"{files.total()} files, {there.total()} values promised, {share:.2%} kept")
    return int(share < LEAST)


if __name__ == "__main__":
    sys.exit(main())
