"""Dates, times and ages as text (PS3.5 section 6.2): their grammar, a shift by days, the year alone."""

import datetime
import re

_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)\Z")
_DOTTED_DATE = re.compile(r"(\d{4})\.(\d\d)\.(\d\d)\Z")  # ACR-NEMA; PS3.5 Table 6.2-1 Note
_DATE_TIME = re.compile(r"(\d{4})(\d\d)?(\d\d)?((?:\d\d){0,3}(?:\.\d{1,6})?)([+-]\d{4})?\Z")
_ZONE = re.compile(r"[+-](?:0\d|1[0-4])[0-5]\d\Z", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3])(?::?[0-5]\d(?::?(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?\Z")
_AGE = re.compile(r"(\d{3})([DWMY])\Z")
OLDEST_TOLD_AGE_YEARS = 89
CAPPED_AGE = "090Y"


def parse_date(text: str) -> datetime.date | None:
    """A DA value, or None where it is not one."""
    match = _DATE.match(text) or _DOTTED_DATE.match(text)
    if match is None:
        return None
    try:
        return datetime.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        return None


def shift_date(text: str, days: int) -> str | None:
    """A DA value moved by ``days``; None where it is no date, or leaves the calendar."""
    date = parse_date(text)
    if date is None:
        return None
    try:
        return (date + datetime.timedelta(days=days)).strftime("%Y%m%d").rjust(8, "0")
    except OverflowError:
        return None


def shift_date_time(text: str, days: int) -> str | None:
    """A DT value moved by ``days``, at the precision that it has; None where it is not one."""
    match = _DATE_TIME.match(text)
    if match is None or (match[4] and not match[3]) or not _is_time_tail(match[4]) or not is_zone(match[5] or "+0000"):
        return None
    # A value to the month or the year has no day to move; the first one stands for it.
    moved = shift_date(match[1] + (match[2] or "01") + (match[3] or "01"), days)
    if moved is None:
        return None
    precision = 4 + len(match[2] or "") + len(match[3] or "")
    return moved[:precision] + match[4] + (match[5] or "")


def _is_time_tail(text: str) -> bool:
    return not text or is_time(text)


def year_of_date(text: str) -> str | None:
    """The first day of a DA value's year: what 45 CFR 164.514(b)(2)(i)(C) lets stand, in a VR that wants a day."""
    date = parse_date(text)
    return None if date is None else f"{date.year:04d}0101"


def year_of_date_time(text: str) -> str | None:
    """The year of a DT value."""
    moved = shift_date_time(text, 0)
    return None if moved is None else moved[:4]


def is_zone(text: str) -> bool:
    """Whether ``text`` is an offset from UTC (PS3.3 section C.12.1.1.8)."""
    return _ZONE.match(text) is not None


def is_time(text: str) -> bool:
    """Whether ``text`` is a TM value; the colons of ACR-NEMA pass."""
    return _TIME.match(text) is not None


def cap_age(text: str) -> str | None:
    """An AS value with ages above 89 years told as 090Y (45 CFR 164.514(b)(2)(i)(C)); None where it is not one."""
    match = _AGE.match(text)
    if match is None:
        return None
    days = int(match[1]) * {"D": 1, "W": 7, "M": 30.4, "Y": 365.25}[match[2]]
    return CAPPED_AGE if days >= (OLDEST_TOLD_AGE_YEARS + 1) * 365.25 or (text > "089Y" and match[2] == "Y") else text
