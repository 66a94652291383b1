"""Which instance goes into which part."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from app.bundle.plan import (
    ENTRY_BYTES,
    FIXED_ENTRIES,
    Capacity,
    PatientLoad,
    PlannedPart,
    Slice,
    plan_parts,
    target_size,
)

Sizes = dict[int, list[int]]


def plan(sizes: Sizes, capacity: Capacity) -> tuple[PlannedPart, ...]:
    loads = [PatientLoad(patient, len(own), sum(own)) for patient, own in sizes.items()]
    return plan_parts(loads, lambda patient: sizes[patient], capacity)


def room_for(size: int, entries: int = 1000) -> Capacity:
    return Capacity(size, entries + FIXED_ENTRIES, 0)


def cost(size: int) -> int:
    return size + ENTRY_BYTES


def test_patients_share_a_part_while_they_fit() -> None:
    parts = plan({1: [100, 100], 2: [100]}, room_for(3 * cost(100)))
    assert [part.slices for part in parts] == [(Slice(1, 0, 2), Slice(2, 0, 1))]


def test_a_patient_that_no_longer_fits_starts_a_new_part_whole() -> None:
    parts = plan({1: [100, 100], 2: [100, 100]}, room_for(3 * cost(100)))
    assert [part.slices for part in parts] == [(Slice(1, 0, 2),), (Slice(2, 0, 2),)]


def test_a_part_is_as_full_as_it_should_be_and_no_patient_is_split_for_that() -> None:
    capacity = replace(room_for(10 * cost(100)), target=250)
    parts = plan({1: [100], 2: [100], 3: [100], 4: [100] * 5, 5: [100]}, capacity)
    assert [part.slices for part in parts] == [
        (Slice(1, 0, 1), Slice(2, 0, 1)),
        (Slice(3, 0, 1),),
        (Slice(4, 0, 5),),
        (Slice(5, 0, 1),),
    ]


def test_bundle_is_shared_out_among_eight_parts_unless_they_were_tiny() -> None:
    many = [PatientLoad(number, 100, 50_000_000) for number in range(64)]
    assert target_size(many, 1000) == 8 * 50_000_000
    assert target_size(many[:3], 1000) == 64 << 20
    assert target_size(many[:3], 20_000_000) == 200_000_000


def test_only_a_patient_larger_than_a_part_is_split() -> None:
    parts = plan({1: [100], 2: [100] * 5, 3: [100]}, room_for(2 * cost(100)))
    assert [part.slices for part in parts] == [
        (Slice(1, 0, 1),),
        (Slice(2, 0, 2),),
        (Slice(2, 2, 4),),
        (Slice(2, 4, 5), Slice(3, 0, 1)),
    ]


def test_an_instance_larger_than_a_part_gets_one_of_its_own() -> None:
    parts = plan({1: [100, 99_999, 100]}, room_for(2 * cost(100)))
    assert [part.slices for part in parts] == [(Slice(1, 0, 1),), (Slice(1, 1, 2),), (Slice(1, 2, 3),)]


def test_the_number_of_entries_is_bounded_too() -> None:
    parts = plan({1: [1] * 7}, room_for(10**9, entries=3))
    assert [part.instances for part in parts] == [3, 3, 1]


def test_nothing_to_release_is_no_part() -> None:
    assert plan({}, room_for(1000)) == ()


@given(
    st.dictionaries(st.integers(1, 50), st.lists(st.integers(0, 5000), min_size=1, max_size=12), max_size=12),
    st.integers(1, 40_000),
    st.integers(1, 20),
)
def test_every_instance_is_in_exactly_one_part_and_parts_hold_what_they_can(
    sizes: Sizes, size: int, entries: int
) -> None:
    capacity = room_for(size, entries)
    parts = plan(sizes, capacity)
    planned = [
        (piece.patient_id, index) for part in parts for piece in part.slices for index in range(piece.start, piece.stop)
    ]
    assert planned == [(patient, index) for patient, own in sizes.items() for index in range(len(own))]
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    for part in parts:
        own = sum(sum(sizes[piece.patient_id][piece.start : piece.stop]) for piece in part.slices)
        assert part.instances == 1 or capacity.holds(part.instances, own)
        for piece in part.slices:
            load = sizes[piece.patient_id]
            is_whole = piece.stop - piece.start == len(load)
            assert is_whole or not capacity.holds(len(load), sum(load))
