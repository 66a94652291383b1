"""The files that ship with the program."""

import sys
from pathlib import Path


def resource_path(name: str) -> Path:
    """The path of a file under ``resources/``, in a checkout, an installed wheel or a frozen program."""
    frozen_root = getattr(sys, "_MEIPASS", None)
    root = Path(frozen_root) if frozen_root else Path(__file__).resolve().parents[2]
    return root / "resources" / name
