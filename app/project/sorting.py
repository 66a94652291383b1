"""Sorting that lets other threads run: one long sort holds the interpreter, and the window stalls."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

T = TypeVar("T")
_AT_ONCE = 10_000


def sorted_in_pieces(rows: Iterable[T], key: Callable[[T], Any] | None = None) -> Iterator[T]:
    """The rows in order, as ``sorted`` gives them."""
    source = iter(rows)
    pieces = []
    while piece := sorted(islice(source, _AT_ONCE), key=key):  # type: ignore[type-var,arg-type]  # as sorted()'s own
        pieces.append(piece)
    return heapq.merge(*pieces, key=key)  # type: ignore[arg-type]
