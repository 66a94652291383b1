"""A synthetic head with a face: nose, eye sockets, lips, chin; a skull, and a brain whose voxels are known."""

import numpy as np
from numpy.typing import NDArray

SPACING_MM = (2.0, 1.2, 1.2)
SHAPE = (110, 190, 160)
_AIR, _SKIN, _BONE, _BRAIN, _EYE = 0, 1, 2, 3, 4
CT_VALUES = {_AIR: -1000.0, _SKIN: 40.0, _BONE: 900.0, _BRAIN: 35.0, _EYE: 10.0}
# T1: fat and skin bright, bone dark; T2: liquid bright; FLAIR: liquid dark.
MR_VALUES = {
    "T1": {_AIR: 8.0, _SKIN: 420.0, _BONE: 40.0, _BRAIN: 330.0, _EYE: 120.0},
    "T2": {_AIR: 8.0, _SKIN: 260.0, _BONE: 35.0, _BRAIN: 300.0, _EYE: 700.0},
    "FLAIR": {_AIR: 8.0, _SKIN: 300.0, _BONE: 30.0, _BRAIN: 340.0, _EYE: 70.0},
}


def head_labels(seed: int = 1) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
    """What is where (slices from the neck up, front at the first row), and the brain."""
    random = np.random.default_rng(seed)
    z, y, x = (
        (np.arange(count) - middle) * step for count, middle, step in zip(SHAPE, (60, 100, 80), SPACING_MM, strict=True)
    )
    z, y, x = z[:, None, None], y[None, :, None], x[None, None, :]

    def ellipsoid(cz: float, cy: float, cx: float, rz: float, ry: float, rx: float) -> NDArray[np.bool_]:
        inside: NDArray[np.bool_] = ((z - cz) / rz) ** 2 + ((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1
        return inside

    jitter = random.uniform(0.9, 1.1, 4)
    skull_outside = ellipsoid(28, 0, 0, 76, 90, 70)
    head = ellipsoid(28, 0, 0, 82, 97, 76) | ellipsoid(-40, -22, 0, 62, 62, 58)
    head |= (np.abs(x) < 48) & (np.abs(y - 30) < 48) & (z < -30)  # the neck
    head |= ellipsoid(-18, -92, 0, 22 * jitter[0], 26 * jitter[1], 13 * jitter[2])  # the nose
    head |= ellipsoid(-84, -68, 0, 14, 18 * jitter[3], 18)  # the chin
    head |= ellipsoid(-52, -80, 0, 5, 10, 22) | ellipsoid(-60, -79, 0, 5, 10, 20)  # the lips
    eyes = ellipsoid(4, -78, 32, 13, 13, 14) | ellipsoid(4, -78, -32, 13, 13, 14)
    sockets = ellipsoid(4, -95, 32, 13, 16, 17) | ellipsoid(4, -95, -32, 13, 16, 17)
    head &= ~(sockets & ~ellipsoid(-18, -92, 0, 24, 28, 15))
    brain = ellipsoid(30, 0, 0, 68, 81, 62) & (z > -28)
    labels = np.zeros(SHAPE, np.int8)
    labels[head] = _SKIN
    labels[(skull_outside & (z > -34)) & head] = _BONE
    labels[ellipsoid(-40, -20, 0, 40, 45, 40) & head & (z <= -34)] = _SKIN
    labels[brain] = _BRAIN
    labels[eyes & head & ~brain] = _EYE
    return labels, brain


def paint(labels: NDArray[np.int8], values: dict[int, float], noise: float, seed: int = 2) -> NDArray[np.float64]:
    """The labels as values, with noise."""
    table = np.array([values[label] for label in sorted(values)])
    random = np.random.default_rng(seed)
    return np.asarray(table[labels] + random.normal(0, noise, labels.shape))
