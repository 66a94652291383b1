"""Runs the whole demo with a frozen console program: ``check_frozen.py FOLDER``, ends with 1 where it must not ship.

As it is in a hospital: no environment, an empty home, no network interface (``unshare -n``), and strace, which sees
that no process ever asks for a connection outside of the machine. Linux; needs root, or user namespaces, and strace.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NO_NETWORK = ("unshare", "--net", *(() if os.geteuid() == 0 else ("--map-root-user",)), "--")
CONNECTS = re.compile(r"connect\(\d+, \{sa_family=(AF_\w+)")


class NotFitError(Exception):
    """What was found."""


class Frozen:
    """A frozen folder, and a place where it works."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.program = folder / "consign-cli"
        self.place = place
        self.trace = place / "strace.log"

    def run(self, *arguments: str | Path) -> str:
        """What it prints; raises NotFitError where it fails or asks for a connection."""
        tracing = ("strace", "--follow-forks", "--trace=connect", "--output", self.trace)
        ended = subprocess.run(
            [*NO_NETWORK, *tracing, self.program, *arguments],
            env={"HOME": str(self.place), "TMPDIR": str(self.place), "PATH": "/usr/bin:/bin"},
            cwd=self.place,
            capture_output=True,
            text=True,
            check=False,
        )
        if ended.returncode != 0:
            raise NotFitError(f"{arguments[0]} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")
        families = set(CONNECTS.findall(self.trace.read_text(encoding="utf-8", errors="replace")))
        if families - {"AF_UNIX"}:
            raise NotFitError(f"{arguments[0]} asked for a connection: {families}")
        return ended.stdout


@contextmanager
def watch_for_qt(program: Path) -> Iterator[set[str]]:
    """Gather the kinds of processes of a program, and of each that has Qt loaded."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):  # it ended in the meantime
                    if process.joinpath("exe").resolve() != program.resolve():
                        continue
                    is_worker = b"--multiprocessing-fork" in process.joinpath("cmdline").read_bytes()
                    has_qt = b"libQt6" in process.joinpath("maps").read_bytes()
                    seen.add(("worker" if is_worker else "program") + (" with Qt" if has_qt else ""))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    """Each file with its size and time; a link counts as nothing."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def with_tesseract(folder: Path) -> str:
    """The protocol that ships, with all three detectors."""
    text = folder.joinpath("lib", "app", "resources", "defaults", "protocol.toml").read_text(encoding="utf-8")
    asked = text.replace('["ppocr", "glyphs"]', '["ppocr", "glyphs", "tesseract"]')
    if asked == text:
        raise NotFitError("the protocol that ships asks for other detectors than this check knows")
    return asked


def check(folder: Path, place: Path) -> None:
    """Raise NotFitError for the first thing that is not as it must be; print what was measured."""
    frozen, before = Frozen(folder, place), contents(folder)
    frozen.run("--version")
    started = time.monotonic()
    subprocess.run([frozen.program, "--version"], check=True, stdout=subprocess.DEVNULL)
    print(f"{sum(size for size, _ in before.values()) / 1e6:.0f} MB in {len(before)} files")
    print(f"{time.monotonic() - started:.2f} s for --version")
    places = json.loads(frozen.run("demo", place, "--json"))
    protocol = place / "with-tesseract.toml"
    protocol.write_text(with_tesseract(folder), encoding="utf-8")
    runs = {
        "the demo": ("--project", places["project"]),
        "the demo with Tesseract": ("--project", place / "other", "--protocol", protocol),
    }
    for name, project in runs.items():
        out = place / name
        started = time.monotonic()
        with watch_for_qt(frozen.program) as processes:
            site = ("--out", out, "--site", "DEMO", "--unattended")
            frozen.run("run", places["source"], *project, *site, "--workers", "2")
        print(f"{time.monotonic() - started:.1f} s for {name}, under strace")
        if processes != {"program", "worker"}:
            raise NotFitError(f"processes: {processes}")
        if not list(out.glob("*.zip")):
            raise NotFitError("no bundle")
        print(frozen.run("verify", out).strip())
    if contents(folder) != before:
        raise NotFitError("it wrote beside the program")
    print("no connection was asked for, no worker loaded Qt, nothing was written beside the program")


def main() -> int:
    """Exit code 0: fit to ship."""
    place = Path(tempfile.mkdtemp(prefix="consign-check-"))
    try:
        check(Path(sys.argv[1]).resolve(), place)
    except NotFitError as found:
        print(f"NOT FIT: {found}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
