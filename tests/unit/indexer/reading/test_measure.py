"""Tests of chance, held against values worked out by hand or by trying every arrangement."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slmtrail.indexer.reading.measure import SURE, percentiles, shares_differ, values_differ

NUMBERS = st.lists(st.integers(0, 50), max_size=40)


def test_shares_by_the_book() -> None:
    # z = (0.15 - 0.10) / sqrt(0.125 * 0.875 * (1/200 + 1/200)) = 1.512
    assert shares_differ(30, 200, 20, 200) == pytest.approx(0.1306, abs=0.0005)
    assert shares_differ(60, 200, 20, 200) < SURE
    assert shares_differ(0, 0, 5, 10) == shares_differ(0, 9, 0, 9) == shares_differ(9, 9, 9, 9) == 1.0


def test_values_by_every_arrangement() -> None:
    one, other = [1, 2, 3, 4, 5, 6, 7], [4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5]
    everything = sorted(one + other)

    def above(chosen: tuple[float, ...]) -> float:
        rest = [value for value in everything if value not in chosen]
        return abs(sum(a > b for a in chosen for b in rest) - len(chosen) * len(rest) / 2)

    seen = above(tuple(one))
    arrangements = [above(chosen) for chosen in combinations(everything, 7)]
    exact = sum(value >= seen for value in arrangements) / len(arrangements)
    assert values_differ(one, other) == pytest.approx(exact, abs=0.01)


@given(NUMBERS, NUMBERS)
def test_it_does_not_matter_which_is_which(one: list[int], other: list[int]) -> None:
    p = values_differ(one, other)
    assert 0 <= p <= 1
    assert p == pytest.approx(values_differ(other, one))


@given(NUMBERS.filter(bool))
def test_the_same_numbers_do_not_differ(values: list[int]) -> None:
    assert values_differ(values, values) == pytest.approx(1.0)


def test_percentiles_are_values_that_are_there() -> None:
    assert percentiles(list(range(1, 101))) == {"p50": 50, "p95": 95, "p99": 99}
    assert percentiles([7]) == {"p50": 7, "p95": 7, "p99": 7}
    assert percentiles([]) == {}
