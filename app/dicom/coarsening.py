"""Ages, sizes and weights told in steps, so that more people share them; the other attributes have no steps.

The steps are those of published data sets under k-anonymity: decades of age, tenths of a metre, tens of kilograms.
"""

import re

from app.dicom.profile import COARSE_STEPS
from app.dicom.temporal import cap_age

_PATIENT_AGE = 0x00101010
_YEARS = re.compile(r"(\d{3})Y")


def coarsen(tag: int, text: str) -> str | None:
    """One AS or DS value of an attribute, in steps; None where it has none or the value is not one.

    An age is told by the first year of its decade (``040Y`` for 40 to 49; ``000Y`` below ten), a number by the nearest
    step.
    """
    step = COARSE_STEPS.get(tag)
    if step is None:
        return None
    if tag == _PATIENT_AGE:
        capped = cap_age(text)
        if capped is None:
            return None
        years = _YEARS.fullmatch(capped)
        return f"{int(years[1]) // int(step) * int(step) if years else 0:03d}Y"
    decimals = 1 if step < 1 else 0
    return f"{round(float(text) / step) * step:.{decimals}f}"


_PATIENT_AGE = 0x00101010
