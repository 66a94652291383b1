"""The table of text detectors: a label, and how to make the engine. Nothing is imported before it is asked for."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from app.engines.base import TextDetector
from app.engines.union import union_version
from app.errors import UsageError


def open_detectors(labels: tuple[str, ...]) -> tuple[TextDetector, ...]:
    """The detectors of these labels, ready to run here.

    Raises UsageError("detector-unknown") or UsageError("detector-unavailable"): nobody looks with less than was asked
    for.
    """
    detectors = []
    for label in labels:
        make = _ENGINES.get(label)
        if make is None:
            raise UsageError("detector-unknown", label=label)
        detector = make()
        if not detector.is_available():
            raise UsageError("detector-unavailable", label=label)
        detectors.append(detector)
    return tuple(detectors)


def detector_versions(labels: tuple[str, ...]) -> Mapping[str, str]:
    """Label to version, and that of the union: changes whenever the same image could give another result.

    Raises as ``open_detectors``.
    """
    return {"union": union_version(), **{one.label: one.version for one in open_detectors(labels)}}


def _ppocr() -> TextDetector:
    from app.engines.ppocr import PpOcr  # noqa: PLC0415 - costs seconds

    return PpOcr()


def _glyphs() -> TextDetector:
    from app.engines.glyphs import GlyphFinder  # noqa: PLC0415 - OpenCV costs tenths of a second

    return GlyphFinder()


def _tesseract() -> TextDetector:
    from app.engines.tesseract import Tesseract  # noqa: PLC0415 - OpenCV costs tenths of a second

    return Tesseract()


_ENGINES: Mapping[str, Callable[[], TextDetector]] = MappingProxyType(
    {"ppocr": _ppocr, "glyphs": _glyphs, "tesseract": _tesseract}
)
