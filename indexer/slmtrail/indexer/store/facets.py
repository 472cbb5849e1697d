"""What the records that fit a query have in common: the fields they can be counted by, and the steps of time."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from slmtrail.core.errors import QueryError
from slmtrail.indexer.store.columns import COLUMNS, IPS, TERMS
from slmtrail.indexer.store.language.fits import values
from slmtrail.indexer.store.language.names import ALIASES

MAX_VALUES, MAX_BARS = 1000, 1000
_SECOND_MS, _DAY_MS = 1000, 86_400_000
_STEPS_MS = (
    1, 10, 100, *(_SECOND_MS * n for n in (1, 5, 15, 30, 60, 300, 900, 1800, 3600, 10_800, 21_600, 43_200)),
    *(_DAY_MS * n for n in (1, 7, 28, 91, 364, 3640, 36_400, 364_000, 3_640_000)),
)  # fmt: skip

FACETS = {
    name: fields
    for name, fields in ALIASES.items()
    if fields != IPS and (fields in TERMS.values() or (fields[0] in COLUMNS and len(fields) == 1))
}
"""The short names that records are counted by: those which every store has an index or a column for."""


def fields_of(name: str, size: int) -> tuple[str, ...]:
    """The fields behind a facet. Raises QueryError where records can't be counted by it."""
    if not 1 <= size <= MAX_VALUES:
        raise QueryError(f"size: {size} is not between 1 and {MAX_VALUES}")
    if name not in FACETS:
        meant = next(iter(difflib.get_close_matches(name, FACETS, 1)), "")
        hint = f"did you mean {meant}?" if meant else f"count by one of {', '.join(sorted(FACETS))}"
        raise QueryError(f"records can't be counted by {name!r}; {hint}")
    return FACETS[name]


def tallied(records: Iterable[dict[str, Any]], name: str, size: int) -> dict[str, int]:
    """The most frequent values of a facet among records that are here, as a store counts them."""
    fields = fields_of(name, size)
    counts = Counter(value for record in records for value in {v for field in fields for v in values(record, field)})
    return {str(value): count for value, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:size]}


def step_ms(first_ms: int, last_ms: int, bars: int) -> int:
    """The smallest step of the list by which no more than so many are from the first to the last time."""
    if not 2 <= bars <= MAX_BARS:
        raise QueryError(f"bars: {bars} is not between 2 and {MAX_BARS}")
    return next((step for step in _STEPS_MS if last_ms // step - first_ms // step < bars), _STEPS_MS[-1])
