"""Runs Consign, dicom-anonymizer, dicognito, pydicom, and ``cp`` with ``openssl``, on the same instances and one core.

For each: CPU seconds (user and system, all child processes) for 1,000 instances, as the median of repetitions
that are interleaved, so that a slow minute of the machine hits everybody; and the highest resident memory.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

COMPETITORS = ("dicom-anonymizer==2.1.0", "dicognito==0.19.0")
DEFAULT_VENV = Path(__file__).parent / ".venv-compare"
EXPORT, SCAN, RIVAL, READER, FLOOR = (
    "consign export",
    "consign scan",
    "dicom-anonymizer",
    "pydicom dcmread",
    "cp -r + openssl",
)
# What is asked of each kind: one tool's CPU seconds over another's, and the most that it may be.
BARS = {
    "large": ((EXPORT, RIVAL, 0.17), (EXPORT, FLOOR, 1.5), (SCAN, READER, 0.2)),
    "small": ((EXPORT, RIVAL, 0.05), (SCAN, READER, 0.2)),
}
# macOS counts bytes, Linux kibibytes.
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one run of one tool took."""

    tool: str
    cpu_s: float
    peak_bytes: int


# Every tool starts from its compiled modules, as it does where it was installed.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def measure(tool: str, command: Sequence[str | Path]) -> Measurement:
    """Run ``command``; ends the program where that fails, for failing is quick and would look good."""
    process = subprocess.Popen(
        command, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    stderr = process.stderr.read()
    # wait4, not getrusage: the figures of this child and its children alone, with their own memory peak.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{tool} failed ({process.returncode}): {stderr.decode(errors='replace')[-2000:]}")
    return Measurement(tool, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * MAXRSS_BYTES)


def count_files(folder: Path) -> int:
    """How many files there are under ``folder``."""
    return sum(len(names) for _, _, names in os.walk(folder))


def expect(tool: str, written: int, wanted: int) -> None:
    """A tool that quietly leaves files out has no figure."""
    if written < wanted:
        sys.exit(f"{tool} wrote {written} of {wanted} instances")


def run_consign(source: Path, work: Path) -> Iterator[Measurement]:
    """A new project, then its steps one by one; ``export`` alone is header, splice, hash and zip."""
    project, out = work / "project", work / "out"
    consign = [sys.executable, "-m", "app"]
    serial = ["--workers", "serial"]
    subprocess.run([*consign, "new", project, "--site", "BENCH"], check=True, stdout=subprocess.DEVNULL)
    yield measure(SCAN, [*consign, "scan", project, source, *serial])
    yield measure("consign select", [*consign, "select", project])
    yield measure("consign images --detect", [*consign, "images", project, "--detect", *serial])
    yield measure("consign prepare", [*consign, "prepare", project, "--unattended", *serial])
    yield measure(EXPORT, [*consign, "export", project, "--out", out, "--unattended", *serial])
    yield measure("consign verify", [*consign, "verify", out])
    yield measure("consign --help", [*consign, "export", "--help"])


def run_dicom_anonymizer(source: Path, work: Path, python: Path) -> Iterator[Measurement]:
    """Its command line takes a folder without sub-folders, which is why the generator writes no others."""
    (work / "out").mkdir()
    yield measure(RIVAL, [python.with_name("dicom-anonymizer"), source, work / "out"])
    expect(RIVAL, count_files(work / "out"), count_files(source))


def run_dicognito(source: Path, work: Path, python: Path) -> Iterator[Measurement]:
    """Started as a module: the script that 0.19.0 installs calls ``main`` without its arguments."""
    yield measure("dicognito", [python, "-m", "dicognito", "-q", "-o", work / "out", source])
    expect("dicognito", count_files(work / "out"), count_files(source))


def run_floor(source: Path, work: Path) -> Iterator[Measurement]:
    """What the computer needs to copy and hash the bytes, the least that any exporter does."""
    script = 'cp -r "$1" "$2" && find "$2" -type f -exec openssl dgst -sha256 {} +'
    yield measure(FLOOR, ["sh", "-c", script, "sh", source, work / "out"])
    expect(FLOOR, count_files(work / "out"), count_files(source))


def run_pydicom(source: Path) -> Iterator[Measurement]:
    """Reading the same attributes with pydicom, in our own virtual environment; nothing is kept."""
    yield measure(READER, [sys.executable, Path(__file__).with_name("pydicom_scan.py"), source])


def run_round(source: Path, work: Path, python: Path, tools: Sequence[str]) -> Iterator[Measurement]:
    """Every tool once, each in an empty working folder."""
    for tool in tools:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        match tool:
            case "consign":
                yield from run_consign(source, work)
            case "dicom-anonymizer":
                yield from run_dicom_anonymizer(source, work, python)
            case "dicognito":
                yield from run_dicognito(source, work, python)
            case "pydicom":
                yield from run_pydicom(source)
            case "floor":
                yield from run_floor(source, work)
            case _:
                sys.exit(f"no such tool: {tool}")
    shutil.rmtree(work, ignore_errors=True)


def print_table(title: str, instances: int, measurements: Sequence[Measurement]) -> None:
    """A Markdown table; ratios are to dicom-anonymizer's median, where it was run."""
    medians: dict[str, float] = {}
    peaks: dict[str, int] = {}
    for measurement in measurements:
        tool = measurement.tool
        if tool not in medians:
            medians[tool] = statistics.median(each.cpu_s for each in measurements if each.tool == tool)
            peaks[tool] = max(each.peak_bytes for each in measurements if each.tool == tool)
    base = medians.get(RIVAL)
    print(f"\n### {title}: {instances} instances\n")
    print("| tool | CPU s for 1,000 instances | of dicom-anonymizer | peak memory, MB |")
    print("|---|---:|---:|---:|")
    for tool, cpu_s in medians.items():
        ratio = f"{cpu_s / base:.2f}" if base else "-"
        print(f"| {tool} | {cpu_s / instances * 1000:.2f} | {ratio} | {peaks[tool] / 1e6:.0f} |")
    for tool, other, bar in BARS.get(title, ()):
        if tool in medians and other in medians:
            ratio = f"{medians[tool] / medians[other]:.3f}"
            print(f"\n{tool} takes {ratio} of {other}; at most {bar} is asked", flush=True)


def install_competitors(folder: Path) -> Path:
    """A virtual environment with the competitors; its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *COMPETITORS], check=True)
    return python


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="what benchmarks.generate wrote; a tmpfs keeps the disk out")
    parser.add_argument("--kinds", nargs="+", default=["large", "small"])
    parser.add_argument("--tools", nargs="+", default=["consign", "dicom-anonymizer", "dicognito", "pydicom", "floor"])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--core", type=int, default=0, help="the core that all runs share")
    parser.add_argument("--venv", type=Path, default=DEFAULT_VENV, help="where the competitors are installed")
    arguments = parser.parse_args()
    python = install_competitors(arguments.venv)
    subprocess.run([sys.executable, "-m", "compileall", "-q", "app"], check=True, cwd=Path(__file__).parents[1])
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores")
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {arguments.core})
    else:
        print("This system cannot pin a process to a core; run nothing else meanwhile.")
    for kind in arguments.kinds:
        source = arguments.folder / kind
        measurements: list[Measurement] = []
        for number in range(arguments.repeat):
            print(f"{kind}: repetition {number + 1} of {arguments.repeat}", file=sys.stderr)
            measurements += run_round(source, arguments.folder / "work", python, arguments.tools)
        print_table(kind, count_files(source), measurements)


if __name__ == "__main__":
    main()
