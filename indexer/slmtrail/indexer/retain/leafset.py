"""Leaves of a ledger, by rows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from slmtrail.core.ports import Rows


class LeafSet:
    """The leaves of rows that may overlap."""

    def __init__(self, rows: Iterable[tuple[int, int]] = ()) -> None:
        joined: list[tuple[int, int]] = []
        for first, last in sorted(rows):
            if joined and first <= joined[-1][1] + 1:
                joined[-1] = joined[-1][0], max(last, joined[-1][1])
            else:
                joined.append((first, last))
        self.rows: Rows = joined
        """In order, without an overlap."""
        self._starts = [first for first, _ in joined]

    def __contains__(self, leaf: int) -> bool:
        place = bisect_right(self._starts, leaf) - 1
        return place >= 0 and leaf <= self.rows[place][1]

    def __len__(self) -> int:
        return sum(last - first + 1 for first, last in self.rows)

    def __or__(self, other: LeafSet) -> LeafSet:
        return LeafSet([*self.rows, *other.rows])

    def __sub__(self, other: LeafSet) -> LeafSet:
        return LeafSet(self._without(other))

    def _without(self, other: LeafSet) -> Iterator[tuple[int, int]]:
        for first, last in self.rows:
            place = max(0, bisect_right(other._starts, first) - 1)
            while first <= last and place < len(other.rows) and other.rows[place][0] <= last:
                start, end = other.rows[place]
                if end >= first:
                    if start > first:
                        yield first, start - 1
                    first = end + 1
                place += 1
            if first <= last:
                yield first, last
