"""The files that ship with the program."""

from functools import cache
from pathlib import Path


def resource_path(name: str) -> Path:
    """The path of a file under ``resources/``, in a checkout, an installed wheel or a frozen program."""
    return _root() / name


@cache
def _root() -> Path:
    package = Path(__file__).resolve().parents[1]
    packed = package / "resources"  # where a wheel and a frozen program carry them
    return packed if packed.is_dir() else package.parent / "resources"
