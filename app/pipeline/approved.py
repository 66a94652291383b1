"""The values of a release as people let them leave."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from app.bundle.release import ValueRow
from app.deid.absent import dummy_of
from app.deid.recipe import Recipe
from app.deid.values import Fold
from app.project.values import RowKind
from app.project.values import ValueRow as DumpRow


def approved_values(rows: Sequence[DumpRow], recipe: Recipe) -> Iterator[ValueRow]:
    """The rows of the dump as they leave: without the dropped ones, with the replaced ones as replaced."""
    approved: dict[tuple[str, str, str], ValueRow] = {}
    for row in rows:
        if row.kind not in (RowKind.VALUE, RowKind.RANGE):
            continue
        value: str | None = row.value
        if row.kind is RowKind.VALUE:
            value = recipe.decisions.get((row.path, row.value), row.value)
        if row.path in recipe.dropped_paths or value is None:
            value, fold, low, high = dummy_of(row.vr)
        else:
            fold, low, high = row.fold, row.low, row.high
        key = (row.path, fold, value)
        measure = float if fold == Fold.NUMBER else str
        if key in approved:
            known = approved[key]
            approved[key] = replace(
                known,
                instances=known.instances + row.instances,
                patients=max(known.patients, row.patients),
                low=min(known.low, low, key=measure),
                high=max(known.high, high, key=measure),
            )
        else:
            approved[key] = ValueRow(row.path, row.vr, fold, value, low, high, row.instances, row.patients)
    yield from sorted(approved.values(), key=lambda one: (one.path, one.fold, one.value))
