"""Decisions about images, as functions from decisions to decisions: what a key press or a row of a CSV means."""

from collections.abc import Iterable
from dataclasses import replace

from app.pixels.boxes import Box
from app.project.decisions import Decisions, ImageAction, ImageDecision
from app.project.images import CheckedImage, CheckedSeries
from app.project.masks import Mask, MaskScope


def decide_image(decisions: Decisions, image: CheckedImage, action: ImageAction | None, note: str = "") -> Decisions:
    """Decide on one image as it is shown now; None takes the decision back."""
    return _decided(decisions, image.original_sop_instance_uid, action, note, image.seen_digest)


def decide_series(decisions: Decisions, series: CheckedSeries, action: ImageAction | None, note: str = "") -> Decisions:
    """Decide on all images of a series as they are shown now; decisions on single ones of them give way."""
    own = {image.original_sop_instance_uid for image in series.images}
    others = {uid: decision for uid, decision in decisions.images.items() if uid not in own}
    return _decided(replace(decisions, images=others), series.original_series_uid, action, note, series.seen_digest)


def _decided(decisions: Decisions, uid: str, action: ImageAction | None, note: str, seen: str) -> Decisions:
    images = {key: decision for key, decision in decisions.images.items() if key != uid}
    if action is not None:
        images[uid] = ImageDecision(action, note, seen)
    return replace(decisions, images=images)


def mask_for(scope: MaskScope, box: Box, image: CheckedImage, series: CheckedSeries, frame: int) -> Mask:
    """The mask that covers ``box`` in this scope, as seen on one frame of one image.

    Raises ValueError for a device that the file does not name: such a mask would fit every unnamed one.
    """
    match scope:
        case MaskScope.FRAME:
            return Mask(scope, image.original_sop_instance_uid, replace(box, frame=frame))
        case MaskScope.INSTANCE:
            return Mask(scope, image.original_sop_instance_uid, replace(box, frame=None))
        case MaskScope.SERIES:
            return Mask(scope, series.original_series_uid, replace(box, frame=None))
        case MaskScope.DEVICE:
            return Mask(scope, image.original_device, replace(box, frame=None))


def masks_on(decisions: Decisions, image: CheckedImage, series: CheckedSeries) -> list[Mask]:
    """The masks of people that concern an image, widest scope first."""
    keys = {
        MaskScope.DEVICE: image.original_device,
        MaskScope.SERIES: series.original_series_uid,
        MaskScope.INSTANCE: image.original_sop_instance_uid,
        MaskScope.FRAME: image.original_sop_instance_uid,
    }
    order = list(keys)
    fitting = (mask for mask in decisions.masks if keys[mask.scope] and mask.original_key == keys[mask.scope])
    return sorted(fitting, key=lambda mask: (order.index(mask.scope), mask))


def with_masks(decisions: Decisions, *, add: Iterable[Mask] = (), remove: Iterable[Mask] = ()) -> Decisions:
    """Other masks: moving one is removing it and adding another."""
    return replace(decisions, masks=(decisions.masks - frozenset(remove)) | frozenset(add))
