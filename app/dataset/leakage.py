"""How well one released attribute alone tells the label: what a model could learn instead of what is in the images.

Each attribute is scored by the balanced accuracy of the plainest classifier there is: for each value, the class in
which it is most frequent, learned on four fifths of the patients and tried on the rest. What chance alone would reach
comes from shuffling the labels among the patients: the best attribute of each shuffle, so that having many attributes
does not make one of them look good.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.dataset.released import ReleasedStudy

FOLDS = 5
SHUFFLES = 200
FEWEST_PATIENTS = 5  # of a class; with fewer, nothing can be said
# Shares of shuffles whose best attribute an attribute must beat.
CHANCE_QUANTILE = 0.99
_MOST_VALUES = 20  # a number with more is cut into bins of equal counts
_BINS = 10
ORDER, SIZE, IMAGES, SERIES = "order in the bundle", "size in bytes", "number of images", "number of series"

Codes = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Leak:
    """How well an attribute tells a label.

    ``accuracy`` is balanced, 0 to 1; ``chance`` is one by the number of classes; ``shuffled`` is what the best
    attribute reached in 99 of 100 shuffles; ``score`` is the accuracy on a scale from 0.5 (chance) to 1 (always right).
    """

    label: str
    attribute: str
    accuracy: float
    chance: float
    shuffled: float
    classes: tuple[str, ...]
    patients: int

    @property
    def score(self) -> float:
        """Comparable between labels of two and of more classes."""
        return 0.5 + 0.5 * (self.accuracy - self.chance) / (1 - self.chance)


def find_leaks(studies: Sequence[ReleasedStudy], label: str, values: Mapping[tuple[int, str], str]) -> list[Leak]:
    """Every attribute that beats chance on one label, the best first.

    ``values`` gives the class of a study by its key; studies without one do not count, nor do classes of fewer than
    five patients. Empty where fewer than two classes are left.
    """
    labelled = [(one, values[one.key]) for one in studies if one.key in values]
    patients: dict[str, set[int]] = {}
    for study, value in labelled:
        patients.setdefault(value, set()).add(study.patient_id)
    classes = tuple(sorted(value for value, members in patients.items() if len(members) >= FEWEST_PATIENTS))
    if len(classes) < 2:
        return []
    kept = [(study, classes.index(value)) for study, value in labelled if value in classes]
    design = _Design.make([study.patient_id for study, _ in kept], [number for _, number in kept], len(classes))
    accuracies: dict[str, float] = {}
    best_shuffled = np.zeros(SHUFFLES)
    memory: dict[bytes, NDArray[np.float64]] = {}
    for attribute, codes in _features([study for study, _ in kept]):
        identity = codes.tobytes()
        if identity not in memory:
            memory[identity] = design.accuracies(codes)
        found = memory[identity]
        accuracies[attribute] = max(accuracies.get(attribute, 0.0), float(found[0]))
        best_shuffled = np.maximum(best_shuffled, found[1:])
    shuffled = float(np.quantile(best_shuffled, CHANCE_QUANTILE))
    leaks = [
        Leak(label, attribute, accuracy, 1 / len(classes), shuffled, classes, design.patients)
        for attribute, accuracy in accuracies.items()
        if accuracy > shuffled
    ]
    return sorted(leaks, key=lambda leak: (-leak.accuracy, leak.attribute))


@dataclass(frozen=True, slots=True, eq=False)
class _Design:
    """Which fold each study is in, its class (row 0) and its class in each shuffle (the other rows)."""

    folds: Codes
    labels: Codes
    classes: int
    patients: int

    @classmethod
    def make(cls, patients: Sequence[int], labels: Sequence[int], classes: int) -> "_Design":
        random = np.random.default_rng(0)  # the same data give the same figures
        of_patient: dict[int, int] = {}
        for patient, label in zip(patients, labels, strict=True):
            of_patient.setdefault(patient, label)
        names = sorted(of_patient)
        row = {patient: number for number, patient in enumerate(names)}
        rows = np.array([row[patient] for patient in patients])
        own = np.array([of_patient[patient] for patient in names])
        folds = np.empty(len(names), np.int64)
        for value in range(classes):  # every fold has its share of every class
            members = random.permutation(np.flatnonzero(own == value))
            folds[members] = np.arange(len(members)) % FOLDS
        shuffles = [random.permutation(own)[rows] for _ in range(SHUFFLES)]
        return cls(folds[rows], np.stack([np.array(labels), *shuffles]), classes, len(names))

    def accuracies(self, codes: Codes) -> NDArray[np.float64]:
        """The balanced accuracy of an attribute for the labels and for each shuffle of them."""
        values = int(codes.max()) + 1
        shuffles = len(self.labels)
        cell = (self.folds * values + codes) * self.classes
        index = np.arange(shuffles)[:, None] * (FOLDS * values * self.classes) + cell + self.labels
        counts = np.bincount(index.ravel(), minlength=shuffles * FOLDS * values * self.classes)
        tested = counts.reshape(shuffles, FOLDS, values, self.classes).astype(float)
        learned = tested.sum(1, keepdims=True) - tested
        shares = learned / np.maximum(learned.sum(2, keepdims=True), 1)
        is_best = shares >= shares.max(3, keepdims=True) - 1e-12
        right = (tested * is_best / is_best.sum(3, keepdims=True)).sum((1, 2))
        return np.asarray((right / tested.sum((1, 2))).mean(1))


def _features(studies: Sequence[ReleasedStudy]) -> Iterator[tuple[str, Codes]]:
    """Each attribute as small whole numbers; those that are the same for all studies are left out."""
    columns: list[tuple[str, list[Any]]] = []
    for path in sorted({path for one in studies for path in one.texts}):
        columns.append((path, ["\\".join(one.texts.get(path, ())) for one in studies]))
    for path in sorted({path for one in studies for path in one.numbers}):
        for end in (0, 1):
            columns.append((path, [one.numbers[path][end] if path in one.numbers else None for one in studies]))
    places = {code: place for place, code in enumerate(sorted({one.patient_code for one in studies}))}
    columns += [
        (ORDER, [float(places[one.patient_code]) for one in studies]),
        (SIZE, [float(one.size) for one in studies]),
        (IMAGES, [float(one.images) for one in studies]),
        (SERIES, [float(one.series) for one in studies]),
    ]
    for name, column in columns:
        codes = _codes(column)
        if codes.max() > 0:
            yield name, codes


def _codes(column: Sequence[Any]) -> Codes:
    present = [value for value in column if value is not None]
    distinct = sorted(set(present))
    if distinct and isinstance(distinct[0], float) and len(distinct) > _MOST_VALUES:
        edges = np.quantile(np.array(present), np.linspace(0, 1, _BINS + 1)[1:-1])
        return np.array([0 if value is None else 1 + int(np.searchsorted(edges, value, "right")) for value in column])
    counts = Counter(present)
    # A value of one study alone teaches nothing that could be tried on another one: all of these are one value.
    repeated = {value: number for number, value in enumerate((one for one in distinct if counts[one] > 1), start=2)}
    codes = [0 if value is None else repeated.get(value, 1) for value in column]
    return np.unique(np.array(codes), return_inverse=True)[1].astype(np.int64)
