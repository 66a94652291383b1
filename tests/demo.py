"""What ``make demo`` runs: a synthetic PACS export, the whole job on it, and the check of its bundle."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.factory import write_pacs_export

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "demo"


def announce(text: str) -> None:
    """A heading between the steps, before whatever the next program prints."""
    print(f"\n== {text}", flush=True)


def consign(*arguments: str | Path) -> None:
    """Run the real command line, its progress visible; ends the demo with its exit code where it fails."""
    shown = [str(each.relative_to(ROOT)) if isinstance(each, Path) else each for each in arguments]
    announce(f"consign {' '.join(shown)}")
    code = subprocess.run([sys.executable, "-m", "app", *arguments], cwd=ROOT, check=False).returncode
    if code != 0:
        print(f"\nThe demo stopped: consign {shown[0]} ended with exit code {code}.", file=sys.stderr)
        sys.exit(code)


def main() -> None:
    """Start from scratch, whatever an earlier demo left; what somebody else put beside it stays."""
    source, project, bundle = DEMO / "export", DEMO / "project", DEMO / "bundle"
    for old in (source, project, bundle):
        try:
            shutil.rmtree(old)
        except FileNotFoundError:
            continue
        except OSError:
            sys.exit(f"The demo of before can't be removed. Remove it, perhaps as another user: {old}")

    announce("Writing a synthetic PACS export (invented people, names burned into some images)")
    export = write_pacs_export(source, seed=7, patients=4, slices=24)
    print(f"In {source}: {export.instances} DICOM objects of {len(export.identities)} patients;")
    print(f"and a DICOMDIR, {export.not_dicom} other files, {export.duplicates} duplicate, {export.damaged} cut")

    consign("run", source, "--project", project, "--out", bundle, "--site", "DEMO", "--unattended")
    consign("verify", bundle)

    print("\nA verified bundle, ready to be handed over:")
    for path in sorted(bundle.iterdir()):
        print(f"  {path}")
    print(f'To check it without Consign: cd "{bundle}" && sha256sum -c SHA256SUMS && python3 verify.py')


if __name__ == "__main__":
    main()
