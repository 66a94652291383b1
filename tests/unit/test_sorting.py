"""Sorting in pieces is sorting."""

from hypothesis import given
from hypothesis import strategies as st

from app.project import sorting
from app.project.sorting import sorted_in_pieces


@given(st.lists(st.tuples(st.integers(0, 5), st.text(max_size=3)), max_size=60), st.integers(1, 7))
def test_rows_come_in_the_order_of_one_sort(rows: list[tuple[int, str]], at_once: int) -> None:
    before, sorting._AT_ONCE = sorting._AT_ONCE, at_once
    try:
        assert list(sorted_in_pieces(rows)) == sorted(rows)
        assert list(sorted_in_pieces(rows, key=lambda row: row[0])) == sorted(rows, key=lambda row: row[0])
    finally:
        sorting._AT_ONCE = before
