"""What counts as found, and the figures that follow from it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from app.engines.union import Finding
from benchmarks.burned_in.cases import Case

# A string is found where boxes cover this part of its glyph pixels.
COVERED_FROM = 0.9
# "Clear" strings: at least so high and so different from what is around them.
CLEAR_HEIGHT_PX, CLEAR_CONTRAST = 12, 40


@dataclass(frozen=True, slots=True)
class Looked:
    """One case and what was found in its renderings, each with the CPU seconds that it took."""

    case: Case
    findings: tuple[Finding, ...]
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Parts of 1; ``needless`` is the part of the pixels that boxes cover without need, over pictures with text."""

    strings: float
    clear_strings: float
    images: float
    false_alarms: float
    needless: float


def figures(looked: Iterable[Looked], engines: Sequence[str], *, strong_only: bool) -> Figures:
    """How well these engines together did; ``strong_only``: unattended, else what a reviewer is shown."""
    strings: list[bool] = []
    clear: list[bool] = []
    images: list[bool] = []
    alarms: list[bool] = []
    needless: list[float] = []
    for one in looked:
        shape = one.case.renditions[0].shape[:2]
        mask = np.zeros(shape, bool)
        for finding in one.findings:
            if finding.engine in engines and (finding.is_strong or not strong_only):
                mask[finding.top : finding.bottom, finding.left : finding.right] = True
        if not one.case.lines:
            alarms.append(bool(mask.any()))
            continue
        found = [bool(mask[line.glyphs].mean() >= COVERED_FROM) for line in one.case.lines]
        strings += found
        clear += [
            is_found
            for is_found, line in zip(found, one.case.lines, strict=True)
            if line.height_px >= CLEAR_HEIGHT_PX and line.contrast >= CLEAR_CONTRAST
        ]
        images.append(any(found))
        for line in one.case.lines:
            rows, columns = np.any(line.glyphs, axis=1).nonzero()[0], np.any(line.glyphs, axis=0).nonzero()[0]
            mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = False
        needless.append(float(mask.mean()))
    return Figures(*(float(np.mean(values)) for values in (strings, clear, images, alarms, needless)))


def missed(looked: Iterable[Looked], *, strong_only: bool) -> list[str]:
    """One sentence for each string that was not found, and each clean picture with an alarm."""
    said = []
    for one in looked:
        mask = np.zeros(one.case.renditions[0].shape[:2], bool)
        for finding in one.findings:
            if finding.is_strong or not strong_only:
                mask[finding.top : finding.bottom, finding.left : finding.right] = True
        for line in one.case.lines:
            part = float(mask[line.glyphs].mean())
            if part < COVERED_FROM:
                said.append(
                    f"case {one.case.number} ({one.case.background}): {line.text!r} {line.height_px} px, contrast "
                    f"{line.contrast:.0f}, {line.ink}, turned {line.turn}, boxed {line.is_boxed}: {part:.0%} covered"
                )
        if not one.case.lines and mask.any():
            texts = ", ".join(
                f"{finding.engine} {finding.confidence:.2f} {finding.original_text!r}"
                for finding in one.findings
                if finding.is_strong or not strong_only
            )
            said.append(f"case {one.case.number} ({one.case.background}): alarm without text: {texts}")
    return said
