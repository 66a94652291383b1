"""Coverage-guided fuzzing of reading and releasing, by hand: needs ``pip install atheris`` (Linux and macOS).

``python -m benchmarks.atheris_target FOLDER -max_total_time=3600``: inputs that led somewhere new are kept in FOLDER.
It stops at an exception that is none of ours, at a token of the sound files that comes through, and at what takes
longer than five seconds or two gigabytes.
"""

import io
import sys
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # no dependency: installed by hand

with atheris.instrument_imports(include=["app"]):
    from app.deid.release import Releaser
    from app.errors import FileError
    from app.logs import quieten_libraries

from tests.canaries import find_tokens
from tests.hostile.fuzzing import base_files, base_tokens
from tests.unit.deid_case import CLEAR, PATIENT, make_recipe

RELEASER = Releaser(make_recipe(), PATIENT)
TOKENS = base_tokens()


def try_one(content: bytes) -> None:
    """Release a file; the caller is told of anything but our own errors."""
    with io.BytesIO(content) as file:
        try:
            released = RELEASER.release(file, CLEAR)
            # Pixels are a picture, and what a changed header makes of them is one, too.
            for _ in released.pixels:
                pass
        except FileError:
            return
    if find_tokens(released.head, TOKENS):
        raise AssertionError("a token came through")


def main() -> None:
    """The command line, which is libFuzzer's; the first run seeds the folder with sound files."""
    quieten_libraries()
    folder = next((Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")), None)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for number, content in enumerate(base_files()):
            (folder / f"sound-{number}").write_bytes(content)
    atheris.Setup([*sys.argv, "-timeout=5", "-rss_limit_mb=2048", "-max_len=20000"], try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
