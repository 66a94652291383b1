"""Other values for some pixels of an image of one frame and one sample: small enough to be kept until the export."""

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # whoever only carries an edit has no use for arrays
    from numpy.typing import NDArray

_LARGEST = 256 << 20  # bytes, inflated


@dataclass(frozen=True, slots=True)
class PixelEdit:
    """Which pixels get which stored values; picklable. ``content`` is deflated: a bit for each pixel, then values."""

    content: bytes

    def apply(self, values: "NDArray[Any]") -> "NDArray[Any]":
        """A copy of a frame with the pixels changed. Raises ValueError where the edit is not for such a frame."""
        import numpy as np  # noqa: PLC0415 - see above

        inflated = zlib.decompressobj().decompress(self.content, _LARGEST)
        bits = (values.size + 7) // 8
        mask = np.unpackbits(np.frombuffer(inflated[:bits], np.uint8), count=values.size).astype(bool)
        new = np.frombuffer(inflated[bits:], values.dtype.newbyteorder("<"))
        if len(new) != int(mask.sum()):
            raise ValueError("the edit is for another frame")
        changed = values.copy()
        changed.reshape(-1)[mask] = new
        return changed

    @property
    def is_empty(self) -> bool:
        """Whether nothing changes."""
        return not any(zlib.decompressobj().decompress(self.content, _LARGEST))


def make_edit(before: "NDArray[Any]", after: "NDArray[Any]") -> PixelEdit:
    """What turns one frame into another of the same shape and type."""
    import numpy as np  # noqa: PLC0415 - see above

    mask = (before != after).ravel()
    new = after.ravel()[mask].astype(after.dtype.newbyteorder("<"))
    return PixelEdit(zlib.compress(np.packbits(mask).tobytes() + new.tobytes(), 6))
