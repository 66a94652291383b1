"""The checks of series on a site of 300 studies with planted faults, and their speed on 100,000 images.

Run by hand: ``OMP_NUM_THREADS=1 python -m benchmarks.site_checks``. Prints the table of faults, what was said of the
clean series, and the processor time of the check alone.
"""

import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from app.catalog.step import scan
from app.checks.step import check
from app.jobs.executors import SerialExecutor
from app.project.folder import Project, create_project
from app.project.series_findings import load_checked_series
from app.text.check_words import finding_sentence
from tests.factory.site import (
    UNIFORM_FAULTS,
    UNIFORM_PROTOCOL,
    VARIED,
    VARIED_FAULTS,
    VARIED_PROTOCOL,
    Fault,
    Kind,
    venous_liver,
    write_site,
)

STUDIES = 150  # of each half
SERIES, SLICES = 500, 200


def main() -> None:
    varied = list(itertools.islice(itertools.cycle(VARIED), STUDIES - len(VARIED_FAULTS)))
    uniform: list[Kind] = [venous_liver] * (STUDIES - len(UNIFORM_FAULTS))
    _site("varied", VARIED_PROTOCOL, varied, VARIED_FAULTS)
    _site("uniform", UNIFORM_PROTOCOL, uniform, UNIFORM_FAULTS)
    _speed()


def _site(name: str, protocol: str, clean: Sequence[Kind], faults: Sequence[Fault]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        planted = write_site(root / "site", 11, clean, faults)
        with _project(root, protocol) as project:
            list(scan(project, [root / "site"], SerialExecutor()))
            list(check(project))
            uids = {row[0]: row[1] for row in project.store.execute("SELECT id, original_series_uid FROM series")}
            checked = {uids[one.series_id]: one for one in load_checked_series(project.store).values()}
    print(f"{name}: {len(clean) + len(faults)} studies, {len(checked)} series, {len(faults)} faults")
    for one in planted:
        said = checked[one.series_uid].findings
        found = "found" if one.check in {finding.check for finding in said} else "NOT FOUND"
        print(f"  {found}  {one.check:<18} {one.fault}: {' '.join(finding_sentence(finding) for finding in said)}")
    faulty = {one.series_uid for one in planted}
    alarms = [
        finding_sentence(finding) for uid, one in checked.items() if uid not in faulty for finding in one.findings
    ]
    print(f"  false alarms on {len(checked) - len(faulty)} clean series: {len(alarms)} {alarms[:5]}")


def _speed() -> None:
    with tempfile.TemporaryDirectory() as folder, _project(Path(folder), VARIED_PROTOCOL) as project:
        _fill(project)
        began, wall = time.process_time(), time.perf_counter()
        list(check(project))
        print(
            f"{SERIES * SLICES} images in {SERIES} series: checked in {time.process_time() - began:.2f} s of "
            f"processor time ({time.perf_counter() - wall:.2f} s)"
        )


def _fill(project: Project) -> None:
    """A catalogue as a scan writes it, of CT series with a slice missing in each."""
    store = project.store
    attributes = {
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SeriesDescription": "Thorax 1.0 Br40",
        "StudyDescription": "CT Thorax",
        "SliceAxes": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "Orientation": "axial",
        "Rows": 512,
        "Columns": 512,
        "SliceThickness": 1.0,
    }
    with store.transaction():
        store.execute("INSERT INTO runs VALUES (1, 'scan', '', NULL, NULL)")
        store.execute("INSERT INTO sources VALUES (1, 'folder', '[\"x\"]')")
        store.execute("INSERT INTO patients VALUES (1, 'p')")
        for series in range(1, SERIES + 1):
            store.execute(
                "INSERT INTO attribute_sets VALUES (?, ?, ?)",
                (series, str(series), json.dumps({**attributes, "SeriesNumber": series})),
            )
            store.execute("INSERT INTO series VALUES (?, 1, '1', ?, NULL)", (series, f"1.{series}"))
        numbers = [(series, place) for series in range(1, SERIES + 1) for place in range(SLICES)]
        store.executemany(
            "INSERT INTO files (id, source_id, original_locator, size, mtime_ns, verdict, seen_run) "
            "VALUES (?, 1, ?, 1, 1, 'instance', 1)",
            ((series * SLICES + place, f"{series}/{place}") for series, place in numbers),
        )
        store.executemany(
            "INSERT INTO instances (file_id, series_id, attribute_set_id, original_sop_instance_uid, sop_class_uid, "
            "transfer_syntax_uid, instance_number, slice_position_mm, volume_key, acquired_s) "
            "VALUES (?, ?, ?, ?, '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', ?, ?, '', ?)",
            (
                (
                    series * SLICES + place,
                    series,
                    series,
                    f"1.{series}.{place}",
                    place + 1,
                    float(place + (place > 100)),
                    36000 + 0.1 * place,
                )
                for series, place in numbers
            ),
        )


def _project(root: Path, protocol: str) -> Project:
    file = root / "protocol.toml"
    file.write_text(protocol, encoding="utf-8")
    create_project(root / "project", "SITE", file)
    return Project(root / "project")


if __name__ == "__main__":
    main()
