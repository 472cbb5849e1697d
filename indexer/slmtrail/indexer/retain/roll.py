"""Keeps hourly statistics up to date: an hour that is over is made anew from its records whenever one of it comes."""

from __future__ import annotations

from slmtrail.core.ports import Query, Store
from slmtrail.core.rollup import FIELDS, HOUR_MS, hour_of, rolled_up
from slmtrail.indexer.retain.state import State

LATE_MS = 10 * 60_000
"""How long after its end an hour waits for what is still on its way."""
END = 2**62


def roll(store: Store, state: State, at_ms: int, kept_since_ms: int) -> int:
    """Looks at what is new and makes its hours anew, those that are over; `state` moves on. Returns how many hours.

    An hour from before `kept_since_ms`, of which records may be gone by now, stays as it was told.
    """
    hours = set(state.hours)
    for ledger in store.ledgers():
        for sealed in store.scan(ledger, state.rolled.get(ledger, 0), END):
            state.rolled[ledger] = sealed.leaf + 1
            hours.add(hour_of(sealed.record))
    over = sorted(hour for hour in hours if hour + HOUR_MS + LATE_MS <= at_ms)
    made = 0
    for hour in over:
        if hour < kept_since_ms and store.rollups(hour, hour + HOUR_MS):
            continue
        records = store.select(Query(since_ms=hour, until_ms=hour + HOUR_MS), FIELDS)
        store.roll_up(hour, rolled_up(hour, (fields for _, _, fields in records)))
        made += 1
    state.hours = sorted(hours.difference(over))
    return made
