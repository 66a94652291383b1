"""The checks of series on a site with planted faults: each is named by the right check, and nothing else is said."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from app.catalog.step import scan
from app.checks.step import check
from app.jobs.executors import SerialExecutor
from app.project.folder import Project, create_project
from app.project.series_findings import CheckedSeries, load_checked_series
from tests.factory.site import (
    UNIFORM_FAULTS,
    UNIFORM_PROTOCOL,
    VARIED,
    VARIED_FAULTS,
    VARIED_PROTOCOL,
    Fault,
    Kind,
    PlantedSeries,
    venous_liver,
    write_site,
)

# A fault that is two at once by its nature: a screen capture is derived; the scout beside slices gives two directions.
ALSO = {
    "screen capture": {"derived"},
    "pixels shorter than the header says": {"mixed-matrix"},
    "file cut short": set[str](),
}


def check_site(
    root: Path, protocol: str, clean: Sequence[Kind], faults: Sequence[Fault]
) -> tuple[list[PlantedSeries], dict[str, CheckedSeries]]:
    planted = write_site(root / "site", 7, clean, faults)
    file = root / "protocol.toml"
    file.write_text(protocol, encoding="utf-8")
    create_project(root / "project", "SITE", file)
    with Project(root / "project") as project:
        list(scan(project, [root / "site"], SerialExecutor()))
        list(check(project))
        uids = {row[0]: row[1] for row in project.store.execute("SELECT id, original_series_uid FROM series")}
        return planted, {uids[one.series_id]: one for one in load_checked_series(project.store).values()}


@pytest.mark.parametrize(
    ("protocol", "clean", "faults"),
    [(VARIED_PROTOCOL, VARIED * 2, VARIED_FAULTS), (UNIFORM_PROTOCOL, [venous_liver] * 30, UNIFORM_FAULTS)],
    ids=["varied", "uniform"],
)
def test_each_fault_is_named_by_its_check_and_nothing_else_is_said(
    tmp_path: Path, protocol: str, clean: Sequence[Kind], faults: Sequence[Fault]
) -> None:
    planted, checked = check_site(tmp_path, protocol, clean, faults)

    named = {one.fault: {finding.check.value for finding in checked[one.series_uid].findings} for one in planted}
    assert named == {one.fault: {one.check.value} | ALSO.get(one.fault, set()) for one in planted}
    faulty = {one.series_uid for one in planted}
    alarms = {uid: [finding.code for finding in one.findings] for uid, one in checked.items() if uid not in faulty}
    assert {uid: codes for uid, codes in alarms.items() if codes} == {}
    assert len(alarms) >= len(clean)
