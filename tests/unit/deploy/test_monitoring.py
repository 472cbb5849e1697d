"""Rules and dashboard: they ask for what exists, and each alert has its runbook. promtool says whether they parse."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import Any

import prometheus_client
import pytest
import yaml

from slmtrail.core import metrics
from tree import ROOT

FOLDER = ROOT / "deploy/prometheus"
RULES: list[dict[str, Any]] = [
    rule
    for file in sorted((FOLDER / "rules").glob("*.yml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/slmtrail.json").read_text())
OPERATING = (ROOT / "docs/operating.md").read_text()


def labels_of() -> dict[str, set[str]]:
    """Each series of ours, and the labels it has beside those that Prometheus adds."""
    known = {}
    for metric in vars(metrics).values():
        if isinstance(metric, prometheus_client.metrics.MetricWrapperBase):
            for described in metric.describe():
                own = set(metric._labelnames)
                for name in {
                    "counter": [f"{described.name}_total"],
                    "gauge": [described.name],
                    "histogram": [f"{described.name}_{part}" for part in ("bucket", "count", "sum")],
                }[described.type]:
                    known[name] = own | ({"le"} if name.endswith("_bucket") else set())
    return known


KNOWN = labels_of()
ADDED = {"job", "instance"}
ASKED = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in RULES] + [
    (panel["title"], target["expr"]) for panel in DASHBOARD["panels"] for target in panel["targets"]
]


@pytest.mark.parametrize(("name", "expression"), ASKED)
def test_it_asks_for_what_exists(name: str, expression: str) -> None:
    series = set(re.findall(r"\bslm_[a-z_]+", expression))
    recorded = set(re.findall(r"\bslm:[a-z_0-9:]+", expression))
    assert series <= set(KNOWN)
    assert recorded <= RECORDED
    assert series or recorded or "up{" in expression
    for by in re.findall(r"\bby \(([^)]*)\)", expression):
        own = set().union(*(KNOWN[each] for each in series))
        assert {label.strip() for label in by.split(",")} <= own | ADDED


@pytest.mark.parametrize("alert", ALERTS, ids=[alert["alert"] for alert in ALERTS])
def test_an_alert_says_what_to_do(alert: dict[str, Any]) -> None:
    assert alert["labels"]["severity"] in ("info", "warning", "critical")
    assert alert["annotations"]["summary"]
    page, _, anchor = alert["annotations"]["runbook_url"].partition("#")
    assert page == "docs/operating.md"
    assert anchor == alert["alert"].lower()
    assert f"\n### {alert['alert']}\n" in OPERATING
    expression = alert["expr"] + " ".join(rule["expr"] for rule in RULES if rule.get("record", "-") in alert["expr"])
    for label in re.findall(r"\$labels\.(\w+)", alert["annotations"]["summary"]):
        assert label in expression or label in ADDED


def test_there_is_no_runbook_without_its_alert() -> None:
    assert re.findall(r"^### (Slmtrail\w+)$", OPERATING, re.MULTILINE) == [alert["alert"] for alert in ALERTS]


def test_the_dashboard_fits_its_provisioning() -> None:
    source = yaml.safe_load((ROOT / "deploy/grafana/provisioning/datasources/prometheus.yml").read_text())
    (uid,) = {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    assert uid == source["datasources"][0]["uid"]
    provider = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/slmtrail.yml").read_text())
    mounted = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./deploy/grafana/dashboards:{provider['providers'][0]['options']['path']}:ro" in mounted
    places = [tuple(panel["gridPos"].values()) for panel in DASHBOARD["panels"]]
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(set(places)) == len(places)
    assert all(x + w <= 24 for x, _, w, _ in places)


@pytest.mark.slow
def test_promtool_finds_nothing_wrong() -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("there is no promtool here (Debian: the package prometheus)")
    for command in (
        ["check", "config", "prometheus.yml"],
        ["test", "rules", "../../tests/unit/deploy/alerts.test.yml"],
    ):
        done = subprocess.run([promtool, *command], cwd=FOLDER, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
