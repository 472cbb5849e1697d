"""Which leaves of a ledger a store lacks, asked of counts over ever smaller ranges: what is whole costs one."""

from __future__ import annotations

from collections.abc import Iterator

from slmtrail.core import certificate
from slmtrail.core.ports import Store

LARGEST = 2**20
"""Leaves in one question: their sum is still exact where it is added up in floating point."""

SMALLEST = 1024
"""Leaves that are asked for by name."""


def holes(store: Store, ledger: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The leaves from `start` up to `end` that `store` lacks, as the first and the last of each row.

    A leaf that stands twice hides no other one: the sum of the leaves tells.
    """
    waiting: tuple[int, int] | None = None
    for first in range(start, end, LARGEST):
        for row in _holes(store, ledger, first, min(first + LARGEST, end)):
            if waiting and row[0] == waiting[1] + 1:
                waiting = waiting[0], row[1]
            else:
                if waiting:
                    yield waiting
                waiting = row
    if waiting:
        yield waiting


def _holes(store: Store, ledger: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    count = end - start
    found = store.tally(ledger, start, end)
    if found == (count, (start + end - 1) * count // 2):
        return
    if not found[0]:
        yield start, end - 1
    elif count <= SMALLEST:
        yield from certificate.rows(sorted(set(range(start, end)) - store.holding(ledger, range(start, end))))
    else:
        middle = start + count // 2
        yield from _holes(store, ledger, start, middle)
        yield from _holes(store, ledger, middle, end)
