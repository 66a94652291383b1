"""Whatever is done to a finished bundle, both readers say so; five hundred times in ``benchmarks/tampering.py``."""

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from app.bundle.verify import verify_bundle
from app.files.resources import resource_path
from tests.hostile.tampering import TAMPERINGS, tamper_with
from tests.unit.bundle_project import make_project, run_export


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    run_export(make_project(folder / "site", {1: 3, 2: 3, 3: 9}), folder / "out")
    assert verify_bundle([folder / "out"]).findings == ()
    return folder / "out"


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_noticed_by_both_readers(sound: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(sound, tmp_path / "out"))
    tamper_with(name, Random(f"{name} 1"), copy)
    assert verify_bundle([copy]).findings
    script = [sys.executable, "-I", "-S", str(resource_path("templates/verify.py")), str(copy)]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stdout + done.stderr
