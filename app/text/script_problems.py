"""What was not understood in a script of CTP's DicomPixelAnonymizer: one sentence for each code."""

from collections.abc import Mapping

from app.detection.ctp_script import ScriptProblem
from app.text.i18n import mark

SCRIPT_PROBLEMS: Mapping[str, str] = {
    ScriptProblem.UNCLOSED_SIGNATURE: mark("The signature has no closing brace."),
    ScriptProblem.BAD_SIGNATURE: mark("The signature is not written as CTP's script language wants it."),
    ScriptProblem.TOO_COMPLEX: mark("The signature has too many alternatives; split it."),
    ScriptProblem.UNKNOWN_ATTRIBUTE: mark(
        "The table of device masks does not look at this attribute; the alternatives that need it are left out."
    ),
    ScriptProblem.UNKNOWN_METHOD: mark("There is no such test; the alternatives that need it are left out."),
    ScriptProblem.UNSUPPORTED_TEXT: mark(
        "The table of device masks can't say this text or expression; the alternatives that need it are left out."
    ),
    ScriptProblem.BAD_REGION: mark("A region is four numbers: left, top, width, height. This one is left out."),
    ScriptProblem.NO_REGION: mark(
        "The signature has no region. In CTP it shields images from later signatures; here it does nothing."
    ),
    ScriptProblem.REGION_WITHOUT_SIGNATURE: mark("The region stands before the first signature and belongs to none."),
    ScriptProblem.ALWAYS_FITS: mark("The signature fits every image, so it says nothing of a device; it is left out."),
}
