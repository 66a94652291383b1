"""How long the table of values takes over 300,000 rows: made, searched, filtered, sorted, decided on.

``python -m benchmarks.value_table [ROWS]`` prints one line a figure, the slowest of five runs.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeVar

from app.project.decisions import Decisions
from app.project.values import RowKind, Suspicion, ValueRow, by_severity
from app.review.deciding import Choice, decide_rows, remember, restore
from app.review.table import Column, Query, ValueTable

T = TypeVar("T")

RUNS = 5
_PATHS = (
    "SeriesDescription", "StudyDescription", "ProtocolName", "RequestAttributesSequence.CodeMeaning",
    "SoftwareVersions", "ManufacturerModelName", "ContrastBolusAgent", "BodyPartExamined", "KernelName",
)  # fmt: skip
_WORDS = "thorax abdomen nativ axial coronal kernel sharp soft lung bone recon phase venous arterial delay dose".split()


def make_rows(count: int) -> list[ValueRow]:
    """Invented rows, a tenth of them suspicious, in the dump's order."""
    random = Random(1)
    rows = []
    for number in range(count):
        value = f"{' '.join(random.choices(_WORDS, k=random.randint(1, 5)))} {number}"
        suspicion = by_severity(random.sample(list(Suspicion), random.randint(1, 3))) if number % 10 == 0 else ()
        counts = (random.randint(1, 5000), random.randint(1, 400))
        rows.append(ValueRow(RowKind.VALUE, random.choice(_PATHS), value, "LO", "", "", "", *counts, 1, suspicion))
    rows.sort(key=lambda row: row.sort_key)
    return rows


def main() -> None:
    """Print the figures."""
    rows = make_rows(int(sys.argv[1]) if len(sys.argv) > 1 else 300_000)
    print(f"{len(rows)} rows")
    table = _measure("make the table (off the window's thread)", lambda: ValueTable(rows, Decisions()), runs=1)
    _measure("search for a word", lambda: table.find(Query("lung")))
    _measure("search for two words that few rows have", lambda: table.find(Query("lung 1234")))
    _measure("filter by two reasons", lambda: table.find(Query(reasons=frozenset({Suspicion.DATE, Suspicion.RARE}))))
    for column in Column:
        _measure(f"sort all by {column}", partial(table.find, Query(), column, descending=True))
    _measure("count for the filters", table.counts)
    _measure("progress", lambda: table.progress)
    one = rows[0]
    drop = decide_rows(Decisions(), [one], Choice.DROP)
    _measure("decide on one row and show it", lambda: table.decide(decide_rows(drop, [one], Choice.KEEP), [0]))
    suspicious = table.find(Query(suspicious_only=True)).tolist()
    group = [rows[number] for number in suspicious]
    decided = _measure(f"decide on {len(group)} rows", lambda: decide_rows(Decisions(), group, Choice.KEEP))
    _measure(f"work out {len(group)} decisions for all rows", lambda: table.choice_codes(decided))
    _measure("undo them", lambda: restore(decided, remember(Decisions(), group)))


def _measure(what: str, function: Callable[[], T], runs: int = RUNS) -> T:
    slowest = 0.0
    for _ in range(runs):
        start = time.perf_counter()
        result = function()
        slowest = max(slowest, time.perf_counter() - start)
    print(f"{slowest * 1000:8.1f} ms  {what}")
    return result


if __name__ == "__main__":
    main()
