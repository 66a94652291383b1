"""The public DICOM files that lie beside a developer's checkout; tests that need them skip where they are absent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

REAL_FILES = Path(__file__).resolve().parents[2] / "shared" / "dicom"

needs_real_files = pytest.mark.skipif(not REAL_FILES.is_dir(), reason="the public DICOM files are not here")


def iterate_real_files() -> Iterator[Path]:
    """All files, sorted."""
    return (path for path in sorted(REAL_FILES.rglob("*")) if path.is_file())
