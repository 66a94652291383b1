"""Keeps the computer from falling asleep under a job that nobody sits before."""

import ctypes
import sys

_SYSTEM_REQUIRED = 1  # ES_SYSTEM_REQUIRED; without ES_CONTINUOUS it counts for this moment only


def stay_awake() -> None:
    """Start the time anew after which Windows would sleep, as a key press does; asked again and again by what runs.

    Nothing on other systems, whose desktops sleep by other rules. The lid and the power button still count.
    """
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetThreadExecutionState(_SYSTEM_REQUIRED)
