"""The checks of a series in words: what each is called, and a sentence for each thing that one can find."""

from collections.abc import Mapping

from app.dicom.dictionary import name_of, tag_of
from app.project.series_findings import Finding
from app.protocol.checks import BodyPart, CheckName, Phase, Severity
from app.text.i18n import Translate, mark

CHECK_NAMES: Mapping[CheckName, str] = {
    CheckName.MISSING_SLICES: mark("Missing slices"),
    CheckName.DUPLICATE_SLICES: mark("Duplicate slices"),
    CheckName.UNEVEN_SPACING: mark("Uneven spacing"),
    CheckName.MIXED_ORIENTATION: mark("Mixed orientation"),
    CheckName.MIXED_MATRIX: mark("Mixed image sizes"),
    CheckName.LOCALIZER: mark("Localizer"),
    CheckName.DERIVED: mark("Derived images"),
    CheckName.SECONDARY: mark("Secondary images"),
    CheckName.FRAMES: mark("Number of images"),
    CheckName.TRUNCATED_PIXELS: mark("Pixel data cut short"),
    CheckName.THICKNESS: mark("Slice thickness"),
    CheckName.PLANE: mark("Plane"),
    CheckName.KERNEL: mark("Kernel"),
    CheckName.BODY_PART: mark("Body part"),
    CheckName.PHASE: mark("Contrast phase"),
}

SEVERITIES: Mapping[Severity, str] = {
    Severity.EXCLUDE: mark("left out"),
    Severity.WARN: mark("look at it"),
    Severity.IGNORE: mark("not checked"),
}

BODY_PARTS: Mapping[BodyPart, str] = {
    BodyPart.HEAD: mark("head"),
    BodyPart.NECK: mark("neck"),
    BodyPart.CHEST: mark("chest"),
    BodyPart.ABDOMEN: mark("abdomen"),
    BodyPart.PELVIS: mark("pelvis"),
    BodyPart.SPINE: mark("spine"),
    BodyPart.HEART: mark("heart"),
    BodyPart.BREAST: mark("breast"),
    BodyPart.UPPER_LIMB: mark("arm or shoulder"),
    BodyPart.LOWER_LIMB: mark("leg or hip"),
    BodyPart.WHOLE_BODY: mark("whole body"),
}

PHASES: Mapping[Phase, str] = {
    Phase.NONE: mark("no contrast"),
    Phase.ARTERIAL: mark("arterial"),
    Phase.VENOUS: mark("venous"),
    Phase.DELAYED: mark("delayed"),
    Phase.ENHANCED: mark("with contrast"),
}

PLANES: Mapping[str, str] = {
    "axial": mark("axial"),
    "coronal": mark("coronal"),
    "sagittal": mark("sagittal"),
    "oblique": mark("oblique"),
}

FINDINGS_OF_CHECKS: Mapping[str, str] = {
    "truncated-files": mark("Files of this series that are cut short and can't be used: {images}."),
    "truncated-pixels": mark("Images with fewer pixel data than the header says: {images} of {of}."),
    "localizer": mark("The series is a localizer; images that say so: {images} of {of}."),
    "localizer-among-others": mark("Localizers among the images: {images} of {of}."),
    "localizer-by-name": mark("The series is a localizer, by its description."),
    "derived": mark("Derived from other images, not acquired: {images} of {of}."),
    "secondary": mark("Secondary images, made after the examination: {images} of {of}."),
    "secondary-capture": mark("Captures of a screen or a scan: {images} of {of}."),
    "frames-differ": mark("Frames that the header says: {declared}; frames that it describes: {found}."),
    "duplicate-slices": mark("Images that lie where another of the same kind lies already: {images} of {of}."),
    "missing-slices": mark(
        "Missing slices: {slices}, the first above {at_mm} mm; the others are {spacing_mm} mm apart."
    ),
    "missing-in-volume": mark("Images that some of the volumes of the series lack: {images}; {of} are there."),
    "missing-numbers": mark("Numbers left out in the series: {slices}, the first is {number}; slices may be missing."),
    "uneven-spacing": mark("The slices are not evenly spaced: from {least_mm} to {most_mm} mm apart."),
    "mixed-orientation": mark("The images lie in {directions} directions ({planes})."),
    "mixed-matrix": mark("Images with {other} pixels: {images}; most have {usual}."),
    "mixed-thickness": mark("The slices are from {least_mm} to {most_mm} mm thick."),
    "mixed-kernel": mark(
        "The images were made with different kernels, such as {original_kernel} and {original_other}."
    ),
    "too-few-frames": mark("Images in the series: {images}; the protocol wants {fewest} at least."),
    "too-many-frames": mark("Images in the series: {images}; the protocol wants {most} at most."),
    "thickness-unknown": mark("The slice thickness is not given."),
    "too-thin": mark("The slices are {thickness_mm} mm thick; the protocol wants {thinnest_mm} mm at least."),
    "too-thick": mark("The slices are {thickness_mm} mm thick; the protocol wants {thickest_mm} mm at most."),
    "other-plane": mark("The slices are {plane}; the protocol wants: {wanted}."),
    "plane-unknown": mark("The plane of the slices is not given; the protocol wants: {wanted}."),
    "other-kernel": mark("The kernel is {original_kernel}; the protocol wants: {wanted}."),
    "kernel-unknown": mark("The kernel is not given; the protocol wants: {wanted}."),
    "body-part-disagrees": mark("{place} says {part}, {other_place} says {other_part}."),
    "body-part-unknown": mark("Nothing says which body part it shows; the protocol wants: {wanted}."),
    "other-body-part": mark("It shows: {part} ({percent} % sure); the protocol wants: {wanted}."),
    "phase-disagrees": mark("{with} speaks for a contrast agent, {without} against."),
    "phase-unknown": mark("Nothing says whether or when a contrast agent was given; the protocol wants: {wanted}."),
    "other-phase": mark("The phase is: {phase} ({percent} % sure); the protocol wants: {wanted}."),
}

_WORDS: Mapping[str, str] = {
    **{part.value: text for part, text in BODY_PARTS.items()},
    **{phase.value: text for phase, text in PHASES.items()},
    **PLANES,
}
_PLACES = frozenset(("place", "other_place", "with", "without"))
_WORD_LISTS = frozenset(("part", "other_part", "wanted", "plane", "planes", "phase"))


def finding_sentence(finding: Finding, translate: Translate = str) -> str:
    """What a check found, as a sentence; in English unless ``translate`` is given. It may show values of the file."""
    template = FINDINGS_OF_CHECKS.get(finding.code)
    if template is None:  # a code of a newer version's catalogue
        return finding.code
    told = {name: _told(name, value, translate) for name, value in finding.original_fields.items()}
    return translate(template).format_map(told)


def _told(name: str, value: str | int | float, translate: Translate) -> str:
    if name in _PLACES:
        tag = tag_of(str(value))
        return name_of(tag) if tag is not None else str(value)
    if name in _WORD_LISTS:
        return ", ".join(translate(_WORDS.get(word, word)) for word in str(value).split(", "))
    return f"{value:g}" if isinstance(value, float) else str(value)
