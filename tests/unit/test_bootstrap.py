"""A first set-up that cannot be finished says what is missing, all of it at once, and leaves nothing behind."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("bash", "dirname", "id", "sed", "touch", "cat")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the set-up of a checkout is for Linux")


def _python(folder: Path, body: str) -> None:
    path = folder / "python3.11"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def _set_up(folder: Path) -> subprocess.CompletedProcess[str]:
    """bootstrap.sh on a machine that has what lies in ``folder``, and no way to install more."""
    for program in PROGRAMS:
        found = shutil.which(program)
        assert found is not None
        (folder / program).symlink_to(found)
    return subprocess.run(
        [folder / "bash", ROOT / "packaging" / "bootstrap.sh", folder / "venv"],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_set_up_without_a_fitting_python_names_those_that_fit(tmp_path: Path) -> None:
    _python(tmp_path, "exit 1")
    told = _set_up(tmp_path)
    assert told.returncode == 1
    assert told.stderr.strip() == "Consign cannot be set up: it needs Python 3.11 or 3.12 (python3 of Debian 12)."


def test_set_up_names_every_missing_package_in_one_command(tmp_path: Path) -> None:
    _python(tmp_path, f'[ "$1" = -c ] || exec "{sys.executable}" -I -c "{_BARE}"')
    told = _set_up(tmp_path)
    (command,) = [line.split() for line in told.stderr.splitlines() if "apt-get install" in line]
    assert told.returncode == 1
    assert {f"python3.{sys.version_info[1]}-venv", "libgl1", "libegl1", "libxcb-cursor0"} <= set(command)
    assert "dicom3tools dcmtk libgdcm-tools strace" in told.stderr
    assert "Traceback" not in told.stderr
    assert not (tmp_path / "venv").exists()


# Runs the script on standard input where no library is found, as a Debian without them does.
_BARE = """
import ctypes, importlib.util, sys
def missing(name):
    raise OSError(name)
ctypes.CDLL = missing
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == 'ensurepip' else found(name)
exec(sys.stdin.read())
"""
