"""Takes the face out of an axial head volume, without a model: the skin of the front becomes another, smooth one.

The skin's depth, seen from the front, is a map over slices and columns. It is smoothed until nose, eyes and mouth are
gone, moved inwards a little and bent by a random, smooth field; what stands out before the new surface becomes air,
what falls behind it becomes tissue. Whoever draws the volume sees a mask that is nobody's. The field comes from a key
that stays at the site, so that it cannot be taken off again.

What lies behind a margin in front of the brain is never touched. Where the head can't be told from air, the brain not
from the skull, or too little of the face would change, the volume is refused: a face that is half there is no work
done. For CT, and for T1, T2 and FLAIR MR, axial, feet first or head first; anything else is refused.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Depth = NDArray[np.float64]

CT_SKIN_HU, CT_AIR_HU = -300.0, -1000.0
CT_BRAIN_HU = (-20.0, 150.0)  # liquid and fresh blood too
# The smoothing that takes a nose (some 25 mm wide and deep) and an eye socket off a face.
SMOOTHING_MM = 14.0
# How far inwards the new skin lies on the average, and how far the random field bends it either way.
INWARDS_MM, BEND_MM, BEND_SIZE_MM = 5.0, 3.0, 16.0
FRONT_SHARE = 0.55  # of the head's depth, from its front
EDGE_MM = 10.0  # over which the new skin joins the old one
BRAIN_MARGIN_MM = 3.0
SHELL_MM = 3.0  # of the new skin of MR
CHANGED_MM = 1.0  # skin that moved by more counts as changed
FEWEST_CHANGED = 0.8
MOST_HELD_BACK = 0.05  # of the face, where the brain is too near for the new skin
SMALLEST_HEAD_MM, LARGEST_HEAD_MM = 80.0, 320.0
_BRAIN_OPENING_MM, _SCALP_MM, _CLOSING_MM = 6.0, 5.0, 6.0
_ATTEMPTS = 40  # at a surface that keeps clear of the brain: every second one does, and one takes milliseconds
_IN_PLANE = np.array([[[0, 1, 0], [1, 1, 1], [0, 1, 0]]], np.bool_)
_BRAIN_GRID_MM = 1.5  # on which the brain is looked for


class Kind(StrEnum):
    """What the values of a volume mean."""

    CT = "CT"  # in Hounsfield units
    MR = "MR"


class DefacingError(Exception):
    """The volume can't be defaced; ``code`` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, eq=False)
class Defaced:
    """A volume without a face.

    Attributes
    ----------
    values
        As given, with other values where ``changed``.
    face
        Slices and columns whose skin is the face.
    surface_changed
        Share of the face's skin, 0 to 1, that moved by more than a millimetre.
    brain
        What was taken for the brain, with its margin: nothing in it changed.
    """

    values: NDArray[np.float64]
    changed: Mask
    face: Mask
    surface_changed: float
    brain: Mask


def deface(
    volume: NDArray[Any], spacing_mm: tuple[float, float, float], kind: Kind, key: bytes, *, front_is_first_row: bool
) -> Defaced:
    """Take the face out of a volume.

    Parameters
    ----------
    volume
        Slices, rows, columns; axial.
    spacing_mm
        Between slices, rows and columns.
    key
        What the random surface follows from; secret.
    front_is_first_row
        The person looks towards the first row (lying on the back: the usual case), else towards the last one.

    Raises
    ------
    DefacingError
        "no-head", "no-brain", "face-not-changed".
    """
    values = np.asarray(volume, np.float64)
    turned = values if front_is_first_row else values[:, ::-1]
    head = _find_head(turned, spacing_mm, kind)
    brain = _find_brain(turned, head, spacing_mm, kind)
    skin = _skin(head)
    face = _face(head, skin, spacing_mm)
    limit = _first_row(brain) - BRAIN_MARGIN_MM / spacing_mm[1]
    for attempt in range(_ATTEMPTS):
        bent = _new_skin(skin, face, spacing_mm, key + bytes([attempt]))
        wanted = np.minimum(bent, np.where(np.isfinite(limit), np.floor(limit), np.inf))
        held_back = (bent[face] - wanted[face]) * spacing_mm[1] > CHANGED_MM
        if float(held_back.mean()) <= MOST_HELD_BACK:
            break
    else:
        # What was taken for the brain reaches into the face, which would keep its features there.
        raise DefacingError("no-brain")
    result, changed = _replace(turned, head, skin, wanted, face, kind, key, spacing_mm[1])
    # The last word, whatever the steps before did.
    result[brain], changed[brain] = turned[brain], False
    moved = np.abs(np.round(wanted[face]) - skin[face]) * spacing_mm[1]
    surface_changed = float((moved > CHANGED_MM).mean())
    if surface_changed < FEWEST_CHANGED:
        raise DefacingError("face-not-changed")
    if not front_is_first_row:
        result, changed, brain = result[:, ::-1], changed[:, ::-1], brain[:, ::-1]
    return Defaced(result, changed, face, surface_changed, brain)


def skin_depth(volume: NDArray[Any], spacing_mm: tuple[float, float, float], kind: Kind) -> Depth:
    """The first row of the head seen from the first row, for slices and columns; infinite where there is only air.

    What a person is shown before and after, as a relief.
    """
    return _skin(_find_head(np.asarray(volume, np.float64), spacing_mm, kind))


def relief(depth: Depth, spacing_mm: tuple[float, float, float]) -> NDArray[np.uint8]:
    """A face as a grey picture lit from above and the side, top of the head first where slices go upwards."""
    filled = np.where(np.isfinite(depth), depth, np.nanmax(np.where(np.isfinite(depth), depth, np.nan)))
    down, across = np.gradient(filled * spacing_mm[1], spacing_mm[0], spacing_mm[2])
    light = (1 + 0.6 * down + 0.4 * across) / np.sqrt(1 + down**2 + across**2) / 1.3
    shade = np.clip(light, 0, 1) * 230 + 20
    return np.where(np.isfinite(depth), shade, 0).astype(np.uint8)[::-1]


# finding ----------------------------------------------------------------------


def _find_head(values: NDArray[np.float64], spacing_mm: tuple[float, float, float], kind: Kind) -> Mask:
    """The largest body that is not air, without its holes slice by slice."""
    from scipy import ndimage  # type: ignore[import-untyped]  # noqa: PLC0415 - slow; no types

    body: Mask = values > (CT_SKIN_HU if kind is Kind.CT else _threshold(values))
    # A table or a head rest touches the skin at few places: opening by a voxel lets go of it.
    body = ndimage.binary_opening(body, iterations=1)
    labels, count = ndimage.label(body)
    if not count:
        raise DefacingError("no-head")
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    head: Mask = labels == int(sizes.argmax())
    closing = _ball(_CLOSING_MM / 2, spacing_mm)
    for number in range(len(head)):
        plane = ndimage.binary_closing(np.pad(head[number], 8), closing)[8:-8, 8:-8]
        head[number] = ndimage.binary_fill_holes(plane | head[number])
    extents = [
        np.ptp(np.flatnonzero(head.any(axis=other))) * step
        for other, step in zip(((1, 2), (0, 2), (0, 1)), spacing_mm, strict=True)
    ]
    if max(extents[1:]) > LARGEST_HEAD_MM or min(extents[1:]) < SMALLEST_HEAD_MM:
        raise DefacingError("no-head")
    return head


def _threshold(values: NDArray[np.float64]) -> float:
    """Between air and tissue, after Otsu, of the logarithm: tissue of MR is of many brightnesses, air of one."""
    positive = np.log1p(np.clip(values - values.min(), 0, None)).ravel()
    counts, edges = np.histogram(positive, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * middles)
    means_below = sums / np.maximum(below, 1)
    means_above = (sums[-1] - sums) / np.maximum(above, 1)
    best = int(np.argmax(below * above * (means_below - means_above) ** 2))
    return float(np.expm1(edges[best + 1]) + values.min())


def _find_brain(values: NDArray[np.float64], head: Mask, spacing_mm: tuple[float, float, float], kind: Kind) -> Mask:
    """The largest soft body that bone parts from the rest: bright in CT, dark in MR; its openings are narrow."""
    from scipy import ndimage  # noqa: PLC0415 - slow

    strides = [max(1, round(_BRAIN_GRID_MM / step)) for step in spacing_mm]
    every = tuple(slice(None, None, stride) for stride in strides)
    steps = [step * stride for step, stride in zip(spacing_mm, strides, strict=True)]
    coarse, inner = values[every], head[every]
    if kind is Kind.CT:
        inside: Mask = (coarse > CT_BRAIN_HU[0]) & (coarse < CT_BRAIN_HU[1]) & inner
        # One pixel of noise must not part a brain, nor hold it to the scalp; within the slice, because a bone may be no
        # thicker than one.
        inside = ndimage.binary_opening(ndimage.binary_closing(inside, _IN_PLANE), _IN_PLANE)
    else:
        inside = (coarse > _threshold(values[head])) & inner
    # Scalp and face are thinner than that, or hang together with the brain through openings that are. Distances, not
    # steps of voxels: slices may be thicker than an opening is wide.
    inside &= ndimage.distance_transform_edt(np.pad(inner, 1), steps)[1:-1, 1:-1, 1:-1] > _SCALP_MM
    labels, count = ndimage.label(ndimage.distance_transform_edt(inside, steps) > _BRAIN_OPENING_MM)
    if not count:
        raise DefacingError("no-brain")
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    core = labels == int(sizes.argmax())
    grown: Mask = ndimage.distance_transform_edt(~core, steps) <= _BRAIN_OPENING_MM + max(steps)
    for axis, (stride, count) in enumerate(zip(strides, head.shape, strict=True)):
        grown = np.repeat(grown, stride, axis).take(range(count), axis)
    brain: Mask = grown & head
    litres = brain.sum() * float(np.prod(spacing_mm)) / 1e6
    if not 0.3 <= litres <= 2.5:
        raise DefacingError("no-brain")
    return brain


def _ball(radius_mm: float, spacing_mm: tuple[float, float, float]) -> Mask:
    ball: Mask = _ball3(radius_mm, (1e9, *spacing_mm[1:]))[0]
    return ball


def _ball3(radius_mm: float, spacing_mm: tuple[float, float, float]) -> Mask:
    grids = np.meshgrid(
        *(np.arange(-(radius_mm // step), radius_mm // step + 1) * step for step in spacing_mm), indexing="ij"
    )
    ball: Mask = np.sum(np.square(grids), axis=0) <= radius_mm**2
    return ball


def _first_row(mask: Mask) -> Depth:
    return np.where(mask.any(axis=1), mask.argmax(axis=1), np.inf)


def _skin(head: Mask) -> Depth:
    return _first_row(head)


def _face(head: Mask, skin: Depth, spacing_mm: tuple[float, float, float]) -> Mask:
    """The skin that looks forward: in the front of the head, and not at its sides."""
    rows = np.flatnonzero(head.any(axis=(0, 2)))
    front = rows[0] + FRONT_SHARE * (rows[-1] - rows[0])
    is_front = np.isfinite(skin) & (skin < front)
    columns = np.flatnonzero(head.any(axis=(0, 1)))
    middle, half = (columns[0] + columns[-1]) / 2, (columns[-1] - columns[0]) / 2
    is_middle = np.abs(np.arange(head.shape[2]) - middle) < 0.75 * half
    face: Mask = is_front & is_middle
    if face.sum() * spacing_mm[0] * spacing_mm[2] < 40 * 40:
        raise DefacingError("no-head")
    return face


# replacing --------------------------------------------------------------------


def _new_skin(skin: Depth, face: Mask, spacing_mm: tuple[float, float, float], key: bytes) -> Depth:
    """The depth of the new skin; the old one outside of the face."""
    from scipy import ndimage  # noqa: PLC0415 - slow

    known = np.isfinite(skin)
    sigma = (SMOOTHING_MM / spacing_mm[0], SMOOTHING_MM / spacing_mm[2])
    weight = ndimage.gaussian_filter(known.astype(float), sigma, mode="constant")
    smooth = ndimage.gaussian_filter(np.where(known, skin, 0.0), sigma, mode="constant") / np.maximum(weight, 1e-6)
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(key).digest(), "big"))
    size = (BEND_SIZE_MM / spacing_mm[0], BEND_SIZE_MM / spacing_mm[2])
    field = ndimage.gaussian_filter(random.standard_normal(skin.shape), size, mode="nearest")
    field *= BEND_MM / max(float(field.std()), 1e-9)
    field = np.clip(field, -1.5 * BEND_MM, 1.5 * BEND_MM)
    new = smooth + (INWARDS_MM + field) / spacing_mm[1]
    padded = np.pad(face, ((0, 0), (1, 1)))  # the first and last slice are no edge: the face may go on beyond them
    distance = ndimage.distance_transform_edt(padded, (spacing_mm[0], spacing_mm[2]))[:, 1:-1]
    share = np.clip(distance / EDGE_MM, 0, 1)
    return np.where(face, share * new + (1 - share) * np.where(known, skin, 0.0), skin)


def _replace(
    values: NDArray[np.float64],
    head: Mask,
    skin: Depth,
    wanted: Depth,
    face: Mask,
    kind: Kind,
    key: bytes,
    row_mm: float,
) -> tuple[NDArray[np.float64], Mask]:
    """Air before the new skin, tissue between it and the old one where that lay deeper."""
    rows = np.arange(values.shape[1])[None, :, None]
    new, old = np.round(wanted)[:, None, :], skin[:, None, :]
    is_face = face[:, None, :]
    # Everything before the new skin, also what floats before the old one: hair, a tube, noise that traces the nose.
    to_air = is_face & (rows < new)
    to_tissue = is_face & (rows >= new) & (rows < old)
    if kind is Kind.MR:
        # Bone is as dark as air there: without a skin of its own, the new surface would show what lies behind bone.
        to_tissue |= is_face & (rows >= new) & (rows < new + SHELL_MM / row_mm) & (new > old)
    random = np.random.default_rng(int.from_bytes(hashlib.sha256(key + b"texture").digest(), "big"))
    outside = values[~head]
    air = np.full(int(to_air.sum()), CT_AIR_HU)
    if kind is Kind.MR:
        air = random.choice(outside, len(air)) if outside.size else np.full(len(air), float(values.min()))
    near = is_face & (rows >= old) & (rows < old + 4) & head
    tissue = values[near] if near.any() else values[head]
    low, high = np.percentile(tissue, (25, 75))
    result = values.copy()
    result[to_air] = air
    result[to_tissue] = random.uniform(low, max(high, low + 1e-6), int(to_tissue.sum()))
    return result, to_air | to_tissue
