"""How often Python looks for reference cycles while a job runs."""

import gc

# New containers before the youngest are looked through (Python: 700), and how many such looks come before the next
# older ones. A job makes millions of small tuples and hardly a cycle: looking as often as Python does was a tenth of
# an export. What is kept back is bounded by the first number.
YOUNG_CONTAINERS = 10_000
LOOKS_BEFORE_OLDER = 20


def collect_seldom() -> None:
    """Have a program that does jobs and nothing else look less often, and never at what it imported."""
    gc.freeze()
    gc.set_threshold(YOUNG_CONTAINERS, LOOKS_BEFORE_OLDER, LOOKS_BEFORE_OLDER)
