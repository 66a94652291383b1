"""Makes tokens: a distinct one for each place, as a value of any VR.

Dates come in clusters of 29 days, eleven years apart: no shift of 30 to 3,650 days turns one into another.
Times of day and decimal digits avoid what could complete a date by chance.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from tests.factory import CANARY_PREFIX, Study, canary_token, make_study

UID_ROOT = "1.2.826.0.1.3680043.8.498."
TEXT_VRS = frozenset(("AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT"))
BULK_VRS = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "UN"))
_TOKEN = re.compile(CANARY_PREFIX + "[A-Z2-7]{6}")


def _cluster_dates() -> Iterator[str]:
    for year in range(1900, 2022, 11):
        for day in range(29):
            yield f"{date(year, 3, 1) + timedelta(days=day):%Y%m%d}"


@dataclass(slots=True)
class Mint:
    """Makes a distinct token for each place, and remembers them."""

    tokens: dict[str, str] = field(default_factory=dict)
    times: dict[str, str] = field(default_factory=dict)
    _random: Random = field(default_factory=lambda: Random(71))
    _dates: Iterator[str] = field(default_factory=_cluster_dates)

    def text(self, place: str) -> str:
        """A text token."""
        token = canary_token(place)
        self.tokens[token] = place
        return token

    def digits(self, place: str, length: int, first: str = "123456789") -> str:
        """A token of decimal digits, without 0, 1 and 2 after the first: no date can begin inside it."""
        token = self._random.choice(first) + "".join(self._random.choices("3456789", k=length - 1))
        self.tokens[token] = place
        return token

    def uid(self, place: str) -> str:
        """A UID; its last component is the token."""
        return UID_ROOT + self.digits(place, 24, "3456789")

    def day(self, place: str) -> str:
        """A date as DA."""
        token = next(self._dates)
        self.tokens[token] = place
        return token

    def time(self, place: str) -> str:
        """A time of day as TM, between 13 and 19 o'clock."""
        whole = f"{self._random.randint(13, 18)}{self._random.randint(21, 59)}{self._random.randint(21, 59)}"
        fraction = "".join(self._random.choices("3456789", k=6))
        self.times[whole + fraction] = place
        return f"{whole}.{fraction}"

    def value(self, vr: str, place: str) -> Any:
        """A token as a value of ``vr``; None where it can't carry one (binary numbers, ages, sequences)."""
        match vr:
            case "PN":
                return f"{self.text(place + ' family name')}^{self.text(place + ' given name')}"
            case "UR":
                token = self.text(place)
                return f"https://{token.lower()}.example/{token}"
            case "UI":
                return self.uid(place)
            case "DA":
                return self.day(place)
            case "DT":
                return self.day(place) + self.time(place)
            case "TM":
                return self.time(place)
            case "DS":
                digits = self.digits(place, 14)
                return f"{digits[:7]}.{digits[7:]}"
            case "IS":
                return self.digits(place, 10, first="1")
            case _ if vr in TEXT_VRS:
                return self.text(place)
            case _ if vr in BULK_VRS:
                return f"..{self.text(place)}".encode().ljust(24, b"\0")
            case _:
                return None

    def study(self, place: str) -> Study:
        """A study all of whose texts, dates and UIDs are tokens."""
        study = make_study(self._random.getrandbits(32), canaries=True)
        identity = replace(study.identity, birth_date=self.day(f"{place}: birth date"))
        for text in (*identity.texts, study.study_id, study.accession_number, study.description):
            for token in _TOKEN.findall(text):
                self.tokens[token] = f"{place}: patient, study or equipment module"
        return replace(
            study,
            identity=identity,
            uid=self.uid(f"{place}: study"),
            frame_of_reference_uid=self.uid(f"{place}: frame of reference"),
            day=self.day(f"{place}: study date"),
            time=self.time(f"{place}: study time"),
        )
