"""What is packed: the wheel carries the resources, and finds them; the lists of what an installer carries are whole."""

import os
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import onnxruntime
import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTS = ROOT / "packaging" / "requirements"
PLACE = "import sys; from app.files.resources import resource_path; print(resource_path(sys.argv[1]).resolve())"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


def _place(of: str, folder: Path) -> Path:
    """Where the package in ``folder`` finds a resource."""
    told = subprocess.run(
        [sys.executable, "-c", PLACE, of],
        env={**os.environ, "PYTHONPATH": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(told.stdout.strip())


def test_wheel_carries_every_file_that_git_keeps_of_app_and_resources(wheel: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "app", "resources"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("no git checkout")
    kept = {name for name in listed.stdout.split("\0") if name and ROOT.joinpath(name).is_file()}
    assert "resources/standard/allow_list.csv" in kept
    wanted = {re.sub("^resources/", "app/resources/", name) for name in kept}
    assert wanted <= set(zipfile.ZipFile(wheel).namelist())


def test_resources_are_found_in_a_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path)
    found = _place("defaults/protocol.toml", tmp_path)
    assert found == tmp_path.resolve() / "app" / "resources" / "defaults" / "protocol.toml"
    assert found.read_bytes() == ROOT.joinpath("resources", "defaults", "protocol.toml").read_bytes()


def test_resources_are_found_in_a_checkout() -> None:
    assert _place("defaults/protocol.toml", ROOT) == ROOT / "resources" / "defaults" / "protocol.toml"


@pytest.mark.parametrize("platform", ["linux", "windows"])
def test_installer_carries_each_dependency_by_hash(platform: str) -> None:
    lines = LISTS.joinpath(f"{platform}.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.split("==")[0] for line in lines if re.fullmatch(r"\S+==\S+ --hash=sha256:[0-9a-f]{64}", line)}
    assert len(pinned) == len([line for line in lines if not line.startswith("#")])
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {re.split("[<>=!~ ]", one)[0].lower() for one in project["dependencies"]}
    assert wanted <= pinned, f"run packaging/lock.py {platform}"


def test_lists_that_are_installed_together_agree() -> None:
    texts = [LISTS.joinpath(name).read_text(encoding="utf-8") for name in ("linux.txt", "tools.txt")]
    parts, tools = (dict(re.findall(r"(?m)^(\S+)==(\S+)", text)) for text in texts)
    shared = parts.keys() & tools.keys()
    assert shared
    assert {name: parts[name] for name in shared} == {name: tools[name] for name in shared}, "run packaging/lock.py"


def test_what_reads_the_images_has_no_uploader_in_it() -> None:
    folder = Path(onnxruntime.__file__).parent
    compiled = [path for kind in ("*.so*", "*.pyd", "*.dll", "*.dylib") for path in folder.rglob(kind)]
    assert compiled
    assert not [path.name for path in compiled if b"events.data.microsoft.com" in path.read_bytes()]
