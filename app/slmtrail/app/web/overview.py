"""The overview: what is asked, how it goes, what was found, and who last reported, within a span of time."""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from typing import Any

from slmtrail.app.reading import Asked, Reading
from slmtrail.app.web import charts, view
from slmtrail.app.web.charts import Bars, Row
from slmtrail.app.web.render import link
from slmtrail.indexer.reading.measure import percentiles
from slmtrail.indexer.reading.walk import quoted, walk

SPANS = {"1h": "hour", "24h": "24 hours", "7d": "7 days", "4w": "4 weeks"}
"""What can be looked at, as it is written in a search, and in words."""

SAMPLE = 500
"""Of how many of the newest requests latency, tokens and findings are told."""

ALERTS, COLLECTORS, VALUES = 6, 12, 8


@dataclass(frozen=True, slots=True)
class Collector:
    """One that has sent something, ever: when it was last heard of, and how much is here from it in this time."""

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
    window = Asked(since=since, environment=environment)
    asked = dataclasses.replace(window, kind="inference")
    failed = dataclasses.replace(asked, outcome="failure")
    blocked = dataclasses.replace(window, kind="policy", text="verdict:block")
    filters = {"since": since, "env": environment}
    requests = {**filters, "kind": "inference"}
    sample = [one.record for one in walk(reading.ask, reading.query(asked), SAMPLE)]
    alerts = reading.alerts(dataclasses.replace(window, kind="alert", limit=ALERTS))
    return Overview(
        requests=reading.count(asked),
        failures=reading.count(failed),
        blocked=reading.count(blocked),
        alerts_total=alerts.total,
        alerts_more=alerts.at_least,
        latency=percentiles(_numbers(sample, "slm.latency_ms")),
        first_token=percentiles(_numbers(sample, "slm.time_to_first_token_ms")),
        input_tokens=_mean(sample, "gen_ai.usage.input_tokens"),
        output_tokens=_mean(sample, "gen_ai.usage.output_tokens"),
        sample=len(sample),
        traffic=charts.bars(
            reading.histogram(asked, charts.BARS), reading.histogram(failed, charts.BARS), "/", requests
        ),
        models=charts.rows(reading.facet(asked, "model", VALUES), "/", requests, "model"),
        environments=charts.rows(reading.facet(window, "environment", VALUES), "/", filters, "env"),
        kinds=charts.rows(reading.facet(window, "kind", VALUES), "/", filters, "kind"),
        findings=_findings(sample, filters),
        flags=charts.rows(reading.facet(window, "flag", VALUES), "/", filters, "flag"),
        alerts=[view.alert(sealed) for sealed in alerts.records],
        collectors=_collectors(reading, window),
    )


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


def _collectors(reading: Reading, window: Asked) -> list[Collector]:
    """Every collector, whoever has been silent for longest first: also those of which nothing is in this time."""
    ever = dataclasses.replace(window, since="", limit=1)
    within = reading.facet(window, "collector", COLLECTORS)
    found = []
    for name in reading.facet(ever, "collector", COLLECTORS):
        newest = reading.search(dataclasses.replace(ever, text=f"collector:{quoted(name)}")).records
        if newest:
            shown = view.row(newest[0])
            found.append(Collector(name, shown.at, within.get(name, 0), shown.environment))
    return sorted(found, key=lambda one: one.last)
