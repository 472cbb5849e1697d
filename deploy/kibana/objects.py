#!/usr/bin/env python3
"""Writes slmtrail.ndjson, the saved objects for Kibana: data views, searches, charts and dashboards.

    python deploy/kibana/objects.py [--page https://trail.example] [--dataset slm]

`--page` is where people open our page: a record's id in Kibana leads to its proof there. The file that lies beside this
program is what it writes without options.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

Made = dict[str, Any]

HERE = Path(__file__).parent
VERSION = "8.19.0"
"""The Kibana that the objects are written for."""

RECORDS, ROLLUPS = "slmtrail-records", "slmtrail-rollups"
COLUMNS = ["slm.kind", "user.id", "gen_ai.request.model", "event.outcome", "slm.flags"]


def compact(content: Any) -> str:
    """JSON in JSON, of which these objects are full."""
    return json.dumps(content, separators=(",", ":"), sort_keys=True)


def made(kind: str, name: str, attributes: Made, references: list[Made]) -> Made:
    """One saved object."""
    return {
        "type": kind,
        "id": name,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": VERSION,
    }


def source(view: str, query: str) -> tuple[Made, list[Made]]:
    """What is searched, and the reference to the data view that it is searched in."""
    name = "kibanaSavedObjectMeta.searchSourceJSON.index"
    asked = {"query": {"language": "kuery", "query": query}, "filter": [], "indexRefName": name}
    return {"searchSourceJSON": compact(asked)}, [{"name": name, "type": "index-pattern", "id": view}]


def data_view(name: str, title: str, pattern: str, formats: Made) -> Made:
    """A data view over an index pattern."""
    attributes = {
        "name": title,
        "title": pattern,
        "timeFieldName": "@timestamp",
        "allowNoIndex": True,
        "fields": "[]",
        "fieldFormatMap": compact(formats),
        "sourceFilters": compact([{"value": "slm.salts"}, {"value": "slm.commitments"}]),
    }
    return made("index-pattern", name, attributes, [])


def search(name: str, title: str, query: str, columns: list[str] | None = None) -> Made:
    """A saved search, newest first."""
    meta, references = source(RECORDS, query)
    attributes = {
        "title": title,
        "columns": columns or COLUMNS,
        "sort": [["@timestamp", "desc"]],
        "kibanaSavedObjectMeta": meta,
    }
    return made("search", f"slmtrail-{name}", attributes, references)


def chart(name: str, title: str, kind: str, aggs: list[Made], query: str = "", view: str = RECORDS) -> Made:
    """A chart: `kind` is histogram, line, table, metric or pie."""
    meta, references = source(view, query)
    numbered = [{"id": str(number), "enabled": True, **agg} for number, agg in enumerate(aggs, 1)]
    params: Made = {"addLegend": True, "addTooltip": True, "legendPosition": "right"}
    if kind == "table":
        params = {"perPage": 10, "showPartialRows": False, "showTotal": False}
    attributes = {
        "title": title,
        "uiStateJSON": "{}",
        "visState": compact({"title": title, "type": kind, "aggs": numbered, "params": params}),
        "kibanaSavedObjectMeta": meta,
    }
    return made("visualization", f"slmtrail-{name}", attributes, references)


def count() -> Made:
    """How many."""
    return {"type": "count", "schema": "metric", "params": {}}


def number(what: str, field: str) -> Made:
    """A number of a field: sum, max, cardinality."""
    return {"type": what, "schema": "metric", "params": {"field": field}}


def percentiles(field: str) -> Made:
    """Half, 95 and 99 in 100 lie below."""
    return {"type": "percentiles", "schema": "metric", "params": {"field": field, "percents": [50, 95, 99]}}


def over_time() -> Made:
    """By time, from left to right."""
    return {"type": "date_histogram", "schema": "segment", "params": {"field": "@timestamp", "interval": "auto"}}


def by(field: str, schema: str = "group", size: int = 10) -> Made:
    """By the most frequent values of a field."""
    params = {"field": field, "size": size, "order": "desc", "orderBy": "1", "otherBucket": False}
    return {"type": "terms", "schema": schema, "params": params}


def dashboard(name: str, title: str, description: str, panels: list[tuple[Made, int, int]]) -> Made:
    """A dashboard: its panels from left to right, each with its width (of 48) and height."""
    laid, references = [], []
    x = y = row = 0
    for place, (panel, width, height) in enumerate(panels, 1):
        if x + width > 48:
            x, y, row = 0, y + row, 0
        laid.append(
            {
                "type": panel["type"],
                "panelIndex": str(place),
                "panelRefName": f"panel_{place}",
                "gridData": {"i": str(place), "x": x, "y": y, "w": width, "h": height},
                "embeddableConfig": {},
            }
        )
        references.append({"name": f"{place}:panel_{place}", "type": panel["type"], "id": panel["id"]})
        x, row = x + width, max(row, height)
    attributes = {
        "title": title,
        "description": description,
        "panelsJSON": compact(laid),
        "optionsJSON": compact({"useMargins": True, "hidePanelTitles": False}),
        "timeRestore": True,
        "timeFrom": "now-24h",
        "timeTo": "now",
        "kibanaSavedObjectMeta": {"searchSourceJSON": compact({"query": {"language": "kuery", "query": ""}})},
    }
    return made("dashboard", f"slmtrail-{name}", attributes, references)


def objects(page: str, dataset: str) -> list[Made]:
    """All of them, what is referred to before what refers to it."""
    link = {"id": "url", "params": {"urlTemplate": f"{page}/record/{{{{value}}}}", "type": "a"}}
    views = [
        data_view(
            RECORDS,
            "slmtrail records",
            f"logs-{dataset}.*-*,past-{dataset}.*",
            {"event.id": link, "slm.alert.evidence": link},
        ),
        data_view(ROLLUPS, "slmtrail hourly statistics", f"rollups-{dataset}", {}),
    ]
    asked = "slm.kind : inference"
    alerts = search(
        "alerts",
        "Alerts",
        "slm.kind : alert",
        ["slm.alert.severity", "rule.name", "slm.alert.subject", "slm.alert.evidence", "event.id"],
    )
    failures = search("failures", "Failed requests", f"{asked} and event.outcome : failure")
    verdicts = search(
        "verdicts",
        "Blocked and flagged by guardrails",
        "slm.kind : policy and slm.verdict : (block or flag)",
        ["slm.verdict", "rule.id", "slm.guardrail.name", "user.id", "slm.role", "event.id"],
    )
    changes = search(
        "changes",
        "Changes of models, prompts and settings",
        "slm.kind : config",
        ["slm.config.type", "slm.config.name", "slm.config.digest", "user.id", "event.id"],
    )
    logins = search(
        "logins",
        "Failed logins",
        "slm.kind : auth and event.outcome : failure",
        ["event.action", "event.reason", "user.id", "source.ip", "event.id"],
    )
    life = search(
        "trail",
        "The trail's own life: gaps, drops, refusals",
        'slm.kind : system and not event.action : "covered"',
        ["event.action", "slm.trail.collector", "slm.trail.count", "slm.trail.dropped", "event.id"],
    )
    readers = search("readers", "Who looked at the trail", "slm.kind : access", ["event.action", "user.id", "event.id"])
    by_kind = chart("by-kind", "Records by kind", "histogram", [count(), over_time(), by("slm.kind")])
    by_model = chart(
        "by-model", "Requests by model", "histogram", [count(), over_time(), by("gen_ai.request.model")], asked
    )
    latency = chart("latency", "Latency, ms", "line", [percentiles("slm.latency_ms"), over_time()], asked)
    tokens = chart(
        "tokens", "Tokens written", "histogram", [number("sum", "gen_ai.usage.output_tokens"), over_time()], asked
    )
    outcomes = chart("outcomes", "Outcome", "histogram", [count(), over_time(), by("event.outcome")], asked)
    found = chart("findings", "Findings by type", "pie", [count(), by("slm.findings.types", "segment")])
    users = chart("users", "Busiest users", "table", [count(), by("user.id", "bucket")], asked)
    places = chart("environments", "Environments", "pie", [count(), by("deployment.environment.name", "segment")])
    rules = chart("rules", "Alerts by rule", "table", [count(), by("rule.name", "bucket", 20)], "slm.kind : alert")
    severity = chart(
        "severity",
        "Alerts by severity",
        "histogram",
        [count(), over_time(), by("slm.alert.severity")],
        "slm.kind : alert",
    )
    subjects = chart(
        "subjects", "Who alerts are about", "table", [count(), by("slm.alert.subject", "bucket")], "slm.kind : alert"
    )
    blocked = chart("blocked", "Verdicts", "histogram", [count(), over_time(), by("slm.verdict")], "slm.kind : policy")
    sources = chart(
        "sources",
        "Failed logins by address",
        "table",
        [count(), by("source.ip", "bucket")],
        "slm.kind : auth and event.outcome : failure",
    )
    models = chart(
        "model-versions",
        "Models side by side",
        "table",
        [
            count(),
            percentiles("slm.latency_ms"),
            percentiles("gen_ai.usage.output_tokens"),
            by("gen_ai.request.model", "bucket"),
            by("slm.model.version", "bucket"),
        ],
        asked,
    )
    failing = chart(
        "failing",
        "Failures by model",
        "line",
        [count(), over_time(), by("gen_ai.request.model")],
        f"{asked} and event.outcome : failure",
    )
    flagged = chart(
        "flagged",
        "Flags by model",
        "table",
        [count(), by("slm.flags", "bucket"), by("gen_ai.request.model", "bucket")],
        asked,
    )
    years = chart(
        "years",
        "Requests, by the hourly statistics",
        "line",
        [number("sum", "count"), over_time(), by("model")],
        "",
        ROLLUPS,
    )
    covered = chart("covered", "Sealed, by collector", "histogram", [count(), over_time(), by("slm.collector.id")])
    lost = chart(
        "lost",
        "Dropped, signed for",
        "histogram",
        [number("sum", "slm.trail.dropped"), over_time(), by("slm.trail.collector")],
        "slm.kind : system",
    )
    ledgers = chart(
        "ledgers",
        "Leaves, by ledger",
        "table",
        [count(), number("max", "slm.ledger.leaf"), by("slm.ledger.id", "bucket")],
    )
    boards = [
        dashboard(
            "overview",
            "slmtrail: overview",
            "What is asked, how it goes, what is found.",
            [
                (by_kind, 32, 12),
                (places, 16, 12),
                (outcomes, 24, 12),
                (by_model, 24, 12),
                (latency, 24, 12),
                (tokens, 24, 12),
                (found, 16, 12),
                (users, 16, 12),
                (rules, 16, 12),
                (failures, 48, 16),
            ],
        ),
        dashboard(
            "security",
            "slmtrail: security",
            "Alerts, verdicts, logins. The id of a record leads to its proof.",
            [
                (severity, 32, 12),
                (rules, 16, 12),
                (alerts, 48, 18),
                (subjects, 16, 12),
                (blocked, 32, 12),
                (verdicts, 48, 14),
                (sources, 16, 14),
                (logins, 32, 14),
            ],
        ),
        dashboard(
            "models",
            "slmtrail: models",
            "Models and their versions beside each other. `slmtrail compare` says what differs by more than chance.",
            [
                (models, 48, 16),
                (failing, 24, 12),
                (latency, 24, 12),
                (flagged, 24, 14),
                (years, 24, 14),
                (changes, 48, 14),
            ],
        ),
        dashboard(
            "integrity",
            "slmtrail: integrity",
            "What collectors signed for and what was lost. What proves it is `slmtrail verify`, not this board.",
            [(covered, 32, 12), (ledgers, 16, 12), (lost, 24, 12), (life, 24, 12), (readers, 48, 14)],
        ),
    ]
    searches = [alerts, failures, verdicts, changes, logins, life, readers]
    charts = [by_kind, by_model, latency, tokens, outcomes, found, users, places, rules, severity, subjects, blocked]
    charts += [sources, models, failing, flagged, years, covered, lost, ledgers]
    return [*views, *searches, *charts, *boards]


def main() -> None:
    """Writes the file."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--page", default="http://127.0.0.1:4747", help="where people open our page")
    options.add_argument("--dataset", default="slm", help="the data streams' dataset")
    given = options.parse_args()
    lines = [json.dumps(one, sort_keys=True) for one in objects(given.page.rstrip("/"), given.dataset)]
    (HERE / "slmtrail.ndjson").write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
