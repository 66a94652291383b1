"""A slice of the matrix of hiding places; all of it in ``benchmarks/canary_matrix.py``."""

import pytest

from tests.canaries.matrix import DECLARED, Combination, attempt, combinations


def test_the_matrix_has_every_kind() -> None:
    assert len(set(combinations())) > 400


@pytest.mark.parametrize(
    "one",
    [
        *(Combination("explicit little", 0, declared, "plain") for declared in DECLARED),
        Combination("explicit little", 1, "own", "name"),
        Combination("explicit little", 4, "own", "among safe words"),
        Combination("implicit little", 0, "own", "lower"),
        Combination("explicit big", 4, "LO", "accents"),
        Combination("deflated", 0, "own", "UTF-16"),
    ],
    ids=str,
)
def test_no_token_of_any_attribute_comes_through(one: Combination) -> None:
    tried = attempt(one)
    assert tried.leaving > 0.9 * tried.attributes > 3000
    assert tried.found == ()
