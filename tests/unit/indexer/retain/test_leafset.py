"""Leaves by rows are what sets of leaves are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from slmtrail.indexer.retain.leafset import LeafSet

ROWS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8)).map(lambda row: (row[0], row[0] + row[1])), max_size=8)


def leaves(rows: list[tuple[int, int]]) -> set[int]:
    return {leaf for first, last in rows for leaf in range(first, last + 1)}


@given(ROWS, ROWS)
def test_they_add_and_subtract_as_sets_do(some: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    one, other = LeafSet(some), LeafSet(others)
    assert len(one) == len(leaves(some))
    assert {leaf for leaf in range(60) if leaf in one} == leaves(some)
    assert leaves(list((one | other).rows)) == leaves(some) | leaves(others)
    assert leaves(list((one - other).rows)) == leaves(some) - leaves(others)
    rows = (one - other).rows
    assert all(last + 1 < first for (_, last), (first, _) in pairwise(rows))
