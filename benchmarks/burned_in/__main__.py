"""Prints how much burned-in text the detectors find, by engine and together, and what that costs.

::

    python -m benchmarks.burned_in                                  # test half, 600 pictures
    python -m benchmarks.burned_in --half tuning --count 120 --missed
    python -m benchmarks.burned_in --engines ppocr glyphs tesseract
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from app.engines.base import TextDetector
from app.engines.table import open_detectors
from app.engines.union import Finding, combine, findings_of
from benchmarks.burned_in.backgrounds import made_picture
from benchmarks.burned_in.cases import Half, make_cases
from benchmarks.burned_in.scores import CLEAR_CONTRAST, CLEAR_HEIGHT_PX, Looked, figures, missed

_SQUARE_PX = 512
_RADIOGRAPH_PX = (3000, 2500)


def main() -> None:
    """Parse the command line, look, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", type=Half, choices=list(Half), default=Half.TEST)
    parser.add_argument("--count", type=int, default=600, help="pictures; every second one is clean")
    parser.add_argument("--engines", nargs="+", default=["ppocr", "glyphs"])
    parser.add_argument("--missed", action="store_true", help="name every string missed and every false alarm")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    detectors = open_detectors(tuple(arguments.engines))
    for detector in detectors:
        detector.detect(np.zeros((64, 64), np.uint8))  # loading is not looking
    looked = list(_look(arguments.half, arguments.count, detectors))
    _print_figures([one for one, _ in looked], arguments.engines)
    _print_costs(looked, detectors)
    if arguments.missed:
        for title, strong_only in (("unattended", True), ("review", False)):
            print(f"\nNot found or false alarm, {title}:")
            print("\n".join(missed((one for one, _ in looked), strong_only=strong_only)))


def _look(half: Half, count: int, detectors: Sequence[TextDetector]) -> Iterator[tuple[Looked, dict[str, float]]]:
    for case in make_cases(half, count):
        costs = {}
        found: list[list[Finding]] = [[] for _ in case.renditions]
        for detector in detectors:
            start = time.process_time() + _children_s()
            for picture, of_picture in zip(case.renditions, found, strict=True):
                of_picture.extend(findings_of(picture, detector))
            costs[detector.label] = time.process_time() + _children_s() - start
        findings = (
            one
            for picture, of_picture in zip(case.renditions, found, strict=True)
            for one in combine(of_picture, picture)
        )
        yield Looked(case, tuple(findings), sum(costs.values())), costs


def _children_s() -> float:
    times = os.times()
    return times.children_user + times.children_system


def _print_figures(looked: Sequence[Looked], engines: Sequence[str]) -> None:
    lines = [line for one in looked for line in one.case.lines]
    clear = sum(line.height_px >= CLEAR_HEIGHT_PX and line.contrast >= CLEAR_CONTRAST for line in lines)
    with_text = sum(bool(one.case.lines) for one in looked)
    print(f"{with_text} pictures with {len(lines)} strings, {clear} of them clear; {len(looked) - with_text} without\n")
    print("| | strings | clear strings | images | false alarms | covered needlessly |")
    print("|---|---:|---:|---:|---:|---:|")
    sets = [[engine] for engine in engines] + ([list(engines)] if len(engines) > 1 else [])
    for strong_only in (True, False):
        for chosen in sets:
            name = " + ".join(chosen)
            one = figures(looked, chosen, strong_only=strong_only)
            values = (one.strings, one.clear_strings, one.images, one.false_alarms, one.needless)
            print(f"| {name}, {'unattended' if strong_only else 'review'} | ", end="")
            print(" | ".join(f"{100 * value:.1f} %" for value in values) + " |")


def _print_costs(looked: Sequence[tuple[Looked, dict[str, float]]], detectors: Sequence[TextDetector]) -> None:
    print("\nCPU seconds, one thread:")
    squares = [
        (costs, len(one.case.renditions))
        for one, costs in looked
        if one.case.renditions[0].shape[:2] == (_SQUARE_PX, _SQUARE_PX)
    ]
    for detector in detectors:
        a_picture = [costs[detector.label] / renditions for costs, renditions in squares]
        if a_picture:
            print(f"  {detector.label}, 512 x 512: mean {np.mean(a_picture):.2f}, most {max(a_picture):.2f}")
    if squares:
        print(f"  together, 512 x 512: mean {np.mean([sum(costs.values()) / count for costs, count in squares]):.2f}")
        print(f"  together, with all renderings: mean {np.mean([sum(costs.values()) for costs, _ in squares]):.2f}")
    _, small = made_picture(700, np.random.default_rng(11))
    large = np.asarray(cv2.resize(small, _RADIOGRAPH_PX[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)
    grain = np.random.default_rng(12).normal(0, 4, large.shape)
    large = np.clip(large + grain, 0, 255).astype(np.uint8)
    for detector in detectors:
        start = time.process_time() + _children_s()
        detector.detect(large)
        print(f"  {detector.label}, 2500 x 3000: {time.process_time() + _children_s() - start:.1f}")


if __name__ == "__main__":
    main()
