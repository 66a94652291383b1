"""Units of measurement as codes (UCUM): which texts are one, so that a map's numbers keep their meaning.

A list of units and powers of ten, put together by strokes and dots: no other letters and numbers come through.
"""

import re
from functools import lru_cache

_UNITS = (
    "% A Bq Cel cGy cl cm cm[H2O] d dB deg dl dL eV g GBq Gy GHz h Hz J K kBq keV kg kHz kPa kV l L m mA MBq mCi MeV "
    "mg mGy mHz MHz min mJ ml mL mm mm[Hg] mmol mo mol ms mS mSv mT mV MV mW N ng nl nm nmol Pa ppm rad s Sv T t ug ul "
    "uL um umol us V W wk [hnsf'U] [iU]"
).split()
# What a standardised uptake value is taken per (PS3.16 CID 84), and what is counted.
_NOTES = ("counts", "pixels", "propcounts", "SUVbsa", "SUVbw", "SUVibw", "SUVlbm", "SUVlbm(James128)", "SUVlbm(Janma)")
_MOST_PARTS = 4
_MOST_SINGLE_LETTERS = 2  # more of them spell a name, or its initials: A.N.N.A


def is_unit(text: str) -> bool:
    """Whether a code value is a unit: ``ml/min/100g``, ``10-6.mm2/s``, ``{SUVbw}g/ml``."""
    letters = re.findall(r"(?<![A-Za-z])[A-Za-z](?![A-Za-z])", text)
    return len(letters) <= _MOST_SINGLE_LETTERS and _unit_pattern().match(text) is not None


@lru_cache(maxsize=1)
def _unit_pattern() -> re.Pattern[str]:
    unit = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
    note = rf"(?:\{{(?:{'|'.join(map(re.escape, _NOTES))})\}})?"
    power_of_ten = r"(?:10[*^]?[+-]?\d\.|\[?100?0?\]?)?"
    part = rf"{power_of_ten}(?:{unit})(?:[23]|-[1-3])?"
    return re.compile(rf"{note}(?:1?/)?{part}(?:[./]{part}){{0,{_MOST_PARTS - 1}}}{note}\Z")
