"""Without a screen the window does not open, and the program says so in a sentence of its own."""

import os
import subprocess
import sys

import pytest

SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="there is always a screen")
def test_window_without_a_screen_points_to_the_command_line() -> None:
    environment = {name: value for name, value in os.environ.items() if name not in SCREENS}
    told = subprocess.run(
        [sys.executable, "-m", "app"],
        env={**environment, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 2
    assert told.stderr.startswith("There is no screen here")
    assert len(told.stderr.splitlines()) == 1
