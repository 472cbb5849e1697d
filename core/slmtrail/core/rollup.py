"""Hourly statistics of what records say, kept longer than the records: a function of the records of an hour alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slmtrail.core.events import timestamp_ms

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
STEPS = 16
"""Buckets of latency between a number and its double: a quantile is right within 2.2 %."""

ENVIRONMENT, KIND, LATENCY = "deployment.environment.name", "slm.kind", "slm.latency_ms"
MODELS = ("gen_ai.request.model", "gen_ai.response.model")
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
TIME, OUTCOME, VERDICT, FINDINGS = "@timestamp", "event.outcome", "slm.verdict", "slm.findings.count"
FIELDS = (TIME, KIND, ENVIRONMENT, *MODELS, OUTCOME, VERDICT, LATENCY, INPUT, OUTPUT, FINDINGS)
"""All that statistics look at: nothing of it is content or names a person."""


@dataclass(slots=True)
class Rollup:
    """One hour of one model, environment and kind; empty names where records have none."""

    hour_ms: int
    model: str
    environment: str
    kind: str
    count: int = 0
    failures: int = 0
    blocked: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    findings: int = 0
    latency: dict[int, int] = field(default_factory=dict)
    """How many records by bucket of latency: bucket b holds what is up to 2^(b/16) ms, and more than the one before."""

    def quantile_ms(self, share: float) -> float | None:
        """The latency that a share of the records with one stays within; None where no record has one."""
        rank = max(1, math.ceil(share * sum(self.latency.values())))
        for bucket in sorted(self.latency):
            rank -= self.latency[bucket]
            if rank <= 0:
                return float(2 ** ((bucket - 0.5) / STEPS)) if bucket else 0.0
        return None


SUMS = ("count", "failures", "blocked", "input_tokens", "output_tokens", "findings")


def rolled_up(hour_ms: int, records: Iterable[Mapping[str, Any]]) -> list[Rollup]:
    """The statistics of the records of one hour, in order of model, environment and kind."""
    made: dict[tuple[str, str, str], Rollup] = {}
    latencies: dict[tuple[str, str, str], Counter[int]] = {}
    for record in records:
        model = next((str(record[name]) for name in MODELS if name in record), "")
        key = model, str(record.get(ENVIRONMENT, "")), str(record.get(KIND, ""))
        one = made.get(key) or made.setdefault(key, Rollup(hour_ms, *key))
        one.count += 1
        one.failures += record.get(OUTCOME) == "failure"
        one.blocked += record.get(VERDICT) == "block"
        one.input_tokens += record.get(INPUT, 0)
        one.output_tokens += record.get(OUTPUT, 0)
        one.findings += record.get(FINDINGS, 0)
        if LATENCY in record:
            latencies.setdefault(key, Counter())[_bucket(record[LATENCY])] += 1
    for key, counted in latencies.items():
        made[key].latency = dict(sorted(counted.items()))
    return [made[key] for key in sorted(made)]


def together(rollups: Iterable[Rollup], step_ms: int) -> list[Rollup]:
    """Hours put together in steps, in order of step, model, environment and kind; `hour_ms` is where a step begins."""
    made: dict[tuple[int, str, str, str], Rollup] = {}
    latencies: dict[tuple[int, str, str, str], Counter[int]] = {}
    for one in rollups:
        key = one.hour_ms // step_ms * step_ms, one.model, one.environment, one.kind
        whole = made.get(key) or made.setdefault(key, Rollup(*key))
        for name in SUMS:
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
        latencies.setdefault(key, Counter()).update(one.latency)
    for key, latency in latencies.items():
        made[key].latency = dict(sorted(latency.items()))
    return [made[key] for key in sorted(made)]


def hour_of(record: Mapping[str, Any]) -> int:
    """When the hour of a record begins."""
    return timestamp_ms(record[TIME]) // HOUR_MS * HOUR_MS


def _bucket(latency_ms: int) -> int:
    return max(1, math.ceil(round(math.log2(latency_ms) * STEPS, 9))) if latency_ms > 1 else max(0, min(latency_ms, 1))
