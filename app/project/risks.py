"""What can speak against an image before anybody looked at it: in the database, in lists, and in sentences."""

from enum import StrEnum


class Risk(StrEnum):
    """What makes text in the pixels likely; the riskiest first. The values stand in the database and in lists."""

    UNEXPECTED_PIXELS = "unexpected-pixels"
    SAYS_BURNED_IN = "says-burned-in"
    SUMMARY_PAGE = "summary-page"
    SCREEN_CAPTURE = "screen-capture"
    SECONDARY_CAPTURE = "secondary-capture"
    OVERLAY_IN_PIXELS = "overlay-in-pixels"
    ULTRASOUND = "ultrasound"
    KNOWN_DEVICE = "known-device"
    PHOTOGRAPH = "photograph"
    CONVERTED = "converted"
    NONE = "none"

    @property
    def rank(self) -> int:
        """0 for the riskiest; sorts a contact sheet."""
        return _RANKS[self]


_RANKS = {risk: rank for rank, risk in enumerate(Risk)}
