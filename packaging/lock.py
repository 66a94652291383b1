"""Writes what a frozen program is made of, and what freezes it, by version and hash: ``lock.py linux|windows|tools``.

The lists are committed, so that a release can be built again from the same files. OpenCV is taken without its windows
(the headless wheel is the same code): the other one brings a second Qt and FFmpeg, of 100 MB.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LISTS = ROOT / "packaging" / "requirements"
PLATFORMS = {
    "linux": ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64", "--platform", "manylinux2014_x86_64"),
    "windows": ("--python-version", "3.11", "--platform", "win_amd64"),
}
# Published as source alone; pure Python.
SOURCES = ("bagit",)
SWAPPED = {"opencv-python": "opencv-python-headless"}
# Of what rapidocr-onnxruntime asks for, Consign uses its models alone; python-dateutil, six: of pandas.
UNUSED = {"pyclipper", "shapely", "pyyaml", "tqdm", "tessdata"}
TOOLS = ("pyinstaller>=6.22,<7", "cyclonedx-bom>=7,<8")
HEADER = "# Written by packaging/lock.py; versions and hashes of what the installers carry.\n"


def resolve(*arguments: str) -> list[dict[str, str]]:
    """What pip would install: name, version, SHA-256 of the file."""
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", "-")
    report = json.loads(subprocess.run([*command, *arguments], check=True, stdout=subprocess.PIPE).stdout)
    return [
        {
            "name": one["metadata"]["name"].lower().replace("_", "-"),
            "version": one["metadata"]["version"],
            "sha256": one["download_info"]["archive_info"]["hashes"]["sha256"],
        }
        for one in report["install"]
    ]


def parts_of(platform: str) -> list[dict[str, str]]:
    """The packages that pyproject.toml names, and what stands in for one of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wheels = [one for one in project["dependencies"] if not one.startswith(SOURCES)]
    sources = [one for one in project["dependencies"] if one.startswith(SOURCES)]
    only = ("--only-binary", ":all:", "--target", str(ROOT / "build" / "nowhere"), *PLATFORMS[platform])
    found = resolve(*only, *wheels) + resolve("--no-deps", *sources)
    swaps = [f"{SWAPPED[one['name']]}=={one['version']}" for one in found if one["name"] in SWAPPED]
    found += resolve(*only, "--no-deps", *swaps)
    return [one for one in found if one["name"] not in SWAPPED and one["name"] not in UNUSED]


def main(name: str) -> None:
    """Write one list."""
    parts = resolve(*TOOLS) if name == "tools" else parts_of(name)
    lines = [f"{one['name']}=={one['version']} --hash=sha256:{one['sha256']}\n" for one in parts]
    LISTS.joinpath(f"{name}.txt").write_text(HEADER + "".join(sorted(lines)), encoding="utf-8")
    print(f"{len(lines)} packages in {name}.txt")


if __name__ == "__main__":
    main(sys.argv[1])
