"""A bad file is set aside with its reason or comes out clean; it stops nothing, and nothing of it leaks."""

import sys
from pathlib import Path

import pytest

from app.bundle.verify import verify_bundle
from tests.canaries import find_tokens
from tests.canaries.mint import Mint
from tests.hostile.corpus import BAD_ARCHIVES, BAD_FILES, EXPECTED, HEAVY, write_bad_files
from tests.hostile.run import Run, run_watched

NAMES = [make.__name__ for make in EXPECTED if make not in HEAVY]


@pytest.fixture(scope="module")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="module")
def expected(mint: Mint, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("bad files")
    return folder, write_bad_files(folder, mint, heavy=False)


@pytest.fixture(scope="module")
def run(expected: tuple[Path, dict[str, str]], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_watched(expected[0], tmp_path_factory.mktemp("run"))


def test_no_maker_is_listed_twice() -> None:
    assert len(EXPECTED) == sum(len(makers) for table in (BAD_FILES, BAD_ARCHIVES) for makers in table.values())


def test_bad_files_do_not_stop_the_job(run: Run) -> None:
    assert run.code == 0, run.said.decode()
    assert b"Traceback" not in run.said


@pytest.mark.parametrize("name", NAMES)
def test_bad_file_is_set_aside_or_comes_out_clean(run: Run, expected: tuple[Path, dict[str, str]], name: str) -> None:
    assert run.outcomes[name] == expected[1][name]


def test_pipes_devices_and_links_are_not_opened(run: Run, expected: tuple[Path, dict[str, str]]) -> None:
    special = {name: outcome for name, outcome in expected[1].items() if name.startswith("special/")}
    if not special:
        pytest.skip("this system has no pipes and links that a program can make")
    assert {name: outcome for name, outcome in run.outcomes.items() if name.startswith("special/")} == special


def test_nothing_of_a_bad_file_leaves(run: Run, expected: tuple[Path, dict[str, str]], mint: Mint) -> None:
    planted = b"".join(path.read_bytes() for path in expected[0].glob("*/IM1") if path.stat().st_size < 100_000)
    assert len(find_tokens(planted, mint.tokens)) > 1000  # the search finds them where they are
    leaks = {name: found for name, content in run.leavings() if (found := find_tokens(content, mint.tokens))}
    assert leaks == {}


def test_what_comes_out_of_bad_files_is_sound(run: Run) -> None:
    report = verify_bundle([run.out])
    assert report.findings == ()
    whole = sum(outcome.count("prepared") for outcome in run.outcomes.values())
    assert sum(part.instances for part in report.parts) == whole


@pytest.mark.skipif(sys.platform != "linux", reason="other systems count shared pages otherwise")
def test_bad_files_do_not_fill_the_memory(run: Run) -> None:
    assert run.program_bytes < 300_000_000
    assert run.worker_bytes < 1_000_000_000
