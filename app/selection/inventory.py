"""What there is, as small bar charts: each bar is a choice that can become a filter."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.protocol.predicates import AllOf, Not, Operator, Predicate, Value, compare
from app.selection.tree import SeriesRow

MOST_BARS = 6
MOST_YEARS = 8
_THICKNESSES_MM = (1.0, 2.0, 3.0, 5.0)
_AGES = (18, 30, 40, 50, 60, 70, 80, 90)


@dataclass(frozen=True, slots=True)
class Bar:
    """One choice. ``low`` and ``high`` are the ends of a range, and its text is empty then; all empty: not given."""

    original_text: str
    low: float | None
    high: float | None
    choice: Predicate
    count: int

    @property
    def is_missing(self) -> bool:
        """Whether it stands for what does not give the attribute."""
        return not self.original_text and self.low is None and self.high is None


@dataclass(frozen=True, slots=True)
class Chart:
    """The bars of one attribute; ``counted`` is what was counted: series, studies or patients."""

    keyword: str
    counted: str
    bars: tuple[Bar, ...]


def inventory(rows: Sequence[SeriesRow]) -> tuple[Chart, ...]:
    """The charts of all series; the bars are those of all, whatever is filtered."""
    return tuple(Chart(keyword, counted, tuple(_bars(keyword, values(rows)))) for keyword, counted, values in _CHARTS)


def count_shown(charts: Sequence[Chart], rows: Sequence[SeriesRow]) -> tuple[tuple[int, ...], ...]:
    """How many of ``rows`` belong to each bar of each chart."""
    counts = []
    for chart, (keyword, _, values) in zip(charts, _CHARTS, strict=True):
        found = Counter(_key(keyword, value) for value in values(rows))
        known = {_bar_key(bar) for bar in chart.bars}
        others = sum(count for key, count in found.items() if key not in known)
        counts.append(tuple(others if _is_rest(bar) else found[_bar_key(bar)] for bar in chart.bars))
    return tuple(counts)


# what is counted ---------------------------------------------------------------

_Values = Callable[[Sequence[SeriesRow]], Iterable[object]]
_Key = str | tuple[float | None, float | None] | None


def _of_series(value: Callable[[SeriesRow], object]) -> _Values:
    return lambda rows: (value(row) for row in rows)


def _of_each(unit: Callable[[SeriesRow], object], value: Callable[[SeriesRow], object]) -> _Values:
    """The value of the first series of each unit."""

    def values(rows: Sequence[SeriesRow]) -> Iterable[object]:
        return ({unit(row): value(row) for row in reversed(rows)}).values()

    return values


def _study(row: SeriesRow) -> object:
    return row.patient_id, row.original_study_uid


_CHARTS: tuple[tuple[str, str, _Values], ...] = (
    ("Modality", "series", _of_series(lambda row: row.original_modality)),
    ("Manufacturer", "series", _of_series(lambda row: row.original_manufacturer)),
    ("SliceThickness", "series", _of_series(lambda row: row.thickness_mm)),
    ("StudyDate", "studies", _of_each(_study, lambda row: row.original_study_date)),
    ("PatientAge", "studies", _of_each(_study, lambda row: row.age_years)),
    ("PatientSex", "patients", _of_each(lambda row: row.patient_id, lambda row: row.original_sex)),
)
_EDGES: dict[str, Sequence[float]] = {"SliceThickness": _THICKNESSES_MM, "PatientAge": _AGES}


def _key(keyword: str, value: object) -> _Key:
    """The bar that a value belongs to; None where there is no value."""
    if keyword == "StudyDate":
        year = str(value)[:4]
        return year if year.isdecimal() and len(str(value)) == 8 else None
    if isinstance(value, str):
        return value.strip().casefold() or None
    if not isinstance(value, float):
        return None
    return _range(keyword, value)


def _range(keyword: str, value: float) -> tuple[float | None, float | None]:
    """A thickness belongs to the range that it ends, an age to the one that it begins."""
    edges = _EDGES[keyword]
    if keyword == "SliceThickness":
        low = max((edge for edge in edges if value > edge), default=None)
        high = min((edge for edge in edges if value <= edge), default=None)
    else:
        low = max((edge for edge in edges if value >= edge), default=None)
        high = min((edge for edge in edges if value < edge), default=None)
    return low, high


def _bar_key(bar: Bar) -> _Key:
    if bar.is_missing:
        return None
    return bar.original_text.casefold() if bar.original_text else (bar.low, bar.high)


def _is_rest(bar: Bar) -> bool:
    return bar.original_text == REST


# the bars -----------------------------------------------------------------------

# What stands for all others; no text of a file, because it is no plain text.
REST = "\0"


def _bars(keyword: str, values: Iterable[object]) -> Iterable[Bar]:
    spelled: dict[_Key, str] = {}
    counts: Counter[_Key] = Counter()
    for value in values:
        key = _key(keyword, value)
        counts[key] += 1
        spelled.setdefault(key, str(value)[:4] if keyword == "StudyDate" else str(value).strip())
    missing = counts.pop(None, 0)
    if keyword in _EDGES:
        yield from _range_bars(keyword, counts)
    elif keyword == "StudyDate":
        yield from _year_bars(counts)
    else:
        yield from _text_bars(keyword, counts, spelled)
    if missing:
        yield Bar("", None, None, Not(compare(keyword, Operator.EXISTS, ())), missing)


def _text_bars(keyword: str, counts: Counter[_Key], spelled: dict[_Key, str]) -> Iterable[Bar]:
    ordered = sorted(counts, key=lambda key: (-counts[key], str(key)))
    fitting = [key for key in ordered if spelled[key].isprintable() and len(spelled[key]) <= 256]
    named = fitting if len(fitting) <= MOST_BARS else fitting[: MOST_BARS - 1]
    for key in named:
        yield Bar(spelled[key], None, None, compare(keyword, Operator.IS, [spelled[key]]), counts[key])
    rest = sum(counts.values()) - sum(counts[key] for key in named)
    if rest:
        choice = AllOf(
            (
                compare(keyword, Operator.EXISTS, ()),
                Not(compare(keyword, Operator.IN, [spelled[key] for key in named])),
            )
        )
        yield Bar(REST, None, None, choice, rest)


def _year_bars(counts: Counter[_Key]) -> Iterable[Bar]:
    years = sorted(str(key) for key in counts)
    named = years if len(years) <= MOST_YEARS else years[1 - MOST_YEARS :]
    rest = sum(counts.values()) - sum(counts[year] for year in named)
    if rest:
        yield Bar(REST, None, None, compare("StudyDate", Operator.BELOW, [f"{named[0]}0101"]), rest)
    for year in named:
        ends = (
            compare("StudyDate", Operator.AT_LEAST, [f"{year}0101"]),
            compare("StudyDate", Operator.AT_MOST, [f"{year}1231"]),
        )
        yield Bar(year, None, None, AllOf(ends), counts[year])


def _range_bars(keyword: str, counts: Counter[_Key]) -> Iterable[Bar]:
    is_thickness = keyword == "SliceThickness"
    low_operator = Operator.ABOVE if is_thickness else Operator.AT_LEAST
    high_operator = Operator.AT_MOST if is_thickness else Operator.BELOW
    edges: list[float | None] = [None, *_EDGES[keyword], None]
    for low, high in itertools.pairwise(edges):
        if not counts[low, high]:
            continue
        parts = [
            compare(keyword, operator, [_plain(edge)])
            for operator, edge in ((low_operator, low), (high_operator, high))
            if edge is not None
        ]
        choice: Predicate = parts[0] if len(parts) == 1 else AllOf(tuple(parts))
        yield Bar("", low, high, choice, counts[low, high])


def _plain(number: float) -> Value:
    return int(number) if number == int(number) else number
