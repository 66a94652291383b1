"""Files changed at random leave with nothing that should stay, or have a reason why they don't."""

import io
from functools import cache
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.bundle.verify import verify_bundle
from app.deid.release import Releaser
from app.errors import FileError
from tests.canaries import find_tokens
from tests.hostile.fuzzing import (
    KINDS_OF_FILES,
    TOKEN,
    Change,
    Kind,
    base_files,
    base_tokens,
    changed,
    fuzzed,
    random_changes,
)
from tests.hostile.run import run_watched
from tests.unit.deid_case import CLEAR, PATIENT, make_recipe

CHANGES = st.builds(
    Change,
    kind=st.sampled_from(Kind),
    at=st.integers(0, 1 << 20),
    much=st.integers(0, 1 << 20),
    value=st.binary(max_size=12) | st.just(TOKEN),
)


@cache
def releaser() -> Releaser:
    return Releaser(make_recipe(), PATIENT)


def test_fuzz_reaches_every_kind_of_change_and_of_file() -> None:
    random = Random(1)
    assert {change.kind for _ in range(300) for change in random_changes(random)} == set(Kind)
    assert len(set(map(fuzzed, range(60)))) == 60


@pytest.mark.filterwarnings("ignore")
@given(st.integers(0, KINDS_OF_FILES - 1), st.lists(CHANGES, min_size=1, max_size=5))
@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
def test_changed_file_leaves_clean_or_has_a_reason(number: int, changes: list[Change]) -> None:
    with io.BytesIO(changed(base_files()[number], changes)) as file:
        try:
            released = releaser().release(file, CLEAR)
            pixels = b"".join(released.pixels)
        except FileError:
            return
    assert find_tokens(released.head + pixels, base_tokens()) == []


def test_fuzzed_files_do_not_stop_the_job_and_do_not_leak(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("fuzzed")
    for seed in range(150):
        (folder / f"{seed}").mkdir()
        (folder / f"{seed}" / "IM1").write_bytes(fuzzed(seed))
    run = run_watched(folder, tmp_path_factory.mktemp("run"))
    assert run.code == 0, run.said.decode()
    assert len(run.outcomes) == 150
    assert not any("worker" in outcome for outcome in run.outcomes.values())
    leaks = {name: found for name, content in run.leavings() if (found := find_tokens(content, base_tokens()))}
    assert leaks == {}
    assert verify_bundle([run.out]).findings == ()
