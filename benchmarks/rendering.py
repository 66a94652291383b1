"""What it costs to render a frame: dragging a window, and what the detectors look at.

    OMP_NUM_THREADS=1 python -m benchmarks.rendering

Prints milliseconds, the median of 50, on arrays of noise.
"""

import time
from collections.abc import Callable
from itertools import count
from statistics import median

import numpy as np

from app.pixels.rendering import Look, Window, render, render_for_detection

_TIMES = 50


def main() -> None:
    """Time each case and print a line for it."""
    noise = np.random.default_rng(1)
    ct = Look("MONOCHROME2", 16, 15, True, intercept=-1024.0, windows=(Window(40, 400),))
    mr = Look("MONOCHROME2", 12, 11, False)
    colour = Look("YBR_FULL_422", 8, 7, False)
    slice_16 = noise.integers(-1024, 3000, (512, 512)).astype(np.int16)
    slice_12 = noise.integers(0, 4096, (512, 512)).astype(np.uint16)
    radiograph = noise.integers(0, 4096, (3000, 2400)).astype(np.uint16)
    echo = noise.integers(0, 256, (600, 800, 3)).astype(np.uint8)
    centers = count()
    _report("CT 512x512 of 16 bit, another window each time", lambda: render(slice_16, ct, Window(next(centers), 400)))
    _report("CT 512x512 of 16 bit, the same window", lambda: render(slice_16, ct))
    _report("CT 512x512 of 16 bit, for detection", lambda: render_for_detection(slice_16, ct))
    _report("MR 512x512 of 12 bit, another window", lambda: render(slice_12, mr, Window(next(centers), 400)))
    _report("MR 512x512 of 12 bit, for detection", lambda: render_for_detection(slice_12, mr))
    _report("radiograph 3000x2400, another window", lambda: render(radiograph, mr, Window(next(centers), 400)))
    _report("radiograph 3000x2400, for detection", lambda: render_for_detection(radiograph, mr))
    _report("YBR 800x600", lambda: render(echo, colour))


def _report(name: str, work: Callable[[], object]) -> None:
    taken = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    print(f"{1000 * median(taken):7.2f} ms  {name}")


if __name__ == "__main__":
    main()
