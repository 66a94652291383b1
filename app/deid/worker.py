"""The part of *prepare* that runs in other processes: headers in, plain counts out; no database, no exceptions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from app.deid.hits import Applied, Hit, Record, parts_of
from app.deid.recipe import Patient, Recipe
from app.deid.release import Releaser
from app.deid.values import Fold, Number
from app.errors import FileError, Reason
from app.files.locator import ArchiveCache, Locator, open_locator
from app.project.images import ImagePlan


@dataclass(frozen=True, slots=True)
class PrepareContext:
    """What the instances of a batch share; ``name`` is the batch's key in the catalogue."""

    name: str
    recipe: Recipe
    patient: Patient


@dataclass(frozen=True, slots=True)
class PrepareItem:
    """One instance to prepare; ``plan`` is what becomes of its pixels, None where it shows no picture."""

    instance_id: int
    original_locator: str = field(repr=False)
    plan: ImagePlan | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an instance: ``reason`` is None where it is prepared."""

    instance_id: int
    reason: Reason | None
    size_limit: int


@dataclass(slots=True)
class ValueRow:
    """One row of the dump for one batch."""

    path: str
    vr: str
    fold: str
    value: str
    low: Number | str | None
    high: Number | str | None
    identity_hit: bool
    example_instance_id: int
    count: int = 0


@dataclass(slots=True)
class PreparedBatch:
    """All that is kept of a batch."""

    outcomes: list[Outcome] = field(default_factory=list)
    values: list[ValueRow] = field(default_factory=list)
    original_words: Counter[str] = field(default_factory=Counter)
    applied: Counter[Applied] = field(default_factory=Counter)
    original_uids: set[tuple[str, str]] = field(default_factory=set)


def prepare_batch(context: PrepareContext, items: tuple[PrepareItem, ...]) -> PreparedBatch:
    """De-identify the headers of a batch in memory, and keep what would leave."""
    batch = PreparedBatch()
    releaser = Releaser(context.recipe, context.patient)
    counts: Counter[Hit] = Counter()
    examples: dict[Hit, int] = {}
    with ArchiveCache() as cache:
        for item in items:
            try:
                with open_locator(Locator.from_text(item.original_locator), cache) as file:
                    surveyed = releaser.survey(file, item.plan)
            except FileError as error:
                batch.outcomes.append(Outcome(item.instance_id, error.reason, 0))
                continue
            except OSError:
                batch.outcomes.append(Outcome(item.instance_id, Reason.UNREADABLE_IO, 0))
                continue
            batch.outcomes.append(Outcome(item.instance_id, None, surveyed.size_limit))
            counts.update(surveyed.header.hits)
            for hit in surveyed.header.hits:
                examples.setdefault(hit, item.instance_id)
    _summarize(batch, counts, examples)
    return batch


def _summarize(batch: PreparedBatch, joined: Counter[Hit], joined_examples: dict[Hit, int]) -> None:
    counts: Counter[Hit] = Counter()
    examples: dict[Hit, int] = {}
    for hit, count in joined.items():
        for part in parts_of(hit):
            counts[part] += count
            examples[part] = min(examples.get(part, joined_examples[hit]), joined_examples[hit])
    rows: dict[tuple[str, str, str], ValueRow] = {}
    for hit, count in counts.items():
        told: set[tuple[str, str, str]] = set()
        for record in hit.records:
            _add(rows, record, examples[hit])
            told.add(_key(record))
        for key in told:  # an instance counts once, however often it says the same
            rows[key].count += count
        for option in hit.options:
            batch.applied[Applied("", "option", option.value)] += count
        for applied in hit.applied:
            batch.applied[applied] += count
        for word in hit.original_words:
            batch.original_words[word.casefold()] += count
        batch.original_uids.update(hit.original_uids)
    batch.values = list(rows.values())


def _key(record: Record) -> tuple[str, str, str]:
    return record.path, record.fold.value, record.value if record.fold is Fold.NONE else ""


def _add(rows: dict[tuple[str, str, str], ValueRow], record: Record, example: int) -> None:
    key = _key(record)
    row = rows.get(key)
    if row is None:
        row = rows[key] = ValueRow(
            record.path, record.vr, key[1], key[2], record.low, record.high, record.identity_hit, example
        )
    row.identity_hit |= record.identity_hit
    row.low = _least(row.low, record.low)
    row.high = _greatest(row.high, record.high)
    row.example_instance_id = min(row.example_instance_id, example)


def _least(left: Number | str | None, right: Number | str | None) -> Number | str | None:
    if isinstance(left, str) or isinstance(right, str):
        return min(part for part in (left, right) if isinstance(part, str))
    return min(_numbers(left, right), default=None)


def _greatest(left: Number | str | None, right: Number | str | None) -> Number | str | None:
    if isinstance(left, str) or isinstance(right, str):
        return max(part for part in (left, right) if isinstance(part, str))
    return max(_numbers(left, right), default=None)


def _numbers(*parts: Number | str | None) -> Iterable[Number]:
    return [part for part in parts if isinstance(part, int | float)]
