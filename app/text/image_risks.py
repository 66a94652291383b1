"""Why a person must look at an image: one sentence for each code."""

from collections.abc import Mapping

from app.project.risks import Risk
from app.text.i18n import mark

IMAGE_RISKS: Mapping[str, str] = {
    Risk.UNEXPECTED_PIXELS: mark("The object has a picture in it, though its kind has none."),
    Risk.SAYS_BURNED_IN: mark("The image says of itself that text is burned in."),
    Risk.SUMMARY_PAGE: mark("It is a page about the dose or the examination; such pages name the patient."),
    Risk.SCREEN_CAPTURE: mark("It is a picture of a screen or of a label."),
    Risk.SECONDARY_CAPTURE: mark("It was captured from another device, a film or a document."),
    Risk.OVERLAY_IN_PIXELS: mark("Graphics or text are kept in spare bits of the pixels."),
    Risk.ULTRASOUND: mark("Ultrasound devices write names and dates into their images."),
    Risk.KNOWN_DEVICE: mark("This device is known to write into its images."),
    Risk.PHOTOGRAPH: mark("It is a photograph, or from an endoscope or a microscope; those often show text or faces."),
    Risk.CONVERTED: mark("It was converted from another form, and what was written on it may have come along."),
    Risk.NONE: mark("Nothing in its header makes text likely."),
}
