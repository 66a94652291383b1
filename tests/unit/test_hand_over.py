from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.errors import ReleaseBlockedError, UsageError
from app.events import Finished
from app.jobs.executors import SerialExecutor
from app.pipeline.dataset import approve
from app.pipeline.hand_over import estimate, hand_over, verify_again
from app.pipeline.overview import CheckItem, Standing, load_overview
from app.pipeline.run import run_all
from app.project.decisions import load_decisions, save_decisions
from app.project.folder import Project, create_project
from app.review.deciding import Choice, decide_rows
from app.review.dump import build_dump
from tests.factory import ct_series, make_study, save

QUICK_PROTOCOL = Path(__file__).parents[1] / "quick.toml"
EXECUTOR = SerialExecutor()


def clock() -> datetime:
    return datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one CT series, prepared, with every suspicious value dropped."""
    base = tmp_path_factory.mktemp("hand-over")
    for number, dataset in enumerate(ct_series(make_study(11), slices=4, rows=32, columns=32)):
        save(dataset, base / "in" / f"IM{number}")
    create_project(base / "project", "SITE", QUICK_PROTOCOL)
    with Project(base / "project") as project:
        list(run_all(project, [base / "in"], None, EXECUTOR))
        suspicious = [row for row in build_dump(project) if row.is_suspicious]
        save_decisions(project.layout, decide_rows(load_decisions(project.layout), suspicious, Choice.DROP))
    return base


def test_export_waits_for_the_signature_then_is_verified_for_everyone_to_see(folder: Path) -> None:
    with Project(folder / "project") as project:
        out = folder / "out"
        with pytest.raises(UsageError) as caught:
            list(verify_again(project, clock))
        assert caught.value.code == "nothing-exported"
        with pytest.raises(ReleaseBlockedError):
            list(hand_over(project, out, EXECUTOR, clock))
        assert load_overview(project).exported is None

        rows = build_dump(project)
        approve(project, rows, "Ann", "site champion", clock())
        with project.reader() as reader:
            expected = estimate(reader, out, rows)
        assert not out.exists()
        events = list(hand_over(project, out, EXECUTOR, clock))
        overview = load_overview(project)
        assert overview.exported is not None
        assert overview.exported.folder == out.resolve()
        assert (overview.exported.when, overview.exported.unattended) == ("2026-01-31T12:00:00Z", False)
        assert overview.check(CheckItem.EXPORT).standing is Standing.DONE
        assert overview.check(CheckItem.VERIFICATION).standing is Standing.DONE
        assert overview.verified is not None
        assert (overview.verified.instances, overview.verified.findings) == (4, ())
        assert isinstance(events[-1], Finished)
        written = sum(path.stat().st_size for path in out.glob("*.zip"))
        assert (expected.parts, expected.instances, expected.fits) == (len(overview.parts), 4, True)
        assert written <= expected.size

        part = out / overview.parts[0].name
        content = bytearray(part.read_bytes())
        content[len(content) // 2] ^= 1
        part.write_bytes(content)
        list(verify_again(project, clock))
        overview = load_overview(project)
        assert overview.check(CheckItem.VERIFICATION).standing in (Standing.TO_DO, Standing.STALE)
        assert overview.verified is not None
        assert {finding[0] for finding in overview.verified.findings} & {"zip-checksum", "file-altered"}


def test_estimate_tells_when_the_disk_is_too_small(folder: Path) -> None:
    with Project(folder / "project") as project:
        from dataclasses import replace

        found = estimate(project, folder / "nowhere" / "yet", build_dump(project))
        assert found.free is not None
        assert not replace(found, free=found.size).fits
