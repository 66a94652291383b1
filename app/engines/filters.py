"""What a picture goes through before an engine looks at it."""

import cv2
import numpy as np

from app.engines.base import Image


def checked(image: Image) -> Image:
    """The image, contiguous. Raises TypeError where it is none: 8 bit, grey or RGB, at least one pixel."""
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)) or not image.size:
        raise TypeError
    return np.ascontiguousarray(image)


def high_pass(image: Image, sigma_px: float, gain: float) -> Image:
    """What stands out from its surroundings, around mid-grey: text keeps its strokes, anatomy fades.

    Parameters
    ----------
    sigma_px
        Deviation of the Gaussian that is taken away; about as wide as a stroke is away from the next.
    gain
        Grey levels for one level of difference.
    """
    values = image.astype(np.float32)
    smooth = cv2.GaussianBlur(values, (0, 0), sigma_px)
    filtered: Image = np.clip(128 + gain * (values - smooth), 0, 255).astype(np.uint8)
    return filtered


def resized(image: Image, rows: int, columns: int) -> Image:
    """The image in another size, interpolated; itself where it has that size."""
    if image.shape[:2] == (rows, columns):
        return image
    return np.asarray(cv2.resize(image, (columns, rows), interpolation=cv2.INTER_LINEAR), np.uint8)
