"""Requests of a long span, from the hourly statistics: they are few, and outlive the records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from slmtrail.app.reading import Reading
from slmtrail.app.web import charts
from slmtrail.core.ports import Histogram
from slmtrail.core.rollup import DAY_MS, HOUR_MS, Rollup
from slmtrail.indexer.store.facets import step_ms

FEW_MS, MANY_MS = 2 * DAY_MS, 15 * DAY_MS
"""A longer time is summed by days; and has a bar for a day, not for hours."""

_REQUESTS = "inference"


@dataclass(slots=True)
class Statistics:
    """What the hours say; `until_ms` is behind the last in which anything happened, and 0 where there is none."""

    until_ms: int = 0
    step_ms: int = HOUR_MS
    """How long a time is told at once, for the most part."""
    blocked: int = 0
    requests: Rollup = field(default_factory=lambda: Rollup(0, "", "", ""))
    """All requests to models, as if in one hour."""
    models: Counter[str] = field(default_factory=Counter)
    environments: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    by_hour: Counter[int] = field(default_factory=Counter)
    failed_by_hour: Counter[int] = field(default_factory=Counter)

    @property
    def latency(self) -> dict[str, float]:
        """The latencies that half, 95 and 99 in 100 requests stay within; empty where none has one."""
        shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
        found = {name: self.requests.quantile_ms(share) for name, share in shares.items()}
        return {name: value for name, value in found.items() if value is not None}

    def mean(self, name: str) -> float:
        """A number of the requests, a request."""
        total: int = getattr(self.requests, name)
        return total / self.requests.count if self.requests.count else 0.0


def statistics(reading: Reading, since_ms: int, until_ms: int, environment: str) -> Statistics:
    """The hours from the one that `since_ms` lies in, of one environment or of all."""
    made = Statistics()
    latency: Counter[int] = Counter()
    told, bars, made.step_ms = _told(reading, since_ms // HOUR_MS * HOUR_MS, until_ms)
    for one in _of(told, environment):
        made.until_ms = max(made.until_ms, one.hour_ms + HOUR_MS)
        made.blocked += one.blocked if one.kind == "policy" else 0
        made.kinds[one.kind] += one.count
        made.environments[one.environment] += one.count
        if one.kind == _REQUESTS:
            made.models[one.model] += one.count
            for name in ("count", "failures", "input_tokens", "output_tokens"):
                setattr(made.requests, name, getattr(made.requests, name) + getattr(one, name))
            latency.update(one.latency)
    for one in _of(bars, environment):
        if one.kind == _REQUESTS:
            made.by_hour[one.hour_ms] += one.count
            made.failed_by_hour[one.hour_ms] += one.failures
    made.requests.latency = dict(latency)
    return made


def _of(told: list[Rollup], environment: str) -> list[Rollup]:
    return [one for one in told if environment in ("", one.environment)]


def _told(reading: Reading, since_ms: int, until_ms: int) -> tuple[list[Rollup], list[Rollup], int]:
    """What all is summed from, what bars are drawn from, and how long most of these are.

    Whole days are summed, the first and the newest by their hours: of these is not all of a day. Where there are many
    days no bar is shorter than one.
    """
    first_ms = -(-since_ms // DAY_MS) * DAY_MS
    days = reading.rollups(first_ms, until_ms, DAY_MS) if until_ms - since_ms > FEW_MS else []
    newest_ms = max((one.hour_ms for one in days), default=first_ms)
    whole = [one for one in days if one.hour_ms < newest_ms]
    told = [*reading.rollups(since_ms, first_ms), *whole, *reading.rollups(newest_ms, until_ms)]
    if newest_ms - min((one.hour_ms for one in whole), default=newest_ms) >= MANY_MS:
        return told, told, DAY_MS
    bars = reading.rollups(since_ms, until_ms, HOUR_MS, _REQUESTS, latency=False) if whole else told
    return told, bars, HOUR_MS


def joined(hours: Counter[int], since: Histogram, least_ms: int) -> Histogram:
    """Hours and what came since them, in steps that fit both and are no shorter than so."""
    if not hours:
        return since
    last_ms = max(*hours, *since.counts)
    step = max(least_ms, since.step_ms, step_ms(min(hours), last_ms, charts.BARS))
    counts: Counter[int] = Counter()
    for start_ms, count in [*hours.items(), *since.counts.items()]:
        counts[start_ms // step * step] += count
    return Histogram(step, dict(sorted(counts.items())))
