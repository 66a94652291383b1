"""What a comparison of numbers, dates or ages asks for, as closed intervals that both engines share."""

import math
import sys

from app.dicom.query import QueryType
from app.protocol.predicates import VOCABULARY, Comparison, Operator

# Relative; above the 6e-8 by which a 32-bit float differs from the decimal that it stands for.
NUMBER_TOLERANCE = 1e-7
# Dates are whole numbers, YYYYMMDD.
DATE_TOLERANCE = 0.5
# Bounds are finite, so that an infinite value is within none.
LARGEST = sys.float_info.max

Interval = tuple[float, float]


def intervals(comparison: Comparison) -> tuple[Interval, ...]:
    """The intervals, ends included, of which a value must be in one. Not for ``exists``, nor for texts."""
    is_date = VOCABULARY[comparison.keyword] is QueryType.DATE
    around = [_around(float(value), is_date) for value in comparison.values]
    low, high = around[0][0], around[-1][1]
    match comparison.operator:
        case Operator.IS | Operator.IN:
            return tuple(around)
        case Operator.AT_MOST:
            return ((-LARGEST, high),)
        case Operator.AT_LEAST:
            return ((low, LARGEST),)
        case Operator.BELOW:
            return ((-LARGEST, math.nextafter(low, -math.inf)),)
        case Operator.ABOVE:
            return ((math.nextafter(high, math.inf), LARGEST),)
        case Operator.BETWEEN:
            return ((low, high),)
        case Operator.MATCHES | Operator.CONTAINS | Operator.EXISTS:
            raise AssertionError("no comparison of numbers")


def _around(value: float, is_date: bool) -> Interval:
    tolerance = DATE_TOLERANCE if is_date else NUMBER_TOLERANCE * abs(value)
    return (value - tolerance, value + tolerance)
