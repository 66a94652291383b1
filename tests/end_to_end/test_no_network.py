"""Nothing opens a socket: scan, select, detect, prepare, export and verify, with the protocol that ships."""

import os
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

from packaging.requirements import Requirement
from tests.factory import ct_series, make_study, save

ROOT = Path(__file__).resolve().parents[2]
# Sockets of processes of one machine: Python's workers talk to their parent over them.
_LOCAL = re.compile(r"\b(socket|socketpair|connect|bind)\((AF_UNIX|\d+, \{sa_family=AF_UNIX)")
_CALL = re.compile(r"\b(socket|socketpair|connect|bind|listen|accept4?)\(")


def without_network() -> list[str]:
    """What starts a command in a network of its own that has no interfaces; skips where that is not allowed."""
    command = ["unshare", "--net", "--map-root-user"]
    if sys.platform != "linux" or not shutil.which("unshare"):
        pytest.skip("network namespaces are of Linux, and unshare is missing")
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system allows no network namespace")
    return command


def traced(log: Path) -> list[str]:
    """What writes down each call to the network that a command and its workers make; skips without strace."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    command = ["strace", "-f", "-qq", "-e", "trace=network", "-o", str(log)]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system allows no strace")
    return command


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source")
    for number, dataset in enumerate(ct_series(make_study(1), slices=2, rows=64, columns=64)):
        save(dataset, folder / f"IM{number}")
    return folder


def environment(folder: Path) -> dict[str, str]:
    """As in an installation without the test extras: one of those brings ``requests``.

    pydicom imports that where it is there, for samples that it could download, and it asks for a socket at import.
    """
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['requests'] = None\n", encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_no_socket_is_opened_and_no_network_is_needed(source: Path, tmp_path: Path) -> None:
    log, project, out = tmp_path / "calls", tmp_path / "project", tmp_path / "out"
    program = [*without_network(), *traced(log), sys.executable, "-m", "app"]
    calls = ""
    for arguments in (
        ["run", source, "--project", project, "--out", out, "--site", "SITEA", "--unattended", "--workers", "1"],
        ["verify", out],
    ):
        command = [*program, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment(tmp_path))
        assert done.returncode == 0, done.stdout + done.stderr
        calls += log.read_text(errors="replace")
    assert "Verified. Parts: 1, instances: 2." in done.stdout
    assert [line for line in calls.splitlines() if _CALL.search(line) and not _LOCAL.search(line)] == []


def test_what_is_shipped_has_no_library_for_the_web() -> None:
    """Of the libraries that others need, too; extras and other systems apart."""
    waiting, seen = ["consign"], set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        with suppress(PackageNotFoundError):
            wanted = [Requirement(one) for one in requires(name) or ()]
            waiting += [one.name.lower() for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    assert {"pydicom", "onnxruntime", "numpy"} <= seen
    assert seen.isdisjoint({"requests", "urllib3", "httpx", "aiohttp", "pooch", "boto3"})


def test_the_trace_would_show_a_socket(tmp_path: Path) -> None:
    log = tmp_path / "calls"
    code = "import socket; socket.socket(); socket.socketpair()"
    subprocess.run([*traced(log), sys.executable, "-c", code], check=True)
    calls = [line for line in log.read_text(errors="replace").splitlines() if _CALL.search(line)]
    assert len(calls) == 2
    assert len([line for line in calls if not _LOCAL.search(line)]) == 1
