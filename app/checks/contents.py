"""What the attributes and positions of a series say is wrong with it: one function a check."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from app.checks.series import Image, Series
from app.checks.slices import Stack, count_copies, count_incomplete, frame_stack, gaps_of, missing_numbers, stacks_of
from app.checks.words import words_of
from app.protocol.checks import CheckName, Expected
from app.protocol.predicates import Orientation

Fields = dict[str, str | int | float]

# Modalities whose images have a plane in the patient.
_CROSS_SECTIONAL = frozenset(("CT", "MR", "PT", "NM"))
_LOCALIZER_TYPES = frozenset(("LOCALIZER", "SCOUT", "TOPOGRAM"))
_LOCALIZER_WORDS = frozenset(
    "localizer localiser localizador localizzatore localisateur lokalizer scout topogram topogramm topogramme "
    "scanogram surview survey pilot planscan locator".split()
)
_SHORT_LOCALIZER_WORDS = frozenset(("loc", "locs"))
# Projections around an axis: every image has a plane of its own, and nothing is wrong with that.
_ROTATING_TYPES = frozenset(("PROJECTION IMAGE", "MIP", "MAXIMUM INTENSITY PROJECTION", "VRT", "VOLREN"))
# Images made for looking at are derived by the standard (PS3.3 C.8.11.3): nothing to tell of.
_FOR_PRESENTATION = frozenset(("CR", "DX", "MG", "IO", "PX", "US", "XA", "RF", "SM", "OP", "OPT"))
_THICKNESS_TOLERANCE = 0.01
_FEW_IMAGES = 3
# Secondary Capture Image Storage, and the multi-frame ones below it (PS3.4 Table B.5-1).
_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@dataclass(frozen=True, slots=True)
class Claim:
    """What a check says, before the protocol's severity. ``is_sure`` False: shown, never a reason to leave out."""

    check: CheckName
    code: str
    fields: Fields = field(default_factory=dict)
    is_sure: bool = True


def claims_of(series: Series, expected: Expected) -> Iterator[Claim]:
    """All claims on a series, body part and phase apart; none on a series without images."""
    if series.damaged:
        yield Claim(CheckName.TRUNCATED_PIXELS, "truncated-files", {"images": series.damaged})
    if not series.images:
        return
    localizers: list[Image] = []
    others: list[Image] = []
    for image in series.images:
        (localizers if _is_localizer_by_type(image) else others).append(image)
    for check in _ALWAYS:
        yield from check(series)
    is_named = series.modality in _CROSS_SECTIONAL and _is_localizer_by_name(series.first)
    if localizers:
        fields: Fields = {"images": len(localizers), "of": len(series.images)}
        yield Claim(CheckName.LOCALIZER, "localizer" if not others else "localizer-among-others", fields)
    stacks = stacks_of(others)
    if is_named and not localizers:
        # A name alone may mean something else ("whole body survey"): few images, or several directions, settle it.
        is_sure = len(others) <= _FEW_IMAGES or len(stacks) > 1
        yield Claim(CheckName.LOCALIZER, "localizer-by-name", is_sure=is_sure)
    if others:
        yield from _slices(others, stacks)
        if not is_named:
            yield from _mixtures(others, stacks)
            yield from _expectations(others, expected)


# how the images were made -------------------------------------------------------


def _truncated(series: Series) -> Iterator[Claim]:
    short = sum(image.has_pixel_fault for image in series.images)
    if short:
        yield Claim(CheckName.TRUNCATED_PIXELS, "truncated-pixels", {"images": short, "of": len(series.images)})


def _derived(series: Series) -> Iterator[Claim]:
    if series.modality in _FOR_PRESENTATION:
        return
    derived = sum(image.image_type[:1] == ("DERIVED",) for image in series.images)
    if derived:
        yield Claim(CheckName.DERIVED, "derived", {"images": derived, "of": len(series.images)})


def _secondary(series: Series) -> Iterator[Claim]:
    captured = sum(_is_capture(image) for image in series.images)
    if captured:
        yield Claim(CheckName.SECONDARY, "secondary-capture", {"images": captured, "of": len(series.images)})
        return
    secondary = sum(image.image_type[1:2] == ("SECONDARY",) for image in series.images)
    if secondary:
        yield Claim(CheckName.SECONDARY, "secondary", {"images": secondary, "of": len(series.images)})


def _is_capture(image: Image) -> bool:
    return image.sop_class_uid == _CAPTURE or image.sop_class_uid.startswith(f"{_CAPTURE}.")


def _frames(series: Series) -> Iterator[Claim]:
    for image in series.images:
        told = len(image.frame_positions_mm)
        if told and told != image.frames:
            yield Claim(CheckName.FRAMES, "frames-differ", {"declared": image.frames, "found": told})
            return


_ALWAYS: tuple[Callable[[Series], Iterator[Claim]], ...] = (_truncated, _derived, _secondary, _frames)


def _is_localizer_by_type(image: Image) -> bool:
    return not _LOCALIZER_TYPES.isdisjoint(image.image_type)


def is_localizer(series: Series) -> bool:
    """Whether a series only shows where others lie."""
    if not series.images:
        return False
    by_name = series.modality in _CROSS_SECTIONAL and _is_localizer_by_name(series.first)
    return by_name or all(_is_localizer_by_type(image) for image in series.images)


def _is_localizer_by_name(image: Image) -> bool:
    words = words_of(image.text("SeriesDescription"))
    if not _LOCALIZER_WORDS.isdisjoint(words):
        return True
    # Three letters alone may stand for anything: "3-PLANE LOC" begins or ends with them.
    return bool(words) and not _SHORT_LOCALIZER_WORDS.isdisjoint((words[0], words[-1]))


# where the slices lie -----------------------------------------------------------


def _slices(images: Sequence[Image], stacks: Sequence[Stack]) -> Iterator[Claim]:
    copies = sum(count_copies(stack) for stack in stacks)
    if copies:
        yield Claim(CheckName.DUPLICATE_SLICES, "duplicate-slices", {"images": copies, "of": len(images)})
    framed = [stack for image in images if (stack := frame_stack(image)) is not None]
    judged = [gaps for stack in (*stacks, *framed) if (gaps := gaps_of(stack)) is not None]
    missing = sum(gaps.missing for gaps in judged)
    if missing:
        worst = max(judged, key=lambda gaps: gaps.missing)
        fields: Fields = {
            "slices": missing,
            "spacing_mm": _mm(worst.spacing_mm or 0.0),
            "at_mm": _mm(worst.first_gap_mm or 0.0),
        }
        yield Claim(CheckName.MISSING_SLICES, "missing-slices", fields)
    incomplete = 0 if copies else sum(count_incomplete(stack) for stack in stacks)
    if incomplete:
        yield Claim(CheckName.MISSING_SLICES, "missing-in-volume", {"images": incomplete, "of": len(images)})
    if not missing and not incomplete:
        yield from _left_out_numbers(images)
    uneven = [gaps for gaps in judged if not gaps.is_even]
    if uneven:
        fields = {
            "least_mm": _mm(min(gaps.least_mm for gaps in uneven)),
            "most_mm": _mm(max(gaps.most_mm for gaps in uneven)),
        }
        yield Claim(CheckName.UNEVEN_SPACING, "uneven-spacing", fields)


def _left_out_numbers(images: Sequence[Image]) -> Iterator[Claim]:
    """A slice that lacks at the end of a stack leaves no gap, but a hole in the numbers."""
    holes = missing_numbers(images)
    if holes and all(image.position_mm is not None for image in images):
        fields: Fields = {"slices": len(holes), "number": holes[0]}
        yield Claim(CheckName.MISSING_SLICES, "missing-numbers", fields, is_sure=False)


def _mm(value: float) -> float:
    return round(value, 2)


# what is mixed -------------------------------------------------------------------


def _mixtures(images: Sequence[Image], stacks: Sequence[Stack]) -> Iterator[Claim]:
    rotates = any(not _ROTATING_TYPES.isdisjoint(image.image_type) for image in images)
    if len(stacks) > 1 and not rotates:
        planes = sorted({image.text("Orientation") for image in images} - {""})
        fields: Fields = {"directions": len(stacks), "planes": ", ".join(planes)}
        yield Claim(CheckName.MIXED_ORIENTATION, "mixed-orientation", fields)
    sizes = Counter((image.text("Rows"), image.text("Columns")) for image in images)
    if len(sizes) > 1:
        (usual, _), (other, count) = sizes.most_common()[0], sizes.most_common()[-1]
        fields = {"usual": f"{usual[0]} x {usual[1]}", "other": f"{other[0]} x {other[1]}", "images": count}
        yield Claim(CheckName.MIXED_MATRIX, "mixed-matrix", fields)
    if images[0].text("Modality") in _CROSS_SECTIONAL:
        yield from _mixed_thickness(images)


def _mixed_thickness(images: Sequence[Image]) -> Iterator[Claim]:
    thicknesses = sorted({number for image in images if (number := image.number_of("SliceThickness"))})
    if len(thicknesses) > 1 and thicknesses[-1] - thicknesses[0] > _THICKNESS_TOLERANCE:
        fields: Fields = {"least_mm": _mm(thicknesses[0]), "most_mm": _mm(thicknesses[-1])}
        yield Claim(CheckName.THICKNESS, "mixed-thickness", fields, is_sure=False)
    kernels = sorted({image.text("ConvolutionKernel") for image in images} - {""})
    if len(kernels) > 1:
        fields = {"original_kernel": kernels[0], "original_other": kernels[1]}
        yield Claim(CheckName.KERNEL, "mixed-kernel", fields, is_sure=False)


# what the protocol expects --------------------------------------------------------


def _expectations(images: Sequence[Image], expected: Expected) -> Iterator[Claim]:
    if images[0].text("Modality") in _CROSS_SECTIONAL:
        yield from _expected_thickness(images, expected)
        yield from _expected_plane(images, expected)
        yield from _expected_kernel(images, expected)
    count = sum(image.frames for image in images)
    low, high = expected.fewest_frames, expected.most_frames
    if low is not None and count < low:
        yield Claim(CheckName.FRAMES, "too-few-frames", {"images": count, "fewest": low})
    if high is not None and count > high:
        yield Claim(CheckName.FRAMES, "too-many-frames", {"images": count, "most": high})


def _expected_thickness(images: Sequence[Image], expected: Expected) -> Iterator[Claim]:
    low, high = expected.thinnest_mm, expected.thickest_mm
    if low is None and high is None:
        return
    thicknesses = [image.number_of("SliceThickness") for image in images]
    known = [one for one in thicknesses if one]
    if not known:
        yield Claim(CheckName.THICKNESS, "thickness-unknown", {}, is_sure=False)
    elif low is not None and min(known) < low - _THICKNESS_TOLERANCE:
        yield Claim(CheckName.THICKNESS, "too-thin", {"thickness_mm": _mm(min(known)), "thinnest_mm": low})
    elif high is not None and max(known) > high + _THICKNESS_TOLERANCE:
        yield Claim(CheckName.THICKNESS, "too-thick", {"thickness_mm": _mm(max(known)), "thickest_mm": high})


def _expected_plane(images: Sequence[Image], expected: Expected) -> Iterator[Claim]:
    if not expected.plane:
        return
    planes = {image.text("Orientation") for image in images}
    wrong = sorted(planes - {""} - set(expected.plane))
    if wrong:
        yield Claim(CheckName.PLANE, "other-plane", {"plane": Orientation(wrong[0]), "wanted": _list(expected.plane)})
    elif planes == {""}:
        yield Claim(CheckName.PLANE, "plane-unknown", {"wanted": _list(expected.plane)}, is_sure=False)


def _expected_kernel(images: Sequence[Image], expected: Expected) -> Iterator[Claim]:
    if not expected.kernel or images[0].text("Modality") != "CT":
        return
    kernels = {image.text("ConvolutionKernel").strip() for image in images}
    wrong = sorted(one for one in kernels - {""} if not any(_fits(pattern, one) for pattern in expected.kernel))
    if wrong:
        fields: Fields = {"original_kernel": wrong[0], "wanted": _list(expected.kernel)}
        yield Claim(CheckName.KERNEL, "other-kernel", fields)
    elif kernels == {""}:
        yield Claim(CheckName.KERNEL, "kernel-unknown", {"wanted": _list(expected.kernel)}, is_sure=False)


def _fits(pattern: str, text: str) -> bool:
    return fnmatchcase(text.casefold(), pattern.casefold().replace("[", "[[]"))


def _list(values: Sequence[str]) -> str:
    return ", ".join(values)
