"""Keeps hourly statistics up to date: an hour that is over is made anew from its records when their number changed."""

from __future__ import annotations

from collections import Counter

from slmtrail.core.ports import Query, Store
from slmtrail.core.rollup import FIELDS, HOUR_MS, rolled_up

LATE_MS = 10 * 60_000
"""How long after its end an hour waits for what is still on its way."""

WINDOW_HOURS = 900
_BARS = 1000
"""More than the hours of a window, so that no step of its histogram is longer than one."""


def roll(store: Store, since_ms: int, until_ms: int, kept_since_ms: int) -> int:
    """Makes the hours anew that are over by `until_ms` and not what they were; returns how many.

    One from before `kept_since_ms`, of which records may be gone by now, stays as it was told.
    """
    made = done = 0
    overview = store.histogram(Query(since_ms=since_ms, until_ms=until_ms), _BARS)
    for start_ms in overview.counts:
        first, last = max(done, start_ms // HOUR_MS), (start_ms + overview.step_ms - 1) // HOUR_MS
        done = last + 1
        for begin in range(first, last + 1, WINDOW_HOURS):
            made += _window(store, begin, min(begin + WINDOW_HOURS, last + 1), until_ms, kept_since_ms)
    return made


def _window(store: Store, begin: int, end: int, until_ms: int, kept_since_ms: int) -> int:
    """The same, of hours counted from 1970."""
    span = begin * HOUR_MS, end * HOUR_MS
    told: Counter[int] = Counter()
    for one in store.rollups(*span):
        told[one.hour_ms] += one.count
    counts: Counter[int] = Counter()
    for start_ms, count in store.histogram(Query(since_ms=span[0], until_ms=span[1]), _BARS).counts.items():
        counts[start_ms // HOUR_MS * HOUR_MS] += count
    made = 0
    for hour_ms, count in counts.items():
        over = hour_ms + HOUR_MS + LATE_MS <= until_ms
        if over and count != told[hour_ms] and (hour_ms >= kept_since_ms or not told[hour_ms]):
            records = store.select(Query(since_ms=hour_ms, until_ms=hour_ms + HOUR_MS), FIELDS)
            store.roll_up(hour_ms, rolled_up(hour_ms, (fields for _, _, fields in records)))
            made += 1
    return made
