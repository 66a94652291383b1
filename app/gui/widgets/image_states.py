"""A sign and a colour for each state of an image; the word always stands beside them."""

from collections.abc import Mapping

from app.gui.widgets.tints import Tint
from app.project.images import ImageState

STATE_SIGNS: Mapping[ImageState, tuple[str, Tint]] = {
    ImageState.UNCHECKED: ("?", Tint.WARN),
    ImageState.TEXT_FOUND: ("!", Tint.WARN),
    ImageState.MUST_BE_SEEN: ("\u25c9", Tint.WARN),
    ImageState.EXCLUDED: ("\u2715", Tint.GONE),
    ImageState.MASKED: ("\u25a0", Tint.CHANGED),
    ImageState.SEEN: ("\u2713", Tint.GOOD),
    ImageState.CLEAR: ("\u25cb", Tint.QUIET),
}
