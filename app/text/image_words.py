"""What states of images, windows and scopes of masks are called."""

from collections.abc import Mapping

from app.pixels.rendering import WindowName
from app.project.decisions import ImageAction
from app.project.images import ImageState
from app.project.masks import MaskScope
from app.text.i18n import mark

IMAGE_STATES: Mapping[ImageState, str] = {
    ImageState.UNCHECKED: mark("Not looked through"),
    ImageState.TEXT_FOUND: mark("Text found"),
    ImageState.MUST_BE_SEEN: mark("To be seen"),
    ImageState.EXCLUDED: mark("Excluded"),
    ImageState.MASKED: mark("Masked"),
    ImageState.SEEN: mark("Seen"),
    ImageState.CLEAR: mark("Clear"),
}

# What a state means for an image that needs no further reason.
IMAGE_STATE_SENTENCES: Mapping[ImageState, str] = {
    ImageState.UNCHECKED: mark("Nobody has looked for text in it yet, so it stays."),
    ImageState.TEXT_FOUND: mark("Text was found; somebody has to decide."),
    ImageState.MUST_BE_SEEN: mark("Somebody has to look at it."),
    ImageState.EXCLUDED: mark("It does not leave."),
    ImageState.MASKED: mark("It leaves with the marked places filled."),
    ImageState.SEEN: mark("A person looked at it; it leaves as it is."),
    ImageState.CLEAR: mark("Nothing was found, and nothing speaks against it; it leaves as it is."),
}

WINDOWS: Mapping[WindowName, str] = {
    WindowName.FILE: mark("From the file"),
    WindowName.SOFT_TISSUE: mark("Soft tissue"),
    WindowName.LUNG: mark("Lung"),
    WindowName.BONE: mark("Bone"),
    WindowName.BRAIN: mark("Brain"),
    WindowName.ABDOMEN: mark("Abdomen"),
    WindowName.FULL: mark("Full range"),
}

MASK_SCOPES: Mapping[MaskScope, str] = {
    MaskScope.FRAME: mark("This frame"),
    MaskScope.INSTANCE: mark("This image"),
    MaskScope.SERIES: mark("The series"),
    MaskScope.DEVICE: mark("This device"),
}

IMAGE_ACTIONS: Mapping[ImageAction, str] = {
    ImageAction.RELEASE: mark("Leaves as it is"),
    ImageAction.MASK: mark("Mask"),
    ImageAction.EXCLUDE: mark("Exclude"),
}
