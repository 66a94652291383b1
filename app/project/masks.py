"""Masks that people drew: ``decisions/masks.json``, sorted for a readable diff."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from app.errors import ProjectError
from app.files.atomic import is_there, write_atomically
from app.pixels.boxes import Box
from app.project.folder import Layout


class MaskScope(StrEnum):
    """What a mask is meant for."""

    FRAME = "frame"
    INSTANCE = "instance"
    SERIES = "series"
    DEVICE = "device"  # every image of the same device and size: what a scanner prints, it prints in the same place


@dataclass(frozen=True, slots=True, order=True)
class Mask:
    """A box to be covered.

    ``original_key`` is a SOP Instance UID (FRAME, INSTANCE), a Series Instance UID, or a device as the catalogue
    writes it. ``box.frame`` is set with FRAME and with nothing else.
    """

    scope: MaskScope
    original_key: str = field(repr=False)
    box: Box

    def __post_init__(self) -> None:
        if not self.original_key or (self.box.frame is not None) != (self.scope is MaskScope.FRAME):
            raise ValueError("a mask has a key, and a frame where it is for a frame")


def save_masks(layout: Layout, masks: Iterable[Mask]) -> None:
    """Replace the file as a whole, owner-only."""
    entries = [
        {
            "scope": mask.scope.value,
            "key": mask.original_key,
            "top": mask.box.top,
            "left": mask.box.left,
            "bottom": mask.box.bottom,
            "right": mask.box.right,
            **({} if mask.box.frame is None else {"frame": mask.box.frame}),
        }
        for mask in sorted(set(masks), key=_sort_key)
    ]
    lines = ",\n".join("  " + json.dumps(entry) for entry in entries)
    write_atomically(layout.masks_json, f"[\n{lines}\n]\n".encode() if entries else b"[]\n")


def _sort_key(mask: Mask) -> tuple[str, str, int, int, int, int, int]:
    box = mask.box
    return mask.scope, mask.original_key, -1 if box.frame is None else box.frame, *_corners(box)


def _corners(box: Box) -> tuple[int, int, int, int]:
    return box.top, box.left, box.bottom, box.right


def load_masks(layout: Layout) -> frozenset[Mask]:
    """All masks; no file means none.

    Raises ProjectError("decisions-damaged"): a mask that is not understood must not vanish without a word.
    """
    if not is_there(layout.masks_json):
        return frozenset()
    number = 0
    try:
        entries = json.loads(layout.masks_json.read_bytes())
        if not isinstance(entries, list):
            raise TypeError
        masks = []
        for number, entry in enumerate(entries, start=1):  # noqa: B007 - told where it fails
            masks.append(_parse(entry))
    except (ValueError, TypeError, KeyError) as error:
        raise ProjectError("decisions-damaged", file=layout.masks_json.name, line=number + 1) from error
    return frozenset(masks)


def _parse(entry: Any) -> Mask:
    if not isinstance(entry, dict):
        raise TypeError
    edges = top, left, bottom, right = tuple(entry.pop(name) for name in ("top", "left", "bottom", "right"))
    frame, scope, key = entry.pop("frame", None), entry.pop("scope"), entry.pop("key")
    if entry or not all(type(edge) is int for edge in edges) or type(frame) not in (int, type(None)):
        raise TypeError
    if not isinstance(key, str):
        raise TypeError
    return Mask(MaskScope(scope), key, Box(top, left, bottom, right, frame))
