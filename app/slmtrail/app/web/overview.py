"""The overview: what is asked, how it goes, what was found, and who last reported, within a span of time."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slmtrail.app.reading import Asked, Reading
from slmtrail.app.web import charts, view
from slmtrail.app.web.charts import Bars, Row
from slmtrail.app.web.render import link, moment
from slmtrail.app.web.statistics import Statistics, joined, statistics
from slmtrail.core.errors import QueryError
from slmtrail.indexer.reading.measure import percentiles
from slmtrail.indexer.reading.walk import quoted, walk
from slmtrail.indexer.store.language.times import moment_ms

SPANS = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "4w": "4 weeks", "52w": "year"}
"""What can be looked at, as it is written in a search, and in words."""

BY_RECORDS = "1h"
"""The span that is told from its records alone; the hours of longer ones from statistics, where they are made."""

LOOKED_UP_S = 600.0
"""For so long it is known which collectors have ever sent anything."""

SAMPLE = 500
"""Of how many of the newest requests latency, tokens and findings are told."""

ALERTS, COLLECTORS, VALUES, MANY, MOST_ALERTS = 6, 12, 8, 100, 1000


@dataclass(frozen=True, slots=True)
class Collector:
    """One that has sent something, ever: when it was last heard of, and how much is here from it of the last hour."""

    name: str
    last: str
    count: int
    environment: str


@dataclass(frozen=True, slots=True)
class Overview:
    """All that the page shows."""

    requests: int
    failures: int
    blocked: int
    alerts_total: int
    alerts_more: bool
    latency: dict[str, float]
    first_token: dict[str, float]
    input_tokens: float
    output_tokens: float
    sample: int
    statistics_until: str
    """Up to when hourly statistics stand for the records; empty where none do."""
    traffic: Bars | None
    models: list[Row]
    environments: list[Row]
    kinds: list[Row]
    findings: list[Row]
    flags: list[Row]
    alerts: list[view.Alert]
    collectors: list[Collector]


def overview(reading: Reading, since: str, environment: str) -> Overview:
    """What happened since then, in one environment or in all."""
    whole = Asked(since=since, environment=environment)
    now_ms = time.time_ns() // 1_000_000
    told = statistics(reading, moment_ms(since), now_ms, environment) if since != BY_RECORDS else Statistics()
    window = dataclasses.replace(whole, since=moment(told.until_ms)) if told.until_ms else whole
    asked = dataclasses.replace(window, kind="inference")
    failed = dataclasses.replace(asked, outcome="failure")
    blocked = dataclasses.replace(window, kind="policy", text="verdict:block")
    filters = {"since": since, "env": environment}
    requests = {**filters, "kind": "inference"}
    sample = [one.record for one in walk(reading.ask, reading.query(dataclasses.replace(asked, since=since)), SAMPLE)]
    alerts = reading.alerts(dataclasses.replace(whole, kind="alert", limit=ALERTS))
    # An alert that grows has a record for each revision.
    raised = len(reading.values(dataclasses.replace(whole, kind="alert"), "alert", MOST_ALERTS))
    return Overview(
        requests=told.requests.count + reading.count(asked),
        failures=told.requests.failures + reading.count(failed),
        blocked=told.blocked + reading.count(blocked),
        alerts_total=raised,
        alerts_more=raised == MOST_ALERTS,
        latency=told.latency or percentiles(_numbers(sample, "slm.latency_ms")),
        first_token=percentiles(_numbers(sample, "slm.time_to_first_token_ms")),
        input_tokens=told.mean("input_tokens") or _mean(sample, "gen_ai.usage.input_tokens"),
        output_tokens=told.mean("output_tokens") or _mean(sample, "gen_ai.usage.output_tokens"),
        sample=len(sample),
        statistics_until=moment(told.until_ms) if told.until_ms else "",
        traffic=charts.bars(
            joined(told.by_hour, reading.histogram(asked, charts.BARS), told.step_ms),
            joined(told.failed_by_hour, reading.histogram(failed, charts.BARS), told.step_ms),
            "/",
            requests,
        ),
        models=charts.rows(_most(told.models, reading.facet(asked, "model", MANY)), "/", requests, "model"),
        environments=charts.rows(
            _most(told.environments, reading.facet(window, "environment", MANY)), "/", filters, "env"
        ),
        kinds=charts.rows(_most(told.kinds, reading.facet(window, "kind", MANY)), "/", filters, "kind"),
        findings=_findings(sample, filters),
        flags=charts.rows(reading.facet(whole, "flag", VALUES), "/", filters, "flag"),
        alerts=[view.alert(sealed) for sealed in alerts.records],
        collectors=_collectors(reading, environment),
    )


def _most(told: Counter[str], since: Mapping[str, int]) -> dict[str, int]:
    return dict((Counter({name: count for name, count in told.items() if name}) + Counter(since)).most_common(VALUES))


def _numbers(records: list[dict[str, Any]], name: str) -> list[float]:
    return [value for record in records if isinstance(value := record.get(name), int | float)]


def _mean(records: list[dict[str, Any]], name: str) -> float:
    values = _numbers(records, name)
    return sum(values) / len(values) if values else 0


def _findings(sample: list[dict[str, Any]], filters: dict[str, str]) -> list[Row]:
    counts = Counter(type_ for record in sample for type_ in view.names(record, "slm.findings.types"))
    most = max(counts.values(), default=1)
    return [
        Row(name, count, count / most, link("/", {**filters, "q": f"finding:{name}"}))
        for name, count in counts.most_common(VALUES)
    ]


def _collectors(reading: Reading, environment: str) -> list[Collector]:
    """Every collector, whoever has been silent for longest first."""
    active = reading.facet(Asked(since=BY_RECORDS, environment=environment), "collector", COLLECTORS)
    names = dict.fromkeys([*active, *_ever(reading, environment)])
    found = [_collector(reading, name, environment, active.get(name, 0)) for name in names]
    return sorted(found, key=lambda one: one.last)


def _ever(reading: Reading, environment: str) -> list[str]:
    """The collectors of all records, which may take long: so it is done seldom."""
    key, now_s = (reading.scope, environment), time.monotonic()
    looked_s, known = reading.collectors.get(key, (0.0, []))
    if not looked_s or now_s - looked_s > LOOKED_UP_S:
        with contextlib.suppress(QueryError):  # it takes too long just now: those that send are told
            known = reading.values(Asked(environment=environment), "collector", COLLECTORS)
            reading.collectors[key] = (now_s, known)
    return known


def _collector(reading: Reading, name: str, environment: str, count: int) -> Collector:
    query = reading.query(Asked(f"collector:{quoted(name)}", environment=environment))
    newest = next(walk(reading.ask, query, 1), None)
    shown = view.row(newest) if newest else None
    return Collector(name, shown.at if shown else "", count, shown.environment if shown else "")
