"""Which instance goes into which part: whole patients, in order of their codes, until a part is full."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

MAX_PART_BYTES = (4 << 30) - (16 << 20)  # below 4 GiB: FAT32, and mail and upload gateways, stop there
# Far below the 65,535 of a zip without ZIP64: a part's tables are in memory while it is verified.
MAX_PART_ENTRIES = 10_000
# A bundle is shared out among so many parts, so that as many processors can build it, and what has to be sent again is
# small; but nobody wants to handle parts below this size, or ten times the same metadata.
PARTS_WANTED = 8
SMALLEST_TARGET_BYTES = 64 << 20
# The bag's own files (bagit.txt, bag-info.txt, two manifests), croissant.json, and eight under metadata/.
FIXED_ENTRIES = 13
# What an instance costs at most besides its bytes, with names of up to 170 characters in the zip: zip headers
# (76 + 2 names), a manifest line (70 + name), lines of instances.csv (5 UIDs and a digest) and series.csv.
ENTRY_BYTES = 1600


@dataclass(frozen=True, slots=True)
class PatientLoad:
    """How much a patient brings: instances, and an upper bound of their bytes."""

    patient_id: int
    instances: int
    size: int


@dataclass(frozen=True, slots=True)
class Slice:
    """The instances ``start`` to ``stop`` (half-open) of a patient, counted in the order of export."""

    patient_id: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class PlannedPart:
    """One part: its number from 1, what goes into it, and an upper bound of its size in bytes."""

    number: int
    slices: tuple[Slice, ...]
    instances: int
    size: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """What fits into one part; ``overhead`` are the bytes of its metadata files.

    ``target`` is how much instances fill a part: another patient starts a new one beyond it.
    """

    size: int
    entries: int
    overhead: int
    target: int = MAX_PART_BYTES

    def holds(self, instances: int, size: int) -> bool:
        """Whether so many instances of so many bytes in all fit."""
        return instances + FIXED_ENTRIES <= self.entries and size + instances * ENTRY_BYTES + self.overhead <= self.size


def target_size(patients: Iterable[PatientLoad], overhead: int) -> int:
    """How full parts should be, in bytes, where the protocol allows it; ``overhead`` as of ``Capacity``."""
    total = sum(patient.size for patient in patients)
    return max(total // PARTS_WANTED, SMALLEST_TARGET_BYTES, 10 * overhead)


def plan_parts(
    patients: Iterable[PatientLoad], sizes_of: Callable[[int], Iterable[int]], capacity: Capacity
) -> tuple[PlannedPart, ...]:
    """Fill parts in the order given. Deterministic; knows nothing of workers, time or place.

    A patient that does not fit into what is left, or into what is left of the target, starts a new part; one that
    fits into no part at all is split, and an instance that alone is larger than a part gets one of its own.
    ``sizes_of(patient_id)`` is only asked for a patient that is split.
    """
    parts: list[PlannedPart] = []
    slices: list[Slice] = []
    instances = size = 0

    def close() -> None:
        nonlocal instances, size
        if slices:
            total = size + instances * ENTRY_BYTES + capacity.overhead
            parts.append(PlannedPart(len(parts) + 1, tuple(slices), instances, total))
        slices.clear()
        instances = size = 0

    for patient in patients:
        if (
            not capacity.holds(instances + patient.instances, size + patient.size)
            or size + patient.size > capacity.target
        ):
            close()
        if capacity.holds(patient.instances, patient.size):
            pieces: Sequence[tuple[Slice, int]] = [(Slice(patient.patient_id, 0, patient.instances), patient.size)]
        else:
            pieces = _split(patient.patient_id, sizes_of(patient.patient_id), capacity)
        for piece, piece_size in pieces:
            if not capacity.holds(instances + piece.stop - piece.start, size + piece_size):
                close()
            slices.append(piece)
            instances += piece.stop - piece.start
            size += piece_size
    close()
    return tuple(parts)


def _split(patient_id: int, sizes: Iterable[int], capacity: Capacity) -> list[tuple[Slice, int]]:
    pieces: list[tuple[Slice, int]] = []
    start = stop = total = 0
    for size in sizes:
        if stop > start and not capacity.holds(stop - start + 1, total + size):
            pieces.append((Slice(patient_id, start, stop), total))
            start, total = stop, 0
        stop += 1
        total += size
    if stop > start:
        pieces.append((Slice(patient_id, start, stop), total))
    return pieces
