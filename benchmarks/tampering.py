"""Tampers with a finished bundle again and again, and asks four readers whether they notice: ``--count 500``.

``consign verify`` and the stdlib-only verify.py beside the parts have to notice all of them, or it ends with 1; what
bagit.py and sha256sum notice is told beside. The one bundle is made by the real command.
"""

import argparse
import logging
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import bagit

from app.bundle.verify import verify_bundle
from app.files.resources import resource_path
from app.logs import quieten_libraries
from tests.end_to_end.interrupted import Job, write_source
from tests.hostile.tampering import TAMPERINGS, tamper_with


def by_consign(folder: Path) -> bool:
    """Whether ``consign verify`` finds something."""
    return bool(verify_bundle([folder]).findings)


def by_script(folder: Path) -> bool:
    """Whether the recipient's script does, by an interpreter that sees none of our packages."""
    command = [sys.executable, "-I", "-S", str(resource_path("templates/verify.py")), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode != 0


def by_bagit(folder: Path) -> bool:
    """Whether unpacking each part and validating it as a bag does."""
    with tempfile.TemporaryDirectory() as name:
        for part in folder.glob("*.zip"):
            try:
                with zipfile.ZipFile(part) as archive:
                    archive.extractall(name)
                bagit.Bag(str(Path(name) / part.stem)).validate()
            except Exception:  # noqa: BLE001 - whatever it stumbles over, it has noticed
                return True
    return False


def by_sha256sum(folder: Path) -> bool:
    """Whether ``sha256sum --check`` does."""
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode != 0


READERS: dict[str, Callable[[Path], bool]] = {
    "consign verify": by_consign,
    "verify.py": by_script,
    "bagit.py": by_bagit,
    "sha256sum": by_sha256sum,
}


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    quieten_libraries()
    logging.getLogger("bagit").setLevel(logging.CRITICAL)
    random = Random(arguments.seed)
    names = sorted(TAMPERINGS)
    done: Counter[str] = Counter()
    found: dict[str, Counter[str]] = {reader: Counter() for reader in READERS}
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        write_source(folder / "source", patients=6)
        job = Job.create(folder / "source", folder / "job")
        job.finish()
        print(f"{len(list(job.out.glob('*.zip')))} parts", flush=True)
        assert not any(notices(job.out) for notices in READERS.values())
        for number in range(arguments.count):
            name = names[number % len(names)]
            copy = Path(shutil.copytree(job.out, folder / "copy"))
            tamper_with(name, random, copy)
            done[name] += 1
            for reader, notices in READERS.items():
                found[reader][name] += notices(copy)
            shutil.rmtree(copy)
    for name in names:
        told = ", ".join(f"{reader} {found[reader][name]}" for reader in READERS)
        print(f"{done[name]:4} {name}: {told}")
    totals = {reader: counter.total() for reader, counter in found.items()}
    print(f"{done.total()} tamperings; found by " + ", ".join(f"{name} {total}" for name, total in totals.items()))
    return int(min(totals["consign verify"], totals["verify.py"]) < done.total())


if __name__ == "__main__":
    sys.exit(main())
